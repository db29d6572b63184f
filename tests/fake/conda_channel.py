"""Conda packages and channels for tests: real archives with all of conda-build's metadata, the same bytes every time. Standard library only.

    p = make_package("foo", "1.0", files={"bin/foo": f"#!{PREFIX}/bin/python\\n"}, depends=["python >=3.11"])
    channel = Channel(folder / "chan")
    channel.add(p)
    channel.publish()

files: path -> text or bytes | ("->", target) a symlink | ("=", path) a hard link to an earlier file | None a folder. What holds PREFIX is
listed as having a prefix, binary when it has a NUL. What begins with "#!" or lies in bin/ or is ELF is executable.
noarch="python": files below site-packages/ and python-scripts/, entry_points=["cmd = module:func"].

conda_real.py makes packages that start; conda_server.py serves.
"""
import bz2
import dataclasses
import hashlib
import io
import json
import pathlib
import posixpath
import shutil
import struct
import subprocess
import tarfile
import zipfile

PREFIX = ("/opt/placeholder" + "_hold" * 51)[:255]  # as long as prefixes are when conda-build packs
TIME = 1_700_000_000  # of every member: a shipped .pyc names the time of its source


def zstd_plain(data):
    """A zstd frame of uncompressed blocks: what any reader takes, without a compressor."""
    out, step = [b"\x28\xb5\x2f\xfd\xe0", struct.pack("<Q", len(data))], 128 << 10
    for at in range(0, len(data) or 1, step):
        part = data[at:at + step]
        out += [struct.pack("<I", len(part) << 3 | (at + step >= len(data)))[:3], part]
    return b"".join(out)


def zstd_program(data, level=3):
    return subprocess.run([shutil.which("zstd") or "zstd", f"-{level}", "-q", "-c"], input=data, capture_output=True, check=True).stdout


def msgpack(v):
    """What shards need of it: maps, lists, text, bytes, integers, booleans, nil."""
    if v is None:
        return b"\xc0"
    if isinstance(v, bool):
        return b"\xc3" if v else b"\xc2"
    if isinstance(v, int):
        if 0 <= v < 128:
            return bytes([v])
        return b"\xcf" + struct.pack(">Q", v) if v >= 0 else b"\xd3" + struct.pack(">q", v)
    if isinstance(v, str):
        b = v.encode()
        return msgpack_head(len(b), 0xa0, 32, (0xd9, 0xda, 0xdb)) + b
    if isinstance(v, bytes):
        return msgpack_head(len(v), 0, 0, (0xc4, 0xc5, 0xc6)) + v
    if isinstance(v, (list, tuple)):
        return msgpack_head(len(v), 0x90, 16, (None, 0xdc, 0xdd)) + b"".join(map(msgpack, v))
    return msgpack_head(len(v), 0x80, 16, (None, 0xde, 0xdf)) + b"".join(msgpack(k) + msgpack(x) for k, x in v.items())


def msgpack_head(n, fix, most, codes):
    if n < most:
        return bytes([fix | n])
    for code, limit, form in zip(codes, (1 << 8, 1 << 16, 1 << 32), (">B", ">H", ">I")):
        if code is not None and n < limit:
            return bytes([code]) + struct.pack(form, n)
    raise ValueError(n)


def digest(kind, data):
    return hashlib.new(kind, data, usedforsecurity=False).hexdigest()


@dataclasses.dataclass
class Package:
    fn: str
    subdir: str
    data: bytes
    record: dict  # as repodata has it

    @property
    def name(self):
        return self.record["name"]


class Tar:
    """One tar of members with fixed times and owners."""

    def __init__(self):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, path, what, mode=None):
        info, data = tarfile.TarInfo(path), None
        info.mtime, info.uname, info.gname = TIME, "root", "root"
        if what is None:
            info.type, info.mode = tarfile.DIRTYPE, 0o755
        elif isinstance(what, tuple):
            info.type, info.linkname = {"->": tarfile.SYMTYPE, "=": tarfile.LNKTYPE}[what[0]], what[1]
            info.mode = 0o777
        else:
            data, info.size, info.mode = io.BytesIO(what), len(what), mode or 0o644
        self.tar.addfile(info, data)

    def add_raw(self, info, data=b""):
        info.size = len(data)
        self.tar.addfile(info, io.BytesIO(data))

    def bytes(self):
        self.tar.close()
        return self.out.getvalue()


