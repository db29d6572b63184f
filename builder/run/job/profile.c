/* Compute profiles: small YAML maps in the user's own folder, checked against what their target knows. */
#include "run/job/profile.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "run/target/target.h"

#define PROFILE_MAX ((size_t)1 << 20)

/* Empty: there is no home. */
static sv profile_dir(struct arena *a)
{
        const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

        if (config && *config == '/')
                return arena_fmt(a, "%s/envbuild/compute.d", config);
        return home && *home ? arena_fmt(a, "%s/.config/envbuild/compute.d", home) : (sv){ 0 };
}

static const char *nearer(sv word, sv name, const char *best, unsigned *best_distance)
{
        unsigned d = sv_distance(word, name, *best_distance);

        if (d >= *best_distance)
                return best;
        *best_distance = d;
        return name.p;
}

static void unknown_key(struct diags *ds, sv file, const struct yaml *key, const struct run_target *t)
{
        size_t i = diag_add(ds, file, key->line, key->col, "EB560", "a profile of '%s' has no key '%.*s'", t->name,
                            SV_ARG(key->text));
        unsigned best = 3;
        const char *near = NULL;

        diag_span(ds, i, (uint32_t)key->text.n);
        for (const struct run_key *k = t->key; k && k->name; k++)
                near = nearer(key->text, sv_from(k->name), near, &best);
        if (near)
                diag_hint(ds, i, "did you mean '%s'?", near);
}

static bool is_choice(const char *choice, sv word)
{
        sv rest = sv_from(choice), one;

        while (sv_cut(&rest, '|', &one))
                if (sv_eq(one, word))
                        return true;
        return false;
}

static bool all_texts(const struct yaml *y)
{
        for (size_t i = 0; i < y->n; i++)
                if (y->v[i].value->type != YAML_SCALAR)
                        return false;
        return true;
}

static void check_value(struct diags *ds, sv file, const struct run_key *k, const struct yaml *y)
{
        static const char *const wants[] = { [RUN_KEY_TEXT] = "a text",
                                             [RUN_KEY_BOOL] = "true or false",
                                             [RUN_KEY_LIST] = "a list of texts",
                                             [RUN_KEY_NUMBER] = "a number" };
        bool ok = y->type == YAML_SCALAR;
        uint64_t n;
        size_t i;

        if (yaml_is_null(y))
                return;
        if (k->kind == RUN_KEY_BOOL)
                ok = ok && (sv_is(y->text, "true") || sv_is(y->text, "false"));
        else if (k->kind == RUN_KEY_NUMBER)
                ok = ok && sv_u64(y->text, &n);
        else if (k->kind == RUN_KEY_LIST)
                ok = y->type == YAML_SEQ && all_texts(y);
        if (!ok) {
                diag_add(ds, file, y->line, y->col, "EB560", "'%s' takes %s", k->name, wants[k->kind]);
                return;
        }
        if (k->kind == RUN_KEY_TEXT && k->choice && !is_choice(k->choice, y->text)) {
                i = diag_add(ds, file, y->line, y->col, "EB560", "'%.*s' is no value of '%s'", SV_ARG(y->text),
                             k->name);
                diag_hint(ds, i, "one of %s", k->choice);
        }
}

static sv target_names(struct arena *a)
{
        sv ret = { 0 };

        for (size_t i = 0; run_targets[i]; i++)
                ret = ret.n ? arena_fmt(a, "%.*s, %s", SV_ARG(ret), run_targets[i]->name)
                            : sv_from(run_targets[i]->name);
        return ret;
}

static void check_keys(struct diags *ds, sv file, const struct yaml *top, const struct run_target *t)
{
        for (size_t i = 0; i < top->n; i++) {
                const struct run_key *k = t->key;
                if (sv_is(top->v[i].key->text, "type"))
                        continue;
                while (k && k->name && !sv_is(top->v[i].key->text, k->name))
                        k++;
                if (k && k->name)
                        check_value(ds, file, k, top->v[i].value);
                else
                        unknown_key(ds, file, top->v[i].key, t);
        }
}

static void check_type(struct arena *a, struct diags *ds, sv file, const struct yaml *top, struct run_profile *ret)
{
        const struct yaml *type = yaml_get(top, "type");
        sv names = target_names(a);
        size_t i;

        if (!type || type->type != YAML_SCALAR) {
                i = diag_add(ds, file, top->line, top->col, "EB560", "a profile says what runs it: 'type'");
                diag_hint(ds, i, "one of %.*s", SV_ARG(names));
                return;
        }
        ret->target = run_target_find(type->text);
        if (!ret->target) {
                i = diag_add(ds, file, type->line, type->col, "EB560", "'%.*s' is no target", SV_ARG(type->text));
                diag_span(ds, i, (uint32_t)type->text.n);
                diag_hint(ds, i, "one of %.*s", SV_ARG(names));
        }
}

static int parse(struct arena *a, sv text, sv file, struct diags *ds, struct run_profile *ret, struct err *e)
{
        AUTO(err_done) struct err faults = { 0 };
        size_t errors = ds->n_errors;
        struct yaml *top;

        diag_source(ds, file, text);
        if (yaml_parse(a, text, file, ds, &top, &faults) < 0) {
                if (faults.code != ERR_USAGE)
                        return err_move(e, &faults);
        } else if (top->type != YAML_MAP) {
                diag_hint(ds, diag_add(ds, file, top->line, top->col, "EB560", "a profile is a mapping of keys"),
                          "write 'type: slurm'");
        } else {
                check_type(a, ds, file, top, ret);
                if (ret->target)
                        check_keys(ds, file, top, ret->target);
                ret->doc = top;
        }
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "the profile '%.*s' has %zu fault%s", SV_ARG(file), ds->n_errors - errors,
                               ds->n_errors - errors == 1 ? "" : "s");
        return 0;
}

