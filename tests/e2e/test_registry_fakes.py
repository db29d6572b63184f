"""The servers of tests/fake that stand in for registries: what others' clients make of them, and that each fault is what it says."""
import http.client
import json
import subprocess
import threading
import time

import pytest

from conftest import sha256
from registry_world import USERS, Registry, TokenServer, registries, registry  # noqa: F401
from registry import Basic, Bearer, MockRegistry, Rule
from registry_proxy import Proxy


@pytest.fixture
def mock():
    m = MockRegistry()
    yield m
    m.close()


@pytest.fixture
def proxy(registry):
    p = Proxy(registry.port)
    yield p
    p.close()


def ask(server, method, path, body=None, headers=None):
    c = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        c.request(method, path, body, headers or {})
        a = c.getresponse()
        return a.status, dict(a.headers), a.read()
    finally:
        c.close()


def skopeo(*args, code=0):
    p = subprocess.run(["skopeo", *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    assert p.returncode == code, p.stderr
    return p


def copy(layout, mock, *more):
    skopeo("copy", "-q", "--insecure-policy", "--dest-tls-verify=false", *more, f"oci:{layout}:base", f"docker://{mock.name}/team/base:1")


@pytest.mark.parametrize("how", [{}, {"location": "absolute"}, {"location": "host"}, {"digest_header": False},
                                 {"mount": "session"}, {"mount": 404}, {"post_digest": False}, {"referrers": False}])
def test_skopeo_takes_the_mock(mock, base_layout, tmp_path, how):
    for name, value in how.items():
        setattr(mock, name, value)
    copy(base_layout, mock)
    assert len(mock.whole("team/base", "1")) == 2
    skopeo("copy", "-q", "--insecure-policy", "--src-tls-verify=false", f"docker://{mock.name}/team/base:1", f"oci:{tmp_path}/back:base")


def test_skopeo_and_logins_of_the_mock(mock, base_layout, tmp_path):
    mock.auth = Basic({"alice": "s3cret"})
    copy(base_layout, mock, "--dest-creds=alice:s3cret")
    skopeo("inspect", "--tls-verify=false", "--creds=alice:wrong", f"docker://{mock.name}/team/base:1", code=1)
    tokens = TokenServer(tmp_path / "tokens", USERS)
    mock.auth, mock.repos = Bearer(tokens), {}
    copy(base_layout, mock, "--dest-creds=alice:s3cret")
    assert mock.whole("team/base", "1") and any(a.granted for a in tokens.log)
    skopeo("copy", "--insecure-policy", "--dest-tls-verify=false", "--dest-creds=bob:hunter2", f"oci:{base_layout}:base",
           f"docker://{mock.name}/team/other:1", code=1)
    tokens.close()


def test_oddities_of_the_mock(mock):
    digest = "sha256:" + sha256(b"0123456789")
    begin = "/v2/a/blobs/uploads/"

    def session():
        return ask(mock, "POST", begin)[1]["Location"]

    assert ask(mock, "POST", f"{begin}?digest={digest}", b"0123456789")[0] == 201
    mock.ranges, at = False, f"/v2/a/blobs/{digest}"
    assert ask(mock, "GET", at, headers={"Range": "bytes=5-"})[::2] == (200, b"0123456789")
    mock.ranges = True
    assert ask(mock, "GET", at, headers={"Range": "bytes=5-"})[::2] == (206, b"56789")
    mock.cdn = "localhost"
    status, headers, _ = ask(mock, "GET", at)
    assert status == 307 and f"localhost:{mock.cdn_port}" in headers["Location"]
    c = http.client.HTTPConnection("127.0.0.1", mock.cdn_port)
    for login, want in (({}, 200), ({"Authorization": "Basic eDp5"}, 400)):
        c.request("GET", headers["Location"].partition(str(mock.cdn_port))[2], headers=login)
        answer = c.getresponse()
        assert answer.status == want and (want != 200 or answer.read() == b"0123456789")
        answer.read()
    c.close()
    mock.max_body = 4
    assert ask(mock, "PUT", f"{session()}?digest={digest}", b"0123456789")[0] == 413
    mock.max_body, mock.min_chunk = None, 6
    where = session()
    assert ask(mock, "PATCH", where, b"0123", {"Content-Range": "0-3"})[0] == 202
    assert ask(mock, "PATCH", where, b"456789", {"Content-Range": "4-9"})[0] == 400
    where = session()
    assert ask(mock, "PATCH", where, b"0123456", {"Content-Range": "0-6"})[0] == 202
    assert ask(mock, "PATCH", where, b"0", {"Content-Range": "0-0"})[0] == 416
    assert ask(mock, "GET", where)[1]["Range"] == "0-6"
    mock.empty_put = 500
    assert ask(mock, "PATCH", where, b"789", {"Content-Range": "7-9"})[0] == 202
    assert ask(mock, "PUT", f"{where}?digest={digest}", b"")[0] == 500
    mock.quota = mock.stored
    assert ask(mock, "PUT", f"{session()}?digest={digest}", b"0123456789")[0] == 500
    mock.rules = [Rule("blobs/", 429, "GET", b"later", {"Retry-After": "1"}, times=1, skip=1)]
    assert [ask(mock, "GET", f"/v2/a/blobs/{'sha256:' + '0' * 64}")[0] for _ in range(3)] == [404, 429, 404]
    for i in range(5):
        mock.put("a", f"t{i}", {"mediaType": "application/x", "subject": {"digest": digest}, "artifactType": f"application/{i % 2}", "nr": i})
    mock.page = 2
    for path, key, want in (("/v2/a/tags/list", "tags", 5), ("/v2/a/tags/list?n=1", "tags", 5), (f"/v2/a/referrers/{digest}", "manifests", 5),
                            (f"/v2/a/referrers/{digest}?artifactType=application/0", "manifests", 3)):
        found, pages = [], 0
        while path:
            _, headers, body = ask(mock, "GET", path)
            found += json.loads(body)[key]
            path = headers.get("Link", "").partition(">")[0].removeprefix("<")
            pages += 1
        assert len(found) == want == len({json.dumps(f) for f in found}) and pages > 1
    mock.readonly = 405
    assert ask(mock, "POST", begin)[0] == 405


def big(registry):
    return registry.put_blob("a", bytes(range(256)) * 4000)["digest"]


def test_proxy_passes_all_on(registry, proxy, base_layout):
    skopeo("copy", "-q", "--insecure-policy", "--dest-tls-verify=false", f"oci:{base_layout}:base", f"docker://{proxy.name}/team/base:1")
    registry.whole("team/base", "1")
    assert {q.method for q in proxy.log} == {"GET", "HEAD", "POST", "PATCH", "PUT"} and all(q.status and not q.rule for q in proxy.log)
    assert sum(q.up for q in proxy.log) >= sum(f.stat().st_size for f in (base_layout / "blobs/sha256").iterdir())
    before, c = proxy.connections, http.client.HTTPConnection("127.0.0.1", proxy.port)
    for _ in range(3):
        c.request("GET", "/v2/team/base/tags/list")
        assert json.loads(c.getresponse().read())["tags"] == ["1"]
    c.close()
    assert proxy.connections == before + 1


def test_faults_on_the_way_down(registry, proxy):
    blob = f"/v2/a/blobs/{big(registry)}"
    whole = registry.ask("GET", blob).body
    proxy.rule("status", "blobs/", status=503, headers={"Retry-After": "1"}, body=b"busy", times=1)
    assert ask(proxy, "GET", blob)[::2] == (503, b"busy")
    proxy.rule("cut_head", "blobs/", times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        ask(proxy, "GET", blob)
    proxy.rule("cut_down", "blobs/", after=100_000, times=1)
    with pytest.raises(http.client.IncompleteRead) as cut:
        ask(proxy, "GET", blob)
    assert cut.value.partial == whole[:100_000]
    proxy.rule("corrupt", "blobs/", at=200_000, times=1)
    got = ask(proxy, "GET", blob)[2]
    assert [i for i in range(len(whole)) if got[i] != whole[i]] == [200_000]
    proxy.rule("no_range", "blobs/", times=1)
    assert ask(proxy, "GET", blob, headers={"Range": "bytes=9-"})[::2] == (200, whole)
    proxy.rule("bad_range", "blobs/", shift=-4, times=1)
    assert ask(proxy, "GET", blob, headers={"Range": "bytes=9-"})[::2] == (206, whole[5:])
    proxy.rule("redirect", "blobs/", to="http://localhost:1", times=1)
    assert ask(proxy, "GET", blob)[1]["Location"] == f"http://localhost:1{blob}"
    proxy.rule("set_header", "blobs/", headers={"Content-Type": "text/html", "Docker-Content-Digest": None}, times=1)
    headers = ask(proxy, "GET", blob)[1]
    assert headers["Content-Type"] == "text/html" and "Docker-Content-Digest" not in headers
    proxy.rule("fail_auth", "blobs/", times=2)
    assert [ask(proxy, "GET", blob, headers=h)[0] for h in ({}, {"Authorization": "Basic eDp5"})] == [200, 400]
    assert [q.authorization for q in proxy.log][-1] == "Basic eDp5"
    proxy.rule("rate", "blobs/", bytes_per_s=4_000_000, times=1)
    start = time.monotonic()
    assert ask(proxy, "GET", blob)[2] == whole and time.monotonic() - start > 0.2
    proxy.rule("stall", "blobs/", after=1000, times=1)
    c = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=0.3)
    c.request("GET", blob)
    with pytest.raises(TimeoutError):
        c.getresponse().read()
    c.close()
    assert ask(proxy, "GET", blob)[2] == whole


def test_faults_on_the_way_up(registry, proxy):
    data = b"x" * 300_000
    digest = "sha256:" + sha256(data)

    def put(**rule):
        if rule:
            proxy.rule(rule.pop("do"), "uploads", method="PUT", times=1, **rule)
        where = ask(proxy, "POST", "/v2/a/blobs/uploads/")[1]["Location"]
        return ask(proxy, "PUT", f"{where}&digest={digest}", data)

    for fault in ({"do": "cut_up", "after": 5}, {"do": "cut_up", "after": 250_000}):
        with pytest.raises(OSError):
            put(**fault)
        assert not registry.has_blob("a", digest)
    assert put(do="corrupt_up", at=123)[0] == 400
    assert put(do="status", status=500)[0] == 500 and not registry.has_blob("a", digest)
    assert put(do="status", status=507, drain=False)[0] == 507
    seen = threading.Event()
    assert put(do="call", what=seen.set)[0] == 201 and seen.is_set()
    with pytest.raises(http.client.RemoteDisconnected):
        put(do="drop_reply")
    assert registry.has_blob("a", digest)
    proxy.rule("location", method="POST", to="http://localhost:1", times=1)
    assert ask(proxy, "POST", "/v2/a/blobs/uploads/")[1]["Location"].startswith("http://localhost:1/v2/")


def test_fakes_as_programs(tmp_path, registry):
    (tmp_path / "users").write_text(json.dumps(USERS))
    (tmp_path / "rules").write_text(json.dumps([{"do": "status", "status": 418, "body": "no"}]))
    from registry_world import ROOT
    for args, path, want in ((["registry.py", "readonly=405"], "/v2/", 200), (["registry_proxy.py", registry.port, tmp_path / "rules"], "/v2/", 418),
                             (["token_server.py", tmp_path, tmp_path / "users", "pad=3"], "/token?service=x", 200)):
        p = subprocess.Popen(["python3", ROOT / "tests/fake" / args[0], *map(str, args[1:])], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        c = http.client.HTTPConnection("127.0.0.1", int(p.stdout.readline()))
        c.request("GET", path)
        assert c.getresponse().status == want
        p.communicate()
        assert p.returncode == 0
