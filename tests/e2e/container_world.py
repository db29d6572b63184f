"""Container engines of this machine with stores of their own: podman, and a private dockerd with its containerd."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
"""


def need(*tools):
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    if os.geteuid() != 0:
        pytest.skip("engines with stores of their own need root")


@contextlib.contextmanager
def daemon(args, log, ready, env=None):
    with open(log, "wb") as out:
        p = subprocess.Popen([str(a) for a in args], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env, start_new_session=True)
    try:
        end = time.monotonic() + 60
        while not ready():
            assert p.poll() is None and time.monotonic() < end, f"{args[0]} does not start:\n{pathlib.Path(log).read_text()[-2000:]}"
            with contextlib.suppress(subprocess.TimeoutExpired):
                p.wait(timeout=0.05)
        yield p
    finally:
        p.send_signal(signal.SIGTERM)
        try:
            p.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()


class Engine:
    """name: of the program and the target; profile: the text of a compute profile; env: where its store is."""

    def __init__(self, name, env, profile):
        self.name, self.env, self.profile = name, env, profile

    def call(self, *args, code=0):
        p = subprocess.run([self.name, *args], env={**os.environ, **self.env}, capture_output=True, text=True, check=False, timeout=120)
        assert code is None or p.returncode == code, p.stderr
        return p.stdout

    def containers(self, id_=None):
        """Names of those of a run, whatever their state."""
        label = f"label=envbuild.run={id_}" if id_ else "label=envbuild.run"
        return self.call("ps", "--all", "--filter", label, "--format", "{{.Names}}").split()

    def inspect(self, name):
        return json.loads(self.call("inspect", name))[0]


@contextlib.contextmanager
def podman():
    need("podman", "runc")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="eb-"))  # podman takes no long runroot
    (folder / "containers.conf").write_text(CONTAINERS_CONF + f'tmp_dir = "{folder}/libpod"\n')
    (folder / "storage.conf").write_text(f'[storage]\ndriver = "overlay"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/store"\n')
    env = {"CONTAINERS_CONF": f"{folder}/containers.conf", "CONTAINERS_STORAGE_CONF": f"{folder}/storage.conf"}
    engine = Engine("podman", env, "type: podman\nruntime_args: [--runtime, runc]\n")
    try:
        yield engine
    finally:
        for name in engine.call("ps", "--all", "--quiet", code=None).split():
            engine.call("rm", "--force", name, code=None)
        engine.call("system", "reset", "--force", code=None)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def docker():
    need("dockerd", "docker", "containerd", "runc")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="eb-"))
    sock, ctr = folder / "d.sock", folder / "c.sock"
    (folder / "containerd.toml").write_text(
        f'version = 2\nroot = "{folder}/c"\nstate = "{folder}/cs"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
        f'[grpc]\n  address = "{ctr}"\n[ttrpc]\n  address = "{ctr}.ttrpc"\n')
    args = ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=overlay2", "--data-root", folder / "d",
            "--exec-root", folder / "x", "-H", f"unix://{sock}", "--pidfile", folder / "pid", "--containerd", ctr, "--default-ulimit", "nofile=1024:1024"]
    try:
        with daemon(["containerd", "-c", folder / "containerd.toml"], folder / "containerd.log", ctr.exists), \
                daemon(args, folder / "dockerd.log", sock.exists):
            engine = Engine("docker", {"DOCKER_HOST": f"unix://{sock}"}, "type: docker\n")
            yield engine
            for name in engine.call("ps", "--all", "--quiet", code=None).split():
                engine.call("rm", "--force", name, code=None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


ENGINES = {"podman": podman, "docker": docker}
