"""Who we are to a registry and whom we trust there: logins of every kind and from every place, written as docker and podman do, with skopeo and podman
as judges; token servers; certs.d; registries.conf; what is refused, and that its message says what to do."""
import base64
import json
import os
import pty
import select
import shutil
import stat
import subprocess
import threading

import pytest

from conftest import Env, make_layout, program
from registry_world import USERS, registries, registry  # noqa: F401, I001 (it says where the next two are)
from registry import Basic, Bearer, MockRegistry, Rule  # isort: skip
from token_server import TokenServer

USER, PASSWORD = "alice", "s3cret"


@pytest.fixture
def user(tmp_path):
    e = Env(tmp_path / "user")
    e.env["XDG_RUNTIME_DIR"] = str(e.folder / "run")
    (e.folder / "run").mkdir()
    return e


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layout")
    make_layout(folder, {"etc/os-release": b"ID=debian\n"}, {"Env": ["PATH=/bin"]})
    return folder


@pytest.fixture
def mock(layout):
    m = MockRegistry()
    yield m
    m.close()


@pytest.fixture
def tokens(tmp_path):
    t = TokenServer(tmp_path / "tokens", {**USERS})
    yield t
    t.close()


def filled(registry, layout, repo="team/base"):
    registry.push(layout, repo, "1")
    return registry


def fill(mock, layout, repo="team/base"):
    """Put the image of the layout into the mock without asking it."""
    index = json.loads((layout / "index.json").read_text())
    digest = index["manifests"][0]["digest"]
    body = (layout / "blobs/sha256" / digest[7:]).read_bytes()
    there = mock.repo(repo)
    for d in (json.loads(body)["config"], *json.loads(body)["layers"]):
        there.blobs[d["digest"]] = (layout / "blobs/sha256" / d["digest"][7:]).read_bytes()
    there.manifests[digest] = (index["manifests"][0]["mediaType"], body)
    there.tags["1"] = digest
    return mock


def inspect(who, name, *options, repo="team/base", code=0, **kw):
    return who.run("inspect", *options, f"docker://{name}/{repo}:1", code=code, **kw)


def login(env, name, *options, user=USER, password=PASSWORD, code=0, **kw):
    p = subprocess.run([program(), "login", name, "-u", user, "--password-stdin", *map(str, options)], input=password, text=True, cwd=env.work,
                       env={**env.env, **kw}, capture_output=True, timeout=120)
    assert "Sanitizer" not in p.stderr and p.returncode == code, p.stderr
    assert password not in p.stdout + p.stderr
    return p


def auth_file(env, name, user=USER, password=PASSWORD, file=".docker/config.json", **more):
    path = env.home / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"auths": {name: {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}}, **more}))
    return path


def skopeo(env, *args, code=0, **kw):
    p = subprocess.run(["skopeo", *args], env=env.env, capture_output=True, text=True, timeout=120, **kw)
    assert p.returncode == code, p.stderr
    return p


# ---- login and logout


def test_login_is_tried_then_kept(user, registries):
    r = registries(users={USER: PASSWORD})
    path = user.folder / "run/containers/auth.json"
    p = login(user, r.name, password="n0t-it", code=6)
    assert "does not take the login of alice" in p.stderr and "hint: check name and password" in p.stderr
    assert not path.exists()
    p = login(user, r.name, password=PASSWORD + "\n")  # of echo
    assert p.stdout == f"Logged in to {r.name} as alice; kept (readable by you alone) in {path}\n"
    assert json.loads(path.read_text()) == {"auths": {r.name: {"auth": "YWxpY2U6czNjcmV0"}}}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert skopeo(user, "login", "--get-login", r.name).stdout == "alice\n"
    skopeo(user, "list-tags", "--tls-verify=false", f"docker://{r.name}/none", code=1)  # it is let in: there is no such repository
    assert user.run("logout", r.name).line == f"Logged out of {r.name}"
    assert "there is no login" in user.run("logout", r.name, code=1).err
    skopeo(user, "login", "--get-login", r.name, code=1)


