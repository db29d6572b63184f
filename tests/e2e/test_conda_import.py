"""Finished resolutions of other tools as definitions: taken as they are, and what they do not say is asked of the packages themselves."""
import pytest
from conda_world import made_python, make_package, python_package
from test_conda import world  # noqa: F401 (a fixture)


@pytest.fixture
def there(world):  # noqa: F811
    """A channel, and the lock of a definition that needs all of it."""
    world.publish(made_python(), python_package("tool", "2.0", depends=["native >=1"]),
                  make_package("native", "1.4", "h_3", {"share/native": "x\n"}, constrains=["other <2"]))
    world.define("tool", "python=3.11")
    world.ours = world.image()
    return world


def locked(world, name):  # noqa: F811
    """Artifacts of a lock: name → what its block says, but for who asked."""
    out, one = {}, None
    for line in (world.env.work / f"{name}.lock").read_text().splitlines():
        if line.startswith("    - kind: "):
            one = {}
        elif one is not None and line.startswith("      ") and ": " in line:
            key, value = line.strip().split(": ", 1)
            one[key] = value
            if key == "name":
                out[value] = one
    return out


@pytest.mark.parametrize("form, file", [("explicit", "pins.txt"), ("conda-lock", "conda-lock.yml")])
def test_the_same_layers_come_of_another_tools_lock(there, form, file):
    text = there.env.run("export", "-f", form, "train.lock").out
    there.env.write(file, text)
    line = there.env.run("build", file, "--base", f"oci:{there.base}:base").line
    again = there.image(line)
    ours = {p: (n.kind, n.mode, n.link, n.data) for p, n in there.ours.tree.items() if not p.startswith("conda-meta/history")}
    assert {p: (n.kind, n.mode, n.link, n.data) for p, n in again.tree.items() if not p.startswith("conda-meta/history")} == ours
    name = file.rsplit(".", 1)[0]
    theirs, mine = locked(there, name), locked(there, "train")
    for package, block in mine.items():
        for key in ("sha256", "size", "url", "noarch", "needs", "dists"):
            assert theirs[package].get(key) == block.get(key), (package, key)
    assert there.env.run("build", file, "--base", f"oci:{there.base}:base", "--locked", "--offline").line == line, "the lock beside it is used"
    there.env.write(file, text + "# changed\n")
    there.env.run("build", file, "--base", f"oci:{there.base}:base", "--locked", code=4)


def test_hashes_that_a_list_does_not_say_are_learned(there):
    text = there.env.run("export", "-f", "explicit", "train.lock").out
    bare = "\n".join(x.split("#")[0] if "://" in x else x for x in text.splitlines()) + "\n"
    there.env.write("bare.txt", bare)
    there.env.run("lock", "bare.txt", "--base", f"oci:{there.base}:base")
    mine = locked(there, "train")
    assert {k: (v["sha256"], v["size"]) for k, v in locked(there, "bare").items()} == {k: (v["sha256"], v["size"]) for k, v in mine.items()}


def test_a_wrong_hash_stops_it(there):
    text = there.env.run("export", "-f", "explicit", "train.lock").out
    there.env.write("pins.txt", "\n".join(x[:-8] + "00000000" if "native" in x else x for x in text.splitlines()) + "\n")
    err = there.env.run("build", "pins.txt", "--base", f"oci:{there.base}:base", code=7).err
    assert "native" in err and "sha256" in err or "md5" in err
    assert not (there.env.work / "pins.lock").exists()


def test_it_is_taken_as_it_is(there):
    there.env.write("pins.txt", there.env.run("export", "-f", "explicit", "train.lock").out)
    err = there.env.run("build", "pins.txt", "--conda", "native", code=2).err
    assert "pins.txt" in err and "--conda" in err and "hint" in err
    err = there.env.run("build", "pins.txt", "--platform", "linux/arm64", code=2).err
    assert "linux/arm64" in err or "linux-aarch64" in err