static int load(struct arena *a, sv name, sv file, struct diags *ds, struct run_profile *ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(PROFILE_MAX);

        if (fs_read(file.p, &text, e) < 0)
                return err_while(e, "reading the profile '%.*s'", SV_ARG(name));
        *ret = (struct run_profile){ .name = arena_sv(a, name), .file = file };
        return parse(a, arena_sv(a, buf_sv(&text)), file, ds, ret, e);
}

/* "gpu.yml" → "gpu" */
static bool profile_name(const char *file, sv *ret)
{
        sv name = sv_from(file);

        if (sv_ends(name, SV(".yml")))
                name.n -= 4;
        else if (sv_ends(name, SV(".yaml")))
                name.n -= 5;
        else
                return false;
        *ret = name;
        return name.n && name.p[0] != '.';
}

static int names_in(sv dir, char ***ret, size_t *ret_n, struct err *e)
{
        *ret = NULL;
        *ret_n = 0;
        return !dir.n || !fs_is_dir(dir.p) ? 0 : fs_list(dir.p, ret, ret_n, e);
}

static int not_found(struct arena *a, sv dir, sv word, struct err *e)
{
        AUTO(free_ptr) char **file = NULL;
        AUTO(err_done) struct err ignored = { 0 };
        sv all = target_names(a), name;
        unsigned best = 3;
        const char *near = NULL;
        size_t n = 0;

        names_in(dir, &file, &n, &ignored);
        for (size_t i = 0; run_targets[i]; i++)
                near = nearer(word, sv_from(run_targets[i]->name), near, &best);
        for (size_t i = 0; i < n; i++)
                if (profile_name(file[i], &name)) {
                        name = arena_sv(a, name);
                        near = nearer(word, name, near, &best);
                        all = arena_fmt(a, "%.*s, %.*s", SV_ARG(all), SV_ARG(name));
                }
        err_set(e, ERR_USAGE, "there is no compute target '%.*s'", SV_ARG(word));
        if (near)
                err_hint(e, "did you mean '%s'? There are %.*s; a profile of your own is %.*s/%.*s.yml", near,
                         SV_ARG(all), SV_ARG(dir), SV_ARG(word));
        else
                err_hint(e, "there are %.*s; write %.*s/%.*s.yml with 'type: …', or choose with --on", SV_ARG(all),
                         SV_ARG(dir), SV_ARG(word));
        return -ERR_USAGE;
}

int run_profile_find(struct arena *a, sv name, struct diags *ds, struct run_profile *ret, struct err *e)
{
        static const char *const ends[] = { "yml", "yaml" };
        sv dir = profile_dir(a);

        if (!name.n)
                name = SV("local");
        if (sv_find(name, '/') >= 0 || name.p[0] == '.' || name.n > 200)
                return err_set(e, ERR_USAGE, "'%.*s' cannot name a compute target", SV_ARG(name));
        for (size_t i = 0; dir.n && i < ARRAY_LEN(ends); i++) {
                sv file = arena_fmt(a, "%.*s/%.*s.%s", SV_ARG(dir), SV_ARG(name), ends[i]);
                if (fs_exists(file.p))
                        return load(a, name, file, ds, ret, e);
        }
        *ret = (struct run_profile){ .name = arena_sv(a, name), .target = run_target_find(name) };
        return ret->target ? 0 : not_found(a, dir, name, e);
}

int run_profile_list(struct arena *a, struct diags *ds, struct run_profile **ret, size_t *ret_n, struct err *e)
{
        AUTO(free_ptr) char **file = NULL;
        sv dir = profile_dir(a), name;
        size_t n, n_file;

        if (names_in(dir, &file, &n_file, e) < 0)
                return -(int)e->code;
        *ret = arena_array(a, struct run_profile, n_file + 1);
        n = 0;
        for (size_t i = 0; i < n_file; i++) {
                AUTO(err_done) struct err one = { 0 };
                sv path = arena_fmt(a, "%.*s/%s", SV_ARG(dir), file[i]);
                if (!profile_name(file[i], &name))
                        continue;
                if (load(a, name, path, ds, &(*ret)[n], &one) == 0)
                        n++;
                else if (one.code != ERR_USAGE)
                        diag_add(ds, path, 0, 0, "EB560", "%s", one.cause);
        }
        *ret_n = n;
        return 0;
}

sv run_profile_str(const struct run_profile *p, const char *key, sv otherwise)
{
        const struct yaml *y = yaml_get(p->doc, key);

        return y && y->type == YAML_SCALAR && !yaml_is_null(y) ? y->text : otherwise;
}

bool run_profile_bool(const struct run_profile *p, const char *key, bool otherwise)
{
        sv text = run_profile_str(p, key, (sv){ 0 });

        return text.n ? sv_is(text, "true") : otherwise;
}

size_t run_profile_list_of(struct arena *a, const struct run_profile *p, const char *key, sv **ret)
{
        const struct yaml *y = yaml_get(p->doc, key);

        if (!y || y->type != YAML_SEQ)
                return 0;
        *ret = arena_array(a, sv, y->n + 1);
        for (size_t i = 0; i < y->n; i++)
                (*ret)[i] = y->v[i].value->text;
        return y->n;
}
