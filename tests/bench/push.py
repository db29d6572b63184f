#!/usr/bin/env python3
"""Pushes against peers in one run (never a timed assertion in the test suite):

    push.py [--mb 1000] [--layers 60] [--repeat 3] [--latency MS] [--registry NAME]

An image of so many layers goes from a store to a registry on loopback: docker-registry, or another program that is installed (on PATH or in
$JUDGES_DIR), a build of distribution (registry3) or one that listens where its one argument says (ocireg, refreg). All blobs missing, one missing, none missing; by envbuild, `skopeo copy`, and
`crane push` where it is installed (on PATH or in $JUDGES_DIR). Each push begins with a fresh registry. Prints seconds (median), peak memory and ratios;
for the last case also how many requests were made. --latency puts a proxy that adds so much to every request in front of the registry.
Run it with a release build: ENVBUILD_PROGRAM=build-release/builder/cli/envbuild
"""
import argparse
import contextlib
import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests/fake")]
os.environ["PATH"] = os.pathsep.join(filter(None, [os.environ.get("JUDGES_DIR"), os.environ["PATH"]]))
from conftest import program  # noqa: E402
from registry_proxy import Proxy  # noqa: E402
from registry_world import Registry  # noqa: E402

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def layer(rng, size):
    """A tar of one file that does not compress, as gzip: what a layer of binaries is."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        info = tarfile.TarInfo(f"opt/{rng.random()}")
        info.size = size
        t.addfile(info, io.BytesIO(rng.randbytes(size)))
    tar = out.getvalue()
    return gzip.compress(tar, 1, mtime=0), "sha256:" + hashlib.sha256(tar).hexdigest()


class Store:
    """An envbuild store that holds images `a` and `b`, which differ in one layer. Its oci/ is the layout that the peers read."""

    def __init__(self, folder, mb, n):
        rng = random.Random(1)
        self.folder, self.blobs = folder, folder / "oci/blobs/sha256"
        self.blobs.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "oci/oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        weights = [1 + 9 * i / n for i in range(n)]
        layers = [self.put(*layer(rng, int(mb * 1e6 * w / sum(weights)))) for w in weights]
        other = self.put(*layer(rng, int(mb * 1e6 / n)))
        self.index = [self.image("a", layers), self.image("b", layers[:-1] + [other])]
        (folder / "oci/index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": self.index}))

    def blob(self, data):
        digest = hashlib.sha256(data).hexdigest()
        (self.blobs / digest).write_bytes(data)
        return {"digest": "sha256:" + digest, "size": len(data)}

    def put(self, data, diff_id):
        return {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", **self.blob(data)}, diff_id

    def image(self, name, layers):
        config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [d for _, d in layers]}}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": [x for x, _ in layers],
                    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **self.blob(json.dumps(config).encode())}}
        desc = {"mediaType": MANIFEST, **self.blob(json.dumps(manifest).encode()), "annotations": {"org.opencontainers.image.ref.name": name}}
        (self.folder / "refs" / hashlib.sha256(f"{name}:latest".encode()).hexdigest()).write_text(json.dumps(desc))
        return desc


def measure(args, env):
    """Seconds, and peak memory (MB) by time(1): what wait4 says of a child begins with this interpreter's own size."""
    clock = shutil.which("time") or sys.exit("time is needed: apt-get install time")
    with tempfile.NamedTemporaryFile("r") as memory:
        t = time.perf_counter()
        p = subprocess.run([clock, "-f", "%M %U %S", "-o", memory.name, *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        t = time.perf_counter() - t
        assert p.returncode == 0, p.stderr
        kb, user, system = memory.read().split()
    return t, float(kb) / 1024, float(user) + float(system)


def tools(store):
    copy = ["skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false"]
    found = {"envbuild": lambda image, to: [program(), "push", "-q", image, to],
             "skopeo": lambda image, to: [*copy, f"oci:{store.folder}/oci:{image}", f"docker://{to}"]}
    crane = shutil.which("crane")
    if crane:
        for image in "ab":  # it reads a layout of one image
            folder = store.folder.parent / f"crane-{image}"
            shutil.copytree(store.folder / "oci", folder, copy_function=os.link)
            (folder / "index.json").unlink()
            (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [d for d in store.index if image in
                                                           d["annotations"].values()]}))
        found["crane"] = lambda image, to: [crane, "push", "--insecure", str(store.folder.parent / f"crane-{image}"), to]
    return found


class Listening:
    """A server that keeps all in memory and no log: what was asked is not known, what is there not looked at."""

    def __init__(self, name):
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as s:
            self.port = s.getsockname()[1]
        self.name = f"127.0.0.1:{self.port}"
        self.proc = subprocess.Popen([name, self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while self.proc.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
        sys.exit(f"{name} did not start")

    def requests(self):
        return []

    def whole(self, repo, ref):
        pass

    def close(self):
        self.proc.kill()
        self.proc.wait()


class Run:
    def __init__(self, tmp, o):
        self.tmp, self.o, self.n = tmp, o, 0
        self.store = Store(tmp / "store", o.mb, o.layers)
        self.env = {"PATH": os.environ["PATH"], "HOME": str(tmp), "ENVBUILD_CACHE_DIR": str(self.store.folder), "LC_ALL": "C.UTF-8"}

    def push(self, registry, command, image):
        proxy = Proxy(registry.port) if self.o.latency else None
        if proxy:
            proxy.latency = self.o.latency / 1000
        before = len(registry.requests())
        took = measure(command(image, f"{(proxy or registry).name}/team/x:1"), self.env)
        asked = len(registry.requests()) - before
        if proxy:
            proxy.close()
        registry.whole("team/x", "1")
        return (*took, asked)

    def once(self, command):
        """All missing, one missing, none missing."""
        self.n += 1
        folder = self.tmp / f"registry{self.n}"
        registry = Registry(folder, program=self.o.registry) if "registry" in self.o.registry else Listening(self.o.registry)
        try:
            return [self.push(registry, command, image) for image in "abb"]
        finally:
            registry.close()
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(self.store.folder / "origins", ignore_errors=True)  # what it remembers of that registry


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--mb", type=int, default=1000)
    p.add_argument("--layers", type=int, default=60)
    p.add_argument("--repeat", type=int, default=3)
    p.add_argument("--latency", type=float, default=0)
    p.add_argument("--registry", default="docker-registry")
    o = p.parse_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_TMP")) as tmp:
        run = Run(pathlib.Path(tmp), o)
        commands = tools(run.store)
        got = {name: [] for name in commands}
        for _ in range(o.repeat):
            for name, command in commands.items():
                got[name].append(run.once(command))
        for i, case in enumerate(("all missing", "one missing", "none missing")):
            ours = statistics.median(g[i][0] for g in got["envbuild"])
            for name, g in got.items():
                seconds = statistics.median(x[i][0] for x in g)
                print(f"{case}: {name} {seconds * 1000:.0f} ms, {max(x[i][1] for x in g):.0f} MB, {statistics.median(x[i][2] for x in g):.2f} s of CPU, "
                      f"{g[-1][i][3]} requests; ratio {ours / seconds:.2f}", flush=True)


if __name__ == "__main__":
    main()
