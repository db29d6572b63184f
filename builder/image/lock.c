/* Definition → lock: an existing one when its `request` still matches, else a new resolution that keeps what still fits (design/lock.md). */
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "image/image_priv.h"

/* --- what the definitions' parsers may reach */

static int read_input(void *arg, sv path, struct buf *ret, struct err *e)
{
        struct image_ctx *c = arg;
        struct arena a = { 0 };
        struct net_answer ans;
        int r;

        if (!sv_starts(path, SV("http://")) && !sv_starts(path, SV("https://"))) {
                r = fs_read(arena_str(&a, path), ret, e);
                arena_done(&a);
                return r;
        }
        r = image_ctx_net(c, e);
        if (r == 0)
                r = net_do(c->net, &(struct net_request){ .url = path, .max_body = SPEC_FILE_MAX }, &a, &ans, e);
        if (r == 0 && ans.status != 200)
                r = net_status_err(&ans, e);
        if (r == 0)
                buf_add(ret, ans.body);
        arena_done(&a);
        return r;
}

static bool read_variable(void *arg, sv name, sv *ret)
{
        AUTO(free_ptr) char *key = xstrndup(name.p, name.n);
        const char *v = getenv(key);

        (void)arg;
        *ret = sv_from(v);
        return v != NULL;
}

static int apply_flags(const struct image_request *r, const struct spec_io *io, struct diags *ds, struct arena *a,
                       struct spec *s, struct err *e)
{
        for (size_t i = 0; i < r->n_pip; i++)
                if (spec_add_pip(a, s, r->pip[i], io, ds, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < r->n_channel; i++)
                if (spec_add_channel(a, s, r->channel[i], ds, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < r->n_conda; i++)
                if (spec_add_conda(a, s, r->conda[i], ds, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < r->n_env; i++)
                if (spec_add_variable(a, s, r->env[i], ds, e) < 0)
                        return -(int)e->code;
        if (r->exclude_newer.n && spec_set_exclude_newer(s, r->exclude_newer, clock_unix(), e) < 0)
                return -(int)e->code;
        if (r->base.n)
                s->base = (struct spec_text){ r->base, { SV("--base"), 0, 0 } };
        if (r->pre)
                s->pre = true;
        if (r->index_strategy.n)
                s->strategy = sv_is(r->index_strategy, "pip") ? SPEC_INDEX_MERGE : SPEC_INDEX_FIRST;
        return spec_finish(a, s, io, ds, e);
}

/* What channels' names mean, so that a spec of a channel that is not listed is told beside the definition's other faults. */
static int know_channels(struct image_ctx *c, const struct image_request *r, struct spec *s, struct err *e)
{
        const struct condarc *rc;

        if (s->n_conda + r->n_conda == 0)
                return 0;
        if (image_ctx_conda(c, &rc, e) < 0)
                return -(int)e->code;
        s->conda_settings = &rc->settings;
        return 0;
}

/* *ret_imported: the finished resolution that stands for a definition, or NULL. */
static int load_spec(struct image_ctx *c, const struct image_request *r, struct arena *a, struct spec **ret,
                     struct lock **ret_imported, struct err *e)
{
        struct spec_io io = { c, read_input, read_variable };

        if (foreign_load(c, r, a, ret, ret_imported, e) < 0)
                return -(int)e->code;
        if (*ret_imported)
                return apply_flags(r, &io, c->diags, a, *ret, e);
        if (spec_load(a, r->file, r->n_file, &io, c->diags, ret, e) < 0)
                return -(int)e->code;
        if ((*ret)->dir.n == 0)
                (*ret)->dir = SV(".");
        if (know_channels(c, r, *ret, e) < 0)
                return -(int)e->code;
        return apply_flags(r, &io, c->diags, a, *ret, e);
}

/* --- the lock file */

/* 0 with *ret NULL when there is none. */
static int load_lock(struct image_ctx *c, sv path, struct arena *a, struct lock **ret, sv *ret_text, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);
        struct err missing = { 0 };

        *ret = NULL;
        if (fs_read(path.p, &b, &missing) < 0) {
                if (missing.code != ERR_NOT_FOUND)
                        return err_move(e, &missing);
                err_done(&missing);
                return 0;
        }
        *ret_text = arena_sv(a, buf_sv(&b));
        if (lock_parse(a, *ret_text, path, c->diags, ret, e) < 0) {
                if (e->code == ERR_USAGE)
                        err_hint(e, "delete '%.*s' and lock again, or take it from version control", SV_ARG(path));
                return err_while(e, "reading the lock '%.*s'", SV_ARG(path));
        }
        return 0;
}

static sv *texts(struct arena *a, const struct spec_text *v, size_t n)
{
        sv *r = arena_array(a, sv, n);

        for (size_t i = 0; i < n; i++)
                r[i] = v[i].text;
        return r;
}

static int pair_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_pair *)a)->key, ((const struct lock_pair *)b)->key);
}

