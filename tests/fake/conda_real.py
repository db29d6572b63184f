#!/usr/bin/env python3
"""A small real conda channel, made of Debian's and PyPI's packages: a python that starts anywhere with glibc alone beside it, numpy and pandas with
their byte code, noarch packages with entry points, variants of a BLAS. What is downloaded and made is kept in a folder.

    conda_real.py FOLDER [REQUIREMENTS]    makes FOLDER/chan

The python is Debian's library behind a small program that finds it through a placeholder in its RPATH, as conda's own finds its libraries: where
the prefix is not replaced, nothing starts. How it is put together: docs/internals/conda.md.
"""
import contextlib
import fcntl
import hashlib
import os
import pathlib
import platform
import re
import shutil
import stat
import subprocess
import sys
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from conda_channel import PREFIX, TIME, Channel, make_package, zstd_program  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "tests/requirements-conda.txt"
MACHINE = platform.machine()
SUBDIR = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}.get(MACHINE, "linux-64")
# conda's name -> Debian's, the libraries that are taken of it, and what these need
LIBRARIES = {
    "libzlib": ("zlib1g", r"libz\.so", ()), "libexpat": ("libexpat1", r"libexpat\.so", ()), "libffi": ("libffi8", r"libffi\.so", ()),
    "bzip2": ("libbz2-1.0", r"libbz2\.so", ()), "liblzma": ("liblzma5", r"liblzma\.so", ()), "libuuid": ("libuuid1", r"libuuid\.so", ()),
    "openssl": ("libssl3", r"lib(ssl|crypto)\.so", ("zstd",)), "zstd": ("libzstd1", r"libzstd\.so", ()),
    "libsqlite": ("libsqlite3-0", r"libsqlite3\.so", ("libzlib",)),
    "libtinfo": ("libtinfo6", r"libtinfo\.so", ()), "ncurses": ("libncursesw6", r"lib(ncurses|panel)w\.so", ("libtinfo",)),
    "readline": ("libreadline8", r"lib(readline|history)\.so", ("libtinfo",)), "libgcc": ("libgcc-s1", r"libgcc_s\.so", ()),
    "libstdcxx": ("libstdc++6", r"libstdc\+\+\.so", ("libgcc",)),
}
LAUNCHER = """\
int Py_BytesMain(int argc, char **argv);
/* What a configure script would have left: a path in the data, in the middle of a longer one. */
const char *const built_for = "%(prefix)s/lib:%(prefix)s/lib64 end";
int main(int argc, char **argv)
{
        return Py_BytesMain(argc, argv);
}
"""
SITE = """\
import os
import site
import sys

site.addsitedir(os.path.join(sys.prefix, "lib", "python%d.%d" % sys.version_info[:2], "site-packages"))
"""
OPENSSL_SCRIPT = "# Where certificates are, for those that do not know.\nexport SSL_CERT_DIR=/etc/ssl/certs\n"


def run(*args, **kw):
    p = subprocess.run([str(a) for a in args], capture_output=True, text=True, check=False, **kw)
    if p.returncode:
        sys.exit(f"{' '.join(map(str, args))}: exit {p.returncode}\n{p.stdout}{p.stderr}")
    return p.stdout


