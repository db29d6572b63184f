#!/usr/bin/env python3
"""Ratios against peers in one run (never a timed assertion in the test suite):

    build.py noop    a build with nothing to do         / skopeo inspect of the same image
    build.py cold    20 requirements from a loopback index/ uv pip install --target, then buildah add and commit
    build.py conda   60 packages from a loopback channel   / py-rattler install, then buildah add and commit

Run it with a release build: ENVBUILD_PROGRAM=build-release/builder/cli/envbuild. `cold` downloads its wheels once with pip, into
$BENCH_WHEELS (default: a temporary folder); uv and buildah must be on PATH. `conda` makes its channel once, into $BENCH_CONDA, and wants a python with
py-rattler==0.28.0 in $RATTLER_PYTHON. Prints seconds, peak memory, and the ratio.
"""
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests/fake")]
import conda_real  # noqa: E402
from conftest import Index, base_files, make_layout, program  # noqa: E402

WHEELS = ["numpy==2.1.3", "pandas==2.2.3", "scipy==1.14.1", "scikit-learn==1.5.2", "matplotlib==3.9.2", "requests==2.32.3", "PyJWT==1.7.1",
          "cryptography==43.0.3", "pillow==11.0.0", "pyyaml==6.0.2", "jinja2==3.1.4", "click==8.1.7", "rich==13.9.4", "tqdm==4.67.1",
          "attrs==24.2.0", "packaging==24.2", "aiohttp==3.11.8", "lxml==5.3.0", "sqlalchemy==2.0.36", "protobuf==5.28.3"]


def timed(args, env, cwd, repeat):
    """Median seconds, and peak memory (MB) by time(1): what wait4 says of a child begins with this interpreter's own size."""
    times, peak = [], 0
    clock = shutil.which("time") or sys.exit("time is needed: apt-get install time")
    for _ in range(repeat):
        with tempfile.NamedTemporaryFile("r") as memory:
            t = time.perf_counter()
            subprocess.run([clock, "-f", "%M", "-o", memory.name, *args], env=env, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - t)
            peak = max(peak, float(memory.read()) / 1024)
    return statistics.median(times), peak


def report(name, ours, peer, peer_name):
    print(f"{name}: envbuild {ours[0] * 1000:.1f} ms, {ours[1]:.0f} MB; {peer_name} {peer[0] * 1000:.1f} ms, {peer[1]:.0f} MB; "
          f"ratio {ours[0] / peer[0]:.2f}")


def prepare(tmp, pip):
    base = make_layout(tmp / "base", base_files(), {})
    work = tmp / "work"
    work.mkdir()
    (work / "env.yml").write_text(f"name: bench\ndependencies:\n  - pip: {pip}\nenvbuild: {{base: 'oci:{base}:base'}}\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp), "ENVBUILD_CACHE_DIR": str(tmp / "cache"), "LC_ALL": "C.UTF-8"}
    return work, env


def noop(tmp):
    spec = {"packages": {f"p{i}": {"1.0": {"pad": 1000 * i}} for i in range(30)}}
    (tmp / "index").mkdir()
    index = Index(tmp / "index", spec)
    work, env = prepare(tmp, [f"p{i}" for i in range(30)])
    env["PIP_INDEX_URL"] = index.url
    subprocess.run([program(), "build", "-q"], env=env, cwd=work, check=True, stdout=subprocess.DEVNULL)
    index.close()
    ours = timed([program(), "build", "-q"], env, work, 30)
    peer = timed(["skopeo", "inspect", f"oci:{tmp}/cache/oci:bench"], env, work, 30)
    report("noop", ours, peer, "skopeo inspect")


def download(folder):
    folder.mkdir(exist_ok=True)
    if not list(folder.glob("*.whl")):
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--only-binary", ":all:", "--python-version", "3.11", "--platform",
                        "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64", "--platform", "any", "-d", str(folder), *WHEELS], check=True)
    return sorted(folder.glob("*.whl"))


