"""The registries that other tests stand on are what they say: who may come in does, who may not does not."""
import shutil
import subprocess

import pytest

from conftest import Env
from registry_world import USERS, registries, registry  # noqa: F401

FLAVOURS = [{}, {"users": {"alice": "s3cret"}}, {"tls": True}, {"mtls": True}, {"token": USERS}]


def skopeo(*args):
    return subprocess.run(["skopeo", "inspect", "--raw", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["plain", "htpasswd", "tls", "mtls", "token"])
def test_flavour(registries, base_layout, tmp_path, flavour):
    r = registries(**flavour)
    digest = r.push(base_layout, "team/base", "1")
    assert r.tags("team/base") == ["1"] and r.digest("team/base", digest) == digest
    blobs = r.whole("team/base", "1")
    assert len(blobs) == 2 and all(r.has_blob("team/base", d) for d in blobs) and not r.has_blob("team/base", "sha256:" + "0" * 64)
    r.pull("team/base", "1", tmp_path / "back")
    asked = r.requests()
    assert [q.status for q in asked if q.method == "PUT" and "/manifests/" in q.path] == [201]
    assert all(any(q.method == "GET" and d in q.path and q.bytes for q in asked) for d in blobs)
    assert r.asked_since(asked) == []
    made = r.put_blob("raw", b"some bytes")
    assert r.blob("raw", made["digest"]) == b"some bytes"
    if flavour:  # without what it takes, nobody comes in
        p = skopeo("--no-creds", f"--tls-verify={'true' if r.authority else 'false'}",
                   *([f"--cert-dir={r.folder}/nothing"] if r.authority else []), f"docker://{r.name}/team/base:1")
        assert p.returncode != 0 and any(w in p.stderr for w in ("authentication required", "certificate", "unauthorized")), p.stderr


@pytest.mark.parametrize("flavour", FLAVOURS, ids=["plain", "htpasswd", "tls", "mtls", "token"])
def test_our_own_client(registries, env, definition, tmp_path, flavour):
    """Into each of them and out again, with what their users have on their disk; without that, not."""
    r = registries(**flavour)
    definition('["PyJWT<2"]')
    ref = f"{r.name}/team/train:1"
    env.run("build", "env.yml")
    if flavour:
        p = env.run("push", "train", ref, code=5 if r.authority else 6)
        assert ("login" if not r.authority else "certificate") in p.err and r.name in p.err
    if r.authority:
        r.trust(env)
    elif flavour:
        r.login(env)
    line = env.run("push", "train", ref).line
    assert r.whole("team/train", "1") and line.endswith(r.digest("team/train", "1"))
    other = Env(tmp_path / "other")
    shutil.copytree(env.home, other.home, dirs_exist_ok=True)
    assert other.run("pull", ref).line == line
    assert other.run("run", ref, "--", "echo", "hello").out == "hello\n"


def test_our_own_client_and_a_mirror(registries, registry, env, base_layout, tmp_path):
    """docker.io through registries.conf: its names, from a mirror on this machine; what the mirror lacks is not asked of the internet here."""
    digest = registry.push(base_layout, "library/base", "1")
    mirror = registries(mirror_of=registry)
    conf = env.write("registries.conf", f'''[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "{mirror.name}"
insecure = true
''')
    line = env.run("pull", "--registries-conf", conf, "base:1").line
    assert line == f"docker.io/library/base@{digest}"
    assert any("/v2/library/base/blobs/" in q.path for q in mirror.requests())
    conf.write_text('[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\nblocked = true\n')
    assert "blocked" in env.run("pull", "--registries-conf", conf, "base:1", code=2).err


def test_wrong_password_and_forbidden_push(registries):
    r = registries(token=USERS)
    p = skopeo("--tls-verify=false", "--creds=alice:wrong", f"docker://{r.name}/team/base:1")
    assert p.returncode != 0 and r.token.log[-1].status == 401
    assert r.token.grant("bob", ["repository:team/base:pull,push"])[0]["actions"] == ["pull"]


def test_mirror(registries, registry, base_layout):
    registry.push(base_layout, "library/base", "1")
    mirror = registries(mirror_of=registry)
    assert mirror.manifest("library/base", "1") == registry.manifest("library/base", "1")
    assert mirror.ask("POST", "/v2/library/base/blobs/uploads/").status == 405


def test_readonly(registries, registry):
    made = registry.put_blob("a", b"kept")
    r = registries(readonly=True, data=registry.data)
    assert r.blob("a", made["digest"]) == b"kept"
    assert r.ask("POST", "/v2/a/blobs/uploads/").status == 405


def test_restart_keeps_port_and_uploads(registry):
    begun = registry.ask("POST", "/v2/a/blobs/uploads/")
    name = registry.name
    registry.kill()
    registry.start()
    assert registry.name == name
    done = registry.ask("PUT", begun.headers["Location"] + "&digest=sha256:a9f8e3a2d1ae2d01d1b3e7b6d5f5eb3b6a1a1c0b", b"")
    assert done.status == 400 and b"DIGEST_INVALID" in done.body
    assert registry.ask("DELETE", begun.headers["Location"]).status in (204, 404)
