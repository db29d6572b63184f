#include "base/alloc.h"
#include "catalog/conda_channels.h"
#include "catalog/conda_scan.h"
#include "tests/unit/catalog/conda_oracle.h"
#include "tests/unit/store/place.h"

/* Made repodata through scanner, index and decoder; everything is compared with a full parse, too. */
struct made {
        struct conda_whole repo;
        struct arena a;
        struct err e;
        struct oracle o;
        bool judged; /* it is JSON, by others' judgement */
};

static int make(struct made *m, sv text)
{
        sha256 source = { { 7 } };

        *m = (struct made){ .repo.place = { .channel = SV("https://h/c"),
                                            .subdir = SV("linux-64"),
                                            .base = SV("https://h/c/linux-64/") },
                            .repo.text = xstrndup(text.p, text.n),
                            .repo.text_size = text.n };
        if (conda_whole_index(&m->repo, &source, NULL, &m->e) < 0)
                return -(int)m->e.code;
        m->judged = oracle_read(&m->o, text, m->repo.place.subdir);
        if (m->judged && !oracle_agrees(&m->o, &m->repo) && !m->o.unsure)
                fail_msg("%s", m->o.why);
        return 0;
}

static void made_done(struct made *m)
{
        conda_whole_done(&m->repo);
        arena_done(&m->a);
        arena_done(&m->o.a);
        err_done(&m->e);
}

static struct conda_list records(struct made *m, const char *name)
{
        struct conda_list list = { 0 };

        assert_int_equal(conda_whole_add(&m->repo, sv_from(name), &m->a, &list, &m->e), 0);
        return list;
}

#define REC(name, rest) "{\"name\":\"" name "\",\"version\":\"1\",\"build\":\"0\"" rest "}"

