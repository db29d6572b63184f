"""Other people's registries and clients: they take what we push, we take what they push; and our own mock is a registry by the specification.

By hand: ENVBUILD_PROGRAM=build/builder/cli/envbuild JUDGES_DIR=DIR python3 -m pytest tests/e2e/test_registry_judges.py
JUDGES_DIR holds programs that Debian does not have (built from Go modules): conformance (of the distribution-spec), crane, regctl, oras, cosign,
registry3 (distribution 3), ocireg (cuelabs ocimem), refreg (go-containerregistry). They may be on PATH as well. What is not there is skipped by name.
"""
import base64
import contextlib
import json
import os
import shutil
import subprocess
import types

import pytest

from conftest import SPEC, Env, Index, base_files, make_layout, sha256
from registry_world import USERS, Registry, TokenServer
from registry import Basic, Bearer, MockRegistry
from test_judges import answers, containers, daemon, free_port, need, podman_run, sh  # noqa: F401


def judge(name):
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("JUDGES_DIR", ""), os.environ["PATH"]]))
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A user with the image `train` in his store; its python is a script that says what it was asked."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "index").mkdir()
    index = Index(folder / "index", SPEC)
    env = Env(folder / "one")
    env.env["PIP_INDEX_URL"] = index.url
    env.base = make_layout(folder / "base", base_files(), {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["sh"]})
    env.write("env.yml", f"name: train\ndependencies:\n  - pip: ['PyJWT<2', requests, wide]\nenvbuild:\n  base: oci:{env.base}:base\n")
    env.line = env.run("build", "env.yml").line
    env.digest = env.line.split("@")[1]
    yield env
    index.close()


@contextlib.contextmanager
def program(tmp_path, name):
    port = free_port()
    with daemon([judge(name), f"127.0.0.1:{port}"], tmp_path / f"{name}.log", lambda: answers(port)):
        yield types.SimpleNamespace(name=f"127.0.0.1:{port}")


@contextlib.contextmanager
def distribution(tmp_path, name):
    need("docker-registry")
    r = Registry(tmp_path / name, program=judge(name))
    try:
        yield r
    finally:
        r.close()


@contextlib.contextmanager
def mocked(tmp_path, name):
    m = MockRegistry()
    try:
        yield m
    finally:
        m.close()


SERVERS = {"docker-registry": distribution, "registry3": distribution, "ocireg": program, "refreg": program, "mock": mocked}


@pytest.fixture(params=SERVERS)
def server(request, tmp_path):
    with SERVERS[request.param](tmp_path, request.param) as s:
        s.kind = request.param
        yield s


@pytest.fixture
def debian(tmp_path):
    """docker-registry alone, for judges that are slow."""
    with distribution(tmp_path, "docker-registry") as s:
        yield s


