"""A python that starts, numpy and pandas out of a made channel, in bubblewrap: as root and as a user. Downloads from Debian and PyPI once, into
CONDA_REAL_DIR (the build tree's, from meson)."""
import json
import os
import platform
import re
import shutil

import pytest

from conda_world import PREFIX, World, conda_real, glibc_base, locked
from conftest import ROOT, Index, let_pass

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="the bases of these tests are made of this machine's libc, for amd64")
USERS = ["root", "nobody"] if os.geteuid() == 0 else ["self"]
SCRIPT = """
import json, sys, sysconfig
import numpy, pandas, requests, ssl, sqlite3, ctypes, bz2, lzma, readline, curses, zlib, uuid
import importlib.metadata as m
print(json.dumps({"prefix": sys.prefix, "executable": sys.executable, "sum": int(pandas.DataFrame({"a": numpy.arange(5)}).a.sum()),
    "include": sysconfig.get_config_var("INCLUDEDIR"), "purelib": sysconfig.get_path("purelib"), "path": [p for p in sys.path if p],
    "files": [numpy.__file__, requests.__file__], "dists": sorted(d.name for d in m.distributions()),
    "installers": sorted({(d.read_text("INSTALLER") or "").strip() for d in m.distributions()})}))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = os.environ.get("CONDA_REAL_DIR") or tmp_path_factory.mktemp("real")
    return conda_real.make(folder).parent


@pytest.fixture(scope="module")
def world(tmp_path_factory, served):
    folder = tmp_path_factory.mktemp("conda")
    w = World(folder, glibc_base(folder / "base"), served)
    w.env.base = w.base
    w.define("python", "numpy", "pandas", "requests", "links", "post-linked", "clobber")
    r = w.build()
    w.line, w.told = r.line, r.err
    w.popen = {u: let_pass(w.env, "nobody") if u == "nobody" else {} for u in USERS}
    if "nobody" in w.popen:
        w.env.run("run", w.line, "--", "true", **w.popen["nobody"])
    yield w
    w.close()


def python(world, user, *args, **kw):
    return world.env.run("run", world.line, "--", "python", *args, **world.popen[user], **kw)


@pytest.mark.parametrize("user", USERS)
def test_numpy_and_pandas_run(world, user):
    told = json.loads(python(world, user, "-c", SCRIPT).out)
    short = re.search(r"python(3\.\d+)", told["purelib"]).group(1)
    sp = f"/opt/env/lib/python{short}/site-packages"
    assert told["prefix"] == "/opt/env" and told["executable"] == "/opt/env/bin/python" and told["sum"] == 10
    assert told["include"] == "/opt/env/include" and told["purelib"] == sp
    assert all(p.startswith("/opt/env/") for p in told["path"] + told["files"])
    assert {"numpy", "pandas", "requests", "python-dateutil", "pytz", "six", "tzdata"} <= set(told["dists"])
    assert told["installers"] == ["conda"]


def test_shipped_byte_code_is_used(world):
    """No module of a package that ships .pyc is compiled again; noarch ones have none."""
    err = python(world, USERS[0], "-v", "-c", "import numpy, pandas").err
    used = re.findall(r"^# code object from '(.*\.pyc)'", err, re.M)
    assert len([p for p in used if "/site-packages/numpy/" in p]) > 20 and len([p for p in used if "/site-packages/pandas/" in p]) > 100
    compiled = re.findall(r"^# code object from (/\S+\.py)$", err, re.M)
    assert not [p for p in compiled if "/numpy/" in p or "/pandas/" in p or ("site-packages" not in p and "_sysconfigdata" not in p)], compiled


def test_scripts_start(world):
    assert "charset" in world.env.run("run", world.line, "--", "normalizer", "--version").out.lower()
    image = world.image(world.line)
    short = image.packages["python"].rsplit(".", 1)[0]
    assert image.tree["bin/normalizer"].text.startswith(f"#!/opt/env/bin/python{short}\n")
    assert world.env.run("run", world.line, "--", f"pydoc{short}", "os.path").out


def test_nothing_of_the_build_is_left(world):
    image = world.image(world.line)
    assert not [p for p, n in image.all.items() if n.data and PREFIX.encode() in n.data and not p.startswith("opt/env/conda-meta/")]
    assert f"{PREFIX}" not in json.dumps(image.config)
    assert "post-linked" in world.told and "EB530" in world.told
    assert "post-linked" not in {p for p in image.tree}
    assert image.variables["SSL_CERT_DIR"] == "/etc/ssl/certs"
    assert image.tree["lib/libblas.txt"].text == "by clobber\n" and "lib/libblas.txt" in world.told
    assert image.packages["libblas"] == "3.9.0=1_openblas"


def test_same_image_elsewhere(world):
    other = world.user("two")
    shutil.copy(world.env.work / "env.yml", other.work)
    assert other.run("build", "env.yml", "-j", "8").line == world.line
    assert (other.work / "train.lock").read_bytes() == (world.env.work / "train.lock").read_bytes()


def test_another_environment_shares_layers(world):
    """numpy's layer is the same bytes in every environment that has it."""
    other = world.user("three")
    world.define("numpy", "mkl", "blas=*=mkl", env=other)
    image = world.image(other.run("build", "env.yml").line, other)
    mine = world.image(world.line)
    for name in ("numpy", "python", "openssl"):
        of = next(o for o in mine.layers if f"{name} " in o and "bucket" not in o)
        assert image.layers[of] == mine.layers[of]
    assert image.packages["libblas"] == "3.9.0=1_mkl"


