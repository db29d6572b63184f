#!/usr/bin/env python3
"""Judges what the layer writer wrote with programs that are not ours: Python's zlib, gzip and tarfile, and the encoder once more in Python.

Usage: judge.py FIXED-TEST GOLDEN-TEST"""
import gzip
import hashlib
import io
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import zlib

sys.dont_write_bytecode = True
import fixed_ref  # noqa: E402


def steps_of(raw):
    while raw:
        line, raw = raw.split(b"\n", 1)
        payload, header, n = (int(x) for x in line.split())
        yield payload == 1, raw[:n], None if header == -1 else header
        raw = raw[n:]


def judge_encoder(exe, folder):
    """The C encoder and the Python one give the same bytes."""
    subprocess.run([exe, folder], check=True)
    cases = sorted(folder.glob("*.steps"))
    for case in cases:
        got, want = case.with_suffix(".deflate").read_bytes(), fixed_ref.encode(list(steps_of(case.read_bytes())))
        assert got == want, f"{case.name}: {len(got)} bytes, the reference gives {len(want)}"
    return len(cases)


def one_member(blob):
    """The tar of a blob that is exactly one gzip member with our header."""
    assert blob[:10] == bytes.fromhex("1f8b08000000000000ff"), "gzip header"
    z = zlib.decompressobj(31)
    tar = z.decompress(blob)
    assert z.eof and not z.unused_data, "one member, nothing after it"
    assert gzip.decompress(blob) == tar
    return tar


def judge_tar(tar, listing):
    """tarfile reads the members that the path list names, with those attributes; directories come first, links after their targets."""
    assert len(tar) % 512 == 0 and tar[-1024:] == bytes(1024)
    seen, files_began, want = {}, False, {}
    for line in listing.splitlines():
        fields = dict(f.split("=", 1) for f in line.split("\t"))
        want[fields["path"]] = fields
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:") as t:
        for m in t:
            assert m.name not in seen, f"{m.name} twice"
            seen[m.name] = m
            if m.isdir():
                assert not files_began, "directories come first"
                continue
            files_began = True
            w = want.pop(m.name)
            assert (m.mode, m.uid, m.gid, m.mtime) == tuple(int(w[k]) for k in ("mode", "uid", "gid", "mtime")), m.name
            assert m.uname == m.gname == "", m.name
            if w["type"] == "f":
                data = t.extractfile(m).read()
                assert m.isreg() and hashlib.sha256(data).hexdigest() == w["sha256"], m.name
            elif w["type"] == "l":
                assert m.issym() and m.linkname == w["target"], m.name
            else:
                assert m.islnk() and m.linkname == w["target"] and m.linkname in seen, m.name
    assert all(w["type"] == "d" for w in want.values()), f"missing: {sorted(want)}"
    dirs = [n for n in seen if seen[n].isdir()]
    assert dirs == sorted(dirs, key=lambda s: s.encode())


def judge_layers(exe, folder):
    subprocess.run([exe, folder], check=True)
    layers = sorted(folder.glob("*.tar.gz"))
    for path in layers:
        tar = one_member(path.read_bytes())
        judge_tar(tar, path.with_suffix("").with_suffix(".list").read_text())
        want = path.with_suffix("").with_suffix(".diff_id").read_text()
        assert hashlib.sha256(tar).hexdigest() == want, path.name
    return len(layers)


def main():
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        n, m = judge_encoder(sys.argv[1], pathlib.Path(a)), judge_layers(sys.argv[2], pathlib.Path(b))
    assert n and m
    print(f"{n} runs of the encoder, {m} layers")


main()
