#!/usr/bin/env python3
"""A proxy that fails on request, in front of a registry on loopback. Standard library only.

    proxy = Proxy(registry.port)                  # in a thread; proxy.name is "127.0.0.1:PORT"
    proxy.rule("cut_up", "blobs/uploads", method="PUT", after=1000, times=1)
    registry_proxy.py UPSTREAM_PORT [RULES.json]  # or as a program: prints its port, serves until stdin ends

The first rule that fits and has uses left acts. path: regular expression, searched in path?query; method: one, matched whole; skip=N: not the first
N that fit; times=N: only so often (None: always). What it does:

    status      answered here, the registry is not asked: status=429, headers={…}, body=b"…"; drain=False: without reading the request's body
    cut_down    after=N bytes of the answer's body the connection ends       cut_up     the same with the request's body, towards both sides
    cut_head    the connection ends before any answer, the registry is not asked
    drop_reply  the registry does the work, the client never hears of it
    corrupt     one bit of byte at=N of the answer's body                    corrupt_up the same in the request's body
    no_range    Range is not passed on                                       bad_range  shift=K: moved by so much
    redirect    to="http://HOST:PORT", code=307: the same path elsewhere     location   to="": Location made relative, or to another origin
    fail_auth   400 if Authorization comes along, as object stores answer signed URLs
    set_header  headers={…} in the answer, None takes one away
    stall_up    after=N bytes of the request's body nothing more is read
    delay       seconds=S before the request is passed on                    stall      after=N bytes of the answer's body nothing more comes
    rate        bytes_per_s=N, both ways                                     call       what=function(), before the request is passed on

proxy.latency: seconds added to every request. proxy.log: [Asked(…)].
TLS=(certificate, key) serves https.
"""
import dataclasses
import json
import pathlib
import re
import socket
import ssl
import sys
import threading
import time

PIECE = 64 << 10


@dataclasses.dataclass
class Asked:
    method: str
    path: str  # with its query
    rule: str = ""
    status: int = 0  # what the client was sent; 0: nothing
    authorization: str = ""
    host: str = ""
    range: str = ""
    up: int = 0  # bytes of the bodies, as far as they were passed on
    down: int = 0
    connection: int = 0


class Rule:
    def __init__(self, do, path="", *, method=None, skip=0, times=None, **args):
        self.do, self.path, self.method, self.skip, self.times, self.args = do, path, method, skip, times, args
        self.acted = 0

    def fits(self, method, path):
        if self.times is not None and self.acted >= self.times:
            return False
        if self.method not in (None, method) or not re.search(self.path, path):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.acted += 1
        return True


PASS = Rule("")


class Ended(Exception):
    """The connection is over: whoever is left hears it."""


class Message:
    """First line and headers of a request or an answer; its body in pieces."""

    def __init__(self, file):
        self.file = file
        self.first = file.readline(64 << 10).decode("latin1").strip()
        self.headers = []
        while (line := file.readline(64 << 10).decode("latin1").strip()):
            name, _, value = line.partition(":")
            self.headers.append((name.strip(), value.strip()))

    def get(self, name, default=""):
        return next((v for n, v in self.headers if n.lower() == name.lower()), default)

    @property
    def chunked(self):
        return self.get("Transfer-Encoding").lower() == "chunked"

    def body(self):
        if self.chunked:
            while size := int(self.file.readline().split(b";")[0] or b"0", 16):
                yield self.file.read(size)
                self.file.readline()
            self.file.readline()
            return
        left = int(self.get("Content-Length", "0"))
        while left > 0:
            data = self.file.read1(min(PIECE, left))
            if not data:
                raise Ended
            left -= len(data)
            yield data


