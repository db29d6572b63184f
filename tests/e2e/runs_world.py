"""Runs made by hand: folders as `envbuild run` leaves them, in any state, without an engine."""
import json
import pathlib
import random
import string
import time

SPEC = {"name": "t", "experiment_name": "exp", "argv": ["python", "train.py"], "environment": {"kind": "host"}, "distribution": "none",
        "nodes": 1, "compute": "process", "shm_size": 2 << 30, "grace": 30}
NOW = int(time.time() * 1e6)


def make(root, id=None, state="Completed", spec=None, ranks=None, logs=None, events=None, **facts):
    """The folder. ranks: list of dicts over rank-N.json; logs: rank → text or bytes."""
    spec = {**SPEC, **(spec or {})}
    id = id or "t-20261124-" + "".join(random.choices(string.ascii_lowercase + string.digits, k=6))
    folder = pathlib.Path(root) / id
    for name in ("submit", "outputs", "logs", "status/1", "user_logs", "system_logs"):
        (folder / name).mkdir(parents=True)
    doc = {"format": 1, "id": id, "name": spec["name"], "experiment": spec["experiment_name"], "target": "process", "compute": "process",
           "attempt": 1, "archived": False, "created_us": NOW, "state": state}
    doc |= {k: v for k, v in facts.items() if v is not None}
    doc |= {"token": f"{id}.1", "handle": "supervisor:elsewhere:1:1", "host": "elsewhere", "user": "me", "git": {}, "properties": {},
            "spec": spec}
    (folder / "run.json").write_text(json.dumps(doc, indent=2, ensure_ascii=False) + "\n")
    for n, rank in enumerate(ranks or []):
        whole = {"rank": n, "attempt": 1, "host": "n1", "pid": 2, "start_us": NOW, "end_us": NOW + 5000000, "exit_code": 0, "signal": 0,
                 "failed_start": False, "timed_out": False, "stopped": "", "maxrss_kb": 20480} | rank
        (folder / f"status/1/rank-{n}.json").write_text(json.dumps(whole))
    for n, text in (logs or {}).items():
        name = "std_log.txt" if len(ranks or [0]) == 1 else f"std_log_process_{n}.txt"
        (folder / "user_logs" / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    if events:
        (folder / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in events))
    return folder