@pytest.fixture
def tool(tmp_path):
    """Runs a judge with a home of its own."""
    (tmp_path / "home").mkdir()

    def run(name, *args, **kw):
        env = {**os.environ, "HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(tmp_path / "home"), **kw.pop("env", {})}
        return sh(judge(name), *args, env=env, **kw)
    return run


def pushed(made, server, repo="team/train", *options):
    line = made.run("build", "-t", f"{server.name}/{repo}:1", "--push", *options, "env.yml").line
    name, digest = line.split("@")
    assert name == f"{server.name}/{repo}"
    return f"{name}:1", digest


# ---- we push, they read


def test_skopeo_reads(made, server, tool, tmp_path):
    ref, digest = pushed(made, server)
    raw = tool("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{ref}")
    assert digest == "sha256:" + sha256(raw.encode())
    tool("skopeo", "copy", "-q", "--insecure-policy", "--preserve-digests", "--src-tls-verify=false", f"docker://{ref}", f"oci:{tmp_path}/back:x")


def test_crane_validates(made, server, tool, tmp_path):
    ref, digest = pushed(made, server)
    assert tool("crane", "digest", ref).strip() == digest
    assert "PASS" in tool("crane", "validate", "--remote", ref)
    tool("crane", "pull", "--format=oci", ref, tmp_path / "crane")
    assert "1" in tool("crane", "ls", ref.rpartition(":")[0]).split()


def regctl_at(tool, server):
    tool("regctl", "registry", "set", "--tls", "disabled", server.name)
    return lambda *args: tool("regctl", *args)


def test_regctl_copies(made, server, tool, tmp_path):
    ref, digest = pushed(made, server)
    regctl = regctl_at(tool, server)
    assert digest == "sha256:" + sha256(regctl("manifest", "get", "--format", "raw-body", ref).encode())
    regctl("image", "copy", "--referrers", ref, f"ocidir://{tmp_path}/regctl:x")
    assert regctl("image", "digest", f"ocidir://{tmp_path}/regctl:x").strip() == digest


def types_of(text):
    return sorted(m["artifactType"] for m in json.loads(text).get("manifests") or json.loads(text).get("referrers"))


def test_oras_and_regctl_see_what_hangs_on_it(made, server, tool):
    """SBOM, lock and definition, by the API or by the tag."""
    ref, digest = pushed(made, server)
    by_oras = json.loads(tool("oras", "discover", "--plain-http", "--format", "json", ref))
    found = by_oras.get("referrers") or by_oras.get("manifests")
    regctl = regctl_at(tool, server)
    by_regctl = json.loads(regctl("artifact", "list", "--format", "body", ref))["manifests"]
    assert {m["digest"] for m in found} == {m["digest"] for m in by_regctl} and len(found) >= 2
    if server.kind != "refreg":  # it tells the config's type instead
        assert "application/spdx+json" in {m["artifactType"] for m in found} and {m["artifactType"] for m in found} == {m["artifactType"] for m in by_regctl}
    for m in found:
        doc = json.loads(tool("oras", "manifest", "fetch", "--plain-http", f"{ref.rpartition(':')[0]}@{m['digest']}"))
        assert doc["subject"]["digest"] == digest


def test_we_read_it_again(made, server, tmp_path):
    ref, digest = pushed(made, server)
    other = Env(tmp_path / "other")
    assert other.run("pull", ref).line.endswith(f"@{digest}")
    assert other.run("pull", f"{ref.rpartition(':')[0]}@{digest}").line.endswith(f"@{digest}")
    assert digest in other.run("inspect", f"docker://{ref}").out
    if server.kind != "refreg":  # whoever asks it for referrers of a type gets those of a type of config
        sbom_of(other, ref)
    assert "0 damaged" in other.run("cache", "verify").out
    again = made.run("build", "-t", ref, "--push", "env.yml")
    assert again.line.endswith(f"@{digest}")


def sbom_of(env, ref):
    sbom = json.loads(env.run("sbom", ref).out)
    assert sbom["spdxVersion"] == "SPDX-2.3" and {"pyjwt", "requests", "wide"} <= {p["name"].lower() for p in sbom["packages"]}


# ---- we push, they run


def command_of(ref):
    return ["/opt/env/bin/python", "hello"], "python /opt/env/bin/python hello"


@pytest.mark.parametrize("options", [[], ["--format", "docker"], ["--compression", "zstd"]], ids=["oci", "docker", "zstd"])
def test_podman_runs(made, debian, containers, options):  # noqa: F811
    need("podman", "runc", root=True)
    ref, digest = pushed(made, debian, "team/train", *options)
    sh("podman", "pull", "--quiet", "--tls-verify=false", ref, env=containers)
    assert digest in sh("podman", "images", "--digests", env=containers)
    command, answer = command_of(ref)
    assert podman_run(containers, ref, *command).strip() == answer


@contextlib.contextmanager
def containerd_at(tmp_path):
    need("containerd", "ctr", "runc", root=True)
    sock = tmp_path / "c.sock"
    (tmp_path / "containerd.toml").write_text(
        f'version = 2\nroot = "{tmp_path}/c"\nstate = "{tmp_path}/cs"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\n  address = "{sock}"\n[ttrpc]\n  address = "{sock}.ttrpc"\n')
    with daemon(["containerd", "-c", tmp_path / "containerd.toml"], tmp_path / "containerd.log", sock.exists):
        yield sock


def test_containerd_2_runs(made, debian, tmp_path):
    """Today's, out of JUDGES_DIR."""
    need("runc", root=True)
    judge("containerd-shim-runc-v2")
    bin_ = os.environ.get("JUDGES_DIR", "")
    env = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}"}
    if "containerd/v2 " not in sh(judge("containerd"), "--version"):
        pytest.skip("containerd 2 is not installed")
    ref, digest = pushed(made, debian)
    command, answer = command_of(ref)
    sock = tmp_path / "c.sock"
    (tmp_path / "containerd.toml").write_text(
        f'version = 3\nroot = "{tmp_path}/c"\nstate = "{tmp_path}/cs"\n'
        'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]\n'
        f'[grpc]\n  address = "{sock}"\n[ttrpc]\n  address = "{sock}.ttrpc"\n')
    with daemon([judge("containerd"), "-c", tmp_path / "containerd.toml"], tmp_path / "containerd.log", sock.exists, env):
        ctr = [judge("ctr"), "-a", sock]
        sh(*ctr, "images", "pull", "--plain-http", ref, env=env)
        assert digest in sh(*ctr, "images", "list", env=env)
        assert sh(*ctr, "run", "--rm", "--net-host", ref, "judge", *command, env=env).strip() == answer


