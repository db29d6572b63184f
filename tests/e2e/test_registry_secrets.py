"""Sentinels: logins given in every way there is, each with a secret of its own, are never written or shown anywhere but to the server that they are
for: not in lock, log (-vv too), cache, layers, config, error text or list of processes."""
import base64
import json
import os
import pathlib
import re
import stat
import subprocess
import threading
import urllib.parse
import zlib

import pytest

from conftest import Env, Index, SPEC
from registry_world import USERS, TokenServer, registries, registry  # noqa: F401
from registry import Basic, Bearer, MockRegistry, Rule

SECRET = "s3ntinel-Xq7"  # followed by the way it came


def forms(secret):
    """A secret as it might stand somewhere."""
    plain = [secret, urllib.parse.quote(secret, safe=""), base64.b64encode(secret.encode()).decode().rstrip("=")]
    login = [base64.b64encode(f"{user}:{secret}".encode()).decode() for user in ("alice", "<token>", "")]
    return [p.encode() for p in plain + login]


class Watch:
    """Reads what everybody on this machine can read of our processes, all the time."""

    def __init__(self, secrets):
        self.found, self.looks, self.end = [], 0, threading.Event()
        self.needles = [f for s in secrets for f in forms(s)]
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.end.is_set():
            for p in pathlib.Path("/proc").iterdir():
                if p.name.isdigit() and p.name != str(os.getpid()):
                    self.read(p / "cmdline")
            self.looks += 1

    def read(self, path):
        try:
            text = path.read_bytes()
        except OSError:
            return
        if b"envbuild" in text or b"docker-credential" in text:
            self.found += [text for n in self.needles if n in text]

    def close(self):
        self.end.set()
        self.thread.join()
        assert self.looks > 0 and self.found == []


def unpacked(data):
    """Bytes, and what is compressed in them."""
    yield data
    if data[:2] == b"\x1f\x8b":
        inflate, out = zlib.decompressobj(31), b""
        try:
            out = inflate.decompress(data)
        except zlib.error:
            pass
        yield out


def clean(env, secrets, *texts, but=()):
    """No secret in what was said, nor in any file of the user but those that the test gave him."""
    needles = [f for s in secrets for f in forms(s)]
    for text in texts:
        for n in needles:
            assert n not in (text if isinstance(text, bytes) else text.encode()), (n, text)
    given = {p.resolve() for p in but}
    seen = 0
    for p in [q for top in (env.cache, env.work, env.home) for q in top.rglob("*")]:
        assert not any(n in os.fsencode(str(p)) for n in needles), p
        if p.is_file() and not p.is_symlink() and p.resolve() not in given:
            seen += 1
            for data in unpacked(p.read_bytes()):
                assert not any(n in data for n in needles), p
    assert seen


def helper(env, name, secret, user="alice", broken=False):
    """docker-credential-NAME on PATH; stores go into a file of its own, which is the test's."""
    bin_ = env.folder / "bin"
    bin_.mkdir(exist_ok=True)
    store = env.folder / f"helper-{name}"
    answer = json.dumps({"ServerURL": "x", "Username": user, "Secret": secret})
    path = bin_ / f"docker-credential-{name}"
    path.write_text(f"#!/bin/sh\ncat >>'{store}'\n[ \"$1\" = get ] || exit 0\n" + (f"echo '{answer}'; echo '{secret} does not work' >&2; exit 1\n" if broken
                                                                                    else f"echo '{answer}'\n"))
    path.chmod(0o755)
    env.env["PATH"] = f"{bin_}:{env.env['PATH']}"
    return store


def docker_config(env, **doc):
    path = env.home / ".docker/config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(doc))
    return path


@pytest.fixture
def server(tmp_path):
    """Takes every secret that begins as ours do: what it let in, it saw."""
    class Any(Basic):
        seen = []

        def check(self, header, scopes, now):
            _, _, text = header.partition(" ")
            user, _, password = base64.b64decode(text).decode().partition(":") if header.startswith("Basic ") else ("", "", "")
            if password.startswith(SECRET):
                self.seen.append(password)
            self.users = {user: password} if password.startswith(SECRET) else {}
            super().check(header, scopes, now)

    mock = MockRegistry(auth=Any({}))
    yield mock
    mock.close()


@pytest.fixture
def built(env, definition):
    env.env["XDG_RUNTIME_DIR"] = str(env.home / "run")  # else a login of root goes to /run/containers
    (env.home / "run").mkdir(mode=0o700)
    definition('["PyJWT<2"]')
    env.run("build", "env.yml")
    return env


def saw(server, secret):
    assert secret in server.auth.seen


def all_of_it(env, server, *more, **kw):
    """Push, pull, inspect, and a build that pushes, as loud as can be. Returns all that was said."""
    ref, said = f"{server.name}/team/train:1", []
    for args in (("push", "train", ref), ("pull", ref), ("inspect", ref), ("build", "-t", ref, "--push", "env.yml")):
        r = env.run(args[0], "-vv", *more, *args[1:], **kw)
        said += [r.out, r.err]
    # and when the server says no
    server.rules = [Rule("/v2/", 403, body=b'{"errors":[{"code":"DENIED","message":"no"}]}', times=1000)]
    r = env.run("push", "-vv", *more, "train", f"{server.name}/team/other:1", code=6, **kw)
    server.rules = []
    return [*said, r.out, r.err]


