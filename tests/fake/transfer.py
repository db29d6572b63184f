#!/usr/bin/env python3
"""A loopback server for tests of transfers with a body: it decides when to read, when to answer and when to go away, which http.server
does not let one do. It prints its port and ends when stdin does.

    transfer.py [--tls FOLDER] [--client-auth]

FOLDER gets ca.crt (which signed the server's and the client's certificate), other.crt (which did not), client.crt and client.key, unless
they are there.

/echo: the request as text, then a line "body: LENGTH SHA256"; "connection: N" counts the connections · /seen?KEY: how many requests asked
for a path that holds KEY · /status/CODE[?early][&close][&close_hard][&body=N]: that status, before or after reading the body ·
/redirect/CODE?to=URL[&early] (PORT in it is our own) · /retry/KEY/N/CODE: CODE N times, then as /echo · /drop/KEY/N: N times no answer to a whole request ·
/cut/KEY/N: N times gone after 100,000 bytes of the body · /stall: nothing is read · /silent: all is read, nothing answered ·
/endless/CODE: a body that does not end ·
/slow/SECONDS: an answer after a while · /range/N[?ignore][&wrong]: N bytes, from where `Range: bytes=N-` says."""
import argparse
import hashlib
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import urllib.parse


class Gone(Exception):
    pass


class Server:
    def __init__(self, tls):
        self.tls = tls
        self.lock = threading.Lock()
        self.counts, self.seen, self.connections = {}, [], 0
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=128)

    def run(self):
        while True:
            s, _ = self.socket.accept()
            with self.lock:
                self.connections += 1
                number = self.connections
            threading.Thread(target=self.connection, args=(s, number), daemon=True).start()

    def connection(self, s, number):
        try:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.tls:
                s = self.tls.wrap_socket(s, server_side=True, do_handshake_on_connect=False)
                self.shake_hands(s)
            Connection(self, s, number).run()
        except (Gone, OSError):
            pass
        finally:
            s.close()

    def shake_hands(self, s):
        try:
            s.do_handshake()
        except ssl.SSLError:
            s.shutdown(socket.SHUT_WR)  # the client must be able to read the alert, which a reset would take away
            while s.recv(1 << 16):
                pass
            raise

    def turn(self, key, most):
        with self.lock:
            self.counts[key] = self.counts.get(key, 0) + 1
            return self.counts[key] <= most


class Connection:
    def __init__(self, server, s, number):
        self.server, self.socket, self.number = server, s, number
        self.buffer = b""
        self.left = 0  # of the request's body

    def run(self):
        while True:
            self.request()

    def more(self):
        got = self.socket.recv(1 << 20)
        if not got:
            raise Gone
        return got

    def request(self):
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        lines = self.head.split("\r\n")
        self.method, target, _ = lines[0].split(" ")
        self.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        self.left = int(self.headers.get("content-length", "0"))
        path, _, query = target.partition("?")
        self.query = urllib.parse.parse_qs(query, keep_blank_values=True)
        with self.server.lock:
            self.server.seen.append(target)
        if path.startswith("http://"):  # we are asked as a proxy, and our user is u:p
            if self.headers.get("proxy-authorization") != "Basic dTpw":
                self.body()
                return self.answer(407, b"who?", [("Proxy-Authenticate", 'Basic realm="proxy"')])
            path = "/" + path[7:].partition("/")[2]
        part = path.strip("/").split("/")
        getattr(self, "do_" + part[0])(*part[1:])

    def body(self, most=None):
        """Read the body, or at least `most` bytes of it."""
        digest, size, want = hashlib.sha256(), 0, self.left if most is None else min(most, self.left)
        while size < want:
            got = self.buffer or self.more()
            got, self.buffer = got[: self.left], got[self.left :]
            digest.update(got)
            size += len(got)
            self.left -= len(got)
        return size, digest.hexdigest()

    def answer(self, status, body=b"", headers=(), close=False):
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers)
        head += "Connection: close\r\n" if close else ""
        self.socket.sendall(head.encode() + b"\r\n" + (b"" if self.method == "HEAD" else body))
        if close:
            raise Gone

    def do_echo(self):
        size, digest = self.body()
        self.answer(200, f"{self.head}\r\nbody: {size} {digest}\nconnection: {self.number}\n".encode())

    def do_seen(self):
        key = next(iter(self.query))
        with self.server.lock:
            n = sum(key in path and not path.startswith("/seen") for path in self.server.seen)
        self.answer(200, str(n).encode())

    def do_status(self, code):
        if "early" not in self.query:
            self.body()
        text = f"connection: {self.number}\n".encode() + b"x" * int(self.query.get("body", ["0"])[0])
        if "close_hard" in self.query:  # at once, with bytes unread: the client gets a reset
            self.answer(int(code), text, close=True)
        self.answer(int(code), text, close=False)
        if self.left:
            self.socket.shutdown(socket.SHUT_WR)
            self.body()
            raise Gone

    def do_redirect(self, code):
        if "early" not in self.query:
            self.body()
        to = self.query["to"][0].replace("PORT", self.headers["host"].partition(":")[2])
        self.answer(int(code), b"look there", [("Location", to)], close="early" in self.query)

    def do_retry(self, key, n, code):
        if self.server.turn(key, int(n)):
            self.body()
            return self.answer(int(code), b"later", [("Retry-After", "0")])
        return self.do_echo()

    def do_drop(self, key, n):
        if self.server.turn(key, int(n)):
            self.body()
            raise Gone
        self.do_echo()

    def do_cut(self, key, n):
        if self.server.turn(key, int(n)):
            self.body(100000)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Gone
        self.do_echo()

    def do_stall(self):
        threading.Event().wait()

    def do_silent(self):
        self.body()
        threading.Event().wait()

    def do_endless(self, code):
        self.socket.sendall(f"HTTP/1.1 {code} X\r\nContent-Length: 999999999999\r\n\r\n".encode())
        while True:
            self.socket.sendall(b"no" * 10000)

    def do_slow(self, seconds):
        self.body()
        time.sleep(float(seconds))
        self.answer(200, b"done")

    def do_range(self, n):
        data = (b"0123456789abcdef" * (int(n) // 16 + 1))[: int(n)]
        start = int(self.headers["range"].partition("=")[2].partition("-")[0])
        if "ignore" in self.query:
            return self.answer(200, data)
        said = start + 1 if "wrong" in self.query else start
        return self.answer(206, data[start:], [("Content-Range", f"bytes {said}-{len(data) - 1}/{len(data)}")])


def make_certificates(folder):
    if os.path.exists(f"{folder}/client.crt"):
        return

    def make(name, subject, *more):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt", "-subj", f"/CN={subject}", *more],
                       check=True, stdin=subprocess.DEVNULL, capture_output=True)

    signed = ("-CA", f"{folder}/ca.crt", "-CAkey", f"{folder}/ca.key", "-addext", "basicConstraints=CA:FALSE")
    make("ca", "the authority")
    make("other", "another authority")
    make("server", "server", *signed, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    make("client", "client", *signed)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--tls")
    p.add_argument("--client-auth", action="store_true")
    o = p.parse_args()
    tls = None
    if o.tls:
        make_certificates(o.tls)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(f"{o.tls}/server.crt", f"{o.tls}/server.key")
        if o.client_auth:
            tls.load_verify_locations(f"{o.tls}/ca.crt")
            tls.verify_mode = ssl.CERT_REQUIRED
    server = Server(tls)
    print(server.socket.getsockname()[1], flush=True)
    threading.Thread(target=server.run, daemon=True).start()
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
