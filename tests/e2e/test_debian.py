"""A Debian suite on loopback: signatures, dates, indexes, solving, fetching, the unpacked tree. DEBIAN_TREE names tests/tools/debian_tree."""
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from fake import debian  # noqa: E402

pytestmark = pytest.mark.skipif(bool(debian.MISSING), reason=f"not installed: {debian.MISSING}")
TOOL = os.environ.get("DEBIAN_TREE", "")


class World:
    def __init__(self, folder):
        self.folder = folder
        self.key = debian.Key(folder)
        self.repo = debian.Repo(folder, self.key)
        self.repo.deb("t", "app", "1.0-1", Depends="lib1 (>= 1)", files={"/usr/bin/app": "app\n", "/etc/app.conf": "c\n"},
                      scripts={"conffiles": "/etc/app.conf\n"})
        self.repo.deb("t", "lib1", "1.0-1", Multi_Arch="same", files={"/lib/x/lib1": "1\n"})
        self.repo.deb("t-security", "lib1", "1.0-1+sec", Multi_Arch="same", files={"/lib/x/lib1": "2\n"})
        self.repo.deb("t", "bad", "1", files={"/usr/share/bad": "b\n"}, scripts={"postinst": "#!/bin/sh\ntouch /hello\n"})
        for suite in ("t", "t-security"):
            self.index = self.repo.publish(suite)
        self.server = debian.Server(folder)

    def run(self, *packages, out=None, keyring=None):
        recipe = self.folder / "r.yml"
        recipe.write_text(f"recipe: 1\nname: r\nsuite: t\nversion: \"1\"\nmirror: {self.server.url}/debian\nsuites: [{{suite: t-security}}]\n"
                          f"components: [main]\narchitectures: [amd64]\nkeys: {keyring or self.key.keyring}\npackages: [{', '.join(packages)}]\n")
        return subprocess.run([TOOL, *(["-o", str(out)] if out else []), str(recipe), "amd64", str(self.folder / "store")],
                              capture_output=True, text=True)

    def close(self):
        self.server.close()
        self.key.close()


@pytest.fixture
def world(tmp_path):
    w = World(tmp_path)
    yield w
    w.close()


def packages(result):
    assert result.returncode == 0, result.stderr
    return [" ".join(line.split()[:2]) for line in result.stdout.splitlines()]


def test_newest_of_both_suites(world):
    assert packages(world.run("app")) == ["app 1.0-1", "lib1 1.0-1+sec"]
    fetched = [p for p, code in world.server.log if code == 200]
    assert all("by-hash" in p or p.endswith("InRelease") for p in fetched)


def test_indexes_are_fetched_once(world):
    packages(world.run("app"))
    del world.server.log[:]
    packages(world.run("app"))
    assert [code for _, code in world.server.log] == [304, 304]


def test_gz_and_plain_paths(world):
    world.repo.publish("t", by_hash=False)
    assert packages(world.run("lib1 (= 1.0-1)")) == ["lib1 1.0-1"]


def test_changed_index_is_refused(world):
    for f in (world.repo.root / "dists/t/main/binary-amd64/by-hash/SHA256").iterdir():
        f.write_bytes(f.read_bytes()[:-1] + b"x")
    r = world.run("app")
    assert r.returncode == 7 and "but the Release file says" in r.stderr


def test_changed_release_is_refused(world):
    f = world.repo.root / "dists/t/InRelease"
    f.write_bytes(f.read_bytes().replace(b"Origin: Test", b"Origin: Tess"))
    r = world.run("app")
    assert r.returncode == 7 and "no good signature" in r.stderr


def test_another_key_is_refused(world):
    other = debian.Key(world.folder, "other")
    world.repo.publish("t", key=other)
    r = world.run("app")
    other.close()
    assert r.returncode == 7 and "no good signature" in r.stderr


def test_old_release_is_refused(world):
    world.repo.publish("t", valid_for=-60)
    r = world.run("app")
    assert r.returncode == 7 and "was valid until" in r.stderr


def test_release_of_another_suite_is_refused(world):
    (world.repo.root / "dists/t/InRelease").write_bytes((world.repo.root / "dists/t-security/InRelease").read_bytes())
    r = world.run("app")
    assert r.returncode == 7 and "gave the Release file of 't-security' for 't'" in r.stderr


def test_changed_package_is_refused(world):
    for f in (world.repo.root / "pool").glob("app_*"):
        f.write_bytes(f.read_bytes()[:-1] + b"x")
    r = world.run("app", out=world.folder / "out")
    assert r.returncode == 7, r.stderr


def test_unknown_script_is_refused(world):
    r = world.run("bad", out=world.folder / "out")
    assert r.returncode == 1 and "EB401 postinst of 'bad 1' would have to be run: 'touch /hello'" in r.stderr


def test_conflict_is_explained(world):
    r = world.run("lib1 (>= 9)")
    assert r.returncode == 3 and "lib1" in r.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="owners are set by root only")
def test_tree(world):
    out = world.folder / "out"
    packages(world.run("app", out=out))
    assert (out / "lib").is_symlink() and (out / "lib/x/lib1").read_text() == "2\n"
    status = (out / "var/lib/dpkg/status").read_text()
    assert "Conffiles:\n /etc/app.conf 2cd6ee2c70b0bde53fbe6cac3c8b8bb1\n" in status
    listed = subprocess.run(["dpkg-query", "--admindir", str(out / "var/lib/dpkg"), "-L", "lib1"], capture_output=True, text=True)
    assert listed.returncode == 0 and "/lib/x/lib1" in listed.stdout.split()
    audit = subprocess.run(["dpkg", "--root", str(out), "--audit"], capture_output=True, text=True)
    assert audit.returncode == 0 and audit.stdout == "", audit.stdout + audit.stderr
