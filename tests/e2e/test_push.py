"""Push to docker-registry: what goes over the wire and what does not, names, formats, and what other tools read back."""
import json
import re
import signal
import subprocess
import time

import pytest

from registry_world import USERS, registries, registry  # noqa: F401
from registry_proxy import Proxy

FLAVOURS = {"plain": {}, "htpasswd": {"users": {"alice": "s3cret"}}, "tls": {"tls": True}, "mtls": {"mtls": True}, "token": {"token": USERS}}
DOCKER = "application/vnd.docker.distribution."


def define(env, base, pip="'PyJWT<2', wide"):
    return env.write("env.yml", f"name: train\ndependencies:\n  - pip: [{pip}]\nenvbuild:\n  base: {base}\n")


@pytest.fixture
def user(env, base_layout):
    define(env, f"oci:{base_layout}:base")
    return env


def pushed(env, *args):
    """What --metadata-file says of one push."""
    env.run("push", *args, "--metadata-file", "meta.json")
    doc = json.loads((env.work / "meta.json").read_text())["pushed"]
    assert len(doc) == 1
    return doc[0]


def tags(registry, repo):
    """Without those that an SBOM and the like hang on, where a registry knows no referrers."""
    return [t for t in registry.tags(repo) if not t.startswith("sha256-")]


PLAIN = ("--sbom", "false", "--source", "false")


def of(repo, asked):
    """Not those of the repository of layer facts beside it."""
    return [q for q in asked if q.path.startswith(f"/v2/{repo}/")]


def uploads(asked):
    return [q for q in asked if q.method in ("POST", "PUT", "PATCH") and "/blobs/" in q.path]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_build_and_push(user, registries, tmp_path, flavour):
    r = registries(**FLAVOURS[flavour])
    if r.authority:
        r.trust(user)
    if r.who()[0]:
        r.login(user)
    line = user.run("build", "-t", f"{r.name}/team/train:1", "--push").line
    name, digest = line.split("@")
    assert name == f"{r.name}/team/train" and tags(r, "team/train") == ["1"] and r.digest("team/train", "1") == digest
    blobs = r.whole("team/train", "1")
    back = r.pull("team/train", "1", tmp_path / "back")
    assert {"sha256:" + p.name for p in (back / "blobs/sha256").iterdir()} == blobs | {digest}
    assert f"train:1@{digest}" in user.run("build", "-t", "train:1").line  # what was built is what was pushed


def test_nothing_to_do_is_one_question(user, registry):
    user.run("build", "-t", f"{registry.name}/team/train:1", "--push")
    before = registry.requests()
    for args in ("build", "-t", f"{registry.name}/team/train:1", "--push"), ("push", f"{registry.name}/team/train:1"):
        before = registry.requests()
        user.run(*args)
        assert [(q.method, q.status) for q in registry.asked_since(before)] == [("HEAD", 200)]


def test_nothing_to_do_is_three_round_trips_with_a_token(user, registries):
    r = registries(token=USERS)
    r.login(user)
    user.run("build", "-t", f"{r.name}/team/train:1", "--push")
    before, tokens = r.requests(), len(r.token.log)
    user.run("push", f"{r.name}/team/train:1")
    assert [(q.method, q.status) for q in r.asked_since(before)] == [("HEAD", 401), ("HEAD", 200)] and len(r.token.log) == tokens + 1


def test_one_changed_package_is_one_layer(user, registry):
    user.run("build", "-t", "one")
    first = pushed(user, "one", f"{registry.name}/team/train:1")
    assert first["blobs"]["sent"] == len(registry.whole("team/train", "1")) and first["blobs"]["present"] == 0
    define(user, "oci:" + re.search("oci:(.*):base", (user.work / "env.yml").read_text())[1] + ":base", "PyJWT==2.0.0, wide")
    user.run("build", "-t", "two")
    second = pushed(user, "two", f"{registry.name}/team/train:2")
    assert second["blobs"]["sent"] == 2 and second["blobs"]["bytes"] < 5000  # its bucket, the config
    assert tags(registry, "team/train") == ["1", "2"]


def test_another_repository_of_the_registry_lends(user, registry):
    user.run("build", "-t", "one")
    pushed(user, "one", f"{registry.name}/team/train:1")
    before = registry.requests()
    again = pushed(user, "one", f"{registry.name}/other/place:1", *PLAIN)
    assert again["blobs"] == {"present": 0, "mounted": len(registry.whole("other/place", "1")), "sent": 0, "bytes": 0}
    assert [q for q in uploads(of("other/place", registry.asked_since(before))) if q.method != "POST"] == []


