"""Other people's programs over our images: they accept them, run them, and lay out the same files.

By hand: ENVBUILD_PROGRAM=build/builder/cli/envbuild python3 -m pytest tests/e2e/test_judges.py
The image `made` needs no network; `conda` is made of Debian's and PyPI's packages; `-m full` adds real ones from there (JUDGES_CACHE=DIR keeps
them). A judge that is not installed is skipped by name; most want root. Every judge has a fresh store, so that it reads our bytes and not its
memory of them.
"""
import contextlib
import gzip
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
import zlib

import pytest

from conftest import ROOT, SPEC, Env, Index, base_files, make_layout
from container_world import daemon
from conda_world import World, conda_real, glibc_base
from image_tree import Stack, blob, config, differences, manifest, on_disk

CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
BUILDAH_RUN = ("--isolation", "oci", "--runtime", shutil.which("runc") or "runc")


def need(*tools, root=False):
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if root and os.geteuid() != 0:
        pytest.skip(f"{tools[0]} is asked as root here")


def sh(*args, **kw):
    kw.setdefault("check", True)
    p = subprocess.run([str(a) for a in args], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, **{**kw, "check": False})
    assert not kw["check"] or p.returncode == 0, f"{' '.join(map(str, args))}: exit {p.returncode}\n{p.stdout}\n{p.stderr}"
    return p.stdout


class Image:
    """A built image: the store it is in, a layout that holds nothing else, and a command with its answer."""

    def __init__(self, env, definition, folder, command, answer):
        self.env, self.command, self.answer = env, command, answer
        self.line = env.run("build", definition).line
        self.name, self.digest = self.line.split("@")
        self.layout = folder / "layout"
        sh("skopeo", "copy", "--preserve-digests", f"oci:{env.cache}/oci:{self.name}", f"oci:{self.layout}:{self.name}")
        assert manifest(self.layout)[0] == self.digest
        self.ref = f"oci:{self.layout}:{self.name}"
        self.stack = Stack(self.layout)
        self.told = self.stack.listing()

    def compare(self, root, ignore=()):
        # a root that no layer lists has the attributes its unpacker likes
        seen = on_disk(root, self.stack.loose, skip={"."} - set(self.told))
        bad = differences(self.told, seen, ignore)
        assert not bad, f"{len(bad)} differences\n" + "\n".join(bad[:40])

    def says(self, output):
        assert output.splitlines()[-1:] == [self.answer], output


def made(folder):
    """Everything that unpackers disagree about: set-gid and sticky folders that we pass through, links, long and foreign names, empty files."""
    (folder / "index").mkdir()
    long = "/".join(["deep" * 12] * 5)
    names = {f"odd/{long}/module.py": "x = 1\n", "odd/naïve-ß-日本.txt": "é\n", "odd/empty": "", f"odd/{'n' * 150}.py": "y = 2\n"}
    spec = {"packages": {**SPEC["packages"], "odd": {"1.0": {"files": names, "entry_points": "[console_scripts]\nodd = odd:main\n"}}}}
    index = Index(folder / "index", spec)
    base = make_layout(folder / "base", base_files({"opt": ("dir", 0o2775, 0, 50), "srv": ("dir", 0o750, 7, 7)}),
                       {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["sh"]})
    env = Env(folder / "one")
    env.env["PIP_INDEX_URL"] = index.url
    env.write("motd", "hello\n")
    env.write("env.yml", "name: made\ndependencies:\n  - pip: [PyJWT<2, requests, odd, big, wide]\nvariables: {STAGE: dev}\nenvbuild:\n"
                         f"  base: oci:{base}:base\n  files: {{/srv/motd: motd, /tmp/motd: motd, /root/.config/motd: motd}}\n")
    try:
        return Image(env, "env.yml", folder, ["/opt/env/bin/python", "hello"], "python /opt/env/bin/python hello")
    finally:
        index.close()


def conda(folder):
    """A python out of conda packages on a base that has a libc and nothing more; CONDA_REAL_DIR keeps the channel."""
    served = conda_real.make(os.environ.get("CONDA_REAL_DIR", folder / "real")).parent
    world = World(folder, glibc_base(folder / "base"), served)
    world.define("python", "numpy", "pandas", "requests", "links", "clobber", name="science")
    script = "import numpy, pandas, sys; print(sys.prefix, int(pandas.DataFrame({'a': numpy.arange(5)}).a.sum()))"
    try:
        return Image(world.env, "env.yml", folder, ["python", "-c", script], "/opt/env 10")
    finally:
        world.close()