@pytest.mark.parametrize("options", [[], ["--format", "docker"], ["--compression", "zstd"]], ids=["oci", "docker", "zstd"])
def test_containerd_runs(made, debian, tmp_path, options):
    ref, digest = pushed(made, debian, "team/train", *options)
    command, answer = command_of(ref)
    with containerd_at(tmp_path) as sock:
        sh("ctr", "-a", sock, "images", "pull", "--plain-http", ref)
        assert digest in sh("ctr", "-a", sock, "images", "list")
        assert sh("ctr", "-a", sock, "run", "--rm", "--net-host", ref, "judge", *command).strip() == answer


@pytest.mark.parametrize("options", [[], ["--format", "docker"]], ids=["oci", "docker"])
def test_dockerd_runs(made, debian, tmp_path, options):
    need("dockerd", "docker", root=True)
    ref, digest = pushed(made, debian, "team/train", *options)
    command, answer = command_of(ref)
    host = f"unix://{tmp_path}/d.sock"
    with containerd_at(tmp_path) as sock:
        args = ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=overlay2", "--data-root", tmp_path / "d",
                "--exec-root", tmp_path / "x", "-H", host, "--pidfile", tmp_path / "pid", "--containerd", sock, "--insecure-registry", debian.name,
                "--default-ulimit", "nofile=1024:1024"]
        with daemon(args, tmp_path / "dockerd.log", (tmp_path / "d.sock").exists):
            assert digest in sh("docker", "-H", host, "pull", ref)
            assert sh("docker", "-H", host, "run", "--rm", "--network", "none", ref, *command).strip() == answer


# ---- they push, we read, build upon it and run it


def by_skopeo(*options):
    def push(tool, layout, ref, containers):  # noqa: F811
        tool("skopeo", "copy", "-q", "--insecure-policy", "--dest-tls-verify=false", *options, f"oci:{layout}:base", f"docker://{ref}")
    return push


def by_podman(tool, layout, ref, containers):  # noqa: F811
    need("podman", root=True)
    name = sh("podman", "pull", "--quiet", f"oci:{layout}:base", env=containers).split()[-1]
    sh("podman", "push", "--quiet", "--tls-verify=false", name, f"docker://{ref}", env=containers)


def by_buildah(form):
    def push(tool, layout, ref, containers):  # noqa: F811
        need("buildah", root=True)
        box = sh("buildah", "from", f"oci:{layout}:base", env=containers).split()[-1]
        sh("buildah", "config", "--label", "made=by-buildah", box, env=containers)
        image = sh("buildah", "commit", "--quiet", "--format", form, box, env=containers).split()[-1]
        sh("buildah", "push", "--quiet", "--tls-verify=false", image, f"docker://{ref}", env=containers)
    return push


