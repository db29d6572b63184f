#!/usr/bin/env python3
"""No function of the program is more complex than 40 (cyclomatic), none longer than 120 lines."""
import pathlib
import sys

MAX_COMPLEXITY, MAX_LINES = 40, 120


def main():
    root = pathlib.Path(sys.argv[1])
    try:
        import lizard
    except ImportError:
        print("lizard is needed: pip install -r tests/requirements.txt")
        return 1
    files = sorted(str(p) for top in ("builder", "registry") for p in (root / top).rglob("*.c"))
    bad, n = [], 0
    for info in lizard.analyze_files(files):
        for f in info.function_list:
            n += 1
            if f.cyclomatic_complexity > MAX_COMPLEXITY or f.length > MAX_LINES:
                bad.append(f"{f.filename}:{f.start_line}: {f.name} has complexity {f.cyclomatic_complexity}, {f.length} lines")
    print("\n".join(bad) or f"{n} functions are simple enough")
    return 1 if bad or n == 0 else 0


sys.exit(main())