REAL = {
    "train": ("name: train\ndependencies:\n  - pip: ['PyJWT<2', requests]\nvariables: {STAGE: dev}\n",
              "import jwt, os; print(jwt.__version__, os.environ['STAGE'])", "1.7.1 dev"),
    "media": ("name: media\ndependencies:\n  - pip: [six]\nenvbuild:\n  base: recipe:debian-13-python\n  apt: [libgl1, ffmpeg, git, gcc]\n",
              "import six, subprocess; print(subprocess.run(['git', '--version'], capture_output=True, text=True).stdout.split()[0])", "git"),
    "media12": ("name: media12\ndependencies:\n  - pip: [six]\nenvbuild:\n  base: recipe:debian-12-python\n  apt: [libgl1, ffmpeg, git, gcc]\n",
                "import six, subprocess; print(subprocess.run(['ffmpeg', '-version'], capture_output=True, text=True).stdout.split()[0])", "ffmpeg"),
}


def real_env(folder):
    env = Env(folder / "one")
    env.env["ENVBUILD_RECIPES"] = str(ROOT / "recipes")
    if "JUDGES_CACHE" in os.environ:
        env.env["ENVBUILD_CACHE_DIR"] = os.environ["JUDGES_CACHE"]
    return env


def real(folder, name):
    text, script, answer = REAL[name]
    env = real_env(folder)
    env.write("env.yml", text)
    return Image(env, "env.yml", folder, ["python", "-c", script], answer)


@pytest.fixture(scope="module", params=["made", "conda", *(pytest.param(n, marks=pytest.mark.full) for n in REAL)])
def image(request, tmp_path_factory):
    need("skopeo")
    folder = tmp_path_factory.mktemp(request.param)
    return {"made": made, "conda": conda}.get(request.param, lambda f: real(f, request.param))(folder)


# ---- documents


def test_skopeo_inspects(image):
    raw = sh("skopeo", "inspect", "--raw", image.ref)
    assert json.loads(raw) == manifest(image.layout)[1]
    told = json.loads(sh("skopeo", "inspect", image.ref))
    assert (told["Digest"], told["Os"], told["Architecture"]) == (image.digest, "linux", "amd64")
    assert json.loads(sh("skopeo", "inspect", "--config", image.ref)) == config(image.layout)


def test_oci_image_tool_validates(image):
    need("oci-image-tool")
    sh("oci-image-tool", "validate", "--type", "image", "--ref", f"name={image.name}", image.layout)


# ---- programs that lay out files, without a daemon


@pytest.fixture
def containers(tmp_path):
    """The environment of podman and buildah, with a store of its own."""
    (tmp_path / "containers.conf").write_text(CONTAINERS_CONF + f'tmp_dir = "{tmp_path}/libpod"\n')
    (tmp_path / "storage.conf").write_text(f'[storage]\ndriver = "overlay"\nrunroot = "{tmp_path}/run"\ngraphroot = "{tmp_path}/store"\n')
    env = {**os.environ, "CONTAINERS_CONF": f"{tmp_path}/containers.conf", "CONTAINERS_STORAGE_CONF": f"{tmp_path}/storage.conf",
           "HOME": str(tmp_path)}
    yield env
    if shutil.which("podman"):
        sh("podman", "image", "unmount", "--all", env=env, check=False)
        sh("podman", "system", "reset", "--force", env=env, check=False)


def podman_run(env, image, *command):
    """Not `run --rm`: podman 4.3 at times waits 20 s for a command that ends at once."""
    name = sh("podman", "run", "--detach", image, *command, env=env).split()[-1]
    assert sh("podman", "wait", name, env=env) == "0\n"
    return sh("podman", "logs", name, env=env)


def test_podman(image, containers):
    need("podman", "runc", root=True)
    image.says(podman_run(containers, image.ref, *image.command))
    name = sh("podman", "images", "--quiet", env=containers).split()[0]
    image.compare(sh("podman", "image", "mount", name, env=containers).strip())