def is_program(path, data):
    return data[:2] == b"#!" or data[:4] == b"\x7fELF" and path.startswith("bin/") or posixpath.dirname(path) in ("bin", "python-scripts")


def target_of(files, path):
    """The file a symlink leads to inside its package, or None."""
    for _ in range(8):
        what = files.get(path)
        if isinstance(what, (bytes, type(None))) or what[0] == "=":
            return path if path in files else None
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), what[1]))
    return None


def content_of(files, path):
    what = files.get(path)
    while isinstance(what, tuple) and what[0] == "=":
        what = files[what[1]]
    return what if isinstance(what, bytes) else b""


def path_entry(files, path, no_link):
    what = files[path]
    if what is None:
        return {"_path": path, "path_type": "directory"}
    soft = isinstance(what, tuple) and what[0] == "->"
    data = content_of(files, (target_of(files, path) or "") if soft else path)
    entry = {"_path": path, "path_type": "softlink" if soft else "hardlink", "sha256": digest("sha256", data), "size_in_bytes": len(data)}
    if not soft and PREFIX.encode() in data:
        entry.update(file_mode="binary" if b"\0" in data else "text", prefix_placeholder=PREFIX)
    if path in no_link:
        entry["no_link"] = True
    return entry


def info_files(index, paths, noarch, entry_points, extra):
    """info/ as conda-build writes it."""
    text = lambda doc: (json.dumps(doc, indent=2, sort_keys=True) + "\n").encode()
    out = {"about.json": text({"channels": [], "home": "https://example.invalid", "license": index["license"], "summary": index["name"]}),
           "files": "".join(p.get("_path", "") + "\n" for p in paths).encode(), "hash_input.json": b"{}\n", "index.json": text(index),
           "paths.json": text({"paths": paths, "paths_version": 1})}
    prefixes = [p for p in paths if "prefix_placeholder" in p]
    if prefixes:
        out["has_prefix"] = "".join(f"{p['prefix_placeholder']} {p['file_mode']} {p['_path']}\n" for p in prefixes).encode()
    if noarch == "python":
        out["link.json"] = text({"noarch": {"type": "python", **({"entry_points": list(entry_points)} if entry_points else {})},
                                 "package_metadata_version": 1})
    elif noarch:
        out["link.json"] = text({"noarch": {"type": noarch}, "package_metadata_version": 1})
    out.update(extra or {})
    return {k: v.encode() if isinstance(v, str) else v for k, v in sorted(out.items()) if v is not None}


def pack_conda(stem, pkg, info, zstd):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as z:
        for name, data in (("metadata.json", b'{"conda_pkg_format_version": 2}'), (f"pkg-{stem}.tar.zst", zstd(pkg)),
                           (f"info-{stem}.tar.zst", zstd(info))):
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)
    return out.getvalue()


