"""What every end-to-end test stands on: the program, a clean environment with a home of its own, an index and a base on this machine."""
import gzip
import hashlib
import io
import json
import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).parent))


def program():
    path = os.environ.get("ENVBUILD_PROGRAM", str(ROOT / "build/builder/cli/envbuild"))
    assert os.access(path, os.X_OK), f"{path} is not built"
    return path


class Index:
    """tests/fake/index.py: prints its port, serves until its stdin ends."""

    def __init__(self, folder, spec):
        self.log = folder / "index.log"
        self.spec = folder / "index.json"
        self.spec.write_text(json.dumps(spec))
        wheels = folder / "wheels"
        wheels.mkdir(exist_ok=True)
        self.wheels = wheels
        self.proc = subprocess.Popen([sys.executable, str(ROOT / "tests/fake/index.py"), "--spec", str(self.spec), "--dir", str(wheels),
                                      "--log", str(self.log)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.proc.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}/simple/"

    def set(self, **settings):
        """Replaces all settings."""
        query = urllib.parse.urlencode(settings)
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_set?{query}").read()

    def requests(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def close(self):
        self.proc.stdin.close()
        self.proc.wait()


class Env:
    """One user: a home, a cache, a working folder; nothing of this machine's settings."""

    def __init__(self, folder):
        self.folder = folder
        self.home = folder / "home"
        self.work = folder / "work"
        self.home.mkdir(parents=True, exist_ok=True)
        self.work.mkdir(exist_ok=True)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8", "ENVBUILD_CACHE_DIR": str(folder / "cache"),
                    "ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
        # who reaches PyPI through a proxy with a certificate of its own still does
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    @property
    def cache(self):
        return pathlib.Path(self.env["ENVBUILD_CACHE_DIR"])

    def write(self, name, text):
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def popen(self, *args, **kw):
        return subprocess.Popen([program(), *map(str, args)], cwd=self.work, env={**self.env, **kw.pop("env", {})}, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, **kw)

    def run(self, *args, code=0, **kw):
        p = self.popen(*args, **kw)
        out, err = p.communicate(timeout=600)
        assert "Sanitizer" not in err, err
        if code is not None:
            assert p.returncode == code, f"exit {p.returncode}, not {code}\n--- stdout\n{out}\n--- stderr\n{err}"
        return Result(p.returncode, out, err)


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def line(self):
        assert self.out.endswith("\n") and self.out.count("\n") == 1, repr(self.out)
        return self.out[:-1]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def make_layout(folder, files, config=None, tag="base", codec="gzip"):
    """An OCI layout with one layer. files: path → bytes | ("link", target) | ("dir", mode, uid, gid)."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.PAX_FORMAT) as t:
        for path, what in files.items():
            info = tarfile.TarInfo(path)
            info.mtime = 315532800
            if isinstance(what, tuple) and what[0] == "link":
                info.type, info.linkname = tarfile.SYMTYPE, what[1]
                t.addfile(info)
            elif isinstance(what, tuple):
                info.type, info.mode, info.uid, info.gid = tarfile.DIRTYPE, what[1], what[2], what[3]
                t.addfile(info)
            else:
                info.size, info.mode = len(what), 0o644 if path.startswith(("etc/", "var/")) else 0o755
                t.addfile(info, io.BytesIO(what))
    raw = tar.getvalue()
    packed = gzip.compress(raw, mtime=0) if codec == "gzip" else raw
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True, exist_ok=True)

    def put(data):
        (blobs / sha256(data)).write_bytes(data)
        return {"digest": "sha256:" + sha256(data), "size": len(data)}

    kind = "application/vnd.oci.image.layer.v1.tar" + ("+gzip" if codec == "gzip" else "")
    layer = {"mediaType": kind, **put(packed)}
    doc = {"architecture": "amd64", "os": "linux", "config": config or {}, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(raw)]}}
    conf = {"mediaType": "application/vnd.oci.image.config.v1+json", **put(json.dumps(doc).encode())}
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": conf, "layers": [layer]}
    desc = {"mediaType": manifest["mediaType"], **put(json.dumps(manifest).encode()),
            "annotations": {"org.opencontainers.image.ref.name": tag}}
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [desc]}))
    return folder


def base_files(extra=None):
    """A system that starts: busybox, and a python3 that is a script (it says what it was asked)."""
    busybox = pathlib.Path("/bin/busybox").read_bytes()
    applets = ("sh", "cat", "ls", "env", "id", "sleep", "kill", "true", "false", "mkdir", "touch", "find", "stat", "echo", "readlink")
    files = {
        "etc": ("dir", 0o755, 0, 0), "usr": ("dir", 0o755, 0, 0), "usr/bin": ("dir", 0o755, 0, 0), "bin": ("link", "usr/bin"),
        "tmp": ("dir", 0o1777, 0, 0), "opt": ("dir", 0o755, 0, 0), "proc": ("dir", 0o755, 0, 0), "dev": ("dir", 0o755, 0, 0),
        "sys": ("dir", 0o755, 0, 0), "root": ("dir", 0o700, 0, 0), "var": ("dir", 0o755, 0, 0),
        "var/lib": ("dir", 0o755, 0, 0), "var/lib/dpkg": ("dir", 0o755, 0, 0),
        "etc/passwd": b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n",
        "etc/group": b"root:x:0:\nuser:x:1000:\n",
        "etc/os-release": b'ID=debian\nVERSION_ID="12"\n',
        "var/lib/dpkg/status": b"Package: libc6\nStatus: install ok installed\nVersion: 2.36-9+deb12u10\n\n"
                               b"Package: python3.11-minimal\nStatus: install ok installed\nVersion: 3.11.2-6+deb12u5\n\n",
        "usr/bin/busybox": busybox,
        "usr/bin/python3.11": b'#!/bin/sh\necho "python $0 $@"\n',
        "usr/bin/python3": ("link", "python3.11"),
    }
    files.update({f"usr/bin/{a}": ("link", "busybox") for a in applets})
    files.update(extra or {})
    return files


SPEC = {"packages": {
    "pyjwt": {"1.7.1": {"upload_time": "2018-12-07T13:40:06Z", "files": {"jwt/__init__.py": "__version__ = '1.7.1'\n"},
                        "entry_points": "[console_scripts]\npyjwt = jwt.__main__:main\n"},
              "2.0.0": {"upload_time": "2020-12-21T00:00:00Z", "files": {"jwt/__init__.py": "__version__ = '2.0.0'\n"}}},
    "requests": {"2.31.0": {"requires": ["idna<4,>=2.5", "urllib3<3"], "upload_time": "2023-05-22T00:00:00Z"}},
    "idna": {"3.4": {"upload_time": "2022-09-14T00:00:00Z"}},
    "urllib3": {"2.0.1": {"upload_time": "2023-05-01T00:00:00Z"}, "1.26.0": {}},
    "flask-jwt": {"4.0.0": {"requires": ["PyJWT>=2.0,<3.0"]}, "3.25.1": {"requires": ["PyJWT<2"]}},
    "onlysdist": {"1.0": {"sdist": True, "tag": []}},
    "big": {"1.0": {"pad": 3_000_000}},
    "wide": {"1.0": {"pad": 700_000}},
}}


@pytest.fixture(scope="session")
def base_layout(tmp_path_factory):
    return make_layout(tmp_path_factory.mktemp("base") / "layout", base_files(), {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["sh"]})


@pytest.fixture
def index(tmp_path):
    (tmp_path / "index").mkdir()
    server = Index(tmp_path / "index", SPEC)
    yield server
    server.close()


@pytest.fixture
def env(tmp_path, index, base_layout):
    e = Env(tmp_path / "one")
    e.env["PIP_INDEX_URL"] = index.url
    e.base = base_layout
    return e


@pytest.fixture
def definition(env):
    """Writes env.yml on the made base and returns its path."""
    def make(pip='["PyJWT<2", requests]', more="", name="train"):
        return env.write("env.yml", f"name: {name}\ndependencies:\n  - pip: {pip}\nvariables: {{STAGE: dev}}\n"
                                    f"envbuild:\n  base: oci:{env.base}:base\n{more}")
    return make


def let_pass(env, name):
    """Makes an environment that of another user; what popen needs to run as him. Temporary folders of pytest are root's alone."""
    who = pwd.getpwnam(name)
    for start in (env.folder, getattr(env, "base", env.folder)):
        for p in [start, *start.parents]:
            if p != pathlib.Path("/") and p.stat().st_uid == 0 and not p.stat().st_mode & 0o001:
                p.chmod(p.stat().st_mode | 0o011)
    for p in [env.folder, *env.folder.rglob("*")]:
        os.chown(p, who.pw_uid, who.pw_gid)
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """A temporary folder of this run alone. pytest's own is shared by all runs of a user, and each that starts takes the way into it from
    everybody else again, in the middle of what another run's other user does."""
    config.addinivalue_line("markers", "full: downloads and takes long; run by hand")
    if config.option.basetemp is None:
        config.own_temp = tempfile.mkdtemp(prefix="envbuild-tests-")
        os.chmod(config.own_temp, 0o755)
        config.option.basetemp = os.path.join(config.own_temp, "t")


def pytest_unconfigure(config):
    shutil.rmtree(getattr(config, "own_temp", ""), ignore_errors=True)
