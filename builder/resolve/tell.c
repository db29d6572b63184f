#include <string.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "resolve/story_priv.h"

enum { MAX_LINES = 40, MAX_CHAINS = 8, MAX_LINKS = 16 };

static const char *const ban_text[] = {
        [BAN_NO] = "can't be used",
        [BAN_TAGS] = "has no file for this platform and Python",
        [BAN_PYTHON] = "needs another Python",
        [BAN_NEWER] = "is newer than the date allows",
        [BAN_SDIST] = "has no wheel, only sources",
        [BAN_HASH] = "has no file with one of the hashes asked for",
        [BAN_CHANNEL] = "is in a channel of lower priority only",
        [BAN_METADATA] = "has metadata that can't be read",
};
static const char *const ban_hint[] = {
        [BAN_NEWER] = "a later date for exclude-newer would allow it",
        [BAN_SDIST] = "only wheels are installed; sources are never built",
        [BAN_HASH] = "add the hashes of the files that may be used",
};

/* ---- words ---- */

static bool offered(const struct cand *c)
{
        return c->ban == BAN_NO && c->tier == TIER_NORMAL;
}

/* A set as it is best read: candidates that are not offered anyway fill its gaps; all that is offered is everything. */
static set_id readable(const struct story *st, uint32_t var, set_id set)
{
        const struct proof_var *v = &st->p->var[var];
        struct sets *sets = st->c->sets;
        bool all = true;
        uint32_t last = v->n;

        for (uint32_t i = 0; i < v->n; i++)
                all &= !offered(&v->name->cand[i]) || sets_has(sets, set, i);
        if (all && set != SET_NONE)
                return SET_ALL;
        for (uint32_t i = 0; i < v->n; i++) {
                if (sets_has(sets, set, i)) {
                        for (uint32_t k = last; k < i; k++)
                                set = sets_or(sets, set, sets_one(sets, k, v->n), v->n);
                        last = i + 1;
                } else if (offered(&v->name->cand[i])) {
                        last = v->n; /* a gap that must stay */
                }
        }
        return set;
}

static void say_set(const struct story *st, uint32_t var, set_id set, struct buf *out)
{
        const struct proof_var *v = &st->p->var[var];

        if (v->any)
                buf_add(out, v->any->text);
        else
                st->c->ops->text(st->c, v->id, readable(st, var, set), out);
}

/* What a fact asks for: as written, or the range that several say, or the one limit of several that counts. */
static void say_asked(const struct story *st, const struct fact *f, struct buf *out)
{
        bool limit = f->rel->kind == REL_LIMITS;
        const struct proof_var *v = &st->p->var[f->n ? f->lit[0].var : 0];

        if (limit && f->rel->n > 1 && f->lit[0].set == SET_NONE && v->name && f->n == 2) {
                buf_fmt(out, "rules out %.*s", SV_ARG(v->name->text));
                return;
        }
        buf_add(out, limit ? SV("allows only ") : SV("needs "));
        if ((f->mixed || (limit && f->rel->n > 1)) && f->lit[0].set != SET_NONE && f->n == 2)
                say_set(st, f->lit[0].var, f->lit[0].set, out);
        else
                buf_fmt(out, "%.*s%s", SV_ARG(f->rel->text),
                        f->alike && v->name && !v->name->absent ? " or the like" : "");
}

static void say_want(const struct fact *f, struct buf *out)
{
        buf_fmt(out, "%.*s (%s%.*s)", SV_ARG(f->rel->text), f->direct ? "your requirement, " : "", SV_ARG(f->rel->at));
}

static uint32_t root_of(const struct story *st, uint32_t var)
{
        return st->p->var[var].of;
}

/* Facts that only bind foo[x] to foo, or a relation to its terms, go without saying. */
static bool silent(const struct story *st, const struct fact *f)
{
        return f->kind == CLAUSE_SAME || f->kind == CLAUSE_TERM ||
               (f->kind == CLAUSE_REL && f->n == 2 && root_of(st, f->lit[0].var) == root_of(st, f->by));
}

/* ---- what is lacking ---- */

