"""What goes wrong on the way from a channel to an image: refused or survived, with its exit code; nothing half written; the next build works."""
import hashlib
import io
import signal
import subprocess
import tarfile
import zipfile

import pytest

from conda_world import PREFIX, World, made_python, make_package, python_package


@pytest.fixture
def world(tmp_path, base_layout):
    w = World(tmp_path, base_layout)
    yield w
    w.close()


@pytest.fixture(scope="module")
def town(tmp_path_factory, base_layout):
    """One store for all packages that mean harm: when they are through it is asked what they left."""
    w = World(tmp_path_factory.mktemp("town"), base_layout)
    w.publish(make_package("good"), made_python())
    yield w
    w.close()


def leftovers(world):
    tmp = world.env.cache / "tmp"
    return list(tmp.glob("*")) if tmp.exists() else []


def refused(world, code, *says, lock=False):
    """The build ends so and says so, prints nothing and leaves no file. lock: the resolution may be kept, as it is not at fault."""
    r = world.build(code=code)
    assert r.out == ""
    for text in says:
        assert text in r.err, f"no {text!r} in\n{r.err}"
    assert "hint" in r.err or r.code in (1, 3, 7), r.err
    assert not leftovers(world)
    path = world.env.work / "train.lock"
    assert not path.exists() or lock and "image:" not in path.read_text()
    path.unlink(missing_ok=True)
    world.server.rules.clear()
    return r


def heals(world, *specs):
    world.define(*(specs or ("good",)))
    image = world.image()
    assert "0 damaged" in world.env.run("cache", "verify").out
    return image


@pytest.fixture
def foo(world):
    """A channel with the package foo, which needs bar, and one that is good."""
    world.publish(make_package("foo", files={"share/foo": "foo\n" * 1000}, depends=["bar"]), make_package("bar", files={"share/bar": "bar\n"}),
                  make_package("good"), python_package("pure"))
    world.define("foo")
    return world


# ---- the index


@pytest.mark.parametrize("what", [{"truncate": 40}, {"corrupt": 60}, {"corrupt": -1}, {"body": b"\x28\xb5\x2f\xfd"}, {"body": b"<html>login</html>"},
                                  {"body": b"\x28\xb5\x2f\xfd\x20\x01\x09\x00\x00\xc1"}], ids=str)
@pytest.mark.parametrize("which", ["linux-64/repodata_shards.msgpack.zst", "linux-64/repodata.json.zst"])
def test_damaged_index(foo, which, what):
    """It is an error, or another form of the same index is read: never an index with fewer packages."""
    if "json" in which:
        foo.server.rule("repodata_shards", status=404)
    foo.server.rule(which, **what)
    r = foo.build(code=None)
    assert r.code in (0, 1, 5, 7), r.err
    assert r.code or foo.image(r.line).packages == {"foo": "1.0=0", "bar": "1.0=0"}
    if r.code:
        assert r.out == "" and foo.server.url in r.err and not (foo.env.work / "train.lock").exists()
    assert not leftovers(foo)
    foo.server.clear()
    assert heals(foo, "foo").packages == {"foo": "1.0=0", "bar": "1.0=0"}


@pytest.mark.parametrize("what", [{"body": b'{"packages": {'}, {"body": b'[1, 2]'}, {"body": b"<html>login</html>"}], ids=str)
def test_damaged_plain_index(foo, what):
    foo.server.rule("repodata_shards", status=404)
    foo.server.rule("repodata.json.", status=404)
    foo.server.rule("linux-64/repodata.json", **what)
    for later in ("repodata.json.zst", "repodata.json.bz2"):
        foo.server.rule(later, status=404)
    r = refused(foo, None, foo.server.url)
    assert r.code in (5, 7)
    heals(foo, "foo")