def test_login_by_token_server(user, registries):
    r = registries(token=USERS)
    p = login(user, r.name, password="n0t-it", code=6)
    assert "does not take the login of alice" in p.stderr and f"127.0.0.1:{r.token.port}/token" in p.stderr
    login(user, r.name)
    assert r.token.log[-1].user == USER and r.token.log[-1].scopes == []


def test_logins_of_others_are_used(user, registries, layout):
    r = filled(registries(users={USER: PASSWORD}), layout)
    e = inspect(user, r.name, code=6).err
    assert f"'{r.name}' wants a login before you may pull 'team/base'" in e and f"hint: envbuild login {r.name}" in e
    skopeo(user, "login", "--tls-verify=false", "-u", USER, "--password-stdin", r.name, input=PASSWORD)
    inspect(user, r.name)
    skopeo(user, "logout", r.name)
    inspect(user, r.name, code=6)


@pytest.mark.skipif(not shutil.which("podman"), reason="needs podman")
def test_podman_and_we_share_logins(user, registries, layout):
    r = filled(registries(users={USER: PASSWORD}), layout)
    podman = ["podman", "--log-level=error"]

    def run(*args, code=0, **kw):
        p = subprocess.run([*podman, *args], env=user.env, capture_output=True, text=True, timeout=120, **kw)
        assert p.returncode == code, p.stderr
        return p

    run("login", "--tls-verify=false", "-u", USER, "--password-stdin", r.name, input=PASSWORD)
    inspect(user, r.name)
    user.run("logout", r.name)
    run("login", "--get-login", r.name, code=125)
    login(user, r.name)
    assert run("login", "--get-login", r.name).stdout == "alice\n"


def test_login_stays_where_docker_has_it(user, registries):
    r = registries(users={USER: PASSWORD})
    path = auth_file(user, f"https://{r.name}/v1/", password="old", HttpHeaders={"X": "y"})
    p = login(user, r.name)
    assert p.stdout.endswith(f"in {path}\n")
    assert json.loads(path.read_text()) == {"auths": {r.name: {"auth": "YWxpY2U6czNjcmV0"}}, "HttpHeaders": {"X": "y"}}
    login(user, r.name, "--authfile", user.work / "other/auth.json")
    assert r.name in (user.work / "other/auth.json").read_text()
    user.run("logout", "--all")
    assert json.loads(path.read_text())["auths"] == {}


def helper(env, name="fake"):
    """A credential helper that keeps logins in files of the home, and its log."""
    folder = env.folder / "bin"
    folder.mkdir(exist_ok=True)
    path = folder / f"docker-credential-{name}"
    path.write_text('#!/bin/sh\nk=$(cat)\necho "$1" >> $HOME/helper.log\ncase $1 in\nstore) echo "$k" > $HOME/kept;;\n'
                    'get) test -e $HOME/kept && cat $HOME/kept || { echo credentials not found in native keychain; exit 1; };;\n'
                    'erase) rm $HOME/kept;;\nesac\n')
    path.chmod(0o755)
    env.env["PATH"] = f"{folder}:{os.environ['PATH']}"


def test_login_through_a_helper(user, registries, layout):
    r = filled(registries(users={USER: PASSWORD}), layout)
    helper(user)
    config = user.home / ".docker/config.json"
    config.parent.mkdir()
    config.write_text('{"credsStore": "fake"}')
    inspect(user, r.name, code=6)
    p = login(user, r.name)
    assert p.stdout.endswith("kept by docker-credential-fake\n")
    assert json.loads((user.home / "kept").read_text()) == {"ServerURL": r.name, "Username": USER, "Secret": PASSWORD}
    assert json.loads(config.read_text()) == {"credsStore": "fake", "auths": {r.name: {}}}
    (user.home / "helper.log").unlink()
    inspect(user, r.name)
    assert (user.home / "helper.log").read_text() == "get\n"  # once a command
    user.run("logout", r.name)
    inspect(user, r.name, code=6)
    (user.folder / "bin/docker-credential-fake").unlink()
    e = inspect(user, r.name, code=1).err
    assert "'docker-credential-fake' is not installed" in e and str(config) in e


