#!/usr/bin/env python3
"""A token server for registries that want Bearer tokens (docker's token protocol), on loopback. Standard library and openssl only.

    server = TokenServer(folder, users)           # in a thread; server.realm is the URL, server.config what docker-registry wants to know
    token_server.py FOLDER USERS.json [NAME=VALUE…]   # or as a program: prints its port, serves until stdin ends

users: {"alice": {"password": "s3cret", "repos": {"team/*": ["pull", "push"], "*": ["pull"]}}, "": {…whoever does not log in…}}: the first pattern
that fits a repository decides. Tokens are RS256 JWTs with their certificate in x5c, good for any registry that trusts server.certificate.

Settings, to be changed at any time:
    ttl      seconds that a token really lives             say      expires_in as told: a number, or None: left out (default: ttl)
    field    token | access_token | both                   oauth    False: POST is answered 404, clients have to fall back to GET
    faults   [{"status": 503, "times": 2, "headers": {…}, "body": b"…", "method": "GET"}]: instead of a token; the first with uses left
    pad      bytes of a useless field in every answer      wait     seconds before every answer
    cross    True: tokens are good for no repository at all (a server that forgets what was asked)
server.log: [Asked(method, user, kind, scopes, granted, status)], kind: anonymous, basic, password, refresh_token.
"""
import base64
import dataclasses
import fnmatch
import json
import pathlib
import secrets
import subprocess
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclasses.dataclass
class Asked:
    method: str
    user: str
    kind: str
    scopes: list
    granted: list
    status: int


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        kind, _, login = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "basic":
            user, _, password = base64.b64decode(login).decode().partition(":")
            if not self.server.owner.knows(user, password):
                return self.refuse(user, "basic")
            kind = "basic"
        else:
            user, kind = "", "anonymous"
        scopes = [s for text in query.get("scope", []) for s in text.split(" ") if s]
        self.issue(user, kind, query.get("service", [""])[0], scopes, query.get("offline_token", [""])[0] == "true")

    def do_POST(self):
        owner = self.server.owner
        form = urllib.parse.parse_qs(self.body().decode())

        def field(name):
            return form.get(name, [""])[0]

        kind = field("grant_type")
        if not owner.oauth:
            return self.reply(404, {"error": "not found"}, Asked("POST", "", kind, [], [], 404))
        if kind == "password":
            user = field("username")
            known = owner.knows(user, field("password"))
        else:
            user = owner.refresh.get(field("refresh_token"))
            known = kind == "refresh_token" and user is not None
        if not known:
            return self.refuse(user or "", kind)
        self.issue(user, kind, field("service"), field("scope").split(), field("access_type") == "offline")

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = b""
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            text += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return text

    def refuse(self, user, kind):
        self.reply(401, {"errors": [{"code": "UNAUTHORIZED", "message": "wrong user name or password"}]},
                   Asked(self.command, user, kind, [], [], 401), {"WWW-Authenticate": 'Basic realm="token"'})

    def issue(self, user, kind, service, scopes, offline):
        owner = self.server.owner
        access = owner.grant(user, scopes)
        asked = Asked(self.command, user, kind, scopes, [] if owner.cross else access, 200)
        fault = owner.fault(self.command)
        if fault:
            asked.status = fault.get("status", 503)
            return self.reply(asked.status, fault.get("body", b"failing as asked"), asked, fault.get("headers"))
        token = owner.sign(user, service, asked.granted)
        answer = {"issued_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        say = owner.ttl if owner.say == "ttl" else owner.say
        if say is not None:
            answer["expires_in"] = say
        if owner.field in ("token", "both") and self.command == "GET":
            answer["token"] = token
        if owner.field in ("access_token", "both") or self.command == "POST":
            answer["access_token"] = token
        if self.command == "POST":
            answer["scope"] = " ".join(f"{a['type']}:{a['name']}:{','.join(a['actions'])}" for a in access)
        if offline:
            answer["refresh_token"] = owner.identity_token(user)
        if owner.pad:
            answer["pad"] = "x" * owner.pad
        self.reply(200, answer, asked)

    def reply(self, status, body, asked, headers=None):
        owner = self.server.owner
        if owner.wait:
            owner.closing.wait(owner.wait)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        with owner.lock:
            owner.log.append(asked)
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


class Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients go away in the middle: that is what is tested


class TokenServer:
    service, issuer = "registry.test", "tokens of a test"

    def __init__(self, folder, users, host="127.0.0.1"):
        self.folder, self.users = pathlib.Path(folder), users
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ttl, self.say, self.field, self.oauth, self.pad, self.wait, self.cross = 300, "ttl", "token", True, 0, 0, False
        self.faults, self.log, self.refresh = [], [], {}
        self.lock, self.closing = threading.Lock(), threading.Event()
        self.key, self.certificate = self.folder / "token.key", self.folder / "token.crt"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.certificate, "-days", "30",
                        "-subj", "/CN=token"], check=True, capture_output=True)
        self.x5c = "".join(line for line in self.certificate.read_text().splitlines() if "-----" not in line)
        self.http = Http(("127.0.0.1", 0), Handler)
        self.http.owner = self
        self.port = self.http.server_port
        self.realm = f"http://{host}:{self.port}/token"
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def config(self):
        return {"realm": self.realm, "service": self.service, "issuer": self.issuer, "rootcertbundle": str(self.certificate)}

    def knows(self, user, password):
        return bool(user) and user in self.users and self.users[user].get("password") == password

    def identity_token(self, user):
        """A refresh token, as `docker login` would get one."""
        with self.lock:
            self.refresh[token := secrets.token_hex(16)] = user
        return token

    def grant(self, user, scopes):
        out = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            patterns = self.users.get(user, {}).get("repos", {})
            allowed = next((a for pattern, a in patterns.items() if fnmatch.fnmatch(name, pattern)), [])
            out.append({"type": kind, "name": name, "actions": [a for a in actions.split(",") if a in allowed or (a == "*" and kind == "registry")]})
        return out

    def fault(self, method):
        with self.lock:
            for f in self.faults:
                if f.get("method", method) == method and f.get("times", 1) > 0:
                    f["times"] = f.get("times", 1) - 1
                    return f
        return None

    def sign(self, subject, service, access):
        now = int(time.time())
        head = b64(json.dumps({"typ": "JWT", "alg": "RS256", "x5c": [self.x5c]}).encode())
        body = b64(json.dumps({"iss": self.issuer, "sub": subject, "aud": service, "exp": now + self.ttl, "nbf": now - 10, "iat": now,
                               "jti": secrets.token_hex(8), "access": access}).encode())
        signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=f"{head}.{body}".encode(), stdout=subprocess.PIPE, check=True)
        return f"{head}.{body}.{b64(signed.stdout)}"

    def mint(self, *repositories, actions=("pull", "push", "delete")):
        """A token for whoever tests, past all users and faults."""
        access = [{"type": "repository", "name": r, "actions": list(actions)} for r in repositories]
        return self.sign("test", self.service, [*access, {"type": "registry", "name": "catalog", "actions": ["*"]}])

    def close(self):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()


def main():
    server = TokenServer(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text()))
    for setting in sys.argv[3:]:
        name, _, value = setting.partition("=")
        setattr(server, name, json.loads(value))
    print(server.port, flush=True)
    sys.stdin.read()
    server.close()


if __name__ == "__main__":
    main()