def test_empty_index_is_an_empty_channel(foo):
    """A file without bytes is `{}` (CEP 36); the package is then in no channel."""
    foo.server.rule("repodata_shards", status=404)
    foo.server.rule("linux-64/repodata.json", body=b"")
    foo.server.rule("repodata.json.", status=404)
    refused(foo, 3, "foo", "env.yml:4")
    foo.build("--refresh")


@pytest.mark.parametrize("what", [{"truncate": 20}, {"corrupt": -3}, {"status": 404}], ids=str)
def test_damaged_shard(foo, what):
    foo.server.rule("/shards/", **what)
    r = refused(foo, None, foo.server.url)
    assert r.code in (1, 5, 7)
    heals(foo, "foo")


def test_no_noarch(foo):
    """CEP 26 wants one; a channel without is read all the same, or refused with its URL: not taken for a network that fails."""
    foo.server.rule("noarch/", status=404)
    assert foo.image().packages == {"foo": "1.0=0", "bar": "1.0=0"}


def test_no_platform_folder(foo):
    foo.publish(made_python(subdir="noarch", noarch="generic"))
    foo.server.rule("linux-64/", status=404)
    foo.define("pure")
    assert "pure" in foo.image().packages


def test_no_channel_at_all(foo):
    foo.server.rule("/chan/", status=404)
    r = refused(foo, None, f"{foo.url}")
    assert r.code in (1, 5) and "network" not in r.err.splitlines()[0]
    heals(foo, "foo")


@pytest.mark.parametrize("status,times,code", [(503, 1, 0), (429, 1, 0), (500, None, 5), (403, None, 6), (401, None, 6)])
def test_server_says_no(foo, status, times, code):
    foo.server.rule("repodata", times, status=status, headers={"Retry-After": "0"})
    if code:
        refused(foo, code, str(status), foo.server.url)
    heals(foo, "foo")


def test_nobody_listens(world):
    world.define("foo", channels=["http://127.0.0.1:9/chan"])
    refused(world, 5, "127.0.0.1:9")


def test_stalled_server(foo):
    """The build ends at once when it is told to; and a try that stalls is given up and made again."""
    for name, sig, code in (("repodata", signal.SIGINT, 130), ("foo-1.0", signal.SIGTERM, 143)):
        foo.server.clear()
        foo.server.rule(name, stall=True)
        p = foo.env.popen("build", "env.yml")
        while not foo.server.paths(name):
            with pytest.raises(subprocess.TimeoutExpired):
                p.wait(timeout=0.005)
        p.send_signal(sig)
        out, err = p.communicate(timeout=20)
        assert p.returncode == code and out == "", err
        assert not leftovers(foo)
    foo.server.clear()
    foo.forget()
    foo.server.rule("bar-1.0", 1, stall=True)
    assert heals(foo, "foo").packages == {"foo": "1.0=0", "bar": "1.0=0"}
    assert len(foo.server.paths("bar-1.0")) >= 2


def test_slow_server(foo):
    foo.server.rule("", pace=0.01)
    heals(foo, "foo")


# ---- packages that are not what the channel says


def test_wrong_hash(world):
    world.publish(make_package("foo", record={"sha256": "1" * 64}), make_package("good"))
    world.define("foo")
    refused(world, 7, "foo-1.0-0.conda", "1" * 64, lock=True)
    heals(world)


def test_wrong_md5_where_there_is_no_sha256(world):
    world.publish(make_package("foo", record={"sha256": None, "md5": "1" * 32}), make_package("good"))
    world.define("foo")
    refused(world, 7, "foo-1.0-0.conda")
    heals(world)


def test_wrong_size(world):
    world.publish(make_package("foo", record={"size": 12}), make_package("good"))
    world.define("foo")
    refused(world, 7, "foo-1.0-0.conda", lock=True)
    heals(world)


def test_no_hash_at_all(world):
    world.publish(make_package("foo", record={"sha256": None, "md5": None}), make_package("good"))
    world.define("foo")
    r = world.build(code=None)
    assert r.code in (3, 7) and "foo" in r.err
    heals(world)


