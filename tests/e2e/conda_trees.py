"""Two trees of conda packages: what py-rattler installs, and what our entry source gives for the same prefix. compare() lists every
difference that is not meant: our scripts of entry points have another body, conda-meta has no local paths, times or requested specs.

By hand, in a venv with py-rattler: CONDA_TREE=build/tests/conda_tree python3 tests/e2e/conda_trees.py PACKAGE...
Each package is installed alone; with -t they are installed together, in this order."""
import hashlib
import io
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile

CONDA_TREE = os.environ.get("CONDA_TREE", "")
PREFIX = "/opt/env"
RATTLER_BODY = re.compile(
    rb"# -\*- coding: utf-8 -\*-\nimport re\nimport sys\n\nfrom (\S+) import (\S+)\n\nif __name__ == '__main__':\n"
    rb"\s+sys\.argv\[0\] = re\.sub\(r'[^\n]*', '', sys\.argv\[0\]\)\n\s+sys\.exit\((\S+)\(\)\)\n+$")
OUR_BODY = re.compile(
    rb"import sys\nfrom (\S+) import (\S+)\nif __name__ == '__main__':\n    for end in [^\n]*\n[^\n]*\n[^\n]*\n    sys\.exit\((\S+)\(\)\)\n$")
# What a record says of a machine or a moment, not of the package.
LOCAL = ("extracted_package_dir", "package_tarball_full_path", "requested_spec", "requested_specs", "link", "url", "channel", "fn")


def tree(root):
    """path → (kind, mode, content, mtime) of what lies below root; folders only when they are empty."""
    out = {}
    for folder, dirs, names in os.walk(root):
        for name in dirs + names:
            path = os.path.join(folder, name)
            rel, st = os.path.relpath(path, root), os.lstat(path)
            if stat.S_ISLNK(st.st_mode):
                out[rel] = ("link", 0, os.readlink(path).encode(), 0)
            elif stat.S_ISREG(st.st_mode):
                out[rel] = ("file", st.st_mode & 0o777, pathlib.Path(path).read_bytes(), int(st.st_mtime))
            elif not os.listdir(path):
                out[rel] = ("folder", st.st_mode & 0o777, b"", 0)
    return out


async def rattler_install(packages, place, cache, python):
    from rattler import install, RepoDataRecord, Platform
    records = [await RepoDataRecord.from_package_archive(p) for p in packages]
    await install(records, place + PREFIX, cache_dir=cache, show_progress=False, platform=Platform("linux-64"),
                  alternative_target_prefix=PREFIX, execute_link_scripts=False)


def rattler_tree(packages, place, python="3.11"):
    """In a process of its own: it now and then dumps core when it ends. None and its message when it refuses."""
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place + PREFIX)
    code = ("import asyncio, os, sys\nsys.path.insert(0, %r)\nimport conda_trees\n"
            "asyncio.run(conda_trees.rattler_install(%r, %r, %r, %r))\nprint('installed', flush=True)\nos._exit(0)\n"
            % (os.path.dirname(os.path.abspath(__file__)), [str(p) for p in packages], place, place + ".cache", python))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600)
    if "installed" not in done.stdout:
        return None, done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no word"
    return tree(place + PREFIX), ""


def our_tree(packages, place, python="3.11"):
    shutil.rmtree(place, ignore_errors=True)
    done = subprocess.run([CONDA_TREE, "-p", PREFIX, "-P", python, place] + [str(p) for p in packages], capture_output=True, text=True)
    return (None, done.stderr) if done.returncode else (tree(place + PREFIX), "")


def body(text):
    """A script of an entry point, reduced to what it does."""
    m = RATTLER_BODY.search(text) or OUR_BODY.search(text)
    return text[:m.start()] + b"|".join(m.groups()) if m else text


def record_rows(doc, legacy):
    """_path → what the record says of it: of a rewritten file ours has the size that paths.json says, theirs the new one, and of a link
    theirs has a digest of its text. In packages older than paths.json only ours has all digests."""
    rows = {}
    for row in doc["paths_data"]["paths"]:
        row = {k: v for k, v in row.items() if v not in (None, False)}
        if row["path_type"] == "unix_python_entry_point":
            row.pop("sha256", None), row.pop("sha256_in_prefix", None), row.pop("size_in_bytes", None)
        if row["path_type"] == "softlink" or row.get("sha256_in_prefix") == row.get("sha256"):
            row.pop("sha256_in_prefix", None)
        if "sha256_in_prefix" in row:
            row.pop("size_in_bytes", None)
        if legacy:
            for key in ("sha256", "sha256_in_prefix", "size_in_bytes"):
                row.pop(key, None)
        row.pop("original_path", None)
        rows[row["_path"]] = row
    return rows