def test_buildah(image, containers):
    need("buildah", root=True)
    name = sh("buildah", "from", image.ref, env=containers).split()[-1]
    image.compare(sh("buildah", "mount", name, env=containers).strip())
    image.says(sh("buildah", "run", *BUILDAH_RUN, name, "--", *image.command, env=containers))
    sh("buildah", "rm", name, env=containers)


def bundle_config(bundle, args):
    path = bundle / "config.json"
    doc = json.loads(path.read_text())
    doc["process"].update(terminal=False, args=args)
    doc["process"].pop("rlimits", None)
    path.write_text(json.dumps(doc))


@pytest.fixture
def bundle(image, tmp_path):
    need("umoci")
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    sh("umoci", "unpack", *rootless, "--image", f"{image.layout}:{image.name}", tmp_path / "bundle")
    bundle_config(tmp_path / "bundle", image.command)
    return tmp_path / "bundle"


def test_umoci_and_runc(image, bundle, tmp_path):
    need("runc", root=True)
    image.compare(bundle / "rootfs")
    image.says(sh("runc", "--root", tmp_path / "runc", "run", "--bundle", bundle, "judge"))


def test_umoci_and_crun(image, bundle, tmp_path):
    need("crun", root=True)
    line = 'umount /sys/fs/cgroup/unified 2>/dev/null; exec crun --root "$1" --cgroup-manager=disabled run --bundle "$2" judge'
    image.says(sh("unshare", "-m", "sh", "-c", line, "sh", tmp_path / "crun", bundle))


def test_umoci_rootless(image, tmp_path):
    need("umoci")
    sh("umoci", "unpack", "--rootless", "--image", f"{image.layout}:{image.name}", tmp_path / "bundle")
    image.compare(tmp_path / "bundle/rootfs", ignore=("owner",))


def image_environment(image):
    return dict(e.split("=", 1) for e in config(image.layout)["config"]["Env"])


def test_bwrap(image, bundle):
    need("bwrap")
    image.says(sh("bwrap", "--ro-bind", bundle / "rootfs", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--unshare-all",
                  "--die-with-parent", *image.command, env=image_environment(image)))


def test_charliecloud(image, bundle):
    need("ch-run")
    image.says(sh("ch-run", "--set-env=" + str(environment_file(image, bundle)), bundle / "rootfs", "--", *image.command, env={**os.environ, "USER": "me"}))


def environment_file(image, bundle):
    path = bundle / "environment"
    path.write_text("".join(f"{k}={v}\n" for k, v in image_environment(image).items()))
    return path


# ---- daemons, from a registry


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def pushed(image, tmp_path):
    """The image in a registry of its own."""
    need("docker-registry")
    port = free_port()
    (tmp_path / "registry.yml").write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\n"
                                           f'http: {{addr: "127.0.0.1:{port}", secret: fixed, relativeurls: true}}\n')
    with daemon(["docker-registry", "serve", tmp_path / "registry.yml"], tmp_path / "registry.log", lambda: answers(port)):
        name = f"127.0.0.1:{port}/judge/{image.name}:t"
        sh("skopeo", "copy", "--preserve-digests", "--dest-tls-verify=false", image.ref, f"docker://{name}", env={**os.environ, "HOME": str(tmp_path)})
        yield name


def without_pigz(folder):
    """A PATH with every program of this one but pigz."""
    folder.mkdir()
    for entry in os.environ["PATH"].split(":"):
        for p in pathlib.Path(entry).glob("*"):
            if p.name not in ("pigz", "unpigz", "igzip") and not (folder / p.name).exists():
                (folder / p.name).symlink_to(p)
    return str(folder)


@pytest.fixture(params=["pigz", "no pigz"])
def path(request, tmp_path):
    if request.param == "pigz":
        need("unpigz")
        return os.environ["PATH"]
    return without_pigz(tmp_path / "bin")


@pytest.fixture
def containerd(tmp_path, path):
    need("containerd", "ctr", "runc", root=True)
    sock = tmp_path / "c.sock"
    (tmp_path / "containerd.toml").write_text(
        f'version = 2\nroot = "{tmp_path}/c"\nstate = "{tmp_path}/cs"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\n  address = "{sock}"\n[ttrpc]\n  address = "{sock}.ttrpc"\n')
    with daemon(["containerd", "-c", tmp_path / "containerd.toml"], tmp_path / "containerd.log", sock.exists, {**os.environ, "PATH": path}):
        yield sock