/* The candidates of a name that all used facts leave, had the index offered them. */
static set_id asked(const struct story *st, uint32_t root)
{
        set_id set = st->p->var[root].n ? SET_ALL : SET_NONE;

        for (size_t i = 0; i < st->n; i++) {
                const struct fact *f = &st->fact[i];
                if (f->used && f->kind != CLAUSE_HAVE && f->kind != CLAUSE_SAME && root_of(st, f->lit[0].var) == root &&
                    (f->n == 1 ? f->kind == CLAUSE_WANT : f->by != root))
                        set = sets_and(st->c->sets, set, f->lit[0].set, st->p->var[root].n);
        }
        return set;
}

/* The catalog's own words, or NULL. */
static const char *own_words(const struct story *st, uint8_t ban)
{
        return st->c->ops->ban_text ? st->c->ops->ban_text(ban) : NULL;
}

static const char *reason(const struct story *st, const struct cand *c)
{
        const char *own = c->ban == BAN_NO ? NULL : own_words(st, c->ban);

        if (c->ban != BAN_NO)
                return own ? own : ban_text[c->ban];
        return c->tier == TIER_PRERELEASE ? "is a pre-release"
               : c->tier == TIER_YANKED   ? "was withdrawn (yanked)"
                                          : NULL;
}

/* "lib==3 needs another Python; lib==4 is a pre-release": by reason, best candidates first. False when there is nothing to say. */
static bool say_reasons(const struct story *st, uint32_t root, const char *sep, struct buf *out)
{
        const struct proof_var *v = &st->p->var[root];
        struct sets *sets = st->c->sets;
        set_id left = asked(st, root);
        bool any = false;

        for (uint32_t i = sets_next(sets, left, 0, v->n); i < v->n; i = sets_next(sets, left, i + 1, v->n)) {
                const char *why = reason(st, &v->name->cand[i]);
                set_id group = SET_NONE;
                for (uint32_t k = i; why && k < v->n; k++)
                        if (sets_has(sets, left, k) && reason(st, &v->name->cand[k]) == why)
                                group = sets_or(sets, group, sets_one(sets, k, v->n), v->n);
                if (!why)
                        continue;
                left = sets_minus(sets, left, group, v->n);
                buf_add(out, any ? sv_from(sep) : SV(""));
                st->c->ops->text(st->c, v->id, group, out);
                buf_fmt(out, " %s", why);
                any = true;
        }
        return any;
}

static void say_newest(const struct story *st, uint32_t root, struct buf *out)
{
        const struct proof_var *v = &st->p->var[root];

        if (!v->name)
                return;
        for (uint32_t i = 0; i < v->n; i++)
                if (offered(&v->name->cand[i])) {
                        buf_add(out, SV(" The best there is: "));
                        st->c->ops->cand_text(st->c, v->id, i, out);
                        buf_byte(out, '.');
                        return;
                }
        if (v->n) {
                buf_fmt(out, " No %.*s can be used.", SV_ARG(v->name->text));
        }
}

static bool lacks(const struct story *st, uint32_t root)
{
        for (size_t i = 0; i < st->n; i++) {
                const struct fact *f = &st->fact[i];
                if (f->used && root_of(st, f->lit[0].var) == root &&
                    (f->kind == CLAUSE_HAVE || (f->rel && !f->mixed && f->lit[0].set == SET_NONE && !f->lit[0].none)))
                        return true;
        }
        return false;
}

static bool is_absent(const struct story *st, uint32_t root)
{
        return st->p->var[root].name && st->p->var[root].name->absent;
}

static sv lack(const struct story *st, uint32_t root)
{
        sv own = st->p->var[root].name->lack;

        return own.n ? own : SV("no index has");
}

/* ---- one sentence: chains that begin at lines of the user's and meet at one name ---- */

struct chain {
        const struct fact *want, *link[MAX_LINKS];
        size_t n;
        uint32_t end;
};

