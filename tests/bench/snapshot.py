#!/usr/bin/env python3
"""The source of a run against git status, in one run (never a timed assertion in the test suite):

    snapshot.py [--files 2000] [--repeat 15]

A made tree, taken once; then, again and again, one file is changed and `git status` and a second snapshot of the same tree are timed in turns, with a file
of another content each time. Prints medians and the ratio; also for a tree in which nothing changed, the first snapshot, and a working copy. git's
status comes from a repository where the tree is committed. Both start as processes. Build with --buildtype=release -Db_sanitize=none:
SNAPSHOT=build-release/tests/snapshot
"""
import argparse
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def make(root, n):
    rng = random.Random(1)
    files = []
    for i in range(n):
        d = root / f"pkg{i % 40:02}" / f"sub{i % 7}"
        d.mkdir(parents=True, exist_ok=True)
        f = d / f"module_{i}.py"
        f.write_bytes(rng.randbytes(rng.choice([200, 2000, 8000])))
        files.append(f)
    (root / ".gitignore").write_text("__pycache__/\n*.py[cod]\n*.so\nbuild/\ndist/\n*.egg-info/\n.venv/\n/data/\n*.ckpt\n!keep.ckpt\n.ipynb_checkpoints\n")
    return files


def timed(args, env, cwd):
    t = time.perf_counter()
    subprocess.run(args, check=True, stdout=subprocess.DEVNULL, env=env, cwd=cwd)
    return time.perf_counter() - t


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--files", type=int, default=2000)
    ap.add_argument("--repeat", type=int, default=15)
    args = ap.parse_args()
    tool = os.environ.get("SNAPSHOT", str(ROOT / "build-release/tests/snapshot"))
    tmp = pathlib.Path(tempfile.mkdtemp())
    env = {**os.environ, "HOME": str(tmp), "GIT_CONFIG_NOSYSTEM": "1"}
    try:
        src = tmp / "src"
        src.mkdir()
        files = make(src, args.files)
        for cmd in (["init", "-q"], ["add", "-A"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
            subprocess.run(["git", *cmd], check=True, env=env, cwd=src)
        time.sleep(2.5)  # files younger than two seconds are read again
        subprocess.run(["git", "status"], check=True, stdout=subprocess.DEVNULL, env=env, cwd=src)
        take = [tool, str(tmp / "store"), "take", str(src)]
        first = timed(take, env, tmp)
        rows = {"git status, one changed": [], "snapshot, one changed": [], "git status, none changed": [], "snapshot, none changed": []}
        for i in range(args.repeat):
            for kind in ("none", "one"):
                time.sleep(2.1)
                subprocess.run(take, check=True, stdout=subprocess.DEVNULL, env=env)
                subprocess.run(["git", "status"], check=True, stdout=subprocess.DEVNULL, env=env, cwd=src)
                if kind == "one":
                    files[i % len(files)].write_text(f"changed {i} {time.time()}\n")
                order = [("git status", ["git", "status", "--porcelain"], src), ("snapshot", take, tmp)]
                for name, cmd, cwd in order if i % 2 else order[::-1]:
                    rows[f"{name}, {kind} changed"].append(timed(cmd, env, cwd))
        out = subprocess.run(take, check=True, capture_output=True, text=True, env=env).stdout
        place = timed([tool, str(tmp / "store"), "place", out.split()[0], str(tmp / "copy")], env, tmp)
        print(f"first snapshot {first * 1e3:.1f} ms, working copy {place * 1e3:.1f} ms ({args.files} files)")
        mid = {k: statistics.median(v) for k, v in rows.items()}
        for k, v in mid.items():
            print(f"{k:28} {v * 1e3:7.2f} ms")
        for kind in ("one", "none"):
            print(f"snapshot / git status, {kind} changed: {mid[f'snapshot, {kind} changed'] / mid[f'git status, {kind} changed']:.2f}")
    finally:
        shutil.rmtree(tmp)


main()