@pytest.mark.parametrize("what", [{"corrupt": 5000}, {"truncate": 3000}], ids=str)
def test_damaged_on_the_way(foo, what):
    """Once: asked again, or refused; for ever: refused."""
    foo.server.rule("foo-1.0", **what)
    r = refused(foo, None, "foo-1.0-0.conda", lock=True)
    assert r.code in (5, 7)
    heals(foo, "foo")


def test_package_is_gone(foo):
    foo.server.rule("foo-1.0", status=404)
    r = refused(foo, None, "foo-1.0-0.conda", lock=True)
    assert r.code in (1, 5)
    heals(foo, "foo")


# ---- packages that mean harm


def member(name, kind=tarfile.REGTYPE, link="", mode=0o644):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, link, mode
    return info


def listed(*paths):
    return lambda old: old + [{"_path": p, "path_type": "hardlink", "sha256": "0" * 64, "size_in_bytes": 4} for p in paths]


EVIL = {
    "dotdot": {"raw": [(member("../../evil"), b"evil")], "paths": listed("../../evil")},
    "dotdot-inside": {"raw": [(member("a/../../evil"), b"evil")], "paths": listed("a/../../evil")},
    "absolute": {"raw": [(member("/etc/evil"), b"evil")], "paths": listed("/etc/evil")},
    "through-symlink": {"files": {"out": ("->", "/etc")}, "raw": [(member("out/evil"), b"evil")], "paths": listed("out/evil")},
    "through-own-symlink": {"files": {"lib": ("->", "other"), "other/x": ""}, "raw": [(member("lib/evil"), b"evil")], "paths": listed("lib/evil")},
    "device": {"raw": [(member("dev/evil", tarfile.CHRTYPE), b"")]},
    "fifo": {"raw": [(member("share/evil", tarfile.FIFOTYPE), b"")]},
    "hard-link-out": {"raw": [(member("share/evil", tarfile.LNKTYPE, "../../etc/passwd"), b"")]},
    "hard-link-absolute": {"raw": [(member("share/evil", tarfile.LNKTYPE, "/etc/passwd"), b"")]},
    "hard-link-to-nothing": {"raw": [(member("share/evil", tarfile.LNKTYPE, "share/nothing"), b"")], "paths": listed("share/evil")},
    "twice": {"files": {"share/evil": "one"}, "raw": [(member("share/evil"), b"two!")]},
}


@pytest.mark.parametrize("ext", ["conda", "tar.bz2"])
@pytest.mark.parametrize("kind", EVIL)
def test_members_that_lead_out(town, kind, ext):
    name = f"{kind}-{ext.replace('.', '')}"
    harm(town, make_package(name, **{"files": {"share/fine": "fine\n"}, **EVIL[kind]}, ext=ext))
    assert "evil" in refused(town, 7, f"{name}-1.0-0.{ext}", lock=True).err, "the member is named"


def harm(town, package):
    town.publish(package)
    town.define(package.name)


def test_set_uid_is_not_kept(world):
    world.publish(make_package("foo", files={"bin/foo": "#!/bin/sh\n", "share/x": ""}, modes={"bin/foo": 0o6755, "share/x": 0o666}))
    world.define("foo")
    tree = world.image().tree
    assert tree["bin/foo"].mode == 0o755 and tree["share/x"].mode == 0o644


def change(path, **what):
    return lambda old: [{**e, **what} if e["_path"] == path else e for e in old]


LIES = {
    "sha256": change("share/x", sha256="0" * 64),
    "size": change("share/x", size_in_bytes=1),
    "missing-member": listed("share/nowhere"),
    "unknown-kind": change("share/x", path_type="portal"),
    "unknown-mode": change("bin/x", file_mode="neither"),
    "no-path": lambda old: [{"path_type": "hardlink"}, *old],
    "twice": lambda old: old + [old[0]],
}