static void texts_with_records(void **state)
{
        static const struct {
                const char *text, *name;
                size_t n, left_out;
        } rows[] = {
                { "", "a", 0, 0 },
                { " \n", "a", 0, 0 },
                { "{}", "a", 0, 0 },
                { "{\"packages\":null,\"packages.conda\":{}}", "a", 0, 0 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", "") "}}", "a", 1, 0 },
                /* unknown keys and values of all kinds before, between and after */
                { "{\"x\":[{}],\"packages\":{\"a-1-0.conda\":" REC(
                          "a", ",\"y\":{\"name\":\"b\"},\"z\":-1e5") ", \"n\": 5}, \"q\": \"{\", "
                                                                     "\"signatures\":{\"a\":{\"name\":\"a\"}}}",
                  "a", 1, 0 },
                /* brackets, quotes, backslashes in strings */
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"summary\":\"}}]]\\\"{\\\\\"") "}}", "a", 1, 0 },
                { "{\"packages\":{\"a-1-0.conda\":{\"x\":\"\\\"name\\\":\\\"b\\\"\",\"name\":\"a\",\"version\":\"1\","
                  "\"build\":\"0\"}}}",
                  "a", 1, 0 },
                /* "name" as a value, in a nested object, in a list; written with an escape; with blanks */
                { "{\"packages\":{\"a-1-0.conda\":{\"t\":\"name\",\"u\":{\"name\":\"b\"},\"v\":[\"name\"],"
                  "\"name\"\n:\t\"a\",\"version\":\"1\",\"build\":\"0\"}}}",
                  "a", 1, 0 },
                { "{\"packages\":{\"a-1-0.conda\":{\"n\\u0061me\":\"\\u0061\",\"version\":\"1\",\"build\":\"0\"}}}",
                  "a", 1, 0 },
                { "{\"p\\u0061ckages\":{\"a-1-0.c\\u006fnda\":" REC("a", "") "}}", "a", 1, 0 },
                /* the record's field wins over the file's name */
                { "{\"packages\":{\"b-1-0.conda\":" REC("a", "") "}}", "a", 1, 0 },
                { "{\"packages\":{\"b-1-0.conda\":" REC("a", "") "}}", "b", 0, 0 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("A", "") "}}", "a", 1, 0 },
                /* both maps; the same file twice: the later one counts */
                { "{\"packages\":{\"a-1-0.tar.bz2\":" REC("a", "") "},\"packages.conda\":{\"a-1-0.conda\":" REC(
                          "a", "") "}}",
                  "a", 2, 0 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", "") "},\"packages.conda\":{\"a-1-0.conda\":" REC("a",
                                                                                                              "") "}}",
                  "a", 1, 0 },
                { "{\"packages\":{},\"packages\":{\"a-1-0.conda\":" REC("a", "") "}}", "a", 1, 0 },
                /* removed and v3 hold no records for us */
                { "{\"removed\":[\"a-1-0.conda\"],\"v3\":{\"conda\":{\"a-1-0\":" REC("a", "") "}}}", "a", 0, 0 },
                /* what cannot be used */
                { "{\"packages\":{\"a-1-0.conda\":5,\"b\":[" REC("a", "") "]}}", "a", 0, 0 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"depends\":\"b\"") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"depends\":[\"b\",1]") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"md5\":\"12\"") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"sha256\":true") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"build_number\":-1") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"build_number\":\"1\"") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"size\":99999999999999999999") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"noarch\":\"any\"") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":{\"name\":\"a\",\"version\":\"1\"}}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":{\"name\":\"a\",\"version\":1,\"build\":\"0\"}}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", ",\"subdir\":\"../x\"") "}}", "a", 0, 1 },
                { "{\"packages\":{\"../a-1-0.conda\":" REC("a", "") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.zip\":" REC("a", "") "}}", "a", 0, 1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC("a/b", "") "}}", "a/b", 0, 0 },
                { "{\"packages\":{\"a-1-0.conda\":{\"version\":\"1\",\"build\":\"0\"}}}", "a", 0, 0 },
                /* broken inside a record: only that one is lost */
                { "{\"packages\":{\"a-1-0.conda\":" REC("a", " \"x\":1") ",\"a-2-0.conda\":" REC("a", "") "}}", "a", 1,
                  1 },
                { "{\"packages\":{\"a-1-0.conda\":" REC(
                          "a", ",\"l\":\"\xff\",\"license\":\"\xff\"") ",\"a-2-0.conda\":" REC("a", "") "}}",
                  "a", 1, 1 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct made m;
                struct conda_list got;

                if (make(&m, sv_from(rows[i].text)) < 0) {
                        bad++, print_error("row %zu: %s\n", i, m.e.cause);
                        continue;
                }
                got = records(&m, rows[i].name);
                if (got.n != rows[i].n || got.left_out != rows[i].left_out)
                        bad++, print_error("row %zu: %zu records, %zu left out: %s\n", i, got.n, got.left_out,
                                           rows[i].text);
                made_done(&m);
        }
        assert_int_equal(bad, 0);
}

