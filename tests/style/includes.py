#!/usr/bin/env python3
"""A part includes only parts of a lower rank, or itself; third-party headers stay in ext/; tests include what they like.

The ranks are the layout of the tree (docs/internals/architecture.md)."""
import pathlib
import re
import sys

RANK = {
    "base": 0,
    "ext": 1, "version": 1,
    "stream": 2, "oci": 2, "pkg": 2,
    "spec": 3, "net": 3, "resolve": 3, "tree": 3,
    "store": 4, "registry": 4, "lock": 4, "install": 4,
    "catalog": 5, "layer": 5, "sandbox": 5, "attest": 5, "output": 5,
    "image": 6, "check": 6, "run": 6,
    "shim": 1,
    "cli": 7,
}
# what only ext/ may include
THIRD_PARTY = re.compile(r"<(curl/|archive|jansson|yaml|openssl/|zlib|libdeflate|zstd|lzma|msgpack|libelf|gelf)")


def part_of(path, root):
    rel = path.relative_to(root)
    return rel.parts[1] if rel.parts[0] == "builder" else rel.parts[0]


def main():
    root = pathlib.Path(sys.argv[1])
    bad = []
    files = [p for top in ("builder", "registry") for p in (root / top).rglob("*.[ch]")]
    for path in sorted(files):
        me = part_of(path, root)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if me != "ext" and THIRD_PARTY.search(line) and line.lstrip().startswith("#include"):
                bad.append(f"{path}:{number}: only ext/ includes third-party headers: {line.strip()}")
            m = re.match(r'\s*#include "([a-z_]+)/', line)
            if not m:
                continue
            other = m.group(1)
            if other not in RANK:
                bad.append(f"{path}:{number}: '{other}' is no part of the tree")
            elif other != me and RANK[other] >= RANK[me]:
                bad.append(f"{path}:{number}: {me} (rank {RANK[me]}) includes {other} (rank {RANK[other]})")
    print("\n".join(bad) or f"{len(files)} files include downwards only")
    return 1 if bad or not files else 0


sys.exit(main())
