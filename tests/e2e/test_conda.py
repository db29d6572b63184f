"""conda channels into images: made channels on loopback, packages of text files; test_conda_real.py has a python that starts."""
import hashlib
import json
import os
import shutil
import ssl
import subprocess

import pytest

from conda_world import PREFIX, PYTHON, World, locked, made_python, make_package, python_package
from conftest import Index

ELF = b"\x7fELF\2\1\1\0" + b"before\0" + f"{PREFIX}/lib:{PREFIX}/lib64".encode() + b"\0after\0" + PREFIX.encode() + b"/share\0" + bytes(40)


@pytest.fixture
def world(tmp_path, base_layout):
    w = World(tmp_path, base_layout)
    yield w
    w.close()


def noise(seed, size):
    return b"".join(hashlib.sha256(f"{seed} {i}".encode()).digest() for i in range(size // 32))


# ---- what a package becomes


def test_prefixes_links_and_modes(world):
    world.publish(make_package("foo", "1.0", "h1_0", {
        "bin/foo": f"#!{PREFIX}/bin/python\nprint('{PREFIX}/share')\n", "lib/foo.pc": f"prefix={PREFIX}\nagain={PREFIX}/lib\n", "lib/libfoo.so.1": ELF,
        "lib/libfoo.so": ("->", "libfoo.so.1"), "share/gone": ("->", "/nonexistent/x"), "share/a": "one\n", "share/b": ("=", "share/a"),
        "share/ünïcode": "é\n", f"share/{'long' * 30}/{'name' * 25}": "", "share/empty": "", "sbin/tool": "no mode in its name\n"},
        modes={"sbin/tool": 0o755}, licence="BSD-3-Clause"))
    world.define("foo")
    image = world.image()
    tree = image.tree
    assert tree["bin/foo"].text == "#!/opt/env/bin/python\nprint('/opt/env/share')\n" and tree["bin/foo"].mode == 0o755
    assert tree["lib/foo.pc"].text == "prefix=/opt/env\nagain=/opt/env/lib\n"
    shorter = len(PREFIX) - len("/opt/env")
    want = (b"\x7fELF\2\1\1\0before\0/opt/env/lib:/opt/env/lib64" + bytes(2 * shorter) + b"\0after\0/opt/env/share" + bytes(shorter) + b"\0" + bytes(40))
    assert tree["lib/libfoo.so.1"].data == want and len(want) == len(ELF)
    assert (tree["lib/libfoo.so"].kind, tree["lib/libfoo.so"].link) == ("l", "libfoo.so.1")
    assert tree["share/gone"].link == "/nonexistent/x"
    assert (tree["share/b"].kind, tree["share/b"].link) == ("h", "opt/env/share/a")
    assert tree["share/ünïcode"].text == "é\n" and f"share/{'long' * 30}/{'name' * 25}" in tree
    assert tree["sbin/tool"].mode == 0o755 and tree["share/a"].mode == 0o644 and tree["lib/libfoo.so.1"].mode in (0o644, 0o755)
    assert {n.owner for n in tree.values()} == {(0, 0)}
    assert not [p for p, n in tree.items() if n.data and PREFIX.encode() in n.data and not p.startswith("conda-meta/")]
    assert "info/index.json" not in tree
    assert image.variables["CONDA_PREFIX"] == "/opt/env" and image.variables["PATH"].startswith("/opt/env/bin:")
    assert "VIRTUAL_ENV" not in image.variables and "pyvenv.cfg" not in tree


def test_conda_meta(world):
    p = make_package("foo", "1.0", "h1_0", {"bin/foo": f"#!{PREFIX}/bin/sh\n", "lib/x": ("->", "../bin/foo")}, depends=["bar >=1"], licence="MIT",
                     record={"depends": ["bar >=1,<3"]})
    world.publish(p, make_package("bar", "2.0", files={"share/bar": ""}))
    world.define("foo 1.*")
    tree = world.image().tree
    doc = json.loads(tree["conda-meta/foo-1.0-h1_0.json"].data)
    for key, want in (("name", "foo"), ("version", "1.0"), ("build", "h1_0"), ("fn", p.fn), ("url", f"{world.url}/linux-64/{p.fn}"),
                      ("sha256", p.record["sha256"]), ("md5", p.record["md5"]), ("size", len(p.data)), ("license", "MIT"), ("subdir", "linux-64"),
                      ("depends", ["bar >=1,<3"]), ("build_number", 0), ("timestamp", p.record["timestamp"])):
        assert doc[key] == want, key
    assert doc["channel"].startswith(world.url)
    assert doc["link"] == {"source": "", "type": 3}
    assert sorted(doc["files"]) == ["bin/foo", "lib/x"]
    told = {e["_path"]: e for e in doc["paths_data"]["paths"]}
    assert told["bin/foo"]["sha256_in_prefix"] == hashlib.sha256(b"#!/opt/env/bin/sh\n").hexdigest()
    assert told["bin/foo"]["sha256"] != told["bin/foo"]["sha256_in_prefix"] and told["bin/foo"]["prefix_placeholder"] == PREFIX
    assert told["lib/x"]["path_type"] == "softlink"
    assert not {"requested_spec", "requested_specs"} & doc.keys(), "who asked is no property of a package"
    history = tree["conda-meta/history"].text
    assert "foo 1.*" in history and "foo-1.0-h1_0" in history and "bar-2.0-0" in history


def test_noarch_python(world):
    world.publish(made_python("3.11.9"), python_package("tool", "2.0", files={
        "site-packages/tool/__init__.py": "", "python-scripts/old-style": f"#!{PREFIX}/bin/python\nimport tool\n", "share/tool.txt": "data\n"},
        entry_points=["tool = tool.main:run", "tool-two=tool:a.b"]))
    world.define("tool", "python=3.11")
    tree = world.image().tree
    sp = "lib/python3.11/site-packages"
    assert f"{sp}/tool/__init__.py" in tree and f"{sp}/tool-2.0.dist-info/METADATA" in tree and "share/tool.txt" in tree
    assert not [p for p in tree if p.startswith(("site-packages", "python-scripts"))]
    assert tree["bin/old-style"].text.startswith("#!/opt/env/bin/python\n") and tree["bin/old-style"].mode == 0o755
    script = tree["bin/tool"].text
    assert script.startswith("#!/opt/env/bin/python3.11\n") and "from tool.main import run" in script and tree["bin/tool"].mode == 0o755
    assert "from tool import a" in tree["bin/tool-two"].text and "a.b()" in tree["bin/tool-two"].text
    assert tree["bin/python3.11"].text == PYTHON and tree["bin/python"].link == "python3.11"
    doc = json.loads(tree["conda-meta/tool-2.0-pyh_0.json"].data)
    assert doc["noarch"] == "python" and f"{sp}/tool/__init__.py" in doc["files"] and "bin/tool" in doc["files"]
    assert not [p for p in tree if p.endswith(".pyc")]


def test_own_site_packages_path(world):
    world.publish(made_python("3.11.9", index={"python_site_packages_path": "lib/python3.11t/site-packages"}), python_package("tool"))
    world.define("tool")
    assert "lib/python3.11t/site-packages/tool.py" in world.image().tree


def test_formats_hold_the_same(world):
    """One package in both: .conda is taken; the .tar.bz2 alone gives the same files."""
    files = {"bin/foo": f"#!{PREFIX}/bin/sh\n", "lib/x": ("->", "../bin/foo"), "lib/y": ELF, "lib/h": ("=", "lib/y")}
    new, old = (make_package("foo", files=files, ext=ext) for ext in ("conda", "tar.bz2"))
    world.publish(new, old)
    world.define("foo")
    a = world.image()
    assert a.metadata("foo")["fn"] == new.fn and not world.server.paths(".tar.bz2")
    world.forget()
    world.define("foo", channels=[world.another("old", old)])
    b = world.image()
    assert b.metadata("foo")["fn"] == old.fn
    facts = lambda i: {p: (n.kind, n.mode, n.link, n.data) for p, n in i.tree.items() if not p.startswith("conda-meta")}
    assert facts(a) == facts(b)


def test_activation(world):
    world.publish(make_package("act", files={"etc/conda/activate.d/act.sh": "# plain\nexport ACT_HOME=/opt/env/share/act\nexport ACT_MODE='two words'\n",
                                             "etc/conda/activate.d/clever.sh": 'export X="$(uname)"\n'}))
    world.define("act")
    r = world.build()
    image = world.image(r.line)
    assert image.variables["ACT_HOME"] == "/opt/env/share/act" and image.variables["ACT_MODE"] == "two words"
    assert "X" not in image.variables and "clever.sh" in r.err


def test_link_scripts_are_named_and_not_run(world):
    world.publish(make_package("scripted", files={"bin/.scripted-post-link.sh": "#!/bin/sh\ntouch $PREFIX/ran\n", "share/x": ""}))
    world.define("scripted")
    r = world.build()
    assert "EB530" in r.err and "scripted" in r.err
    assert "ran" not in world.image(r.line).tree
    again = world.build("-t", "other").err
    assert "EB530" not in again, "nothing was done"
    world.publish(make_package("more"))
    world.define("scripted", "more")
    assert "EB530" in world.build("--refresh").err, "its layer was there already"


def test_clobber(world):
    """Later in link order wins, however the definition lists them; one warning a path; the same content is silent."""
    lower = make_package("zlower", files={"share/both": "lower\n", "share/same": "same\n"})
    upper = make_package("aupper", files={"share/both": "upper\n", "share/same": "same\n"}, depends=["zlower"])
    world.publish(lower, upper)
    ids = set()
    for order in (("zlower", "aupper"), ("aupper", "zlower")):
        world.define(*order)
        r = world.build()
        assert r.err.count("share/both") == 1 and "share/same" not in r.err, r.err
        assert "aupper" in r.err and "zlower" in r.err
        tree = world.image(r.line).tree
        assert tree["share/both"].text == "upper\n" and tree["share/same"].text == "same\n"
        ids.add(tuple(world.image(r.line).layers.values())[:-1])
        world.forget()
    assert len(ids) == 1, "all but the last layer, which holds the history"


def test_file_against_directory(world):
    world.publish(make_package("one", files={"share/x": "file\n"}), make_package("two", files={"share/x/y": "below\n"}))
    world.define("one", "two")
    err = world.build(code=None).err
    assert "share/x" in err and "one" in err and "two" in err


# ---- same in, same out


def test_lock_twice_and_builds_again(world):
    world.publish(made_python(), python_package("tool", depends=["lib >=1"]), make_package("lib"))
    world.define("tool")
    first = world.build()
    lock = world.lock()
    assert first.line.startswith("train@sha256:")
    asked = len(world.server.log)
    assert world.build().line == first.line and len(world.server.log) == asked, "a warm build asks nobody"
    world.env.run("lock", "env.yml")
    assert locked(world.lock()) == locked(lock) and world.lock() == lock
    world.forget()
    world.env.run("lock", "env.yml")
    alone = world.lock()
    world.env.run("lock", "env.yml", "--refresh")
    assert world.lock() == alone
    assert world.build().line == first.line and world.lock() == lock


def test_lock_says_what_conda_needs(world):
    nosha = make_package("nosha", record={"sha256": None})
    world.publish(made_python(), python_package("tool", "2.0"), nosha)
    world.define("tool", "nosha")
    world.build()
    lock = world.lock()
    assert lock.count("- kind: conda") == 3 and "name: train" in lock
    assert world.url in lock and "strict" in lock and "__glibc" in lock
    assert f"sha256: {hashlib.sha256(nosha.data).hexdigest()}" in lock, "what the channel does not say is found out while locking"
    assert "tool 2.0" in lock, "the distributions that it supplies"


def test_locked_offline_and_a_lock_alone(world):
    world.publish(make_package("foo", "1.0", depends=["bar"]), make_package("bar"))
    world.define("foo")
    world.build("--locked", code=4)
    line = world.build().line
    world.publish(make_package("foo", "2.0"))
    assert world.build("--locked").line == line
    assert world.build("--offline").line == line
    other = world.user("two")
    shutil.copy(world.env.work / "train.lock", other.work)
    assert other.run("build", "train.lock").line == line
    shutil.rmtree(other.cache)
    err = other.run("build", "train.lock", "--offline", code=9).err
    assert "foo" in err or "bar" in err
    world.define("foo >=2")
    world.build("--locked", code=4)
    world.define("foo")
    shutil.rmtree(world.env.cache)
    (world.env.work / "train.lock").unlink()
    world.build("--offline", code=9)


def test_an_old_lock_is_kept_until_asked(world):
    world.publish(make_package("foo", "1.0"))
    world.define("foo")
    world.build()
    world.publish(make_package("foo", "2.0"), make_package("bar"))
    world.define("foo", "bar")
    assert world.image(world.build("--refresh").line).packages == {"foo": "1.0=0", "bar": "1.0=0"}
    world.env.run("lock", "env.yml", "--upgrade", "--refresh")
    assert world.image().packages["foo"] == "2.0=0"


def test_same_bytes_anywhere(world):
    """Two homes, 1 and 8 jobs, another zone, language and umask."""
    world.publish(made_python(), *(make_package(f"p{i}", files={f"share/p{i}": noise(i, 40_000 * i), "share/all": "same\n"}) for i in range(20)),
                  python_package("tool", entry_points=["tool = tool:main"]))
    specs = ["tool", *(f"p{i}" for i in range(20))]
    world.define(*specs)
    one = world.build("-j", "1").line
    other = world.user("two")
    other.env.update(TZ="Asia/Tokyo", LANG="de_DE.UTF-8")
    world.define(*specs, env=other)
    old = os.umask(0o077)
    try:
        assert world.build("-j", "8", env=other).line == one
    finally:
        os.umask(old)
    assert world.lock() == world.lock(other)


def test_a_layer_is_of_its_package_alone(world):
    """Alone and in company: the same diff_id. Large ones have layers of their own."""
    big = [make_package(n, files={f"share/{n}": noise(n, 600_000), "bin/run-" + n: f"#!{PREFIX}/bin/sh\n", "share/both": f"{n}\n"}, depends=d)
           for n, d in (("base-lib", []), ("middle", ["base-lib"]), ("top", ["middle"]))]
    world.publish(*big, made_python(), python_package("pure", files={"site-packages/pure.bin": noise("p", 600_000)}))
    alone = {}
    for n in ("base-lib", "middle", "top", "pure"):
        world.define(n, name="alone")
        image = world.image()
        alone[n] = next(d for of, d in image.layers.items() if f"{n} 1.0" in of and "bucket" not in of)
        world.forget()
    world.define("pure", "top")
    image = world.image()
    for n, want in alone.items():
        assert next(d for of, d in image.layers.items() if f"{n} 1.0" in of and "bucket" not in of) == want, n
    assert image.tree["share/both"].text == "top\n"


# ---- channels


def test_shards_and_without(world):
    world.publish(make_package("foo", depends=["bar"]), make_package("bar"), make_package("unrelated"))
    world.define("foo")
    line = world.build().line
    asked = world.server.paths()
    assert [p for p in asked if "repodata_shards" in p] and len([p for p in asked if "/shards/" in p]) == 2, "foo and bar, nothing else"
    assert not [p for p in asked if "repodata.json" in p]
    for form, rules in (("repodata.json.zst", ["repodata_shards"]), ("repodata.json", ["repodata_shards", "repodata.json.zst"])):
        world.forget()
        world.server.clear()
        for r in rules:
            world.server.rule(r, status=404)
        assert world.build().line == line, form
        assert [p for p in world.server.paths("linux-64/") if p.endswith(form)]


def test_validators(world):
    world.publish(make_package("foo"), shards=False)
    world.define("foo")
    world.build()
    world.server.clear()
    world.env.run("lock", "env.yml", "--upgrade", "--refresh")
    assert {a.status for a in world.server.log if "repodata.json.zst" in a.path} == {304}


def test_base_url(world):
    elsewhere = f"{world.server.url}/files/"
    world.publish(make_package("foo"), base_url=elsewhere)
    shutil.copytree(world.channel.root / "linux-64", world.server.root / "files")
    (world.channel.root / "linux-64/foo-1.0-0.conda").unlink()
    world.define("foo")
    world.build()
    assert f"{elsewhere}foo-1.0-0.conda" in world.lock()


def test_a_folder_is_a_channel(world):
    world.publish(make_package("foo"))
    world.define("foo", channels=[f"file://{world.channel.root}"])
    line = world.build().line
    assert not world.server.log
    shutil.copytree(world.channel.root, world.env.work / "mine")
    world.define("foo", channels=["./mine"], name="mine")
    assert world.image(line).tree["conda-meta/foo-1.0-0.json"] and world.build().line.startswith("mine@")


def priority(world):
    world.publish(make_package("foo", "1.0", depends=["lib"]), make_package("lib", "1.0"))
    return [world.url, world.another("second", make_package("foo", "2.0", depends=["lib >=2"]), make_package("lib", "2.0"))]


@pytest.mark.parametrize("how,foo", [("strict", "1.0=0"), ("flexible", "1.0=0"), ("disabled", "2.0=0")])
def test_priority(world, how, foo):
    channels = priority(world)
    world.define("foo", channels=channels, more=f"  channel-priority: {how}\n")
    assert world.image().packages["foo"] == foo
    assert how in world.lock()


def test_strict_is_the_default_and_said(world):
    channels = priority(world)
    world.define("foo >=2", channels=channels)
    err = world.build(code=3).err
    assert "foo" in err and "env.yml:4" in err and channels[1] in err and "flexible" in err, "where the version would be"
    world.define("foo >=2", channels=channels, more="  channel-priority: flexible\n")
    assert world.image().packages["foo"] == "2.0=0"


def test_channel_in_a_spec(world):
    channels = priority(world)
    world.define(f"{channels[1]}::foo", f"{channels[1]}::lib", channels=channels)
    assert world.image().packages == {"foo": "2.0=0", "lib": "2.0=0"}
    err = world.build("--conda", "elsewhere::lib", code=2).err
    assert "elsewhere" in err


def test_token_and_login_stay_secret(world):
    world.publish(make_package("foo"))
    world.server.token, world.server.login = "tk-s3cret", "alice:pa55"
    world.define("foo")
    assert world.server.url in world.build(code=6).err
    with_login = world.server.url.replace("http://", "http://alice:pa55@")
    world.define("foo", channels=[f"{with_login}/t/tk-s3cret/chan"])
    r = world.build()
    lock = world.lock()
    image = world.image(r.line)
    for text in (lock, r.err, r.out, json.dumps(image.config), json.dumps(image.manifest)):
        assert "tk-s3cret" not in text and "pa55" not in text
    assert f"{world.url}/linux-64/foo-1.0-0.conda" in lock
    assert not [p for p, n in image.all.items() if n.data and (b"tk-s3cret" in n.data or b"pa55" in n.data)]
    for p in world.env.cache.rglob("*"):
        assert "s3cret" not in p.name
        if p.is_file() and p.stat().st_size < 1 << 20:
            assert b"tk-s3cret" not in p.read_bytes() and b"alice:pa55" not in p.read_bytes(), p


def test_token_from_a_variable(world):
    world.publish(make_package("foo"))
    world.server.token = "tk-s3cret"
    world.env.env["CHANNEL_TOKEN"] = "tk-s3cret"
    world.define("foo", channels=[world.server.url + "/t/${CHANNEL_TOKEN}/chan"])
    world.build()
    assert "s3cret" not in world.lock()


def test_condarc(world):
    world.publish(make_package("foo"))
    (world.env.home / ".condarc").write_text(f"channel_alias: {world.server.url}\nchannels: [chan]\n")
    world.define("foo", channels=["chan"])
    line = world.build().line
    assert f"{world.url}/linux-64" in world.lock()
    assert world.build().line == line


def test_condarc_names_the_ca(world):
    cert, key, http = world.env.home / "ca.pem", world.env.home / "key.pem", world.server.http
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert,
                    "-subj", "/CN=channel", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    http.socket = context.wrap_socket(http.socket, server_side=True)
    world.publish(make_package("foo"))
    world.define("foo", channels=[world.url.replace("http:", "https:")])
    world.env.env.pop("SSL_CERT_FILE", None)  # it would count
    assert "is not trusted" in world.build(code=5).err
    (world.env.home / ".condarc").write_text(f"ssl_verify: {cert}\n")
    assert world.image().packages == {"foo": "1.0=0"}


def test_exclude_newer(world):
    day = 86_400_000
    world.publish(make_package("foo", "1.0", timestamp=1_600_000_000_000), make_package("foo", "2.0", timestamp=1_600_000_000_000 + 30 * day))
    world.define("foo")
    assert world.image(world.build("--exclude-newer", "2020-09-20").line).packages["foo"] == "1.0=0"
    world.forget()
    assert world.image().packages["foo"] == "2.0=0"


# ---- what is chosen, and why not


def test_variants(world):
    """A mutex with two builds: features count against the second until somebody asks for it."""
    for kind in ("openblas", "mkl"):
        features = {"track_features": "blas_mkl"} if kind == "mkl" else {}
        world.publish(make_package("blas", "2.0", kind, noarch="generic", **features), make_package(kind),
                      make_package("libblas", "3.9", f"1_{kind}", {"lib/blas": f"{kind}\n"}, depends=[kind], constrains=[f"blas 2.0 {kind}"], **features))
    world.publish(make_package("np", depends=["libblas >=3"]))
    world.define("np")
    assert world.image().tree["lib/blas"].text == "openblas\n"
    world.define("np", "blas=*=mkl", name="fast")
    assert world.image().tree["lib/blas"].text == "mkl\n"
    world.define("np", "blas=*=mkl", "openblas", "libblas=*=*openblas", name="both")
    err = world.build(code=3).err
    assert "blas=*=mkl" in err and "libblas=*=*openblas" in err and "env.yml:5" in err and "env.yml:7" in err and "env.yml:6" not in err


def test_unsatisfiable(world):
    world.publish(make_package("app", depends=["lib >=2"]), make_package("lib", "1.0"), make_package("lib", "2.0"))
    world.define("app", "lib <2")
    r = world.build(code=3)
    assert r.out == "" and "env.yml:4" in r.err and "env.yml:5" in r.err and "lib <2" in r.err and "lib >=2" in r.err
    assert not (world.env.work / "train.lock").exists()
    world.define("app", "lbi")
    err = world.build(code=3).err
    assert "lbi" in err and "did you mean 'lib'" in err and "env.yml:5" in err


def test_missing_virtual_package(world):
    world.publish(make_package("torch", "2.0", "cuda124_0", depends=["__cuda >=12.4"]), make_package("old", depends=["__glibc >=2.99"]))
    world.define("torch=*=cuda*")
    err = world.build(code=3).err
    assert "__cuda" in err and "virtual" in err and "cuda:" in err, "what to write"
    world.define("torch", more='  virtual: {cuda: "12.6"}\n')
    assert world.image().packages == {"torch": "2.0=cuda124_0"}
    assert "__cuda" in world.lock()
    world.forget()
    world.env.env["CONDA_OVERRIDE_CUDA"] = "12.4"
    world.define("torch")
    assert world.image().packages == {"torch": "2.0=cuda124_0"}
    del world.env.env["CONDA_OVERRIDE_CUDA"]
    world.define("old", name="old")
    err = world.build(code=3).err
    assert "__glibc" in err and "2.36" in err


def test_faults_of_specs_all_at_once(world):
    world.publish(make_package("foo"))
    world.define("foo >=1 <2 3", "foo[bar=1]", "foo")
    r = world.build(code=2)
    assert "env.yml:4:" in r.err and "env.yml:5:" in r.err and "EB13" in r.err
    assert not world.server.log, "nothing is asked before the definition is right"


def test_unparsable_dependency_is_no_candidate(world):
    world.publish(make_package("foo", "2.0", depends=["bar >=1 <2 3 4"]), make_package("foo", "1.0"))
    world.define("foo")
    assert world.image().packages == {"foo": "1.0=0"}


# ---- conda and pip


@pytest.fixture
def joint(world):
    """numpy 1.26 from conda; pip's index has 1.26 and 2.0, and what wants one or the other."""
    (world.folder / "index").mkdir()
    index = Index(world.folder / "index", {"packages": {
        "numpy": {"1.26.0": {}, "2.0.0": {"files": {"numpy.py": "__version__ = '2.0.0'\n"}}},
        "old-app": {"1.0": {"requires": ["numpy<2"]}}, "new-app": {"1.0": {"requires": ["numpy>=2"]}}}})
    world.env.env["PIP_INDEX_URL"] = index.url
    world.index = index
    world.publish(made_python(), python_package("numpy", "1.26.4"), python_package("user", depends=["numpy"]))
    yield world
    index.close()


def test_pip_takes_what_conda_has(joint):
    joint.define("python=3.11", "numpy", pip=["old-app", "numpy>=1"])
    image = joint.image()
    assert "lib/python3.11/site-packages/old_app/__init__.py" in image.tree
    assert not [r for r in joint.index.requests() if "/numpy/" in r], "conda's is there already"
    assert joint.lock().count("- kind: wheel") == 1
    info = "lib/python3.11/site-packages/old_app-1.0.dist-info"
    assert image.tree[f"{info}/RECORD"].data and image.tree["lib/python3.11/site-packages/numpy-1.26.4.dist-info/INSTALLER"].text == "conda\n"


@pytest.mark.parametrize("pip", ["numpy==2.0.0", "new-app"])
def test_pip_wants_another(joint, pip):
    joint.define("python=3.11", "numpy", pip=[pip])
    r = joint.build(code=3)
    assert r.out == "" and "numpy" in r.err and "env.yml:7" in r.err and "conda" in r.err and "1.26.4" in r.err and "pip-replaces" in r.err


def test_pip_replaces(joint):
    joint.define("python=3.11", "user", pip=["new-app"], more="  pip-replaces: [numpy]\n")
    image = joint.image()
    sp = "lib/python3.11/site-packages"
    assert image.tree[f"{sp}/numpy.py"].text == "__version__ = '2.0.0'\n"
    infos = sorted(p.split("/")[3] for p in image.tree if p.endswith("/METADATA"))
    assert infos == ["new_app-1.0.dist-info", "numpy-2.0.0.dist-info", "user-1.0.dist-info"]
    assert not [p for p in image.tree if p.startswith("conda-meta/numpy-")]
    assert "numpy" in joint.lock()


def test_python_of_conda_decides_wheels(joint):
    joint.define("python=3.11", pip=["old-app"], more="")
    image = joint.image()
    assert image.packages == {"python": "3.11.9=h0_0_cpython"}
    assert "lib/python3.11/site-packages/numpy-1.26.0.dist-info/METADATA" in image.tree
    assert not [p for p in image.all if p == "opt/env/pyvenv.cfg"]


# ---- platforms


def test_two_platforms_from_one_definition(world, tmp_path):
    base = tmp_path / "both"
    both_bases(world.base, base)
    world.base = base
    world.publish(made_python(), made_python(subdir="linux-aarch64"), python_package("tool", depends=["native"]),
                  make_package("native", files={"share/native": "x86\n"}), make_package("native", files={"share/native": "arm\n"}, subdir="linux-aarch64"))
    world.define("tool", more="  platforms: [linux/amd64, linux/arm64]\n")
    line = world.build().line
    index = json.loads((world.env.cache / "oci/blobs/sha256" / line.split("sha256:")[1]).read_bytes())
    seen = {}
    for m in index["manifests"]:
        image = world.image(f"train@{m['digest']}")
        assert image.config["architecture"] == m["platform"]["architecture"]
        seen[m["platform"]["architecture"]] = image.tree["share/native"].text
    assert seen == {"amd64": "x86\n", "arm64": "arm\n"}
    assert world.build("--locked").line == line
    world.publish(make_package("x86only"))
    world.define("tool", "x86only", more="  platforms: [linux/amd64, linux/arm64]\n")
    err = world.build("--refresh", code=3).err
    assert "x86only" in err and "arm64" in err


def both_bases(one, folder):
    """The base for two architectures: an index over two images with one layer."""
    shutil.copytree(one, folder)
    blobs = folder / "blobs/sha256"
    top = json.loads((folder / "index.json").read_text())
    amd = top["manifests"][0]
    manifest = json.loads((blobs / amd["digest"][7:]).read_bytes())
    config = json.loads((blobs / manifest["config"]["digest"][7:]).read_bytes())

    def put(doc):
        data = json.dumps(doc).encode()
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return {"digest": f"sha256:{name}", "size": len(data)}

    manifest["config"].update(put({**config, "architecture": "arm64"}))
    arm = put(manifest)
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
        {"mediaType": amd["mediaType"], "digest": amd["digest"], "size": amd["size"], "platform": {"os": "linux", "architecture": "amd64"}},
        {"mediaType": amd["mediaType"], **arm, "platform": {"os": "linux", "architecture": "arm64"}}]}
    top["manifests"] = [{"mediaType": index["mediaType"], **put(index), "annotations": amd["annotations"]}]
    (folder / "index.json").write_text(json.dumps(top))


# ---- asking


def test_tree_why_and_dry_run(world):
    world.publish(make_package("app", depends=["lib >=1"]), make_package("lib", "1.5"))
    world.define("app")
    r = world.env.run("build", "env.yml", "--dry-run")
    assert not world.server.paths("app-1.0") and "app" in r.out + r.err
    world.build()
    assert "lib" in world.env.run("tree").out
    why = world.env.run("why", "lib").out
    assert "app" in why and "env.yml" in why
    assert "lib" in world.env.run("inspect", "train").out
