#!/usr/bin/env python3
"""Serves conda channels on loopback, with faults on request. Standard library only.

    server = Server(folder)              # in a thread; server.url + "/chan" is the channel in folder/chan
    server.rule("noarch/", status=404)   # paths that hold the text; the last rule that fits wins
    conda_server.py FOLDER               # or as a program: prints its port, serves until stdin ends (tests/unit/fake.h)

A rule has what is done and how often (times=N; always without):
    status=N  answer so    truncate=N  break off after N bytes    corrupt=N  flip byte N (negative: from the end)    body=BYTES  instead
    stall=True  headers, then nothing    wait=SECONDS  before the answer    pace=SECONDS  between pieces of 16 KiB    etag=False  no validators
    headers={…}  added
server.token: every path must begin with /t/TOKEN/; server.login: "user:password", asked for; server.max_age: the lifetime of files, seconds.
server.log: [Asked(…)].

GET /_set?NAME=VALUE&… is all that by HTTP, in place of what was set before: token, login, max_age, and rules as WHAT=PART:HOW or
WHAT=PART:HOW:TIMES, "status=.zst:404:1".
"""
import base64
import dataclasses
import email.utils
import hashlib
import pathlib
import re
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclasses.dataclass
class Asked:
    method: str
    path: str  # without token and query, decoded
    status: int
    range: str


@dataclasses.dataclass
class Rule:
    part: str
    left: int
    status: int = 0
    truncate: int = None
    corrupt: int = None
    body: bytes = None
    stall: bool = False
    wait: float = 0
    pace: float = 0
    etag: bool = True
    headers: dict = dataclasses.field(default_factory=dict)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the body follows the head at once

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        owner = self.server.owner
        path, _, query = self.path.partition("?")
        if path == "/_set":
            owner.set(urllib.parse.parse_qsl(query))
            return self.reply(path, 200, b"")
        path = urllib.parse.unquote(path)
        token = re.match(r"/t/([^/]*)(/.*)", path)
        if token:
            path = token.group(2)
        rule = owner.find(path)
        if rule.wait:
            owner.closing.wait(rule.wait)
        if rule.status:
            return self.reply(path, rule.status, b"failing as asked", rule.headers)
        if owner.token is not None and (not token or token.group(1) != owner.token):
            return self.reply(path, 403, b"no such token")
        if owner.login is not None and self.headers.get("Authorization") != "Basic " + base64.b64encode(owner.login.encode()).decode():
            return self.reply(path, 401, b"who are you?", {"WWW-Authenticate": 'Basic realm="channel"'})
        file = owner.root / path.lstrip("/")
        if ".." in path.split("/") or not (file.is_file() or rule.body is not None):
            return self.reply(path, 404, b"no such file")
        return self.file(path, file, rule)

    def file(self, path, file, rule):
        data = file.read_bytes() if rule.body is None else rule.body
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", **rule.headers}
        if self.server.owner.max_age is not None:
            headers["Cache-Control"] = f"max-age={self.server.owner.max_age}, public"
        if rule.corrupt is not None:
            data = bytearray(data)
            data[rule.corrupt] ^= 0x41
            data = bytes(data)
        if rule.etag:
            tag = '"' + hashlib.sha256(data).hexdigest()[:16] + '"'
            headers["ETag"] = tag
            if file.is_file():
                headers["Last-Modified"] = email.utils.formatdate(file.stat().st_mtime, usegmt=True)
            if self.headers.get("If-None-Match") == tag:
                return self.reply(path, 304, b"", headers)
        status, asked = 200, re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked and self.headers.get("If-Range", headers.get("ETag")) == headers.get("ETag"):
            first, last = asked.groups()
            start = int(first) if first else max(0, len(data) - int(last))
            end = min(int(last), len(data) - 1) if first and last else len(data) - 1
            if start > end:
                return self.reply(path, 416, b"", {"Content-Range": f"bytes */{len(data)}"})
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            status, data = 206, data[start:end + 1]
        return self.reply(path, status, data, headers, rule)

    def reply(self, path, status, body, headers=None, rule=None):
        owner = self.server.owner
        with owner.lock:
            owner.log.append(Asked(self.command, path, status, self.headers.get("Range", "")))
        self.send_response(status)
        for k, v in (headers or {}).items():
            self.send_header(k, v)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD" or status == 304:
            return
        if rule is None or not (rule.stall or rule.pace or rule.truncate is not None):
            self.wfile.write(body)
            return
        self.close_connection = True
        if rule.stall:
            self.wfile.write(body[:1])
            self.wfile.flush()
            owner.closing.wait()
            return
        for at in range(0, len(body[:rule.truncate]), 16 << 10):
            self.wfile.write(body[:rule.truncate][at:at + (16 << 10)])
            self.wfile.flush()
            owner.closing.wait(rule.pace)
        self.connection.shutdown(2)


class Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients go away in the middle: that is what is tested


class Server:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.token = self.login = self.max_age = None
        self.log, self.rules, self.lock, self.closing = [], [], threading.Lock(), threading.Event()
        self.http = Http(("127.0.0.1", 0), Handler)
        self.http.owner = self
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.port = self.http.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def rule(self, part, times=None, **what):
        self.rules.append(Rule(part, -1 if times is None else times, **what))

    def clear(self):
        """No rules, no log."""
        with self.lock:
            self.rules.clear()
            self.log.clear()

    def set(self, settings):
        """As texts."""
        self.clear()
        self.token = self.login = self.max_age = None
        for name, value in settings:
            if name in ("token", "login", "max_age"):
                setattr(self, name, value)
            else:
                part, how, times = (value.split(":") + [None])[:3]
                self.rule(part, times and int(times), **{name: how.encode() if name == "body" else int(how)})

    def find(self, path):
        with self.lock:
            for rule in reversed(self.rules):
                if rule.part in path and rule.left != 0:
                    rule.left -= 1
                    return rule
        return Rule("", -1)

    def paths(self, part=""):
        """What was asked for, in order."""
        with self.lock:
            return [a.path for a in self.log if part in a.path]

    def close(self):
        self.closing.set()
        self.http.shutdown()
        self.http.server_close()


def main():
    server = Server(sys.argv[1])
    print(server.port, flush=True)
    sys.stdin.buffer.read()  # the parent holds the other end: when it dies, so do we
    server.close()


if __name__ == "__main__":
    main()
