#!/usr/bin/env python3
"""Wheel to layer against compressing the same tar: MB/s of tar by the clock and by CPU second, and size over size.

Usage: layer_speed.py BUILD WHEEL...   (BUILD: configured with --buildtype=release -Db_sanitize=none; `ninja layer_speed` was run)
The clock only says something on a quiet machine; CPU seconds say nearly the same on a busy one. Best of three."""
import pathlib
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile


def run(argv, out=None):
    """-> (seconds, CPU seconds, stdout)"""
    best = None
    for _ in range(3):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run(argv, check=True, stdout=open(out, "wb") if out else subprocess.PIPE)
        wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        best = min(best or (wall, cpu, done.stdout), (wall, cpu, done.stdout), key=lambda t: t[0])
    return best


def tar_of(wheel, path):
    with zipfile.ZipFile(wheel) as z, tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as t:
        for m in z.infolist():
            if not m.is_dir():
                info = tarfile.TarInfo("opt/env/lib/python3/" + m.filename)
                info.size = m.file_size
                with z.open(m) as f:
                    t.addfile(info, f)


def main():
    exe = pathlib.Path(sys.argv[1]) / "tests/bench/layer_speed"
    print(f"{'':34}{'MB/s':>8}{'MB/CPU-s':>10}{'ratio':>8}")
    for wheel in sys.argv[2:]:
        with tempfile.TemporaryDirectory() as tmp:
            tar, packed = pathlib.Path(tmp) / "tar", pathlib.Path(tmp) / "packed"
            tar_of(wheel, tar)
            size = tar.stat().st_size
            rows = [(f"envbuild {style}, {jobs} jobs", [exe, jobs, style, wheel], None) for style in ("join", "chunk") for jobs in ("1", "2")]
            rows += [("pigz -6", ["pigz", "-6", "-n", "-c", tar], packed), ("zstd -3", ["zstd", "-3", "-q", "-c", tar], packed),
                     ("zstd -3 -T2", ["zstd", "-3", "-T2", "-q", "-c", tar], packed)]
            print(f"{pathlib.Path(wheel).name} ({size / 1e6:.0f} MB)")
            for name, argv, out in rows:
                wall, cpu, text = run(argv, out)
                got = out.stat().st_size if out else int(text.split()[1])
                print(f"  {name:32}{size / 1e6 / wall:8.0f}{size / 1e6 / cpu:10.0f}{size / got:8.2f}")


main()