def test_containerd(image, pushed, containerd, tmp_path):
    ctr = ["ctr", "-a", containerd]
    sh(*ctr, "images", "pull", "--plain-http", pushed)
    assert image.digest in sh(*ctr, "images", "list")
    (tmp_path / "m").mkdir()
    sh(*ctr, "images", "mount", pushed, tmp_path / "m")
    try:
        image.compare(tmp_path / "m")
    finally:
        sh(*ctr, "images", "unmount", tmp_path / "m")
    image.says(sh(*ctr, "run", "--rm", "--net-host", pushed, "judge", *in_path(image)))


def in_path(image):
    """ctr looks for a command in its own PATH, so it wants a whole one."""
    return [image.command[0] if image.command[0].startswith("/") else f"/opt/env/bin/{image.command[0]}", *image.command[1:]]


@contextlib.contextmanager
def overlay(lower, at):
    at.mkdir()
    sh("mount", "-t", "overlay", "overlay", "-o", "ro,lowerdir=" + lower, at)
    try:
        yield at
    finally:
        sh("umount", at)


def test_dockerd(image, pushed, containerd, path, tmp_path):
    need("dockerd", "docker", root=True)
    sock = tmp_path / "d.sock"
    args = ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=overlay2", "--data-root", tmp_path / "d", "--exec-root",
            tmp_path / "x", "-H", f"unix://{sock}", "--pidfile", tmp_path / "pid", "--containerd", containerd,
            "--insecure-registry", pushed.split("/")[0], "--default-ulimit", "nofile=1024:1024"]
    docker = ["docker", "-H", f"unix://{sock}"]
    with daemon(args, tmp_path / "dockerd.log", sock.exists, {**os.environ, "PATH": path}):
        assert image.digest in sh(*docker, "pull", pushed)
        image.says(sh(*docker, "run", "--rm", "--network", "none", pushed, *image.command))
        told = json.loads(sh(*docker, "image", "inspect", pushed))[0]
        assert told["Id"] == manifest(image.layout)[1]["config"]["digest"]
        data = told["GraphDriver"]["Data"]
        links = {os.readlink(p): p.name for p in (tmp_path / "d/overlay2/l").iterdir()}
        with pytest.MonkeyPatch.context() as patch:
            # the paths of many layers are longer than a page: docker's own short links
            patch.chdir(tmp_path / "d/overlay2/l")
            layers = [data["UpperDir"], *filter(None, data.get("LowerDir", "").split(":"))]
            short = [links["../" + os.path.relpath(p, tmp_path / "d/overlay2")] for p in layers]
            with overlay(":".join(short if len(short) > 1 else [*short, tmp_path.as_posix()]), tmp_path / "merged") as root:
                image.compare(root)


# ---- our own


def test_envbuild_run(image):
    need("bwrap")
    image.says(image.env.run("run", image.line, "--", *image.command).out)


def test_our_own_layout_of_files(image, tmp_path):
    """The kernel stacks what sandbox/unpack.c made."""
    if os.geteuid() != 0:
        pytest.skip("overlay is mounted as root here")
    image.env.run("run", image.line, "--", *image.command)
    unpacked = image.env.cache / "unpacked"
    lower = [unpacked / d.removeprefix("sha256:") for d in reversed(config(image.layout)["rootfs"]["diff_ids"])]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(unpacked)
        with overlay(":".join(p.name for p in lower), tmp_path / "m") as root:
            image.compare(root)


# ---- what the files are for


@pytest.fixture
def real_home(tmp_path):
    return real_env(tmp_path)


def build(env, name, pip, base="recipe:debian-13-python"):
    env.write(f"{name}.yml", f"name: {name}\ndependencies:\n  - pip: {json.dumps(pip)}\nenvbuild:\n  base: {base}\n")
    return env.run("build", f"{name}.yml").line


def locked(env, name):
    """The wheels of a lock: name → version."""
    blocks = (env.work / f"{name}.lock").read_text().split("- kind: ")
    rows = [dict(line.strip().split(": ", 1) for line in b.splitlines()[1:] if ": " in line) for b in blocks if b.startswith("wheel")]
    return {r["name"]: r["version"].strip('"') for r in rows}