def by_crane(tool, layout, ref, containers):  # noqa: F811
    tool("crane", "push", layout, ref)


def by_regctl(tool, layout, ref, containers):  # noqa: F811
    tool("regctl", "registry", "set", "--tls", "disabled", ref.partition("/")[0])
    tool("regctl", "image", "copy", f"ocidir://{layout}:base", ref)


THEY = {"skopeo": by_skopeo(), "skopeo v2s2": by_skopeo("--format=v2s2"), "skopeo zstd": by_skopeo("--dest-compress-format=zstd"), "podman": by_podman,
        "buildah oci": by_buildah("oci"), "buildah docker": by_buildah("docker"), "crane": by_crane, "regctl": by_regctl}


@pytest.mark.parametrize("who", THEY)
def test_they_push(made, server, tool, tmp_path, who, containers):  # noqa: F811
    if server.kind not in ("docker-registry", "mock") and who not in ("skopeo", "skopeo v2s2"):
        pytest.skip("clients differ at one server, servers at one client")
    ref = f"{server.name}/their/base:1"
    THEY[who](tool, made.base, ref, containers)
    other = Env(tmp_path / "other")
    other.env["PIP_INDEX_URL"] = made.env["PIP_INDEX_URL"]
    line = other.run("pull", ref).line
    told = tool("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{ref}")
    assert line.endswith("@sha256:" + sha256(told.encode()))
    assert other.run("run", ref, "--", "echo", "hello").out == "hello\n"
    other.write("env.yml", f"name: upon\ndependencies:\n  - pip: ['PyJWT<2']\nenvbuild:\n  base: {ref}\n")
    mine = other.run("build", "-t", f"{server.name}/my/upon:1", "--push", "env.yml").line
    if "zstd" in who:  # crane reads gzip alone
        tool("skopeo", "copy", "-q", "--insecure-policy", "--preserve-digests", "--src-tls-verify=false", f"docker://{mine}", f"oci:{tmp_path}/back:x")
    else:
        assert "PASS" in tool("crane", "validate", "--remote", mine)
    assert other.run("run", mine, "--", "/opt/env/bin/python", "hello").out == "python /opt/env/bin/python hello\n"


@pytest.mark.parametrize("output", ["oci-mediatypes=true,compression=zstd,force-compression=true", "oci-mediatypes=false"], ids=["oci zstd", "docker"])
def test_buildkit_builds_upon_ours(made, debian, tool, tmp_path, output):
    """And what it pushes (an index with an attestation in it) is read by us."""
    need("runc", root=True)
    ref, _ = pushed(made, debian)
    sock, context = tmp_path / "b.sock", tmp_path / "context"
    (tmp_path / "buildkit.toml").write_text(
        f'root = "{tmp_path}/bk"\n[grpc]\n  address = ["unix://{sock}"]\n[worker.oci]\n  enabled = true\n  binary = "runc"\n  networkMode = "host"\n'
        f'  snapshotter = "overlayfs"\n[worker.containerd]\n  enabled = false\n[registry."{debian.name}"]\n  http = true\n  insecure = true\n')
    context.mkdir()
    (context / "hello").write_text("hello of buildkit\n")
    (context / "Dockerfile").write_text(f"FROM {ref}\nCOPY hello /hello\n")
    theirs = f"{debian.name}/their/kit:1"
    with daemon([judge("buildkitd"), "--config", tmp_path / "buildkit.toml"], tmp_path / "buildkitd.log", sock.exists):
        tool("buildctl", "--addr", f"unix://{sock}", "build", "--frontend", "dockerfile.v0", "--local", f"context={context}", "--local",
             f"dockerfile={context}", *(["--opt", "attest:provenance=mode=min"] if "types=true" in output else []), "--output", f"type=image,name={theirs},push=true,{output}")
    other = Env(tmp_path / "other")
    other.run("pull", theirs)
    assert other.run("run", theirs, "--", "cat", "/hello").out == "hello of buildkit\n"


