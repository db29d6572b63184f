#include "base/toml.h"

#include <string.h>

#include "base/toml_priv.h"

enum {
        INDEX_FROM = 16, /* members; fewer are looked through */
        PARTS_MAX = 64   /* of a dotted key */
};

bool toml_bad(struct toml_reader *r, const char *at, const char *text)
{
        uint32_t line = 1;
        const char *begin = r->start;

        if (r->fault->text)
                return false;
        for (const char *p = r->start; p < at; p++)
                if (*p == '\n') {
                        line++;
                        begin = p + 1;
                }
        *r->fault = (struct toml_fault){ line, (uint32_t)(at - begin) + 1, text };
        return false;
}

/* Lines and columns of values are counted where the reader is, which only ever goes forward: see toml_parse. */
struct toml *toml_new(struct toml_reader *r, enum toml_type type, const char *at)
{
        struct toml *t = arena_new(r->a, struct toml);

        while (r->counted < at) {
                if (*r->counted++ == '\n') {
                        r->line++;
                        r->line_start = r->counted;
                }
        }
        t->type = type;
        t->line = r->line;
        t->col = (uint32_t)(at - r->line_start) + 1;
        return t;
}

/* --- white space --- */

void toml_blanks(struct toml_reader *r)
{
        while (toml_at(r, ' ') || toml_at(r, '\t'))
                r->p++;
}

static bool comment(struct toml_reader *r)
{
        if (!toml_at(r, '#'))
                return true;
        for (r->p++; r->p < r->end && *r->p != '\n'; r->p++) {
                unsigned char c = (unsigned char)*r->p;

                if (c == '\r' && r->p + 1 < r->end && r->p[1] == '\n')
                        break;
                if ((c < ' ' && c != '\t') || c == 0x7f)
                        return toml_bad(r, r->p, "a control character in a comment");
        }
        return true;
}

static bool line_break(struct toml_reader *r)
{
        if (toml_at(r, '\r') && r->p + 1 < r->end && r->p[1] == '\n')
                r->p++;
        if (!toml_at(r, '\n'))
                return false;
        r->p++;
        return true;
}

bool toml_line_end(struct toml_reader *r)
{
        toml_blanks(r);
        if (!comment(r))
                return false;
        return r->p == r->end || line_break(r) || toml_bad(r, r->p, "one assignment a line: something follows it");
}

bool toml_space(struct toml_reader *r)
{
        do {
                toml_blanks(r);
                if (!comment(r))
                        return false;
        } while (line_break(r));
        return true;
}

/* --- tables --- */

static struct toml_member *find(struct toml *t, sv key)
{
        if (t->n >= INDEX_FROM)
                return map_get(&t->index, key);
        for (size_t i = 0; i < t->n; i++)
                if (sv_eq(t->v[i].key, key))
                        return &t->v[i];
        return NULL;
}

/* The index points to members of its own, since the array moves. */
static void add_to_index(struct toml_reader *r, struct toml *t, size_t i)
{
        struct toml_member *m = arena_new(r->a, struct toml_member);

        *m = t->v[i];
        map_put(&t->index, r->a, m->key, m);
}

static void add(struct toml_reader *r, struct toml *t, sv key, struct toml *value)
{
        *arena_push(r->a, t->v, t->n, t->cap) = (struct toml_member){ key, value };
        if (t->n == INDEX_FROM)
                for (size_t i = 0; i < t->n; i++)
                        add_to_index(r, t, i);
        else if (t->n > INDEX_FROM)
                add_to_index(r, t, t->n - 1);
}

/* --- keys --- */

static bool is_bare(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
}

static bool key_part(struct toml_reader *r, sv *ret)
{
        const char *at = r->p;

        if (toml_at(r, '"') || toml_at(r, '\''))
                return toml_string(r, false, ret);
        while (r->p < r->end && is_bare(*r->p))
                r->p++;
        if (r->p == at)
                return toml_bad(r, at, "a key is missing: letters, digits, '-' and '_', or a text in quotes");
        *ret = arena_sv(r->a, (sv){ at, (size_t)(r->p - at) });
        return true;
}

/* True when another part follows the dot that was taken. */
static bool dot(struct toml_reader *r, unsigned *parts)
{
        toml_blanks(r);
        if (!toml_at(r, '.') || ++*parts > PARTS_MAX)
                return false;
        r->p++;
        toml_blanks(r);
        return true;
}

/* One step down a dotted key: tables that a header made, or another header's dotted keys, are not reached into. */
static struct toml *step(struct toml_reader *r, struct toml *t, sv key, const char *at)
{
        struct toml_member *m = find(t, key);
        struct toml *next = m ? m->value : NULL;

        if (!next) {
                next = toml_new(r, TOML_TABLE, at);
                next->dotted = true;
                next->section = r->section;
                add(r, t, key, next);
                return next;
        }
        if (next->type != TOML_TABLE || next->closed ||
            (next->section && !(next->dotted && next->section == r->section))) {
                toml_bad(r, at, "this key reaches into what was given before");
                return NULL;
        }
        next->section = r->section;
        next->dotted = true;
        return next;
}

bool toml_assignment(struct toml_reader *r, struct toml *table)
{
        const char *at = r->p;
        struct toml *value;
        unsigned parts = 0;
        sv key;

        if (!key_part(r, &key))
                return false;
        while (dot(r, &parts)) {
                if (!(table = step(r, table, key, at)))
                        return false;
                at = r->p;
                if (!key_part(r, &key))
                        return false;
        }
        if (!toml_at(r, '='))
                return toml_bad(r, r->p, "a key is followed by '='");
        r->p++;
        toml_blanks(r);
        if (find(table, key))
                return toml_bad(r, at, "this key was given before");
        if (!toml_value(r, &value))
                return false;
        add(r, table, key, value);
        return true;
}

