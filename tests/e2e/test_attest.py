"""What hangs on an image: lock, definition, SBOM, provenance, signatures; on a server with the referrers API and on one without."""
import base64
import hashlib
import json
import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from conftest import ROOT, Env, sha256
from registry_world import USERS, registries, registry  # noqa: F401  fixtures

sys.path.insert(0, str(ROOT / "tests/fake"))
from registry import MockRegistry, Rule  # noqa: E402

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LOCK = "application/vnd.envbuild.lock.v1+yaml"
DEFINITION = "application/vnd.envbuild.definition.v1+yaml"
SPDX = "application/spdx+json"
INTOTO = "application/vnd.in-toto+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"


class Server:
    """Read and written by plain requests, whatever it is."""

    def __init__(self, name, writes):
        self.name, self.writes = name, writes

    def ask(self, method, path, body=None, kind=None):
        r = urllib.request.Request(f"http://{self.name}{path}", data=body, method=method)
        r.add_header("Accept", f"{MANIFEST}, {INDEX}")
        r.add_header("User-Agent", "registry_world")
        if kind:
            r.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(r) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()

    def manifest(self, repo, ref):
        status, body = self.ask("GET", f"/v2/{repo}/manifests/{ref}")
        return json.loads(body) if status == 200 else None

    def blob(self, repo, desc):
        status, body = self.ask("GET", f"/v2/{repo}/blobs/{desc['digest']}")
        assert status == 200 and "sha256:" + sha256(body) == desc["digest"] and len(body) == desc["size"]
        return body

    def referrers(self, repo, digest, kind=None):
        status, body = self.ask("GET", f"/v2/{repo}/referrers/{digest}")
        if status == 404:
            status, body = self.ask("GET", f"/v2/{repo}/manifests/{digest.replace(':', '-')}")
        found = json.loads(body)["manifests"] if status == 200 else []
        return [m for m in found if kind in (None, m["artifactType"])]

    def document(self, repo, digest, kind, number=0):
        """The layers of the only referrer of a kind (or one of several)."""
        found = self.referrers(repo, digest, kind)
        assert len(found) > number, found
        m = self.manifest(repo, found[number]["digest"])
        assert m["artifactType"] == kind and m["subject"]["digest"] == digest
        assert kind == BUNDLE or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", m["annotations"]["org.opencontainers.image.created"])
        assert m["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"
        return [(layer["annotations"].get("org.opencontainers.image.title") if "annotations" in layer else None, self.blob(repo, layer))
                for layer in m["layers"]]


def packages(text, base=True):
    """SPDXIDs of an SBOM, with those of the base's packages or without."""
    ids = [p["SPDXID"] for p in json.loads(text)["packages"]]
    return [i for i in ids if base or not i.startswith("SPDXRef-Package-base-")]


def put(server, repo, ref, doc):
    data = json.dumps(doc).encode()
    assert server.ask("PUT", f"/v2/{repo}/manifests/{ref}", data, doc["mediaType"])[0] == 201
    return {"mediaType": doc["mediaType"], "digest": "sha256:" + sha256(data), "size": len(data)}


@pytest.fixture(params=["api", "tags"])
def server(request, registries):  # noqa: F811
    if request.param == "api":
        mock = MockRegistry()
        yield Server(mock.name, lambda: sum(a.method in ("PUT", "POST", "PATCH") for a in mock.log))
        mock.close()
    else:
        r = registries()
        yield Server(r.name, lambda: sum(a.method in ("PUT", "POST", "PATCH") for a in r.requests()))


@pytest.fixture
def key(env):
    """A key, and who checks it: openssl."""
    def make(name="key.pem", password=None):
        path = env.work / name
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path], check=True)
        if password:
            plain = path.read_bytes()
            subprocess.run(["openssl", "pkcs8", "-topk8", "-out", path, "-passout", f"pass:{password}"], input=plain, check=True)
        args = ["-passin", f"pass:{password}"] if password else []
        subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-out", f"{path}.pub", *args], check=True)
        return path
    return make


