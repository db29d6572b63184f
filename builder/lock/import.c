#include "lock/import_priv.h"

#include <stdlib.h>
#include <string.h>

#include "pkg/pyname.h"
#include "pkg/requirement.h"

void import_refuse(struct import *im, const struct yaml *at, sv what, const char *why, const char *hint)
{
        lock_fault(&im->r, at, "EB123", "'%.*s' %s", SV_ARG(what), why);
        if (hint)
                diag_hint(im->r.ds, im->r.ds->n - 1, "%s", hint);
}

static bool holds(const sv *v, size_t n, sv s)
{
        for (size_t i = 0; i < n; i++)
                if (sv_eq(v[i], s))
                        return true;
        return false;
}

static bool wanted(const struct import *im, sv platform)
{
        if (im->o->n_platform)
                return holds(im->o->platform, im->o->n_platform, platform);
        return sv_is(platform, "linux/amd64") || sv_is(platform, "linux/arm64");
}

struct lock_platform *import_platform(struct import *im, sv subdir)
{
        struct lock *l = im->l;
        sv platform = conda_platform_of(subdir);

        if (!wanted(im, platform)) {
                if (!holds(im->left_out, im->n_left_out, subdir) && im->n_left_out < 20)
                        *arena_push(im->r.a, im->left_out, im->n_left_out, im->cap_left_out) = subdir;
                return NULL;
        }
        for (size_t i = 0; i < l->n_platform; i++)
                if (sv_eq(l->platform[i].platform, platform))
                        return &l->platform[i];
        if (l->n_platform == im->cap_platform) {
                size_t cap = im->cap_platform;
                im->cap_artifact = arena_regrow(im->r.a, im->cap_artifact, l->n_platform, &cap, sizeof(size_t));
                l->platform =
                        arena_regrow(im->r.a, l->platform, l->n_platform, &im->cap_platform, sizeof(*l->platform));
        }
        im->cap_artifact[l->n_platform] = 0;
        l->platform[l->n_platform] = (struct lock_platform){ .platform = platform };
        return &l->platform[l->n_platform++];
}

sv import_text(struct import *im, const struct yaml *map, const char *key)
{
        const struct yaml *y = yaml_get(map, key);

        if (!y || yaml_is_null(y))
                return SV("");
        if (y->type == YAML_SCALAR)
                return y->text;
        lock_fault(&im->r, y, "EB122", "'%s' takes one text", key);
        return SV("");
}

void import_number(struct import *im, const struct yaml *map, const char *key, uint64_t *ret)
{
        const struct yaml *y = yaml_get(map, key);

        if (y && !yaml_is_null(y))
                lock_get_u64(&im->r, map, key, false, ret);
}

void import_hashes(struct import *im, const struct yaml *map, struct artifact *a)
{
        sv sha = import_text(im, map, "sha256"), md5 = import_text(im, map, "md5");
        uint8_t bytes[16];

        if (sha.n && !sha256_read(sha, &a->sha256))
                lock_fault(&im->r, yaml_get(map, "sha256"), "EB122", "'sha256' takes 64 hexadecimal digits");
        if (md5.n && !hex_read(md5, bytes, sizeof(bytes)))
                lock_fault(&im->r, yaml_get(map, "md5"), "EB122", "'md5' takes 32 hexadecimal digits");
        else if (a->kind == ARTIFACT_CONDA)
                a->md5 = md5;
}

/* "$USER" → "${USER}": other tools leave variables so in URLs, and ours have braces. */
static sv braced(struct arena *a, sv s)
{
        struct buf b = BUF_INIT(1 << 16);
        sv r;

        for (size_t i = 0; i < s.n;) {
                size_t k = i + 1;
                while (s.p[i] == '$' && k < s.n &&
                       ((s.p[k] >= 'A' && s.p[k] <= 'Z') || s.p[k] == '_' || (s.p[k] >= '0' && s.p[k] <= '9')))
                        k++;
                if (s.p[i] == '$' && k > i + 1)
                        buf_fmt(&b, "${%.*s}", SV_ARG(sv_from_to(s, i + 1, k)));
                else
                        buf_byte(&b, s.p[i]);
                i = k;
        }
        r = b.over ? s : arena_sv(a, buf_sv(&b));
        buf_done(&b);
        return r;
}

