#!/usr/bin/env python3
"""Compare a Debian base of ours with mmdebstrap's of the same packages, path by path.

    debian_tree.py OURS THEIRS            two trees that are there
    debian_tree.py --make SUITE DIR TOOL  make both below DIR first (root, network; TOOL is build/tests/debian_tree)

Every difference must stand in RULES with its reason; docs/internals/debian-differences.md is printed by --table.
Exit 1 when one does not.
"""
import os, re, stat, subprocess, sys

# (pattern of the path, which side: '<' only in mmdebstrap's, '>' only in ours, '!' differs; reason)
RULES = [
    (r'.*/__pycache__(/.*)?', '<', 'bytecode is not made: python makes it in a folder of the user when it may'),
    (r'var/cache/(apt|debconf|ldconfig|fontconfig)(/.*)?', '<', 'caches: made on demand'),
    (r'var/lib/apt/(lists/.*|extended_states|daily_lock|periodic)', '<', 'lists of apt: `apt-get update` fetches them'),
    (r'var/(cache/apt/archives|lib/apt/lists)/partial', '!', 'apt gives them to its user when root first runs it'),
    (r'var/log/(apt|dpkg\.log|alternatives\.log|fontconfig\.log|bootstrap\.log)(/.*)?', '<', 'logs of a process that did not take place'),
    (r'var/lib/dpkg/(lock|lock-frontend|triggers/Lock|.*-old|arch)', '<', 'locks, backups, what mmdebstrap configures'),
    (r'etc/(passwd|group|shadow|gshadow)-|etc/\.pwd\.lock', '<', 'backups and locks'),
    (r'etc/apt/sources\.list\.d/.*', '<>', "sources: ours are the recipe's"),
    (r'etc/(resolv\.conf|hostname|fstab|machine-id)', '<>!', 'mount points here; mmdebstrap copies or writes its own'),
    (r'dev/.*', '<', 'devices are the runtime\'s'),
    (r'etc/ld\.so\.cache', '!', 'same libraries in the same order (compared by ldconfig -p); the string table is laid out in another way'),
    (r'(etc|var/lib)/systemd/.*', '<', 'units are not enabled: nothing starts them'),
    (r'etc/rc[0-6S]\.d/.*', '<', 'init scripts are not enabled: nothing starts them'),
    (r'usr/share/mime/.*', '<', 'update-mime-database: 5 MB of caches for desktops (recipes/effects)'),
    (r'var/lib/python(/.*)?', '<>!', 'a marker of python\'s packaging'),
    (r'var/lib/dpkg/(available|statoverride)', '>', 'empty files, as dpkg makes them when first asked'),
    (r'var/lib/dpkg/diversions', '!', 'same diversions (compared as a set): dpkg keeps them in the order of a hash table'),
    (r'var/lib/dpkg/triggers/File', '!', 'same lines (compared as a set) in the order of packages'),
    (r'etc/(shadow|gshadow)', '!', 'day of the last change: 0 here, so that the image does not depend on a clock'),
]
COMPARED_AS_SET = ('var/lib/dpkg/triggers/File',)


def describe(root, path):
    full = os.path.join(root, path)
    st = os.lstat(full)
    kind = stat.S_IFMT(st.st_mode)
    d = {'kind': kind, 'owner': (st.st_uid, st.st_gid)}
    if kind != stat.S_IFLNK:
        d['mode'] = oct(st.st_mode & 0o7777)
    if kind == stat.S_IFLNK:
        d['target'] = os.readlink(full)
    if kind == stat.S_IFREG:
        with open(full, 'rb') as f:
            d['bytes'] = f.read()
        d['time'] = None if st.st_mtime > 1780000000 else int(st.st_mtime)
    return d


def tree(root):
    out = {}
    for folder, dirs, files in os.walk(root):
        for name in dirs + files:
            path = os.path.relpath(os.path.join(folder, name), root)
            out[path] = describe(root, path)
    return out


def libraries(root):
    r = subprocess.run(['ldconfig', '-p', '-C', os.path.join(root, 'etc/ld.so.cache')], capture_output=True, text=True,
                       env=dict(os.environ, PATH='/usr/sbin:/sbin:' + os.environ['PATH']))
    return [line for line in r.stdout.splitlines() if '=>' in line]