def openssl_verifies(tmp_path, key, data, signature):
    (tmp_path / "signature").write_bytes(signature)
    (tmp_path / "data").write_bytes(data)
    p = subprocess.run(["openssl", "dgst", "-sha256", "-verify", f"{key}.pub", "-signature", tmp_path / "signature", tmp_path / "data"],
                       capture_output=True)
    return p.returncode == 0


def pushed(env, definition, server, *args, repo="team/train", **kw):
    definition(**kw)
    line = env.run("build", "env.yml", "-t", f"{server.name}/{repo}:v1", "--push", *args).line
    assert line.startswith(f"{server.name}/{repo}@sha256:")
    return line.split("@")[1]


def stranger(tmp_path):
    """Another machine with nothing on it."""
    return Env(tmp_path / "stranger")


def test_lock_definition_and_sbom_hang_on_a_push(env, definition, server):
    digest = pushed(env, definition, server)
    assert server.document("team/train", digest, LOCK) == [("train.lock", (env.work / "train.lock").read_bytes())]
    assert server.document("team/train", digest, DEFINITION) == [("env.yml", (env.work / "env.yml").read_bytes())]
    [(name, text)] = server.document("team/train", digest, SPDX)
    doc = json.loads(text)
    assert name == "train.spdx.json" and doc["spdxVersion"] == "SPDX-2.3" and digest[7:] in doc["documentNamespace"]
    purls = {r["referenceLocator"] for p in doc["packages"] for r in p.get("externalRefs", [])}
    assert "pkg:pypi/pyjwt@1.7.1" in purls
    assert f"pkg:oci/train@sha256%3A{digest[7:]}?arch=amd64&repository_url={server.name.replace(':', '%3A')}%2Fteam%2Ftrain" in purls
    assert "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?distro=debian-12" in purls
    ids = [p["SPDXID"] for p in doc["packages"]]
    assert ids == sorted(ids) and len(set(ids)) == len(ids)
    related = {(r["spdxElementId"], r["relationshipType"], r["relatedSpdxElement"]) for r in doc["relationships"]}
    assert ("SPDXRef-Base", "CONTAINS", "SPDXRef-Package-base-libc6") in related
    assert ("SPDXRef-Package-wheel-requests", "DEPENDS_ON", "SPDXRef-Package-wheel-idna") in related
    assert not server.referrers("team/train", digest, INTOTO), "provenance is asked for"


def test_a_second_push_writes_nothing(env, definition, server, key):
    options = ["--provenance", "--sign", key()]
    digest = pushed(env, definition, server, *options)
    before, there = server.writes(), server.referrers("team/train", digest)
    assert pushed(env, definition, server, *options) == digest
    assert server.writes() == before
    assert server.referrers("team/train", digest) == there
    assert sorted(r["artifactType"] for r in there) == sorted([LOCK, DEFINITION, SPDX, INTOTO, BUNDLE, BUNDLE])


def test_inspect_shows_it(env, definition, server, key, tmp_path):
    digest = pushed(env, definition, server, "--provenance", "--sign", key())
    ref = f"{server.name}/team/train:v1"
    assert "\nmade from   train.lock, env.yml\n" in env.run("inspect", ref).out
    here = json.loads(env.run("inspect", ref, "--json").out)
    assert [(t["name"], t["digest"]) for t in here["made-from"]] == [(n, "sha256:" + sha256((env.work / n).read_bytes()))
                                                                    for n in ("train.lock", "env.yml")]
    other = stranger(tmp_path)
    text = other.run("inspect", ref).out
    far = json.loads(other.run("inspect", f"docker://{ref}", "--json").out)
    names = ["definition", "lock", "provenance", "sbom", "signature", "signature", "signed statement"]
    assert [a["what"] for a in far["attached"]] == names
    found = [r["digest"] for r in server.referrers("team/train", digest)]
    assert {a["digest"] for a in far["attached"]} > set(found)
    assert all(f"{a['what']:16}  {a['digest']}\n" in text for a in far["attached"])


def test_nothing_hangs_when_told_so(env, definition, server):
    digest = pushed(env, definition, server, "--sbom=false", "--source=false")
    assert server.referrers("team/train", digest) == []