class Debs:
    """Debian's packages of the release that runs, unpacked each into a folder."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def name(self, name):
        """Debian 13 calls some libraries NAMEt64."""
        known = lambda n: re.search(r"Candidate: (?!\(none\))", run("apt-cache", "policy", n))
        return next((n for n in (name, name + "t64") if known(n)), None) or sys.exit(f"Debian's {name} is not to be had: apt-get update")

    def get(self, name):
        """(folder it is unpacked in, upstream version)"""
        name = self.name(name)
        out = self.folder / name
        if not out.is_dir():
            for old in self.folder.glob(f"{name}_*.deb"):
                old.unlink()
            run("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", name, cwd=self.folder)
            deb, = self.folder.glob(f"{name}_*.deb")
            shutil.rmtree(f"{out}.new", ignore_errors=True)
            run("dpkg-deb", "-x", deb, f"{out}.new")
            (pathlib.Path(f"{out}.new") / "version").write_text(run("dpkg-deb", "-f", deb, "Version").strip())
            os.rename(f"{out}.new", out)
        version = re.sub(r"^\d+:", "", (out / "version").read_text())
        return out, re.match(r"[0-9]+(\.[0-9a-z]+)*", version).group(0)

    def python(self):
        return re.search(r"libpython(3\.\d+)-stdlib", run("apt-cache", "show", "libpython3-stdlib")).group(1)


def tree(folder, skip=lambda path: False):
    """files and modes of make_package, sorted."""
    files, modes = {}, {}
    for at, dirs, names in os.walk(folder):
        for n in [*names, *(d for d in dirs if os.path.islink(os.path.join(at, d)))]:
            full = os.path.join(at, n)
            path = os.path.relpath(full, folder)
            if skip(path):
                continue
            if os.path.islink(full):
                files[path] = ("->", os.readlink(full))
            else:
                files[path] = pathlib.Path(full).read_bytes()
                modes[path] = 0o755 if os.stat(full).st_mode & stat.S_IXUSR else 0o644
    return dict(sorted(files.items())), modes


class Maker:
    def __init__(self, folder):
        self.folder, self.debs = folder, Debs(folder / "debs")
        self.short = self.debs.python()
        self.tag = self.short.replace(".", "")
        self.stage = folder / "stage"
        self.made = []

    def package(self, *args, **kw):
        noarch = {} if kw.get("noarch") else {"subdir": SUBDIR}
        self.made.append(make_package(*args, zstd=zstd_program, **noarch, **kw))

    # ---- libraries

    def libraries(self):
        lib = self.stage / "lib"
        lib.mkdir(parents=True)
        for name, (deb, pattern, needs) in LIBRARIES.items():
            folder, version = self.debs.get(deb)
            files = {}
            for path in sorted(folder.glob(f"**/{MACHINE}-linux-gnu/*.so*")):
                if re.match(pattern, path.name):
                    files[f"lib/{path.name}"] = ("->", os.readlink(path)) if path.is_symlink() else path.read_bytes()
                    shutil.copy(path, lib / path.name, follow_symlinks=False)
            assert files, f"{deb} has no {pattern}"
            if name == "openssl":
                files["etc/conda/activate.d/openssl.sh"] = OPENSSL_SCRIPT
                files["lib/pkgconfig/openssl.pc"] = f"prefix={PREFIX}\nlibdir=${{prefix}}/lib\nName: OpenSSL\n"
            self.package(name, version, "h0000001_1", files, depends=[*needs, "__glibc >=2.17,<3.0.a0"])

    # ---- python

    def python(self):
        """Debian's library and modules in a prefix of their own; a program of ours before them."""
        folder = self.folder / "python"
        shutil.rmtree(folder, ignore_errors=True)
        lib = folder / f"lib/python{self.short}"
        for part in ("minimal", "stdlib"):
            deb, version = self.debs.get(f"libpython{self.short}-{part}")
            shutil.copytree(deb / f"usr/lib/python{self.short}", lib, symlinks=True, dirs_exist_ok=True)
        self.patch(lib)
        deb, _ = self.debs.get(f"libpython{self.short}")
        shared = f"libpython{self.short}.so.1.0"
        shutil.copy(next(deb.glob(f"**/{shared}")), folder / "lib" / shared)
        (folder / "lib" / f"libpython{self.short}.so").symlink_to(shared)
        bins = folder / "bin"
        bins.mkdir()
        source = folder / "launcher.c"
        source.write_text(LAUNCHER % {"prefix": PREFIX})
        # DT_RPATH of the program serves all that it loads, so no library has to be changed
        run("gcc", "-O1", source, "-o", bins / f"python{self.short}", folder / "lib" / shared,
            f"-Wl,--disable-new-dtags,-rpath,{PREFIX}/lib,--allow-shlib-undefined,--build-id=none")
        source.unlink()
        for alias in ("python", "python3"):
            (bins / alias).symlink_to(f"python{self.short}")
        (bins / f"pydoc{self.short}").write_text(f"#!{PREFIX}/bin/python{self.short}\nimport pydoc\nif __name__ == '__main__':\n    pydoc.cli()\n")
        (bins / f"pydoc{self.short}").chmod(0o755)
        shutil.copytree(folder, self.stage, symlinks=True, dirs_exist_ok=True)
        self.compile(folder, lib, re.compile(r"_sysconfigdata"))
        files, modes = tree(folder)
        needs = [n for n in LIBRARIES if n not in ("libgcc", "libstdcxx", "libtinfo", "zstd")]
        self.package("python", version, f"h0000001_0_cp{self.tag}", files, modes=modes, licence="PSF-2.0",
                     depends=[*needs, "__glibc >=2.17,<3.0.a0"], constrains=[f"python_abi {self.short}.* *_cp{self.tag}"])
        self.package("python_abi", self.short, f"8_cp{self.tag}", {}, noarch="generic", constrains=[f"python {self.short}.*"])

    def patch(self, lib):
        """site-packages, not dist-packages; the paths it was configured with become the prefix; nothing that leads out of it."""
        for path in lib.rglob("*"):
            if path.is_symlink() and os.readlink(path).startswith("/") or path.name in ("EXTERNALLY-MANAGED", "__pycache__") \
               or re.match(r"_(test|xxtest|ctypes_test)\w*\.cpython.*\.so$|_xxsub|xxlimited|nis\.|_crypt\.|_dbm\.|ossaudiodev", path.name):
                path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
        (lib / "sitecustomize.py").write_text(SITE)  # site itself is frozen into Debian's library
        for path in (lib / "sysconfig.py", lib / "sysconfig/__init__.py"):
            if path.exists():
                path.write_text(path.read_text().replace("prefix_scheme = 'posix_local'", "prefix_scheme = 'posix_prefix'"))
        for path in lib.glob("_sysconfigdata*.py"):
            if not path.is_symlink():
                path.write_text(re.sub(r"(?<![\w/])/usr(?=[/'\" ])", PREFIX, path.read_text()))
        (lib / "site-packages").mkdir()
        (lib / "site-packages/README.txt").write_text("Packages are below.\n")

    def compile(self, folder, code, skip=None):
        """Byte code that names each source's time and its path within the prefix, by the staged python itself."""
        for path in folder.rglob("*"):
            os.utime(path, (TIME, TIME), follow_symlinks=False)
        more = ["-x", skip.pattern] if skip else []
        run(self.stage / f"bin/python{self.short}", "-m", "compileall", "-q", "-j", os.cpu_count() or 1, "-s", folder, *more, code,
            env={"LD_LIBRARY_PATH": str(self.stage / "lib"), "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"})

    # ---- wheels

    def wheel(self, path):
        name, version, *_, kind = path.stem.split("-")
        noarch = "python" if kind == "any" else None
        sp = "site-packages" if noarch else f"lib/python{self.short}/site-packages"
        folder = self.folder / "wheel"
        shutil.rmtree(folder, ignore_errors=True)
        scripts = "python-scripts" if noarch else "bin"
        with zipfile.ZipFile(path) as z:
            for member in z.infolist():
                if not member.is_dir() and not re.search(r"/tests?/|\.pyc$", member.filename):
                    unpack(z, member, folder, sp, scripts)
        info = next((folder / sp).glob("*.dist-info"))
        (info / "INSTALLER").write_text("conda\n")
        keep_existing(info / "RECORD", folder / sp)
        entries = entry_points(info)
        metadata = (info / "METADATA").read_text()
        depends = [d for r in re.findall(r"(?m)^Requires-Dist: *(.*)$", metadata) if (d := depend(r, self.short))]
        name = re.sub(r"[-_.]+", "-", name).lower()
        if noarch:
            files, modes = tree(folder)
            self.package(name, version, "pyhd8ed1ab_0", files, modes=modes, noarch="python", entry_points=entries,
                         depends=["python >=3.9", *depends])
            return
        for entry in entries:
            command, module, function = re.match(r"(\S+) = ([\w.]+):([\w.]+)", entry).groups()
            write_script(folder / "bin" / command, f"#!{PREFIX}/bin/python{self.short}\nimport sys\nfrom {module} import "
                                                   f"{function.split('.')[0]}\nsys.exit({function}())\n")
        self.compile(folder, folder / sp)
        files, modes = tree(folder)
        binary = any(p.endswith(".so") for p in files)
        later = f"{self.short.split('.')[0]}.{int(self.short.split('.')[1]) + 1}.0a0"
        self.package(name, version, f"py{self.tag}h0000001_0", files, modes=modes,
                     depends=[f"python >={self.short},<{later}", f"python_abi {self.short}.* *_cp{self.tag}", *depends,
                              *(["libgcc >=12", "libstdcxx >=12", "libzlib >=1.2"] if binary else []),
                              *(["libblas >=3.9.0,<4.0a0"] if name == "numpy" else [])])

    # ---- what has no upstream: variants, links, scripts

    def small(self):
        for kind in ("openblas", "mkl"):
            self.package(kind if kind == "mkl" else "libopenblas", "1.0", "0", {f"lib/{kind}.txt": kind})
            self.package("blas", "2.125", kind, {}, noarch="generic", record={"build_number": 125},
                         **({"track_features": "blas_mkl"} if kind == "mkl" else {}))
            self.package("libblas", "3.9.0", f"1_{kind}", {"lib/libblas.txt": f"by {kind}\n"}, constrains=[f"blas 2.125 {kind}"],
                         depends=["mkl" if kind == "mkl" else "libopenblas"], **({"track_features": "blas_mkl"} if kind == "mkl" else {}))
        self.package("cuda-thing", "12.4", "0", {"lib/cuda-thing.txt": "fast\n"}, depends=["__cuda >=12.4"])
        self.package("links", "1.0", "0", {"share/links/a": "one file\n", "share/links/b": ("=", "share/links/a"), "share/links/c": ("->", "a"),
                                           "share/links/dir": ("->", "../links"), "share/links/gone": ("->", "/nonexistent/x")})
        self.package("post-linked", "1.0", "0", {"bin/.post-linked-post-link.sh": "#!/bin/sh\necho ran > $PREFIX/post-linked\n",
                                                 "share/post-linked.txt": "text\n"})
        self.package("clobber", "1.0", "0", {"lib/libblas.txt": "by clobber\n"}, depends=["libblas"])


