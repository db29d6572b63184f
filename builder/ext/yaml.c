#include "ext/yaml.h"

#include <string.h>
#include <yaml.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "base/map.h"

#define DEPTH_MAX   64
#define ALIASES_MAX 100000  /* nodes that aliases and merge keys may open to, in all */
#define NODES_MAX   2000000 /* nodes that stand in the text */
#define FEW_KEYS    16      /* up to here a look along the keys beats a hash */

struct anchor {
        sv name;
        struct yaml *node;
        bool open; /* its node is still being read: an alias to it would be a ring */
};
struct composer {
        struct arena *a;
        sv text, file; /* text without its byte order mark: what libyaml reads and counts */
        struct diags *ds;
        yaml_parser_t parser;
        struct anchor *anchor;
        size_t n_anchor, cap_anchor;
        size_t nodes, budget; /* budget: what aliases may still open to */
        /* libyaml counts characters, people's editors lines and we bytes: where the last mark was */
        size_t at_char, at_byte, line_begin;
        uint32_t line;
        bool stopped;
};

static void parser_done(struct composer *c)
{
        yaml_parser_delete(&c->parser);
}

static size_t char_len(unsigned char lead)
{
        return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

static void rewind_to_start(struct composer *c)
{
        c->at_char = c->at_byte = c->line_begin = 0;
        c->line = 1;
}

/* Marks come in the order of the text, so that the whole document is walked once. */
static void seek_char(struct composer *c, size_t index)
{
        if (index < c->at_char)
                rewind_to_start(c);
        for (; c->at_char < index && c->at_byte < c->text.n; c->at_char++) {
                unsigned char lead = (unsigned char)c->text.p[c->at_byte];
                c->at_byte += char_len(lead);
                if (lead == '\n') {
                        c->line++;
                        c->line_begin = c->at_byte;
                }
        }
        if (c->at_byte > c->text.n)
                c->at_byte = c->text.n;
}

static void seek_byte(struct composer *c, size_t offset)
{
        rewind_to_start(c);
        while (c->at_byte < offset && c->at_byte < c->text.n)
                seek_char(c, c->at_char + 1);
}

static size_t fault_here(struct composer *c, const char *code, const char *text)
{
        return diag_add(c->ds, c->file, c->line, (uint32_t)(c->at_byte - c->line_begin + 1), code, "%s", text);
}

static size_t fault_at(struct composer *c, const yaml_mark_t *m, const char *code, const char *text)
{
        seek_char(c, m->index);
        return fault_here(c, code, text);
}

/* What libyaml says → what a person can do about it. */
static const struct {
        const char *problem, *text, *hint;
} syntax[] = {
        { "mapping values are not allowed in this context", "a ':' cannot stand here",
          "quote a text that holds ': ', or check how this line and the one above are indented" },
        { "did not find expected key", "this line does not fit into the block above it",
          "check its indentation: what belongs together begins in the same column" },
        { "did not find expected '-' indicator", "this line does not fit into the list above it",
          "check its indentation, or begin the line with '- '" },
        { "could not find expected ':'", "a key without ':'", "write 'key: value', or '- value' in a list" },
        { "did not find expected alphabetic or numeric character", "'*' and '&' begin a reference in YAML",
          "quote a text that begins with '*' or '&'" },
        { "found character that cannot start any token", "a text cannot begin with this character", "quote it" },
        { "did not find expected ',' or ']'", "a list that '[' opened is not closed",
          "write ',' between its items and ']' at its end" },
        { "did not find expected ',' or '}'", "a mapping that '{' opened is not closed",
          "write ',' between its pairs and '}' at its end" },
        { "found unexpected end of stream", "a quoted text is not closed", "close the quotation mark" },
        { "found undefined tag handle", "'!' begins a tag in YAML", "quote a text that begins with '!'" },
        { "block sequence entries are not allowed in this context", "a list cannot begin here",
          "begin the list on a line of its own" },
};

static void fault_syntax(struct composer *c)
{
        const yaml_parser_t *p = &c->parser;
        const char *problem = p->problem ? p->problem : "not YAML";
        size_t i;

        c->stopped = true;
        if (p->error == YAML_READER_ERROR) {
                seek_byte(c, p->problem_offset);
                i = fault_here(c, "EB100",
                               p->problem_value == -1 ? "not UTF-8 text" : "a control character in the text");
                diag_hint(c->ds, i, "save the file as plain UTF-8 text");
                return;
        }
        seek_char(c, p->problem_mark.index);
        if (c->at_byte < c->text.n && c->text.p[c->at_byte] == '\t') {
                diag_hint(c->ds, fault_here(c, "EB100", "a tab cannot indent YAML"), "indent with spaces");
                return;
        }
        for (i = 0; i < ARRAY_LEN(syntax); i++)
                if (strcmp(problem, syntax[i].problem) == 0) {
                        diag_hint(c->ds, fault_here(c, "EB100", syntax[i].text), "%s", syntax[i].hint);
                        return;
                }
        fault_here(c, "EB100", problem);
}

static bool next_event(struct composer *c, yaml_event_t *ret)
{
        if (yaml_parser_parse(&c->parser, ret))
                return true;
        memset(ret, 0, sizeof(*ret));
        fault_syntax(c);
        return false;
}

static struct yaml *node_new(struct composer *c, enum yaml_type type, const yaml_mark_t *m)
{
        struct yaml *y = arena_new(c->a, struct yaml);

        seek_char(c, m->index);
        y->type = type;
        y->line = c->line;
        y->col = (uint32_t)(c->at_byte - c->line_begin + 1);
        if (++c->nodes > NODES_MAX && !c->stopped) {
                fault_here(c, "EB100", "too many nodes");
                c->stopped = true;
        }
        return y;
}

/* Walks what an alias opens to, and takes it off the budget: a bomb costs 100,000 steps and no memory. */
static bool spend(struct composer *c, const struct yaml *y)
{
        if (c->budget == 0)
                return false;
        c->budget--;
        for (size_t i = 0; i < y->n; i++)
                if ((y->v[i].key && !spend(c, y->v[i].key)) || !spend(c, y->v[i].value))
                        return false;
        return true;
}

static bool open_alias(struct composer *c, const struct yaml *y, const yaml_mark_t *m)
{
        if (spend(c, y))
                return true;
        if (!c->stopped)
                fault_at(c, m, "EB100", "the aliases of this file open to more than 100,000 nodes");
        c->stopped = true;
        return false;
}

static struct yaml *alias(struct composer *c, const yaml_event_t *ev)
{
        const char *why = "an alias without an anchor before it";
        sv name = sv_from((const char *)ev->data.alias.anchor);

        for (size_t i = c->n_anchor; i-- > 0;) {
                if (!sv_eq(c->anchor[i].name, name))
                        continue;
                if (!c->anchor[i].open)
                        return open_alias(c, c->anchor[i].node, &ev->start_mark)
                                       ? c->anchor[i].node
                                       : node_new(c, YAML_SCALAR, &ev->start_mark);
                why = "an alias inside of what it names";
                break;
        }
        diag_hint(c->ds, fault_at(c, &ev->start_mark, "EB100", why),
                  "write '&%.*s' before the value that it repeats, or quote the text", SV_ARG(name));
        struct yaml *y = node_new(c, YAML_SCALAR, &ev->start_mark);
        y->plain = true;
        return y;
}

static struct anchor *anchor_open(struct composer *c, const yaml_char_t *name, struct yaml *y)
{
        if (!name)
                return NULL;
        *arena_push(c->a, c->anchor, c->n_anchor, c->cap_anchor) =
                (struct anchor){ arena_sv(c->a, sv_from((const char *)name)), y, true };
        return &c->anchor[c->n_anchor - 1];
}

static struct yaml *scalar(struct composer *c, const yaml_event_t *ev)
{
        struct yaml *y = node_new(c, YAML_SCALAR, &ev->start_mark);
        struct anchor *an;

        y->text = arena_sv(c->a, (sv){ (const char *)ev->data.scalar.value, ev->data.scalar.length });
        y->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && ev->data.scalar.plain_implicit;
        an = anchor_open(c, ev->data.scalar.anchor, y);
        if (an)
                an->open = false;
        return y;
}

static struct yaml *compose(struct composer *c, yaml_event_t *ev, unsigned depth);

static void compose_seq(struct composer *c, struct yaml *y, unsigned depth)
{
        for (;;) {
                AUTO(yaml_event_delete) yaml_event_t ev;
                if (!next_event(c, &ev) || ev.type == YAML_SEQUENCE_END_EVENT)
                        return;
                *arena_push(c->a, y->v, y->n, y->cap) = (struct yaml_pair){ NULL, compose(c, &ev, depth) };
                if (c->stopped)
                        return;
        }
}

/* The keys of one mapping that were seen: `first` turns into a hash when there are many. */
struct keys {
        struct map seen;
        size_t n_seen;
};

static struct yaml *first_of(struct composer *c, struct keys *k, const struct yaml *map, sv key)
{
        if (map->n <= FEW_KEYS) {
                for (size_t i = 0; i < map->n; i++)
                        if (sv_eq(map->v[i].key->text, key))
                                return map->v[i].key;
                return NULL;
        }
        for (; k->n_seen < map->n; k->n_seen++)
                map_put(&k->seen, c->a, map->v[k->n_seen].key->text, map->v[k->n_seen].key);
        return map_get(&k->seen, key);
}

static void merge_one(struct composer *c, struct keys *k, struct yaml *map, const struct yaml *from)
{
        for (size_t i = 0; i < from->n; i++)
                if (!first_of(c, k, map, from->v[i].key->text))
                        *arena_push(c->a, map->v, map->n, map->cap) = from->v[i];
}

/* "<<: *common": keys that the mapping does not have itself; of several the first wins. */
static void merge(struct composer *c, struct keys *k, struct yaml *map, const struct yaml *what)
{
        bool list = what->type == YAML_SEQ;

        for (size_t i = 0; i < (list ? what->n : 1); i++) {
                const struct yaml *from = list ? what->v[i].value : what;
                if (from->type == YAML_MAP)
                        merge_one(c, k, map, from);
                else if (!c->stopped)
                        diag_add(c->ds, c->file, from->line, from->col, "EB100",
                                 "'<<' takes a mapping or a list of mappings");
        }
}

static void add_pair(struct composer *c, struct keys *k, struct yaml *map, struct yaml *key, struct yaml *value)
{
        const struct yaml *first;

        if (key->type != YAML_SCALAR) {
                diag_hint(c->ds, diag_add(c->ds, c->file, key->line, key->col, "EB100", "a key must be a single text"),
                          "quote a text that begins with '{' or '['");
                return;
        }
        first = first_of(c, k, map, key->text);
        if (first) {
                size_t i = diag_add(c->ds, c->file, key->line, key->col, "EB104", "'%.*s' is given twice",
                                    SV_ARG(key->text));
                diag_span(c->ds, i, (uint32_t)key->text.n);
                diag_hint(c->ds, i, "the first is in line %u: join the two", first->line);
                return;
        }
        *arena_push(c->a, map->v, map->n, map->cap) = (struct yaml_pair){ key, value };
}

static void compose_map(struct composer *c, struct yaml *y, unsigned depth)
{
        struct keys keys = { 0 };
        struct yaml *merged = NULL;

        while (!c->stopped) {
                AUTO(yaml_event_delete) yaml_event_t ev = { 0 }, ev_value = { 0 };
                struct yaml *key, *value;

                if (!next_event(c, &ev) || ev.type == YAML_MAPPING_END_EVENT)
                        break;
                key = compose(c, &ev, depth);
                if (c->stopped || !next_event(c, &ev_value))
                        break;
                value = compose(c, &ev_value, depth);
                if (key->type == YAML_SCALAR && key->plain && sv_is(key->text, "<<") && !merged)
                        merged = value;
                else
                        add_pair(c, &keys, y, key, value);
        }
        if (merged && !c->stopped)
                merge(c, &keys, y, merged);
}

static struct yaml *compose(struct composer *c, yaml_event_t *ev, unsigned depth)
{
        bool map = ev->type == YAML_MAPPING_START_EVENT;
        struct yaml *y;
        size_t at;

        if (ev->type == YAML_ALIAS_EVENT)
                return alias(c, ev);
        if (ev->type == YAML_SCALAR_EVENT)
                return scalar(c, ev);
        y = node_new(c, map ? YAML_MAP : YAML_SEQ, &ev->start_mark);
        if (depth >= DEPTH_MAX) {
                fault_at(c, &ev->start_mark, "EB100", "nested too deeply");
                c->stopped = true;
                return y;
        }
        at = c->n_anchor;
        if (!anchor_open(c, map ? ev->data.mapping_start.anchor : ev->data.sequence_start.anchor, y))
                at = SIZE_MAX;
        if (map)
                compose_map(c, y, depth + 1);
        else
                compose_seq(c, y, depth + 1);
        if (at != SIZE_MAX)
                c->anchor[at].open = false;
        return y;
}

static struct yaml *compose_stream(struct composer *c)
{
        struct yaml *top = NULL;

        for (;;) {
                AUTO(yaml_event_delete) yaml_event_t ev;
                if (!next_event(c, &ev) || ev.type == YAML_STREAM_END_EVENT)
                        return top;
                if (ev.type == YAML_DOCUMENT_START_EVENT && top) {
                        size_t i = fault_at(c, &ev.start_mark, "EB100", "a second document begins here");
                        diag_hint(c->ds, i, "one file holds one document: take out the '---', or make two files");
                        return top;
                }
                if (ev.type == YAML_STREAM_START_EVENT || ev.type == YAML_DOCUMENT_START_EVENT ||
                    ev.type == YAML_DOCUMENT_END_EVENT)
                        continue;
                top = compose(c, &ev, 0);
                if (c->stopped)
                        return top;
        }
}

int yaml_parse(struct arena *a, sv text, sv file, struct diags *ds, struct yaml **ret, struct err *e)
{
        AUTO(parser_done) struct composer c = { .a = a, .file = file, .ds = ds, .line = 1, .budget = ALIASES_MAX };
        size_t errors = ds->n_errors;
        struct yaml *top;

        c.text = sv_starts(text, SV("\xef\xbb\xbf")) ? sv_skip(text, 3) : text;
        if (!yaml_parser_initialize(&c.parser))
                return err_set(e, ERR_FAILED, "cannot set up the YAML reader: out of memory");
        yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&c.parser, (const unsigned char *)(c.text.p ? c.text.p : ""), c.text.n);
        top = compose_stream(&c);
        if (ds->n_errors > errors)
                return err_set(e, ERR_USAGE, "%zu fault%s in '%.*s'", ds->n_errors - errors,
                               ds->n_errors - errors == 1 ? "" : "s", SV_ARG(file));
        if (!top) {
                top = arena_new(a, struct yaml);
                *top = (struct yaml){ .type = YAML_SCALAR, .line = 1, .col = 1, .plain = true, .text = SV("") };
        }
        *ret = top;
        return 0;
}

struct yaml *yaml_get(const struct yaml *map, const char *key)
{
        if (!map || map->type != YAML_MAP)
                return NULL;
        for (size_t i = 0; i < map->n; i++)
                if (sv_is(map->v[i].key->text, key))
                        return map->v[i].value;
        return NULL;
}

bool yaml_is_null(const struct yaml *y)
{
        static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

        if (y->type != YAML_SCALAR || !y->plain)
                return false;
        for (size_t i = 0; i < ARRAY_LEN(nulls); i++)
                if (sv_is(y->text, nulls[i]))
                        return true;
        return false;
}
