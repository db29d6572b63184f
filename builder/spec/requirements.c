#include "pkg/pyname.h"
#include "spec/requirements.h"

#define INCLUDES_MAX 1000 /* files of one definition, repeated ones counted */
#define NESTED_MAX   50
#define BYTES_MAX    ((size_t)32 << 20) /* of all of them */
#define LINES_MAX    20000
#define NAMES_MAX    1000 /* of --no-binary and --only-binary */

/* A file that is being read, and those that named it. */
struct level {
        const struct level *above;
        sv path;
        bool constraint;
        unsigned depth;
};
struct reader {
        struct spec_load *l;
        struct reqset *set;
        size_t n_files, bytes;
};

static void read_line(struct reader *r, const struct level *lv, const struct reqline *line);

static void read_lines(struct reader *r, const struct level *lv, sv text, struct spec_where at)
{
        struct reqline *v = NULL;
        size_t n = 0;

        reqline_split(r->l->a, text, at, r->l->io, &v, &n);
        for (size_t i = 0; i < n; i++)
                read_line(r, lv, &v[i]);
}

static void add_item(struct reader *r, struct spec_text **v, size_t *n, sv text, struct spec_where at)
{
        SPEC_PUSH(r->l->a, *v, *n, ((struct spec_text){ text, at }));
}

static int include_fault(struct reader *r, const struct reqline *line, const struct reqopt *o, const char *text,
                         const char *hint)
{
        size_t i =
                spec_fault(r->l->ds, line->at, line->wrote.n, "EB133", "%s '%.*s' %s", o->name, SV_ARG(o->wrote), text);

        if (hint)
                diag_hint(r->l->ds, i, "%s", hint);
        return -ERR_USAGE;
}

/* -r and -c: paths are relative to the file that names them. */
static void include(struct reader *r, const struct level *lv, const struct reqline *line, const struct reqopt *o)
{
        struct level next = { lv, spec_path_join(r->l->a, spec_path_dir(r->l->a, lv->path), o->value),
                              o->id == REQOPT_CONSTRAINT, lv->depth + 1 };
        struct err e = { 0 };
        sv text;

        if (sv_starts(o->value, SV("file:"))) {
                include_fault(r, line, o, "is a URL of this machine", "write the path");
                return;
        }
        for (const struct level *up = lv; up; up = up->above)
                if (sv_eq(spec_path_join(r->l->a, SV(""), up->path), next.path)) {
                        include_fault(r, line, o, "leads back to a file that is being read", "take this line out");
                        return;
                }
        if (next.depth > NESTED_MAX || ++r->n_files > INCLUDES_MAX) {
                include_fault(r, line, o, "is one file too many", "join the files");
                return;
        }
        if (spec_read_text(r->l, next.path, &text, &e) < 0) {
                if (e.code != ERR_USAGE)
                        diag_hint(r->l->ds, spec_fault(r->l->ds, line->at, line->wrote.n, "EB106", "%s", e.cause),
                                  "paths in a requirements file are relative to that file");
                err_done(&e);
                return;
        }
        r->bytes += text.n;
        if (r->bytes > BYTES_MAX)
                include_fault(r, line, o, "is one file too many", "join the files");
        else
                read_lines(r, &next, text, (struct spec_where){ next.path, 1, 1 });
}

static bool is_name(const struct spec_text *t, sv name)
{
        return sv_eq_nocase(t->text, name);
}

static void drop_name(struct spec_text *v, size_t *n, sv name)
{
        size_t kept = 0;

        for (size_t i = 0; i < *n; i++)
                if (!is_name(&v[i], name))
                        v[kept++] = v[i];
        *n = kept;
}

/* A list that shrinks cannot tell its capacity from its length: it is copied whenever it grows. They are short. */
static bool push_name(struct spec_load *l, struct spec_text **v, size_t *n, sv name, struct spec_where at)
{
        struct spec_text t = { name, at };

        for (size_t i = 0; i < *n; i++)
                if (is_name(&(*v)[i], name))
                        return true;
        if (*n == NAMES_MAX) {
                spec_fault(l->ds, at, 1, "EB130", "more than %d names", NAMES_MAX);
                return false;
        }
        *v = spec_concat(l->a, *v, *n, &t, 1, sizeof(t));
        ++*n;
        return true;
}

/* "--no-binary foo,bar", ":all:", ":none:": pip's rules, the two lists exclude each other. */
static void format_control(struct reader *r, const struct reqline *line, const struct reqopt *o)
{
        bool no = o->id == REQOPT_NO_BINARY;
        struct spec_text **target = no ? &r->set->no_binary : &r->set->only_binary;
        struct spec_text **other = no ? &r->set->only_binary : &r->set->no_binary;
        size_t *n_target = no ? &r->set->n_no_binary : &r->set->n_only_binary;
        size_t *n_other = no ? &r->set->n_only_binary : &r->set->n_no_binary;
        sv rest = o->value, names = rest, name;
        bool all = false, none = false;

        while (sv_cut(&rest, ',', &name))
                if (sv_is(name, ":all:")) {
                        *n_other = *n_target = 0;
                        push_name(r->l, target, n_target, name, line->at);
                        names = rest;
                        none = false;
                        all = true;
                } else {
                        none |= sv_is(name, ":none:");
                }
        if (all && !none)
                return;
        rest = names;
        while (sv_cut(&rest, ',', &name)) {
                if (sv_is(name, ":none:")) {
                        *n_target = 0;
                        continue;
                }
                name = pyname_normalise(r->l->a, name);
                drop_name(*other, n_other, name);
                if (!push_name(r->l, target, n_target, name, line->at))
                        return;
        }
}

