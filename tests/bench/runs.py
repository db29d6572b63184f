#!/usr/bin/env python3
"""`runs list` of 2,000 runs: milliseconds, the median of 20, against `ls -l` of the same folder. Never a timed assertion in the test suite.

Run it with a release build: ENVBUILD_PROGRAM=build-release/builder/cli/envbuild tests/bench/runs.py [N]. The measure is 50 ms.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e")]
import runs_world  # noqa: E402
from conftest import program  # noqa: E402


def timed(args, env):
    times = []
    for _ in range(20):
        t = time.perf_counter()
        subprocess.run(args, env=env, check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - t) * 1000)
    return statistics.median(times)


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as root:
        env = {**os.environ, "ENVBUILD_RUNS_DIR": root, "XDG_CONFIG_HOME": root}
        for i in range(n):
            runs_world.make(root, id=f"train-20261124-{i:06d}", created_us=runs_world.NOW + i, started_us=runs_world.NOW, ended_us=runs_world.NOW + i,
                            spec={"argv": ["python", "train.py", "--lr", "0.1"] * 20}, image="registry.local/team/train@sha256:" + "0" * 64)
        for what, args in (("runs list", [program(), "runs", "list"]), ("runs list --json", [program(), "runs", "list", "--json"]),
                           ("ls -l", ["ls", "-l", root])):
            print(f"{what:18} {timed(args, env):7.1f} ms for {n} runs")


main()
