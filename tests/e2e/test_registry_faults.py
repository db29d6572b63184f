"""Registries and networks that fail: push and pull come through what passes by, and end what does not with the right exit code, a message that says
what happened and what to do, nothing wrong accepted, nothing half done: the next one works. And no login goes where it should not.

Every test has a registry of its own and a user whose store holds the image already; in front of the registry stands tests/fake/registry_proxy.py,
or tests/fake/registry.py is the registry.
"""
import json
import os
import random
import re
import shutil
import subprocess
import threading
import time

import pytest

from conftest import SPEC, Env, Index, base_files, make_layout, sha256
from registry_world import MANIFESTS, USERS, TokenServer, registries, registry  # noqa: F401
from registry import Basic, Bearer, MockRegistry, Rule
from registry_proxy import Proxy

REPO, TAG = "team/train", "1"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store with the image `train`: layers of 3 MB, 700 kB, and small ones. Returns the user and the image's line."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "index").mkdir()
    index = Index(folder / "index", SPEC)
    env = Env(folder / "one")
    env.env["PIP_INDEX_URL"] = index.url
    base = make_layout(folder / "base", base_files(), {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["sh"]})
    env.write("env.yml", f"name: train\ndependencies:\n  - pip: ['PyJWT<2', big, wide]\nenvbuild:\n  base: oci:{base}:base\n")
    line = env.run("build", "env.yml").line
    index.close()
    return env, line


@pytest.fixture
def user(made, tmp_path):
    """A user of one's own, with that store."""
    env, line = made
    shutil.copytree(env.folder, tmp_path / "user", symlinks=True)
    u = Env(tmp_path / "user")
    u.digest = line.split("@")[1]
    u.name = line.split("@")[0]
    u.big = big(u, u.digest)
    return u


def big(env, digest):
    """The largest layer's digest."""
    doc = json.loads((env.cache / "oci/blobs/sha256" / digest.removeprefix("sha256:")).read_bytes())
    layer = max(doc["layers"], key=lambda d: d["size"])
    assert layer["size"] > 2_900_000
    return layer["digest"]


@pytest.fixture
def proxies():
    open_ones = []

    def make(port, **kw):
        open_ones.append(Proxy(port, **kw))
        return open_ones[-1]

    yield make
    for p in open_ones:
        p.close()


@pytest.fixture
def proxy(registry, proxies):
    return proxies(registry.port)


@pytest.fixture
def mock():
    m = MockRegistry()
    yield m
    m.close()


def ref(server):
    return f"{server.name}/{REPO}:{TAG}"


def push(user, server, code=0, **kw):
    return user.run("push", user.name, ref(server), code=code, **kw)


def is_there(registry, user):
    """The image, whole, under its tag."""
    assert registry.digest(REPO, TAG) == user.digest
    registry.whole(REPO, TAG)


def no_login_at(server):
    assert [q for q in server.log if q.authorization] == []


# ---- push: what passes by is got over

ONCE = {"times": 1}
PUT_BLOB = {"path": "blobs/uploads/", "method": "PUT"}
POST = {"path": "blobs/uploads/", "method": "POST"}
PUT_MANIFEST = {"path": "/manifests/", "method": "PUT"}
HEAD_BLOB = {"path": "/blobs/sha256", "method": "HEAD"}
WHERE = {"HEAD": HEAD_BLOB, "POST": POST, "PUT": PUT_BLOB, "manifest": PUT_MANIFEST}


def passing():
    for name, where in WHERE.items():
        for status in (500, 502, 503):
            yield f"{status}-{name}", {"do": "status", "status": status, "body": b"<html>Bad Gateway</html>", **where}
        yield f"429-{name}", {"do": "status", "status": 429, "headers": {"Retry-After": "1"}, **where}
        yield f"cut_head-{name}", {"do": "cut_head", **where}
        yield f"drop_reply-{name}", {"do": "drop_reply", **where}
    yield "503-PUT-early", {"do": "status", "status": 503, "drain": False, **PUT_BLOB}
    yield "408-PUT", {"do": "status", "status": 408, **PUT_BLOB}
    yield "corrupt_up", {"do": "corrupt_up", "at": 1000, **PUT_BLOB}
    yield "delay", {"do": "delay", "seconds": 2, **PUT_BLOB}
    for seed in range(3):
        yield f"cut_up-{seed}", {"do": "cut_up", "after": random.Random(seed).randrange(1, 2_900_000), **PUT_BLOB}