void import_channel(struct import *im, const struct yaml *at, sv text)
{
        struct conda_channel *v = NULL;
        struct lock *l = im->l;
        size_t n = 0;
        sv why;

        if (!conda_channel_expand(im->r.a, braced(im->r.a, text), im->o->settings, &v, &n, &why)) {
                lock_fault(&im->r, at, "EB122", "'%.*s' is not a channel: %.*s", SV_ARG(text), SV_ARG(why));
                return;
        }
        for (size_t i = 0; i < n; i++) {
                size_t cap = l->n_channels;
                if (holds(l->channels, l->n_channels, v[i].url))
                        continue;
                l->channels = arena_regrow(im->r.a, l->channels, l->n_channels, &cap, sizeof(sv));
                l->channels[l->n_channels++] = v[i].url;
        }
}

static int hex_digit(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* The last part of a URL's path, percent-decoded: "x264-1%21164.3095-h_2.tar.bz2" is of epoch 1. */
static sv file_name(struct arena *a, sv url)
{
        sv base = sv_basename(url);
        char *out = arena_str(a, base);
        size_t n = 0;

        for (size_t i = 0; i < base.n; i++) {
                int hi = base.p[i] == '%' && i + 2 < base.n ? hex_digit(base.p[i + 1]) : -1;
                int lo = hi >= 0 ? hex_digit(base.p[i + 2]) : -1;
                out[n++] = lo >= 0 ? (char)(hi << 4 | lo) : base.p[i];
                i += lo >= 0 ? 2 : 0;
        }
        return (sv){ out, n };
}

/* Without fragment and credentials. Faults: another scheme, control characters, no scheme at all. */
static bool take_url(struct import *im, const struct yaml *at, sv url, struct artifact *a)
{
        ptrdiff_t hash = sv_find(url, '#');
        size_t before = im->r.ds->n_errors;

        if (hash >= 0)
                url = sv_from_to(url, 0, (size_t)hash);
        url = braced(im->r.a, url);
        if (!sv_starts(url, SV("https://")) && !sv_starts(url, SV("http://")) && !sv_starts(url, SV("file:///"))) {
                import_refuse(im, at, url, "is no URL that a package can be fetched from",
                              "publish it, or give its whole path as a file:// URL");
                return false;
        }
        for (size_t i = 0; i < url.n; i++)
                if ((unsigned char)url.p[i] <= 0x20 || url.p[i] == 0x7f) {
                        lock_fault(&im->r, at, "EB122", "a blank or control character in a URL");
                        break;
                }
        a->url = a->kind == ARTIFACT_CONDA ? spec_channel_public(im->r.a, url) : spec_url_public(im->r.a, url);
        if (a->url.n != url.n) {
                size_t i = diag_warn(im->r.ds, im->r.file, at->line, at->col, "EB503",
                                     "a password or token stands in a URL");
                diag_hint(im->r.ds, i, "write ${NAME} in its place: it is taken from the environment");
        }
        return im->r.ds->n_errors == before;
}

/* CEP 26: a name, version or build has ASCII letters, digits and a few signs; what percent signs hide counts too. */
static bool is_plain(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
                      (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] && strchr("-_.+!~=", s.p[i]))))
                        return false;
        return true;
}

bool import_conda_url(struct import *im, const struct yaml *at, sv url, struct artifact *a)
{
        sv name;

        a->kind = ARTIFACT_CONDA;
        if (!take_url(im, at, url, a))
                return false;
        if (!conda_filename_split(file_name(im->r.a, a->url), &name, &a->version, &a->build) || !is_plain(name) ||
            !is_plain(a->version) || !is_plain(a->build)) {
                lock_fault(&im->r, at, "EB122", "'%.*s' is not a conda package's file", SV_ARG(sv_basename(a->url)));
                diag_hint(im->r.ds, im->r.ds->n - 1, "they are called NAME-VERSION-BUILD.conda or .tar.bz2");
                return false;
        }
        if (a->name.n && !sv_eq_nocase(a->name, name)) {
                lock_fault(&im->r, at, "EB122", "the file of '%.*s' is that of '%.*s'", SV_ARG(a->name), SV_ARG(name));
                return false;
        }
        a->name = name;
        return true;
}

