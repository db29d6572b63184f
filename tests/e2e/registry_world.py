"""Registries on loopback: Debian's docker-registry in every flavour that clients meet, and what tests ask of one.

    from registry_world import registries, registry   # fixtures; registries(...) makes one more, all are closed at the end

    registry = registries()                            # plain http; registry.name is "127.0.0.1:PORT", for references
    registries(users={"alice": "s3cret"})              # Basic            registries(tls=True)          https with a CA of its own
    registries(tls=True, mtls=True)                    # client certificates, too
    registries(token=USERS)                            # Bearer tokens of tests/fake/token_server.py: registry.token
    registries(mirror_of=registry)                     # pull-through     registries(readonly=True, data=registry.data)

registry.trust(env) writes the certificates where clients look for them, registry.login(env, user, password) an auth file.
registry.stop(), .kill(), .start(): the same port and data; uploads begun survive.
"""
import base64
import ctypes
import dataclasses
import http.client
import json
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.parse

import pytest

from conftest import ROOT, sha256

sys.path.insert(0, str(ROOT / "tests/fake"))
from token_server import TokenServer  # noqa: E402

AGENT = "registry_world"  # its own requests are not in registry.requests()
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
             "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json")
USERS = {"alice": {"password": "s3cret", "repos": {"*": ["pull", "push", "delete"]}}, "bob": {"password": "hunter2", "repos": {"*": ["pull"]}}}