@pytest.mark.parametrize("kind", LIES)
def test_paths_json_that_lies(town, kind):
    harm(town, make_package(f"lies-{kind}", files={"bin/x": f"#!{PREFIX}/bin/sh\n", "share/x": "four"}, paths=LIES[kind]))
    refused(town, 7, f"lies-{kind}-1.0-0.conda", lock=True)


def test_what_the_archive_holds_counts(town):
    """A file that paths.json calls a link is the file that it is."""
    harm(town, make_package("lies-of-kind", files={"share/x": "four"}, paths=change("share/x", path_type="softlink")))
    assert town.image().tree["share/x"].text == "four"
    town.forget()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"paths": 3, "paths_version": 1}', '{"paths": [], "paths_version": 99}'])
def test_paths_json_that_is_none(town, text):
    name = f"none{sum(text.encode())}"
    harm(town, make_package(name, files={"share/x": "four"}, info={"paths.json": text}))
    assert refused(town, None, f"{name}-1.0-0.conda", lock=True).code in (1, 7)


def test_prefix_longer_than_the_placeholder(town):
    short = "/old"
    harm(town, make_package("short", files={"lib/x": b"\0" + short.encode() + b"/lib\0"},
                            paths=change("lib/x", prefix_placeholder=short, file_mode="binary")))
    refused(town, 1, "short", "lib/x", "/opt/env", "4", lock=True)


@pytest.mark.parametrize("entry", ["../../bin/evil = a:b", ".hidden = a:b", "evil = a.b", "evil = a;import os:b", "evil = a:b()"])
def test_entry_points_that_are_none(town, entry):
    name = f"entry{sum(entry.encode())}"
    harm(town, python_package(name, entry_points=[entry]))
    assert refused(town, None, name, lock=True).code in (1, 7)


@pytest.mark.parametrize("path", ["../../../etc", "/etc", "lib/../../x"])
def test_site_packages_that_lead_out(town, path):
    minor = 20 + len(path)
    town.publish(made_python(f"3.{minor}.0", index={"python_site_packages_path": path}), python_package("tool"))
    town.define("tool", f"python=3.{minor}")
    assert "site" in refused(town, None, lock=True).err


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"BZh9garbage", b"x" * 5000], ids=len)
def test_an_archive_that_is_none(town, data):
    """The channel knows its hash: it is what its maker published."""
    p = make_package(f"archive{len(data)}")
    p.data = data
    harm(town, knows(p))
    refused(town, None, p.fn, lock=True)


def test_a_newer_format_is_refused(town):
    p = make_package("newer", files={"share/x": "x"})
    harm(town, knows(repacked(p, p.data.replace(b'"conda_pkg_format_version": 2', b'"conda_pkg_format_version": 3'))))
    assert refused(town, None, "newer", lock=True).code in (1, 7)


def test_the_town_heals(town):
    """After all that, in the same store."""
    assert heals(town).packages == {"good": "1.0=0"}


def knows(p):
    p.record.update(md5=hashlib.md5(p.data).hexdigest(), sha256=hashlib.sha256(p.data).hexdigest(), size=len(p.data))
    return p


def repacked(p, data):
    """The same package with other bytes in its members; the zip's own checksums are made right."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(p.data)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            start = info.header_offset + 30 + len(info.filename)
            new.writestr(zipfile.ZipInfo(info.filename, (1980, 1, 1, 0, 0, 0)), data[start:start + info.file_size])
    assert data != p.data
    p.data = out.getvalue()
    return p


def test_two_builds_at_once(foo):
    procs = [foo.env.popen("build", "env.yml") for _ in range(3)]
    lines = set()
    for p in procs:
        out, err = p.communicate(timeout=300)
        assert p.returncode == 0, err
        lines.add(out)
    assert len(lines) == 1
    assert "0 damaged" in foo.env.run("cache", "verify").out