static void texts_that_are_none(void **state)
{
        static const struct {
                const char *text, *cause;
        } rows[] = {
                { "[]", "byte 0: this is no JSON object" },
                { "<html>", "byte 0: this is no JSON object" },
                { "{\"packages\":{\"a\":{\"name\":\"a\"", "an object or a list that does not end" },
                { "{\"packages\":{\"a\":{\"name\":\"a", "an object or a list that does not end" },
                { "{\"packages", "byte 1: a string that does not end" },
                { "{\"packages\":{\"a\\", "a string that does not end" },
                { "{\"a\" 1}", "a ':' is missing" },
                { "{\"a\":1 \"b\":2}", "a ',' or a '}' is missing" },
                { "{\"a\":1,}", "a key is missing" },
                { "{\"a\":}", "a value is missing" },
                { "{\"a\":1", "byte 6: a ',' or a '}' is missing" },
                { "{} {}", "byte 3: something follows the object" },
                { "{\"a\":1\\\",\"packages\":{\"a\":{}}}", "byte 6: a ',' or a '}' is missing" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct made m;
                int r = make(&m, sv_from(rows[i].text));

                if (r != -ERR_INTEGRITY || !strstr(m.e.cause, rows[i].cause))
                        bad++, print_error("row %zu: %d %s\n", i, r, m.e.cause ? m.e.cause : "");
                made_done(&m);
        }
        assert_int_equal(bad, 0);
}

/* Brackets of any depth are only counted. */
static void deep_nesting_is_survived(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(8 << 20);
        struct made m;

        (void)state;
        buf_fmt(&b, "{\"packages\":{\"a-1-0.conda\":{\"name\":\"a\",\"version\":\"1\",\"build\":\"0\",\"x\":");
        for (int i = 0; i < 1000000; i++)
                buf_byte(&b, '[');
        for (int i = 0; i < 1000000; i++)
                buf_byte(&b, ']');
        buf_fmt(&b, "},\"b-1-0.conda\":" REC("b", "") "}}");
        assert_int_equal(make(&m, buf_sv(&b)), 0);
        assert_int_equal(records(&m, "a").left_out, 1);
        assert_int_equal(records(&m, "b").n, 1);
        made_done(&m);
}

/* --- documents made at random: the same every time --- */

struct chance {
        uint32_t x;
        struct buf *b;
};

static uint32_t roll(struct chance *c, uint32_t n)
{
        c->x = c->x * 1664525 + 1013904223;
        return (c->x >> 16) % n;
}

/* Nobody makes us read gigabytes for one name. */
static void a_record_too_large(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(8 << 20);
        struct made m;
        char *room;

        (void)state;
        buf_fmt(&b, "{\"packages\":{\"a-1-0.conda\":" REC("a", "") ",\"a-2-0.conda\":" REC("a", ",\"license\":\""));
        b.n -= 1; /* the license goes on */
        room = buf_room(&b, 5 << 20);
        assert_non_null(room);
        memset(room, 'x', 5 << 20);
        b.n += 5 << 20;
        buf_fmt(&b, "\"}},\"z\":\"\xff\"}"); /* no UTF-8: the full parse, which has no such limit, does not judge */
        assert_int_equal(make(&m, buf_sv(&b)), 0);
        assert_int_equal(records(&m, "a").n, 1);
        made_done(&m);
}

static void blanks(struct chance *c)
{
        static const char *const some[] = {
                "", "", "", " ", "\n  ", "\t\r\n", "                                                "
        };

        buf_fmt(c->b, "%s", some[roll(c, ARRAY_LEN(some))]);
}

static void some_text(struct chance *c)
{
        static const char *const some[] = { "a",       "name",    "n",    "{",    "}",        "[",  "]",
                                            ":",       ",",       "\\\"", "\\\\", "\\n",      "é",  " ",
                                            "\\u0041", "\\u00e9", "\\/",  "\\t",  "\\\\\\\"", "xyz" };

        buf_byte(c->b, '"');
        for (uint32_t i = roll(c, 9); i; i--)
                buf_fmt(c->b, "%s", some[roll(c, ARRAY_LEN(some))]);
        buf_byte(c->b, '"');
}

static void some_value(struct chance *c, unsigned depth)
{
        static const char *const word[] = { "null", "true", "false", "-1", "0", "12345678901" };
        uint32_t kind = roll(c, depth ? 6 : 3), n = kind < 4 ? 0 : roll(c, 4);
        unsigned key = 0;

        blanks(c);
        if (kind == 0)
                buf_fmt(c->b, "%s", word[roll(c, ARRAY_LEN(word))]);
        else if (kind < 4)
                some_text(c);
        else
                buf_byte(c->b, kind == 4 ? '[' : '{');
        for (; n; n--) {
                if (kind == 5 && roll(c, 4) == 0 && key == 0)
                        buf_fmt(c->b, "\"name\":");
                else if (kind == 5)
                        buf_fmt(c->b, "\"k%u\":", key);
                key++;
                some_value(c, depth - 1);
                if (n > 1)
                        buf_byte(c->b, ',');
        }
        if (kind > 3)
                buf_byte(c->b, kind == 4 ? ']' : '}');
        blanks(c);
}

static void some_record(struct chance *c)
{
        static const char *const names[] = { "a", "B", "c\\u002dd", "x.y" };
        unsigned before = roll(c, 4), after = roll(c, 4);

        buf_byte(c->b, '{');
        for (unsigned i = 0; i < before; i++) {
                buf_fmt(c->b, "\"x%u\":", i);
                some_value(c, 3);
                buf_byte(c->b, ',');
        }
        buf_fmt(c->b, "\"%s\"", roll(c, 9) ? "name" : "n\\u0061me");
        blanks(c);
        buf_byte(c->b, ':');
        blanks(c);
        if (roll(c, 9))
                buf_fmt(c->b, "\"%s\"", names[roll(c, ARRAY_LEN(names))]);
        else
                some_value(c, 1);
        buf_fmt(c->b, ",\"version\":\"1\",\"build\":\"0\"");
        for (unsigned i = 0; i < after; i++) {
                static const char *const keys[] = { "depends", "constrains", "license", "track_features", "noarch" };

                buf_fmt(c->b, ",\"%s\":", keys[(i + before) % ARRAY_LEN(keys)]);
                some_value(c, 2);
        }
        buf_byte(c->b, '}');
}

static void some_document(struct chance *c)
{
        unsigned n = 0;

        blanks(c);
        buf_byte(c->b, '{');
        for (unsigned map = 0; map < 2; map++) {
                buf_fmt(c->b, "\"junk%u\":", map);
                some_value(c, 4);
                buf_fmt(c->b, ",%s:{", map ? "\"packages.conda\"" : "\"packages\"");
                for (uint32_t i = roll(c, 6); i; i--) {
                        blanks(c);
                        buf_fmt(c->b, "\"f-%u-0.conda\"", n++);
                        blanks(c);
                        buf_byte(c->b, ':');
                        blanks(c);
                        some_record(c);
                        blanks(c);
                        if (i > 1)
                                buf_byte(c->b, ',');
                }
                buf_fmt(c->b, "}%s", map ? "" : ",");
        }
        buf_byte(c->b, '}');
        blanks(c);
}

static void documents_at_random(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);
        struct chance c = { 1, &b };
        size_t records_seen = 0;

        (void)state;
        for (int i = 0; i < 4000; i++) {
                struct made m;

                buf_clear(&b);
                some_document(&c);
                if (make(&m, buf_sv(&b)) < 0) /* which compares, too */
                        fail_msg("document %d: %s", i, m.e.cause);
                if (!m.judged)
                        fail_msg("document %d is no JSON: %s", i, b.p);
                records_seen += m.o.n;
                made_done(&m);
        }
        assert_true(records_seen > 5000);
}

