"""envbuild doctor: what it finds, what it says of what is missing, and that it tells no secret."""
import json

import pytest


def tool(env, name, text):
    at = env.folder / "bin"
    at.mkdir(exist_ok=True)
    (at / name).write_text(f"#!/bin/sh\n{text}\n")
    (at / name).chmod(0o755)
    return {"PATH": f"{at}:{env.env['PATH']}"}


def doctor(user, code=0, **kw):
    doc = json.loads(user.run("doctor", "--json", code=code, **kw).out)
    return doc, {t["name"]: t for t in doc["targets"]}


def test_text_and_json_agree(env):
    out = env.run("doctor", code=None).out
    doc, targets = doctor(env, code=None)
    for name, t in targets.items():
        assert f"{name} " in out and (t["works"] or t["why"]), t
    assert doc["store"]["path"] in out and doc["store"]["free_bytes"] > 0 and doc["kernel"]["kernel"] in out


def test_exit_code_is_local(env):
    """bwrap that cannot make a namespace: nothing else counts."""
    doc, targets = doctor(env, code=1, env=tool(env, "bwrap", '[ "$1" = --version ] && echo bubblewrap 9 || { echo no namespaces >&2; exit 1; }'))
    assert not doc["works"] and "no namespaces" in targets["local"]["why"] and targets["local"]["hint"]
    doctor(env, code=0)


def test_store_that_cannot_be(env):
    env.write("file", "")
    doc, _ = doctor(env, code=1, env={"ENVBUILD_CACHE_DIR": str(env.work / "file/cache")})
    assert not doc["store"]["works"] and "file" in doc["store"]["why"]


def test_profiles(env):
    at = env.home / ".config/envbuild/compute.d"
    at.mkdir(parents=True)
    (at / "far.yml").write_text("type: kubernetes\ncontext: far\n")
    (at / "bad.yml").write_text("type: kubernetes\nkontext: far\n")
    kubectl = tool(env, "kubectl", 'case "$*" in *version*) echo \'{"clientVersion":{"gitVersion":"v1"}}\';; esac\necho "error: context \\"far\\" does not exist" >&2; exit 1')
    p = env.run("doctor", "--json", code=None, env=kubectl)
    targets = {t["name"]: t for t in json.loads(p.out)["targets"]}
    assert targets["far"]["target"] == "kubernetes" and 'context "far" does not exist' in targets["far"]["why"]
    assert "bad" not in targets and "bad.yml:2:1" in p.err and "context" in p.err


def test_kubernetes_works(env):
    stub = tool(env, "kubectl", 'case "$*" in *version*) echo \'{"clientVersion":{"gitVersion":"v1.32"},"serverVersion":{"gitVersion":"v1.34"}}\';; '
                                '*can-i*) echo $MAY; [ $MAY = yes ];; esac')
    assert doctor(env, code=None, env={**stub, "MAY": "yes"})[1]["kubernetes"]["version"] == "kubectl v1.32, cluster v1.34"
    t = doctor(env, code=None, env={**stub, "MAY": "no"})[1]["kubernetes"]
    assert not t["works"] and "may not create Jobs" in t["why"]


@pytest.mark.parametrize("answer,why", [('"extensions":{}', "no extension ml"), ('"extensions":{"ml":"2.30"}', "logged in")])
def test_azureml(env, answer, why):
    stub = tool(env, "az", f'[ "$1" != version ] || {{ echo \'{{"azure-cli":"2.60",{answer}}}\'; exit 0; }}\necho "ERROR: Please run az login" >&2; exit 1')
    t = doctor(env, code=None, env=stub)[1]["azureml"]
    assert not t["works"] and why in t["why"] and t["hint"].startswith("az ")


def test_no_secret(env):
    (env.home / ".docker").mkdir()
    (env.home / ".docker/config.json").write_text(json.dumps({
        "auths": {"r.example": {"auth": "YWxpY2U6aHVudGVyMg=="}}, "credsStore": "nowhere", "credHelpers": {"x.example": "here"}}))
    where = {**tool(env, "docker-credential-here", "echo never called >&2; exit 9"), "https_proxy": "http://bob:hunter2@proxy.example:3128/",
             "PIP_EXTRA_INDEX_URL": "https://a.example/simple https://u:hunter2@b.example/simple"}
    doc, _ = doctor(env, code=None, env=where)
    text = json.dumps(doc) + env.run("doctor", code=None, env=where).out
    assert "hunter2" not in text and "YWxpY2U6" not in text and "http://***@proxy.example:3128/" in text and "https://***@b.example/simple" in text
    assert "r.example" in doc["logins"]["files"][0]["registries"]
    assert {h["program"]: h["works"] for h in doc["logins"]["helpers"]} == {"docker-credential-nowhere": False, "docker-credential-here": True}
