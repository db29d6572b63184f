#!/usr/bin/env python3
"""A stub of kubectl with a cluster of its own, for tests: objects are files below $FAKE_KUBE, and a Job's pods are processes of this machine.

What it does as the real one (recorded from kubectl 1.32 against kube-apiserver 1.34): the words of its complaints, exit codes, the shape of objects,
putting variables in for $(NAME), --since-time by whole seconds. What it does not: everything else. Not a judge of manifests: the schemas and the real API
server are.

  $FAKE_KUBE/fail     lines "VERB TIMES MESSAGE": the next TIMES calls of VERB say MESSAGE and fail
  $FAKE_KUBE/hold     there: pods are not started (a Job stays without)
  $FAKE_KUBE/pods/    a test may write states of its own
  $FAKE_KUBE/calls    what it was called with, a JSON list a line
  $FAKE_SHIM, $FAKE_CODE: the program and the source that the image would hold
"""
import base64
import datetime
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

HERE = pathlib.Path(os.environ["FAKE_KUBE"])
KINDS = {"job.batch": "Job", "secret": "Secret", "service": "Service", "pod": "Pod", "pytorchjob.kubeflow.org": "PyTorchJob"}


def stamp():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def second():
    return stamp()[:19] + "Z"


def put(path, doc):
    path.parent.mkdir(parents=True, exist_ok=True)
    tmp = path.with_suffix(f".{os.getpid()}")
    tmp.write_text(json.dumps(doc))
    tmp.rename(path)


def die(text, code=1):
    print(text, file=sys.stderr)
    sys.exit(code)


def where(kind, name):
    return HERE / "objects" / f"{kind}-{name}.json"


def pods(run):
    found = [json.loads(p.read_text()) for p in sorted((HERE / "pods").glob("*.json"))]
    return [p for p in found if p["metadata"]["labels"].get("envbuild.dev/run-id") == run]


# --- the kubelet: one process a Job


def expand(text, env):
    return re.sub(r"\$(\$|\((\w+)\))", lambda m: "$" if m[1] == "$" else env.get(m[2], m[0]), text)


class Pod:
    def __init__(self, job, index, several):
        self.spec, meta = job["spec"]["template"]["spec"], job["spec"]["template"]["metadata"]
        self.c = self.spec["containers"][0]
        name = job["metadata"]["name"] + (f"-{index}" if several else "") + "-x7k2p"
        self.labels = {**meta["labels"], "job-name": job["metadata"]["name"]}
        if several:
            self.labels["batch.kubernetes.io/job-completion-index"] = str(index)
        self.name, self.index = name, index
        self.dir = HERE / "run" / name
        self.start()

    def start(self):
        (self.dir / "run").mkdir(parents=True)
        for m in self.c["volumeMounts"]:
            if "subPath" in m:
                kept = HERE / "pvc" / m["subPath"]
                kept.mkdir(parents=True, exist_ok=True)
                (self.dir / m["mountPath"].replace("/mnt/", "")).symlink_to(kept)
        env = {"PATH": os.environ["PATH"]}
        if "batch.kubernetes.io/job-completion-index" in self.labels:
            env["JOB_COMPLETION_INDEX"] = str(self.index)
        for v in self.c.get("env", []):
            if "value" in v:
                env[v["name"]] = expand(v["value"], env)
            elif "secretKeyRef" in v["valueFrom"]:
                ref = v["valueFrom"]["secretKeyRef"]
                env[v["name"]] = base64.b64decode(json.loads(where("Secret", ref["name"]).read_text())["data"][ref["key"]]).decode()
        self.note = self.dir / "note"
        argv = [self.here(expand(a, env)) for a in self.c["command"]]
        self.began = second()
        self.proc = subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
        os.set_blocking(self.proc.stdout.fileno(), False)
        self.log, self.rest, self.state = HERE / "logs" / self.name, b"", None
        self.log.parent.mkdir(exist_ok=True)
        self.write({"running": {"startedAt": self.began}}, "Running")

    def here(self, word):
        word = word.replace("/mnt/run", str(self.dir / "run")).replace("/.envbuild/envbuild-rank", os.environ["FAKE_SHIM"])
        return word.replace("/.envbuild/code", os.environ["FAKE_CODE"]).replace("/dev/termination-log", str(self.note))

    def write(self, state, phase):
        put(HERE / "pods" / f"{self.name}.json",
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": self.name, "labels": self.labels}, "spec": {"nodeName": "here"},
             "status": {"phase": phase, "startTime": self.began, "containerStatuses": [{"name": self.c["name"], "state": state}]}})

    def step(self):
        ended = self.proc.poll() is not None
        self.rest += self.proc.stdout.read() or b""
        *lines, self.rest = self.rest.split(b"\n")
        with self.log.open("ab") as f:
            for line in lines:
                f.write(stamp().encode() + b" " + line + b"\n")
            if ended and self.rest:
                f.write(stamp().encode() + b" " + self.rest)
                self.rest = b""
        if ended and self.state is None:
            code = self.proc.returncode if self.proc.returncode >= 0 else 128 - self.proc.returncode
            message = self.note.read_text()[:4096] if self.note.exists() else ""
            self.state = code
            self.write({"terminated": {"exitCode": code, "reason": "Error" if code else "Completed", "message": message,
                                       "startedAt": self.began, "finishedAt": second()}}, "Failed" if code else "Succeeded")
        return self.state

    def kill(self, grace):
        if self.proc.poll() is None:
            self.proc.terminate()  # to the container's first process, as a kubelet does it
        until = time.monotonic() + grace
        while self.step() is None and time.monotonic() < until:
            time.sleep(0.02)
        if self.state is None:
            os.killpg(self.proc.pid, signal.SIGKILL)
            self.proc.wait()
            self.step()