PASSING = dict(passing())


@pytest.mark.parametrize("name", PASSING)
def test_push_gets_over(user, registry, proxy, name):
    what = PASSING[name]
    if what["do"] in ("cut_up", "corrupt_up"):
        what = {**what, "path": f"digest={user.big}"}
    rule = proxy.rule(**what, **ONCE)
    start = time.monotonic()
    line = push(user, proxy).line
    assert rule.acted == 1 and line == f"{proxy.name}/{REPO}@{user.digest}"
    assert not name.startswith("429") or time.monotonic() - start >= 1, "Retry-After is obeyed"
    is_there(registry, user)
    if name == "drop_reply-PUT":
        sent = [re.search(r"/v2/(.*)/blobs/uploads/.*digest=([^&]*)", q.path).groups() for q in proxy.log if q.method == "PUT" and "uploads" in q.path]
        assert len(sent) == len(set(sent)), f"what arrived is not sent again: {sorted(sent)}"


def test_push_of_what_is_there_asks_little(user, registry, proxy):
    push(user, proxy)
    proxy.clear()
    push(user, proxy)
    assert {q.method for q in proxy.log} <= {"GET", "HEAD"} and sum(q.up for q in proxy.log) == 0 and len(proxy.log) <= 4


# ---- push: what stays ends it, says so, and the next one works

STAYS = {
    "500": ({"do": "status", "status": 500, "body": b'{"errors":[{"code":"UNKNOWN","message":"the disk sings"}]}', **PUT_BLOB}, 5, ["500", "the disk sings"]),
    "502": ({"do": "status", "status": 502, "body": b"<html><h1>Bad Gateway</h1></html>", **PUT_BLOB}, 5, ["502"]),
    "503": ({"do": "status", "status": 503, **POST}, 5, ["503"]),
    "429": ({"do": "status", "status": 429, "headers": {"Retry-After": "1"}, **POST}, 5, ["429"]),
    "403": ({"do": "status", "status": 403, "body": b'{"errors":[{"code":"DENIED","message":"not yours"}]}', **POST}, 6, ["403", "not yours"]),
    "401": ({"do": "status", "status": 401, "headers": {"WWW-Authenticate": 'Basic realm="x"'}, **POST}, 6, ["login"]),
    "413": ({"do": "status", "status": 413, **PUT_BLOB}, 5, ["413"]),
    "cut_up": ({"do": "cut_up", "after": 100, **PUT_BLOB}, 5, []),
    "cut_head": ({"do": "cut_head", **PUT_MANIFEST}, 5, []),
    "drop_reply": ({"do": "drop_reply", **POST}, 5, []),
    "manifest": ({"do": "status", "status": 400, "body": b'{"errors":[{"code":"MANIFEST_INVALID","message":"I do not like it"}]}', **PUT_MANIFEST}, 5,
                 ["I do not like it"]),
    "corrupt_up": ({"do": "corrupt_up", "at": 9, **PUT_BLOB}, 5, ["digest"]),
    "huge error": ({"do": "status", "status": 400, "body": b'{"errors":[{"code":"X","message":"' + b"A" * (32 << 20) + b'"}]}', **POST}, 5, ["400"]),
    "html error": ({"do": "status", "status": 404, "body": b"<!DOCTYPE html><html>\x1b[31m<title>No</title>" + b"<br>" * 9999, **POST}, 5, ["404 No"]),
    "no location": ({"do": "set_header", "headers": {"Location": None}, **POST}, 5, ["Location"]),
    "bad location": ({"do": "set_header", "headers": {"Location": "ftp://\x7f/"}, **POST}, 5, ["Location"]),
}


