#!/usr/bin/env python3
"""Manifests against the strict schemas of the corpus. First the corpus' own examples get their verdicts, then everything that the target kubernetes
renders: every kind, with and without queue, claim, secrets, several nodes. Usage: k8s.py CORPUS/k8s target_render"""
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

import jsonschema
import yaml

COMMAND = "python train.py --lr $(nproc) $$ 'a b'"
JOBS = {
    "single": {"command": COMMAND, "x-envbuild": {"gpus": 1, "cpus": 4, "memory": "16Gi", "grace": 20}, "limits": {"timeout": 3600},
               "resources": {"shm_size": "4g", "instance_type": "n2-standard-8"}, "tags": {"team": "a b"}, "description": "two\nlines"},
    "processes": {"command": COMMAND, "distribution": {"type": "pytorch", "process_count_per_instance": 4}},
    "pytorch": {"command": COMMAND, "distribution": {"type": "pytorch"}, "resources": {"instance_count": 2}},
    "pytorch-4": {"command": COMMAND, "distribution": {"type": "pytorch", "process_count_per_instance": 4}, "resources": {"instance_count": 3},
                  "limits": {"timeout": 60}},
    "tensorflow": {"command": COMMAND, "distribution": {"type": "tensorflow", "worker_count": 2, "parameter_server_count": 1},
                   "resources": {"instance_count": 3}},
    "mpi-1": {"command": COMMAND, "distribution": {"type": "mpi", "process_count_per_instance": 2}},
    "mpi": {"command": COMMAND, "distribution": {"type": "mpi", "process_count_per_instance": 2}, "resources": {"instance_count": 2}},
}
KINDS = {"job": "Job", "jobset": "JobSet", "pytorchjob": "PyTorchJob", "tfjob": "TFJob", "mpijob": "MPIJob"}
OPERATOR = {"pytorchjob": "pytorch", "tfjob": "tensorflow", "mpijob": "mpi"}
FULL = {"context": "c", "namespace": "team", "queue": "user-queue", "pull_secret": "regcred", "outputs_pvc": "claim",
        "node_selector": ["pool=gpu"], "tolerations": ["nvidia.com/gpu:NoSchedule", "team=a:NoExecute", "spot"]}


class Checker:
    def __init__(self, schemas):
        self.by_kind = {}
        for path in sorted(schemas.rglob("*.json")):
            doc = json.loads(path.read_text())
            top = doc["definitions"][doc["$ref"].rsplit("/", 1)[1]] if "$ref" in doc else doc
            for api, kind in itertools.product(*(top["properties"][k]["enum"] for k in ("apiVersion", "kind"))):
                self.by_kind.setdefault((api, kind), []).append((path.parent.name, jsonschema.Draft7Validator(doc)))

    def faults(self, doc):
        known = self.by_kind.get((doc.get("apiVersion"), doc.get("kind")))
        if not known:
            return [f"no schema for {doc.get('apiVersion')} {doc.get('kind')}"]
        return [f"{where}: {'/'.join(map(str, f.absolute_path))}: {f.message[:200]}" for where, v in known for f in v.iter_errors(doc)]


def render(program, folder, profile, job, env):
    """Files by name; None and the message when it was refused."""
    folder.mkdir()
    (folder / "profile.yml").write_text(json.dumps({"type": "kubernetes", **profile}))
    (folder / "job.yml").write_text(json.dumps(job))
    (folder / "src").mkdir()
    p = subprocess.run([program, folder / "profile.yml", folder / "job.yml", folder], capture_output=True, text=True, env=env)
    if p.returncode:
        return None, p.stderr
    return {f.name: json.loads(f.read_text()) for f in (folder / "submit").iterdir()}, ""


def semantic(files, kind, job):
    """What schemas do not see."""
    main = files["job.json"]
    assert len(main["metadata"]["name"]) <= 40
    text = json.dumps(main)
    assert "s3cret" not in text and "c2VjcmV0" not in text
    assert text.count('"restartPolicy": "Never"') >= 1 and '"automountServiceAccountToken": false' in text
    assert "@sha256:" in text and text.count('"image":') == text.count("runs@sha256:")
    assert "$$(nproc) $$$$ 'a b'" in text or kind == "MPIJob", "text that Kubernetes would put variables into"
    if "secret.json" in files:
        assert files["secret.json"]["data"] == {"TOKEN": "czNjcmV0"}
    indexed = main["kind"] == "Job" and job.get("resources", {}).get("instance_count", 1) > 1
    assert ("service.json" in files) == indexed


def rendered(program, checker, bad):
    n = 0
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        env = {"TOKEN": "s3cret", "PATH": "/usr/bin:/bin", "HOME": str(tmp), "ASAN_OPTIONS": "detect_leaks=1"}
        for kind, (name, job), full in itertools.product(KINDS, JOBS.items(), (False, True)):
            job = {**job, "code": "src", "environment": "azureml:x:1", "environment_variables": {"A": "$(B) 1", "N": "8"}}
            if full:
                job["x-envbuild"] = {**job.get("x-envbuild", {}), "env_from_host": ["TOKEN"]}
                job["outputs"] = {"model": {"type": "uri_folder"}}
            where = f"{kind}/{name}{'/full' if full else ''}"
            files, said = render(program, tmp / where.replace("/", "-"), {"kind": kind, **(FULL if full else {})}, job, env)
            n += 1
            if files is None:
                if not (name == "mpi" and kind != "mpijob" and "mpijob" in said):
                    bad.append(f"{where}: refused: {said}")
                continue
            several = job.get("resources", {}).get("instance_count", 1) > 1
            dist = job.get("distribution", {}).get("type")
            want = KINDS[kind] if kind in ("job", "jobset") or (OPERATOR.get(kind) == dist and (several or kind != "mpijob")) else "Job"
            if files["job.json"]["kind"] != want:
                bad.append(f"{where}: a {files['job.json']['kind']}, not a {want}")
            bad += [f"{where}: {f}: {fault}" for f, doc in files.items() for fault in checker.faults(doc)]
            semantic(files, files["job.json"]["kind"], job)
            for f in (tmp / where.replace("/", "-") / "submit").iterdir():
                if f.name == "secret.json" and f.stat().st_mode & 0o777 != 0o600:
                    bad.append(f"{where}: secret.json may be read by others")
        files, said = render(program, tmp / "refused", {}, {"command": "x", "code": "src", "environment": "azureml:x:1",
                                                            "outputs": {"m": {"type": "uri_folder"}}}, env)
        if files is not None or "outputs_pvc" not in said:
            bad.append(f"outputs without a claim were not refused: {said}")
    return n


def main():
    corpus, program = pathlib.Path(sys.argv[1]), sys.argv[2]
    checker, bad, n = Checker(corpus / "schemas"), [], 0
    for path in sorted((corpus / "examples").rglob("*.yaml")):
        faults = checker.faults(yaml.safe_load(path.read_text()))
        n += 1
        if bool(faults) != (path.parent.name == "bad"):
            bad.append(f"{path.relative_to(corpus)}: {faults or 'was taken'}")
    made = rendered(program, checker, bad)
    print("\n".join(bad) or f"{n} examples, {made} descriptions rendered")
    return 1 if bad or n == 0 else 0


sys.exit(main())
