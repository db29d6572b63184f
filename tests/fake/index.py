#!/usr/bin/env python3
"""A loopback index server for tests: the Simple API in JSON and HTML, wheels, and faults on request. Standard library only.

    index.py [--dir FOLDER] [--spec FILE] [--log FILE] [--set NAME=VALUE]...

Prints its port on stdout and serves until stdin ends or it is killed. FOLDER holds wheels; FILE is JSON:

    {"packages": {"foo": {"1.0": {"requires": ["bar>=1"], "requires_python": ">=3.8", "extras": ["x"], "tag": "py3-none-any",
                                  "yanked": "reason", "upload_time": "2024-01-02T03:04:05Z", "sdist": true, "pad": 100000, "tail": 100000,
                                  "files": {"foo/__init__.py": "x = 1"}, "entry_points": "..."}}},
     "set": {"metadata": "off"}}

"tag" may be a list (a wheel each). Wheels are built from it, the same bytes every time. Settings (GET /_set?NAME=VALUE&... replaces them all):

    format=both|json|html   metadata=on|off (PEP 658)   ranges=on|off (200 instead)|deny (416)|405
    etag=on|off  max_age=SECONDS|none   size=on|off  hash=on|off  upload=on|off
    auth=USER:PASSWORD      delay=SECONDS before each answer
    wrong_hash=SUBSTRING    pages say another sha256 for files that match
    corrupt=SUBSTRING[:N]   bodies of matching paths have a byte flipped, N times
    truncate=SUBSTRING[:N]  matching bodies break off in the middle, N times (default: always)
    fail=SUBSTRING:STATUS[:N]  answer STATUS, N times (several: separated by ';')
    missing=NAME,NAME       404 for these projects

Besides the index, for tests of the transport: /_echo (the request as text), /_redirect?to=URL[&status=302], /_bytes/N (N bytes that
depend on their place; ETag; ranges), /_retry/KEY/N/STATUS[/RETRY_AFTER] (STATUS N times, then 200), /_hang (headers, then nothing).
"""
import argparse
import base64
import hashlib
import html
import io
import json
import os
import re
import sys
import threading
import time
import urllib.parse
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

JSON_TYPE = "application/vnd.pypi.simple.v1+json"