@pytest.mark.parametrize("name", STAYS)
def test_push_ends(user, registry, proxy, name):
    rule, code, words = STAYS[name]
    proxy.rule(**rule)
    r = push(user, proxy, code=code)
    assert r.out == "" and "\nerror: " in "\n" + r.err, r.err
    assert proxy.name in r.err and all(w in r.err for w in words), r.err
    assert len(r.err) < 3000 and not re.search("[\x00-\x09\x0b-\x1f\x7f]", r.err) and "_state=" not in r.err
    assert registry.tags(REPO) == []
    proxy.clear()
    push(user, proxy)
    is_there(registry, user)


def test_nobody_listens(user):
    r = user.run("push", user.name, f"127.0.0.1:9/{REPO}:{TAG}", code=5)
    assert "127.0.0.1:9" in r.err and "hint" in r.err


def test_push_slow_drip(user, registry, proxy):
    proxy.rule("rate", "uploads", method="PUT", bytes_per_s=3_000_000)
    push(user, proxy)
    is_there(registry, user)


@pytest.mark.parametrize("chunk", [None, "1000000"])
def test_registry_killed_and_restarted(user, registry, proxy, chunk):
    """In the middle of an upload; with pieces, between them."""
    killed = []

    def again():
        registry.kill()
        killed.append(1)
        threading.Timer(0.7, registry.start).start()

    proxy.rule("call", "uploads", method="PATCH" if chunk else "PUT", what=again, skip=1, times=1)
    push(user, proxy, env={"ENVBUILD_PUSH_CHUNK": chunk} if chunk else {})
    assert killed
    is_there(registry, user)


def test_readonly_registry(user, registries, registry):
    r = push(user, registries(readonly=True, data=registry.data), code=5)
    assert "405" in r.err and "hint" in r.err


def test_full_disk(user, registries, registry, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("mounts a small file system")
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], check=True)
    try:
        full = registries(data=small)
        r = push(user, full, code=5)
        assert full.name in r.err and "500" in r.err and full.tags(REPO) == []
        subprocess.run(["mount", "-o", "remount,size=64m", small], check=True)
        push(user, full)
        is_there(full, user)
        full.kill()
    finally:
        subprocess.run(["umount", small], check=True)


def test_two_push_at_once(user, tmp_path, registry, proxies):
    """Two hosts, one image, one tag: neither hinders the other."""
    slow = proxies(registry.port)
    slow.latency = 0.02
    shutil.copytree(user.folder, tmp_path / "second", symlinks=True)
    both = [u.popen("push", user.name, ref(slow)) for u in (user, Env(tmp_path / "second"))]
    said = [p.communicate(timeout=300) for p in both]
    assert [p.returncode for p in both] == [0, 0] and said[0][0] == said[1][0], said
    is_there(registry, user)


def test_stalls(user, other, registry, proxies):
    """Both ways at once, since half a minute of silence has to pass: a push whose bytes nobody takes, a pull to which none come."""
    up, down = proxies(registry.port), proxies(registry.port)
    registry.push(f"{user.cache}/oci", "team/other", TAG, "--preserve-digests", of="train")
    up.rule("stall_up", f"digest={user.big}", method="PUT", after=1_000_000, times=1)
    down.rule("stall", f"/blobs/{user.big}", method="GET", after=1_000_000, times=1)
    start = time.monotonic()
    both = [user.popen("push", user.name, ref(up)), other.popen("pull", f"{down.name}/team/other:{TAG}")]
    said = [p.communicate(timeout=300) for p in both]
    assert [p.returncode for p in both] == [0, 0], said
    assert time.monotonic() - start >= 25 and up.rules[0].acted == down.rules[0].acted == 1
    is_there(registry, user)
    assert "0 damaged" in other.run("cache", "verify").out


# ---- push to registries with ways of their own

ODD = {
    "no mount": {"mount": 404}, "mount 500": {"mount": 500}, "mount is a session": {"mount": "session"}, "absolute Location": {"location": "absolute"},
    "relative Location": {"location": "relative"}, "opaque query": {"location": "query"}, "Location elsewhere": {"location": "host"},
    "no digest header": {"digest_header": False}, "no referrers": {"referrers": False}, "POST opens": {"post_digest": False},
    "no ranges": {"ranges": False}, "a warning": {"warning": "this registry sleeps soon"},
}


