"""cosign reads our signatures and signs beside us; syft finds in the image what our SBOM says is there.

By hand: ENVBUILD_PROGRAM=build/builder/cli/envbuild JUDGES_DIR=DIR python3 -m pytest tests/e2e/test_attest_judges.py
"""
import json
import os
import re
import subprocess
import urllib.parse

import pytest

from registry_world import registries  # noqa: F401  a fixture; it makes the next one found
from registry import MockRegistry
from test_registry_judges import judge

LOCAL = ("--allow-http-registry", "--insecure-ignore-tlog=true")
FORMS = ("--new-bundle-format=false", "--new-bundle-format=true")


@pytest.fixture(params=["api", "tags"])
def name(request, registries):  # noqa: F811
    if request.param == "tags":
        yield registries().name
        return
    mock = MockRegistry()
    yield mock.name
    mock.close()


def make_key(env, name):
    path = env.work / name
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", path], check=True)
    subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-out", f"{path}.pub"], check=True)
    return path


def test_cosign(env, definition, name, tmp_path):
    program = judge("cosign")
    home = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "COSIGN_PASSWORD": ""}

    def cosign(*args, code=0):
        p = subprocess.run([program, *map(str, args)], capture_output=True, text=True, env=home, timeout=300)
        assert p.returncode == code, p.stdout + p.stderr
        return p.stdout

    one, two = make_key(env, "one.pem"), make_key(env, "two.pem")
    definition()
    ref = env.run("build", "env.yml", "-t", f"{name}/team/train:v1", "--push", "--provenance", "--sign", one).line
    for form in FORMS:
        cosign("verify", "--key", f"{one}.pub", form, *LOCAL, ref)
        cosign("verify", "--key", f"{two}.pub", form, *LOCAL, ref, code=1 if form == FORMS[1] else 12)
    text = cosign("verify-attestation", "--key", f"{one}.pub", "--type", "slsaprovenance1", *LOCAL, ref)
    assert "application/vnd.in-toto+json" in text
    cosign("generate-key-pair", "--output-key-prefix", env.work / "theirs")
    cosign("sign", "-y", "--key", env.work / "theirs.key", "--tlog-upload=false", "--use-signing-config=false", "--allow-http-registry", FORMS[0],
           ref)
    env.run("sign", f"{name}/team/train:v1", "--key", two)
    for public in (f"{one}.pub", f"{two}.pub", env.work / "theirs.pub"):
        cosign("verify", "--key", public, FORMS[0], *LOCAL, ref)


def test_syft(env, definition, tmp_path):
    program = judge("syft")
    definition()
    env.run("build", "env.yml")
    doc = json.loads(env.run("sbom", "train").out)
    p = subprocess.run([program, "-q", f"oci-dir:{env.cache / 'oci'}", "-o", "syft-json"], capture_output=True, text=True,
                       env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)}, timeout=300)
    assert p.returncode == 0, p.stderr

    def names(purls):
        found = (re.match(r"pkg:(pypi|deb)/(?:debian/)?([^@?]+)@([^?]+)", purl) for purl in purls)
        return {tuple(map(urllib.parse.unquote, m.groups())) for m in found if m}

    ours = names(r["referenceLocator"] for package in doc["packages"] for r in package.get("externalRefs", []))
    assert {kind for kind, _, _ in ours} == {"pypi", "deb"} and ours == names(a["purl"] for a in json.loads(p.stdout)["artifacts"])