def triples(text):
    lines = text.decode().splitlines()
    return sorted(tuple(lines[i:i + 3]) for i in range(0, len(lines), 3))


def really_differs(path, ours, theirs, roots):
    """What a rule promises of a file that differs is checked here."""
    if path == 'etc/ld.so.cache':
        return libraries(roots[0]) != libraries(roots[1])
    if path == 'var/lib/dpkg/diversions':
        return triples(ours['bytes']) != triples(theirs['bytes'])
    if path in COMPARED_AS_SET:
        return sorted(ours['bytes'].splitlines()) != sorted(theirs['bytes'].splitlines())
    if path in ('etc/shadow', 'etc/gshadow'):
        strip = lambda t: re.sub(rb'^([^:]*:[^:]*):\d+:', rb'\1::', t, flags=re.M)
        return strip(ours['bytes']) != strip(theirs['bytes'])
    return False


def differences(ours, theirs):
    for path in sorted(set(ours) | set(theirs)):
        a, b = ours.get(path), theirs.get(path)
        if a is None or b is None:
            yield path, '<' if a is None else '>', []
            continue
        what = [k for k in a if k in b and a[k] != b[k] and not (k == 'time' and None in (a[k], b[k]))]
        if what:
            yield path, '!', what


def rule_of(path, side):
    for pattern, sides, reason in RULES:
        if side in sides and re.fullmatch(pattern, path):
            return reason
    return None


def compare(ours_root, theirs_root):
    ours, theirs = tree(ours_root), tree(theirs_root)
    unexplained, used = 0, {}
    for path, side, what in differences(ours, theirs):
        reason = rule_of(path, side)
        if reason and side == '!' and 'bytes' in what and really_differs(path, ours[path], theirs[path], (ours_root, theirs_root)):
            reason = None
        if reason:
            used[reason] = used.get(reason, 0) + 1
            continue
        unexplained += 1
        detail = ''
        if side == '!':
            detail = ' '.join(f'{k}: {ours[path][k]!r:.300} / {theirs[path][k]!r:.300}' for k in what)
        print(side, path, ' '.join(what), detail)
    for reason, n in sorted(used.items(), key=lambda x: -x[1]):
        print(f'{n:6} explained: {reason}')
    print(f'{len(ours)} paths of ours, {len(theirs)} of theirs: {unexplained} differences without a reason')
    return unexplained


def make(suite, folder, tool):
    recipe = {'bookworm': 'debian-12-python', 'trixie': 'debian-13-python'}[suite]
    ours, theirs, store = (os.path.join(folder, x) for x in ('ours', 'theirs', 'store'))
    os.makedirs(ours)
    out = subprocess.run([tool, '-o', ours, recipe, 'amd64', store], check=True, capture_output=True, text=True).stdout
    names = [line.split()[0] for line in out.splitlines()]
    keys = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../recipes/keys/debian-archive-keyring.gpg')
    sources = ''.join(f'deb [signed-by={os.path.abspath(keys)}] http://deb.debian.org/{m} {s} main\n' for m, s in
                      (('debian', suite), ('debian', suite + '-updates'), ('debian-security', suite + '-security')))
    subprocess.run(['mmdebstrap', '--variant=essential', '--architectures=amd64', '--include=' + ','.join(names), suite, theirs, '-'],
                   input=sources, text=True, check=True)
    return ours, theirs


def main():
    if sys.argv[1:] == ['--table']:
        print('| path | where | reason |\n|---|---|---|')
        where = {'<': "only in dpkg's", '>': 'only in ours', '!': 'differs'}
        for pattern, sides, reason in RULES:
            print(f'| `{pattern.replace(chr(92), "").replace("|", chr(92) + "|")}` | {", ".join(where[s] for s in sides)} | {reason} |')
        return 0
    if len(sys.argv) == 5 and sys.argv[1] == '--make':
        pair = make(*sys.argv[2:])
    elif len(sys.argv) == 3:
        pair = sys.argv[1:]
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return compare(*pair) > 0


if __name__ == '__main__':
    sys.exit(main())