@pytest.mark.parametrize("name", ODD)
def test_push_to_an_odd_registry(user, mock, name):
    for key, value in ODD[name].items():
        setattr(mock, key, value)
    r = push(user, mock)
    assert mock.repos[REPO].tags[TAG] == user.digest and mock.whole(REPO, TAG)
    assert name != "a warning" or r.err.count("this registry sleeps soon") == 1
    r = user.run("push", user.name, f"{mock.name}/team/other:1")  # layers are mounted where that is possible
    assert mock.whole("team/other", "1")
    sent = sum(q.up for q in mock.log if q.path.startswith("/v2/team/other/blobs"))
    assert (sent > 3_000_000) == ("mount" in name)


@pytest.mark.parametrize("how", [{"max_body": 1_000_000}, {"empty_put": 500}, {"empty_put": 500, "upload_status": False}, {"min_chunk": 2_000_000},
                                 {"ordered": False}])
def test_push_in_pieces(user, mock, how):
    for key, value in how.items():
        setattr(mock, key, value)
    push(user, mock, env={"ENVBUILD_PUSH_CHUNK": "1000000"})
    assert mock.whole(REPO, TAG)
    assert any(q.method == "PATCH" for q in mock.log)


def test_quota(user, mock):
    mock.quota = 3_500_000
    r = push(user, mock, code=5)
    assert "no space left on device" in r.err and not mock.repos[REPO].tags
    mock.quota = None
    push(user, mock)
    assert mock.whole(REPO, TAG)


# ---- pull

GET_BLOB = {"path": "/blobs/sha256", "method": "GET"}
GET_MANIFEST = {"path": "/manifests/", "method": "GET"}


@pytest.fixture
def there(made, registry, proxy):
    """The image in the registry; somebody with an empty store. Requests so far are forgotten."""
    env, line = made
    proxy.digest = line.split("@")[1]
    proxy.big = big(env, proxy.digest)
    registry.push(f"{env.cache}/oci", REPO, TAG, "--preserve-digests", of="train")
    assert registry.digest(REPO, TAG) == proxy.digest
    return proxy


@pytest.fixture
def other(tmp_path):
    return Env(tmp_path / "other")


def pull(env, server, code=0, **kw):
    return env.run("pull", ref(server), code=code, **kw)


def pulled(env, server, r):
    assert r.line == f"{server.name}/{REPO}@{server.digest}"
    assert "0 damaged" in env.run("cache", "verify").out
    left = [p for p in (env.cache / "tmp").glob("*")] if (env.cache / "tmp").exists() else []
    assert left == []


def passing_down():
    for name, where in (("manifest", GET_MANIFEST), ("blob", GET_BLOB)):
        for status in (500, 502, 503):
            yield f"{status}-{name}", {"do": "status", "status": status, **where}
        yield f"429-{name}", {"do": "status", "status": 429, "headers": {"Retry-After": "1"}, **where}
        yield f"cut_head-{name}", {"do": "cut_head", **where}
        yield f"cut_down-{name}", {"do": "cut_down", "after": 100, **where}
    for seed in range(3):
        yield f"cut_down-{seed}", {"do": "cut_down", "after": random.Random(seed).randrange(1, 2_900_000), **GET_BLOB}
    yield "set_header-blob", {"do": "set_header", "headers": {"Content-Type": "text/html", "Docker-Content-Digest": None, "ETag": None}, **GET_BLOB}
    yield "rate", {"do": "rate", "bytes_per_s": 3_000_000, **GET_BLOB}


DOWN = dict(passing_down())


@pytest.mark.parametrize("name", DOWN)
def test_pull_gets_over(other, there, name):
    what = DOWN[name]
    if re.fullmatch(r"cut_down-\d|rate", name):
        what = {**what, "path": f"/blobs/{there.big}"}
    rule = there.rule(**what, **ONCE)
    pulled(other, there, pull(other, there))
    assert rule.acted == 1


