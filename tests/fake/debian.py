"""A tiny signed Debian repository on disk and on loopback, made with dpkg-deb and gpg."""
import gzip
import hashlib
import http.server
import lzma
import os
import pathlib
import subprocess
import threading
import time

MISSING = [p for p in ("dpkg-deb", "gpg", "gpgv") if not any(os.access(os.path.join(d, p), os.X_OK) for d in os.environ["PATH"].split(":"))]


class Key:
    """A signing key in a home of its own; keyring is the binary public half."""

    def __init__(self, folder, name="archive"):
        self.home = pathlib.Path(folder) / f"gpg-{name}"
        self.home.mkdir(mode=0o700)
        self.run("--passphrase", "", "--quick-gen-key", f"{name} <{name}@example.invalid>", "ed25519", "sign", "never")
        self.keyring = self.home / "keyring.gpg"
        self.keyring.write_bytes(self.run("--export").stdout)

    def run(self, *args, data=None):
        return subprocess.run(["gpg", "--homedir", str(self.home), "--batch", "--quiet", "--pinentry-mode", "loopback", *args], input=data,
                              capture_output=True, check=True)

    def close(self):
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], capture_output=True)


class Repo:
    """Suites of packages below `folder`/debian; publish() writes and signs them."""

    def __init__(self, folder, key):
        self.root = pathlib.Path(folder) / "debian"
        self.root.mkdir()
        self.key = key
        self.suites = {}
        self.published = 0

    def deb(self, suite, name, version="1", arch="amd64", files=None, scripts=None, **fields):
        """files: path -> text, or None for a directory, or ("->", target); fields: Depends="…", Multi_Arch="…"."""
        tree = self.root.parent / "build" / f"{name}_{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        control = {"Package": name, "Version": version, "Architecture": arch, "Maintainer": "x <x@example.invalid>", "Description": name}
        control.update({k.replace("_", "-"): v for k, v in fields.items()})
        (tree / "DEBIAN/control").write_text("".join(f"{k}: {v}\n" for k, v in control.items()))
        for script, text in (scripts or {}).items():
            (tree / "DEBIAN" / script).write_text(text)
            (tree / "DEBIAN" / script).chmod(0o755)
        for path, text in (files or {}).items():
            at = tree / path.lstrip("/")
            at.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                at.mkdir(exist_ok=True)
            elif isinstance(text, tuple):
                at.symlink_to(text[1])
            else:
                at.write_text(text)
        pool = self.root / f"pool/{name}_{version.replace(':', '%3a')}_{arch}.deb"
        pool.parent.mkdir(exist_ok=True)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zxz", "-b", str(tree), str(pool)], check=True, capture_output=True)
        data = pool.read_bytes()
        control.update({"Filename": f"pool/{pool.name}", "Size": len(data), "SHA256": hashlib.sha256(data).hexdigest()})
        self.suites.setdefault(suite, []).append("".join(f"{k}: {v}\n" for k, v in control.items()))

    def publish(self, suite, valid_for=7 * 86400, key=None, codename=None, by_hash=True):
        packages = "\n".join(self.suites.get(suite, [])).encode()
        folder = self.root / "dists" / suite / "main/binary-amd64"
        (folder / "by-hash/SHA256").mkdir(parents=True, exist_ok=True)
        lines = []
        for name, data in (("Packages", packages), ("Packages.xz", lzma.compress(packages)), ("Packages.gz", gzip.compress(packages, mtime=0))):
            digest = hashlib.sha256(data).hexdigest()
            (folder / "by-hash/SHA256" / digest).write_bytes(data)
            if name != "Packages":
                (folder / name).write_bytes(data)
            lines.append(f" {digest} {len(data)} main/binary-amd64/{name}\n")
        stamp = lambda t: time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime(t))
        now = time.time()
        text = (f"Origin: Test\nSuite: {suite}\nCodename: {codename or suite}\nDate: {stamp(now - 3600)}\nValid-Until: {stamp(now + valid_for)}\n"
                f"Acquire-By-Hash: {'yes' if by_hash else 'no'}\nComponents: main\nArchitectures: amd64\nSHA256:\n{''.join(lines)}")
        signed = (key or self.key).run("--clearsign", data=text.encode()).stdout
        (self.root / "dists" / suite / "InRelease").write_bytes(signed)
        # A server tells changes by the second: two publications in one must not look alike.
        self.published += 1
        for path in (self.root / "dists" / suite).rglob("*"):
            os.utime(path, (now + 2 * self.published,) * 2)
        return folder


class Server:
    """Serves a folder on a free port of 127.0.0.1; log holds (path, status)."""

    def __init__(self, folder):
        self.log = log = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, directory=str(folder), **kwargs)

            def log_request(self, code="-", size="-"):
                log.append((self.path, int(code)))

            def log_message(self, *args):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def close(self):
        self.http.shutdown()
        self.http.server_close()