def kubelet(name):
    path = where("Job", name)
    job = json.loads(path.read_text())
    n = job["spec"]["completions"]
    all_ = [Pod(job, i, job["spec"].get("completionMode") == "Indexed") for i in range(n)]
    while True:
        if not path.exists() or "deletionTimestamp" in json.loads(path.read_text())["metadata"]:
            for p in all_:
                p.kill(10)
            time.sleep(0.5)  # as long as somebody may still look at them
            for p in all_:
                (HERE / "pods" / f"{p.name}.json").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            return
        codes = [p.step() for p in all_]
        if any(codes):
            for p in all_:
                if p.state is None:
                    p.kill(10)
            return done(path, job, "Failed", "BackoffLimitExceeded")
        if all(c == 0 for c in codes):
            return done(path, job, "Complete", "CompletionsReached")
        time.sleep(0.02)


def done(path, job, kind, reason):
    job["status"] = {"conditions": [{"type": kind, "status": "True", "reason": reason, "message": reason, "lastTransitionTime": second()}]}
    if path.exists():
        put(path, job)


# --- the client


def create(args):
    doc = json.load(sys.stdin)
    kind, name = doc["kind"], doc["metadata"]["name"]
    path = where(kind, name)
    if path.exists():
        plural = {"Job": "jobs.batch"}.get(kind, kind.lower() + "s")
        die(f'Error from server (AlreadyExists): error when creating "STDIN": {plural} "{name}" already exists')
    doc["metadata"]["uid"] = f"uid-{kind}-{name}"
    doc.setdefault("status", {})
    put(path, doc)
    if kind == "Job" and not (HERE / "hold").exists():
        subprocess.Popen([sys.executable, __file__, "__kubelet", name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=(HERE / "kubelet.err").open("ab"), start_new_session=True)
    print(json.dumps(doc))


def get(args):
    what = args[0]
    if "-l" not in args:
        kind, name = KINDS[what.split("/")[0]], what.split("/")[1]
        return print(f"{what}") if where(kind, name).exists() else None
    run = re.search(r"run-id=([^,]+)", args[args.index("-l") + 1])[1]
    kind = KINDS[what.split(",")[0]]
    objects = [json.loads(p.read_text()) for p in sorted((HERE / "objects").glob(f"{kind}-*.json"))]
    objects = [o for o in objects if o["metadata"]["labels"].get("envbuild.dev/run-id") == run]
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects + pods(run)}))


def delete(args):
    for word in args:
        if "/" not in word:
            continue
        kind, name = KINDS[word.split("/")[0]], word.split("/")[1]
        path = where(kind, name)
        if not path.exists():
            continue
        job = json.loads(path.read_text())
        if kind == "Job" and not job.get("status") and not (HERE / "hold").exists():
            job["metadata"]["deletionTimestamp"] = second()
            put(path, job)
        else:
            path.unlink()
            for p in pods(name) if kind == "Job" else []:
                (HERE / "pods" / f"{p['metadata']['name']}.json").unlink(missing_ok=True)


def logs(args):
    path = HERE / "logs" / args[0]
    if not path.exists():
        if (HERE / "pods" / f"{args[0]}.json").exists():
            return
        die(f'error: error from server (NotFound): pods "{args[0]}" not found in namespace "team"')
    since = next((a.split("=", 1)[1][:19] for a in args if a.startswith("--since-time=")), "")
    limit = next((int(a.split("=", 1)[1]) for a in args if a.startswith("--limit-bytes=")), None)
    lines = [line for line in path.read_bytes().splitlines(keepends=True) if line[:19].decode() >= since]
    sys.stdout.buffer.write(b"".join(lines)[:limit])


def cp(args):
    pod, path = args[-2].split(":")
    claim = json.loads(where("Pod", pod).read_text())["spec"]["containers"][0]["volumeMounts"][0]["subPath"]
    shutil.copytree(HERE / "pvc" / claim / path.replace("/mnt/run/", ""), args[-1])


def patch(args):
    body = json.loads(args[args.index("-p") + 1])
    for word in args:
        if "/" in word and word.split("/")[0] in KINDS:
            path = where(KINDS[word.split("/")[0]], word.split("/")[1])
            doc = json.loads(path.read_text())
            doc["metadata"].update(body["metadata"])
            put(path, doc)


def version(args):
    print(json.dumps({"clientVersion": {"gitVersion": "v1.32.4"}, "serverVersion": {"gitVersion": "v1.34.4"}}))


def injected(verb):
    path = HERE / "fail"
    lines = path.read_text().splitlines() if path.exists() else []
    for i, line in enumerate(lines):
        word, times, message = line.split(" ", 2)
        if word == verb and int(times) > 0:
            lines[i] = f"{word} {int(times) - 1} {message}"
            path.write_text("\n".join(lines))
            die(message)


def main():
    args = sys.argv[1:]
    if args[0] == "__kubelet":
        return kubelet(args[1])
    HERE.mkdir(exist_ok=True)
    with (HERE / "calls").open("a") as f:
        f.write(json.dumps(args) + "\n")
    while args[0].startswith("-"):
        args = args[1:] if "=" in args[0] else args[2:]
    injected(args[0])
    verbs = {"create": create, "get": get, "delete": delete, "logs": logs, "cp": cp, "patch": patch, "version": version,
             "wait": lambda a: None, "auth": lambda a: print("yes")}
    if args[0] not in verbs:
        die(f"the stub does not know {args}", 2)
    verbs[args[0]](args[1:])


main()