@pytest.mark.parametrize("nth", range(3))
def test_one_bit(other, there, nth):
    """Of any blob: it is fetched again, or the command ends and says what to do; nothing wrong stays."""
    rule = there.rule("corrupt", GET_BLOB["path"], method="GET", at=50, skip=nth, times=1)
    r = pull(other, there, code=None)
    assert rule.acted == 1 and r.code in (0, 7)
    assert r.code == 0 or ("sha256:" in r.err and "hint" in r.err)
    pulled(other, there, pull(other, there))


@pytest.mark.parametrize("twice", ["no_range", "bad_range", "honest"])
def test_pull_resumes(other, there, twice):
    """The big layer breaks off; the rest is asked for by a range, which the server may not know or may get wrong."""
    there.rule("cut_down", f"/blobs/{there.big}", method="GET", after=2_000_000, times=1)
    if twice != "honest":
        there.rule(twice, GET_BLOB["path"], method="GET", shift=-1000)
    r = pull(other, there, code=5 if twice == "bad_range" else 0)
    ranges = [q for q in there.log if q.range]
    assert ranges
    if twice == "bad_range":
        assert "another range" in r.err
        there.clear()
        r = pull(other, there)
    pulled(other, there, r)
    if twice == "honest":
        down = sum(q.down for q in there.log if "/blobs/" in q.path)
        assert all(q.status == 206 for q in ranges) and down < 6_000_000, "what was there already is not fetched again"


def test_registry_killed_during_a_pull(other, there, registry):
    def again():
        registry.kill()
        threading.Timer(0.7, registry.start).start()

    rule = there.rule("call", f"/blobs/{there.big}", method="GET", what=again, times=1)
    pulled(other, there, pull(other, there))
    assert rule.acted == 1


def damaged_forever():
    yield "500", {"do": "status", "status": 500, **GET_BLOB}, 5, ["500"]
    yield "404 blob", {"do": "status", "status": 404, **GET_BLOB}, 1, ["no blob sha256:"]
    yield "404 manifest", {"do": "status", "status": 404, **GET_MANIFEST}, 1, [TAG]
    yield "cut_down", {"do": "cut_down", "after": 10, **GET_BLOB}, 5, []
    yield "corrupt blob", {"do": "corrupt", "at": 50, **GET_BLOB}, 7, ["sha256:"]
    yield "no manifest", {"do": "set_header", "headers": {"Content-Type": "text/html"}, **GET_MANIFEST}, 7, ["text/html"]
    yield "huge manifest", {"do": "status", "status": 200, "headers": {"Content-Type": MANIFESTS[0]}, "body": b" " * (16 << 20), **GET_MANIFEST}, 1, []
    yield "not json", {"do": "status", "status": 200, "headers": {"Content-Type": MANIFESTS[0]}, "body": b"hello", **GET_MANIFEST}, 7, []
    yield "schema 1", {"do": "status", "status": 200, "headers": {"Content-Type": "application/vnd.docker.distribution.manifest.v1+prettyjws"},
                       "body": b'{"schemaVersion":1,"name":"x","fsLayers":[]}', **GET_MANIFEST}, 7, ["schema 1"]
    yield "403", {"do": "status", "status": 403, **GET_MANIFEST}, 6, ["403"]
    yield "401", {"do": "status", "status": 401, "headers": {"WWW-Authenticate": 'Basic realm="x"'}, **GET_MANIFEST}, 6, ["login"]


FOREVER = {name: rest for name, *rest in damaged_forever()}


@pytest.mark.parametrize("name", FOREVER)
def test_pull_ends(other, there, name):
    rule, code, words = FOREVER[name]
    there.rule(**rule)
    r = pull(other, there, code=code)
    assert r.out == "" and all(w in r.err for w in words) and there.name in r.err, r.err
    assert len(r.err) < 3000
    there.clear()
    pulled(other, there, pull(other, there))