/* --- headers --- */

/* One step of a header's path: the last one of a list of tables stands for it. */
static struct toml *walk(struct toml_reader *r, struct toml *t, sv key, const char *at)
{
        struct toml_member *m = find(t, key);
        struct toml *next = m ? m->value : NULL;

        if (!next) {
                next = toml_new(r, TOML_TABLE, at);
                add(r, t, key, next);
        }
        if (next->type == TOML_ARR && next->tables)
                next = next->v[next->n - 1].value;
        if (next->type == TOML_TABLE && !next->closed)
                return next;
        toml_bad(r, at, "this key is no table that could be added to");
        return NULL;
}

static struct toml *open_table(struct toml_reader *r, struct toml *t, sv key, const char *at)
{
        struct toml_member *m = find(t, key);
        struct toml *one = m ? m->value : NULL;

        if (!one) {
                one = toml_new(r, TOML_TABLE, at);
                add(r, t, key, one);
        } else if (one->type != TOML_TABLE || one->closed || one->section) {
                toml_bad(r, at, "this table was given before");
                return NULL;
        }
        one->section = r->section;
        return one;
}

static struct toml *open_element(struct toml_reader *r, struct toml *t, sv key, const char *at)
{
        struct toml_member *m = find(t, key);
        struct toml *list = m ? m->value : NULL, *one = toml_new(r, TOML_TABLE, at);

        if (!list) {
                list = toml_new(r, TOML_ARR, at);
                list->tables = true;
                add(r, t, key, list);
        } else if (list->type != TOML_ARR || !list->tables) {
                toml_bad(r, at, "this key was given before, and not as [[ ]]");
                return NULL;
        }
        one->section = r->section;
        *arena_push(r->a, list->v, list->n, list->cap) = (struct toml_member){ { 0 }, one };
        return one;
}

/* "[a.b]" or "[[a.b]]". */
static bool header(struct toml_reader *r, struct toml *root, struct toml **ret)
{
        bool list = r->end - r->p > 1 && r->p[1] == '[';
        struct toml *t = root;
        const char *at;
        unsigned parts = 0;
        sv key;

        r->section++;
        r->p += list ? 2 : 1;
        toml_blanks(r);
        at = r->p;
        if (!key_part(r, &key))
                return false;
        while (dot(r, &parts)) {
                if (!(t = walk(r, t, key, at)))
                        return false;
                at = r->p;
                if (!key_part(r, &key))
                        return false;
        }
        if (!toml_at(r, ']') || (list && !(r->end - r->p > 1 && r->p[1] == ']')))
                return toml_bad(r, r->p, list ? "a header in [[ ends with ]]" : "a header in [ ends with ]");
        r->p += list ? 2 : 1;
        *ret = list ? open_element(r, t, key, at) : open_table(r, t, key, at);
        return *ret && toml_line_end(r);
}

static const char *first_bad_byte(sv text)
{
        size_t low = 0, high = text.n;

        while (high - low > 1) { /* the longest valid beginning, whose end may cut a character in two */
                size_t mid = low + (high - low) / 2, cut = mid;

                while (cut > low && ((unsigned char)text.p[cut] & 0xc0) == 0x80 && mid - cut < 3)
                        cut--;
                if (sv_utf8(sv_from_to(text, low, cut)) && cut > low)
                        low = cut;
                else
                        high = mid;
        }
        return text.p + low;
}

bool toml_parse(struct arena *a, sv text, struct toml **ret, struct toml_fault *ret_fault)
{
        struct toml_reader r = { .a = a, .start = text.p, .p = text.p, .end = text.p + text.n, .fault = ret_fault };
        struct toml *root, *table;

        *ret_fault = (struct toml_fault){ 0 };
        if (!text.n)
                r.start = r.p = r.end = "";
        r.counted = r.line_start = r.start;
        r.line = 1;
        r.section = 1;
        if (!sv_utf8(text))
                return toml_bad(&r, first_bad_byte(text), "this is not UTF-8");
        root = table = toml_new(&r, TOML_TABLE, r.start);
        root->section = 1;
        while (toml_space(&r) && r.p < r.end) {
                bool ok = toml_at(&r, '[') ? header(&r, root, &table) : toml_assignment(&r, table) && toml_line_end(&r);

                if (!ok)
                        return false;
        }
        *ret = root;
        return !ret_fault->text;
}

/* --- reading --- */

const struct toml *toml_get(const struct toml *table, const char *key)
{
        if (!table || table->type != TOML_TABLE)
                return NULL;
        for (size_t i = 0; i < table->n; i++)
                if (sv_is(table->v[i].key, key))
                        return table->v[i].value;
        return NULL;
}

sv toml_get_str(const struct toml *table, const char *key)
{
        const struct toml *t = toml_get(table, key);

        return t && t->type == TOML_STR ? t->str : (sv){ 0 };
}

bool toml_get_true(const struct toml *table, const char *key)
{
        const struct toml *t = toml_get(table, key);

        return t && t->type == TOML_BOOL && t->num;
}

const char *toml_type_name(enum toml_type t)
{
        static const char *const names[] = { "a string", "a number", "a fraction", "true or false",
                                             "a time",   "an array", "a table" };

        return names[t];
}
