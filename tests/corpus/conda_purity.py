"""Purity (design/layers.md §1) over the corpus' packages: each alone, and all that go together in one image, in other orders and with other
numbers of threads: the same key and the same fact (diff_id, or the body of a bucketed one). Usage: conda_purity.py ENVBUILD CORPUS"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# Their paths.json lies, or they are no packages of their own: refused, each a case of install-expect.
REFUSED = {"zip64-extra-field-test", "spiffy-test-app-0.5-pyh6afbcc8_0", "zlib-1.2.11-h7b6447c_3"}


def stem(p):
    return p.name.removesuffix(".conda").removesuffix(".tar.bz2")


def name_of(p):
    return stem(p).rsplit("-", 2)[0]


class Builder:
    def __init__(self, program, folder):
        self.program, self.folder, self.n = program, folder, 0

    def facts(self, packages, jobs):
        """Build an explicit list; {key: fact} of its packages, or None and why."""
        self.n += 1
        home = self.folder / f"{self.n}"
        home.mkdir()
        (home / "pins.txt").write_text("@EXPLICIT\n" + "".join(f"file://{p}\n" for p in packages))
        r = subprocess.run([self.program, "build", "pins.txt", "--base", "scratch", "--platform", "linux/amd64", "-j", str(jobs), "-q"], cwd=home,
                           env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}, capture_output=True, text=True)
        lock = home / "pins.lock"
        ours = set(re.findall(r"- of: (?:env conda|last|\"?bucket.*)\n +key: ([0-9a-f]{64})", lock.read_text() if lock.exists() else ""))
        out = {}
        for f in (home / ".cache/envbuild/layers").glob("*") if r.returncode == 0 else []:
            if f.is_file() and f.name not in ours:
                fact = json.loads(f.read_text())
                if "body" in fact:
                    fact.pop("encodings", None)
                    fact["body"] = {k: fact["body"][k] for k in fact["body"] if k not in ("in", "at", "kind")}
                    out[f.name] = fact
        shutil.rmtree(home)
        return out if r.returncode == 0 else None, r.stderr


def main(program, corpus):
    packages = sorted(p.resolve() for p in [*(corpus / "packages").iterdir(), *(corpus / "packages-made").iterdir()]
                      if p.is_file() and stem(p) not in REFUSED and "made-legacy" not in p.name)
    alone, failed, skipped = {}, [], []
    with tempfile.TemporaryDirectory(prefix="envbuild-purity-") as tmp:
        build = Builder(program, pathlib.Path(tmp))
        for p in packages:
            facts, why = build.facts([p], 1)
            if facts is None:
                skipped.append((p.name, why.strip().splitlines()[:1]))
            else:
                alone[p] = facts
        # One of a name; what cannot stand together (a file against a folder) is left out one by one.
        company = []
        for p in alone:
            if name_of(p) not in [name_of(q) for q in company] and build.facts([*company, p], 2)[0] is not None:
                company.append(p)
        for order, jobs in ((company, 1), (company[::-1], 8)):
            together, why = build.facts(order, jobs)
            for p in company:
                for key, fact in alone[p].items():
                    if not together or together.get(key) != fact:
                        failed.append(f"{p.name}: {key[:12]} {fact} in company {together and together.get(key)}")
    for line in failed:
        print(line)
    for name, why in skipped:
        print(f"left out: {name}: {why}")
    print(f"{len(company)} of {len(alone)} packages alone and together, {len(skipped)} left out, {len(failed)} failed")
    return bool(failed) or len(company) < 15


sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