def test_lock_from_the_store_and_from_afar(env, definition, server, tmp_path):
    digest = pushed(env, definition, server)
    lock = (env.work / "train.lock").read_text()
    assert env.run("lock", "--from", f"{server.name}/team/train:v1", "-o", "-").out == lock
    other = stranger(tmp_path)
    for ref in (f"{server.name}/team/train:v1", f"docker://{server.name}/team/train:v1", f"{server.name}/team/train@{digest}"):
        assert other.run("lock", "--from", ref).line == "train.lock"
        assert (other.work / "train.lock").read_text() == lock
    (other.work / "train.lock").write_text(lock + "# mine\n")
    assert "is there and is another lock" in other.run("lock", "--from", ref, code=2).err
    assert other.run("lock", "--from", ref, "-o", "train.lock").line == "train.lock"
    assert (other.work / "train.lock").read_text() == lock
    assert "no image 'nothing'" in other.run("lock", "--from", "nothing", code=1).err
    assert other.run("lock", "--from", f"{server.name}/team/none:v1", code=1).out == ""


def test_the_lock_of_an_image_makes_it_again(env, definition, server, tmp_path):
    digest = pushed(env, definition, server)
    other = stranger(tmp_path)
    ref = f"{server.name}/team/train:v1"
    assert "nothing was written" in other.run("lock", "--from", ref, "--dry-run").err and not (other.work / "train.lock").exists()
    other.run("lock", "--from", ref)
    assert other.run("build", "train.lock").line == f"train@{digest}"
    assert packages(other.run("sbom", "train").out) == packages(env.run("sbom", ref).out, base=False), "its base was never read"
    before, there = server.writes(), server.referrers("team/train", digest)
    assert other.run("push", "train", ref).line.endswith(digest)
    assert server.referrers("team/train", digest) == there and server.writes() == before, "the SBOM that says more stays"


def test_a_lock_of_another_image_is_none(env, definition, server, tmp_path):
    """Whoever can push can hang a lock on any image: one that pins something else would build something else."""
    digest = pushed(env, definition, server, "--source=false")
    other = pushed(env, definition, server, "--source=false", pip="[idna]")
    assert other != digest
    data = (env.work / "train.lock").read_bytes()
    r = urllib.request.Request(f"http://{server.name}/v2/team/train/blobs/uploads/", method="POST")
    with urllib.request.urlopen(r) as answer:
        where = answer.headers["Location"]
    where = where if where.startswith("http") else f"http://{server.name}{where}"
    r = urllib.request.Request(f"{where}{'&' if '?' in where else '?'}digest=sha256:{sha256(data)}", data=data, method="PUT")
    r.add_header("Content-Type", "application/octet-stream")
    urllib.request.urlopen(r).close()
    status, text = server.ask("GET", f"/v2/team/train/manifests/{digest}")
    # the SBOM's referrer gives an empty config that is there already
    config = server.manifest("team/train", server.referrers("team/train", digest, SPDX)[0]["digest"])["config"]
    doc = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": LOCK, "config": config,
           "layers": [{"mediaType": LOCK, "digest": "sha256:" + sha256(data), "size": len(data)}],
           "subject": {"mediaType": MANIFEST, "digest": digest, "size": len(text)}}
    hung = put(server, "team/train", "sha256:" + sha256(json.dumps(doc).encode()), doc)
    tag = server.manifest("team/train", digest.replace(":", "-"))
    if tag:
        tag["manifests"].append({**hung, "artifactType": LOCK})
        put(server, "team/train", digest.replace(":", "-"), tag)
    far = stranger(tmp_path)
    p = far.run("lock", "--from", f"{server.name}/team/train@{digest}", code=7)
    assert "none of them is of this image" in p.err and not (far.work / "train.lock").exists()


def test_sbom_is_the_same_from_everywhere(env, definition, server, tmp_path):
    digest = pushed(env, definition, server)
    [(_, text)] = server.document("team/train", digest, SPDX)
    ref = f"{server.name}/team/train:v1"
    assert env.run("sbom", ref).out.encode() == text
    other = stranger(tmp_path)
    assert other.run("sbom", ref).out.encode() == text
    assert other.run("sbom", f"{server.name}/team/train@{digest}", "--format", "spdx-json").out.encode() == text
    local = json.loads(env.run("sbom", "env.yml").out)
    assert [p["SPDXID"] for p in local["packages"]] == [p["SPDXID"] for p in json.loads(text)["packages"]]
    assert digest[7:] in local["documentNamespace"]
    assert env.run("sbom", "train.lock").out == env.run("sbom").out


