#!/usr/bin/env python3
"""Adds up meson's own logs: "N passed, N failed, N skipped", the last line of .ci/test and .ci/run."""
import json
import sys

count = {"passed": 0, "failed": 0, "skipped": 0}
for path in sys.argv[1:]:
    with open(path) as f:
        for line in f:
            result = json.loads(line)["result"]
            count["passed" if result in ("OK", "EXPECTEDFAIL") else "skipped" if result == "SKIP" else "failed"] += 1
print(", ".join(f"{n} {word}" for word, n in count.items()))
