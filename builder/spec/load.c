#include "base/cleanup.h"
#include "spec/requirements.h"

static void load_requirements(struct spec_load *l, sv text)
{
        struct reqset set = { 0 };

        l->s->has_pip_section = true;
        reqset_text(l, &set, text, (struct spec_where){ l->file, 1, 1 });
        reqset_finish(l, &set);
}

static int load_yaml(struct spec_load *l, sv text, struct err *e)
{
        struct err faults = { 0 };
        struct yaml *top;

        if (spec_other_name(l))
                return 0;
        if (yaml_parse(l->a, text, l->file, l->ds, &top, &faults) < 0) {
                bool told = faults.code == ERR_USAGE;
                if (!told)
                        return err_move(e, &faults);
                err_done(&faults);
                return 0;
        }
        if (spec_azureml(l, top)) {
                return 0;
        } else if (!spec_other_form(l, top)) {
                spec_environment(l, top);
                spec_selectors(l, text);
        }
        return 0;
}

static int load(struct spec_load *l, struct err *e)
{
        enum spec_form form;
        sv text;

        if (spec_read_text(l, l->file, &text, e) < 0)
                return -(int)e->code;
        form = spec_form_of(l->file, text);
        if (spec_finished(l, form))
                return 0;
        if (form != SPEC_FORM_REQUIREMENTS)
                return load_yaml(l, text, e);
        load_requirements(l, text);
        return 0;
}

/* What a file names beside itself is given as seen from the first file's folder. */
static void rebase(struct spec_load *l, sv from_dir, sv to_dir)
{
        struct spec *s = l->s;

        if (sv_eq(from_dir, to_dir))
                return;
        for (size_t i = 0; i < s->n_files; i++)
                s->files[i].value = spec_path_relative(l->a, to_dir, spec_path_join(l->a, from_dir, s->files[i].value));
        for (size_t i = 0; i < s->n_certificates; i++)
                s->certificates[i].text =
                        spec_path_relative(l->a, to_dir, spec_path_join(l->a, from_dir, s->certificates[i].text));
        for (size_t i = 0; i < s->n_find_links; i++) {
                sv *t = &s->find_links[i].text;
                if (sv_find_sv(*t, SV("://")) < 0 && !sv_starts(*t, SV("${")))
                        *t = spec_path_relative(l->a, to_dir, spec_path_join(l->a, from_dir, *t));
        }
}

void spec_load_beside(struct spec_load *l, struct spec_where at, sv path)
{
        AUTO(err_done) struct err e = { 0 };
        struct spec_load in = { l->a,
                                l->io,
                                l->ds,
                                arena_new(l->a, struct spec),
                                spec_path_join(l->a, spec_path_dir(l->a, l->file), path),
                                .named = true };
        int r = load(&in, &e);

        if (r < 0 && r != -ERR_USAGE) {
                diag_hint(l->ds, spec_fault(l->ds, at, path.n, "EB106", "%s", e.cause),
                          "paths are relative to the file that names them");
                return;
        }
        rebase(&in, spec_path_dir(l->a, in.file), spec_path_dir(l->a, l->file));
        spec_merge(l, in.s);
}

int spec_load(struct arena *a, const sv *paths, size_t n, const struct spec_io *io, struct diags *ds, struct spec **ret,
              struct err *e)
{
        struct spec *s = arena_new(a, struct spec);
        size_t errors = ds->n_errors;

        for (size_t i = 0; i < n; i++) {
                struct spec_load l = { a, io, ds, i ? arena_new(a, struct spec) : s, paths[i] };
                int r;
                if (i == 0) {
                        s->definition = sv_basename(paths[0]);
                        s->dir = spec_path_dir(a, paths[0]);
                }
                r = load(&l, e);
                if (r < 0 && r != -ERR_USAGE)
                        return err_while(e, "reading the definition '%.*s'", SV_ARG(paths[i]));
                err_done(e); /* ERR_USAGE: told in ds, and the other files may have faults too */
                if (i) {
                        struct spec_load into = { a, io, ds, s, paths[i] };
                        rebase(&l, spec_path_dir(a, paths[i]), s->dir);
                        spec_merge(&into, l.s);
                }
        }
        if (!s->name.n)
                s->name = spec_name_of(a, n ? paths[0] : SV(""));
        diag_sort(ds);
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "the definition has %zu fault%s", ds->n_errors - errors,
                               ds->n_errors - errors == 1 ? "" : "s");
        *ret = s;
        return 0;
}
