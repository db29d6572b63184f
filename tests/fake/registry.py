#!/usr/bin/env python3
"""A registry of the distribution-spec 1.1 in memory, on loopback, and with the oddities of those that are out there. Standard library only.

    mock = MockRegistry()                      # in a thread; mock.name is "127.0.0.1:PORT"
    registry.py [NAME=VALUE…]                  # or as a program: prints its port, serves until stdin ends; values are JSON

Without oddities it passes the conformance program of the specification, "dev" edition (tests/e2e/test_registry_judges.py). The oddities are its
attributes, to be changed at any time; each stands for servers that do so:

    referrers=False        no referrers API (404, text/plain), no OCI-Subject                           docker-registry 2 and 3, many others
    filters=False          the referrers API does not filter by artifactType
    page=N                 at most N entries in a list of tags or referrers; Link leads to the rest
    mount="session"|404|…  a mount opens a session (202), or is answered so
    post_digest=False      POST with ?digest= opens a session (202)                                      docker-registry
    min_chunk=N            OCI-Chunk-Min-Length; a smaller piece that is not the last is refused (400 SIZE_INVALID)
    max_body=N             larger bodies are refused (413)                                               proxies in front
    empty_put=500          the answer to a PUT without bytes after pieces                                ECR
    upload_status=False    GET of a session is 404                                                       ECR
    ordered=False          pieces are appended wherever they say they belong                             docker-registry 2
    location="absolute"|"relative"|"host"|"query"   how Location is written; "host": on localhost, another name for the same server; "query": with
                           an opaque query that has to come back as it was
    digest_header=False    no Docker-Content-Digest
    manifest_type=TEXT     Content-Type of every manifest that is read       blob_type=TEXT   of every blob
    ranges=False           Range is not looked at
    checks=False           manifests are taken whatever they name
    delete=405             the answer to every DELETE of blobs, manifests, tags; None: they are done
    readonly=405           the answer to everything that writes
    quota=N                bytes that fit; what comes later is answered 500 UNKNOWN, as docker-registry does with a full disk
    cdn="127.0.0.1"|"localhost"   blobs are read from another port of that host by a signed URL, where Authorization is an error (400)
    warning=TEXT           Warning: 299 - "TEXT" with every answer
    auth=Basic(users) | Bearer(TokenServer)
    rules=[Rule(…)]        answers given instead of the right ones; the first that fits and has uses left

mock.log: [Asked(…)]; mock.repos: what is there, to be read and written by tests.
"""
import base64
import dataclasses
import hashlib
import json
import re
import secrets
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INDEX = "application/vnd.oci.image.index.v1+json"
LISTS = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
NAME = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
TAG = r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
MANIFEST_MAX = 4 << 20


@dataclasses.dataclass
class Asked:
    method: str
    path: str  # without its query
    query: dict
    status: int
    up: int  # bytes of the bodies
    down: int
    authorization: str
    host: str


@dataclasses.dataclass
class Rule:
    """Method and path by regular expressions (the method whole); body: bytes."""
    path: str
    status: int
    method: str = ".*"
    body: bytes = b""
    headers: dict = dataclasses.field(default_factory=dict)
    times: int = 1
    skip: int = 0


@dataclasses.dataclass
class Repo:
    blobs: dict = dataclasses.field(default_factory=dict)  # digest → bytes
    manifests: dict = dataclasses.field(default_factory=dict)  # digest → (media type, bytes)
    tags: dict = dataclasses.field(default_factory=dict)  # tag → digest


class Refused(Exception):
    def __init__(self, status, code, message, headers=None):
        super().__init__(message)
        self.status, self.headers = status, headers
        self.body = json.dumps({"errors": [{"code": code, "message": message, "detail": {}}]}).encode()


