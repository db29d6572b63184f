"""registry list and registry prune: what locks name stays, what is not ours stays, the rest goes when it is told to."""
import json
import shutil

import pytest

from registry_world import MANIFESTS, USERS, registries, registry  # noqa: F401


@pytest.fixture
def user(env, base_layout):
    env.base = f"oci:{base_layout}:base"
    return env


def build(env, registry, name, tag, pip, **options):
    """A definition of its own, so that each has a lock; its folder is NAME."""
    env.write(f"{name}/env.yml", f"name: {name}\ndependencies:\n  - pip: [{pip}]\nenvbuild:\n  base: {env.base}\n")
    to = f"{registry.name}/team/train:{tag}"
    return env.run("build", f"{name}/env.yml", "-t", to, "--push", *options.get("args", ())).line.split("@")[1]


def listed(env, registry, repo="team/train"):
    return json.loads(env.run("registry", "list", "--json", f"{registry.name}/{repo}").out)


def prune(env, registry, *args, repo="team/train", code=0):
    return env.run("registry", "prune", f"{registry.name}/{repo}", *args, code=code)


def image_tags(registry, repo="team/train"):
    return sorted(t for t in registry.tags(repo) if not t.startswith("sha256-"))


def there(registry, digest, repo="team/train"):
    return registry.ask("GET", f"/v2/{repo}/manifests/{digest}", headers={"Accept": ", ".join(MANIFESTS)}).status == 200


def test_list(user, registry):
    one = build(user, registry, "one", "1", "'PyJWT<2'")
    user.run("push", "--sbom", "false", "--source", "false", f"{registry.name}/team/train:1", f"{registry.name}/team/train:also")
    items = {i["kind"]: i for i in listed(user, registry)}
    assert items["image"]["digest"] == one and items["image"]["tags"] == ["1", "also"] and items["image"]["size"] > 1000
    assert items["image"]["created"].startswith("20")
    assert items["attached"]["tags"] == ["sha256-" + one[7:]]
    facts = listed(user, registry, "team/train-layers")
    assert facts and {f["kind"] for f in facts} == {"layer fact"} and all(f["tags"][0].startswith("lk-") for f in facts)
    out = user.run("registry", "list", f"{registry.name}/team/train").out
    assert "image" in out and one[7:19] in out and "1, also" in out


def test_locked_stays_the_rest_goes(user, registry):
    old = build(user, registry, "old", "old", "'PyJWT<2'")
    new = build(user, registry, "new", "new", "'PyJWT==2.0.0'")
    r = prune(user, registry, "--keep-locked", "new")
    assert "keep" in r.out and "would" in r.out and "--yes" in r.out
    assert image_tags(registry) == ["new", "old"]  # dry without --yes
    r = prune(user, registry, "--keep-locked", "new", "--yes", "--json")
    doc = json.loads(r.out)[0]
    assert doc["deleted"] >= 2 and {m["digest"]: m["kept"] for m in doc["manifests"]}[new] is True
    assert not there(registry, old) and there(registry, new)
    attached = listed(user, registry)
    assert [i["tags"] for i in attached if i["kind"] == "attached"] == [["sha256-" + new[7:]]]
    assert user.run("sbom", f"{registry.name}/team/train:new").out.startswith("{")  # what hangs on it is whole
    again = json.loads(prune(user, registry, "--keep-locked", "new", "--yes", "--json").out)[0]
    assert again["deleted"] == 0


def test_facts_go_by_key(user, registry):
    build(user, registry, "old", "old", "'PyJWT<2'")
    before = {i["tags"][0] for i in listed(user, registry, "team/train-layers")}
    build(user, registry, "new", "new", "'PyJWT==2.0.0'")
    both = {i["tags"][0] for i in listed(user, registry, "team/train-layers")}
    prune(user, registry, "--keep-locked", "new", "--yes", repo="team/train-layers")
    left = {i["tags"][0] for i in listed(user, registry, "team/train-layers")}
    lock = (user.work / "new/new.lock").read_text()
    assert left and left < both and all(tag[3:] in lock for tag in left) and not (before - left) & left


def test_several_platforms(user, registry):
    """An index keeps its images, and takes them along when it goes."""
    user.write("two/env.yml", "name: two\ndependencies:\n  - pip: []\nenvbuild:\n  base: scratch\n  platforms: [linux/amd64, linux/arm64]\n"
               "  files: {/etc/two: env.yml}\n")
    user.run("build", "two/env.yml", "-t", f"{registry.name}/team/two:1", "--push")
    index = registry.digest("team/two", "1")
    children = [m["digest"] for m in json.loads(registry.manifest("team/two", "1"))["manifests"]]
    prune(user, registry, "--keep-locked", "two", "--yes", repo="team/two")
    assert all(there(registry, d, "team/two") for d in (index, *children))
    build(user, registry, "other", "1", "'PyJWT<2'")
    prune(user, registry, "--keep-locked", "other", "--yes", repo="team/two")
    assert not any(there(registry, d, "team/two") for d in (index, *children))


def test_dockers_types_are_known_by_their_config(user, registry):
    kept = build(user, registry, "one", "1", "'PyJWT<2'", args=("--format", "docker"))
    prune(user, registry, "--keep-locked", "one", "--yes")
    assert there(registry, kept)


def test_not_ours_is_never_touched(user, registry):
    build(user, registry, "one", "1", "'PyJWT<2'")
    body = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "artifactType": "application/x-of-others",
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", **registry.put_blob("team/train", b"{}")},
            "layers": []}
    registry.put_manifest("team/train", "theirs", json.dumps(body).encode())
    user.write("none/none.lock", (user.work / "one/one.lock").read_text().split("\nimage:")[0] + "\n")
    r = prune(user, registry, "--keep-locked", "none", "--yes")
    assert "keeps nothing" in r.err and "not ours" in r.out
    assert image_tags(registry) == ["theirs"]


def test_age(user, registry):
    one = build(user, registry, "one", "1", "'PyJWT<2'")
    prune(user, registry, "--older-than", "1979-01-01", "--yes")  # nothing here has a date, so it is 1980's
    assert there(registry, one)
    r = prune(user, registry, "--older-than", "0d", "--yes")
    assert not there(registry, one), r.out


def test_what_stays_must_be_said(user, registry):
    build(user, registry, "one", "1", "'PyJWT<2'")
    assert "what stays" in prune(user, registry, code=2).err
    (user.work / "empty").mkdir()
    assert "no lock" in prune(user, registry, "--keep-locked", "empty", "--yes", code=2).err
    user.write("bad/bad.lock", "lock: 1\nname: [\n")
    assert "bad.lock:" in prune(user, registry, "--keep-locked", "bad", "--yes", code=2).err
    assert "not a date" in prune(user, registry, "--older-than", "soon", "--yes", code=2).err
    assert image_tags(registry) == ["1"]
    assert user.run("registry", "list", f"{registry.name}/team/nobody", code=None).code in (1, 5)
    assert "names an image" in user.run("registry", "list", f"{registry.name}/team/train:1", code=2).err


def test_login_and_a_registry_that_does_not_delete(user, registries):
    r = registries(token=USERS)
    r.login(user)
    one = build(user, r, "one", "1", "'PyJWT<2'")
    build(user, r, "two", "2", "'PyJWT==2.0.0'")
    prune(user, r, "--keep-locked", "two", "--yes")
    assert not there(r, one)
    frozen = registries(data=r.data, readonly=True)
    shutil.rmtree(user.work / "two")
    assert "delete" in prune(user, frozen, "--keep-locked", "one", "--yes", code=None).err
    assert image_tags(frozen) == ["2"]
