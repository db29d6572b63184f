"""Other people's registries and clients: they take what we push, we take what they push; and our own mock is a registry by the specification.

By hand: ENVBUILD_PROGRAM=build/builder/cli/envbuild JUDGES_DIR=DIR python3 -m pytest tests/e2e/test_registry_judges.py
JUDGES_DIR holds programs that Debian does not have (built from Go modules): conformance (of the distribution-spec), crane, regctl, oras, cosign,
registry3 (distribution 3), ocireg (cuelabs ocimem), refreg (go-containerregistry). They may be on PATH as well. What is not there is skipped by name.
"""
import os
import shutil
import subprocess

import pytest

from registry_world import USERS, TokenServer
from registry import Basic, Bearer, MockRegistry


def judge(name):
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("JUDGES_DIR", ""), os.environ["PATH"]]))
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


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