def test_password_is_asked_for_without_echo(user, registry):
    main, side = pty.openpty()
    p = subprocess.Popen(["setsid", "-c", program(), "login", registry.name], stdin=side, stdout=side, stderr=side, cwd=user.work, env=user.env)
    os.close(side)
    seen = b""

    def until(text):
        nonlocal seen
        while text not in seen:
            assert select.select([main], [], [], 60)[0], seen
            seen += os.read(main, 4096)

    until(b"User name: ")
    os.write(main, b"alice\n")
    until(b"Password: ")
    os.write(main, b"s3cret-typed\n")
    until(b"Logged in to")
    assert p.wait(60) == 0 and b"s3cret-typed" not in seen
    os.close(main)


@pytest.mark.parametrize("args, words", [
    (["h.example", "-p", "s3cret"], "not taken from the command line"), (["h.example/team", "-u", "a"], "is not the name of a registry"),
    (["h.example"], "no terminal"), ([], "needs one registry"), (["h.example", "--password-stdin"], "needs a user name"),
    (["h.example", "-u", "a:b", "--password-stdin"], "no ':'"), (["h.example", "-u", "a", "--password-stdin"], "is empty")])
def test_login_refuses(user, args, words):
    e = user.run("login", *args, code=2, start_new_session=True).err
    assert words in e and "s3cret" not in e


# ---- how the server wants to know us


def test_one_401_in_a_session(user, registries, layout):
    r = filled(registries(users={USER: PASSWORD}), layout)
    auth_file(user, r.name)
    before = r.requests()
    user.run("pull", f"{r.name}/team/base:1")
    assert [q.status for q in r.asked_since(before)].count(401) <= 1


def test_one_token_in_a_session(user, registries, layout):
    r = filled(registries(token=USERS), layout)
    auth_file(user, r.name)
    n = len(r.token.log)
    user.run("pull", f"{r.name}/team/base:1")
    asked = r.token.log[n:]
    assert [(q.method, q.user, q.scopes) for q in asked] == [("GET", USER, ["repository:team/base:pull"])]


def test_nobody_gets_a_token_too(user, registries, layout):
    r = filled(registries(token={**USERS, "": {"repos": {"team/*": ["pull"]}}}), layout)
    n = len(r.token.log)
    user.run("pull", f"{r.name}/team/base:1")
    assert [q.kind for q in r.token.log[n:]] == ["anonymous"]


def test_denied_is_said_once(user, registries, layout):
    r = filled(registries(token={**USERS, "eve": {"password": PASSWORD, "repos": {"other": ["pull"]}}}), layout)
    path = auth_file(user, r.name, user="eve")
    n = len(r.token.log)
    e = inspect(user, r.name, code=6).err
    assert f"'{r.name}' does not let eve (out of {path}) pull 'team/base': UNAUTHORIZED" in e and f"hint: envbuild login {r.name}" in e
    assert len(r.token.log) - n == 1  # a fresh token that allows too little is an answer


@pytest.mark.parametrize("oauth", [True, False])
def test_identity_token(user, mock, tokens, layout, oauth):
    """docker's identitytoken, traded by POST; by GET where the server knows no POST."""
    fill(mock, layout).auth = Bearer(tokens)
    tokens.oauth = oauth
    begun = subprocess.run(["curl", "-s", "-u", f"{USER}:{PASSWORD}", f"{tokens.realm}?service=registry.test&offline_token=true"], capture_output=True)
    refresh = json.loads(begun.stdout).get("refresh_token")
    assert refresh
    path = user.home / ".docker/config.json"
    path.parent.mkdir()
    entry = {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode(), "identitytoken": refresh}
    path.write_text(json.dumps({"auths": {mock.name: entry}}))
    tokens.log.clear()
    inspect(user, mock.name)
    assert [q.kind for q in tokens.log if q.status == 200] == (["refresh_token"] if oauth else ["basic"])