def test_sbom_without_a_referrer_is_made_of_the_lock(env, definition, server, tmp_path):
    pushed(env, definition, server, "--sbom=false")
    ref = f"{server.name}/team/train:v1"
    assert packages(stranger(tmp_path).run("sbom", ref).out) == packages(env.run("sbom", ref).out, base=False)


def classic(server, repo, digest):
    m = server.manifest(repo, digest.replace(":", "-") + ".sig")
    return [(server.blob(repo, layer), base64.b64decode(layer["annotations"]["dev.cosignproject.cosign/signature"]))
            for layer in m["layers"] if layer["mediaType"] == SIMPLE], m


def test_signatures_verify(env, definition, server, key, tmp_path):
    one, two = key("one.pem"), key("two.pem", "horse battery")
    digest = pushed(env, definition, server, "--sign", one)
    [(payload, signature)], m = classic(server, "team/train", digest)
    assert json.loads(payload) == {"critical": {"identity": {"docker-reference": f"{server.name}/team/train"},
                                                "image": {"docker-manifest-digest": digest}, "type": "cosign container image signature"},
                                   "optional": None}
    assert openssl_verifies(tmp_path, one, payload, signature)
    assert not openssl_verifies(tmp_path, one, payload + b" ", signature)
    config = json.loads(server.blob("team/train", m["config"]))
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in m["layers"]]

    [(_, bundle)] = server.document("team/train", digest, BUNDLE)
    bundle = json.loads(bundle)
    envelope = bundle["dsseEnvelope"]
    statement, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    covered = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(statement), statement)
    assert openssl_verifies(tmp_path, one, covered, base64.b64decode(envelope["signatures"][0]["sig"]))
    assert json.loads(statement)["subject"] == [{"digest": {"sha256": digest[7:]}}]
    der = subprocess.run(["openssl", "pkey", "-in", one, "-pubout", "-outform", "DER"], capture_output=True, check=True).stdout
    assert base64.b64decode(bundle["verificationMaterial"]["publicKey"]["hint"]) == hashlib.sha256(der).digest()
    assert bundle["mediaType"] == BUNDLE

    ref = f"{server.name}/team/train:v1"
    before = server.writes()
    assert env.run("sign", ref, "--key", one).line == f"{server.name}/team/train@{digest}"
    assert server.writes() == before, "this key has signed it"
    env.run("sign", ref, "--key", two, env={**env.env, "COSIGN_PASSWORD": "horse battery"})
    both, m = classic(server, "team/train", digest)
    assert len(both) == 2 and both[0] == (payload, signature), "signatures of others stay"
    assert openssl_verifies(tmp_path, two, *both[1])
    assert len(server.referrers("team/train", digest, BUNDLE)) == 2


def test_forms(env, definition, server, key):
    digest = pushed(env, definition, server)
    ref, pem = f"{server.name}/team/train:v1", key()
    env.run("sign", ref, "--key", pem, "--form", "bundle")
    assert server.manifest("team/train", digest.replace(":", "-") + ".sig") is None
    env.run("sign", ref, "--key", pem, "--form", "classic")
    assert len(classic(server, "team/train", digest)[0]) == 1
    assert len(server.referrers("team/train", digest, BUNDLE)) == 1


def test_provenance(env, definition, server, key, tmp_path):
    pem = key()
    digest = pushed(env, definition, server, "--provenance", "--sign", pem)
    [(_, text)] = server.document("team/train", digest, INTOTO)
    statement = json.loads(text)
    assert statement["subject"] == [{"name": f"{server.name}/team/train", "digest": {"sha256": digest[7:]}}]
    build = statement["predicate"]["buildDefinition"]
    assert build["externalParameters"]["lock"] == {"name": "train.lock", "digest": {"sha256": sha256((env.work / "train.lock").read_bytes())}}
    assert build["externalParameters"]["definition"] == [{"name": "env.yml",
                                                          "digest": {"sha256": sha256((env.work / "env.yml").read_bytes())}}]
    assert "pkg:pypi/pyjwt@1.7.1" in [d["uri"] for d in build["resolvedDependencies"]]
    kinds = {r["annotations"]["dev.sigstore.bundle.predicateType"]: r["digest"] for r in server.referrers("team/train", digest, BUNDLE)}
    assert set(kinds) == {"https://slsa.dev/provenance/v1", "https://sigstore.dev/cosign/sign/v1"}
    layer = server.manifest("team/train", kinds["https://slsa.dev/provenance/v1"])["layers"][0]
    envelope = json.loads(server.blob("team/train", layer))["dsseEnvelope"]
    assert base64.b64decode(envelope["payload"]) == text