/* The only relation that goes on from a name; NULL: none. False: several, or too long. */
static bool next_link(const struct story *st, uint32_t root, struct fact **ret)
{
        *ret = NULL;
        for (size_t i = 0; i < st->n; i++) {
                struct fact *f = &st->fact[i];
                if (!f->used || f->told || f->kind != CLAUSE_REL || silent(st, f) || root_of(st, f->by) != root)
                        continue;
                if (*ret)
                        return false;
                *ret = f;
        }
        return true;
}

static bool chain_follow(const struct story *st, struct chain *c)
{
        struct fact *f;

        for (;;) {
                if (!next_link(st, c->end, &f) || (f && (c->n == MAX_LINKS || f->n == 1)))
                        return false;
                if (!f)
                        return true;
                f->told = true;
                c->link[c->n++] = f;
                c->end = root_of(st, f->lit[0].var);
        }
}

/* The used facts as chains, those with relations first. False when they are not of that shape. */
static bool chains_make(const struct story *st, struct chain *chain, size_t *n)
{
        *n = 0;
        for (size_t i = 0; i < st->n; i++)
                st->fact[i].told = false;
        for (size_t i = 0; i < st->n; i++) {
                const struct fact *f = &st->fact[i];
                struct chain c = { .want = f };
                size_t at = *n;
                if (!f->used || f->kind != CLAUSE_WANT)
                        continue;
                if (*n == MAX_CHAINS || f->n != 1)
                        return false;
                c.end = root_of(st, f->lit[0].var);
                if (!chain_follow(st, &c))
                        return false;
                while (c.n && at > 0 && chain[at - 1].n == 0) {
                        chain[at] = chain[at - 1];
                        at--;
                }
                chain[at] = c;
                ++*n;
        }
        for (size_t i = 0; i < st->n; i++) {
                const struct fact *f = &st->fact[i];
                bool ends = *n && f->kind == CLAUSE_HAVE && root_of(st, f->lit[0].var) == chain[0].end;
                if (f->used && f->kind != CLAUSE_WANT && !ends && !f->told &&
                    (!silent(st, f) || f->kind == CLAUSE_TERM))
                        return false;
        }
        for (size_t i = 1; i < *n; i++)
                if (chain[i].end != chain[0].end)
                        return false;
        return *n > 1 || (*n == 1 && (!chain[0].n || chain[0].link[chain[0].n - 1]->rel->kind == REL_NEEDS));
}

static void say_chain(const struct story *st, const struct chain *c, struct buf *out)
{
        say_want(c->want, out);
        for (size_t i = 0; i < c->n; i++) {
                buf_add(out, i ? SV(", which ") : SV(" "));
                say_asked(st, c->link[i], out);
        }
}

/* A line of the user's about the name that another chain has come to. */
static void say_meeting(const struct fact *f, struct buf *out)
{
        sv text = f->rel->text, at = f->rel->at;

        if (f->direct)
                buf_fmt(out, "you require %.*s (%.*s)", SV_ARG(text), SV_ARG(at));
        else
                buf_fmt(out, "%.*s %s %.*s", SV_ARG(at), f->rel->kind == REL_LIMITS ? "allows only" : "fixes",
                        SV_ARG(text));
}

/* What there is instead of what is asked for; false when the name is none of that kind. */
static bool say_have(const struct story *st, uint32_t root, const char *before, struct buf *out)
{
        const struct name *name = st->p->var[root].name;

        if (!name || !name->have.n || !name->n)
                return false;
        buf_fmt(out, "%s%.*s ", before, SV_ARG(name->have));
        st->c->ops->cand_text(st->c, st->p->var[root].id, 0, out);
        return true;
}

static void say_lone_lack(const struct story *st, const struct chain *c, struct buf *out)
{
        bool direct = c->n == 0;

        if (!is_absent(st, c->end) && say_have(st, c->end, direct ? ": " : ", but ", out)) {
                buf_byte(out, '.');
                return;
        }

        if (is_absent(st, c->end)) {
                if (direct)
                        buf_fmt(out, " is unknown: %.*s a package of that name.", SV_ARG(lack(st, c->end)));
                else
                        buf_fmt(out, ", which %.*s.", SV_ARG(lack(st, c->end)));
                return;
        }
        if (asked(st, c->end) == SET_NONE) {
                buf_add(out, direct ? SV(": there is no such version.") : SV(", and there is no such version."));
        } else {
                buf_add(out, direct ? SV(" can't be had: ") : SV(", but "));
                say_reasons(st, c->end, direct ? "; " : ", ", out);
                buf_byte(out, '.');
        }
        say_newest(st, c->end, out);
}