def test_a_new_tag_is_one_request_more(user, registry):
    user.run("build", "-t", "one")
    user.run("push", "one", f"{registry.name}/team/train:1")
    before = registry.requests()
    user.run("push", "one", f"{registry.name}/team/train:1", f"{registry.name}/team/train", *PLAIN)
    asked = of("team/train", registry.asked_since(before))
    assert tags(registry, "team/train") == ["1", "latest"] and uploads(asked) == [] and len(asked) == 3


def test_by_digest_only(user, registry):
    digest = user.run("build", "-t", "one").line.split("@")[1]
    line = user.run("push", f"one@{digest}", f"{registry.name}/team/train@{digest}").line
    assert line == f"{registry.name}/team/train@{digest}"
    assert tags(registry, "team/train") == [] and registry.whole("team/train", digest)


def test_several_repositories_are_a_line_each(user, registries):
    one, two = registries(), registries()
    digest = user.run("build", "-t", "one").line.split("@")[1]
    out = user.run("push", "one", f"{one.name}/a:1", f"{two.name}/b:1", f"{one.name}/a:2").out
    assert out == f"{one.name}/a@{digest}\n{two.name}/b@{digest}\n"
    assert tags(one, "a") == ["1", "2"] and tags(two, "b") == ["1"]


def test_names(user):
    digest = user.run("build", "-t", "one").line.split("@")[1]
    for args, words in {("push",): ["push IMAGE"], ("push", "one"): ["which registry", "localhost:5000/team/one"],
                        ("push", "one", "team/x"): ["which registry"], ("push", digest): [f"push {digest} REGISTRY"],
                        ("push", "one", "h:1/x@sha256:" + "0" * 64): ["another digest"], ("push", "one", "h:1/X"): ["lower case"],
                        ("push", "one", "http://h/x"): ["scheme"], ("build", "--push"): ["-t REGISTRY/NAME:TAG"],
                        ("build", "-t", "one", "--push"): ["which registry"],
                        ("build", "-t", "h:1/x", "--push", "--format", "docker", "--compression", "zstd"): ["zstd"]}.items():
        err = user.run(*args, code=2).err
        assert all(w in err for w in words), err
    assert "no image 'none'" in user.run("push", "none", "h:1/x", code=1).err


# ---- formats


def test_docker_types(user, registry, tmp_path):
    user.run("build", "-t", "one")
    line = user.run("push", "one", f"{registry.name}/team/train:1", "--format", "docker").line
    doc = json.loads(registry.manifest("team/train", "1"))
    assert doc["mediaType"] == DOCKER + "manifest.v2+json" and "annotations" not in doc
    assert {x["mediaType"] for x in doc["layers"]} == {"application/vnd.docker.image.rootfs.diff.tar.gzip"}
    assert doc["config"]["mediaType"] == "application/vnd.docker.container.image.v1+json"
    assert registry.digest("team/train", "1") == line.split("@")[1]
    p = subprocess.run(["skopeo", "copy", "-q", "--insecure-policy", "--src-tls-verify=false", f"docker://{registry.name}/team/train:1",
                        f"docker-archive:{tmp_path}/one.tar"], capture_output=True, text=True, timeout=300)
    assert p.returncode == 0, p.stderr
    again = pushed(user, "one", f"{registry.name}/team/train:2")  # the same blobs under OCI's names
    assert again["blobs"]["sent"] == 0 and again["digest"] != line.split("@")[1]


@pytest.mark.parametrize("codec", ["zstd", "none"])
def test_other_encodings(user, registry, codec):
    user.run("build", "-t", "one", "--compression", codec)
    user.run("push", "one", f"{registry.name}/team/train:1")
    registry.whole("team/train", "1")
    kinds = {x["mediaType"].rsplit(".", 1)[1] for x in json.loads(registry.manifest("team/train", "1"))["layers"][1:]}
    assert kinds == {"tar+zstd" if codec == "zstd" else "tar"}
    docker = user.run("push", "one", f"{registry.name}/team/train:2", "--format", "docker", code=2 if codec == "zstd" else 0)
    assert codec != "zstd" or "--compression gzip" in docker.err