def compare_records(name, theirs, ours):
    out = []
    for key in sorted(set(theirs) | set(ours)):
        a, b = theirs.get(key), ours.get(key)
        if key in LOCAL or a == b or (a in (None, [], "") and b in (None, [], "")) or (key == "md5" and a is None):
            continue
        if key == "files" and sorted(a) == sorted(b):
            continue
        if key == "paths_data":
            legacy = any(not row.get("sha256") for row in a["paths"] if row["path_type"] == "hardlink")
            a, b = record_rows(theirs, legacy), record_rows(ours, legacy)
            out += ["%s: %s: %r / %r" % (name, p, a.get(p), b.get(p)) for p in sorted(set(a) | set(b)) if a.get(p) != b.get(p)]
            continue
        out.append("%s: %s: %r / %r" % (name, key, a, b))
    return out


def compare(theirs, ours):
    """Differences as lines; nothing: equal."""
    out = []
    for path in sorted(set(theirs) | set(ours)):
        a, b = theirs.get(path), ours.get(path)
        if path.startswith("conda-meta/history") or "/__pycache__/" in path and b is None or path == "CACHEDIR.TAG":
            continue
        if path.startswith("__clobbers__/") or path == ".condarc":
            continue
        if a is None or b is None:
            out.append("%s: only %s" % (path, "ours" if a is None else "theirs"))
        elif path.startswith("conda-meta/") and path.endswith(".json"):
            out += compare_records(path, json.loads(a[2]), json.loads(b[2]))
        elif a[0] != b[0] or a[1] & 0o111 != b[1] & 0o111 or (a[2] != b[2] and body(a[2]) != body(b[2])):
            out.append("%s: %s %o %s / %s %o %s" % (path, a[0], a[1], hashlib.sha256(a[2]).hexdigest()[:8], b[0], b[1],
                                                   hashlib.sha256(b[2]).hexdigest()[:8]))
    return out


def readable(place):
    """Records of ours that py-rattler's reader does not take."""
    from rattler import PrefixRecord
    bad = []
    for path in sorted(pathlib.Path(place + PREFIX, "conda-meta").glob("*.json")):
        try:
            record = PrefixRecord.from_path(path)
            assert path.name == "%s-%s-%s.json" % (record.name.source, record.version, record.build), record
            assert [str(f) for f in record.files] == json.loads(path.read_text())["files"]
        except Exception as e:  # pylint: disable=broad-except
            bad.append("%s: %s" % (path.name, e))
    return bad


def python_package(folder, python):
    """What a noarch package must find beside it, for py-rattler."""
    path = os.path.join(folder, "python-%s.0-0.tar.bz2" % python)
    index = {"name": "python", "version": python + ".0", "build": "0", "build_number": 0, "depends": [], "subdir": "linux-64",
             "arch": "x86_64", "platform": "linux"}
    paths = {"paths_version": 1, "paths": []}
    with tarfile.open(path, "w:bz2") as tar:
        for name, doc in (("info/index.json", index), ("info/paths.json", paths)):
            text = json.dumps(doc).encode()
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return path


def judge(packages, tmp, python="3.11"):
    """'equal', a list of differences, or who refuses."""
    found = [re.match(r"python-(\d+\.\d+)\.", os.path.basename(p)) for p in packages]
    python = next((m.group(1) for m in found if m), python)
    packages = ([] if any(found) else [python_package(tmp, python)]) + list(packages)
    theirs, why = rattler_tree(packages, os.path.join(tmp, "theirs"), python)
    ours, our_why = our_tree(packages, os.path.join(tmp, "ours"), python)
    if ours is None:
        return "we refuse: %s%s" % (our_why.splitlines()[0], "" if theirs is not None else " (so does py-rattler: %s)" % why)
    bad = readable(os.path.join(tmp, "ours"))
    if bad:
        return bad
    if theirs is None:
        return "py-rattler refuses: " + why
    return compare(theirs, ours) or "equal"


def main(args):
    sets, failed = [args[1:]] if args[0] == "-t" else [[p] for p in args], 0
    for packages in sets:
        with tempfile.TemporaryDirectory() as tmp:
            found = judge(packages, tmp)
        failed += isinstance(found, list)
        print(" ".join(os.path.basename(p) for p in packages) + ": " + (found if isinstance(found, str) else "\n    ".join([""] + found)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