bool import_wheel_url(struct import *im, const struct yaml *at, sv url, struct artifact *a)
{
        struct wheel_name w;
        sv why;

        a->kind = ARTIFACT_WHEEL;
        if (sv_starts(url, SV("direct+"))) {
                url = sv_skip(url, sizeof("direct+") - 1);
                a->direct = true;
        }
        if (sv_starts(url, SV("git+")) || sv_ends(url, SV(".tar.gz")) || sv_ends(url, SV(".zip"))) {
                import_refuse(im, at, url, "is source code, and only wheels are installed",
                              "build a wheel of it ('pip wheel …'), and lock again with its URL");
                return false;
        }
        if (!take_url(im, at, url, a))
                return false;
        if (!wheel_name_parse(im->r.a, file_name(im->r.a, a->url), false, &w, &why)) {
                import_refuse(im, at, sv_basename(a->url), "is no wheel, and only wheels are installed",
                              "lock again without it, or with the URL of a .whl file");
                return false;
        }
        if (a->name.n && !sv_eq(pyname_normalise(im->r.a, a->name), w.name)) {
                lock_fault(&im->r, at, "EB122", "the file of '%.*s' is that of '%.*s'", SV_ARG(a->name),
                           SV_ARG(w.name));
                return false;
        }
        a->name = w.name;
        a->version = pep440_text(w.v);
        return true;
}

void import_add(struct import *im, struct lock_platform *p, const struct artifact *a)
{
        size_t i = (size_t)(p - im->l->platform);

        *arena_push(im->r.a, p->artifact, p->n_artifact, im->cap_artifact[i]) = *a;
}

sv import_requirement_name(struct import *im, sv text)
{
        struct requirement r;
        sv why;

        if (!requirement_parse_lenient(im->r.a, text, &r, &why) ||
            (r.marker && sv_find_sv(sv_skip(text, r.name.n), SV("extra")) >= 0))
                return SV("");
        return r.normalised;
}

/* "mkl blas", "mkl,blas" or a list. */
static void track_features(struct import *im, const struct yaml *map, struct artifact *a)
{
        const struct yaml *y = yaml_get(map, "track_features");
        size_t cap = 0, i = 0;

        if (!y || yaml_is_null(y))
                return;
        if (y->type != YAML_SCALAR) {
                lock_get_list(&im->r, map, "track_features", &a->track_features, &a->n_track_features, NULL);
                return;
        }
        while (i < y->text.n) {
                size_t from = i;
                while (i < y->text.n && !strchr(" ,", y->text.p[i]))
                        i++;
                if (i > from)
                        *arena_push(im->r.a, a->track_features, a->n_track_features, cap) =
                                sv_from_to(y->text, from, i);
                i++;
        }
}

#define SECONDS_MAX 253402300799 /* the year 9999: what is more counts milliseconds */

void import_record(struct import *im, const struct yaml *map, struct artifact *a)
{
        uint64_t t = 0;
        sv noarch;

        import_number(im, map, "size", &a->size);
        if (a->kind != ARTIFACT_CONDA)
                return;
        import_number(im, map, "timestamp", &t);
        a->uploaded = (int64_t)(t > (uint64_t)SECONDS_MAX ? t / 1000 : t);
        if (a->uploaded > SECONDS_MAX)
                lock_fault(&im->r, yaml_get(map, "timestamp"), "EB122", "'timestamp' is no time");
        noarch = import_text(im, map, "noarch");
        if (noarch.n && !sv_is(noarch, "python") && !sv_is(noarch, "generic"))
                lock_fault(&im->r, yaml_get(map, "noarch"), "EB122", "'noarch' is python or generic");
        a->noarch = noarch;
        if (yaml_get(map, "constrains") && !yaml_is_null(yaml_get(map, "constrains")))
                lock_get_list(&im->r, map, "constrains", &a->constrains, &a->n_constrains, NULL);
        track_features(im, map, a);
        a->site_packages = import_text(im, map, "python_site_packages_path");
        lock_check_path(&im->r, map, "python_site_packages_path", a->site_packages, false);
}

/* Who needs whom, in the words of `by`; what nobody needs was asked for by the file. */
static void fill_by(struct import *im, struct lock_platform *p)
{
        size_t *cap = arena_array(im->r.a, size_t, p->n_artifact);
        sv file = sv_basename(im->r.file);

        for (size_t i = 0; i < p->n_artifact; i++) {
                const struct artifact *asker = &p->artifact[i];
                sv by = arena_fmt(im->r.a, "%.*s %.*s", SV_ARG(asker->name), SV_ARG(asker->version));
                for (size_t k = 0; k < asker->n_needs; k++) {
                        struct artifact *need = (struct artifact *)lock_find_need(p, asker, asker->needs[k]);
                        if (need && need != asker && !(need->n_by && sv_eq(need->by[need->n_by - 1], by)))
                                *arena_push(im->r.a, need->by, need->n_by, cap[need - p->artifact]) = by;
                }
        }
        for (size_t i = 0; i < p->n_artifact; i++)
                if (p->artifact[i].n_by == 0)
                        *arena_push(im->r.a, p->artifact[i].by, p->artifact[i].n_by, cap[i]) =
                                arena_fmt(im->r.a, "%.*s: %.*s", SV_ARG(file), SV_ARG(p->artifact[i].name));
}