static void config_of(const struct spec *s, struct arena *a, struct lock_config *ret)
{
        ret->env = arena_array(a, sv, s->n_variables);
        ret->n_env = s->n_variables;
        for (size_t i = 0; i < s->n_variables; i++)
                ret->env[i] = arena_fmt(a, "%.*s=%.*s", SV_ARG(s->variables[i].key), SV_ARG(s->variables[i].value));
        ret->user = s->user.text;
        ret->workdir = s->workdir.text;
        ret->has_entrypoint = s->has_entrypoint;
        ret->has_cmd = s->has_cmd;
        ret->entrypoint = texts(a, s->entrypoint, s->n_entrypoint);
        ret->n_entrypoint = s->n_entrypoint;
        ret->cmd = texts(a, s->cmd, s->n_cmd);
        ret->n_cmd = s->n_cmd;
        ret->labels = arena_array(a, struct lock_pair, s->n_labels);
        ret->n_labels = s->n_labels;
        for (size_t i = 0; i < s->n_labels; i++)
                ret->labels[i] = (struct lock_pair){ s->labels[i].key, s->labels[i].value };
        if (s->n_labels)
                qsort(ret->labels, s->n_labels, sizeof(*ret->labels), pair_cmp);
}

static void later(int64_t *created, int64_t t)
{
        if (t > *created)
                *created = t;
}

int lock_created(const struct lock *l, int64_t *ret, struct err *e)
{
        const char *epoch = getenv("SOURCE_DATE_EPOCH");
        int64_t t = ENTRY_MTIME_FLOOR;
        uint64_t n;

        if (epoch && *epoch) {
                if (!sv_u64(sv_from(epoch), &n) || n > 253402300799u)
                        return err_set(e, ERR_USAGE, "SOURCE_DATE_EPOCH is not a number of seconds: '%s'", epoch);
                *ret = (int64_t)n;
                return 0;
        }
        for (size_t i = 0; i < l->n_platform; i++) {
                const struct lock_platform *p = &l->platform[i];
                later(&t, p->base.release);
                for (size_t k = 0; k < p->n_artifact; k++)
                        later(&t, p->artifact[k].uploaded);
        }
        *ret = t;
        return 0;
}

/* python=3.12 beside `python: base` is a wish the base must meet. */
static int check_python(struct image_ctx *c, const struct spec *s, const struct lock_platform *p, struct err *e)
{
        struct arena a = { 0 };
        struct pep440_spec want;
        const struct pep440 *have;
        sv why;
        int r = 0;

        if (s->n_pip && !p->has_python) {
                if (s->n_conda) {
                        err_set(e, ERR_USAGE, "there is no python for the pip packages: no conda package needs one");
                        err_hint(e, "add python to the dependencies");
                } else {
                        err_set(e, ERR_USAGE, "the base '%.*s' has no python3 for the pip packages",
                                SV_ARG(s->base.text));
                        err_hint(e, "base: recipe:debian-13-python has one");
                }
                return -(int)e->code;
        }
        if (s->python_req.text.n && p->has_python) {
                have = pep440_parse(&a, p->python.version);
                if (have && pep440_spec_parse(&a, s->python_req.text, &want, &why) &&
                    !pep440_spec_has(&want, have, p->python.version)) {
                        size_t d = diag_add(c->diags, s->python_req.at.file, s->python_req.at.line,
                                            s->python_req.at.col, "EB108", "the base has python %.*s, not python%.*s",
                                            SV_ARG(p->python.version), SV_ARG(s->python_req.text));
                        diag_hint(c->diags, d, "take another base, or leave the version out");
                        r = err_set(e, ERR_USAGE, "the base's python is not the one asked for");
                }
        }
        arena_done(&a);
        return r;
}

