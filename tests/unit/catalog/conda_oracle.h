/* tests/unit/catalog/conda_oracle.h - what a repodata.json says, read the slow way (ext/json, a rule at a time), to compare with what the
 * scanner, the index and the decoder make of it. Used by a unit test, the fuzz target and the corpus test. */
#ifndef TESTS_CONDA_ORACLE_H
#define TESTS_CONDA_ORACLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "catalog/conda_record.h"
#include "catalog/conda_whole.h"
#include "ext/json.h"

struct oracle {
        struct arena a;
        struct conda_record *v; /* those that can be used, in the document's order */
        size_t n, cap, left_out;
        bool unsure; /* numbers that are no integers: jansson does not say how they were written */
        const char *why;
};

static inline bool oracle_none(const struct js *j)
{
        return !j || j->type == JS_NULL;
}

static inline bool oracle_texts(struct oracle *o, const struct js *j, sv **ret, size_t *ret_n)
{
        if (oracle_none(j))
                return true;
        if (j->type != JS_ARR)
                return false;
        *ret = arena_array(&o->a, sv, j->n);
        *ret_n = j->n;
        for (size_t i = 0; i < j->n; i++) {
                (*ret)[i] = js_str(j->v[i].value);
                if (j->v[i].value->type != JS_STR)
                        return false;
        }
        return true;
}

static inline bool oracle_int(struct oracle *o, const struct js *j, int64_t least, int64_t *ret)
{
        if (oracle_none(j))
                return true;
        if (j->type == JS_REAL)
                o->unsure = true;
        return js_int(j, ret) && *ret >= least;
}

static inline bool oracle_hash(const struct js *j, uint8_t *ret, size_t n, bool *ret_has)
{
        char low[65];
        sv s = js_str(j);

        if (oracle_none(j))
                return true;
        if (j->type != JS_STR || s.n > 64)
                return false;
        for (size_t i = 0; i < s.n; i++)
                low[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'F' ? s.p[i] - 'A' + 'a' : s.p[i]);
        *ret_has = s.n > 0;
        return s.n == 0 || hex_read((sv){ low, s.n }, ret, n);
}

static inline bool oracle_noarch(const struct js *j, enum conda_noarch *ret)
{
        if (oracle_none(j) || j->type == JS_FALSE || (j->type == JS_STR && j->str.n == 0))
                return true;
        *ret = sv_eq_nocase(js_str(j), SV("python")) ? CONDA_NOARCH_PYTHON : CONDA_NOARCH_GENERIC;
        return j->type == JS_TRUE || sv_eq_nocase(js_str(j), SV("python")) || sv_eq_nocase(js_str(j), SV("generic"));
}

static inline bool oracle_track(struct oracle *o, const struct js *j, struct conda_record *r)
{
        size_t cap = 0;
        sv rest = js_str(j), part, word;

        if (oracle_none(j))
                return true;
        if (j->type == JS_ARR && j->n == 1 && j->v[0].value->type == JS_STR && js_str(j->v[0].value).n == 0)
                return true;
        if (j->type == JS_ARR)
                return oracle_texts(o, j, &r->track_features, &r->n_track_features);
        while (sv_cut(&rest, ',', &part))
                while (sv_cut(&part, ' ', &word))
                        if (word.n)
                                *arena_push(&o->a, r->track_features, r->n_track_features, cap) = word;
        return j->type == JS_STR;
}

static inline bool oracle_text(const struct js *j, sv *ret)
{
        if (oracle_none(j))
                return true;
        *ret = js_str(j);
        return j->type == JS_STR;
}

static inline int64_t oracle_ms(int64_t t)
{
        return t < 0 ? 0 : t <= 253402300799 ? t * 1000 : t;
}

static inline bool oracle_record(struct oracle *o, sv fn, const struct js *j, sv subdir, struct conda_record *r)
{
        int64_t number = 0, size = 0, timestamp = 0, indexed = 0;
        sv said = { 0 };

        *r = (struct conda_record){ .fn = fn, .subdir = subdir };
        if (j->type != JS_OBJ || !oracle_text(js_get(j, "name"), &r->name) ||
            !oracle_text(js_get(j, "version"), &r->version) || !oracle_text(js_get(j, "build"), &r->build) ||
            !oracle_text(js_get(j, "subdir"), &said) ||
            !oracle_text(js_get(j, "python_site_packages_path"), &r->python_site_packages_path) ||
            !oracle_int(o, js_get(j, "build_number"), 0, &number) || !oracle_int(o, js_get(j, "size"), 0, &size) ||
            !oracle_int(o, js_get(j, "timestamp"), INT64_MIN, &timestamp) ||
            !oracle_int(o, js_get(j, "indexed_timestamp"), INT64_MIN, &indexed) ||
            !oracle_texts(o, js_get(j, "depends"), &r->depends, &r->n_depends) ||
            !oracle_texts(o, js_get(j, "constrains"), &r->constrains, &r->n_constrains) ||
            !oracle_hash(js_get(j, "md5"), r->md5, 16, &r->has_md5) ||
            !oracle_hash(js_get(j, "sha256"), r->sha256.b, 32, &r->has_sha256) ||
            !oracle_noarch(js_get(j, "noarch"), &r->noarch) || !oracle_track(o, js_get(j, "track_features"), r))
                return false;
        if (said.n)
                r->subdir = said;
        r->license = js_get_str(j, "license");
        r->license_family = js_get_str(j, "license_family");
        r->build_number = (uint64_t)number;
        r->size = (uint64_t)size;
        r->timestamp = oracle_ms(timestamp);
        r->indexed = oracle_ms(indexed);
        return !conda_record_check(&o->a, r);
}