class Authority:
    """A CA with one server certificate and one of a client."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.ca = self.file("ca.crt")
        self.openssl("req", "-x509", *self.new_key("ca"), "-out", "ca.crt", "-days", "30", "-subj", "/CN=ca of a test")
        self.sign("server", "subjectAltName=DNS:localhost,DNS:registry.test,IP:127.0.0.1,IP:127.0.0.2\n")
        self.sign("client", "extendedKeyUsage=clientAuth\n")

    def file(self, name):
        return self.folder / name

    def openssl(self, *args):
        p = subprocess.run(["openssl", *args], cwd=self.folder, capture_output=True, text=True)
        assert p.returncode == 0, p.stderr

    def new_key(self, name):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"

    def sign(self, name, extensions):
        self.file(f"{name}.ext").write_text(extensions)
        self.openssl("req", *self.new_key(name), "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "30",
                     "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    def context(self, client):
        c = ssl.create_default_context(cafile=self.ca)
        if client:
            c.load_cert_chain(self.file("client.crt"), self.file("client.key"))
        return c


@dataclasses.dataclass
class Request:
    method: str
    path: str  # with its query
    status: int
    bytes: int  # of the answer's body


@dataclasses.dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def bcrypt(password):
    """docker-registry takes no other kind in its htpasswd file; libcrypt is in every Debian."""
    lib = ctypes.CDLL("libcrypt.so.1")
    lib.crypt.restype = ctypes.c_char_p
    return lib.crypt(password.encode(), b"$2b$04$" + b"envbuildtestsaltxxxxxO").decode()


class Registry:
    def __init__(self, folder, *, users=None, tls=False, mtls=False, token=None, mirror_of=None, readonly=False, data=None, host="127.0.0.1",
                 program="docker-registry"):
        assert shutil.which(program), f"{program} is not installed (.ci/packages.test)"
        self.program = program
        self.folder, self.host, self.port, self.proc = folder, host, 0, None
        folder.mkdir(parents=True)
        self.data = data or folder / "data"
        self.users, self.mtls = users or {}, mtls
        self.authority = Authority(folder / "tls") if tls or mtls else None
        self.token = TokenServer(folder / "token", token) if token else None
        self.mirror_of, self.readonly = mirror_of, readonly
        self.log, self.errors = folder / "access.log", folder / "errors.log"
        self.start()

    def config(self):
        """JSON is YAML."""
        storage = {"filesystem": {"rootdirectory": str(self.data)}, "delete": {"enabled": True}}
        if self.readonly:
            storage["maintenance"] = {"readonly": {"enabled": True}}
        http_part = {"addr": f"127.0.0.1:{self.port}", "secret": "fixed: what is begun survives a restart", "relativeurls": True}
        config = {"version": 0.1, "storage": storage, "http": http_part}
        if self.authority:
            http_part["tls"] = {"certificate": str(self.authority.file("server.crt")), "key": str(self.authority.file("server.key"))}
            if self.mtls:
                http_part["tls"]["clientcas"] = [str(self.authority.ca)]
        if self.users:
            htpasswd = self.folder / "htpasswd"
            htpasswd.write_text("".join(f"{user}:{bcrypt(password)}\n" for user, password in self.users.items()))
            config["auth"] = {"htpasswd": {"realm": "registry", "path": str(htpasswd)}}
        if self.token:
            config["auth"] = {"token": self.token.config}
        if self.mirror_of:
            config["proxy"] = {"remoteurl": self.mirror_of.url}
        return config

    def start(self):
        """On a port of the system's choice the first time, on the same one after that."""
        assert self.proc is None
        file = self.folder / "config.json"
        file.write_text(json.dumps(self.config()))
        with open(self.log, "ab") as log, open(self.errors, "wb") as errors:
            self.proc = subprocess.Popen([self.program, "serve", str(file)], stdin=subprocess.DEVNULL, stdout=log, stderr=errors)
        end = time.monotonic() + 60
        while not (found := re.search(r"listening on 127\.0\.0\.1:(\d+)", self.errors.read_text())):
            assert self.proc.poll() is None and time.monotonic() < end, f"docker-registry did not start:\n{self.errors.read_text()}"
            time.sleep(0.02)
        self.port = int(found[1])
        assert self.ask("GET", "/v2/").status == 200
        return self

    def kill(self):
        self.end(self.proc.kill)

    def stop(self):
        self.end(self.proc.terminate)

    def end(self, how):
        how()
        self.proc.wait(60)
        self.proc = None

    def close(self):
        if self.proc:
            self.kill()
        if self.token:
            self.token.close()

    @property
    def name(self):
        return f"{self.host}:{self.port}"

    @property
    def url(self):
        return f"{'https' if self.authority else 'http'}://{self.name}"

    def requests(self):
        """What others have asked so far, in the order of the ends of the answers."""
        mark = f"/v2/?mark={time.monotonic_ns()}"
        self.ask("GET", mark)
        end = time.monotonic() + 10
        while mark not in (text := self.log.read_text()):
            assert time.monotonic() < end
            time.sleep(0.01)
        lines = re.findall(r'"(\S+) (\S+) HTTP/[\d.]+" (\d+) (\d+|-) "[^"]*" "([^"]*)"', text)
        return [Request(m, p, int(s), 0 if b == "-" else int(b)) for m, p, s, b, agent in lines if agent != AGENT]

    def asked_since(self, before):
        """requests() after those `before` were there."""
        return self.requests()[len(before):]

    # What a client needs to get in

    def trust(self, env):
        """certs.d of containers, in the user's home."""
        folder = env.home / ".config/containers/certs.d" / self.name
        self.cert_dir(folder)

    def cert_dir(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.authority.ca, folder / "ca.crt")
        if self.mtls:
            shutil.copy(self.authority.file("client.crt"), folder / "client.cert")
            shutil.copy(self.authority.file("client.key"), folder / "client.key")
        return folder

    def login(self, env, user="alice", password="s3cret", file=".docker/config.json"):
        path = env.home / file
        path.parent.mkdir(parents=True, exist_ok=True)
        doc = json.loads(path.read_text()) if path.exists() else {}
        doc.setdefault("auths", {})[self.name] = {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
        path.write_text(json.dumps(doc))
        path.chmod(0o600)
        return path

    def skopeo_options(self, side):
        """side: "src" or "dest"."""
        options = [f"--{side}-tls-verify={'true' if self.authority else 'false'}"]
        if self.authority:
            options.append(f"--{side}-cert-dir={self.cert_dir(self.folder / 'cert-dir')}")
        user, password = self.who()
        return options + ([f"--{side}-creds={user}:{password}"] if user else [f"--{side}-no-creds"])

    def who(self):
        """Somebody who may do all."""
        users = {u: w["password"] for u, w in self.token.users.items() if u} if self.token else self.users
        return next(iter(users.items())) if users else (None, None)

    # What tests ask of it

    def ask(self, method, path, body=None, headers=None, login=True):
        """One raw request; path from / or a Location."""
        target = urllib.parse.urlsplit(path)
        path = target.path + (f"?{target.query}" if target.query else "")
        headers = {"User-Agent": AGENT, **(headers or {})}
        if login and self.token:
            repository = re.match(r"/v2/(.+)/(?:blobs|manifests|tags|referrers)/", path)
            headers["Authorization"] = "Bearer " + self.token.mint(*([repository[1]] if repository else []))
        elif login and self.users:
            headers["Authorization"] = "Basic " + base64.b64encode(":".join(self.who()).encode()).decode()
        if self.authority:
            c = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.authority.context(self.mtls))
        else:
            c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            c.request(method, path, body, headers)
            answer = c.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            c.close()

    def tags(self, repo):
        """Those that people gave: this server has no referrers API, so what hangs on an image is under sha256-…, too."""
        answer = self.ask("GET", f"/v2/{repo}/tags/list")
        return sorted(t for t in answer.json["tags"] or [] if not t.startswith("sha256-")) if answer.status == 200 else []

    def manifest(self, repo, ref):
        """Its bytes, or None."""
        answer = self.ask("GET", f"/v2/{repo}/manifests/{ref}", headers={"Accept": ", ".join(MANIFESTS)})
        assert answer.status in (200, 404), answer
        return answer.body if answer.status == 200 else None

    def digest(self, repo, ref):
        body = self.manifest(repo, ref)
        return None if body is None else "sha256:" + sha256(body)

    def has_blob(self, repo, digest):
        return self.ask("HEAD", f"/v2/{repo}/blobs/{digest}").status == 200

    def blob(self, repo, digest):
        answer = self.ask("GET", f"/v2/{repo}/blobs/{digest}")
        assert answer.status == 200, answer
        return answer.body

    def put_blob(self, repo, data):
        begun = self.ask("POST", f"/v2/{repo}/blobs/uploads/")
        digest = "sha256:" + sha256(data)
        where = begun.headers["Location"]
        done = self.ask("PUT", f"{where}{'&' if '?' in where else '?'}digest={digest}", data, {"Content-Type": "application/octet-stream"})
        assert done.status == 201, done
        return {"digest": digest, "size": len(data)}

    def put_manifest(self, repo, ref, body, media_type=MANIFESTS[0], status=201):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        done = self.ask("PUT", f"/v2/{repo}/manifests/{ref}", data, {"Content-Type": media_type})
        assert done.status == status, done
        return {"mediaType": media_type, "digest": "sha256:" + sha256(data), "size": len(data)}

    def push(self, layout, repo, tag="latest", *options, of="base"):
        """An image of a layout (conftest.make_layout), by skopeo; options: "--format=v2s2" … Returns its digest there."""
        p = subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", *self.skopeo_options("dest"), *options, f"oci:{layout}:{of}",
                            f"docker://{self.name}/{repo}:{tag}"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
        assert p.returncode == 0, p.stderr
        return self.digest(repo, tag)

    def pull(self, repo, ref, folder, of="pulled"):
        """The other way; ref: tag or digest. Returns the folder, a layout."""
        sign = "@" if ref.startswith("sha256:") else ":"
        p = subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", *self.skopeo_options("src"), f"docker://{self.name}/{repo}{sign}{ref}",
                            f"oci:{folder}:{of}"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
        assert p.returncode == 0, p.stderr
        return folder

    def whole(self, repo, ref):
        """Everything that a manifest names is there and is what it is named. Returns the digests."""
        body = self.manifest(repo, ref)
        assert body is not None, f"{repo}:{ref} is not there"
        doc = json.loads(body)
        if "manifests" in doc:
            return {d for child in doc["manifests"] for d in self.whole(repo, child["digest"])}
        for d in (doc["config"], *doc["layers"]):
            data = self.blob(repo, d["digest"])
            assert d["digest"] == "sha256:" + sha256(data) and d["size"] == len(data), d
        return {d["digest"] for d in (doc["config"], *doc["layers"])}


@pytest.fixture
def registries(tmp_path):
    made = []

    def make(**kw):
        made.append(Registry(pathlib.Path(tmp_path) / f"registry{len(made)}", **kw))
        return made[-1]

    yield make
    for r in reversed(made):
        r.close()


@pytest.fixture
def registry(registries):
    return registries()


__all__ = ["USERS", "Answer", "Authority", "Registry", "Request", "registries", "registry"]
