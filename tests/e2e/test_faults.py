"""Everything that can go wrong says where and what to do, has its exit code, leaves nothing half written, and the next build works."""
import os
import random
import re
import signal
import subprocess
import time
import zipfile

import pytest

from conftest import Index


def leftovers(env):
    """Temporary files of the store: none may outlive a run that ended by itself."""
    return [p for p in (env.cache / "tmp").glob("*")] if (env.cache / "tmp").exists() else []


def heals(env, definition):
    definition()
    env.run("build", "env.yml")
    assert "0 damaged" in env.run("cache", "verify").out


def test_unsatisfiable(env, definition):
    definition('["PyJWT<2", "flask-jwt>=4"]')
    r = env.run("build", "env.yml", code=3)
    assert r.out == ""
    assert "PyJWT<2" in r.err and "flask-jwt" in r.err and "env.yml:3" in r.err
    assert not (env.work / "train.lock").exists()
    heals(env, definition)


def test_unknown_package(env, definition):
    definition('[reqeusts]')
    err = env.run("build", "env.yml", code=3).err
    assert "reqeusts" in err and "env.yml:3" in err


def test_only_an_sdist(env, definition):
    definition('[onlysdist]')
    err = env.run("build", "env.yml", code=3).err
    assert "onlysdist" in err and "sdist" in err


def test_nobody_listens(env, definition, index):
    definition()
    env.env["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple/"
    err = env.run("build", "env.yml", code=5).err
    assert "127.0.0.1:9" in err and "hint" in err


def test_unauthorised(env, definition, index):
    definition()
    index.set(auth="alice:secret")
    err = env.run("build", "env.yml", code=6).err
    assert "401" in err and "netrc" in err
    env.env["PIP_INDEX_URL"] = index.url.replace("http://", "http://alice:secret@")
    r = env.run("build", "env.yml")
    lock = (env.work / "train.lock").read_text()
    assert "secret" not in lock + r.err + r.out and "alice" not in lock
    for p in env.cache.rglob("*"):
        assert "secret" not in p.name
        if p.is_file() and p.stat().st_size < 1 << 20:
            assert b"alice:secret" not in p.read_bytes(), p
    subprocess.run(["rm", "-rf", str(env.cache)], check=True)
    assert env.run("build", "env.yml", "--locked").line == r.line, "the login serves a build that asks no index first"


def test_wrong_hash(env, definition, index):
    definition()
    index.set(wrong_hash="idna-3.4", metadata="on")
    err = env.run("build", "env.yml", code=7).err
    assert "idna" in err and len(re.findall(r"[0-9a-f]{64}", err)) >= 2, "both hashes are named"
    index.set(wrong_hash="")
    (env.work / "train.lock").unlink(missing_ok=True)
    env.run("build", "env.yml", "--refresh")


@pytest.fixture
def hostile(env, tmp_path):
    """Serves one wheel that is not as it should be: change(z) adds members, damage(path) spoils the bytes."""
    servers = []

    def make(name, change=lambda z: None, damage=lambda path: None):
        folder = tmp_path / "hostile"
        (folder / "wheels").mkdir(parents=True)
        path, info = folder / "wheels" / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr(f"{name}.py", "x = 1\n" * 100)
            z.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            z.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            z.writestr(f"{info}/RECORD", "")
            change(z)
        damage(path)
        servers.append(Index(folder, {"packages": {}}))
        env.env["PIP_EXTRA_INDEX_URL"] = servers[0].url

    yield make
    for server in servers:
        server.close()


def wrong_crc(path):
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 16] ^= 0xFF
    data[14] ^= 0xFF
    path.write_bytes(data)


@pytest.mark.parametrize("name,member", [("dotdot", "../../evil.py"), ("absolute", "/etc/evil"), ("deep", "a/../../../evil")])
def test_paths_out_of_the_prefix(env, definition, hostile, name, member):
    hostile(name, lambda z: z.writestr(member, "evil"))
    definition(f"[{name}]")
    err = env.run("build", "env.yml", code=7).err
    assert member.split("/")[-1] in err and name in err
    assert not leftovers(env)
    heals(env, definition)


def test_wrong_crc(env, definition, hostile):
    hostile("crc", damage=wrong_crc)
    definition("[crc]")
    assert "CRC" in env.run("build", "env.yml", code=7).err
    assert not leftovers(env)
    heals(env, definition)