static void every_field(void **state)
{
        static const char text[] =
                "{\"packages\":{\"Foo-1!2.0-py_1.tar.bz2\":{\"name\":\"Foo\",\"version\":\"1!2.0\",\"build\":\"py_1\","
                "\"build_number\":7,\"depends\":[\"python >=3\",\"b\"],\"constrains\":[\"c <2\"],"
                "\"md5\":\"00112233445566778899AABBccddeeff\","
                "\"sha256\":\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"size\":12345,"
                "\"subdir\":\"noarch\",\"timestamp\":1600000000,\"indexed_timestamp\":1600000000123.9,\"noarch\":"
                "\"python\","
                "\"track_features\":\"x, y  z\",\"features\":\"q\",\"license\":\"MIT\",\"license_family\":null,"
                "\"python_site_packages_path\":\"lib/x\",\"purls\":null}}}";
        struct made m;
        struct conda_list l;
        const struct conda_record *r;

        (void)state;
        assert_int_equal(make(&m, sv_from(text)), 0);
        l = records(&m, "foo");
        assert_int_equal(l.n, 1);
        r = l.v;
        assert_true(sv_is(r->name, "foo") && sv_is(r->version, "1!2.0") && sv_is(r->build, "py_1"));
        assert_true(sv_is(r->fn, "Foo-1!2.0-py_1.tar.bz2"));
        assert_true(sv_is(r->url, "https://h/c/linux-64/Foo-1!2.0-py_1.tar.bz2"));
        assert_true(sv_is(r->channel, "https://h/c") && sv_is(r->subdir, "noarch"));
        assert_int_equal(r->build_number, 7);
        assert_int_equal(r->n_depends, 2);
        assert_true(sv_is(r->depends[0], "python >=3") && sv_is(r->depends[1], "b"));
        assert_true(r->n_constrains == 1 && sv_is(r->constrains[0], "c <2"));
        assert_true(r->has_md5 && r->md5[15] == 0xff && r->md5[10] == 0xaa);
        assert_true(r->has_sha256 && r->sha256.b[1] == 0x23);
        assert_int_equal(r->size, 12345);
        assert_int_equal(r->timestamp, 1600000000000);
        assert_int_equal(r->indexed, 1600000000123);
        assert_int_equal(r->noarch, CONDA_NOARCH_PYTHON);
        assert_int_equal(r->n_track_features, 3);
        assert_true(sv_is(r->track_features[1], "y"));
        assert_true(sv_is(r->license, "MIT") && r->license_family.n == 0);
        assert_true(sv_is(r->python_site_packages_path, "lib/x"));
        made_done(&m);
}

