#!/usr/bin/env python3
"""Time the index of a large repodata.json, made here: conda_index.py PROGRAM [MB].

PROGRAM is build-rel/tests/bench/conda_index (ninja tests/bench/conda_index; --buildtype=release -Db_sanitize=none).
"""
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

DEPENDS = ["__glibc >=2.17,<3.0.a0", "libgcc >=13", "libstdcxx >=13", "python >=3.12,<3.13.0a0", "python_abi 3.12.* *_cp312",
           "numpy >=1.19,<3", "libzlib >=1.3.1,<2.0a0", "openssl >=3.4.0,<4.0a0", "libblas >=3.9.0,<4.0a0"]


def record(rng, name, version, number):
    build = "py312h%07x_%d" % (rng.getrandbits(28), number)
    r = {"build": build, "build_number": number, "depends": rng.sample(DEPENDS, rng.randint(1, 8)), "license": "BSD-3-Clause",
         "license_family": "BSD", "md5": "%032x" % rng.getrandbits(128), "name": name, "sha256": "%064x" % rng.getrandbits(256),
         "size": rng.randint(1000, 10**8), "subdir": "linux-64", "timestamp": rng.randint(10**12, 17 * 10**11), "version": version}
    if rng.random() < 0.2:
        r["constrains"] = rng.sample(DEPENDS, 2)
    if rng.random() < 0.1:
        r["track_features"] = ""
    return "%s-%s-%s" % (name, version, build), r


def make(path, size):
    """Like conda-forge: a name has some versions, a version some builds; the same in both formats."""
    rng = random.Random(4)
    maps = {"packages": [], "packages.conda": []}
    made = i = 0
    while made < size:
        name = "pkg-%d" % i
        i += 1
        for v in range(rng.randint(1, 20)):
            for number in range(rng.randint(1, 4)):
                stem, r = record(rng, name, "%d.%d.%d" % (v // 7, v % 7, rng.randint(0, 20)), number)
                kind, ext = ("packages", ".tar.bz2") if rng.random() < 0.4 else ("packages.conda", ".conda")
                line = json.dumps(stem + ext) + ":" + json.dumps(r, separators=(",", ":"))
                maps[kind].append(line)
                made += len(line) + 1
    with open(path, "w") as f:
        f.write('{"info":{"subdir":"linux-64"}')
        for kind, lines in maps.items():
            f.write(',"%s":{' % kind)
            f.write(",".join(sorted(lines)))
            f.write("}")
        f.write(',"removed":[],"repodata_version":1}')
    return sum(map(len, maps.values()))


def run(program, path, folder, records):
    return json.loads(subprocess.run([program, path, folder, str(records)], check=True, stdout=subprocess.PIPE).stdout)


def main():
    program, size = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "repodata.json")
        n = make(path, size * 10**6)
        print("repodata: %.0f MB, %d records" % (os.path.getsize(path) / 1e6, n))
        cold = [run(program, path, os.path.join(tmp, "i%d" % i), 0) for i in range(5)]
        warm = [run(program, path, os.path.join(tmp, "i0"), 0) for i in range(9)]
        some = [run(program, path, os.path.join(tmp, "i0"), 10000) for i in range(5)]
        index = [f for f in os.listdir(os.path.join(tmp, "i0"))]
        print("index: %.1f MB" % (os.path.getsize(os.path.join(tmp, "i0", index[0])) / 1e6))
        for what, runs, key in (("make and open", cold, "open"), ("open again", warm, "open"),
                                ("decode %d records of %d names" % (some[0]["records"], some[0]["names"]), some, "decode")):
            print("%s: %.1f ms, %.1f ms of CPU, %d MiB" % (what, statistics.median(r[key + "_ms"] for r in runs),
                                                           statistics.median(r[key + "_cpu_ms"] for r in runs),
                                                           max(r["peak_kib"] for r in runs) // 1024))
        before = time.process_time(), time.monotonic()
        with open(path, "rb") as f:
            json.loads(f.read())
        print("Python's json: %.0f ms, %.0f ms of CPU" % ((time.monotonic() - before[1]) * 1e3,
                                                         (time.process_time() - before[0]) * 1e3))


if __name__ == "__main__":
    main()