def test_registry_token_is_sent_as_it_is(user, mock, tokens, layout):
    fill(mock, layout).auth = Bearer(tokens)
    path = user.home / ".docker/config.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"auths": {mock.name: {"registrytoken": tokens.mint("team/base")}}}))
    inspect(user, mock.name)
    assert tokens.log == []
    path.write_text(json.dumps({"auths": {mock.name: {"registrytoken": "stale"}}}))
    assert "does not let the holder of its token" in inspect(user, mock.name, code=6).err


CHALLENGES = {
    "two headers in one": 'Negotiate abc==, Basic realm="a, b"', "odd case": "bASIC ReAlM=x", "no challenge for the manifest": None,
}


@pytest.mark.parametrize("name", CHALLENGES)
def test_odd_challenges(user, mock, layout, name):
    fill(mock, layout).auth = Basic({USER: PASSWORD})
    auth_file(user, mock.name)
    header = {"WWW-Authenticate": CHALLENGES[name]} if CHALLENGES[name] else {}
    mock.rules = [Rule("/manifests/", 401, headers=header, times=1)]
    inspect(user, mock.name)


def test_login_of_a_kind_we_do_not_speak(user, mock, layout):
    fill(mock, layout).rules = [Rule("/v2/", 401, headers={"WWW-Authenticate": "Negotiate"})]
    assert "'Negotiate', which envbuild does not speak" in inspect(user, mock.name, code=6).err


def test_warnings_are_shown_once(user, mock, layout):
    fill(mock, layout).warning = "this registry ends\x07 in May"
    e = user.run("pull", f"{mock.name}/team/base:1").err
    assert e.count(f"'{mock.name}' says: this registry ends") == 1 and "\x07" not in e


# ---- who is asked for a login