/* Both ways of looking at 64 bytes see the same. */
static void bits_agree(void **state)
{
        static const char some[] = "\"\\{}[]n \x80\xff\x22\x7b\x01m";
        uint32_t x = 1;

        (void)state;
        for (int round = 0; round < 2000; round++) {
                struct conda_bits a, b;
                uint8_t p[64];

                for (size_t i = 0; i < sizeof(p); i++) {
                        x = x * 1664525 + 1013904223;
                        p[i] = round % 2 ? (uint8_t)(x >> 24) : (uint8_t)some[(x >> 24) % (sizeof(some) - 1)];
                }
                conda_bits_fast(p, &a);
                conda_bits_plain(p, &b);
                assert_memory_equal(&a, &b, sizeof(a));
                for (size_t i = 0; i < sizeof(p); i++) {
                        assert_int_equal(b.quote >> i & 1, p[i] == '"');
                        assert_int_equal(b.slash >> i & 1, p[i] == '\\');
                        assert_int_equal(b.open >> i & 1, p[i] == '{' || p[i] == '[');
                        assert_int_equal(b.close >> i & 1, p[i] == '}' || p[i] == ']');
                        assert_int_equal(b.n >> i & 1, p[i] == 'n');
                }
        }
}

/* Each byte of an index changed, and each length: it is refused. */
static void damaged_indexes(void **state)
{
        static const char text[] = "{\"info\":{\"base_url\":\"x\"},\"packages\":{\"a-1-0.conda\":" REC("a", "") "}}";
        sha256 source = { { 7 } }, other = { { 8 } };
        struct conda_index x;
        struct made m;
        sv bytes;

        (void)state;
        assert_int_equal(make(&m, sv_from(text)), 0);
        bytes = conda_bytes_sv(&m.repo.bytes);
        for (size_t i = 0; i < bytes.n; i++) {
                ((char *)m.repo.bytes.heap)[i] ^= 0x10;
                assert_false(conda_index_open(bytes, sizeof(text) - 1, &source, &x));
                ((char *)m.repo.bytes.heap)[i] ^= 0x10;
                assert_false(conda_index_open((sv){ bytes.p, i }, sizeof(text) - 1, &source, &x));
        }
        assert_true(conda_index_open(bytes, sizeof(text) - 1, &source, &x));
        assert_false(conda_index_open(bytes, sizeof(text) - 1, &other, &x));
        assert_false(conda_index_open(bytes, sizeof(text) - 2, &source, &x));
        made_done(&m);
}