/* Lines that contradict each other without anyone else's help. */
static void tell_same_name(const struct story *st, const struct chain *chain, size_t n, struct buf *out)
{
        buf_add(out, SV("You require "));
        for (size_t i = 0; i < n; i++) {
                const struct fact *f = chain[i].want;
                buf_fmt(out, "%s%s%.*s (%.*s)",
                        i == 0       ? ""
                        : i + 1 == n ? " and "
                                     : ", ",
                        f->direct || i == 0          ? ""
                        : f->rel->kind == REL_LIMITS ? "allow only "
                                                     : "have ",
                        SV_ARG(f->rel->text), SV_ARG(f->rel->at));
        }
        buf_add(out, asked(st, chain[0].end) == SET_NONE ? SV(": no version is both.") : SV(": "));
        if (asked(st, chain[0].end) != SET_NONE) {
                say_reasons(st, chain[0].end, ", ", out);
                buf_byte(out, '.');
        }
        say_newest(st, chain[0].end, out);
        buf_byte(out, '\n');
}

static void tell_chains(const struct story *st, const struct chain *chain, size_t n, struct buf *out)
{
        AUTO(buf_done) struct buf reasons = BUF_INIT(1 << 16);

        if (n == 1) {
                say_chain(st, &chain[0], out);
                say_lone_lack(st, &chain[0], out);
                buf_byte(out, '\n');
                return;
        }
        if (chain[0].n == 0) {
                tell_same_name(st, chain, n, out);
                return;
        }
        say_chain(st, &chain[0], out);
        for (size_t i = 1; i < n; i++) {
                buf_add(out, i == 1 ? SV(", but ") : SV(", and "));
                if (chain[i].n)
                        say_chain(st, &chain[i], out);
                else
                        say_meeting(chain[i].want, out);
        }
        buf_byte(out, '.');
        if (lacks(st, chain[0].end) && say_reasons(st, chain[0].end, ", ", &reasons))
                buf_fmt(out, " What is left does not help: %.*s.", (int)reasons.n, reasons.p);
        else if (lacks(st, chain[0].end))
                buf_add(out, SV(" No version is in between."));
        buf_byte(out, '\n');
}

/* ---- a list: the lines of the user's, then what stands against them ---- */

static void tell_list_head(const struct story *st, struct buf *out)
{
        size_t n = 0, i = 0;

        for (size_t k = 0; k < st->n; k++)
                n += st->fact[k].used && st->fact[k].kind == CLAUSE_WANT;
        for (size_t k = 0; k < st->n; k++) {
                const struct fact *f = &st->fact[k];
                if (!f->used || f->kind != CLAUSE_WANT)
                        continue;
                buf_add(out, i == 0 ? SV("") : i + 1 == n ? SV(" and ") : SV(", "));
                if (n == 1)
                        say_want(f, out);
                else
                        buf_fmt(out, "%.*s (%.*s)", SV_ARG(f->rel->text), SV_ARG(f->rel->at));
                i++;
        }
        buf_add(out, n == 1 ? SV(" can't be had:\n") : SV(" can't be had together:\n"));
}

static void tell_have(const struct story *st, uint32_t root, struct buf *out)
{
        if (is_absent(st, root))
                buf_fmt(out, "  %.*s %.*s\n", SV_ARG(lack(st, root)), SV_ARG(st->p->var[root].name->text));
        else if (asked(st, root) != SET_NONE) {
                buf_add(out, SV("  "));
                if (!say_reasons(st, root, "\n  ", out))
                        buf_fmt(out, "no other %.*s is offered", SV_ARG(st->p->var[root].name->text));
                buf_byte(out, '\n');
        }
}

