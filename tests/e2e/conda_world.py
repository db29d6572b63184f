"""A channel on loopback, a user, and what an image of his holds: what the conda tests stand on."""
import glob
import gzip
import io
import json
import pathlib
import shutil
import sys
import tarfile

from conftest import ROOT, Env, base_files, make_layout

sys.path.insert(0, str(ROOT / "tests/fake"))
import conda_real  # noqa: E402
from conda_channel import PREFIX, Channel, make_package  # noqa: E402
from conda_server import Server  # noqa: E402

PYTHON = "#!/bin/sh\necho \"python $0 $@\"\n"


def made_python(version="3.11.9", **kw):
    """A package that says it is python; a script stands in for the program."""
    short = ".".join(version.split(".")[:2])
    return make_package("python", version, "h0_0_cpython", {f"bin/python{short}": PYTHON, "bin/python": ("->", f"python{short}"),
                                                            f"lib/python{short}/os.py": "import sys\n"}, **kw)


def python_package(name, version="1.0", *, build="pyh_0", depends=(), files=None, **kw):
    """noarch python with a dist-info, so that pip's part sees it."""
    info = f"site-packages/{name.replace('-', '_')}-{version}.dist-info"
    return make_package(name, version, build, {
        f"site-packages/{name.replace('-', '_')}.py": f"__version__ = {version!r}\n",
        f"{info}/INSTALLER": "conda\n", f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/RECORD": "", **(files or {})}, noarch="python", depends=["python >=3.8", *depends], **kw)


class World:
    def __init__(self, folder, base, served=None):
        self.folder, self.base = pathlib.Path(folder), base
        self.server = Server(served or self.folder / "served")
        self.channel = Channel(self.server.root / "chan")
        self.url = f"{self.server.url}/chan"
        self.env = self.user("one")
        self.more = []

    def user(self, name):
        """Another home and cache."""
        env = Env(self.folder / name)
        env.env["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple/"  # nobody: what asks PyPI for nothing fails
        return env

    def publish(self, *packages, **kw):
        self.channel.add(*packages).publish(**kw)
        return self

    def another(self, name, *packages, **kw):
        """A second channel on the same server: its URL."""
        Channel(self.server.root / name).add(*packages).publish(**kw)
        return f"{self.server.url}/{name}"

    def define(self, *specs, pip=(), channels=None, more="", name="train", env=None):
        """env.yml: spec n stands in line n + 3 when the list of channels is one line."""
        lines = [f"name: {name}", f"channels: {json.dumps(channels or [self.url])}", "dependencies:", *(f"- {json.dumps(s)}" for s in specs)]
        if pip:
            lines += ["- pip:", *(f"  - {json.dumps(p)}" for p in pip)]
        lines += ["envbuild:", f"  base: oci:{self.base}:base", *more.splitlines()]
        return (env or self.env).write("env.yml", "\n".join(lines) + "\n")

    def build(self, *args, code=0, env=None, **kw):
        return (env or self.env).run("build", "env.yml", *args, code=code, **kw)

    def lock(self, env=None, name="train"):
        return ((env or self.env).work / f"{name}.lock").read_text()

    def image(self, line=None, env=None):
        return Image(env or self.env, line or self.build(env=env).line)

    def forget(self, env=None):
        """No cache and no lock: the next build begins from nothing."""
        env = env or self.env
        shutil.rmtree(env.cache, ignore_errors=True)
        for lock in env.work.glob("*.lock"):
            lock.unlink()

    def close(self):
        self.server.close()


class Node:
    def __init__(self, member, data, of):
        self.kind = {tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.LNKTYPE: "h"}.get(member.type, "f")
        self.mode, self.link, self.owner, self.time = member.mode, member.linkname, (member.uid, member.gid), int(member.mtime)
        self.data, self.of = data, of

    @property
    def text(self):
        return self.data.decode()


class Image:
    """Layers by their text in the history; tree: path below /opt/env → Node, as stacking shows it."""

    def __init__(self, env, line):
        self.env, self.line = env, line
        self.manifest = self.json(line.split("@")[1])
        self.config = self.json(self.manifest["config"]["digest"])
        names = [h["created_by"] for h in self.config["history"]]
        self.layers = {n: d for n, d in zip(names, self.config["rootfs"]["diff_ids"])}
        self.all, self.in_layer = {}, {}
        for of, layer in zip(names, self.manifest["layers"]):
            self.in_layer[of] = self.stack(of, gzip.decompress(self.blob(layer["digest"])))
        self.tree = {p.removeprefix("opt/env/"): n for p, n in self.all.items() if p.startswith("opt/env/")}

    def blob(self, digest):
        return (self.env.cache / "oci/blobs/sha256" / digest.removeprefix("sha256:")).read_bytes()

    def json(self, digest):
        return json.loads(self.blob(digest))

    def stack(self, of, raw):
        seen = {}
        with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
            for m in tar:
                path = m.name.rstrip("/").removeprefix("./")
                assert path not in seen, f"{path} twice in the layer of {of}"
                assert not path.startswith("/") and ".." not in path.split("/")
                folder, _, base = path.rpartition("/")
                if base.startswith(".wh."):
                    gone = f"{folder}/{base[4:]}"
                    self.all = {p: n for p, n in self.all.items() if p != gone and not p.startswith(gone + "/")}
                    continue
                data = tar.extractfile(m).read() if m.isfile() else seen[m.linkname].data if m.islnk() else None
                seen[path] = self.all[path] = Node(m, data, of)
        return seen

    @property
    def variables(self):
        return dict(v.split("=", 1) for v in self.config["config"]["Env"])

    def metadata(self, name):
        """The record in conda-meta."""
        path, = (p for p in self.tree if p.startswith(f"conda-meta/{name}-") and json.loads(self.tree[p].data)["name"] == name)
        return json.loads(self.tree[path].data)

    @property
    def packages(self):
        """name → version of everything in conda-meta."""
        docs = [json.loads(n.data) for p, n in self.tree.items() if p.startswith("conda-meta/") and p.endswith(".json")]
        return {d["name"]: f"{d['version']}={d['build']}" for d in docs}


def glibc_base(folder):
    """busybox and this machine's libc: what a conda environment wants of a base."""
    libc = pathlib.Path(next(iter(glob.glob("/lib/*-linux-gnu/libc.so.6"))))
    names = ["libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libresolv.so.2"]
    loader = pathlib.Path("/lib64/ld-linux-x86-64.so.2")
    files = {"lib": ("link", "usr/lib"), "lib64": ("link", "usr/lib64"), "usr/lib": ("dir", 0o755, 0, 0), "usr/lib64": ("dir", 0o755, 0, 0),
             f"usr/lib64/{loader.name}": loader.read_bytes(), f"usr/lib/{libc.parent.name}": ("dir", 0o755, 0, 0)}
    files.update({f"usr/lib/{libc.parent.name}/{n}": (libc.parent / n).read_bytes() for n in names if (libc.parent / n).exists()})
    return make_layout(folder, base_files(files), {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["sh"]})


def locked(text, what="name"):
    """Values of one key over all artifacts, in order."""
    return [line.split(": ", 1)[1].strip('"') for line in text.splitlines() if line.strip().startswith(f"{what}: ")]


__all__ = ["PREFIX", "PYTHON", "Channel", "Image", "Node", "World", "conda_real", "glibc_base", "locked", "made_python", "make_package", "python_package"]