static void base_urls(void **state)
{
        static const struct {
                const char *folder, *base, *want;
        } rows[] = {
                { "https://h/c/noarch/", "", "https://h/c/noarch/" },
                { "https://h/c/noarch/", "https://cdn/x", "https://cdn/x/" },
                { "https://h/c/noarch/", "../linux-64", "https://h/c/linux-64/" },
                { "https://h/c/noarch/", "/z/", "https://h/z/" },
                { "https://h/c/noarch/", "https://u:p@cdn/x/", "https://cdn/x/" },
                { "https://h/c/noarch/", "file:///etc", NULL },
                { "file:///c/noarch/", "file:///d", "file:///d/" },
                { "file:///c/noarch/", "../x", "file:///c/x/" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                AUTO(err_done) struct err e = { 0 };
                sv got = { 0 };
                int r = conda_place_base(&a, sv_from(rows[i].folder), sv_from(rows[i].base), &got, &e);

                if (r != (rows[i].want ? 0 : -ERR_INTEGRITY) || (rows[i].want && !sv_is(got, rows[i].want)))
                        bad++, print_error("row %zu: %d '%.*s'\n", i, r, SV_ARG(got));
        }
        assert_int_equal(bad, 0);
}

/* What the marks leave out is really too far. */
static sv near_at(const void *of, size_t i)
{
        return ((const sv *)of)[i];
}

static void nearest_names(void **state)
{
        static const char *const words[] = {
                "numpy",     "nunpy",      "unmpy",     "numpyy",    "nupmy",        "npm",          "pandas", "panda",
                "sad",       "das",        "a",         "ab",        "ba",           "x-y",          "x_y",    "x.y",
                "python3.9", "python3.10", "libgcc-ng", "libgcc_ng", "scikit-learn", "scikits-learn"
        };
        sv v[ARRAY_LEN(words)];
        uint64_t *mark;
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(words); i++)
                v[i] = sv_from(words[i]);
        mark = conda_near_marks(near_at, v, ARRAY_LEN(v));
        for (size_t i = 0; i < ARRAY_LEN(v); i++) {
                unsigned best = v[i].n < 5 ? 2 : 3;
                struct conda_near n;
                sv want = { 0 };

                for (size_t k = 0; k < ARRAY_LEN(v); k++) {
                        unsigned d = sv_distance(v[i], v[k], 9);

                        if (d && d < best) {
                                best = d;
                                want = v[k];
                        }
                }
                conda_near_begin(&n, v[i]);
                conda_near_look(&n, mark, near_at, v, ARRAY_LEN(v));
                if (!sv_eq(n.found, want))
                        bad++, print_error("%s: '%.*s', not '%.*s'\n", words[i], SV_ARG(n.found), SV_ARG(want));
        }
        free(mark);
        assert_int_equal(bad, 0);
}

/* --- files as a source --- */

static const char PLATFORM[] = "{\"info\":{\"base_url\":\"../files\"},\"packages\":{\"a-1-0.tar.bz2\":" REC(
        "a", "") ",\"numpy-1-0.tar.bz2\":" REC("numpy", "") "},\"packages.conda\":{\"a-1-0.conda\":" REC("a", "") "}}";
static const char NOARCH[] = "{\"packages\":{\"a-0-0.tar.bz2\":" REC("a", "") "}}";

static char *put(void **state, const char *name, const char *text)
{
        char *path = fs_path("%s/%s", ((struct place *)*state)->path, name);
        struct err e = { 0 };

        assert_int_equal(fs_write(path, sv_from(text), 0644, &e), 0);
        return path;
}

