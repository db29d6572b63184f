#!/usr/bin/env python3
"""No loose ends in the sources, no machine's own names in the tree, and every diagnostic code is in the manual of codes."""
import pathlib
import re
import subprocess
import sys

LOOSE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|not implemented")
MACHINE = re.compile(r"/work/(main|shared|h/|\.library)|artifact-cache")
KINDS = (".c", ".h", ".py", ".md", ".yml", ".build", ".sh")
TOPS = ("builder", "registry", "tests", "docs", "recipes", "curated")


def tracked(root):
    try:
        out = subprocess.run(["git", "-C", str(root), "ls-files"], capture_output=True, text=True, check=True).stdout.split("\n")
        return [root / f for f in out if f and (root / f).is_file()]
    except (OSError, subprocess.CalledProcessError):
        return [p for top in TOPS for p in (root / top).rglob("*") if p.is_file()]


def main():
    root, bad, n = pathlib.Path(sys.argv[1]), [], 0
    codes, listed = {}, (root / "docs/internals/diagnostics.md").read_text()
    for path in tracked(root):
        rel = path.relative_to(root)
        if path.suffix not in KINDS or rel == pathlib.Path("tests/style/words.py"):
            continue
        n += 1
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if rel.parts[0] in ("builder", "registry"):
                if LOOSE.search(line):
                    bad.append(f"{rel}:{number}: a loose end: {line.strip()}")
                for code in re.findall(r'"(EB\d{3})"', line):
                    codes.setdefault(code, f"{rel}:{number}")
            if MACHINE.search(line):
                bad.append(f"{rel}:{number}: names this machine: {line.strip()}")
    bad += [f"{where}: {code} is not in docs/internals/diagnostics.md" for code, where in sorted(codes.items()) if code not in listed]
    print("\n".join(bad) or f"{n} files, {len(codes)} codes")
    return 1 if bad or n == 0 else 0


sys.exit(main())