WAYS = ["docker", "username and password", "podman", "xdg", "REGISTRY_AUTH_FILE", "authfile", "dockercfg", "helper", "credsStore", "DOCKER_CONFIG"]


def give(env, server, way):
    """Gives the login; returns its secret, the files that hold it, and options."""
    secret = f"{SECRET}-{way.replace(' ', '-')}"
    auth = base64.b64encode(f"alice:{secret}".encode()).decode()
    doc = {"auths": {server.name: {"auth": auth}}}
    if way == "docker":
        return secret, [docker_config(env, **doc)], []
    if way == "username and password":
        return secret, [docker_config(env, auths={server.name: {"username": "alice", "password": secret}})], []
    if way == "helper":
        return secret, [], [] if helper(env, "fake", secret) and docker_config(env, credHelpers={server.name: "fake"}) else None
    if way == "credsStore":
        return secret, [], [] if helper(env, "store", secret) and docker_config(env, credsStore="store", auths={server.name: {}}) else None
    places = {"podman": env.home / "run/containers/auth.json", "xdg": env.home / ".config/containers/auth.json", "REGISTRY_AUTH_FILE": env.folder / "a.json",
              "authfile": env.folder / "b.json", "dockercfg": env.home / ".dockercfg", "DOCKER_CONFIG": env.folder / "docker/config.json"}
    path = places[way]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(doc["auths"] if way == "dockercfg" else doc))
    env.env.update({"REGISTRY_AUTH_FILE": {"REGISTRY_AUTH_FILE": str(path)},
                    "DOCKER_CONFIG": {"DOCKER_CONFIG": str(path.parent)}}.get(way, {}))
    return secret, [path], ["--authfile", str(path)] if way == "authfile" else []


@pytest.mark.parametrize("way", WAYS)
def test_logins_in_files_and_helpers(built, server, way):
    secret, files, options = give(built, server, way)
    watch = Watch([secret])
    said = all_of_it(built, server, *options)
    watch.close()
    saw(server, secret)
    clean(built, [secret], *said, but=files)


def test_login_by_stdin(built, server):
    """login writes it where docker does, for its owner alone, and nowhere else; logout takes it away."""
    secret = f"{SECRET}-stdin"
    watch = Watch([secret])
    p = subprocess.run([*command(), "login", "-vv", "-u", "alice", "--password-stdin", server.name], input=secret + "\n", capture_output=True, text=True,
                       cwd=built.work, env=built.env)
    assert p.returncode == 0, p.stderr
    said = [p.stdout, p.stderr, *all_of_it(built, server)]
    watch.close()
    saw(server, secret)
    holds = [q for q in built.home.rglob("*") if q.is_file() and any(f in q.read_bytes() for f in forms(secret))]
    assert len(holds) == 1 and stat.S_IMODE(holds[0].stat().st_mode) == 0o600, holds
    clean(built, [secret], *said, but=holds)
    built.run("logout", server.name)
    clean(built, [secret])


def command():
    from conftest import program
    return [program()]


def test_login_that_is_refused(built, server):
    secret = "wrong-" + SECRET
    p = subprocess.run([*command(), "login", "-vv", "-u", "alice", "--password-stdin", server.name], input=secret, capture_output=True, text=True,
                       cwd=built.work, env=built.env)
    assert p.returncode == 6 and server.name in p.stderr
    clean(built, [secret], p.stdout, p.stderr)


def test_login_into_a_helper(built, server):
    secret = f"{SECRET}-kept"
    store = helper(built, "keeps", secret)
    docker_config(built, credsStore="keeps")
    watch = Watch([secret])
    p = subprocess.run([*command(), "login", "-vv", "-u", "alice", "--password-stdin", server.name], input=secret, capture_output=True, text=True,
                       cwd=built.work, env=built.env)
    watch.close()
    assert p.returncode == 0 and secret in store.read_text(), p.stderr
    clean(built, [secret], p.stdout, p.stderr)


def test_helper_that_fails(built, server):
    """It prints its answer and fails all the same, with a word of it in the message: neither is repeated."""
    secret = f"{SECRET}-broken"
    helper(built, "broken", secret, broken=True)
    docker_config(built, credHelpers={server.name: "broken"})
    r = built.run("push", "-vv", "train", f"{server.name}/team/train:1", code=1)
    assert "docker-credential-broken" in r.err
    clean(built, [secret], r.out, r.err)


def test_broken_auth_file(built, server):
    """A file that cannot be read as JSON is named, with the line, and not quoted."""
    secret = f"{SECRET}-json"
    path = docker_config(built)
    path.write_text(f'{{"auths": {{\n"{server.name}": {{"auth": "{secret}"]}}\n')
    r = built.run("push", "-vv", "train", f"{server.name}/team/train:1", code=2)
    assert str(path) in r.err
    clean(built, [secret], r.out, r.err, but=[path])