def test_digest_mismatch(other, mock, tmp_path):
    """A registry that gives other bytes than those of the digest it was asked for."""
    layout = make_layout(tmp_path / "image", {"etc/hello": b"hello\n"})
    there = mock.repo(REPO)
    for path in (layout / "blobs/sha256").iterdir():
        there.blobs["sha256:" + path.name] = path.read_bytes()
    good = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    manifest = there.blobs[good]
    doc = json.loads(manifest)
    mock.digest_header = False
    name = f"{mock.name}/{REPO}@{good}"
    there.manifests[good] = (MANIFESTS[0], json.dumps({**doc, "annotations": {"evil": "yes"}}).encode())
    r = other.run("pull", name, code=7)
    assert good in r.err and "hint" in r.err, r.err
    there.manifests[good] = (MANIFESTS[0], manifest)
    for digest in (doc["config"]["digest"], doc["layers"][0]["digest"]):
        data = there.blobs[digest]
        for wrong in (data[:-1] + bytes([data[-1] ^ 1]), data + b" ", data[:-1]):
            there.blobs[digest] = wrong
            r = other.run("pull", name, code=None)
            assert r.code in (5, 7) and digest in r.err, r.err
        there.blobs[digest] = data
    assert other.run("pull", name).line == name
    assert "0 damaged" in other.run("cache", "verify").out


# ---- logins: renewed when they end, and never shown to another host


@pytest.fixture
def tokens(tmp_path):
    t = TokenServer(tmp_path / "tokens", {**USERS})
    yield t
    t.close()


@pytest.fixture
def guarded(mock, tokens):
    mock.auth = Bearer(tokens)
    return mock


def login(env, server, user="alice", password="s3cret"):
    path = env.home / ".docker/config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": {server.name: {"username": user, "password": password}}}))


def test_401_in_the_middle(user, guarded):
    """A token that is good no longer, whatever was said of it; some servers say no more than 401."""
    login(user, guarded)
    challenge = {"WWW-Authenticate": f'Bearer realm="{guarded.auth.tokens.realm}",service="registry.test",error="invalid_token"'}
    guarded.rules = [Rule("blobs/uploads/", 401, "PUT", headers=challenge, times=2), Rule("/manifests/", 401, "PUT", times=1)]
    push(user, guarded)
    assert guarded.whole(REPO, TAG) and [r.times for r in guarded.rules] == [0, 0]


@pytest.mark.parametrize("say", ["ttl", None, 300])
def test_tokens_end_on_the_way(user, guarded, proxies, tokens, say):
    """Alive for two seconds, whether that is said or not, on a line where all takes longer."""
    slow = proxies(guarded.port)
    login(user, slow)
    tokens.ttl, tokens.say = 2, say
    slow.rule("rate", "uploads", method="PUT", bytes_per_s=1_000_000)
    push(user, slow)
    assert guarded.whole(REPO, TAG) and len(tokens.log) >= 2


@pytest.mark.parametrize("how", [{"field": "access_token"}, {"field": "both"}, {"oauth": False}, {"pad": 200_000}])
def test_odd_token_servers(user, guarded, tokens, how):
    for key, value in how.items():
        setattr(tokens, key, value)
    login(user, guarded)
    push(user, guarded)
    assert guarded.whole(REPO, TAG)


BAD_TOKENS = {
    "huge": ({"body": b'{"token":"' + b"A" * (64 << 20) + b'"}', "status": 200}, 5), "no json": ({"body": b"hello", "status": 200}, 5),
    "no token": ({"body": b"{}", "status": 200}, 5), "two lines": ({"body": b'{"token":"a\\r\\nX-Evil: 1"}', "status": 200}, 5),
    "503": ({"status": 503}, 5), "403": ({"status": 403, "body": b'{"details":"go away"}'}, 6),
}


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_bad_token_servers(user, guarded, tokens, name):
    fault, code = BAD_TOKENS[name]
    tokens.faults = [{**fault, "times": 100}]
    login(user, guarded)
    r = push(user, guarded, code=code)
    assert (f"127.0.0.1:{tokens.port}" in r.err or code == 6) and guarded.name in r.err and len(r.err) < 3000, r.err
    assert "s3cret" not in r.err
    tokens.faults = []
    push(user, guarded)


