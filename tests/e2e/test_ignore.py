"""Patterns of .gitignore against git itself: made patterns over made trees, seeds fixed, `git ls-files -o --exclude-standard` as the judge."""
import os
import random
import subprocess

import pytest

TOOL = os.environ["IGNORE_MATCH"]
NAMES = [b"a", b"b", b"ab", b"foo", b"foo.py", b"foo.pyc", b"bar", b"Bar", b"a-b", b"x y", b"x ", b"x", b"#c", b"!d", b"[e]", b"f\\g", b"z.tar.gz", b"\t", b"\x0b",
         b"n\nl", b"\xff\xfe", b"\xc3\xa9", b"7", b"_", b"*", b"?", b"]", b"-"]
ATOMS = [b"*", b"*", b"**", b"**/", b"/**", b"/", b"/", b"?", b"[a-c]", b"[!a]", b"[^b]", b"[]-]", b"[[:alpha:]]", b"[[:digit:][:punct:]]", b"[[:space:]]", b"[[:nope:]]",
         b"[a", b"[\\]e]", b"\\", b"\\*", b"\\ ", b" ", b".", b"a", b"b", b"foo", b".py", b"bar", b"x", b"***", b"[a-", b"[z-a]", b"[[:]", b"[[::]]", b"[--0]", b"\r", b"\t",
         b"[[:upper:]]", b"[[:xdigit:]_]", b"[a-\\z]", b"\xc3\xa9", b"\xff", b"\\/", b"**\\/", b"[/]", b"[!/]x", b"[[:cntrl:]]", b"[[:print:]]", b"[[:graph:]]", b"[[:blank:]]"]


def tree(rng, depth=0):
    """{name: None | {…}}"""
    out = {}
    for name in rng.sample(NAMES, rng.randint(2, 7 if depth < 2 else 4)):
        out[name] = tree(rng, depth + 1) if depth < 3 and rng.random() < 0.45 else None
    return out


def paths(t, at=b""):
    for name in sorted(t):
        if t[name] is None:
            yield at + name
        else:
            yield at + name + b"/"
            yield from paths(t[name], at + name + b"/")


def make(root, t):
    for p in paths(t):
        full = os.path.join(root, p)
        if p.endswith(b"/"):
            os.makedirs(full, exist_ok=True)
        else:
            with open(full, "wb"):
                pass


def pattern(rng, known):
    kind = rng.random()
    if kind < 0.35:  # from what is there, with wildcards put in
        p = bytearray(rng.choice(known))
        for _ in range(rng.randint(0, 2)):
            if p:
                i = rng.randrange(len(p))
                p[i:i + rng.randint(0, 2)] = rng.choice(ATOMS)
        p = bytes(p)
        if rng.random() < 0.3:
            p = b"/" + p
    else:
        p = b"".join(rng.choice(ATOMS) for _ in range(rng.randint(1, 5)))
    p = p.replace(b"\n", b"?")
    if rng.random() < 0.25:
        p = b"!" + p
    if rng.random() < 0.15:
        p += b"/"
    if rng.random() < 0.1:
        p += b" " * rng.randint(1, 2)
    return p


def text(rng, known):
    lines = [pattern(rng, known) for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.3:
        lines.insert(0, rng.choice([b"*", b"/*", b"*.py*", b"*/", b"[a-z]*"]))
    if rng.random() < 0.1:
        lines.append(rng.choice([b"#c", b"\\#c", b"", b"\\!d", b"a\0b", b"!", b"/", b"//", b"\r"]))
    end = b"\r\n" if rng.random() < 0.15 else b"\n"
    return (b"\xef\xbb\xbf" if rng.random() < 0.05 else b"") + end.join(lines) + (end if rng.random() < 0.8 else b"")


def record(files, known):
    return b"\0".join([b"%d" % len(files), *(x for f in files for x in (f[0], f[1].replace(b"\0", b""))), b"%d" % len(known), *known]) + b"\0"


def kept(known, bits):
    """What a walk lists: files, a folder that is ignored not entered."""
    out, closed = set(), None
    for p, bit in zip(known, bits):
        if closed and p.startswith(closed):
            continue
        if bit == "1":
            closed = p if p.endswith(b"/") else closed
        elif not p.endswith(b"/"):
            out.add(p)
    return out


@pytest.mark.parametrize("seed", range(24))
def test_same_as_git(tmp_path, seed):
    rng = random.Random(seed)
    root = os.fsencode(tmp_path / "w")
    os.mkdir(root)
    env = {**os.environ, "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", "XDG_CONFIG_HOME": str(tmp_path)}
    subprocess.run(["git", "init", "-q", root], check=True, env=env)
    t = tree(rng)
    make(root, t)
    known = list(paths(t))
    folders = [p[:-1] for p in known if p.endswith(b"/")]
    cases = []
    for _ in range(120):
        files = [(b"", text(rng, known).replace(b"\0", b"?"))]
        for d in sorted(rng.sample(folders, min(len(folders), rng.choice([0, 0, 1, 2])))):
            files.append((d, text(rng, [p[len(d) + 1:] for p in known if p.startswith(d + b"/") and len(p) > len(d) + 1] or known).replace(b"\0", b"?")))
        for d, s in files:
            with open(os.path.join(root, d, b".gitignore"), "wb") as f:
                f.write(s)
        out = subprocess.run(["git", "-C", root, "ls-files", "-o", "-z", "--exclude-standard"], check=True, capture_output=True, env=env).stdout
        theirs = {p for p in out.split(b"\0") if p and os.path.basename(p) != b".gitignore"}
        for d, _s in files:
            os.unlink(os.path.join(root, d, b".gitignore"))
        cases.append((files, theirs))
    ours = subprocess.run([TOOL], input=b"".join(record(f, known) for f, _ in cases), check=True, capture_output=True).stdout.decode().splitlines()
    wrong = []
    for (files, theirs), bits in zip(cases, ours, strict=True):
        mine = kept(known, bits)
        if mine != theirs:
            wrong.append((files, "git keeps", sorted(theirs - mine), "we keep", sorted(mine - theirs)))
    assert not wrong, f"{len(wrong)} of {len(cases)}: {wrong[:3]}"
