"""The main job on a made base and a made index: same line, same bytes, readable by others."""
import json
import os
import pathlib
import shutil
import subprocess
import tarfile

import pytest

from conftest import Env, let_pass


def blob(env, digest):
    return env.cache / "oci/blobs/sha256" / digest.removeprefix("sha256:")


def manifest_of(env, line):
    return json.loads(blob(env, line.split("@")[1]).read_bytes())


def listing(env, line):
    """path → (type, mode, link) over all layers, top wins."""
    files = {}
    for layer in manifest_of(env, line)["layers"]:
        with tarfile.open(blob(env, layer["digest"]), "r:gz") as t:
            for m in t:
                files[m.name] = (m.type, m.mode, m.linkname, m.uid, m.gid, m.mtime)
    return files


def test_build_prints_one_line_and_again(env, definition, index):
    definition()
    first = env.run("build", "env.yml")
    assert first.line.startswith("train@sha256:")
    before = len(index.requests())
    again = env.run("build", "env.yml")
    assert again.line == first.line
    assert len(index.requests()) == before, "a warm build asks nobody"
    assert (env.work / "train.lock").read_text().count("- kind: wheel") == 4


def test_image_holds_the_venv(env, definition):
    definition()
    files = listing(env, env.run("build", "env.yml").line)
    assert files["opt/env/bin/python"][2] == "/usr/bin/python3.11"
    assert files["opt/env/bin/python3.11"][2] == "python"
    assert "opt/env/pyvenv.cfg" in files
    assert "opt/env/lib/python3.11/site-packages/jwt/__init__.py" in files
    assert files["opt/env/bin/pyjwt"][1] == 0o755
    assert not [f for f in files if f.endswith(("/REQUESTED", "/direct_url.json"))]


def test_config(env, definition):
    definition(more="  user: '1000:1000'\n  workdir: /work\n  cmd: [python]\n  labels: {team: vision}\n")
    line = env.run("build", "env.yml").line
    config = json.loads(blob(env, manifest_of(env, line)["config"]["digest"]).read_bytes())
    c = config["config"]
    assert c["Env"][:1] == ["PATH=/opt/env/bin:/usr/local/bin:/usr/bin:/bin"]
    assert {"VIRTUAL_ENV=/opt/env", "LANG=C.UTF-8", "STAGE=dev"} <= set(c["Env"])
    assert (c["User"], c["WorkingDir"], c["Cmd"], c["Labels"]) == ("1000:1000", "/work", ["python"], {"team": "vision"})
    assert len(config["history"]) == len(config["rootfs"]["diff_ids"]) == len(manifest_of(env, line)["layers"])
    assert config["created"] == "2023-05-22T00:00:00Z"


def test_same_bytes_anywhere(env, definition, tmp_path, index):
    """Two homes, 1 and 8 jobs, another zone, language and umask."""
    definition('["PyJWT<2", requests, big, wide]')
    one = env.run("build", "env.yml", "-j", "1").line
    other = Env(tmp_path / "two")
    other.env.update(PIP_INDEX_URL=index.url, TZ="Asia/Tokyo", LANG="de_DE.UTF-8")
    shutil.copy(env.work / "env.yml", other.work / "env.yml")
    old = os.umask(0o077)
    try:
        two = other.run("build", "env.yml", "-j", "8").line
    finally:
        os.umask(old)
    assert one == two
    assert (env.work / "train.lock").read_bytes() == (other.work / "train.lock").read_bytes()
    if os.geteuid() == 0:
        third = Env(tmp_path / "three")
        third.base = env.base
        third.env["PIP_INDEX_URL"] = index.url
        shutil.copy(env.work / "env.yml", third.work / "env.yml")
        assert third.run("build", "env.yml", **let_pass(third, "nobody")).line == one


def test_settings_of_pip(env, definition, index):
    definition()
    del env.env["PIP_INDEX_URL"]
    conf = env.home / ".config/pip/pip.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(f"[global]\nindex-url = {index.url}\n")
    assert "index-url comes from" in env.run("lock", "env.yml", "-v").err
    assert index.url in (env.work / "train.lock").read_text()


def test_lock_alone_is_enough(env, definition, tmp_path, index):
    definition()
    line = env.run("build", "env.yml").line
    other = Env(tmp_path / "two")
    other.env["PIP_INDEX_URL"] = index.url
    shutil.copy(env.work / "train.lock", other.work / "train.lock")
    assert other.run("build", "train.lock").line == line


def test_lock_keeps_versions_and_upgrades(env, definition, index):
    definition('["urllib3<2"]')
    env.run("lock", "env.yml")
    definition('["urllib3"]')
    env.run("lock", "env.yml")
    assert "version: 1.26.0" in (env.work / "train.lock").read_text(), "an old choice that fits is kept"
    env.run("lock", "env.yml", "--upgrade")
    assert "version: 2.0.1" in (env.work / "train.lock").read_text()