@pytest.mark.full
def test_pip_list_equals_the_lock(real_home, tmp_path):
    """pip runs from its wheel, which is seen in the image but not installed there."""
    need("bwrap", "python3")
    wheels = tmp_path / "wheels"
    sh("python3", "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", wheels, "pip")
    wheel, = wheels.iterdir()
    line = build(real_home, "many", ["PyJWT<2", "requests", "jupyterlab-server", "attrs", "zope.interface", "ruamel.yaml"])
    out = real_home.run("run", "--volume", f"{wheels}:/wheels", line, "--", "env", f"PYTHONPATH=/wheels/{wheel.name}", "python", "-m", "pip", "list",
                        "--format", "json", "--disable-pip-version-check").out
    plain = lambda name: name.lower().replace("_", "-").replace(".", "-")
    seen = {plain(p["name"]): p["version"] for p in json.loads(out)}
    seen.pop("pip", None)  # whether it lists itself is its own affair
    assert seen == {plain(n): v for n, v in locked(real_home, "many").items()}
    check = real_home.run("run", "--volume", f"{wheels}:/wheels", line, "--", "env", f"PYTHONPATH=/wheels/{wheel.name}", "python", "-m", "pip", "check")
    assert "No broken requirements" in check.out


@pytest.mark.full
def test_the_error_that_started_it(real_home):
    """jwt.decode(token, key) without algorithms: fine before PyJWT 2, an error since."""
    need("bwrap")
    script = "import jwt; t = jwt.encode({'a': 1}, 'k' * 32, algorithm='HS256'); print(jwt.decode(t, 'k' * 32))"
    assert real_home.run("run", build(real_home, "old", ["PyJWT<2"]), "--", "python", "-c", script).out == "{'a': 1}\n"
    r = real_home.run("run", build(real_home, "new", ["PyJWT"]), "--", "python", "-c", script, code=1)
    assert r.err.splitlines()[-1].startswith("jwt.exceptions.DecodeError: It is required that you pass in a value for the \"algorithms\" argument")


@pytest.mark.full
def test_apt_in_a_derived_image(real_home, containers):
    need("buildah", "podman", "runc", root=True)
    name = build(real_home, "derive", ["six"]).split("@")[0]
    box = sh("buildah", "from", f"oci:{real_home.cache}/oci:{name}", env=containers).split()[-1]
    command = "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends hello tree && dpkg --audit"
    sh("buildah", "run", *BUILDAH_RUN, box, "--", "sh", "-ec", command, env=containers)
    sh("buildah", "commit", "--quiet", box, "derived", env=containers)
    assert podman_run(containers, "localhost/derived", "sh", "-c", "hello && python -c 'import six'") == "Hello, world!\n"


ALONE = ("attrs certifi charset-normalizer click colorama filelock idna iniconfig lxml markupsafe msgpack numpy packaging pillow platformdirs pluggy "
         "psutil pytz pyyaml regex setuptools six tabulate toml typing-extensions tzdata urllib3 pathspec wrapt zipp").split()


def layers_of(env, line):
    doc = json.loads(blob(env.cache / "oci", line.split("@")[1]).read_bytes())
    return [blob(env.cache / "oci", d["digest"]).read_bytes() for d in doc["layers"]]


def body(layer):
    """What follows the folders: in the tar exactly; of the compressed bytes all but a few at either end, where frames differ."""
    raw, at, packed = gzip.decompress(layer), 0, 0
    while raw[at + 156:at + 157] == b"5":
        at += 512
    inflate, given = zlib.decompressobj(31), 0
    while given < at:
        given += len(inflate.decompress(layer[packed:packed + 1]))
        packed += 1
    return raw[at:-1024], layer[packed + 16:-48]


@pytest.mark.full
def test_a_wheel_has_the_same_bytes_in_any_company(tmp_path, base_layout):
    """Each alone in one store, all in another: a big one is the same layer, a small one's body is found in its bucket bit by bit."""
    alone, together = Env(tmp_path / "alone"), Env(tmp_path / "together")
    base = f"oci:{base_layout}:base"
    mixed = layers_of(together, build(together, "all", ALONE, base))
    own = buckets = 0
    for name in ALONE:
        layer = layers_of(alone, build(alone, name, [name], base))[-1]
        if layer in mixed:
            own += 1
            continue
        raw, packed = body(layer)
        assert len(raw) > 1024 and packed
        assert [m for m in mixed if packed in m and raw in gzip.decompress(m)], f"{name}: other bytes among others"
        buckets += 1
    assert own >= 5 and buckets >= 5