def test_a_committed_lock_without_image_half(env, definition, server, tmp_path):
    """`lock` in one place, `build --locked --push` in another: the lock that hangs there pins the image all the same."""
    definition()
    env.run("lock", "env.yml")
    committed = (env.work / "train.lock").read_text()
    assert "image:" not in committed
    env.run("build", "env.yml", "--locked", "-t", f"{server.name}/team/train:v1", "--push")
    assert (env.work / "train.lock").read_text() == committed
    far = stranger(tmp_path)
    got = far.run("lock", "--from", f"{server.name}/team/train:v1", "-o", "-").out
    assert got.startswith(committed) and "\nimage:" in got


def test_logins_of_a_definition_stay_at_home(env, definition, server, index):
    url = f"http://me:hunter2secret@127.0.0.1:{index.port}/simple/"
    digest = pushed(env, definition, server, pip=f'["--index-url {url}", "PyJWT<2"]')
    found = [text for kind in (LOCK, DEFINITION, SPDX) for _, text in server.document("team/train", digest, kind)]
    assert f"http://127.0.0.1:{index.port}/simple/".encode() in found[1]
    assert not [text for text in found if b"hunter2secret" in text]
    for path in env.cache.rglob("*"):
        assert not path.is_file() or b"hunter2secret" not in path.read_bytes(), path


def test_keys_that_do_not_sign(env, definition, key):
    pem = key("key.pem", "horse")
    for options, words in (
        ([pem], "is encrypted and no password was given"),
        (["missing.pem"], "cannot read 'missing.pem'"),
        ([f"{pem}.pub"], "is a public key"),
    ):
        p = env.run("sign", "127.0.0.1:1/team/train:v1", "--key", *options, code=None)
        assert p.code in (1, 2) and words in p.err, p.err
    p = env.run("sign", "127.0.0.1:1/team/train:v1", "--key", pem, code=6, env={**env.env, "ENVBUILD_KEY_PASSWORD": "sesame-wrong"})
    assert "the password does not open the key" in p.err and "sesame-wrong" not in p.err
    (env.work / "cosign.key").write_text("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n")
    p = env.run("sign", "127.0.0.1:1/team/train:v1", "--key", "cosign.key", code=2)
    assert "cosign's own encrypted form" in p.err and "openssl ecparam" in p.err
    assert "sign needs a key" in env.run("sign", "127.0.0.1:1/team/train:v1", code=2).err
    assert "does not say which registry" in env.run("sign", "train", "--key", key("plain.pem"), code=2).err


def test_what_hangs_needs_a_push(env, definition, key):
    definition()
    for options in (["--provenance"], ["--sign", key()]):
        assert "needs --push" in env.run("build", "env.yml", *options, code=2).err


def test_an_image_from_elsewhere(env, registry, base_layout, key):  # noqa: F811
    """What was not built here has nothing of ours to hang on it; it can be signed."""
    digest = registry.push(base_layout, "team/base")
    server = Server(registry.name, None)
    env.run("sign", f"{registry.name}/team/base:latest", "--key", key())
    assert [r["artifactType"] for r in server.referrers("team/base", digest)] == [BUNDLE]
    p = env.run("sbom", f"{registry.name}/team/base:latest", code=1)
    assert "nothing says what" in p.err and p.out == ""