def test_zip_bomb(env, definition, hostile):
    """A member that says it is small and is not: the directory's size is the truth."""
    def damage(path):
        data = bytearray(path.read_bytes())
        at = data.rindex(b"PK\x01\x02")
        data[at + 24:at + 28] = (1000).to_bytes(4, "little")
        path.write_bytes(data)

    hostile("bomb", lambda z: z.writestr("zero.bin", b"\0" * 50_000_000), damage)
    definition("[bomb]")
    env.run("build", "env.yml", code=7)
    assert not leftovers(env)
    heals(env, definition)


def test_bad_yaml_all_faults_at_once(env):
    env.write("env.yml", "name: x\ndependencies:\n  - pip:\n    - PyJWT=<2\n    - 'requests>=2 <3'\n  - [numpy]\nenvbuild: {bose: 1}\n")
    err = env.run("build", "env.yml", code=2).err
    for part in ("env.yml:4:", "env.yml:5:", "env.yml:6:", "env.yml:7:", "EB1"):
        assert part in err, err
    assert "hint" in err
    env.write("env.yml", "name: [unclosed\n")
    assert "env.yml:" in env.run("build", "env.yml", code=2).err


def test_conda_package_under_the_bases_python_is_refused_by_name(env):
    env.write("env.yml", "dependencies: [numpy, pip, {pip: [requests]}]\nenvbuild: {python: base}\n")
    err = env.run("lock", "env.yml", code=2).err
    assert "numpy" in err and "EB105" in err


def test_usage(env):
    assert "did you mean" in env.run("biuld", code=2).err
    assert "did you mean" in env.run("build", "--lokced", code=2).err
    assert env.run("build", "nosuch.yml", code=None).code in (1, 2)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_full_disk(env, definition):
    small = env.folder / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        env.env["ENVBUILD_CACHE_DIR"] = str(small / "cache")
        definition('[big]')
        err = env.run("build", "env.yml", code=1).err
        assert "space" in err and "hint" in err
        assert not leftovers(env)
        assert not (env.work / "train.lock").exists() or "image:" not in (env.work / "train.lock").read_text()
    finally:
        subprocess.run(["umount", str(small)], check=True)
        env.env["ENVBUILD_CACHE_DIR"] = str(env.folder / "cache")
    definition('[big]')
    env.run("build", "env.yml")


def wait_for(index, text, proc):
    """Until the index has been asked for something: the build is in the middle then."""
    while not any(text in r for r in index.requests()):
        try:
            proc.wait(timeout=0.002)
            return
        except subprocess.TimeoutExpired:
            pass


@pytest.mark.parametrize("sig,code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupt(env, definition, index, sig, code):
    definition('[big]')
    index.set(delay=0.3)
    p = env.popen("build", "env.yml")
    wait_for(index, "big", p)
    p.send_signal(sig)
    out, err = p.communicate(timeout=30)
    assert p.returncode == code, err
    assert out == "" and not leftovers(env)
    index.set(delay=0)
    heals(env, definition)


def test_kill_at_random_points(env, definition, index):
    """kill -9 in the middle, again and again; then a build works and everything in the store is what its name says."""
    definition('["PyJWT<2", requests, big, wide]')
    rounds, rng = 5, random.Random(7)
    t = time.monotonic()
    env.run("build", "env.yml")
    whole = time.monotonic() - t
    want = None
    for _ in range(rounds):
        subprocess.run(["rm", "-rf", str(env.cache), str(env.work / "train.lock")], check=True)
        for _ in range(3):
            p = env.popen("build", "env.yml")
            try:
                p.wait(timeout=whole * rng.random())
            except subprocess.TimeoutExpired:
                p.kill()
            p.communicate()
        line = env.run("build", "env.yml").line
        want = want or line
        assert line == want
    assert "0 damaged" in env.run("cache", "verify").out


def test_two_builds_at_once(env, definition):
    definition('["PyJWT<2", requests, big, wide]')
    procs = [env.popen("build", "env.yml") for _ in range(4)]
    lines = set()
    for p in procs:
        out, err = p.communicate(timeout=300)
        assert p.returncode == 0, err
        lines.add(out)
    assert len(lines) == 1
    assert "0 damaged" in env.run("cache", "verify").out
