"""Two trees of one wheel: what pip installs into a venv, and what our entry source gives for the same prefix. compare() lists every
difference that is not meant: we write no REQUESTED, our own INSTALLER, a direct_url.json only for URL requirements, headers without the
`site` part, scripts of `.data/scripts` with x bits, no RECORD.jws and .p7s, and RECORD rows for exactly what is there."""
import base64
import csv
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile

WHEEL_TREE = os.environ.get("WHEEL_TREE", "")
PYTHON = "%d.%d" % sys.version_info[:2]
PIP = [os.environ.get("PIP_PYTHON", sys.executable), "-m", "pip", "--disable-pip-version-check"]
SITE = "lib/python%s/site-packages" % PYTHON
UNWANTED = re.compile(re.escape(SITE) + r"/[^/]+\.dist-info/(REQUESTED|direct_url\.json|RECORD\.jws|RECORD\.p7s)")
INSTALLER = re.compile(re.escape(SITE) + r"/[^/]+\.dist-info/INSTALLER")
RECORD = re.compile(re.escape(SITE) + r"/[^/]+\.dist-info/RECORD")
OLD_BODY = re.compile(
    r"# -\*- coding: utf-8 -\*-\nimport re\nimport sys\n(.*)    sys\.argv\[0\] = re\.sub\(r'[^\n]*', '', sys\.argv\[0\]\)\n(.*)", re.S)


def files_below(root):
    """path → (mode, bytes); links are an error: no wheel may make one."""
    out = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            assert not os.path.islink(path), path
            with open(path, "rb") as f:
                out[os.path.relpath(path, root)] = (os.stat(path).st_mode & 0o7777, f.read())
    return out


def pip_tree(wheel, tmp):
    """Installs into a fresh venv at tmp/env; only what pip added."""
    prefix = os.path.join(tmp, "env")
    shutil.rmtree(prefix, ignore_errors=True)
    venv.create(prefix, with_pip=False, symlinks=True)
    before = {os.path.join(d, n) for d, _, names in os.walk(prefix) for n in names}
    done = subprocess.run(PIP + ["--python", os.path.join(prefix, "bin", "python"), "install", "--no-deps", "--no-compile", "--no-index",
                                 "--quiet", "--ignore-requires-python", str(wheel)], umask=0o022, capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr
    for path in before:
        os.unlink(path)
    return files_below(prefix), ""


def our_tree(wheel, tmp):
    """The same prefix in another place."""
    prefix, place = os.path.join(tmp, "env"), os.path.join(tmp, "ours")
    shutil.rmtree(place, ignore_errors=True)
    done = subprocess.run([WHEEL_TREE, "-p", prefix, "-P", PYTHON, str(wheel), place], capture_output=True, text=True)
    if done.returncode:
        return None, done.stderr
    return files_below(place + prefix), ""


def layer_tree(wheel, tmp, parts):
    """The files of the layers that are made of the wheel, and what ought not to be in them."""
    store = os.path.join(tmp, "store%d" % parts)
    shutil.rmtree(store, ignore_errors=True)
    done = subprocess.run([WHEEL_TREE, "-p", os.path.join(tmp, "env"), "-P", PYTHON, "-n", str(parts), str(wheel), store],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    root, files, odd = os.path.join(tmp, "env").lstrip("/"), {}, []
    for blob in done.stdout.split():
        with tarfile.open(blob, "r:gz") as tar:
            for m in tar:
                if (m.uid, m.gid, m.mtime) != (0, 0, 315532800) or not (m.isreg() or m.isdir() and m.mode == 0o755):
                    odd.append(m.get_info())
                if not (m.name + "/").startswith(root + "/"):
                    odd.append(m.name)
                if m.isreg():
                    odd += [m.name] if m.name in files else []
                    files[os.path.relpath(m.name, root)] = (m.mode, tar.extractfile(m).read())
    shutil.rmtree(store)
    return files, odd


def modern(text):
    """Entry point scripts of a pip older than 25 in the words of newer ones."""
    m = OLD_BODY.search(text.decode("utf-8", "replace"))
    return text if not m else (text[:text.index(b"# -*-")] + ("import sys\n%s    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n%s"
                                                              % (m[1], m[2])).encode())


def row(path, data):
    return [path, "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("="), str(len(data))]


def expected(wheel, pip):
    """pip's tree with the differences that are meant."""
    want = {}
    declared = {i.filename for i in zipfile.ZipFile(wheel).infolist() if re.match(r"[^/]*\.data/scripts/", i.filename)}
    scripts = {"bin/" + n.split("/", 2)[2] for n in declared}
    for path, (mode, data) in pip.items():
        head = "include/site/python%s/" % PYTHON
        if path.startswith(head):
            path = "include/python%s/%s" % (PYTHON, path[len(head):])
        if UNWANTED.fullmatch(path):
            continue
        if INSTALLER.fullmatch(path):
            data = b"envbuild\n"
        if path.startswith("bin/"):
            data = modern(data)
        want[path] = (0o755 if path in scripts else mode, data)
    [record] = filter(RECORD.fullmatch, want)
    rows = sorted(row(os.path.relpath(p, SITE), d) if p != record else [os.path.relpath(p, SITE), "", ""] for p, (_, d) in want.items())
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    want[record] = (0o644, text.getvalue().encode())
    return want


def rows_disagree(pip, want):
    """Our RECORD holds true hashes. pip's rows come from the archive, so they must say the same of files that pip left unchanged."""
    [record] = filter(RECORD.fullmatch, want)
    ours = {r[0]: r for r in csv.reader(io.StringIO(want[record][1].decode(), newline=""))}
    for r in csv.reader(io.StringIO(pip[record][1].decode(), newline="")):
        path = os.path.normpath(os.path.join(SITE, r[0]))
        same = path in pip and path in want and pip[path][1] == want[path][1] and path != record
        if same and r[1] and ours[r[0]] != r:
            yield "RECORD: pip has %s, we have %s" % (r, ours[r[0]])


def compare(wheel, tmp):
    """Every difference as a line; both refusing is none. The layers that are made of it must hold the same files, whole or split."""
    pip, why_pip = pip_tree(wheel, tmp)
    ours, why = our_tree(wheel, tmp)
    if pip is None or ours is None:
        return [] if pip is None and ours is None else ["pip: %s\nours: %s" % (why_pip or "installed", why or "installed")]
    want = expected(wheel, pip)
    out = list(rows_disagree(pip, want))
    for path in sorted(set(want) | set(ours)):
        if path not in ours or path not in want:
            out.append("%s: only %s has it" % (path, "pip" if path in want else "ours"))
        elif want[path] != ours[path]:
            out.append("%s: pip %o %d bytes, ours %o %d bytes" % (path, want[path][0], len(want[path][1]), ours[path][0],
                                                                  len(ours[path][1])))
    for parts in (1, 4) if not out else ():
        layers, odd = layer_tree(wheel, tmp, parts)
        out += ["layers in %d parts: %s" % (parts, o) for o in odd]
        if layers != ours:
            out.append("layers in %d parts: other files than in the tree" % parts)
    return out
