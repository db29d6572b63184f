#!/usr/bin/env python3
"""A loopback conda channel for tests: the files of a folder, with validators, lifetimes, logins and faults. Standard library only.

    channel.py FOLDER

Prints its port on stdout and serves until stdin ends. Settings (GET /_set?NAME=VALUE&... replaces them all) are those of index.py:
etag max_age auth delay fail corrupt truncate; and

    token=TOKEN     only /t/TOKEN/... is there
    html=SUBSTRING  matching paths that are not there are a page of HTML, status 200
"""
import os
import sys
import threading
import urllib.parse

import index


class Channel(index.Handler):
    folder = None
    disable_nagle_algorithm = True  # the body follows the head at once

    def find(self, path):
        token = self.index.setting("token")
        if token:
            if not path.startswith("/t/" + token + "/"):
                return None
            path = path[len("/t/" + token):]
        full = os.path.normpath(os.path.join(self.folder, urllib.parse.unquote(path).lstrip("/")))
        if not full.startswith(self.folder) or not os.path.isfile(full):
            return None
        with open(full, "rb") as f:
            return f.read()

    def page(self, path):
        data = self.find(path)
        if data is None:
            html = self.index.setting("html")
            return self.send(200, b"<html>all is well</html>") if html and html in path else self.send(404, b"no such file")
        tag = '"' + index.hashlib.sha256(data).hexdigest()[:16] + '"'
        age = self.index.setting("max_age", "none")
        more = [("Cache-Control", f"max-age={age}, public")] if age != "none" else []
        if self.headers.get("If-None-Match") == tag:
            return self.send(304, b"", [("ETag", tag)] + more)
        data = self.damaged(data, path)
        status = 200
        first = (self.headers.get("Range") or "").removeprefix("bytes=").removesuffix("-")
        if first.isdigit() and self.headers.get("If-Range") == tag:
            more.append(("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}"))
            status, data = 206, data[int(first):]
        cut = len(data) // 2 if self.index.use("truncate", path) else None
        return self.send(status, data, [("ETag", tag)] + more, cut)

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.startswith("/_"):
            return self.transport(path, urllib.parse.parse_qs(self.path.partition("?")[2]))
        auth = self.index.setting("auth")
        if auth and self.headers.get("Authorization") != "Basic " + index.base64.b64encode(auth.encode()).decode():
            return self.send(401, b"who are you?", [("WWW-Authenticate", 'Basic realm="channel"')])
        failed = self.index.fails(path)
        return self.send(failed, b"failing as asked") if failed else self.page(path)


def main():
    Channel.index = index.Index()
    Channel.folder = os.path.realpath(sys.argv[1])
    server = index.Server(("127.0.0.1", 0), Channel)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