def unpack(z, member, folder, sp, scripts):
    parts = member.filename.split("/")
    to, data = folder / sp / member.filename, z.read(member)
    mode = 0o755 if member.external_attr >> 16 & 0o100 else 0o644
    if parts[0].endswith(".data"):
        to = {"scripts": folder / scripts, "data": folder, "headers": folder / "include"}.get(parts[1], folder / sp).joinpath(*parts[2:])
        if parts[1] == "scripts":
            data, mode = re.sub(rb"^#!pythonw?", f"#!{PREFIX}/bin/python".encode(), data), 0o755
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(data)
    to.chmod(mode)


def write_script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def keep_existing(record, sp):
    lines = [line for line in record.read_text().splitlines() if (sp / re.split(r",(?=[^,]*,[^,]*$)", line)[0].strip('"')).exists()]
    record.write_text("\n".join(lines) + "\n")


def entry_points(info):
    path, section, out = info / "entry_points.txt", "", []
    for line in path.read_text().splitlines() if path.exists() else ():
        section = line.strip() if line.startswith("[") else section
        found = re.match(r"([^\s=]+)\s*=\s*([\w.]+:[\w.]+)", line.strip())
        if found and section == "[console_scripts]":
            out.append(f"{found.group(1)} = {found.group(2)}")
    return out


