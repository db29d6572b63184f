"""A cluster on this machine: munge, one controller and two emulated nodes of two processors each, everything below one folder, nothing of systemd.

    from slurm_world import cluster   # fixture; one cluster for all tests of a file

    cluster.env                        # what sbatch, squeue, scontrol … of this cluster need (SLURM_CONF)
    cluster.ask("squeue", "-h")        # runs one of them → its stdout
    cluster.jobs()                     # {id: (name, state)} of all that the controller still knows
    cluster.kill_controller(), .start_controller()          # -9; it comes back with what it had saved
    cluster.start_controller(forget=True)                   # … with nothing: as if all jobs were older than MinJobAge

The configuration is that of specs/executors.md: accounting off, proctrack/linuxproc, MinJobAge and KillWait short. As root jobs run as whoever submits
them; started by somebody else everything is his.
"""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

import pytest

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "squeue", "srun", "scancel", "sinfo")
NODES = ("n1", "n2")
SECONDS = 60


def missing():
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return [p for p in PROGRAMS if not shutil.which(p, path=path)]


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def wait_for(condition, what, seconds=SECONDS):
    """Asks until the answer is not false and gives it."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {what() if callable(what) else what}"
        time.sleep(0.05)
    return answer


class Cluster:
    def __init__(self, folder, *, kill_wait=5, min_job_age=30, more=""):
        self.folder, self.kill_wait, self.min_job_age, self.more = folder, kill_wait, min_job_age, more
        self.procs, self.first = {}, 1
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        folder.mkdir(parents=True)
        folder.chmod(0o755)
        self.path = os.environ["PATH"] + ":/usr/sbin:/sbin"
        self.env = {"PATH": self.path, "SLURM_CONF": str(folder / "slurm.conf"), "LC_ALL": "C"}
        version = subprocess.run(["slurmctld", "-V"], env={"PATH": self.path}, capture_output=True, text=True).stdout
        self.version = tuple(map(int, re.search(r"(\d+)\.(\d+)", version).groups()))
        self.configure()
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def configure(self):
        host, (self.port, *node_ports) = socket.gethostname().split(".")[0], free_ports(1 + len(NODES))
        for name in ("munge", "state", "log", *(f"spool.{n}" for n in NODES)):
            (self.folder / name).mkdir(mode=0o755)
        key = self.folder / "munge/key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        nodes = [f"NodeName={n} NodeHostname={host} NodeAddr=127.0.0.1 Port={p} CPUs=2 RealMemory=2000 State=UNKNOWN"
                 for n, p in zip(NODES, node_ports)]
        self.write("slurm.conf", f"""ClusterName=envbuild
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={self.port}
AuthType=auth/munge
AuthInfo=socket={self.folder}/munge/socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmUser={self.user}
SlurmdUser={self.user}
StateSaveLocation={self.folder}/state
SlurmdSpoolDir={self.folder}/spool.%n
SlurmctldPidFile={self.folder}/controller.pid
SlurmdPidFile={self.folder}/spool.%n/pid
SlurmctldDebug=info
SlurmdDebug=info
SwitchType=switch/none
ReturnToService=2
MinJobAge={self.min_job_age}
KillWait={self.kill_wait}
MessageTimeout=5
FirstJobId={self.first}
DebugFlags=NO_CONF_HASH
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,sched_interval=2,bf_interval=2
{self.more}
{chr(10).join(nodes)}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
PartitionName=small Nodes=n1 MaxTime=INFINITE State=UP
""")
        if self.version >= (23, 11):  # from here on slurmd wants cgroups unless told otherwise
            self.write("cgroup.conf", "CgroupPlugin=disabled\n")

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def spawn(self, name, *argv):
        log = (self.folder / "log" / name).open("ab")
        self.procs[name] = subprocess.Popen(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            start_new_session=True)
        log.close()

    def start(self):
        m = self.folder / "munge"
        self.spawn("munged", "munged", "--foreground", "--force", f"--key-file={m}/key", f"--socket={m}/socket", f"--pid-file={m}/pid",
                   f"--log-file={m}/log", f"--seed-file={m}/seed", "--num-threads=2")
        wait_for((m / "socket").exists, lambda: self.said("munged"))
        self.start_controller()
        for node in NODES:
            self.start_node(node)
        wait_for(lambda: self.idle() == len(NODES), self.told)

    def start_controller(self, forget=False):
        if forget:  # nodes remember numbers of jobs that were ended, and end another that has one at once
            self.first += 1000
            conf = self.folder / "slurm.conf"
            conf.write_text(re.sub(r"FirstJobId=\d+", f"FirstJobId={self.first}", conf.read_text()))
        self.spawn("slurmctld", "slurmctld", "-D", *(["-c"] if forget else []))
        wait_for(lambda: subprocess.run(["scontrol", "ping"], env=self.env, capture_output=True, timeout=30).returncode == 0, self.told)

    def kill_controller(self):
        self.procs["slurmctld"].kill()
        self.procs.pop("slurmctld").wait()

    def start_node(self, node):
        self.spawn(node, "slurmd", "-D", "-N", node)

    def idle(self):
        return self.ask("sinfo", "-h", "-N", "-p", "main", "-o", "%T").split().count("idle")

    def said(self, name):
        return (self.folder / "log" / name).read_text(errors="replace")[-4000:]

    def told(self):
        return "\n".join(f"--- {n}\n{self.said(n)}" for n in sorted(os.listdir(self.folder / "log")))

    def ask(self, *argv, code=0, **kw):
        p = subprocess.run(argv, env={**self.env, **kw.pop("env", {})}, capture_output=True, text=True, timeout=120, **kw)
        assert code is None or p.returncode == code, f"{argv}: {p.returncode}\n{p.stdout}{p.stderr}\n{self.told()}"
        return p.stdout

    def jobs(self):
        rows = (line.split("|") for line in self.ask("squeue", "-h", "-a", "-t", "all", "-o", "%i|%j|%T").splitlines())
        return {int(i): (name, state) for i, name, state in rows}

    def quiet(self):
        """Cancels what is left and waits until both nodes are idle: no test waits for another's jobs. A job that ended while there was no
        controller is cleared away a minute later; nodes that go down and come back have none."""
        self.ask("scancel", *(str(n) for n, (_, state) in self.jobs().items() if state in ("PENDING", "RUNNING", "SUSPENDED")), code=None)
        try:
            wait_for(lambda: self.idle() == len(NODES), "idle", 15)
        except AssertionError:
            for state in ("DOWN", "RESUME"):
                self.ask("scontrol", "update", f"NodeName={','.join(NODES)}", f"State={state}", "Reason=test")
            wait_for(lambda: self.idle() == len(NODES), self.told)

    def close(self):
        for name in (*NODES, "slurmctld", "munged"):
            if p := self.procs.pop(name, None):
                p.send_signal(signal.SIGTERM)
                try:
                    p.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    assert not missing(), f"{missing()} are not installed (.ci/packages.test)"
    folder = tmp_path_factory.mktemp("slurm")
    folder.chmod(0o755)  # users who are not root find their way to munge and slurm.conf
    c = Cluster(folder / "cluster")
    yield c
    c.close()


__all__ = ["Cluster", "cluster", "wait_for"]
