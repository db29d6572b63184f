"""`envbuild run`: a command in an image made of busybox, as root and as an ordinary user: stdio, signals, exit codes, nothing left behind."""
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

from conftest import let_pass, program

USERS = ["root", "nobody"] if os.geteuid() == 0 else ["self"]


@pytest.fixture(params=USERS)
def user(request, env, definition):
    """An environment whose commands run as that user, with an image in its store."""
    definition(more="  cmd: [echo, from, the, image]\n")
    env.popen_user = let_pass(env, "nobody") if request.param == "nobody" else {}
    env.line = env.run("build", "env.yml", **env.popen_user).line
    return env


def run(user, *args, code=0, **kw):
    return user.run("run", *args, code=code, **user.popen_user, **kw)


def test_output_and_exit_code(user):
    r = run(user, user.line, "--", "sh", "-c", "echo out; echo err >&2; exit 7", code=7)
    assert r.out == "out\n" and "err\n" in r.err


def test_the_image_s_own_command(user):
    assert run(user, user.line).out == "from the image\n"


def test_environment(user):
    out = run(user, "-e", "MORE=1", user.line, "--", "env").out.splitlines()
    assert "STAGE=dev" in out and "MORE=1" in out and "VIRTUAL_ENV=/opt/env" in out
    assert any(x.startswith("PATH=/opt/env/bin:") for x in out)
    assert not [x for x in out if x.startswith(("ASAN_OPTIONS", "ENVBUILD_", "PIP_"))], "ours stays ours"


def test_stdin(user):
    p = subprocess.Popen([program(), "run", user.line, "--", "cat"], cwd=user.work, env=user.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         **user.popen_user)
    data = os.urandom(300_000)
    assert p.communicate(data, timeout=60)[0] == data


@pytest.mark.parametrize("argv,code", [(["no-such-program"], 127), (["/etc/passwd"], 126), (["sh", "-c", "kill -9 $$"], 137)])
def test_codes_of_the_command(user, argv, code):
    run(user, user.line, "--", *argv, code=code)


def test_codes_before_the_command(user):
    assert "no image 'nothing'" in run(user, "nothing", code=125).err
    run(user, code=2)


@pytest.mark.parametrize("sig,code", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_reach_the_command(user, sig, code):
    p = user.popen("run", user.line, "--", "sh", "-c", f"trap 'echo caught; exit 9' {sig.value}; echo ready; while :; do sleep 0.1; done",
                   **user.popen_user)
    assert p.stdout.readline() == "ready\n"
    p.send_signal(sig)
    out, err = p.communicate(timeout=60)
    assert out == "caught\n" and p.returncode == 9, err


def test_changes_are_gone(user):
    run(user, user.line, "--", "sh", "-c", "touch /etc/made /opt/env/made && ls /etc/made")
    assert run(user, user.line, "--", "sh", "-c", "ls /etc/made /opt/env/made; true").out == ""
    assert not list((user.cache / "tmp").glob("*"))
    assert str(user.cache) not in pathlib.Path("/proc/self/mountinfo").read_text()


def test_a_definition_is_built_first(user):
    assert run(user, "env.yml", "--", "echo", "hi").out == "hi\n"
    assert run(user, "train", "echo", "by name").out == "by name\n"


def test_volume_and_workdir(user):
    folder = user.work / "data"
    folder.mkdir()
    (folder / "x").write_text("content\n")
    for p in (folder, folder / "x"):
        p.chmod(0o777)
    r = run(user, "--volume", f"{folder}:/data", "-w", "/data", user.line, "--", "sh", "-c", "cat x; echo new > y; pwd")
    assert r.out == "content\n/data\n"
    assert (folder / "y").read_text() == "new\n"


def test_no_network(user):
    out = run(user, "--network", "none", user.line, "--", "cat", "/proc/net/dev").out
    assert [line.split(":")[0].strip() for line in out.splitlines()[2:]] == ["lo"]


def test_without_bubblewrap_a_hint(user, tmp_path):
    bins = user.folder / "bin"
    bins.mkdir()
    bins.chmod(0o755)
    for tool in ("sh", "env"):
        (bins / tool).symlink_to(shutil.which(tool))
    err = run(user, user.line, "--", "true", code=125, env={"PATH": str(bins)}).err
    assert "bubblewrap" in err and "hint" in err