def test_pip_on_top(world, tmp_path):
    """What pip wants of conda's numpy is there; six is replaced; pip finds nothing broken."""
    (tmp_path / "index").mkdir()
    index = Index(tmp_path / "index", {"packages": {
        "six": {"1.17.0": {"files": {"six.py": "__version__ = '1.17.0'\n"}}},
        "science": {"1.0": {"requires": ["numpy>=2", "six>=1.17"],
                            "files": {"science.py": "import numpy, six\nprint(numpy.__version__, six.__version__)\n"}}}}})
    other = world.user("four")
    other.env.update(PIP_INDEX_URL=index.url, ENVBUILD_CACHE_DIR=str(world.env.cache))
    try:
        world.define("python", "numpy", "six", pip=["science"], env=other)
        err = world.build(code=3, env=other).err
        assert "six" in err and "science" in err and "conda" in err
        world.define("python", "numpy", "pandas", "six", "pip", pip=["science"], more="  pip-replaces: [six]\n", env=other)
        line = other.run("build", "env.yml").line
        assert other.run("run", line, "--", "python", "-c", "import science").out.split()[1] == "1.17.0"
        assert other.run("run", line, "--", "python", "-m", "pip", "check").out == "No broken requirements found.\n"
        assert locked(world.lock(other)).count("six") == 1
    finally:
        index.close()


@pytest.mark.full
def test_on_the_default_base(world):
    """Debian 13 without a python, and an apt package beside it."""
    other = world.user("five")
    other.env["ENVBUILD_RECIPES"] = str(ROOT / "recipes")
    other.write("env.yml", f"name: five\nchannels: ['{world.url}']\ndependencies: [python, numpy, pandas]\nenvbuild: {{apt: [file]}}\n")
    line = other.run("build", "env.yml").line
    assert "recipe: debian-13" in world.lock(other, "five")
    script = "import numpy, pandas, sys; print(sys.prefix, int(pandas.DataFrame({'a': numpy.arange(5)}).a.sum()))"
    assert other.run("run", line, "--", "python", "-c", script).out == "/opt/env 10\n"
    assert "ELF" in other.run("run", line, "--", "file", "-L", "/opt/env/bin/python").out