def depend(requirement, short):
    """A requirement as a MatchSpec; None when its condition does not hold here, or is about more than the python."""
    name, _, spec, _, marker = re.fullmatch(r"([\w.-]+)(\[[^]]*\])? *\(?([^;)]*)\)? *(; *(.*))?", requirement).groups()
    if marker is not None:
        found = re.fullmatch(r"""python_version *(==|>=|<=|<|>|!=) *["'](\d+)\.(\d+)["']""", marker)
        if not found:
            return None
        ours, theirs = tuple(map(int, short.split("."))), (int(found.group(2)), int(found.group(3)))
        if not {"==": ours == theirs, "!=": ours != theirs, ">=": ours >= theirs, "<=": ours <= theirs, "<": ours < theirs,
                ">": ours > theirs}[found.group(1)]:
            return None
    return f"{re.sub(r'[-_.]+', '-', name).lower()} {spec.replace(' ', '')}".strip()


def download(folder, requirements, short):
    """The wheels that a python of that version takes; pip says which."""
    folder.mkdir(parents=True, exist_ok=True)
    tags = [x for p in (f"manylinux2014_{MACHINE}", f"manylinux_2_28_{MACHINE}", "any") for x in ("--platform", p)]
    run(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", *tags, "--python-version",
        short, "-d", folder, "-r", requirements)
    return sorted(folder.glob("*.whl"))


def make(folder, requirements=REQUIREMENTS):
    """The channel in folder/chan, made when it is not there or was made by another text than this one. Safe to call from several processes."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    text = b"".join(p.read_bytes() for p in (pathlib.Path(__file__), pathlib.Path(__file__).with_name("conda_channel.py"), pathlib.Path(requirements)))
    want = hashlib.sha256(text).hexdigest()
    done = folder / "done"
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.read_text() != want:
            for old in ("chan", "stage", "wheels"):
                shutil.rmtree(folder / old, ignore_errors=True)
            build(folder, requirements)
            for rest in ("stage", "python", "wheel"):
                shutil.rmtree(folder / rest, ignore_errors=True)
            done.write_text(want)
    return folder / "chan"


def build(folder, requirements):
    maker = Maker(folder)
    maker.libraries()
    maker.python()
    for path in download(folder / "wheels", requirements, maker.short):
        maker.wheel(path)
    maker.small()
    Channel(folder / "chan").add(*maker.made).publish(subdirs=(SUBDIR, "noarch"))


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        print(make(sys.argv[1], *sys.argv[2:3]))
