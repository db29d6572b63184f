"""A real API server: etcd, kube-apiserver and kube-controller-manager (its Job controller) on loopback, no scheduler, no kubelet. Whoever tests plays the
kubelet by writing pods' states. Programs: etcd and kubectl on PATH, the other two in $JUDGES_DIR (built from the Go module k8s.io/kubernetes 1.34)."""
import json
import os
import shutil
import socket
import subprocess
import time


def find(name):
    return shutil.which(name, path=os.pathsep.join([os.environ.get("JUDGES_DIR", ""), os.environ["PATH"]]))


def missing():
    return [n for n in ("etcd", "kubectl", "kube-apiserver", "kube-controller-manager") if not find(n)]


def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Kube:
    def __init__(self, folder):
        self.dir = folder
        folder.mkdir(parents=True)
        self.procs = []
        etcd, peer, self.port = port(), port(), port()
        self.start("etcd", "--data-dir", folder / "etcd", "--listen-client-urls", f"http://127.0.0.1:{etcd}", "--advertise-client-urls",
                   f"http://127.0.0.1:{etcd}", "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls",
                   f"http://127.0.0.1:{peer}", "--initial-cluster", f"default=http://127.0.0.1:{peer}")
        subprocess.run(["openssl", "genrsa", "-out", folder / "sa.key", "2048"], check=True, capture_output=True)
        (folder / "t.csv").write_text("tok,admin,1,system:masters\n")
        self.start("kube-apiserver", f"--etcd-servers=http://127.0.0.1:{etcd}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
                   f"--secure-port={self.port}", f"--cert-dir={folder}/certs", "--service-account-issuer=https://kubernetes.default.svc",
                   f"--service-account-signing-key-file={folder}/sa.key", f"--service-account-key-file={folder}/sa.key",
                   f"--token-auth-file={folder}/t.csv", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
                   "--endpoint-reconciler-type=none", "--disable-admission-plugins=ServiceAccount")
        self.config = folder / "config"
        self.config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "real",
            "clusters": [{"name": "c", "cluster": {"server": f"https://127.0.0.1:{self.port}", "insecure-skip-tls-verify": True}}],
            "users": [{"name": "u", "user": {"token": "tok"}}], "contexts": [{"name": "real", "context": {"cluster": "c", "user": "u"}}]}))
        self.wait(lambda: self.kubectl("get", "--raw", "/readyz", code=None).returncode == 0)
        self.start("kube-controller-manager", f"--kubeconfig={self.config}", "--leader-elect=false", "--secure-port=0",
                   "--controllers=job-controller,garbage-collector-controller,namespace-controller")
        self.kubectl("create", "namespace", "team")

    def start(self, name, *args):
        log = (self.dir / f"{name}.log").open("w")
        self.procs.append(subprocess.Popen([find(name), *map(str, args)], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.dir))

    def close(self):
        for p in reversed(self.procs):
            p.kill()
            p.wait()

    def wait(self, what, seconds=90):
        until = time.monotonic() + seconds
        while True:
            got = what()
            if got:
                return got
            assert time.monotonic() < until, "it did not come to pass"
            time.sleep(0.1)

    def kubectl(self, *args, code=0, input=None):
        p = subprocess.run([find("kubectl"), f"--kubeconfig={self.config}", *map(str, args)], capture_output=True, text=True, input=input)
        assert code is None or p.returncode == code, p.stderr
        return p

    def get(self, kind):
        return json.loads(self.kubectl("-n", "team", "get", kind, "-o", "json").stdout)["items"]

    def play(self, pod, state, phase):
        """What a kubelet says of a pod."""
        status = {"status": {"phase": phase, "startTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "containerStatuses": [
            {"name": "main", "image": "x", "imageID": "x", "ready": False, "restartCount": 0, "state": state}]}}
        self.kubectl("-n", "team", "patch", "pod", pod, "--subresource=status", "--type=merge", "-p", json.dumps(status))

    def end(self, pod, code, **record):
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        message = json.dumps({"attempt": 1, "host": "h", "pid": 1, "start_us": 1, "exit_code": code, "signal": 0, "failed_start": False,
                              "timed_out": False, "stopped": "", "maxrss_kb": 1, "end_us": int(time.time() * 1e6), **record}) if record else ""
        self.play(pod, {"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "message": message, "startedAt": now,
                                       "finishedAt": now, "containerID": "x://1"}}, "Failed" if code else "Succeeded")