def test_regctl_knows_our_base(made, debian, tool):
    """annotations base.name and base.digest, as `regctl image check-base` reads them."""
    debian.push(made.base, "their/base", "1")
    made.write("upon.yml", f"name: upon\ndependencies:\n  - pip: ['PyJWT<2']\nenvbuild:\n  base: {debian.name}/their/base:1\n")
    made.run("build", "-t", f"{debian.name}/my/upon:1", "--push", "upon.yml")
    regctl_at(tool, debian)("image", "check-base", f"{debian.name}/my/upon:1")


def test_syft_finds_the_packages_of_our_sbom(made, debian, tool):
    ref, _ = pushed(made, debian)
    told = json.loads(tool("syft", "scan", "-q", f"registry:{ref}", "-o", "syft-json",
                           env={"SYFT_REGISTRY_INSECURE_USE_HTTP": "true", "SYFT_CHECK_FOR_APP_UPDATE": "false"}))
    theirs = {(a["name"].lower(), a["version"]) for a in told["artifacts"] if a["type"] == "python"}
    ours = {tuple(r["referenceLocator"].removeprefix("pkg:pypi/").split("@")) for p in json.loads(made.run("sbom", ref).out)["packages"]
            for r in p.get("externalRefs", []) if r["referenceLocator"].startswith("pkg:pypi/")}
    assert ours and theirs == ours


# ---- signatures


@pytest.fixture
def keys(tmp_path):
    """Ours and a stranger's: key, public key."""
    for name in ("ours", "theirs"):
        sh("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", tmp_path / f"{name}.sec1")
        sh("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", tmp_path / f"{name}.sec1", "-out", tmp_path / f"{name}.pem")
        sh("openssl", "ec", "-in", tmp_path / f"{name}.sec1", "-pubout", "-out", tmp_path / f"{name}.pub")
    return tmp_path


def verify(tool, keys, name, public, *options):
    return tool("cosign", "verify", "--key", keys / f"{public}.pub", "--insecure-ignore-tlog", "--allow-http-registry", *options, name, check=False)


@pytest.mark.parametrize("form", ["classic", "bundle"])
def test_cosign_verifies(made, server, tool, keys, form):
    judge("cosign")
    ref, digest = pushed(made, server)
    name = f"{ref.rpartition(':')[0]}@{digest}"
    assert made.run("sign", "--key", keys / "ours.pem", "--form", form, ref).line == name
    options = [] if form == "bundle" else ["--new-bundle-format=false"]
    assert digest in verify(tool, keys, name, "ours", *options)
    assert digest not in verify(tool, keys, name, "theirs", *options)


# ---- the mock


@pytest.mark.parametrize("edition", ["1.1", "dev"])
@pytest.mark.parametrize("how", [{}, {"location": "absolute"}, {"auth": "basic"}, {"auth": "bearer"}],
                         ids=["plain", "absolute", "basic", "bearer"])
def test_the_mock_conforms(tmp_path, edition, how):
    program = os.environ.get("CONFORMANCE") or judge("conformance")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "OCI_TLS": "disabled", "OCI_LOG": "error", "OCI_VERSION": edition,
           "OCI_RESULTS_DIR": str(tmp_path / "results"), "OCI_REPO1": "conformance/one", "OCI_REPO2": "conformance/two"}
    tokens = TokenServer(tmp_path / "tokens", USERS)
    auth = {"basic": Basic({"alice": "s3cret"}), "bearer": Bearer(tokens)}.get(how.get("auth"))
    if auth:
        env.update(OCI_USERNAME="alice", OCI_PASSWORD="s3cret")
    mock = MockRegistry(**{**how, "auth": auth})
    p = subprocess.run([program], capture_output=True, text=True, cwd=tmp_path, env={**env, "OCI_REGISTRY": mock.name}, timeout=600)
    mock.close()
    tokens.close()
    assert p.returncode == 0 and "OCI Conformance Result: Pass" in p.stdout, p.stdout + p.stderr