static void find_links(struct reader *r, const struct level *lv, const struct reqline *line, const struct reqopt *o)
{
        sv value = o->wrote, dir = spec_path_dir(r->l->a, lv->path);
        bool scheme = sv_find_sv(value, SV("://")) >= 0 || sv_starts(value, SV("file:")) || sv_starts(value, SV("${"));

        if (!scheme)
                value = spec_path_relative(r->l->a, spec_path_dir(r->l->a, r->l->file),
                                           spec_path_join(r->l->a, dir, value));
        add_item(r, &r->set->find_links, &r->set->n_find_links, value.n ? value : SV("."), line->at);
}

static void index_options(struct reader *r, const struct reqline *line, const struct reqopts *o)
{
        const struct reqopt *index = reqopts_get(o, REQOPT_INDEX_URL);
        struct reqset *set = r->set;

        if (reqopts_get(o, REQOPT_NO_INDEX)) {
                set->no_index = true;
                set->n_index = 0;
                set->index = NULL;
                set->index_given = false;
        }
        if (set->no_index)
                return;
        if (index) {
                if (set->n_index > set->index_given)
                        diag_hint(r->l->ds,
                                  spec_warn(r->l->ds, line->at, line->wrote.n, "EB130",
                                            "--index-url takes the place of all indexes named before it, as in pip"),
                                  "write --index-url first, --extra-index-url after it");
                set->n_index = 0;
                set->index = NULL;
                set->index_given = true;
                add_item(r, &set->index, &set->n_index, index->wrote, line->at);
        }
        for (size_t i = 0; i < o->n; i++)
                if (o->v[i].id == REQOPT_EXTRA_INDEX_URL)
                        add_item(r, &set->index, &set->n_index, o->v[i].wrote, line->at);
}

static void releases(struct reader *r, const struct reqline *line, const struct reqopt *o)
{
        if (sv_is(o->value, ":none:"))
                r->set->pre = false;
        else if (sv_is(o->value, ":all:"))
                r->set->pre = o->id == REQOPT_ALL_RELEASES;
        else
                diag_hint(r->l->ds,
                          spec_fault(r->l->ds, line->at, line->wrote.n, "EB107",
                                     "%s for single packages is not supported", o->name),
                          "name a pre-release in the requirement itself: 'NAME>=2.0a1'");
}

static void option_line(struct reader *r, const struct level *lv, const struct reqline *line, const struct reqopts *o)
{
        const struct reqopt *first_links = reqopts_first(o, REQOPT_FIND_LINKS);

        index_options(r, line, o);
        if (first_links)
                find_links(r, lv, line, first_links);
        for (size_t i = 0; i < o->n; i++) {
                const struct reqopt *opt = &o->v[i];
                r->set->pre |= opt->id == REQOPT_PRE;
                r->set->prefer_binary |= opt->id == REQOPT_PREFER_BINARY;
                r->set->require_hashes |= opt->id == REQOPT_REQUIRE_HASHES;
                if (opt->id == REQOPT_ALL_RELEASES || opt->id == REQOPT_ONLY_FINAL)
                        releases(r, line, opt);
                else if (opt->id == REQOPT_HASH)
                        spec_warn(r->l->ds, line->at, line->wrote.n, "EB132",
                                  "a --hash without a requirement has no effect");
                else if (opt->id == REQOPT_TRUSTED_HOST)
                        diag_hint(r->l->ds,
                                  spec_warn(r->l->ds, line->at, line->wrote.n, "EB130",
                                            "--trusted-host has no effect: certificates are always checked"),
                                  "give the host's certificate authority in SSL_CERT_FILE");
                else if (opt->id == REQOPT_USE_FEATURE)
                        spec_note(r->l->ds, line->at, line->wrote.n, "EB130",
                                  "--use-feature has no effect: it is about pip's own code");
        }
}

