#include "base/cleanup.h"
#include "catalog/conda_priv.h"
#include "net/url.h"

static bool channel_listed(const struct catalog_conda *c, sv url)
{
        for (size_t i = 0; i < c->opts.n_channel; i++)
                if (sv_eq(c->opts.channel[i].url, url))
                        return true;
        return false;
}

/* A spec filters channels, it never adds one. A glob is for the records to judge. */
static bool channel_known(const struct catalog_conda *c, const struct matchspec *m)
{
        if (!m->channel.n && !m->n_channels)
                return true;
        if (sv_find(m->channel, '*') >= 0)
                return true;
        for (size_t i = 0; i < m->n_channels; i++)
                if (channel_listed(c, m->channels[i]))
                        return true;
        return !m->n_channels && channel_listed(c, m->channel);
}

static void say_channels(const struct catalog_conda *c, struct diags *ds, size_t at)
{
        AUTO(buf_done) struct buf b = BUF_INIT(4096);

        for (size_t i = 0; i < c->opts.n_channel; i++)
                buf_fmt(&b, "%s%.*s", i ? ", " : "", SV_ARG(c->opts.channel[i].name));
        if (b.n)
                diag_hint(ds, at, "add it to 'channels', which lists %s; a spec only chooses among them", b.p);
        else
                diag_hint(ds, at, "add it to 'channels'; a spec only chooses among them");
}

/* Faults of one spec. */
static bool check(struct catalog_conda *c, const struct spec_text *t, struct conda_says *s, struct diags *ds)
{
        size_t i;

        if (!conda_says_parse(c, s)) {
                i = diag_add(ds, t->at.file, t->at.line, t->at.col, "EB137", "'%.*s' is not a MatchSpec: %.*s",
                             SV_ARG(t->text), SV_ARG(s->bad));
                diag_span(ds, i, (uint32_t)t->text.n);
                return false;
        }
        if (channel_known(c, &s->m))
                return true;
        i = diag_add(ds, t->at.file, t->at.line, t->at.col, "EB136",
                     "'%.*s' asks for channel '%.*s', which is not listed", SV_ARG(t->text), SV_ARG(s->m.channel_text));
        diag_span(ds, i, (uint32_t)t->text.n);
        say_channels(c, ds, i);
        return false;
}

static sv where_text(struct arena *a, const struct spec_where *at)
{
        if (!at->line)
                return arena_sv(a, at->file);
        return arena_fmt(a, "%.*s:%u:%u", SV_ARG(at->file), at->line, at->col);
}

static int want_of(struct catalog_conda *c, const struct spec_text *t, struct conda_says *s, struct arena *a,
                   struct resolve_want *ret, struct err *e)
{
        struct term *term = arena_new(a, struct term);

        term->name = s->name->pub.of;
        if (conda_says_set(c, s, &term->set, e) < 0)
                return -(int)e->code;
        *ret = (struct resolve_want){ .direct = true };
        ret->rel = (struct rel){ .id = c->n_rel++,
                                 .kind = REL_NEEDS,
                                 .n = 1,
                                 .term = term,
                                 .text = arena_sv(a, t->text),
                                 .at = where_text(a, &t->at) };
        return 0;
}

int conda_wants(struct catalog_conda *c, const struct spec_text *spec, size_t n, struct arena *a, struct diags *ds,
                struct resolve_want **ret, size_t *ret_n, struct err *e)
{
        struct resolve_want *v = arena_array(a, struct resolve_want, n + 1);
        struct conda_says **says = arena_array(a, struct conda_says *, n + 1);
        bool good = true;

        for (size_t i = 0; i < n; i++) {
                says[i] = conda_says_of(c, arena_sv(&c->arena, spec[i].text));
                good = check(c, &spec[i], says[i], ds) && good;
        }
        if (!good)
                return err_set(e, ERR_USAGE, "the packages asked for can't be read");
        for (size_t i = 0; i < n; i++) { /* all of them, before the first records are read */
                struct conda_name *name = says[i]->name;
                *arena_push(&c->arena, name->wanted, name->n_wanted, name->cap_wanted) = says[i];
        }
        for (size_t i = 0; i < n; i++) {
                if (!says[i]->name->is_virtual)
                        c->source->ops->soon(c->source, says[i]->name->pub.text);
        }
        for (size_t i = 0; i < n; i++)
                if (want_of(c, &spec[i], says[i], a, &v[i], e) < 0)
                        return -(int)e->code;
        *ret = v;
        *ret_n = n;
        return 0;
}

/* The same file as then; where only its build is the same (another channel, a patched hash), it is still the best guess. */
static bool same_build(const struct conda_record *r, const struct artifact *art)
{
        return sv_eq(r->version, art->version) && sv_eq(r->build, art->build);
}

static bool same_file(const struct conda_record *r, const struct artifact *art)
{
        return same_build(r, art) && (r->has_sha256 ? sha256_eq(&r->sha256, &art->sha256) : sv_eq(r->url, art->url));
}

bool conda_prefer(struct catalog_conda *c, const struct artifact *art, struct term *ret, struct err *e)
{
        struct conda_name *n;
        uint32_t found = UINT32_MAX;

        if (art->kind != ARTIFACT_CONDA)
                return false;
        n = conda_name_of(c, art->name);
        if (conda_name_ready(c, n, e) < 0)
                return false;
        for (uint32_t i = 0; i < n->n && !n->is_virtual; i++) {
                if (n->cand[i].ban || !same_build(n->cand[i].r, art))
                        continue;
                if (found == UINT32_MAX || (same_file(n->cand[i].r, art) && !same_file(n->cand[found].r, art)))
                        found = i;
        }
        if (found == UINT32_MAX)
                return false;
        *ret = (struct term){ n->pub.of, sets_one(c->catalog.sets, found, n->n) };
        return true;
}