static int resolve_platform(struct image_ctx *c, const struct image_request *r, const struct spec *s,
                            const struct lock *old, const struct lock *imported, struct arena *a, struct lock *l,
                            struct lock_platform *p, struct err *e)
{
        const struct lock_platform *was = old ? lock_find_platform(old, p->platform) : NULL;
        struct target t;

        if (!target_read(p->platform, &t)) {
                err_set(e, ERR_USAGE, "'%.*s' is not a platform we build for", SV_ARG(p->platform));
                err_hint(e, "linux/amd64 or linux/arm64");
                return -(int)e->code;
        }
        if (base_resolve(c, r, s, was, a, p, e) < 0)
                return err_while(e, "looking at the base '%.*s'", SV_ARG(s->base.text));
        if (s->n_conda ||
            (imported &&
             image_is_conda(&imported->platform[0]))) { /* a conda prefix has a python of its own, or none */
                p->has_python = false;
                p->python = (struct lock_python){ 0 };
        }
        if (target_virtual(a, &t, s, p, c->diags, e) < 0)
                return -(int)e->code;
        if (imported)
                return foreign_platform(c, imported, a, l, p, e);
        if (conda_resolve(c, r, s, was, a, l, p, e) < 0 || check_python(c, s, p, e) < 0 ||
            pip_resolve(c, r, s, was, a, l, p, e) < 0)
                return -(int)e->code;
        if (p->n_artifact)
                qsort(p->artifact, p->n_artifact, sizeof(*p->artifact), artifact_cmp);
        return 0;
}

static int file_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_file *)a)->path, ((const struct lock_file *)b)->path);
}

static int take_file(const struct spec *s, sv path, sv source, struct lock *l, struct err *e)
{
        AUTO(free_ptr) char *name = source.n && source.p[0] == '/'
                                            ? xstrndup(source.p, source.n)
                                            : fs_path("%.*s/%.*s", SV_ARG(s->dir), SV_ARG(source));
        AUTO(fs_map_close) struct fs_map m = { 0 };

        if (fs_map_open(name, &m, e) < 0)
                return err_while(e, "reading the file for %.*s", SV_ARG(path));
        l->file[l->n_file++] = (struct lock_file){ path, source, sha256_of((sv){ (const char *)m.p, m.n }), m.n,
                                                   access(name, X_OK) == 0 ? 0755 : 0644 };
        return 0;
}

/* "corp-ca.pem" stands where Debian's update-ca-certificates looks; the last layer adds it to the bundle. */
static sv certificate_path(struct arena *a, sv source)
{
        sv name = sv_basename(source);
        ptrdiff_t dot = sv_rfind(name, '.');

        return arena_fmt(a, CERTIFICATES_DIR "%.*s.crt", SV_ARG(sv_from_to(name, 0, dot > 0 ? (size_t)dot : name.n)));
}

/* `files:` and `certificates:` with what they hold today: a build from the lock checks that they still hold it. */
static int files_of(const struct spec *s, struct arena *a, struct lock *l, struct err *e)
{
        l->file = arena_array(a, struct lock_file, s->n_files + s->n_certificates);
        for (size_t i = 0; i < s->n_files; i++)
                if (take_file(s, s->files[i].key, s->files[i].value, l, e) < 0)
                        return -(int)e->code;
        for (size_t i = 0; i < s->n_certificates; i++)
                if (take_file(s, certificate_path(a, s->certificates[i].text), s->certificates[i].text, l, e) < 0)
                        return -(int)e->code;
        if (l->n_file)
                qsort(l->file, l->n_file, sizeof(*l->file), file_cmp);
        return 0;
}

static int platform_cmp(const void *a, const void *b)
{
        return sv_cmp(((const struct lock_platform *)a)->platform, ((const struct lock_platform *)b)->platform);
}