def test_several_platforms(user, registry, tmp_path):
    """An index: children first, then the index, then the tag."""
    user.write("env.yml", "name: train\ndependencies: []\nenvbuild:\n  base: scratch\n  platforms: [linux/amd64, linux/arm64]\n  files:\n"
                          "    /srv/hello.txt: hello.txt\n")
    user.write("hello.txt", "hello\n")
    line = user.run("build", "-t", f"{registry.name}/team/both:1", "--push").line
    doc = json.loads(registry.manifest("team/both", "1"))
    assert registry.digest("team/both", "1") == line.split("@")[1] and [m["platform"]["architecture"] for m in doc["manifests"]] == ["amd64", "arm64"]
    registry.whole("team/both", "1")
    puts = [q.path.split("/")[-1] for q in registry.requests() if q.method == "PUT" and "/manifests/" in q.path]
    assert puts[:4] == [m["digest"] for m in doc["manifests"]] + [line.split("@")[1], "1"]
    user.run("push", f"{registry.name}/team/both:1", f"{registry.name}/team/docker:1", "--format", "docker")
    docker = json.loads(registry.manifest("team/docker", "1"))
    assert docker["mediaType"] == DOCKER + "manifest.list.v2+json" and {m["mediaType"] for m in docker["manifests"]} == {DOCKER + "manifest.v2+json"}
    registry.whole("team/docker", "1")


# ---- bases of registries


def test_a_base_of_the_registry_is_mounted(env, registry, base_layout):
    registry.push(base_layout, "base/system", "1")
    define(env, f"{registry.name}/base/system:1")
    env.run("build", "-t", "one")
    before = registry.requests()
    got = pushed(env, "one", f"{registry.name}/team/train:1")
    assert got["blobs"]["mounted"] == 1 and got["blobs"]["bytes"] < 1_000_000  # the base has 1 MB
    layer = json.loads(registry.manifest("base/system", "1"))["layers"][0]["digest"]
    assert not [q for q in registry.asked_since(before) if q.method == "GET" and layer in q.path]
    registry.whole("team/train", "1")


def test_a_base_of_another_registry_goes_through_the_store(env, registries, base_layout, tmp_path):
    from_, to = registries(), registries()
    from_.push(base_layout, "base/system", "1")
    define(env, f"{from_.name}/base/system:1")
    env.run("build", "-t", "one")
    layer = json.loads(from_.manifest("base/system", "1"))["layers"][0]["digest"]
    (env.cache / "oci/blobs/sha256" / layer[7:]).unlink(missing_ok=True)
    env.run("push", "one", f"{to.name}/team/train:1")
    to.whole("team/train", "1")
    (env.cache / "oci/blobs/sha256" / layer[7:]).unlink()
    from_.stop()
    r = env.run("push", "one", f"{to.name}/team/second:1")  # mounted now
    assert "1 mounted" in r.err or "mounted, 0 there" in r.err
    for path in (env.cache / "origins").glob("*"):
        path.unlink()
    err = env.run("push", "one", f"{to.name}/team/third:1", code=None)
    assert err.code == 0 or layer in err.err  # who knows no repository says which layer


# ---- half of it


def test_an_interrupted_push_goes_on(user, registry):
    user.run("build", "-t", "one")
    proxy = Proxy(registry.port)
    proxy.rule("rate", "uploads", method="PUT", bytes_per_s=100_000)
    p = user.popen("push", "one", f"{proxy.name}/team/train:1")
    end = time.monotonic() + 60
    while not any(q.method == "PUT" and q.up for q in proxy.log):
        assert time.monotonic() < end
        time.sleep(0.01)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 130 and out == "" and "interrupted" in err
    assert tags(registry, "team/train") == []
    proxy.clear()
    assert user.run("push", "one", f"{proxy.name}/team/train:1").code == 0
    proxy.close()
    proxy.quiet()  # the first push's last bytes: docker-registry writes their links again, and not at once
    registry.whole("team/train", "1")


def test_two_at_once(user, registry):
    user.run("build", "-t", "one")
    both = [user.popen("push", "one", f"{registry.name}/team/train:{i}") for i in (1, 2)]
    for p in both:
        out, err = p.communicate(timeout=300)
        assert p.returncode == 0, err
    assert tags(registry, "team/train") == ["1", "2"]
    registry.whole("team/train", "1")


def test_a_damaged_layer_is_not_pushed(user, registry):
    user.run("build", "-t", "one")
    doc = json.loads(subprocess.run(["skopeo", "inspect", "--raw", f"oci:{user.cache}/oci:one"], capture_output=True, text=True).stdout)
    path = user.cache / "oci/blobs/sha256" / doc["layers"][0]["digest"][7:]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    err = user.run("push", "one", f"{registry.name}/team/train:1", code=7).err
    assert doc["layers"][0]["digest"] in err
    assert not registry.has_blob("team/train", doc["layers"][0]["digest"]) and tags(registry, "team/train") == []
