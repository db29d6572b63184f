#!/usr/bin/env python3
"""Conda solves against rattler: milliseconds of opening and solving, fresh processes in turn, medians; peak memory; which records differ.

Usage: conda_solve.py BUILD CASES.jsonl [ID...]   (BUILD: configured with --buildtype=release -Db_sanitize=none; `ninja conda_solve` was
run. Needs py-rattler, in $RATTLER_PYTHON or this python. Channels are looked for beside the cases: ../repodata/…)
Only ratios of one run say something; on a busy machine they do that poorly."""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

RUNS = 9
HEADLINES = ["main22-py39-sci", "intel-py39-sci", "cfpool-py312-sci", "pangeo-pangeo-notebook"]
RATTLER = """
import asyncio, json, os, resource, sys, time
from rattler import *
from rattler.package.build_string import BuildString
from rattler.repo_data import SparseRepoData
case, files = json.load(sys.stdin), sys.argv[1:]
begin = time.monotonic()
data = [SparseRepoData(Channel("http://127.0.0.1:9/c"), os.path.basename(os.path.dirname(f)), f) for f in files]
opened = time.monotonic()
virtual = [GenericVirtualPackage(PackageName(n), Version(v), BuildString(b)) for n, v, b in case["virtual_packages"]]
async def solve():
    return await solve_with_sparse_repodata(specs=[MatchSpec(s) for s in case["specs"]], sparse_repodata=data,
                                            channel_priority=ChannelPriority.Strict, virtual_packages=virtual)
got = asyncio.run(solve())
done = time.monotonic()
print((opened - begin) * 1e3, (done - opened) * 1e3, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
for r in got:
    print(f"{r.subdir}/{r.file_name}")
sys.stdout.flush()
os._exit(0)  # its own exit dumps core now and then
"""


def unpack(corpus, channel, into):
    """A channel's folder with plain files; each is unpacked once."""
    for packed in (corpus / channel).glob("*/repodata.json*"):
        plain = into / channel / packed.parent.name / "repodata.json"
        if not plain.exists():
            plain.parent.mkdir(parents=True, exist_ok=True)
            run = ["zstd", "-qdc", packed] if packed.suffix == ".zst" else ["cat", packed]
            plain.write_bytes(subprocess.run(run, check=True, stdout=subprocess.PIPE).stdout)
    return into / channel


def once(argv, stdin=None):
    out = subprocess.run(argv, check=True, stdout=subprocess.PIPE, input=stdin, text=True).stdout.splitlines()
    opened, solved, kilobytes = map(float, out[0].split())
    return {"open": opened, "solve": solved, "all": opened + solved, "mb": kilobytes / 1024}, set(out[1:])


def compare(exe, case, folders, index):
    files = [str(f / sub / "repodata.json") for f in folders for sub in (case["platform"], "noarch") if (f / sub / "repodata.json").exists()]
    ours = [case["platform"]] + [a for f in folders for a in ("-c", str(f))]
    ours += [a for v in case["virtual_packages"] for a in ("-v", "=".join(v))] + case["specs"]
    peers = {
        "made": [exe] + ours,
        "mapped": [exe, "-i", index] + ours,
        "rattler": [os.environ.get("RATTLER_PYTHON", sys.executable), "-c", RATTLER] + files,
    }
    took, answer = {name: [] for name in peers}, {}
    once(peers["mapped"])  # makes the index
    for _ in range(RUNS):
        for name, argv in peers.items():
            figures, answer[name] = once(argv, json.dumps(case) if name == "rattler" else None)
            took[name].append(figures)
    medians = {name: {k: statistics.median(f[k] for f in figures) for k in figures[0]} for name, figures in took.items()}
    print(case["id"])
    for name, m in medians.items():
        ratio = m["all"] / medians["rattler"]["all"]
        print(f"  {name:9} open {m['open']:7.1f}  solve {m['solve']:7.1f}  both {m['all']:7.1f} ms  ratio {ratio:5.2f}  {m['mb']:6.1f} MB")
    same = len(answer["made"] & answer["rattler"])
    print(f"  {same} of {len(answer['rattler'])} records are the same")


def main():
    exe, cases = str(pathlib.Path(sys.argv[1]) / "tests/bench/conda_solve"), pathlib.Path(sys.argv[2])
    wanted = sys.argv[3:] or HEADLINES
    with tempfile.TemporaryDirectory() as tmp:
        index = pathlib.Path(tmp) / "index"
        index.mkdir()
        for line in cases.read_text().splitlines():
            case = json.loads(line)
            if case["id"] in wanted:
                compare(exe, case, [unpack(cases.parent.parent, c, pathlib.Path(tmp)) for c in case["channels"]], str(index))


main()