static int resolve_all(struct image_ctx *c, const struct image_request *r, const struct spec *s, const struct lock *old,
                       const struct lock *imported, const sha256 *request, struct arena *a, struct lock **ret,
                       struct err *e)
{
        struct lock *l = arena_new(a, struct lock);
        size_t n = s->n_platforms ? s->n_platforms : 1;

        *l = (struct lock){ .lock = LOCK_VERSION,
                            .layer_format = LAYER_FORMAT,
                            .plan = PLAN_VERSION,
                            .name = s->name,
                            .definition = s->definition,
                            .request = *request,
                            .exclude_newer = s->exclude_newer,
                            .pre = s->pre };
        config_of(s, a, &l->config);
        l->scripts_skip = texts(a, s->apt_scripts_skip, s->n_apt_scripts_skip);
        l->n_scripts_skip = s->n_apt_scripts_skip;
        if (l->n_scripts_skip)
                qsort(l->scripts_skip, l->n_scripts_skip, sizeof(sv), sv_qsort);
        if (files_of(s, a, l, e) < 0)
                return -(int)e->code;
        l->platform = arena_array(a, struct lock_platform, n);
        for (size_t i = 0; i < n; i++) {
                struct lock_platform *p = &l->platform[l->n_platform++];
                p->platform = s->n_platforms ? s->platforms[i].text : image_host_platform(a);
                if (resolve_platform(c, r, s, old, imported, a, l, p, e) < 0)
                        return n > 1 ? err_while(e, "resolving for %.*s", SV_ARG(p->platform)) : -(int)e->code;
        }
        qsort(l->platform, n, sizeof(*l->platform), platform_cmp);
        *ret = l;
        return lock_created(l, &l->created, e);
}

static int stale(sv path, struct err *e)
{
        err_set(e, ERR_STALE, "the lock '%.*s' does not fit the definition", SV_ARG(path));
        err_hint(e, "envbuild lock makes it anew");
        return -(int)e->code;
}

/* "x.lock" given itself, or --frozen: the lock is what counts. */
static int use_frozen(struct image_ctx *c, sv path, struct arena *a, struct image_locked *ret, struct err *e)
{
        sv text;

        if (load_lock(c, path, a, &ret->lock, &text, e) < 0)
                return -(int)e->code;
        if (!ret->lock) {
                err_set(e, ERR_STALE, "there is no lock '%.*s'", SV_ARG(path));
                err_hint(e, "envbuild lock makes it");
                return -(int)e->code;
        }
        ret->path = path;
        return 0;
}

static bool is_lock_path(sv path)
{
        return sv_ends(path, SV(".lock"));
}

static sv lock_path(const struct spec *s, struct arena *a)
{
        if (sv_is(s->dir, "."))
                return arena_fmt(a, "%.*s.lock", SV_ARG(s->name));
        return arena_fmt(a, "%.*s/%.*s.lock", SV_ARG(s->dir), SV_ARG(s->name));
}

/* --platform among those of the lock: it serves, and image_build makes the ones that are asked for. */
static bool has_platforms(const struct lock *l, const struct image_request *r)
{
        for (size_t i = 0; i < r->n_platform; i++)
                if (!lock_find_platform(l, r->platform[i]))
                        return false;
        return true;
}

static bool names_platform(const struct spec *s, sv platform)
{
        for (size_t i = 0; i < s->n_platforms; i++)
                if (sv_eq(s->platforms[i].text, platform))
                        return true;
        return false;
}

/* One that the definition does not name: those of the command line stand in place of its own. */
static void other_platforms(const struct image_request *r, struct arena *a, struct spec *s)
{
        struct spec given = { 0 };
        size_t own = 0;

        given.platforms = arena_array(a, struct spec_text, r->n_platform);
        for (size_t i = 0; i < r->n_platform; i++) {
                own += names_platform(s, r->platform[i]);
                if (!names_platform(&given, r->platform[i]))
                        given.platforms[given.n_platforms++] =
                                (struct spec_text){ r->platform[i], { SV("--platform"), 0, 0 } };
        }
        if (own < r->n_platform) {
                s->platforms = given.platforms;
                s->n_platforms = given.n_platforms;
        }
}