/* Sorted: equal ones stand side by side. One file under two categories is one package. */
static void join_doubles(struct import *im, struct lock_platform *p)
{
        size_t n = 0;

        for (size_t i = 0; i < p->n_artifact; i++) {
                struct artifact *a = &p->artifact[i];
                if (n && artifact_cmp(&p->artifact[n - 1], a) == 0) {
                        if (!sv_eq(p->artifact[n - 1].url, a->url))
                                diag_add(im->r.ds, im->r.file, 1, 1, "EB122",
                                         "'%.*s' is there twice for %.*s: %.*s and %.*s", SV_ARG(a->name),
                                         SV_ARG(p->platform), SV_ARG(sv_basename(p->artifact[n - 1].url)),
                                         SV_ARG(sv_basename(a->url)));
                        continue;
                }
                p->artifact[n++] = *a;
        }
        p->n_artifact = n;
}

static void check_platforms(struct import *im)
{
        struct buf has = BUF_INIT(4096);
        size_t i;

        for (i = 0; i < im->n_left_out; i++)
                buf_fmt(&has, "%s%.*s", i ? ", " : "", SV_ARG(im->left_out[i]));
        for (i = 0; i < im->o->n_platform; i++)
                if (!lock_find_platform(im->l, im->o->platform[i]))
                        diag_add(im->r.ds, im->r.file, 1, 1, "EB123", "it holds nothing for %.*s",
                                 SV_ARG(im->o->platform[i]));
        if (!im->o->n_platform && !im->l->n_platform)
                diag_add(im->r.ds, im->r.file, 1, 1, "EB123", "it holds nothing for linux/amd64 or linux/arm64%s%.*s",
                         has.n ? ", only for " : "", SV_ARG(buf_sv(&has)));
        buf_done(&has);
}

static int read_yaml(struct import *im, sv text, struct yaml **ret, struct err *e)
{
        size_t from = im->r.ds->n;

        if (yaml_parse(im->r.a, text, im->r.file, im->r.ds, ret, e) == 0)
                return 0;
        for (size_t i = from; i < im->r.ds->n; i++)
                im->r.ds->v[i].code = "EB120";
        return -(int)e->code;
}

int lock_import(struct arena *a, sv text, sv file, enum spec_form form, const struct lock_import_opts *o,
                struct diags *ds, struct lock **ret, struct err *e)
{
        struct import im = { .r = { a, ds, file }, .o = o, .l = arena_new(a, struct lock) };
        size_t errors = ds->n_errors;
        struct yaml *top;

        if (text.n > LOCK_MAX)
                return err_set(e, ERR_LIMIT, "'%.*s' is larger than %zu MiB", SV_ARG(file), LOCK_MAX >> 20);
        diag_source(ds, file, text);
        im.l->lock = LOCK_VERSION;
        im.l->layer_format = LAYER_FORMAT;
        im.l->plan = PLAN_VERSION;
        im.l->name = spec_name_of(a, file);
        im.l->definition = sv_basename(file);
        if (form != SPEC_FORM_EXPLICIT && read_yaml(&im, text, &top, e) < 0)
                return -(int)e->code;
        if (form == SPEC_FORM_EXPLICIT)
                import_explicit(&im, text);
        else if (form == SPEC_FORM_PIXI)
                import_pixi(&im, top);
        else
                import_conda_lock(&im, top);
        if (ds->n_errors == errors)
                check_platforms(&im);
        for (size_t i = 0; i < im.l->n_platform; i++) {
                struct lock_platform *p = &im.l->platform[i];
                if (p->n_artifact)
                        qsort(p->artifact, p->n_artifact, sizeof(*p->artifact), artifact_cmp);
                join_doubles(&im, p);
                fill_by(&im, p);
        }
        lock_sort(im.l);
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "'%.*s' cannot be taken over: %zu fault%s", SV_ARG(file),
                               ds->n_errors - errors, ds->n_errors - errors == 1 ? "" : "s");
        *ret = im.l;
        return 0;
}