static void tell_rel(const struct story *st, const struct fact *f, struct buf *out)
{
        buf_add(out, SV("  "));
        say_set(st, f->by, f->n == 2 ? fact_who(st, f) : sets_not(st->c->sets, f->lit[0].set, st->p->var[f->by].n),
                out);
        buf_byte(out, ' ');
        say_asked(st, f, out);
        if (f->n == 1)
                buf_add(out, SV(", which can never be"));
        else if (is_absent(st, root_of(st, f->lit[0].var)))
                buf_fmt(out, ", which %.*s", SV_ARG(lack(st, root_of(st, f->lit[0].var))));
        else if (f->lit[0].set == SET_NONE && !f->lit[0].none &&
                 !say_have(st, root_of(st, f->lit[0].var), ", but ", out))
                buf_add(out, SV(": there is no such version"));
        buf_byte(out, '\n');
}

static void tell_fact(const struct story *st, const struct fact *f, struct buf *out)
{
        if (f->kind == CLAUSE_REL && !silent(st, f))
                tell_rel(st, f, out);
        else if (f->kind == CLAUSE_HAVE && !is_absent(st, root_of(st, f->lit[0].var)))
                tell_have(st, root_of(st, f->lit[0].var), out);
}

void tell_story(const struct story *st, struct buf *out)
{
        struct chain chain[MAX_CHAINS];
        size_t n, lines = 0;

        if (chains_make(st, chain, &n)) {
                tell_chains(st, chain, n, out);
                return;
        }
        tell_list_head(st, out);
        for (size_t i = 0; i < st->n; i++) {
                if (!st->fact[i].used || silent(st, &st->fact[i]) || st->fact[i].kind == CLAUSE_WANT)
                        continue;
                if (lines++ < MAX_LINES)
                        tell_fact(st, &st->fact[i], out);
        }
        if (lines > MAX_LINES)
                buf_fmt(out, "  and %zu more of that kind\n", lines - MAX_LINES);
}

/* ---- step by step ---- */

static void say_part(const struct story *st, const struct lit *l, bool who, struct buf *out)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
        const struct proof_var *v = &st->p->var[l->var];
        bool several;

        say_set(st, l->var, who && !v->any ? sets_not(st->c->sets, l->set, v->n) : l->set, &b);
        several = sv_find_sv(buf_sv(&b), SV(" or ")) >= 0;
        buf_fmt(out, "%s%.*s%s", several ? "(" : "", (int)b.n, b.p ? b.p : "", several ? ")" : "");
}

/* A learned clause in words: "a>=2 and b<3 can't be used together", "a>=2 with b<3 needs c>=1". */
static void say_clause(const struct story *st, const struct proof_node *x, struct buf *out)
{
        size_t who = 0, what = 0;

        for (uint32_t i = 0; i < x->n; i++)
                if (x->lit[i].none) {
                        buf_add(out, who++ ? SV(" and ") : SV(""));
                        say_part(st, &x->lit[i], true, out);
                }
        for (uint32_t i = 0; i < x->n; i++)
                if (!x->lit[i].none) {
                        buf_add(out, what++    ? SV(" or ")
                                     : who > 1 ? SV(" together need ")
                                     : who     ? SV(" needs ")
                                               : SV(""));
                        say_part(st, &x->lit[i], false, out);
                }
        if (!what)
                buf_add(out, who > 1 ? SV(" can't be used together") : SV(" can't be used"));
        else if (!who)
                buf_add(out, what > 1 ? SV(": one of them is needed") : SV(" is needed"));
}

static void tell_conclusion(const struct story *st, const struct proof_node *x, struct buf *out)
{
        buf_add(out, SV("  so "));
        say_clause(st, x, out);
        buf_byte(out, '\n');
}

static void tell_node(struct story *st, const struct proof_node *x, struct buf *out)
{
        struct fact f = { .kind = x->kind, .by = x->by, .rel = x->rel, .n = x->n };

        for (uint32_t i = 0; i < x->n; i++)
                f.lit[x->n == 2 && x->lit[i].var == x->by] = x->lit[i];
        tell_fact(st, &f, out);
}

