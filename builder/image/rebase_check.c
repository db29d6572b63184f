/* What package layers depend on in their base: layers.md §1 and §3 say it, and so does every phrase here. */
#include "image/image_priv.h"
#include "image/rebase.h"

struct faults {
        struct arena *a;
        sv *v;
        size_t n;
};

static void add(struct faults *f, sv text)
{
        f->v[f->n++] = text;
}

static bool has_wheels(const struct lock_platform *p)
{
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].kind == ARTIFACT_WHEEL)
                        return true;
        return false;
}

static sv virtual_glibc(const struct lock_platform *p)
{
        for (size_t i = 0; i < p->n_virtual; i++)
                if (sv_is(p->virtual_[i].key, "__glibc"))
                        return p->virtual_[i].value;
        return (sv){ 0 };
}

/* conda's packages were chosen for __glibc, which may be declared lower than the base's; wheels for what the base has (pip.c). */
static sv assumed_libc(const struct lock_platform *p)
{
        sv declared = virtual_glibc(p);

        return image_is_conda(p) && !has_wheels(p) && declared.n ? declared : p->facts.libc_version;
}

static void check_libc(struct faults *f, const struct lock_platform *was, const struct lock_platform *now)
{
        const struct lock_facts *x = &was->facts, *y = &now->facts;
        sv assumed = assumed_libc(was);

        if (!x->libc_name.n) /* scratch: nothing of it needs one */
                return;
        if (!y->libc_name.n)
                add(f, arena_fmt(f->a, "it has no libc, and the packages were chosen for %.*s %.*s",
                                 SV_ARG(x->libc_name), SV_ARG(assumed)));
        else if (!sv_eq(x->libc_name, y->libc_name))
                add(f, arena_fmt(f->a, "its libc is %.*s, and the packages were chosen for %.*s", SV_ARG(y->libc_name),
                                 SV_ARG(x->libc_name)));
        else if (target_libc_cmp(y->libc_version, assumed) < 0)
                add(f, arena_fmt(f->a, "its %.*s %.*s is older than the %.*s %.*s that the packages were chosen for",
                                 SV_ARG(y->libc_name), SV_ARG(y->libc_version), SV_ARG(x->libc_name), SV_ARG(assumed)));
}

/* "3.13.5" → "3.13" */
static sv minor_of(sv version)
{
        sv rest = version, head;

        sv_cut(&rest, '.', &head);
        sv_cut(&rest, '.', &head);
        return sv_from_to(version, 0, (size_t)(head.p + head.n - version.p));
}

/* A venv's layer names the interpreter, and every wheel's the folder of its minor version. */
static void check_python(struct faults *f, const struct lock_platform *was, const struct lock_platform *now)
{
        const struct lock_python *x = &was->python, *y = &now->python;

        if (!was->has_python || image_is_conda(was))
                return;
        if (!now->has_python)
                add(f, arena_fmt(f->a, "it has no python3, and the packages were installed for %.*s", SV_ARG(x->path)));
        else if (!sv_eq(minor_of(x->version), minor_of(y->version)))
                add(f, arena_fmt(f->a, "its python is %.*s, and the packages were installed for %.*s",
                                 SV_ARG(minor_of(y->version)), SV_ARG(minor_of(x->version))));
        else if (!sv_eq(x->path, y->path))
                add(f, arena_fmt(f->a, "its python is %.*s, and the packages were installed for %.*s", SV_ARG(y->path),
                                 SV_ARG(x->path)));
        else if (!sv_eq(x->abi, y->abi) || !sv_eq(x->site_packages, y->site_packages))
                add(f,
                    arena_fmt(f->a, "its python has %.*s and %.*s, and the packages were installed for %.*s and %.*s",
                              SV_ARG(y->abi), SV_ARG(y->site_packages), SV_ARG(x->abi), SV_ARG(x->site_packages)));
}

size_t rebase_faults(const struct lock_platform *was, const struct lock_platform *now, struct arena *a,
                     sv ret[static REBASE_FAULTS])
{
        struct faults f = { a, ret, 0 };

        if (!sv_eq(was->platform, now->platform))
                add(&f, arena_fmt(a, "it is for %.*s, and the packages are for %.*s", SV_ARG(now->platform),
                                  SV_ARG(was->platform)));
        if (!sv_eq(was->facts.root, now->facts.root))
                add(&f, arena_fmt(a, "its /opt is really /%.*s, and the packages stand below /%.*s",
                                  SV_ARG(now->facts.root), SV_ARG(was->facts.root)));
        if (was->facts.usrmerged != now->facts.usrmerged)
                add(&f, now->facts.usrmerged
                                ? SV("its /bin and /lib are links into /usr, and the layers are for folders")
                                : SV("its /bin and /lib are folders, and the layers are for links into "
                                     "/usr"));
        check_libc(&f, was, now);
        check_python(&f, was, now);
        return f.n;
}