def test_locked_and_frozen(env, definition):
    definition()
    assert "envbuild lock" in env.run("build", "env.yml", "--locked", code=4).err
    line = env.run("build", "env.yml").line
    text = (env.work / "train.lock").read_bytes()
    assert env.run("build", "env.yml", "--locked").line == line
    definition('[requests]')
    env.run("build", "env.yml", "--locked", code=4)
    assert env.run("build", "env.yml", "--frozen").line == line
    assert (env.work / "train.lock").read_bytes() == text


def test_exclude_newer(env, definition):
    definition('["PyJWT"]')
    env.run("lock", "env.yml", "--exclude-newer", "2019-01-01")
    assert "version: 1.7.1" in (env.work / "train.lock").read_text()


def test_offline(env, definition):
    definition()
    assert "offline" in env.run("build", "env.yml", "--offline", code=9).err
    line = env.run("build", "env.yml").line
    assert env.run("build", "env.yml", "--offline").line == line


def test_codecs_have_one_image_id(env, definition):
    definition()
    ids = {}
    for codec in ("gzip", "zstd", "none"):
        env.run("build", "env.yml", "--compression", codec, "--iidfile", "id")
        ids[codec] = (env.work / "id").read_text()
    assert len(set(ids.values())) == 1


def test_one_change_makes_one_layer(env, definition, index):
    definition('[big, wide]')
    first = manifest_of(env, env.run("build", "env.yml").line)
    asked = len(index.requests())
    definition('[big, wide, idna]')
    second = manifest_of(env, env.run("build", "env.yml").line)
    fresh = {x["digest"] for x in second["layers"]} - {x["digest"] for x in first["layers"]}
    assert len(fresh) == 1
    assert not [r for r in index.requests()[asked:] if "big-1.0-py3" in r and " 200 " in r], "big is not fetched again"


@pytest.mark.parametrize("args", [["inspect"], ["inspect", "--json"]])
def test_inspect(env, definition, args):
    definition()
    line = env.run("build", "env.yml").line
    out = env.run(*args, line).out
    assert "pyjwt 1.7.1" in out and line.split("@")[1] in out
    if "--json" in args:
        assert json.loads(out)["layers"]


def test_inspect_of_a_definition(env, definition):
    definition('["PyJWT<2", requests, big]')
    env.run("lock", "env.yml")
    assert "was not built" in env.run("inspect", "env.yml", code=1).err
    env.run("build", "env.yml")
    out = env.run("inspect", "env.yml").out
    assert out == env.run("inspect", "train.lock").out
    assert [x for x in out.splitlines() if x.endswith("wheel pyjwt 1.7.1")] and "big 1.0" in out


def test_tree_and_why(env, definition):
    definition()
    env.run("lock", "env.yml")
    assert "idna 3.4" in env.run("tree", "env.yml").out
    why = env.run("why", "idna", "env.yml").out
    assert "requests" in why and "env.yml" in why


def test_cache_commands(env, definition):
    definition()
    env.run("build", "env.yml")
    assert env.run("cache", "dir").line == str(env.cache)
    assert "blobs" in env.run("cache", "size").out
    assert "0 damaged" in env.run("cache", "verify").out
    victim = max((env.cache / "oci/blobs/sha256").iterdir(), key=lambda p: p.stat().st_size)
    os.chmod(victim, 0o644)
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    assert victim.name in env.run("cache", "verify", code=7).out
    env.run("build", "env.yml")
    assert "0 damaged" in env.run("cache", "verify").out


def test_dry_run_makes_nothing(env, definition):
    definition('[big, idna]')
    out = env.run("build", "env.yml", "--dry-run").out
    assert "big 1.0" in out and "make" in out
    assert not list((env.cache / "oci/blobs/sha256").glob("*")) or "big" in out
    env.run("build", "env.yml")
    assert "make" not in env.run("build", "env.yml", "--dry-run").out.replace("make ", "make", 0).split("layers,")[0]


def test_skopeo_reads_the_store(env, definition, tmp_path):
    definition()
    line = env.run("build", "env.yml").line
    out = tmp_path / "x"
    subprocess.run(["skopeo", "copy", "--preserve-digests", f"oci:{env.cache}/oci:train", f"dir:{out}"], check=True, capture_output=True)
    assert subprocess.run(["sha256sum", out / "manifest.json"], capture_output=True, text=True).stdout.split()[0] in line