/* What candidates say that a conclusion leans on and that was not told yet, in the order in which it was met. */
static size_t tell_reasons(struct story *st, const struct proof_node *x, bool *told, size_t room, struct buf *out)
{
        bool *mine = arena_array(st->a, bool, st->p->n + 1);
        size_t lines = 0;

        for (uint32_t k = 0; k < x->n_from; k++)
                mine[x->from[k]] = true;
        for (size_t i = 0; i < st->p->n && lines < room; i++)
                if (mine[i] && !told[i] && st->p->node[i].kind == CLAUSE_REL) {
                        told[i] = true;
                        tell_node(st, &st->p->node[i], out);
                        lines++;
                }
        return lines;
}

/* The facts directly before the conclusion that is drawn from them. */
void tell_lemmas(const struct story *given, struct buf *out)
{
        struct story st = *given;
        const struct proof *p = st.p;
        bool *told = arena_array(st.a, bool, p->n + 1);
        size_t lines = 0;

        for (size_t i = 0; i < st.n; i++)
                st.fact[i].used = st.fact[i].kind == CLAUSE_WANT;
        if (!p->limit)
                tell_list_head(&st, out);
        st.n = 0;
        for (size_t i = 0; i < p->n && lines < MAX_LINES; i++) {
                if (p->node[i].kind != CLAUSE_LEARNED)
                        continue;
                lines += tell_reasons(&st, &p->node[i], told, MAX_LINES - lines, out);
                if (p->node[i].n && lines++ < MAX_LINES)
                        tell_conclusion(&st, &p->node[i], out);
        }
        if (lines >= MAX_LINES) {
                buf_add(out, SV("  and so on: the whole proof is longer than anyone wants to read\n"));
                if (p->limit)
                        tell_conclusion(&st, &p->node[p->n - 1], out);
        }
}

/* ---- hints ---- */

static void hint_bans(const struct story *st, uint32_t root, struct buf *out)
{
        const struct proof_var *v = &st->p->var[root];
        set_id set = asked(st, root);
        bool said[ARRAY_LEN(ban_text)] = { false }, pre = false;

        for (uint32_t i = sets_next(st->c->sets, set, 0, v->n); i < v->n;
             i = sets_next(st->c->sets, set, i + 1, v->n)) {
                const struct cand *c = &v->name->cand[i];
                const char *hint = c->ban < ARRAY_LEN(ban_hint) && !own_words(st, c->ban) ? ban_hint[c->ban] : NULL;
                if (hint && !said[c->ban])
                        buf_fmt(out, "hint: %.*s: %s\n", SV_ARG(v->name->text), hint);
                said[c->ban] = true;
                if (c->ban == BAN_NO && c->tier == TIER_PRERELEASE && !pre) {
                        buf_add(out, SV("hint: name the pre-release to allow it: "));
                        st->c->ops->cand_text(st->c, v->id, i, out);
                        buf_byte(out, '\n');
                        pre = true;
                }
        }
}

static void hint_catalog(const struct story *st, uint32_t root, struct buf *out)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 16);
        sv rest, line;

        if (!st->c->ops->hints)
                return;
        st->c->ops->hints(st->c, st->p->var[root].id, asked(st, root), &b);
        for (rest = buf_sv(&b); sv_line(&rest, &line);)
                if (line.n)
                        buf_fmt(out, "hint: %.*s\n", SV_ARG(line));
}

void tell_hints(const struct story *st, struct buf *out)
{
        bool *told = arena_array(st->a, bool, st->p->n_var + 1);

        for (size_t i = 0; i < st->n; i++) {
                const struct fact *f = &st->fact[i];
                uint32_t root = f->used && f->n ? root_of(st, f->lit[0].var) : NO_VAR;
                if (root == NO_VAR || told[root] || !st->p->var[root].name ||
                    (!lacks(st, root) && !is_absent(st, root)))
                        continue;
                told[root] = true;
                if (st->p->var[root].name->near.n)
                        buf_fmt(out, "hint: did you mean '%.*s'?\n", SV_ARG(st->p->var[root].name->near));
                hint_bans(st, root, out);
                hint_catalog(st, root, out);
        }
}