def make_package(name, version="1.0", build="0", files=None, *, depends=(), constrains=(), build_number=None, noarch=None, subdir=None,
                 ext="conda", entry_points=(), track_features=None, timestamp=TIME * 1000, licence="MIT", no_link=(), modes=None,
                 raw=(), info=None, index=None, record=None, paths=lambda p: p, zstd=zstd_plain):
    """
    raw     [(TarInfo, bytes)]: more members of the pkg part, listed nowhere
    info    more files of info/, or None for one that is to be missing
    index   more fields of info/index.json;  record: of the channel's record alone (None takes a field away)
    paths   changes the list of paths.json
    """
    subdir = subdir or ("noarch" if noarch else "linux-64")
    stem = f"{name}-{version}-{build}"
    files = {k: v.encode() if isinstance(v, str) else v for k, v in (files or {}).items()}
    if build_number is None:
        tail = build.rpartition("_")[2]
        build_number = int(tail) if tail.isdecimal() else 0
    fields = {"arch": None if noarch else "x86_64", "build": build, "build_number": build_number, "constrains": list(constrains),
              "depends": list(depends), "license": licence, "name": name, "noarch": noarch, "platform": None if noarch else "linux",
              "subdir": subdir, "timestamp": timestamp, "track_features": track_features, "version": version, **(index or {})}
    if subdir == "linux-aarch64":
        fields["arch"] = "aarch64"
    optional = ("noarch", "track_features", "constrains")
    fields = {k: v for k, v in sorted(fields.items()) if v or k not in optional}
    listed = [p for p in sorted(files) if files[p] is not None or not any(q.startswith(p + "/") for q in files)]
    metadata = info_files(fields, paths([path_entry(files, p, no_link) for p in listed]), noarch, entry_points, info)
    pkg, meta = Tar(), Tar()
    for path, what in files.items():
        pkg.add(path, what, (modes or {}).get(path) or (0o755 if isinstance(what, bytes) and is_program(path, what) else 0o644))
    for member, data in raw:
        pkg.add_raw(member, data)
    if ext == "conda":
        for path, what in metadata.items():
            meta.add(f"info/{path}", what)
        data = pack_conda(stem, pkg.bytes(), meta.bytes(), zstd)
    else:
        for path, what in metadata.items():
            pkg.add(f"info/{path}", what)
        data = bz2.compress(pkg.bytes())
    told = {**fields, "md5": digest("md5", data), "sha256": digest("sha256", data), "size": len(data), **(record or {})}
    return Package(f"{stem}.{ext}", subdir, data, {k: v for k, v in told.items() if v is not None})


class Channel:
    """A folder that any static server makes a channel of."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.packages = {}

    def add(self, *packages):
        for p in packages:
            self.packages[(p.subdir, p.fn)] = p
        return self

    def repodata(self, subdir, base_url=None, names=None):
        doc = {"info": {"subdir": subdir}, "packages": {}, "packages.conda": {}, "removed": [], "repodata_version": 1}
        if base_url:
            doc["info"]["base_url"], doc["repodata_version"] = base_url, 2
        for (where, fn), p in sorted(self.packages.items()):
            if where == subdir and (names is None or p.name in names):
                doc["packages.conda" if fn.endswith(".conda") else "packages"][fn] = p.record
        return doc

    def publish(self, subdirs=("linux-64", "noarch"), shards=True, base_url=None):
        """Writes everything; packages that were added since are added on disk."""
        for subdir in {*subdirs, *(s for s, _ in self.packages)}:
            folder = self.root / subdir
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self.repodata(subdir, base_url), indent=1).encode()
            (folder / "repodata.json").write_bytes(text)
            (folder / "repodata.json.zst").write_bytes(zstd_plain(text))
            (folder / "repodata.json.bz2").write_bytes(bz2.compress(text))
            (folder / "repodata_shards.msgpack.zst").unlink(missing_ok=True)
            if shards:
                self.write_shards(folder, subdir, base_url)
        for (subdir, fn), p in self.packages.items():
            path = self.root / subdir / fn
            if not path.exists() or path.stat().st_size != len(p.data) or path.read_bytes() != p.data:
                path.write_bytes(p.data)
        return self

    def write_shards(self, folder, subdir, base_url):
        (folder / "shards").mkdir(exist_ok=True)
        index = {"version": 1, "info": {"base_url": base_url or "", "shards_base_url": "./shards/", "subdir": subdir,
                                        "created_at": "2024-01-02T03:04:05Z"}, "shards": {}}
        for name in sorted({p.name for (s, _), p in self.packages.items() if s == subdir}):
            doc = self.repodata(subdir, names={name})
            shard = {k: {fn: binary_hashes(r) for fn, r in doc[k].items()} for k in ("packages", "packages.conda")}
            data = zstd_plain(msgpack({**shard, "removed": []}))
            sha = hashlib.sha256(data)
            (folder / "shards" / f"{sha.hexdigest()}.msgpack.zst").write_bytes(data)
            index["shards"][name] = sha.digest()
        (folder / "repodata_shards.msgpack.zst").write_bytes(zstd_plain(msgpack(index)))


def binary_hashes(record):
    return {k: bytes.fromhex(v) if k in ("md5", "sha256") else v for k, v in record.items()}