def test_several_platforms(env, server, key, tmp_path):
    """Lock and signatures hang on the index, an SBOM on each manifest."""
    env.write("motd.txt", "hello\n")
    env.write("env.yml", "name: multi\ndependencies: []\nenvbuild:\n  base: scratch\n  platforms: [linux/amd64, linux/arm64]\n"
                         "  files: {/etc/motd: motd.txt}\n")
    ref = f"{server.name}/team/multi:v1"
    pem = key()
    digest = env.run("build", "env.yml", "-t", ref, "--push", "--provenance", "--sign", pem).line.split("@")[1]
    index = server.manifest("team/multi", digest)
    assert len(index["manifests"]) == 2
    kinds = [r["artifactType"] for r in server.referrers("team/multi", digest)]
    assert sorted(kinds) == sorted([LOCK, DEFINITION, INTOTO, BUNDLE, BUNDLE])
    other = stranger(tmp_path)
    for child in index["manifests"]:
        [(_, text)] = server.document("team/multi", child["digest"], SPDX)
        arch = child["platform"]["architecture"]
        assert f"multi@sha256%3A{child['digest'][7:]}?arch={arch}&" in text.decode()
        assert other.run("sbom", ref, "--platform", f"linux/{arch}").out.encode() == text
        assert env.run("sbom", ref, "--platform", f"linux/{arch}").out.encode() == text
    [(_, text)] = server.document("team/multi", digest, INTOTO)
    assert [s["digest"]["sha256"] for s in json.loads(text)["subject"]] == [d[7:] for d in [digest, *(c["digest"] for c in index["manifests"])]]
    assert other.run("lock", "--from", ref, "-o", "-").out == (env.work / "multi.lock").read_text()
    assert "has nothing for linux/riscv64" in env.run("sbom", ref, "--platform", "linux/riscv64", code=1).err

    one = env.run("build", "env.yml", "--platform", "linux/arm64", "--platform", "linux/amd64", "-t", f"{server.name}/team/multi:v2", "--push").line
    assert one.endswith(digest)


def test_docker_types(env, definition, server, tmp_path):
    """Another digest than in the store: what hangs on it speaks of what is there."""
    digest = pushed(env, definition, server, "--format", "docker")
    assert server.manifest("team/train", digest)["mediaType"].startswith("application/vnd.docker")
    [(_, text)] = server.document("team/train", digest, SPDX)
    assert digest[7:] in text.decode()
    lock = (env.work / "train.lock").read_bytes()
    assert server.document("team/train", digest, LOCK) == [("train.lock", lock)]
    assert stranger(tmp_path).run("lock", "--from", f"{server.name}/team/train:v1", "-o", "-").out.encode() == lock


def test_a_registry_that_takes_no_artifacts(env, definition):
    """The image is there, and the error says so; a second push of it alone is content."""
    mock = MockRegistry()
    server = Server(mock.name, None)
    digest = pushed(env, definition, server, "--sbom=false", "--source=false")
    mock.rules.append(Rule("/v2/team/train/manifests/sha256:.*", 400, "PUT", b'{"errors":[{"code":"MANIFEST_INVALID","message":"no artifacts"}]}',
                           times=100))
    p = env.run("push", f"{server.name}/team/train:v1", code=5)
    assert f"which is pushed: {server.name}/team/train@{digest}" in p.err and "--sbom=false --source=false" in p.err and "no artifacts" in p.err
    assert env.run("push", f"{server.name}/team/train:v1", "--sbom=false", "--source=false").line.endswith(digest)
    mock.close()


def test_with_a_login(env, definition, registries, key, tmp_path):  # noqa: F811
    """What hangs there needs the same token as the image; who may only read can read it back, and not sign."""
    r = registries(token=USERS)
    r.login(env)
    definition()
    line = env.run("build", "env.yml", "-t", f"{r.name}/team/train:v1", "--push", "--provenance", "--sign", key()).line
    reader = stranger(tmp_path)
    r.login(reader, "bob", "hunter2")
    assert reader.run("lock", "--from", line, "-o", "-").out == (env.work / "train.lock").read_text()
    assert [a["what"] for a in json.loads(reader.run("inspect", line, "--json").out)["attached"]].count("signature") == 2
    p = reader.run("sign", line, "--key", key("other.pem"), code=6)
    assert "hunter2" not in p.err
    assert stranger(tmp_path / "nobody").run("lock", "--from", line, code=6).out == ""