def test_token_for_nothing(user, guarded, tokens):
    """It gives tokens that allow nothing: that is said after one more, not asked for ever."""
    tokens.cross = True
    login(user, guarded)
    assert "login" in push(user, guarded, code=6).err and len(tokens.log) < 12


def test_who_may_only_pull(user, guarded, tokens):
    login(user, guarded, "bob", "hunter2")
    r = push(user, guarded, code=6)
    assert "bob" in r.err or "login" in r.err
    assert guarded.repos.get(REPO) is None or not guarded.repos[REPO].tags


def test_token_realm_on_another_host(user, mock, tmp_path):
    """Another name is another server's business and allowed, as Docker Hub does it; an address of a private network is not a name."""
    tokens = TokenServer(tmp_path / "named", USERS, host="localhost")
    mock.auth = Bearer(tokens)
    login(user, mock)
    push(user, mock)
    assert mock.whole(REPO, TAG)
    tokens.close()
    for evil in ("169.254.169.254", "2852039166", "10.0.0.1", "[fd00::1]"):
        tokens.realm = f"http://{evil}:{tokens.port}/token"
        mock.repos = {}
        r = push(user, mock, code=6)
        assert evil in r.err and "s3cret" not in r.err


def test_upload_redirected_to_another_host(user, registries, registry, proxies):
    """307 for a PUT, and a Location elsewhere: followed, without the login."""
    guard = registries(users={"alice": "s3cret"}, data=registry.data)
    front, elsewhere = proxies(guard.port), proxies(registry.port, host="localhost")
    login(user, front)
    front.rule("redirect", "uploads", method="PUT", to=elsewhere.url)
    push(user, front)
    is_there(registry, user)
    assert any(q.method == "PUT" for q in elsewhere.log)
    no_login_at(elsewhere)


def test_location_on_another_host(user, registries, registry, proxies):
    guard = registries(users={"alice": "s3cret"}, data=registry.data)
    front, elsewhere = proxies(guard.port), proxies(registry.port, host="localhost")
    login(user, front)
    front.rule("location", "uploads", method="POST", to=elsewhere.url)
    push(user, front)
    is_there(registry, user)
    assert any(q.method == "PUT" for q in elsewhere.log)
    no_login_at(elsewhere)
    front.rules[0].args["to"] = "http://10.0.0.1:80"
    r = user.run("push", user.name, f"{front.name}/team/second:1", code=5)
    assert "10.0.0.1" in r.err and "s3cret" not in r.err


@pytest.mark.parametrize("cdn", ["127.0.0.1", "localhost"])
def test_blobs_from_another_host(made, other, mock, cdn):
    """As object stores do it: a signed URL elsewhere, where Authorization is an error; also after a cut."""
    env, line = made
    mock.digest = line.split("@")[1]
    mock.auth, mock.cdn = Basic({"alice": "s3cret"}), cdn
    subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", "--preserve-digests", "--dest-tls-verify=false", "--dest-creds=alice:s3cret",
                    f"oci:{env.cache}/oci:train", f"docker://{ref(mock)}"], check=True)
    mock.log.clear()
    login(other, mock)
    pulled(other, mock, pull(other, mock))
    assert {q.status for q in mock.log if q.path.startswith("/cdn/")} == {200}
    assert not any(q.authorization for q in mock.log if q.path.startswith("/cdn/"))


def test_downgrade_is_refused(other, registries, registry, proxies):
    """A https registry that sends its blobs' readers to http."""
    secure = registries(tls=True, data=registry.data)
    front = proxies(registry.port, tls=(secure.authority.file("server.crt"), secure.authority.file("server.key")))
    folder = other.home / ".config/containers/certs.d" / front.name
    secure.cert_dir(folder)
    registry.push(*image_of(registry))
    front.rule("redirect", "/blobs/", method="GET", to=registry.url)
    r = pull(other, front, code=5)
    assert "http:" in r.err


def image_of(registry):
    return make_layout(registry.folder / "image", {"etc/hello": b"hello\n"}), REPO, TAG