def test_tokens(built, tmp_path):
    """Identity tokens, registry tokens, and those that a token server gives."""
    tokens = TokenServer(tmp_path / "tokens", USERS)
    mock = MockRegistry(auth=Bearer(tokens))
    given = []
    sign = tokens.sign
    tokens.sign = lambda *a: given.append(sign(*a)) or given[-1]
    identity = tokens.identity_token("alice")
    path = docker_config(built, auths={mock.name: {"auth": "PHRva2VuPjo=", "identitytoken": identity}})
    watch = Watch([identity])
    said = all_of_it(built, mock)
    watch.close()
    assert any(a.kind == "refresh_token" for a in tokens.log) and given
    clean(built, [identity, *given], *said, but=[path])
    tokens.sign = sign
    registry_token = tokens.mint("team/train", "team/train-layers", "team/other")
    path = docker_config(built, auths={mock.name: {"registrytoken": registry_token}})
    before = len(tokens.log)
    said = all_of_it(built, mock)
    assert len(tokens.log) == before
    clean(built, [registry_token], *said, but=[path])
    mock.close()
    tokens.close()


def test_index_url_and_netrc(env, definition, index, server):
    """Logins of package indexes, in URLs and netrc, beside that of the registry that the image is pushed to."""
    secrets = {w: f"{SECRET}-{w}" for w in ("url", "netrc", "docker")}
    docker = docker_config(env, auths={server.name: {"username": "alice", "password": secrets["docker"]}})
    index.set(auth=f"alice:{secrets['url']}")
    env.env["PIP_INDEX_URL"] = index.url.replace("http://", f"http://alice:{secrets['url']}@")
    definition('["PyJWT<2"]')
    watch = Watch(secrets.values())
    r = env.run("build", "-vv", "-t", f"{server.name}/team/train:1", "--push", "env.yml")
    clean(env, secrets.values(), r.out, r.err, but=[docker])
    in_registry(server, secrets.values())
    subprocess.run(["rm", "-rf", str(env.cache), str(env.work / "train.lock")], check=True)
    index.set(auth=f"alice:{secrets['netrc']}")
    env.env["PIP_INDEX_URL"] = index.url
    netrc = env.home / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login alice password {secrets['netrc']}\n")
    netrc.chmod(0o600)
    r = env.run("build", "-vv", "-t", f"{server.name}/team/train:2", "--push", "env.yml")
    watch.close()
    clean(env, secrets.values(), r.out, r.err, but=[docker, netrc])
    in_registry(server, secrets.values())
    assert all(secrets["netrc"] not in p and secrets["url"] not in p for p in server.auth.seen), "the index's login is not the registry's"


def in_registry(server, secrets):
    """What others can pull: documents, layers, path lists."""
    needles = [f for s in secrets for f in forms(s)]
    looked = 0
    for repo in server.repos.values():
        for data in [*repo.blobs.values(), *(m for _, m in repo.manifests.values())]:
            for text in unpacked(data):
                looked += 1
                assert not any(n in text for n in needles)
    assert looked


def test_client_key(built, registries):
    """The files of a client certificate are used and not copied."""
    r = registries(mtls=True)
    r.trust(built)
    key = (built.home / ".config/containers/certs.d" / r.name / "client.key")
    needle = "".join(key.read_text().splitlines()[1:3])[:40]
    out = built.run("push", "-vv", "train", f"{r.name}/team/train:1")
    assert needle not in out.out + out.err
    for p in built.cache.rglob("*"):
        assert not p.is_file() or needle.encode() not in p.read_bytes()
    r.whole("team/train", "1")


def test_key_password(built, registry, tmp_path):
    """Of a key that images are signed with: by variable only, and neither it nor the key is seen anywhere."""
    secret = f"{SECRET}-key"
    for args in (("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "plain.pem"),
                 ("pkcs8", "-topk8", "-in", "plain.pem", "-out", "locked.pem", "-passout", f"pass:{secret}")):
        subprocess.run(["openssl", *args], cwd=tmp_path, check=True, capture_output=True)
    plain, locked = ("".join((tmp_path / n).read_text().splitlines()[1:-1])[:48] for n in ("plain.pem", "locked.pem"))
    built.env["ENVBUILD_KEY_PASSWORD"] = secret
    watch = Watch([secret])
    ref = f"{registry.name}/team/train:1"
    said = [built.run("build", "-vv", "-t", ref, "--push", "--provenance", "--sign", tmp_path / "locked.pem", "env.yml")]
    said.append(built.run("sign", "-vv", "--key", tmp_path / "locked.pem", ref))
    built.env["ENVBUILD_KEY_PASSWORD"] = wrong = f"wrong-{secret}"
    said.append(built.run("sign", "-vv", "--key", tmp_path / "locked.pem", ref, code=None))
    watch.close()
    assert said[2].code != 0 and "locked.pem" in said[2].err
    clean(built, [secret, wrong, plain, locked], *(t for r in said for t in (r.out, r.err)))
    for path in registry.data.rglob("*"):
        assert not path.is_file() or not any(n.encode() in path.read_bytes() for n in (secret, plain, locked))