/* The recipe is part of what was asked for: another text of it (a newer envbuild, an edited file) asks for something else. */
static bool recipes_unchanged(struct image_ctx *c, const struct lock *l, sv dir, struct arena *a)
{
        for (size_t i = 0; i < l->n_platform; i++) {
                AUTO(err_done) struct err changed = { 0 };
                struct recipe *recipe;

                if (l->platform[i].base.recipe.n && recipe_locked(c, &l->platform[i], dir, a, &recipe, &changed) < 0)
                        return false;
        }
        return true;
}

/* What was resolved again is what it was: then it is the same lock, with the image that was made from it. */
static bool same_resolution(const struct lock *x, const struct lock *y)
{
        AUTO(buf_done) struct buf a = BUF_INIT(LOCK_MAX);
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);

        lock_write_resolution(x, &a);
        lock_write_resolution(y, &b);
        return !a.over && !b.over && sv_eq(buf_sv(&a), buf_sv(&b));
}

int image_lock(struct image_ctx *c, const struct image_request *r, struct arena *a, struct image_locked *ret,
               struct err *e)
{
        struct lock *old = NULL, *imported = NULL;
        sv old_text = { 0 };
        sha256 request;
        bool fits, declared = true;

        *ret = (struct image_locked){ 0 };
        if (r->n_file == 1 && is_lock_path(r->file[0]))
                return use_frozen(c, arena_sv(a, r->file[0]), a, ret, e);
        if (load_spec(c, r, a, &ret->spec, &imported, e) < 0)
                return -(int)e->code;
        ret->path = lock_path(ret->spec, a);
        if (r->frozen)
                return use_frozen(c, ret->path, a, ret, e);
        if (ret->spec->base.text.n == 0)
                ret->spec->base.text = ret->spec->n_conda ? SV(DEFAULT_BASE_OF_CONDA) : SV(DEFAULT_BASE);
        if (load_lock(c, ret->path, a, &old, &old_text, e) < 0)
                return -(int)e->code;
        request = spec_request(ret->spec);
        if (!old || !sha256_eq(&old->request, &request) || !has_platforms(old, r)) {
                other_platforms(r, a, ret->spec);
                request = spec_request(ret->spec);
        }
        if (old && !sv_eq(old->definition, ret->spec->definition)) {
                err_set(e, ERR_USAGE, "'%.*s' is the lock of another definition ('%.*s', this is '%.*s')",
                        SV_ARG(ret->path), SV_ARG(old->definition), SV_ARG(ret->spec->definition));
                err_hint(e, "give one of the two another name (`name:` in the definition)");
                return -(int)e->code;
        }
        for (size_t i = 0; old && i < old->n_platform; i++)
                declared = declared && target_virtual_unchanged(a, ret->spec, &old->platform[i]);
        fits = old && declared && sha256_eq(&old->request, &request) && recipes_unchanged(c, old, ret->spec->dir, a);
        if (fits && !r->upgrade_all && !r->n_upgrade && !r->upgrade_base) {
                ret->lock = old;
                return 0;
        }
        if (r->locked)
                return stale(ret->path, e);
        if (resolve_all(c, r, ret->spec, old, imported, &request, a, &ret->lock, e) < 0)
                return -(int)e->code;
        ret->resolved = true;
        ret->changed = !old || !same_resolution(old, ret->lock);
        if (!ret->changed)
                ret->lock = old;
        return 0;
}

int image_lock_write(const struct image_locked *l, struct err *e)
{
        AUTO(buf_done) struct buf b = BUF_INIT(LOCK_MAX);
        AUTO(buf_done) struct buf was = BUF_INIT(LOCK_MAX);
        struct err ignored = { 0 };

        if (!l->changed)
                return 0;
        lock_write(l->lock, &b);
        if (buf_check(&b, e) < 0)
                return -(int)e->code;
        if (fs_read(l->path.p, &was, &ignored) == 0 && sv_eq(buf_sv(&was), buf_sv(&b)))
                return 0;
        err_done(&ignored);
        return fs_write(l->path.p, buf_sv(&b), 0644, e);
}
