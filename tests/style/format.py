#!/usr/bin/env python3
"""Every C file is as the pinned clang-format writes it (tests/requirements.txt names the version, .clang-format the style)."""
import pathlib
import subprocess
import sys


def main():
    root = pathlib.Path(sys.argv[1])
    pins = (root / "tests/requirements.txt").read_text().split()
    want = next(line.split("==")[1] for line in pins if line.startswith("clang-format=="))
    try:
        have = subprocess.run(["clang-format", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        have = "none"
    if want not in have:
        print(f"clang-format {want} is needed, not {have.strip()}: pip install -r tests/requirements.txt")
        return 1
    files = sorted(str(p) for top in ("builder", "registry", "tests") for p in (root / top).rglob("*.[ch]"))
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", "--style=file", *files], capture_output=True, text=True)
    bad = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "clang-format-violations" in line})
    print("\n".join(f"{f}: run clang-format -i on it" for f in bad) or f"{len(files)} files are formatted")
    return 1 if done.returncode or not files else 0


sys.exit(main())