class Exchange:
    """One request and its answer."""

    def __init__(self, proxy, client, request, number):
        self.proxy, self.client, self.request = proxy, client, request
        self.method, self.path, _ = request.first.split(" ")
        self.rule = proxy.pick(self.method, self.path)
        self.do, self.args = self.rule.do, self.rule.args
        self.seen = Asked(self.method, self.path, self.do, 0, request.get("Authorization"), request.get("Host"),
                          request.get("Range") or request.get("Content-Range"), connection=number)

    def run(self):
        """Whether the connection can serve another."""
        if self.request.get("Expect").lower() == "100-continue" and self.args.get("drain", True):
            self.client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self.proxy.latency:
            time.sleep(self.proxy.latency)
        if self.do == "delay":
            self.proxy.closing.wait(self.args["seconds"])
        if self.do == "call":
            self.args["what"]()
        if self.do == "cut_head":
            raise Ended
        if self.do == "status":
            return self.answer(self.args["status"], self.args.get("headers", {}), self.args.get("body", b""))
        if self.do == "redirect":
            return self.answer(self.args.get("code", 307), {"Location": self.args["to"] + self.path}, b"")
        if self.do == "fail_auth" and self.seen.authorization:
            return self.answer(400, {}, b"Only one auth mechanism allowed")
        return self.forward()

    def answer(self, status, headers, body):
        drain = self.args.get("drain", True)
        if drain:
            for data in self.request.body():
                self.seen.up += len(data)
        self.seen.status = status
        self.write(self.client, f"HTTP/1.1 {status} As asked", [*headers.items(), ("Content-Length", str(len(body)))])
        if self.method != "HEAD":
            self.client.sendall(body)
            self.seen.down = len(body)
        if not drain:
            self.client.shutdown(socket.SHUT_WR)
            while self.client.recv(PIECE):  # what is underway; a reset would overtake the answer
                pass
        return drain

    def write(self, to, first, headers):
        to.sendall((first + "\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers) + "\r\n").encode("latin1"))

    def forward(self):
        with socket.create_connection(("127.0.0.1", self.proxy.upstream)) as up:
            up.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.write(up, self.request.first, [*self.sent_headers(), ("Connection", "close")])
            self.send(up)
            with up.makefile("rb") as file:
                while (reply := Message(file)).first.startswith("HTTP/1.1 1"):
                    pass
                if not reply.first:
                    raise Ended  # the registry is gone
                if self.do == "drop_reply":
                    raise Ended
                return self.give(reply)

    def sent_headers(self):
        for name, value in self.request.headers:
            low = name.lower()
            if low in ("connection", "expect") or (low == "range" and self.do == "no_range"):
                continue
            if low == "range" and self.do == "bad_range" and (m := re.fullmatch(r"bytes=(\d+)-(\d*)", value)):
                value = f"bytes={max(0, int(m[1]) + self.args['shift'])}-{m[2]}"
            yield name, value

    def send(self, up):
        """The request's body."""
        for data in self.request.body():
            if self.do == "cut_up" and self.seen.up + len(data) > self.args["after"]:
                data = data[:self.args["after"] - self.seen.up]
                up.sendall(data)
                self.seen.up += len(data)
                raise Ended
            if self.do == "stall_up" and self.seen.up + len(data) > self.args["after"]:
                self.proxy.closing.wait()
                raise Ended
            if self.do == "corrupt_up":
                data = self.flip(data, self.seen.up)
            up.sendall(b"%x\r\n%s\r\n" % (len(data), data) if self.request.chunked else data)
            self.seen.up += len(data)
            self.pace(data)
        if self.request.chunked:
            up.sendall(b"0\r\n\r\n")

    def give(self, reply):
        """The answer, to the client."""
        status = int(reply.first.split(" ")[1])
        bare = self.method == "HEAD" or status in (204, 304)
        self.seen.status = status
        headers = list(self.given_headers(reply))
        if not bare and not reply.chunked and not reply.get("Content-Length"):
            headers.append(("Content-Length", "0"))
        self.write(self.client, reply.first, headers)
        if bare:
            return True
        for data in reply.body():
            if self.do == "corrupt":
                data = self.flip(data, self.seen.down)
            if self.do in ("cut_down", "stall") and self.seen.down + len(data) > self.args["after"]:
                self.client.sendall(data[:self.args["after"] - self.seen.down])
                self.seen.down = self.args["after"]
                if self.do == "stall":
                    self.proxy.closing.wait()
                raise Ended
            self.client.sendall(b"%x\r\n%s\r\n" % (len(data), data) if reply.chunked else data)
            self.seen.down += len(data)
            self.pace(data)
        if reply.chunked:
            self.client.sendall(b"0\r\n\r\n")
        return True

    def given_headers(self, reply):
        replaced = {n.lower(): v for n, v in self.args.get("headers", {}).items()} if self.do == "set_header" else {}
        for name, value in reply.headers:
            low = name.lower()
            if low == "connection" or low in replaced:
                continue
            if low == "location":
                value = self.where(value)
            yield name, value
        for name, value in self.args.get("headers", {}).items() if self.do == "set_header" else ():
            if value is not None:
                yield name, value

    def where(self, location):
        """A Location of the registry's own comes back here."""
        path = re.sub(rf"^https?://(127\.0\.0\.1|localhost):{self.proxy.upstream}\b", "", location)
        if not path.startswith("/"):
            return location
        if self.do == "location":
            return self.args["to"] + path
        return path if path == location else self.proxy.url + path

    def flip(self, data, before):
        at = self.args["at"] - before
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:] if 0 <= at < len(data) else data

    def pace(self, data):
        if self.do == "rate":
            self.proxy.closing.wait(len(data) / self.args["bytes_per_s"])


class Proxy:
    def __init__(self, upstream, tls=None, host="127.0.0.1"):
        self.upstream, self.latency = upstream, 0
        self.rules, self.log, self.lock, self.closing, self.connections = [], [], threading.Lock(), threading.Event(), 0
        self.underway, self.ended = 0, threading.Condition(self.lock)
        self.context = None
        if tls:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*tls)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.socket.getsockname()[1]
        self.name = f"{host}:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.name}"
        threading.Thread(target=self.accept, daemon=True).start()

    def rule(self, do, path="", **args):
        with self.lock:
            self.rules.append(Rule(do, path, **args))
            return self.rules[-1]

    def clear(self):
        with self.lock:
            self.rules, self.log = [], []

    def pick(self, method, path):
        with self.lock:
            return next((r for r in self.rules if r.fits(method, path)), PASS)

    def accept(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
            threading.Thread(target=self.serve, args=(client, self.connections), daemon=True).start()

    def serve(self, client, number):
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self.context and client.recv(1, socket.MSG_PEEK) == b"\x16":
                return  # a TLS hello: some clients try https first
            if self.context:
                client = self.context.wrap_socket(client, server_side=True)
            with client, client.makefile("rb") as file:
                while (request := Message(file)).first:
                    if not self.exchange(client, request, number):
                        return
        except (OSError, Ended, ValueError):
            pass  # somebody went away, or it is no HTTP
        finally:
            client.close()

    def exchange(self, client, request, number):
        e = Exchange(self, client, request, number)
        with self.lock:
            self.log.append(e.seen)
            self.underway += 1
        try:
            return e.run()
        except (OSError, Ended):
            client.shutdown(socket.SHUT_RDWR)
            return False
        finally:
            with self.ended:
                self.underway -= 1
                self.ended.notify_all()

    def quiet(self, seconds=60):
        """Wait until no request is underway: what a client that is gone had sent may still be on its way to the registry."""
        with self.ended:
            assert self.ended.wait_for(lambda: self.underway == 0, seconds)

    def close(self):
        self.closing.set()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def main():
    proxy = Proxy(int(sys.argv[1]))
    for r in json.loads(pathlib.Path(sys.argv[2]).read_text()) if len(sys.argv) > 2 else []:
        proxy.rule(r.pop("do"), **{k: v.encode() if k == "body" else v for k, v in r.items()})
    print(proxy.port, flush=True)
    sys.stdin.read()
    proxy.close()


if __name__ == "__main__":
    main()