class Basic:
    def __init__(self, users):
        self.users = users

    def check(self, header, scopes, now):
        kind, _, text = header.partition(" ")
        user, _, password = base64.b64decode(text).decode().partition(":") if kind.lower() == "basic" else ("", "", "")
        if not user or self.users.get(user) != password:
            raise Refused(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": 'Basic realm="mock"'})


class Bearer:
    """Tokens of token_server.TokenServer. Their time and what they are for count; the signature is not looked at."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.revoked = set()

    def check(self, header, scopes, now):
        kind, _, token = header.partition(" ")
        error = self.fault(token, scopes, now) if kind.lower() == "bearer" else ""
        if error is not None:
            scope = " ".join(f"repository:{repo}:{','.join(actions)}" for repo, actions in scopes)
            challenge = f'Bearer realm="{self.tokens.realm}",service="{self.tokens.service}"' + (f',scope="{scope}"' if scope else "")
            raise Refused(401, "UNAUTHORIZED", "authentication required",
                          {"WWW-Authenticate": challenge + (f',error="{error}"' if error else "")})

    def fault(self, token, scopes, now):
        parts = token.split(".")
        if len(parts) != 3 or token in self.revoked:
            return "invalid_token"
        body = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        if body["exp"] <= now:
            return "invalid_token"
        has = {(a["name"], action) for a in body["access"] for action in a["actions"]}
        return None if all((repo, action) in has for repo, actions in scopes for action in actions) else "insufficient_scope"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    @property
    def owner(self):
        return self.server.owner

    def handle_one(self):
        self.arrived = time.time()  # a token that ends while a body comes in was good
        path, _, query = self.path.partition("?")
        self.fields = urllib.parse.parse_qs(query, keep_blank_values=True)
        self.seen = Asked(self.command, urllib.parse.unquote(path), self.fields, 0, 0, 0, self.headers.get("Authorization", ""),
                          self.headers.get("Host", ""))
        try:
            self.body = self.read_body()
            self.seen.up = len(self.body)
            if rule := self.owner.rule(self.command, self.seen.path):
                return self.reply(rule.status, rule.body, rule.headers)
            self.route(self.seen.path)
        except Refused as r:
            self.reply(r.status, r.body, {"Content-Type": "application/json", **(r.headers or {})})

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = handle_one

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            size = int(self.headers.get("Content-Length") or 0)
            data = self.rfile.read(size)
            if len(data) < size:
                self.cut(data)
            return data
        pieces = []
        while True:
            line = self.rfile.readline()
            size = int(line.split(b";")[0] or b"0", 16)
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
            if not line or size == 0:
                return b"".join(pieces)

    def cut(self, data):
        """The client went away inside of a piece: what came of it stays (the specification leaves that open)."""
        if self.command == "PATCH" and (session := self.owner.sessions.get(self.path.partition("?")[0].rpartition("/")[2])):
            session["data"] += data
        self.close_connection = True
        raise Refused(400, "SIZE_INVALID", "the body ended early")

    def field(self, name):
        return self.fields.get(name, [None])[0]

    def route(self, path):
        if path == "/v2/":
            self.allow([])
            return self.reply(200, b"{}", {"Content-Type": "application/json"})
        if cdn := re.fullmatch(rf"/cdn/({NAME})/({DIGEST})", path):
            return self.from_cdn(*cdn.groups())
        ends = (("blobs/uploads/?", self.uploads), ("blobs/uploads/([0-9a-f]+)", self.session), (f"blobs/({DIGEST})", self.blob),
                ("manifests/([^/]+)", self.manifest), ("tags/list", self.tags), (f"referrers/({DIGEST})", self.referrers))
        for end, what in ends:
            if m := re.fullmatch(rf"/v2/({NAME})/{end}", path):
                repo, *rest = m.groups()
                self.allow([(repo, self.actions(what)), *self.mounted(what)])
                if self.owner.readonly and self.command not in ("GET", "HEAD"):
                    raise Refused(self.owner.readonly, "UNSUPPORTED", "The operation is unsupported.")
                with self.owner.lock:
                    return what(repo, *rest)
        self.reply(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})

    def actions(self, what):
        if self.command in ("GET", "HEAD") and what != self.session:
            return ("pull",)
        return ("delete",) if self.command == "DELETE" and what != self.session else ("pull", "push")

    def mounted(self, what):
        return [(self.field("from"), ("pull",))] if what == self.uploads and self.field("mount") and self.field("from") else []

    def allow(self, scopes):
        if self.owner.auth:
            self.owner.auth.check(self.headers.get("Authorization", ""), scopes, self.arrived)

    # Blobs

    def uploads(self, repo):
        owner = self.owner
        if self.command != "POST":
            raise Refused(405, "UNSUPPORTED", "only POST begins an upload")
        digest = self.field("mount")
        if digest and owner.mount is not True and owner.mount != "session":
            raise Refused(owner.mount, "UNSUPPORTED", "there is no mounting here")
        if digest and owner.mount is True and (data := owner.find(digest, self.field("from"))) is not None:
            owner.repo(repo).blobs[digest] = data
            return self.created(f"/v2/{repo}/blobs/{digest}", digest)
        if (digest := self.field("digest")) and owner.post_digest:
            return self.keep(repo, digest, self.body)
        name = secrets.token_hex(16)
        owner.sessions[name] = {"repo": repo, "data": b"", "state": secrets.token_urlsafe(24) + "=+%2F&odd", "pieces": 0, "short": False}
        self.reply_session(202, name)

    def session(self, repo, name):
        owner = self.owner
        session = owner.sessions.get(name)
        if session is None or session["repo"] != repo or (self.command == "GET" and not owner.upload_status):
            raise Refused(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        if owner.location == "query" and self.path.partition("?")[2].removesuffix(f"&digest={self.field('digest')}") != f"_state={session['state']}":
            raise Refused(404, "BLOB_UPLOAD_INVALID", "blob upload invalid")
        if self.command == "GET":
            return self.reply_session(204, name)
        if self.command == "DELETE":
            del owner.sessions[name]
            return self.reply(204)
        if self.command not in ("PATCH", "PUT"):
            raise Refused(405, "UNSUPPORTED", "the operation is unsupported")
        self.piece(session)
        if self.command == "PATCH":
            return self.reply_session(202, name)
        digest = self.field("digest")
        if not digest or not re.fullmatch(DIGEST, digest):
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        if owner.empty_put and not self.body and session["pieces"]:
            raise Refused(owner.empty_put, "UNKNOWN", "an empty last piece")
        del owner.sessions[name]
        self.keep(repo, digest, session["data"])

    def piece(self, session):
        owner, told = self.owner, self.headers.get("Content-Range")
        if owner.max_body is not None and len(self.body) > owner.max_body:
            raise Refused(413, "SIZE_INVALID", "request entity too large")
        if told is not None and owner.ordered:
            m = re.fullmatch(r"(\d+)-(\d+)", told)
            if not m or int(m[2]) - int(m[1]) + 1 != len(self.body):
                raise Refused(400, "SIZE_INVALID", "Content-Range is not that of the body")
            if int(m[1]) != len(session["data"]):
                raise Refused(416, "BLOB_UPLOAD_INVALID", "a piece out of order", {"Range": self.range_of(session)})
        if session["short"] and self.body:
            raise Refused(400, "SIZE_INVALID", "the piece before this one was too short")
        owner.store(len(self.body))
        session["short"] = self.command == "PATCH" and len(self.body) < owner.min_chunk
        session["data"] += self.body
        session["pieces"] += self.command == "PATCH"

    def keep(self, repo, digest, data):
        if not re.fullmatch(DIGEST, digest) or digest_like(digest, data) != digest:
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        self.owner.repo(repo).blobs[digest] = data
        self.created(f"/v2/{repo}/blobs/{digest}", digest)

    def blob(self, repo, digest):
        owner = self.owner
        data = owner.repo(repo).blobs.get(digest)
        if data is None:
            raise Refused(404, "BLOB_UNKNOWN", "blob unknown to registry")
        if self.command == "DELETE":
            self.may_delete()
            del owner.repo(repo).blobs[digest]
            return self.reply(202)
        if owner.cdn and self.command == "GET":
            signed = hashlib.sha256((owner.secret + digest).encode()).hexdigest()
            return self.reply(307, b"", {"Location": f"http://{owner.cdn}:{owner.cdn_port}/cdn/{repo}/{digest}?signature={signed}"})
        self.content(data, owner.blob_type or "application/octet-stream", digest)

    def from_cdn(self, repo, digest):
        if self.headers.get("Authorization"):
            return self.reply(400, b"<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>",
                              {"Content-Type": "application/xml"})
        if self.field("signature") != hashlib.sha256((self.owner.secret + digest).encode()).hexdigest():
            return self.reply(403, b"<Error><Code>AccessDenied</Code></Error>", {"Content-Type": "application/xml"})
        with self.owner.lock:
            data = self.owner.repo(repo).blobs[digest]
        self.content(data, "application/octet-stream", None)

    def content(self, data, kind, digest):
        headers = {"Content-Type": kind, "ETag": f'"{digest}"' if digest else None}
        if digest and self.owner.digest_header:
            headers["Docker-Content-Digest"] = digest
        status, total = 200, len(data)
        if self.owner.ranges and self.command == "GET":
            headers["Accept-Ranges"] = "bytes"
            if m := re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "")):
                first = int(m[1]) if m[1] else max(0, total - int(m[2] or 0))
                last = min(int(m[2]), total - 1) if m[1] and m[2] else total - 1
                if first > last:
                    raise Refused(416, "UNKNOWN", "nothing is there", {"Content-Range": f"bytes */{total}"})
                status, data = 206, data[first:last + 1]
                headers["Content-Range"] = f"bytes {first}-{last}/{total}"
        self.reply(status, data, headers)

    # Manifests, tags, referrers

    def manifest(self, repo, ref):
        owner, there = self.owner, self.owner.repo(repo)
        if not re.fullmatch(f"{DIGEST}|{TAG}", ref):
            raise Refused(400 if self.command == "PUT" else 404, "DIGEST_INVALID" if ":" in ref else "TAG_INVALID", "no tag and no digest")
        if self.command == "PUT":
            return self.put_manifest(repo, there, ref)
        digest = ref if ":" in ref else there.tags.get(ref)
        if digest not in there.manifests:
            raise Refused(404, "MANIFEST_UNKNOWN", f"manifest unknown: {ref}")
        if self.command == "DELETE":
            self.may_delete()
            if ":" in ref:
                del there.manifests[digest]
            there.tags = {t: d for t, d in there.tags.items() if t != ref and d != (ref if ":" in ref else None)}
            return self.reply(202)
        kind, data = there.manifests[digest]
        self.content(data, owner.manifest_type or kind, digest)

    def put_manifest(self, repo, there, ref):
        data, kind = self.body, self.headers.get("Content-Type", "")
        if len(data) > MANIFEST_MAX:
            raise Refused(413, "MANIFEST_INVALID", "the manifest is too large")
        try:
            doc = json.loads(data)
            told = doc.get("mediaType", kind)
        except (ValueError, AttributeError):
            raise Refused(400, "MANIFEST_INVALID", "this is no manifest") from None
        if told != kind:
            raise Refused(400, "MANIFEST_INVALID", f"Content-Type is {kind}, mediaType is {told}")
        digest = digest_like(ref if ":" in ref else "sha256:", data)
        if ":" in ref and ref != digest:
            raise Refused(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        if self.owner.checks:
            self.check_parts(there, doc, kind)
        self.owner.store(len(data))
        there.manifests[digest] = (kind, data)
        tags = [ref] if ":" not in ref else self.fields.get("tag", [])
        there.tags.update({t: digest for t in tags})
        headers = {"OCI-Tag": self.fields.get("tag", [])}
        if self.owner.referrers and isinstance(doc.get("subject"), dict):
            headers["OCI-Subject"] = doc["subject"]["digest"]
        self.created(f"/v2/{repo}/manifests/{digest}", digest, headers)

    def check_parts(self, there, doc, kind):
        if kind in LISTS:
            missing = [d["digest"] for d in doc.get("manifests") or [] if d["digest"] not in there.manifests]
        else:
            parts = [doc["config"], *(doc.get("layers") or [])] if "config" in doc else []
            missing = [d["digest"] for d in parts if d["digest"] not in there.blobs and "nondistributable" not in d["mediaType"]]
        if missing:
            raise Refused(400, "MANIFEST_BLOB_UNKNOWN", f"blob unknown to registry: {missing[0]}")

    def may_delete(self):
        if self.owner.delete is not None:
            raise Refused(self.owner.delete, "UNSUPPORTED", "The operation is unsupported.")

    def tags(self, repo):
        if repo not in self.owner.repos:
            raise Refused(404, "NAME_UNKNOWN", "repository name not known to registry")
        tags = sorted(self.owner.repo(repo).tags)
        last = self.field("last")
        tags = [t for t in tags if last is None or t > last]
        size = min(int(self.field("n") or len(tags)), self.owner.page or len(tags))
        headers = {"Content-Type": "application/json"}
        if 0 < size < len(tags):
            headers["Link"] = f'</v2/{repo}/tags/list?n={size}&last={urllib.parse.quote(tags[size - 1])}>; rel="next"'
        self.reply(200, json.dumps({"name": repo, "tags": tags[:size]}).encode(), headers)

    def referrers(self, repo, digest):
        if not self.owner.referrers:
            return self.reply(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
        found = [d for d in map(descriptor, self.owner.repo(repo).manifests.items()) if d.pop("subject") == digest]
        headers, kind = {"Content-Type": INDEX}, self.field("artifactType")
        if kind and self.owner.filters:
            found = [d for d in found if d.get("artifactType") == kind]
            headers["OCI-Filters-Applied"] = "artifactType"
        start = int(self.field("from") or 0)
        if self.owner.page and start + self.owner.page < len(found):
            more = f"&artifactType={urllib.parse.quote(kind, safe='')}" if kind else ""
            headers["Link"] = f'</v2/{repo}/referrers/{digest}?from={start + self.owner.page}{more}>; rel="next"'
            found = found[:start + self.owner.page]
        self.reply(200, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": found[start:]}).encode(), headers)

    # Answers

    def range_of(self, session):
        return f"0-{max(0, len(session['data']) - 1)}"

    def where(self, path):
        how = self.owner.location
        if how == "absolute":
            return f"http://{self.headers.get('Host')}{path}"
        return f"http://localhost:{self.owner.port}{path}" if how == "host" else path

    def reply_session(self, status, name):
        session = self.owner.sessions[name]
        path = f"/v2/{session['repo']}/blobs/uploads/{name}"
        headers = {"Location": self.where(path + (f"?_state={session['state']}" if self.owner.location == "query" else "")),
                   "Docker-Upload-UUID": name, "Range": self.range_of(session) if status == 204 or session["data"] else None}
        if self.owner.min_chunk and self.command == "POST":
            headers["OCI-Chunk-Min-Length"] = str(self.owner.min_chunk)
        self.reply(status, b"", headers)

    def created(self, path, digest, headers=None):
        self.reply(201, b"", {"Location": self.where(path), "Docker-Content-Digest": digest if self.owner.digest_header else None, **(headers or {})})

    def reply(self, status, body=b"", headers=None):
        owner = self.owner
        self.seen.status, self.seen.down = status, len(body) if self.command != "HEAD" else 0
        owner.log.append(self.seen)
        self.send_response(status)
        headers = {"Docker-Distribution-API-Version": "registry/2.0", **(headers or {})}
        if owner.warning:
            headers["Warning"] = f'299 - "{owner.warning}"'
        if status not in (204, 304):
            headers["Content-Length"] = str(len(body))
        for name, value in headers.items():
            for v in value if isinstance(value, list) else [value]:
                if v is not None:
                    self.send_header(name, v)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def digest_like(like, data):
    """The digest of data by the algorithm of another."""
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def descriptor(entry):
    """What the referrers API says of a manifest, and its subject."""
    digest, (kind, data) = entry
    doc = json.loads(data)
    out = {"mediaType": kind, "digest": digest, "size": len(data), "subject": (doc.get("subject") or {}).get("digest")}
    if artifact := doc.get("artifactType") or (doc.get("config") or {}).get("mediaType"):
        out["artifactType"] = artifact
    if doc.get("annotations"):
        out["annotations"] = doc["annotations"]
    return out


class Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # clients go away in the middle: that is what is tested
            self.owner.broken.append(repr(sys.exc_info()[1]))


class MockRegistry:
    def __init__(self, **oddities):
        self.referrers = self.filters = self.mount = self.post_digest = self.upload_status = self.ordered = True
        self.digest_header = self.ranges = self.checks = True
        self.page = self.min_chunk = self.empty_put = self.readonly = 0
        self.max_body = self.manifest_type = self.blob_type = self.delete = self.quota = self.cdn = self.auth = None
        self.location, self.warning, self.rules = "relative", "", []
        self.repos, self.sessions, self.log, self.broken = {}, {}, [], []
        self.stored, self.secret, self.lock = 0, secrets.token_hex(8), threading.RLock()
        for name, value in oddities.items():
            assert hasattr(self, name), name
            setattr(self, name, value)
        self.servers = [Http(("127.0.0.1", 0), Handler) for _ in range(2)]
        self.port, self.cdn_port = (s.server_port for s in self.servers)
        self.name, self.url = f"127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port}"
        for s in self.servers:
            s.owner = self
            threading.Thread(target=s.serve_forever, args=(0.05,), daemon=True).start()

    def repo(self, name):
        return self.repos.setdefault(name, Repo())

    def find(self, digest, of):
        """A blob for a mount; without a repository, of any."""
        for name in [of] if of else list(self.repos):
            if name in self.repos and digest in self.repos[name].blobs:
                return self.repos[name].blobs[digest]
        return None

    def store(self, size):
        if self.quota is not None and self.stored + size > self.quota:
            raise Refused(500, "UNKNOWN", "unknown error: write: no space left on device")
        self.stored += size

    def rule(self, method, path):
        with self.lock:
            for r in self.rules:
                if r.times > 0 and re.fullmatch(r.method, method) and re.search(r.path, path):
                    if r.skip > 0:
                        r.skip -= 1
                        continue
                    r.times -= 1
                    return r
        return None

    def put(self, repo, ref, doc, kind=None):
        """A manifest past all checks. Returns its digest."""
        data = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
        digest = digest_like("sha256:", data)
        self.repo(repo).manifests[digest] = (kind or json.loads(data)["mediaType"], data)
        if ref:
            self.repo(repo).tags[ref] = digest
        return digest

    def whole(self, repo, ref):
        """Everything that a tag or digest names is there and is what it is named. Returns the digests of the blobs."""
        there = self.repos[repo]
        digest = there.tags.get(ref, ref)
        kind, data = there.manifests[digest]
        assert digest_like(digest, data) == digest
        doc = json.loads(data)
        if kind in LISTS:
            return {d for child in doc["manifests"] for d in self.whole(repo, child["digest"])}
        parts = [doc["config"], *doc["layers"]]
        for d in parts:
            assert digest_like(d["digest"], there.blobs[d["digest"]]) == d["digest"] and len(there.blobs[d["digest"]]) == d["size"], d
        return {d["digest"] for d in parts}

    def close(self):
        for s in self.servers:
            s.shutdown()
            s.server_close()
        assert not self.broken, self.broken


def main():
    mock = MockRegistry(**{n: json.loads(v) for n, _, v in (a.partition("=") for a in sys.argv[1:])})
    print(mock.port, flush=True)
    sys.stdin.read()
    mock.close()


if __name__ == "__main__":
    main()
