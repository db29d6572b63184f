"""What an image holds: as its layers say (stacked here, by tarfile alone), and as a judge laid it out on the disk."""
import hashlib
import json
import os
import stat
import subprocess
import tarfile


def blob(layout, digest):
    return layout / "blobs/sha256" / digest.removeprefix("sha256:")


def manifest(layout):
    """Of a layout with one image: the digest and the document."""
    entry, = json.loads((layout / "index.json").read_text())["manifests"]
    return entry["digest"], json.loads(blob(layout, entry["digest"]).read_bytes())


def config(layout):
    return json.loads(blob(layout, manifest(layout)[1]["config"]["digest"]).read_bytes())


def plain(name):
    return name.removeprefix("./").rstrip("/") or "."


def parents(path):
    parts = path.split("/")
    return ["/".join(parts[:i]) for i in range(1, len(parts))]


class Stack:
    """files: path → what a listing has of it; loose: folders which the topmost layer that passes through them does not list. Their times
    are the unpacker's, so nobody compares these; that their modes are the same everywhere is what the judges show."""

    def __init__(self, layout):
        self.files, self.loose = {}, set()
        doc, ids = manifest(layout)[1], config(layout)["rootfs"]["diff_ids"]
        assert len(ids) == len(doc["layers"])
        for desc, diff_id in zip(doc["layers"], ids):
            self.add_layer(blob(layout, desc["digest"]), desc, diff_id)

    def add_layer(self, path, desc, diff_id):
        packed = path.read_bytes()
        assert (len(packed), "sha256:" + hashlib.sha256(packed).hexdigest()) == (desc["size"], desc["digest"])
        raw = subprocess.run(["gzip", "-dc"], input=packed, capture_output=True, check=True).stdout
        assert "sha256:" + hashlib.sha256(raw).hexdigest() == diff_id
        seen = {}
        with tarfile.open(path, "r:gz") as tar:
            for n, member in enumerate(tar):
                name = plain(member.name)
                assert name not in seen, f"{name} twice in one layer"
                assert name != "." or n == 0
                seen[name] = self.entry(tar, member, seen)
        self.stack(seen)

    def entry(self, tar, m, seen):
        fact = {"mode": m.mode, "owner": (m.uid, m.gid), "time": int(m.mtime), "link": None, "bytes": None, "group": None}
        if m.isdir():
            fact["kind"] = "d"
        elif m.issym():
            fact.update(kind="l", link=m.linkname, mode=0o777)
        elif m.islnk():
            first = plain(m.linkname)
            assert first in seen, f"{m.name} is a link to what its layer does not hold before it"
            lead = seen[first]["group"] or first
            seen[lead]["group"] = lead
            return dict(seen[lead])
        else:
            assert m.isfile(), f"{m.name} is neither a file nor a folder nor a link"
            fact.update(kind="f", bytes=hashlib.sha256(tar.extractfile(m).read()).hexdigest())
        return fact

    def stack(self, seen):
        passed = set()
        for path, fact in seen.items():
            folder, _, base = path.rpartition("/")
            for up in parents(path):
                below = seen.get(up) or self.files.get(up)
                assert below is None or below["kind"] == "d", f"{path} lies below {up}, which is no folder"
                passed.add(up)
            if base.startswith(".wh."):
                self.drop(folder if base == ".wh..wh..opq" else f"{folder}/{base[4:]}".lstrip("/"), keep=base == ".wh..wh..opq")
        for up in passed:
            if up in seen:
                self.loose.discard(up)
            else:
                self.loose.add(up)
                self.files.setdefault(up, {"kind": "d", "mode": 0o755, "owner": (0, 0), "time": 0, "link": None, "bytes": None, "group": None})
        for path, fact in seen.items():
            if not path.rpartition("/")[2].startswith(".wh."):
                if fact["kind"] != "d" and path in self.files:
                    self.drop(path, keep=True)
                self.files[path] = fact
                self.loose.discard(path)

    def drop(self, path, keep):
        if self.files.get(path, {"kind": "d"})["kind"] != "d":
            if not keep:
                del self.files[path]
            return
        self.files = {p: f for p, f in self.files.items() if not (p.startswith(path + "/") or (p == path and not keep))}

    def listing(self):
        return settle(self.files, self.loose)


def settle(files, loose):
    """A listing that can be compared: groups of hard links by their first path, no time of a loose folder, nor the root's."""
    first, out = {}, {}
    for path in sorted(files):
        fact = dict(files[path])
        if fact["group"] is not None:
            fact["group"] = first.setdefault(fact["group"], path)
        if path == "." or path in loose:
            fact["time"] = None
        out[path] = fact
    return out


def read(full):
    with open(full, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else hashlib.sha256(f.read()).hexdigest()


def on_disk(root, loose, skip=()):
    files = {}
    for folder, dirs, names in os.walk(root):
        for name in [*dirs, *names, *(["."] if folder == str(root) else [])]:
            full = os.path.join(folder, name)
            path = os.path.relpath(full, root)
            if path in skip:
                continue
            st = os.lstat(full)
            kind = {stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFREG: "f"}.get(stat.S_IFMT(st.st_mode), "?")
            files[path] = {
                "kind": kind, "mode": stat.S_IMODE(st.st_mode), "owner": (st.st_uid, st.st_gid), "time": int(st.st_mtime),
                "link": os.readlink(full) if kind == "l" else None, "bytes": read(full) if kind == "f" else None,
                "group": (st.st_dev, st.st_ino) if kind == "f" and st.st_nlink > 1 else None}
    return settle(files, loose)


def differences(told, seen, ignore=()):
    out = []
    for path in sorted(set(told) | set(seen)):
        a, b = told.get(path), seen.get(path)
        if a is None or b is None:
            out.append(f"{path}: only {'on the disk' if a is None else 'in the layers'}")
            continue
        out += [f"{path}: {k} {a[k]!r} in the layers, {b[k]!r} on the disk" for k in a if k not in ignore and a[k] != b[k]]
    return out