static void files_as_a_source(void **state)
{
        AUTO(free_ptr) char *p = put(state, "p.json", PLATFORM), *n = put(state, "n.json", NOARCH);
        AUTO(free_ptr) char *dir = fs_path("%s/indexes", ((struct place *)*state)->path);
        const struct conda_file file[] = { { sv_from(p), SV("https://h/one"), SV("linux-64") },
                                           { sv_from(n), SV("https://h/one"), SV("noarch") },
                                           { sv_from(n), SV("https://h/two"), SV("noarch") } };
        static const char *const url[] = { "https://h/one/files/a-1-0.conda", "https://h/one/files/a-1-0.tar.bz2",
                                           "https://h/one/noarch/a-0-0.tar.bz2", "https://h/two/noarch/a-0-0.tar.bz2" };

        for (int round = 0; round < 4; round++) { /* in memory; made; mapped; damaged and made again */
                struct conda_source *s = NULL;
                struct conda_records r, again;
                struct err e = { 0 };

                if (round == 3) {
                        AUTO(free_ptr) char **v = NULL;
                        size_t count = 0;

                        assert_int_equal(fs_list(dir, &v, &count, &e), 0);
                        assert_int_equal(count, 2);
                        for (size_t i = 0; i < count; i++) {
                                AUTO(free_ptr) char *x = fs_path("%s/%s", dir, v[i]);
                                assert_int_equal(fs_write(x, SV("EBCONDAX"), 0644, &e), 0);
                        }
                }
                assert_int_equal(conda_files_open(file, ARRAY_LEN(file), round ? dir : NULL, NULL, &s, &e), 0);
                assert_int_equal(s->ops->records(s, SV("a"), &r, &e), 0);
                assert_int_equal(r.n, ARRAY_LEN(url));
                for (size_t i = 0; i < r.n; i++)
                        assert_true(sv_is(r.v[i].url, url[i]));
                assert_int_equal(r.v[2].channel_no, 0);
                assert_int_equal(r.v[3].channel_no, 1);
                assert_int_equal(s->ops->records(s, SV("a"), &again, &e), 0);
                assert_ptr_equal(again.v, r.v);
                assert_int_equal(s->ops->records(s, SV("b"), &r, &e), 0);
                assert_int_equal(r.n, 0);
                assert_true(sv_is(s->ops->near(s, SV("nunpy")), "numpy"));
                assert_int_equal(s->ops->near(s, SV("pandas")).n, 0);
                assert_true(s->ops->ready(s, SV("x")));
                conda_source_free(s);
        }
}

/* What is cut off while we use it is an error, never fewer records. */
static void file_cut_off(void **state)
{
        AUTO(free_ptr) char *p = put(state, "p.json", PLATFORM);
        const struct conda_file file = { sv_from(p), SV("https://h/one"), SV("linux-64") };
        struct conda_source *s = NULL;
        struct conda_records r;
        struct err e = { 0 };

        assert_int_equal(conda_files_open(&file, 1, NULL, NULL, &s, &e), 0);
        assert_int_equal(truncate(p, 40), 0);
        assert_int_equal(s->ops->records(s, SV("a"), &r, &e), -ERR_IO);
        assert_non_null(strstr(e.cause, "was cut off"));
        err_done(&e);
        conda_source_free(s);
}

static void files_that_cannot_be_read(void **state)
{
        AUTO(free_ptr) char *bad = put(state, "bad.json", "{\"packages\":{"), *z = put(state, "z.json.zst", "no");
        const char *path[] = { "/nonexistent/repodata.json", bad, z };
        const int want[] = { -ERR_NOT_FOUND, -ERR_INTEGRITY, -ERR_INTEGRITY };

        for (size_t i = 0; i < ARRAY_LEN(path); i++) {
                const struct conda_file file = { sv_from(path[i]), SV("https://h/one"), SV("noarch") };
                AUTO(err_done) struct err e = { 0 };
                struct conda_source *s = NULL;

                assert_int_equal(conda_files_open(&file, 1, NULL, NULL, &s, &e), want[i]);
                assert_true(strstr(i ? e.trail : e.cause, path[i]) != NULL);
                assert_null(s);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(texts_with_records),
                cmocka_unit_test(texts_that_are_none),
                cmocka_unit_test(deep_nesting_is_survived),
                cmocka_unit_test(a_record_too_large),
                cmocka_unit_test(documents_at_random),
                cmocka_unit_test(every_field),
                cmocka_unit_test(bits_agree),
                cmocka_unit_test(damaged_indexes),
                cmocka_unit_test(base_urls),
                cmocka_unit_test(nearest_names),
                cmocka_unit_test_setup_teardown(files_as_a_source, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(file_cut_off, place_setup, place_teardown),
                cmocka_unit_test_setup_teardown(files_that_cannot_be_read, place_setup, place_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
