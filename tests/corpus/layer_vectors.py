"""layer_vectors.py LAYER_TREE CORPUS: two layers unpacked by us and stacked by the kernel must look as they do in four runtimes, as root
and as an ordinary user (who owns everything and sets no capabilities)."""
import json
import os
import subprocess
import sys
import tempfile

PYTHON = "/usr/bin/python3"
USER = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
MOUNT = ('cd "$1" && mkdir m && mount -t tmpfs t m && mkdir m/u m/w m/r && ln -s "$3" m/1 && ln -s "$4" m/2 && cd m && '
         'mount -t overlay o -o lowerdir=2:1,upperdir=u,workdir=w,userxattr r && exec "$5" "$2" r')


def listing(tool, corpus, name, as_user):
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o777)
        become = USER if as_user and os.geteuid() == 0 else []
        store, place = os.path.join(top, "store"), os.path.join(top, "place")
        subprocess.run(become + ["mkdir", place], check=True)
        tars = [os.path.join(corpus, "layer-vectors", n + ".tar") for n in ("base", name)]
        done = subprocess.run(become + [tool, store] + tars, capture_output=True, text=True)
        if done.returncode:
            return "rejected: " + done.stderr.strip()
        paths = done.stdout.split()
        unshare = ["unshare", "-rm"] if as_user else ["unshare", "-m"]
        script = os.path.join(corpus, "tools", "list_tree.py")
        out = subprocess.run(become + unshare + ["sh", "-c", MOUNT, "sh", place, script] + paths + [PYTHON], capture_output=True,
                             text=True, check=True).stdout
        return json.loads(out)


def plain(entries, as_user):
    """What an ordinary user can have of them."""
    if not as_user:
        return entries
    out = []
    for e in entries:
        e = [None if i == 3 else x for i, x in enumerate(e)]
        if isinstance(e[-1], dict):
            e[-1] = {k: v for k, v in e[-1].items() if not k.startswith("security.")}
            e = e if e[-1] else e[:-1]
        out.append(e)
    return out


def expected(index, result):
    changed = {e[0]: e for e in result["+"]}
    gone = set(result["-"])
    kept = {e[0]: e for e in index["base"] if e[0] not in gone}
    return list({**kept, **changed}.values())


def main():
    tool, corpus = sys.argv[1:3]
    index = json.load(open(os.path.join(corpus, "layer-vectors", "INDEX.json")))
    passed = failed = 0
    for as_user in ([False, True] if os.geteuid() == 0 else [True]):
        for name, vector in index["vectors"].items():
            if not vector["agree"]:
                continue
            want = vector["results"][0]["result"]
            got = listing(tool, corpus, name, as_user)
            if isinstance(want, str) or isinstance(got, str):
                ok = isinstance(want, str) and isinstance(got, str)
            else:
                want = expected(index, want)
                ok = sorted(map(repr, plain(want, as_user))) == sorted(map(repr, plain(got, as_user)))
            passed += ok
            failed += not ok
            if not ok:
                print(f"FAIL {name} ({'user' if as_user else 'root'}):")
                if isinstance(got, str) or isinstance(want, str):
                    print("  want", want, "got", got)
                else:
                    w, g = ({repr(e) for e in plain(x, as_user)} for x in (want, got))
                    print("  missing", sorted(w - g), "\n  too much", sorted(g - w))
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


sys.exit(main())
