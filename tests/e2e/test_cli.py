"""What the command line promises: help, manual, completions, progress, one answer on stdout."""
import json
import re
import shutil
import subprocess

import pytest

from conftest import program

COMMANDS = ["build", "lock", "run", "inspect", "tree", "why", "export", "cache dir", "cache size", "cache verify", "completion", "version"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_and_manual_agree(env, command):
    out = env.run(*command.split(), "--help").out
    assert out.startswith(f"envbuild {command}:")
    roff = env.run("__man").out.replace("\\-", "-")
    for option in set(re.findall(r"--[a-z][a-z-]+", out)) - {"--help"}:
        assert option in roff, option


def test_top_help_lists_every_command(env):
    out = env.run("--help").out
    assert all(re.search(rf"^  {c}\b", out, re.M) for c in COMMANDS)
    assert "__" not in out


@pytest.mark.skipif(not shutil.which("man"), reason="man-db is not installed")
def test_manual_is_well_formed(env, tmp_path):
    page = tmp_path / "envbuild.1"
    page.write_text(env.run("__man").out)
    r = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", str(page)], capture_output=True, text=True)
    assert r.returncode == 0 and r.stderr == "", r.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(env, tmp_path, shell):
    text = env.run("completion", shell).out
    assert "build" in text and "locked" in text
    if shutil.which(shell):
        path = tmp_path / "c"
        path.write_text(text)
        subprocess.run([shell, "-n", str(path)], check=True)
    env.run("completion", "tcsh", code=2)


def test_bash_completion_completes(env, tmp_path):
    path = tmp_path / "c"
    path.write_text(env.run("completion", "bash").out)
    script = f". {path}; COMP_WORDS=(envbuild build --lo); COMP_CWORD=2; _envbuild; echo ${{COMPREPLY[@]}}"
    assert "--locked" in subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout


def test_progress_json(env, definition):
    definition()
    r = env.run("build", "env.yml", "--progress", "json")
    events = [json.loads(line) for line in r.err.splitlines()]
    assert r.line.startswith("train@sha256:")
    assert {"resolve", "fetch", "layer"} <= {e["phase"] for e in events}
    assert all({"phase", "state", "subject", "done", "total"} <= set(e) for e in events)


def test_progress_plain_and_quiet(env, definition):
    definition()
    r = env.run("build", "env.yml")
    assert "\033" not in r.err and "Fetched pyjwt 1.7.1" in r.err
    definition('["PyJWT<2", idna]')
    assert env.run("build", "env.yml", "-q").err == ""


def test_progress_on_a_terminal(env, definition):
    """script(1) gives a terminal: bars come and go, and the last thing there is the answer."""
    if not shutil.which("script"):
        pytest.skip("script is not installed")
    definition()
    r = subprocess.run(["script", "-qec", f"{program()} build env.yml", "/dev/null"], cwd=env.work, env={**env.env, "TERM": "xterm"},
                       capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert r.returncode == 0 and "\033[" in r.stdout
    assert re.search(r"train@sha256:[0-9a-f]{64}\r?\n$", r.stdout)
    plain = subprocess.run(["script", "-qec", f"{program()} build env.yml --upgrade", "/dev/null"], cwd=env.work,
                           env={**env.env, "TERM": "xterm", "NO_COLOR": "1"}, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert "\033[3" not in plain.stdout and "\033[1;3" not in plain.stdout


def test_closed_stdout_is_an_error(env, definition):
    definition()
    env.run("build", "env.yml")
    full = open("/dev/full", "w")
    r = subprocess.run([program(), "build", "env.yml"], cwd=env.work, env=env.env, stdout=full, stderr=subprocess.PIPE, text=True)
    assert r.returncode == 1 and "cannot write the answer" in r.stderr


def test_directory_and_metadata(env, definition):
    definition()
    r = env.run("build", "-C", str(env.work), "--metadata-file", "m.json")
    m = json.loads((env.work / "m.json").read_text())
    assert r.line == f"{m['image.name']}@{m['containerimage.digest']}"


def test_pip_flag_needs_no_file(env):
    r = env.run("lock", "--pip", "PyJWT<2", "--base", f"oci:{env.base}:base", code=None)
    assert r.code == 0, r.err


def test_leaksanitizer_does_not_misread_thread_local_blocks(env, definition):
    """Why: builder/net/transport.c. Programs without the sanitizer say nothing here."""
    p = env.popen("lock", definition(), env={"ASAN_OPTIONS": "detect_leaks=1:verbosity=2"})
    err = p.communicate(timeout=600)[1]
    assert p.returncode == 0, err
    assert "tls_beg" not in err