/* False: no JSON object. */
static inline bool oracle_read(struct oracle *o, sv text, sv subdir)
{
        AUTO(err_done) struct err e = { 0 };
        struct js *doc;

        if (js_parse(&o->a, text, &doc, &e) < 0 || doc->type != JS_OBJ)
                return false;
        for (size_t i = 0; i < doc->n; i++) {
                const struct js *m = doc->v[i].value;

                if ((!sv_is(doc->v[i].key, "packages") && !sv_is(doc->v[i].key, "packages.conda")) || m->type != JS_OBJ)
                        continue;
                for (size_t k = 0; k < m->n; k++) {
                        struct conda_record r;

                        if (oracle_record(o, m->v[k].key, m->v[k].value, subdir, &r))
                                *arena_push(&o->a, o->v, o->n, o->cap) = r;
                        else
                                o->left_out++;
                }
        }
        return true;
}

static inline bool oracle_same_texts(const sv *a, size_t n, const sv *b, size_t m)
{
        bool same = n == m;

        for (size_t i = 0; same && i < n; i++)
                same = sv_eq(a[i], b[i]);
        return same;
}

static inline bool oracle_same(const struct conda_record *a, const struct conda_record *b)
{
        return sv_eq(a->fn, b->fn) && sv_eq(a->subdir, b->subdir) && sv_eq(a->name, b->name) &&
               sv_eq(a->version, b->version) && sv_eq(a->build, b->build) && a->build_number == b->build_number &&
               oracle_same_texts(a->depends, a->n_depends, b->depends, b->n_depends) &&
               oracle_same_texts(a->constrains, a->n_constrains, b->constrains, b->n_constrains) &&
               oracle_same_texts(a->track_features, a->n_track_features, b->track_features, b->n_track_features) &&
               a->has_md5 == b->has_md5 && a->has_sha256 == b->has_sha256 && memcmp(a->md5, b->md5, 16) == 0 &&
               sha256_eq(&a->sha256, &b->sha256) && a->size == b->size && a->timestamp == b->timestamp &&
               a->indexed == b->indexed && a->noarch == b->noarch && sv_eq(a->license, b->license) &&
               sv_eq(a->license_family, b->license_family) &&
               sv_eq(a->python_site_packages_path, b->python_site_packages_path);
}

/* By name, then file name, then place in the document. */
static inline int oracle_order(const void *a, const void *b)
{
        const struct conda_record *x = a, *y = b;
        int c = sv_cmp(x->name, y->name);

        if (!c)
                c = sv_cmp(x->fn, y->fn);
        return c ? c : x < y ? -1 : x > y;
}

static inline size_t oracle_sort(struct conda_record *v, size_t n)
{
        size_t kept = 0;

        for (size_t i = 1; i < n; i++) /* stable, and the documents are nearly in order */
                for (size_t k = i; k && oracle_order(&v[k - 1], &v[k]) > 0 &&
                                   (sv_cmp(v[k - 1].name, v[k].name) || sv_cmp(v[k - 1].fn, v[k].fn));
                     k--) {
                        struct conda_record t = v[k];
                        v[k] = v[k - 1];
                        v[k - 1] = t;
                }
        for (size_t i = 0; i < n; i++)
                if (i + 1 == n || !sv_eq(v[i].fn, v[i + 1].fn) || !sv_eq(v[i].name, v[i + 1].name))
                        v[kept++] = v[i];
        return kept;
}

/* True: the index of this text gives what the oracle read. o->why says what differs. */
static inline bool oracle_agrees(struct oracle *o, const struct conda_whole *repo)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct conda_list got = { 0 };

        o->n = oracle_sort(o->v, o->n);
        for (uint32_t i = 0; i < repo->index.n_name; i++) {
                sv name = conda_index_name(&repo->index, i);

                if (i && sv_cmp(conda_index_name(&repo->index, i - 1), name) >= 0)
                        return o->why = "names are not sorted", false;
                if (conda_whole_add(repo, name, &a, &got, &e) < 0)
                        return o->why = arena_str(&o->a, sv_from(e.cause)), false;
        }
        if (got.n != o->n)
                return o->why = arena_fmt(&o->a, "%zu records instead of %zu", got.n, o->n).p, false;
        for (size_t i = 0; i < got.n; i++)
                if (!oracle_same(&got.v[i], &o->v[i]))
                        return o->why = arena_fmt(&o->a, "record '%.*s' differs from '%.*s'", SV_ARG(got.v[i].fn),
                                                  SV_ARG(o->v[i].fn))
                                                .p,
                               false;
        return true;
}

#endif