static void requirement_line(struct reader *r, const struct level *lv, const struct reqline *line,
                             const struct reqopts *o)
{
        const struct reqopt *editable = reqopts_first(o, REQOPT_EDITABLE);
        struct spec_reqline q = {
                .at = line->at, .text = o->args, .wrote = o->args_wrote, .constraint = lv->constraint
        };

        if (o->args.n == 0) {
                q.editable = true;
                q.text = editable->value;
                q.wrote = editable->wrote;
        }
        for (size_t i = 0; i < o->n && !q.editable; i++) {
                const struct reqopt *opt = &o->v[i];
                size_t sep = (size_t)(sv_find(opt->value, opt->id == REQOPT_HASH ? ':' : '=') + 1);
                sv key = sep ? sv_from_to(opt->value, 0, sep - 1) : SV(""), value = sv_skip(opt->value, sep);
                if (opt->id == REQOPT_HASH)
                        SPEC_PUSH(r->l->a, q.hashes, q.n_hashes, ((struct spec_hash){ key, value }));
                else if (opt->id == REQOPT_CONFIG_SETTINGS)
                        SPEC_PUSH(r->l->a, q.settings, q.n_settings, ((struct spec_pair){ key, value, line->at }));
                else
                        q.misplaced = sv_from(opt->name);
        }
        if (r->set->n_line == LINES_MAX)
                spec_fault(r->l->ds, line->at, 1, "EB131", "more than %d requirements", LINES_MAX);
        if (r->set->n_line <= LINES_MAX)
                SPEC_PUSH(r->l->a, r->set->line, r->set->n_line, q);
}

static void read_line(struct reader *r, const struct level *lv, const struct reqline *line)
{
        struct reqopts o;
        const struct reqopt *file;

        if (!reqopts_parse(r->l->a, line, r->l->ds, &o))
                return;
        for (size_t i = 0; i < o.n; i++) /* as in pip these act while parsing, wherever they stand */
                if (o.v[i].id == REQOPT_NO_BINARY || o.v[i].id == REQOPT_ONLY_BINARY)
                        format_control(r, line, &o.v[i]);
        if (o.dropped.n)
                spec_warn(r->l->ds, line->at, line->wrote.n, "EB130",
                          "'%.*s' is dropped, as pip does: an option's value is one word", SV_ARG(o.dropped));
        if (o.args.n || reqopts_get(&o, REQOPT_EDITABLE)) {
                requirement_line(r, lv, line, &o);
                return;
        }
        file = reqopts_first(&o, REQOPT_REQUIREMENT);
        if (!file)
                file = reqopts_first(&o, REQOPT_CONSTRAINT);
        if (file)
                include(r, lv, line, file);
        else
                option_line(r, lv, line, &o);
}

int reqset_file(struct spec_load *l, struct reqset *set, sv path, struct err *e)
{
        struct reader r = { .l = l, .set = set };
        struct level top = { .path = path };
        sv text;
        int rc = spec_read_text(l, path, &text, e);

        if (rc < 0)
                return rc;
        read_lines(&r, &top, text, (struct spec_where){ path, 1, 1 });
        return 0;
}

void reqset_text(struct spec_load *l, struct reqset *set, sv text, struct spec_where at)
{
        struct reader r = { .l = l, .set = set };
        struct level top = { .path = at.line ? l->file : SV("") };

        read_lines(&r, &top, text, at);
}

/* What a URL of a definition may be; a password in it is told, and shown nowhere. */
static void check_index(struct spec_load *l, const struct spec_text *t)
{
        sv host = sv_skip(t->text, (size_t)(sv_find_sv(t->text, SV("://")) + 3));

        if (sv_starts(t->text, SV("${")) || (spec_is_url(t->text) && host.n && host.p[0] != '/'))
                return;
        if (sv_starts(t->text, SV("file:")) || sv_find_sv(t->text, SV("://")) < 0)
                diag_hint(l->ds, spec_fault(l->ds, t->at, 0, "EB107", "an index must be on a server (https://…)"),
                          "for a folder of wheels write '--find-links DIR'");
        else
                diag_hint(
                        l->ds,
                        spec_fault(l->ds, t->at, 0, "EB135", "an index is reached by https:// (or http://) and a host"),
                        "write https://HOST/simple");
}

void reqset_finish(struct spec_load *l, const struct reqset *set)
{
        struct spec *s = l->s;

        for (size_t i = 0; i < set->n_index; i++) {
                check_index(l, &set->index[i]);
                spec_check_password(l, set->index[i].text, set->index[i].at, 0);
        }
        for (size_t i = 0; i < set->n_find_links; i++)
                spec_check_password(l, set->find_links[i].text, set->find_links[i].at, 0);
        s->index = set->index;
        s->n_index = set->n_index;
        s->index_given = set->index_given;
        s->no_index = set->no_index;
        s->pre |= set->pre;
        s->prefer_binary |= set->prefer_binary;
        s->require_hashes |= set->require_hashes;
        s->find_links = set->find_links;
        s->n_find_links = set->n_find_links;
        s->no_binary = set->no_binary;
        s->n_no_binary = set->n_no_binary;
        s->only_binary = set->only_binary;
        s->n_only_binary = set->n_only_binary;
        for (size_t i = 0; i < set->n_line; i++)
                spec_requirement(l, &set->line[i]);
}

int spec_requirements_read(struct arena *a, sv path, const struct spec_io *io, struct diags *ds, struct spec *into,
                           struct err *e)
{
        struct spec_load l = { .a = a, .io = io, .ds = ds, .s = into, .file = path };
        struct reqset set = { 0 };
        size_t errors = ds->n_errors;

        if (reqset_file(&l, &set, path, e) < 0)
                return -(int)e->code;
        reqset_finish(&l, &set);
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "'%.*s' has faults", SV_ARG(path));
        return 0;
}