def cold(tmp):
    wheels = download(pathlib.Path(os.environ.get("BENCH_WHEELS", tmp / "wheels")))
    (tmp / "index").mkdir()
    index = Index(tmp / "index", {"packages": {}, "set": {"max_age": "600"}})
    for w in wheels:
        shutil.copy(w, index.wheels)
    index.close()
    index = Index(tmp / "index", {"packages": {}, "set": {"max_age": "600"}})
    requirements = tmp / "r.txt"
    requirements.write_text("\n".join(WHEELS))
    work, env = prepare(tmp, "[\"" + "\", \"".join(WHEELS) + "\"]")
    env["PIP_INDEX_URL"] = index.url

    def ours():
        shutil.rmtree(tmp / "cache", ignore_errors=True)
        (work / "bench.lock").unlink(missing_ok=True)
        return timed([program(), "build", "-q"], env, work, 1)

    def peer():
        for d in ("target", "uvcache"):
            shutil.rmtree(tmp / d, ignore_errors=True)
        script = (f"uv pip install -q --target {tmp}/target --python-version 3.11 --cache-dir {tmp}/uvcache --default-index {index.url} "
                  f"-r {requirements} && c=$(buildah from scratch) && buildah add -q $c {tmp}/target /opt/env >/dev/null && "
                  f"buildah commit -q $c oci:{tmp}/peer:bench && buildah rm $c")
        return timed(["sh", "-c", script], {**env, "XDG_RUNTIME_DIR": str(tmp)}, work, 1)

    a, b = [ours() for _ in range(3)], [peer() for _ in range(3)]
    report("cold", min(a), min(b), "uv + buildah")
    index.close()


def conda(tmp):
    folder = os.environ.get("BENCH_CONDA", tmp / "conda")
    channel = conda_real.make(folder, ROOT / "tests/bench/requirements-conda.txt")
    names = sorted({p.name.rsplit("-", 2)[0] for p in channel.glob("*/*.conda")} - LEFT_OUT)
    server = subprocess.Popen([sys.executable, str(ROOT / "tests/fake/conda_server.py"), str(channel.parent)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    url = f"http://127.0.0.1:{int(server.stdout.readline())}/chan"
    base = make_layout(tmp / "base", base_files(), {})
    work = tmp / "work"
    work.mkdir()
    (work / "env.yml").write_text(f"name: bench\nchannels: ['{url}']\ndependencies: [{', '.join(names)}]\nenvbuild: {{base: 'oci:{base}:base'}}\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp), "ENVBUILD_CACHE_DIR": str(tmp / "cache"), "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": str(tmp)}
    python = os.environ.get("RATTLER_PYTHON") or sys.exit("RATTLER_PYTHON is to name a python with py-rattler==0.28.0")
    script = (f"{python} {ROOT}/tests/bench/rattler_install.py {url} {tmp}/target {tmp}/rattler {' '.join(names)} && c=$(buildah from scratch) && "
              f"buildah add -q $c {tmp}/target/opt/env /opt/env >/dev/null && buildah commit -q $c oci:{tmp}/peer:bench && buildah rm $c")

    def ours():
        shutil.rmtree(tmp / "cache", ignore_errors=True)
        (work / "bench.lock").unlink(missing_ok=True)
        return timed([program(), "build", "-q"], env, work, 1)

    def peer():
        for d in ("target", "rattler", "peer"):
            shutil.rmtree(tmp / d, ignore_errors=True)
        return timed(["sh", "-c", script], env, work, 1)

    print(f"conda: {len(names)} names asked for")
    a, b = [ours() for _ in range(3)], [peer() for _ in range(3)]
    report("conda", min(a), min(b), "py-rattler + buildah")
    server.stdin.close()
    server.wait()


LEFT_OUT = {"clobber", "cuda-thing", "links", "post-linked", "mkl", "blas"}  # of the channel: what is there for other tests


def main():
    which = sys.argv[1:] or ["noop", "cold", "conda"]
    for name in which:
        with tempfile.TemporaryDirectory() as tmp:
            {"noop": noop, "cold": cold, "conda": conda}[name](pathlib.Path(tmp))


main()