def test_umoci_sees_the_same_files(env, definition, tmp_path):
    definition('["PyJWT<2", requests, big]')
    line = env.run("build", "env.yml").line
    args = ["umoci", "unpack", "--rootless", "--image", f"{env.cache}/oci:train", str(tmp_path / "bundle")]
    subprocess.run(args, check=True, capture_output=True)
    root = tmp_path / "bundle/rootfs"
    seen = {str(p.relative_to(root)) for p in (root / "opt").rglob("*")}
    ours = {f.rstrip("/") for f in listing(env, line) if f.startswith("opt/")}
    assert seen == ours


def test_files_of_the_definition(env, definition):
    env.write("motd.txt", "hello\n")
    definition(more="  files: {/etc/motd: motd.txt}\n")
    line = env.run("build", "env.yml").line
    assert "etc/motd" in listing(env, line)
    env.write("motd.txt", "changed\n")
    assert env.run("build", "env.yml").line != line


def test_odd_base_directories_are_repeated(env, tmp_path, index):
    from conftest import base_files, make_layout
    files = base_files({"opt": ("dir", 0o2775, 0, 50)})
    env.base = make_layout(tmp_path / "odd", files, {})
    env.write("env.yml", f"name: odd\ndependencies:\n  - pip: [idna]\nenvbuild:\n  base: oci:{env.base}:base\n")
    files = listing(env, env.run("build", "env.yml").line)
    assert files["opt"][1] == 0o2775 and files["opt"][4] == 50


def test_base_with_a_linked_opt(env, tmp_path):
    from conftest import base_files, make_layout
    files = base_files({"opt": ("link", "var/opt"), "var/opt": ("dir", 0o755, 0, 0)})
    env.base = make_layout(tmp_path / "linked", files, {})
    env.write("env.yml", f"name: linked\ndependencies:\n  - pip: [idna]\nenvbuild:\n  base: oci:{env.base}:base\n")
    files = listing(env, env.run("build", "env.yml").line)
    assert "var/opt/env/bin/python" in files and not [f for f in files if f.startswith("opt/")]


def test_two_wheels_with_one_path(env, tmp_path):
    """The later one in link order wins, is told, and neither package's own layer changes."""
    from conftest import Index
    folder = tmp_path / "clash"
    folder.mkdir()
    files = {"same/__init__.py": "# equal\n", "own_{0}.py": "x = 1\n", "same/who.py": "name = '{0}'\n"}
    spec = {"packages": {n: {"1.0": {"files": {k.format(n): v.format(n) for k, v in files.items()}}} for n in ("aaa", "bbb")}}
    server = Index(folder, spec)
    try:
        env.env["PIP_INDEX_URL"] = server.url
        text = f"name: clash\ndependencies:\n  - pip: [aaa, bbb]\nenvbuild:\n  base: oci:{env.base}:base\n"
        env.write("env.yml", text)
        r = env.run("build", "env.yml")
        assert "EB510" in r.err and "same/who.py" in r.err and "aaa" in r.err and "bbb" in r.err
        assert "same/__init__.py" not in r.err, "equal contents are no dispute"
        last = manifest_of(env, r.line)["layers"][-1]
        with tarfile.open(blob(env, last["digest"]), "r:gz") as t:
            data = {m.name: t.extractfile(m).read() for m in t if m.isfile()}
        assert data == {"opt/env/lib/python3.11/site-packages/same/who.py": b"name = 'bbb'\n"}
        env.write("env.yml", text.replace("[aaa, bbb]", "[bbb, aaa]"))
        again = env.run("build", "env.yml")
        assert manifest_of(env, again.line)["layers"] == manifest_of(env, r.line)["layers"], "the order of asking does not matter"
    finally:
        server.close()


def test_certificates_join_the_bundle(env, tmp_path):
    from conftest import base_files, make_layout
    bundle = b"-----BEGIN CERTIFICATE-----\nbase\n-----END CERTIFICATE-----\n"
    env.base = make_layout(tmp_path / "certs", base_files({"etc/ssl/certs/ca-certificates.crt": bundle}), {})
    env.write("corp-ca.pem", "-----BEGIN CERTIFICATE-----\ncorp\n-----END CERTIFICATE-----\n")
    env.write("env.yml", f"name: certs\ndependencies:\n  - pip: [idna]\nenvbuild:\n  base: oci:{env.base}:base\n  certificates: [corp-ca.pem]\n")
    last = manifest_of(env, env.run("build", "env.yml").line)["layers"][-1]
    with tarfile.open(blob(env, last["digest"]), "r:gz") as t:
        data = {m.name: t.extractfile(m).read() for m in t if m.isfile()}
    assert data["etc/ssl/certs/ca-certificates.crt"] == bundle + data["usr/local/share/ca-certificates/corp-ca.crt"]


def test_glibc_above_the_base_is_refused(env, definition):
    definition(more='  virtual: {glibc: "2.99"}\n')
    err = env.run("build", "env.yml", code=2).err
    assert "EB108" in err and "2.36" in err