def test_most_specific_login(user, registries, layout):
    r = filled(registries(users={USER: PASSWORD}), layout)
    path = auth_file(user, r.name, password="n0t-it")
    inspect(user, r.name, code=6)
    doc = json.loads(path.read_text())
    doc["auths"][f"{r.name}/team"] = {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
    path.write_text(json.dumps(doc))
    e = inspect(user, r.name, "-v").err
    assert f"the login of '{r.name}' as alice out of {path}" in e
    assert "the login of" not in inspect(user, r.name).err


def test_broken_auth_file(user, registries, layout):
    r = registries(users={USER: PASSWORD})
    path = auth_file(user, r.name)
    path.write_text('{\n  "auths": {\n    oops')
    e = inspect(user, r.name, code=2).err
    assert f"{path}:3:" in e and "hint" in e
    path.write_text(json.dumps({"auths": {r.name: {"auth": "c2VjcmV0"}}}))
    e = inspect(user, r.name, code=2).err
    assert f"{path}: the login of '{r.name}'" in e and "USER:PASSWORD" in e and "c2VjcmV0" not in e


def test_open_registry_needs_no_files(user, registry, layout):
    """What is wrong in a file does not matter where nobody asks who we are."""
    filled(registry, layout)
    path = auth_file(user, registry.name)
    path.write_text("{oops")
    inspect(user, registry.name)


# ---- whom we trust


def test_own_ca(user, registries, layout):
    r = filled(registries(tls=True, users={USER: PASSWORD}), layout)
    e = inspect(user, r.name, code=5).err
    assert "certificate" in e and f"hint: put the certificate of who signed it into ~/.config/containers/certs.d/{r.name}/ca.crt" in e
    r.trust(user)
    auth_file(user, r.name)
    inspect(user, r.name)
    shutil.rmtree(user.home / ".config")
    inspect(user, r.name, "--cert-dir", r.cert_dir(user.folder / "certs"))
    inspect(user, r.name, "--insecure", r.name)
    inspect(user, r.name, "--insecure", "127.0.0.1")


def test_client_certificate(user, registries, layout):
    r = filled(registries(mtls=True), layout)
    r.trust(user)
    inspect(user, r.name)
    folder = user.home / ".config/containers/certs.d" / r.name
    (folder / "client.key").unlink()
    e = inspect(user, r.name, code=2).err
    assert f"'{folder}/client.cert' is there, but '{folder}/client.key' is not" in e
    (folder / "client.cert").unlink()
    inspect(user, r.name, code=5)
    (folder / "ca.crt").write_text("not PEM")
    assert "holds no certificate in PEM form" in inspect(user, r.name, code=2).err


def test_cert_dir_and_plain_http(user, registry, registries, layout):
    """--cert-dir is for all registries of a command; one of this machine may still speak http."""
    filled(registry, layout)
    r = registries(tls=True)
    inspect(user, registry.name, "--cert-dir", r.cert_dir(user.folder / "certs"))


def test_insecure_over_http(user, registry, layout):
    filled(registry, layout)
    inspect(user, registry.name, "--insecure", registry.name)
    assert "takes the name of a host" in inspect(user, registry.name, "--insecure", registry.url, code=2).err


# ---- registries.conf


def conf(env, text, name="registries.conf"):
    path = env.home / ".config/containers" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def manifests_asked(mock):
    return [q for q in mock.log if "/manifests/" in q.path]


def test_mirror_first(user, layout, mock):
    """Digests come from the mirror, without the login of the origin; where it fails, from the registry itself."""
    origin, mirror = fill(mock, layout), MockRegistry()
    origin.auth = Basic({USER: PASSWORD})
    auth_file(user, origin.name)
    fill(mirror, layout, "cache/team/base")
    conf(user, f'[[registry]]\nlocation = "{origin.name}"\n[[registry.mirror]]\nlocation = "{mirror.name}/cache"\n')
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    user.run("pull", f"{origin.name}/team/base@{digest}")
    assert manifests_asked(mirror) and not manifests_asked(origin)
    assert not any(q.authorization for q in mirror.log)
    mirror.repos = {}
    user.run("pull", f"{origin.name}/team/base@{digest}", env={"ENVBUILD_CACHE_DIR": str(user.folder / "second")})
    assert manifests_asked(origin)
    mirror.close()


def test_blocked_and_elsewhere(user, layout, mock):
    fill(mock, layout, "inner/team/base")
    path = conf(user, f'[[registry]]\nprefix = "reg.example/shop"\nlocation = "{mock.name}/inner"\n[[registry]]\nlocation = "bad.example"\nblocked = true\n')
    inspect(user, "reg.example/shop")
    e = inspect(user, "bad.example", code=2).err
    assert f"'bad.example' is blocked: {path}:4" in e
    conf(user, f'[[registry]]\nlocation = "{mock.name}"\nblocked = true\n', "registries.conf.d/50.conf")
    assert "50.conf:1" in inspect(user, mock.name, repo="inner/team/base", code=2).err
    other = user.write("r.conf", "")
    inspect(user, mock.name, "--registries-conf", other, repo="inner/team/base")
    inspect(user, mock.name, repo="inner/team/base", env={"CONTAINERS_REGISTRIES_CONF": str(other)})


def test_insecure_of_the_file(user, registries, layout):
    r = filled(registries(tls=True), layout)
    conf(user, f'[[registry]]\nlocation = "{r.name}"\ninsecure = true\n')
    inspect(user, r.name)


def test_broken_registries_conf(user, registry):
    path = conf(user, "[registries.search]\nregistries = ['docker.io']\n")
    e = inspect(user, registry.name, code=2).err
    assert f"{path}:1:2: [registries] is of version 1" in e and "hint" in e
    conf(user, "[[registry]]\nlocation = 'a'\ninsecure = yes\n")
    assert f"{path}:3:12: not TOML" in inspect(user, registry.name, code=2).err


# ---- many threads, one token


def test_many_requests_share_a_token(user, registries, tmp_path):
    r = registries(token=USERS)
    auth_file(user, r.name)
    folder = tmp_path / "many"
    make_layout(folder, {f"f{i}": os.urandom(2000) for i in range(4)})
    r.push(folder, "team/many", "1")
    r.token.wait = 0.3
    n = len(r.token.log)
    threads = [threading.Thread(target=user.run, args=("pull", f"{r.name}/team/many:1"),
                                kwargs={"env": {"ENVBUILD_CACHE_DIR": str(user.folder / f"c{i}")}}) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(r.token.log) - n == 2  # one for each program
