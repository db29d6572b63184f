#!/usr/bin/env python3
"""How long it takes until a command in a warm environment of many layers runs, against peers in one run (never a timed assertion in the test suite):

    start.py [--layers 100] [--repeat 15] [--podman-arg ARG]… [--store DIR]

The image is made of busybox, this system's python3 and small layers on top. Started are `true`, `python3 -c pass` and one with imports: by `envbuild run IMAGE` (in front of the
terminal), by `envbuild run --on local` (a run that is recorded and supervised), by bubblewrap on the same tree unpacked flat, and by `podman run`. Each is
started in turn, medians (and minima) are printed as milliseconds with their ratio to bubblewrap and to podman. Run it with a release build:
ENVBUILD_PROGRAM=build-release/builder/cli/envbuild
"""
import argparse
import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e")]
from conftest import base_files, program  # noqa: E402

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PYTHON = "/usr/bin/python3"


def python_files():
    """The system's interpreter with its library and what it is linked with."""
    real = os.path.realpath(PYTHON)
    lib = subprocess.run([real, "-c", "import os; print(os.path.dirname(os.__file__))"], capture_output=True, text=True, check=True).stdout.strip()
    linked = subprocess.run(["ldd", real], capture_output=True, text=True, check=True).stdout.split()
    files = [real, *(p for p in linked if p.startswith("/"))]
    for folder, names, more in os.walk(lib):
        names[:] = [n for n in names if n not in ("test", "dist-packages") and not n.startswith("config-")]
        files += [os.path.join(folder, f) for f in more]
    return real, files


def base_tar():
    out = io.BytesIO()
    real, files = python_files()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for path, what in base_files().items():
            if path.startswith("usr/bin/python3"):
                continue
            info = tarfile.TarInfo(path)
            if isinstance(what, tuple) and what[0] == "link":
                info.type, info.linkname = tarfile.SYMTYPE, what[1]
                t.addfile(info)
            elif isinstance(what, tuple):
                info.type, info.mode = tarfile.DIRTYPE, what[1]
                t.addfile(info)
            else:
                info.size, info.mode = len(what), 0o755
                t.addfile(info, io.BytesIO(what))
        for name, to in (("lib", "usr/lib"), ("lib64", "usr/lib64"), ("usr/bin/python3", os.path.basename(real))):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, to
            t.addfile(info)
        for path in dict.fromkeys(files):
            inside = path if path.startswith("/usr/") else "/usr" + path
            info = tarfile.TarInfo(inside[1:])
            data = pathlib.Path(path).read_bytes()
            info.size, info.mode, info.mtime = len(data), 0o755, int(os.stat(path).st_mtime)  # compiled files name the time of their source
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


def small_tar(i):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as t:
        for k in range(5):
            info = tarfile.TarInfo(f"opt/env/lib/package_{i}/file_{k}.py")
            data = f"x = {i * k}\n".encode() * 50
            info.size, info.mode = len(data), 0o644
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Store:
    """An envbuild store with one image; its oci/ is a layout that skopeo reads."""

    def __init__(self, folder, n):
        self.folder, self.blobs = folder, folder / "oci/blobs/sha256"
        self.blobs.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "oci/oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.tars = [base_tar(), *(small_tar(i) for i in range(n - 1))]
        layers = [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **self.blob(gzip.compress(t, 1, mtime=0))} for t in self.tars]
        config = {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/usr/bin:/bin"]},
                  "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(t).hexdigest() for t in self.tars]}}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers,
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **self.blob(json.dumps(config).encode())}}
        desc = {"mediaType": MANIFEST, **self.blob(json.dumps(manifest).encode()), "annotations": {"org.opencontainers.image.ref.name": "warm"}}
        (folder / "refs" / hashlib.sha256(b"warm:latest").hexdigest()).write_text(json.dumps(desc))
        (folder / "oci/index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [desc]}))

    def blob(self, data):
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return {"digest": "sha256:" + digest, "size": len(data)}

    def flat(self, folder):
        for tar in self.tars:
            with tarfile.open(fileobj=io.BytesIO(tar)) as t:
                t.extractall(folder)
        return folder


def podman(args, layout, folder):
    """The command line that starts the image, or None."""
    if not shutil.which("podman") or not shutil.which("skopeo"):
        return None
    storage = ["--root", str(folder / "podman"), "--runroot", str(folder / "podman-run")]
    archive = folder / "warm.tar"
    load = [["skopeo", "copy", "-q", f"oci:{layout}:warm", f"oci-archive:{archive}:warm"], ["podman", *storage, "load", "-q", "-i", str(archive)]]
    for argv in load:
        p = subprocess.run(argv, capture_output=True, text=True)
        if p.returncode:
            print(f"podman is left out: {p.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            return None
    name = p.stdout.strip().split()[-1]
    return ["podman", *storage, *args, "run", "--rm", "--network=host", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", name]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--layers", type=int, default=100)
    ap.add_argument("--repeat", type=int, default=15)
    ap.add_argument("--podman-arg", action="append", default=[], help="before `run`: --runtime=runc …")
    args = ap.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="envbuild-start-"))
    try:
        measure(args, folder)
    finally:
        subprocess.run(["podman", "--root", str(folder / "podman"), "--runroot", str(folder / "podman-run"), "system", "reset", "-f"], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def measure(args, folder):
    store = Store(folder / "store", args.layers)
    flat = store.flat(folder / "flat")
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "ENVBUILD_CACHE_DIR": str(folder / "store"), "ENVBUILD_RUNS_DIR": str(folder / "runs")}
    bwrap = ["bwrap", "--unshare-user", "--unshare-pid", "--bind", str(flat), "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", "/sys", "/sys",
             "--clearenv", "--setenv", "PATH", "/usr/bin:/bin"]
    how = {"bwrap, flat": bwrap, "envbuild run": [program(), "run", "warm", "--"],
           "envbuild run --on local": [program(), "run", "--on", "local", "warm", "--"]}
    peer = podman(args.podman_arg, folder / "store/oci", folder)
    if peer:
        how["podman run"] = peer
    for command in (["true"], ["python3", "-c", "pass"], ["python3", "-c", "import argparse, asyncio, json"]):
        times = {name: [] for name in how}
        for i in range(args.repeat + 1):
            for name, argv in how.items():
                begin = time.perf_counter()
                p = subprocess.run([*argv, *command], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
                if p.returncode:
                    sys.exit(f"{name}: {p.returncode}: {p.stderr}")
                if i:
                    times[name].append((time.perf_counter() - begin) * 1000)
        median = {name: statistics.median(v) for name, v in times.items()}
        print(f"{' '.join(command)}, {args.layers} layers:")
        for name, ms in median.items():
            ratio = f"  {ms / median['podman run']:5.2f} × podman" if peer else ""
            print(f"  {name:26}{ms:8.1f} ms ({min(times[name]):6.1f})  {ms / median['bwrap, flat']:5.2f} × bwrap{ratio}")


if __name__ == "__main__":
    main()