def normalise(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def metadata_of(name, version, d):
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if d.get("requires_python"):
        lines.append(f"Requires-Python: {d['requires_python']}")
    lines += [f"Provides-Extra: {x}" for x in d.get("extras", [])]
    lines += [f"Requires-Dist: {r}" for r in d.get("requires", [])]
    return "\n".join(lines) + "\n\n" + d.get("description", "")


def noise(seed, size):
    return b"".join(hashlib.sha256(f"{seed} {i}".encode()).digest() for i in range(size // 32 + 1))[:size]


def make_wheel(name, version, tag, d):
    """Bytes of a wheel: fixed times and order, so equal input gives equal bytes."""
    stem = f"{re.sub('[-.]+', '_', name)}-{version}"
    info = f"{stem}.dist-info"
    files = dict(d.get("files") or {f"{re.sub('[-.]+', '_', name)}/__init__.py": f"__version__ = {version!r}\n"})
    if d.get("pad"):  # incompressible, so that the archive really is that large
        files[f"{re.sub('[-.]+', '_', name)}/pad.bin"] = noise(stem, d["pad"])
    files[f"{info}/METADATA"] = metadata_of(name, version, d)
    files[f"{info}/WHEEL"] = ("Wheel-Version: 1.0\nGenerator: fake\nRoot-Is-Purelib: true\n"
                              + "".join(f"Tag: {'-'.join(t)}\n" for t in expand(tag)))
    if d.get("entry_points"):
        files[f"{info}/entry_points.txt"] = d["entry_points"]
    if d.get("tail"):  # so that METADATA is not among the archive's last bytes
        files[f"{re.sub('[-.]+', '_', name)}/tail.bin"] = noise(stem, d["tail"])
    files = {k: v.encode() if isinstance(v, str) else v for k, v in files.items()}
    record = "".join(f"{k},sha256={base64.urlsafe_b64encode(hashlib.sha256(v).digest()).rstrip(b'=').decode()},{len(v)}\n"
                     for k, v in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for k, v in files.items():
            i = zipfile.ZipInfo(k, (1980, 1, 1, 0, 0, 0))
            i.compress_type = zipfile.ZIP_DEFLATED
            i.external_attr = 0o100644 << 16
            z.writestr(i, v)
    return out.getvalue()


def expand(tag):
    py, abi, plat = tag.split("-")
    return [(a, b, c) for a in py.split(".") for b in abi.split(".") for c in plat.split(".")]


class File:
    def __init__(self, filename, data, d, metadata=None):
        self.filename, self.data, self.d, self.metadata = filename, data, d, metadata
        self.sha256 = hashlib.sha256(data).hexdigest()


class Index:
    def __init__(self):
        self.projects, self.settings, self.lock, self.counts = {}, {}, threading.Lock(), {}

    def add(self, name, f):
        self.projects.setdefault(normalise(name), {})[f.filename] = f

    def load_dir(self, folder):
        for n in sorted(os.listdir(folder)):
            if not n.endswith((".whl", ".tar.gz")):
                continue
            with open(os.path.join(folder, n), "rb") as fh:
                data = fh.read()
            metadata, d = None, {}
            if n.endswith(".whl"):
                with zipfile.ZipFile(io.BytesIO(data)) as z:
                    for m in z.namelist():
                        if re.fullmatch(r"[^/]+\.dist-info/METADATA", m):
                            metadata = z.read(m)
                            found = re.search(rb"(?m)^Requires-Python: *(.+?) *$", metadata)
                            if found:
                                d["requires_python"] = found.group(1).decode()
            name = n.split("-")[0] if n.endswith(".whl") else n.rsplit("-", 1)[0]
            self.add(name, File(n, data, d, metadata))

    def load_spec(self, spec):
        self.settings.update(spec.get("set", {}))
        for name, versions in spec.get("packages", {}).items():
            for version, d in versions.items():
                stem = re.sub("[-.]+", "_", name)
                tags = d.get("tag", "py3-none-any")
                for tag in [] if d.get("sdist") == "only" else [tags] if isinstance(tags, str) else tags:
                    data = make_wheel(name, version, tag, d)
                    self.add(name, File(f"{stem}-{version}-{tag}.whl", data, d, metadata_of(name, version, d).encode()))
                if d.get("sdist"):
                    self.add(name, File(f"{stem}-{version}.tar.gz", b"not really a tar of " + version.encode(), d))

    def setting(self, name, default=""):
        with self.lock:
            return str(self.settings.get(name, default))

    def use(self, setting, path):
        """SUBSTRING[:N]: does it match, and is there a turn left?"""
        for rule in filter(None, self.setting(setting).split(";")):
            part = rule.split(":")
            if part[0] in path and self.turn((setting, rule), int(part[1]) if len(part) > 1 else None):
                return True
        return False

    def fails(self, path):
        for rule in filter(None, self.setting("fail").split(";")):
            part = rule.split(":")
            if part[0] in path and self.turn(("fail", rule), int(part[2]) if len(part) > 2 else None):
                return int(part[1])
        return 0

    def turn(self, key, most):
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1
            return most is None or self.counts[key] <= most


def page_json(index, name, files):
    out = []
    for f in files:
        e = {"filename": f.filename, "url": f"../../files/{name}/{urllib.parse.quote(f.filename)}", "hashes": {}}
        if index.setting("hash", "on") == "on":
            wrong = index.setting("wrong_hash")
            e["hashes"] = {"sha256": "1" * 64 if wrong and wrong in f.filename else f.sha256}
        if index.setting("size", "on") == "on":
            e["size"] = len(f.data)
        if index.setting("upload", "on") == "on":
            e["upload-time"] = f.d.get("upload_time", "2024-01-02T03:04:05.678901Z")
        if f.d.get("requires_python"):
            e["requires-python"] = f.d["requires_python"]
        if f.d.get("yanked") is not None:
            e["yanked"] = f.d["yanked"]
        if f.metadata is not None and index.setting("metadata", "off") == "on":
            e["core-metadata"] = {"sha256": hashlib.sha256(f.metadata).hexdigest()}
        out.append(e)
    return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": out}).encode()


def page_html(index, name, files):
    out = ["<!DOCTYPE html><html><head><meta name='pypi:repository-version' content='1.0'></head><body>"]
    for f in files:
        href = f"../../files/{name}/{urllib.parse.quote(f.filename)}"
        if index.setting("hash", "on") == "on":
            wrong = index.setting("wrong_hash")
            href += "#sha256=" + ("1" * 64 if wrong and wrong in f.filename else f.sha256)
        attr = ""
        if f.d.get("requires_python"):
            attr += f' data-requires-python="{html.escape(f.d["requires_python"])}"'
        if f.d.get("yanked"):
            attr += ' data-yanked="%s"' % (html.escape(f.d["yanked"]) if isinstance(f.d["yanked"], str) else "")
        if f.metadata is not None and index.setting("metadata", "off") == "on":
            attr += f' data-core-metadata="sha256={hashlib.sha256(f.metadata).hexdigest()}"'
        out.append(f'<a href="{href}"{attr}>{html.escape(f.filename)}</a><br>')
    return "\n".join(out + ["</body></html>"]).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    index = None
    log = None

    def log_message(self, *args):
        pass

    def record(self, status):
        if self.log:
            with self.index.lock:
                print(self.command, self.path, status, self.headers.get("Range", "-"), file=self.log, flush=True)

    def send(self, status, body=b"", headers=(), cut=None):
        self.record(status)
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD" or status == 304:
            return
        if cut is not None:
            self.wfile.write(body[:cut])
            self.wfile.flush()
            self.close_connection = True
            self.connection.shutdown(2)
        else:
            self.wfile.write(body)

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        delay = float(self.index.setting("delay", "0"))
        if delay:
            time.sleep(delay)
        path, _, query = self.path.partition("?")
        if path.startswith("/_"):
            return self.transport(path, urllib.parse.parse_qs(query))
        auth = self.index.setting("auth")
        if auth and self.headers.get("Authorization") != "Basic " + base64.b64encode(auth.encode()).decode():
            return self.send(401, b"who are you?", [("WWW-Authenticate", 'Basic realm="index"')])
        failed = self.index.fails(path)
        if failed:
            return self.send(failed, b"failing as asked")
        part = path.strip("/").split("/")
        if len(part) == 2 and part[0] == "simple":
            return self.page(part[1])
        if len(part) == 3 and part[0] == "files":
            return self.file(part[1], urllib.parse.unquote(part[2]), path)
        return self.send(404, b"no such page")

    def page(self, name):
        files = self.index.projects.get(name)
        if files is None or name in self.index.setting("missing").split(","):
            return self.send(404, b"no such project")
        files = [files[k] for k in files]
        form = self.index.setting("format", "both")
        as_json = form == "json" or (form == "both" and JSON_TYPE in self.headers.get("Accept", ""))
        body = page_json(self.index, name, files) if as_json else page_html(self.index, name, files)
        headers = [("Content-Type", JSON_TYPE if as_json else "text/html; charset=utf-8")]
        age = self.index.setting("max_age", "none")
        if age != "none":
            headers.append(("Cache-Control", f"max-age={age}, public"))
        if self.index.setting("etag", "on") == "on":
            tag = '"' + hashlib.sha256(body).hexdigest()[:16] + '"'
            headers.append(("ETag", tag))
            if self.headers.get("If-None-Match") == tag:
                return self.send(304, b"", headers)
        return self.send(200, body, headers)

    def file(self, project, name, path):
        files = self.index.projects.get(project, {})
        if name.endswith(".metadata") and self.index.setting("metadata", "off") == "on":
            f = files.get(name[: -len(".metadata")])
            if f is not None and f.metadata is not None:
                return self.send(200, self.damaged(f.metadata, path))
        f = files.get(name)
        if f is None:
            return self.send(404, b"no such file")
        return self.bytes(f.data, f'"{f.sha256[:16]}"', path)

    def damaged(self, data, path):
        return bytes([data[0] ^ 1]) + data[1:] if self.index.use("corrupt", path) else data

    def bytes(self, data, tag, path):
        ranges, asked = self.index.setting("ranges", "on"), self.headers.get("Range")
        headers = [("ETag", tag), ("Content-Type", "application/octet-stream")]
        if ranges == "on":
            headers.append(("Accept-Ranges", "bytes"))
        if asked and ranges in ("deny", "405"):
            return self.send(416 if ranges == "deny" else 405, b"no ranges")
        data = self.damaged(data, path)
        status, body = 200, data
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", asked or "") if ranges == "on" else None
        if found and self.headers.get("If-Range", tag) == tag:
            first, last = found.groups()
            start = int(first) if first else max(0, len(data) - int(last))
            end = min(int(last), len(data) - 1) if first and last else len(data) - 1
            if start >= len(data) or start > end:
                return self.send(416, b"", [("Content-Range", f"bytes */{len(data)}")])
            status, body = 206, data[start : end + 1]
            headers.append(("Content-Range", f"bytes {start}-{end}/{len(data)}"))
        cut = len(body) // 2 if self.index.use("truncate", path) else None
        return self.send(status, body, headers, cut)

    def transport(self, path, query):
        part = path.strip("/").split("/")
        if part[0] == "_set":
            with self.index.lock:
                self.index.settings = {k: v[-1] for k, v in query.items()}
                self.index.counts.clear()
            return self.send(200)
        if part[0] == "_echo":
            return self.send(200, f"{self.command} {self.path}\n{self.headers}".encode())
        if part[0] == "_redirect":
            return self.send(int(query.get("status", ["302"])[0]), b"", [("Location", to) for to in query.get("to", [])])
        if part[0] == "_bytes":
            n = int(part[1])
            return self.bytes((b"0123456789abcdef" * (n // 16 + 1))[:n], f'"bytes-{n}"', path)
        if part[0] == "_retry":
            if self.index.turn(("retry", part[1]), int(part[2])):
                return self.send(int(part[3]), b"later", [("Retry-After", part[4])] if len(part) > 4 else [])
            return self.send(200, b"at last")
        if part[0] == "_hang":
            self.record(200)
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x")
            self.wfile.flush()
            self.rfile.read(1)  # until the client goes away
            self.close_connection = True
            return None
        return self.send(404, b"no such page")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients go away in the middle: that is what is tested


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--dir")
    p.add_argument("--spec")
    p.add_argument("--log")
    p.add_argument("--port", type=int, default=0)
    p.add_argument("--set", action="append", default=[])
    o = p.parse_args()
    index = Index()
    if o.dir:
        index.load_dir(o.dir)
    if o.spec:
        with open(o.spec, encoding="utf-8") as fh:
            index.load_spec(json.load(fh))
    for s in o.set:
        k, _, v = s.partition("=")
        index.settings[k] = v
    Handler.index = index
    if o.log:
        Handler.log = open(o.log, "a", encoding="utf-8")
    server = Server(("127.0.0.1", o.port), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.buffer.read()  # the parent holds the other end: when it dies, so do we


if __name__ == "__main__":
    main()
