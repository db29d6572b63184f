#include "catalog/conda_channels.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "net/net_priv.h"
#include "tests/unit/fake.h"
#include "tests/unit/store/place.h"

/* Channels against tests/fake/conda_server.py: one server for all tests, which serves a folder that each fills anew. */
static struct fake server;
static char site[] = "/tmp/envbuild-site-XXXXXX";

struct world {
        struct op op;
        struct net *net;
        struct store *store;
        struct conda_channel channel[3];
        struct conda_channels_opts o;
        struct conda_source *s;
        struct arena a;
        struct err e;
};

static int set_up(void **state)
{
        const char *more[] = { site, NULL };

        (void)state;
        unsetenv("http_proxy");
        unsetenv("HTTP_PROXY");
        return mkdtemp(site) ? fake_start(&server, more) : -1;
}

static int tear_down(void **state)
{
        struct err e = { 0 };

        (void)state;
        fake_stop(&server);
        return fs_remove(site, &e);
}

/* --- what is served --- */

#define REC(name, version, depends)                                                                                    \
        "{\"name\":\"" name "\",\"version\":\"" version "\",\"build\":\"0\",\"depends\":[" depends "]}"
static const char PLATFORM[] =
        "{\"packages\":{\"a-1-0.tar.bz2\":" REC("a", "1", "\"b >=1\"") ",\"b-1-0.tar.bz2\":" REC("b", "1", "") "}}";
static const char NEWER[] = "{\"packages\":{\"a-2-0.tar.bz2\":" REC("a", "2", "") "}}";
static const char NOARCH[] = "{\"packages.conda\":{\"a-3-0.conda\":" REC("a", "3", "") "}}";
/* PLATFORM by bzip2. */
static const char BZ2[] = "\x42\x5a\x68\x39\x31\x41\x59\x26\x53\x59\x7a\xc9\x99\xbc\x00\x00\x45\x9b\x80\x50\x07\x70\x13"
                          "\x00\x0a\x3e\xaf\xdf\x1a\x20\x00\x64\x25\x28\xf4\x4d\x26\x27\xea\x46\x11\x93\x32\x3d\x50\x4a"
                          "\xa7\xa4\xf4\x86\x80\x01\x89\xa0\x0d\x22\x4c\xb7\x07\xa3\xe9\x91\xc0\xc7\x8b\x3b\xca\xb6\x05"
                          "\x4a\x8c\x1f\x14\x24\x33\x4c\xb0\x89\xec\xa8\xce\xb1\xc5\x10\xd7\x46\x54\xa7\x1a\x9d\x10\x43"
                          "\x63\x19\x8b\x1a\x16\xfe\x72\x96\xb9\xc9\xd7\x64\x07\x30\x3d\x51\x8c\x51\x0a\xd2\x26\x27\x05"
                          "\x02\x1a\xcd\xcf\xc8\x2f\xe2\xee\x48\xa7\x0a\x12\x0f\x59\x33\x37\x80";

static void put(const char *path, sv text)
{
        AUTO(free_ptr) char *full = fs_path("%s/%s", site, path);
        AUTO(free_ptr) char *folder = xstrndup(full, (size_t)(strrchr(full, '/') - full));
        struct err e = { 0 };

        assert_int_equal(fs_mkdirs(folder, 0755, &e), 0);
        assert_int_equal(fs_write(full, text, 0644, &e), 0);
}

static void put_zst(const char *path, sv text, sha256 *ret)
{
        AUTO(buf_done) struct buf b = BUF_INIT(16 << 20);
        struct buf_writer to;
        struct writer *w = zstd_writer_new(buf_writer_init(&to, &b), 3, 1);
        struct err e = { 0 };

        assert_int_equal(writer_write(w, text.p, text.n, &e) + writer_finish(w, &e), 0);
        zstd_writer_free(w);
        if (ret)
                *ret = sha256_of(buf_sv(&b));
        if (sv_ends(sv_from(path), SV("/"))) { /* a shard is named by its hash */
                AUTO(free_ptr) char *named = fs_path("%s%s.msgpack.zst", path, sha256_hex(ret).s);
                put(named, buf_sv(&b));
        } else {
                put(path, buf_sv(&b));
        }
}

static void pack_text(struct buf *b, const char *text)
{
        buf_byte(b, (char)(0xa0 | strlen(text))); /* fewer than 32 bytes */
        buf_fmt(b, "%s", text);
}

static void pack_shard(struct buf *b, const char *name, const char *version, const char *depends)
{
        char fn[32];

        snprintf(fn, sizeof(fn), "%s-%s-0.conda", name, version);
        buf_byte(b, (char)0x81);
        pack_text(b, "packages.conda");
        buf_byte(b, (char)0x81);
        pack_text(b, fn);
        buf_byte(b, (char)0x84);
        pack_text(b, "name");
        pack_text(b, name);
        pack_text(b, "version");
        pack_text(b, version);
        pack_text(b, "build");
        pack_text(b, "0");
        pack_text(b, "depends");
        buf_byte(b, (char)(depends ? 0x91 : 0x90));
        if (depends)
                pack_text(b, depends);
}

/* a 1 needs b, b 1 needs c, c 1: a chain of shards. */
static void put_shards(const char *subdir)
{
        static const char *const name[] = { "a", "b", "c" }, *const depends[] = { "b >=1", "other::C", NULL };
        AUTO(free_ptr) char *index = fs_path("%s/repodata_shards.msgpack.zst", subdir);
        AUTO(free_ptr) char *folder = fs_path("%s/shards/", subdir);
        AUTO(buf_done) struct buf all = BUF_INIT(65536);

        buf_byte(&all, (char)0x83);
        pack_text(&all, "version");
        buf_byte(&all, 1);
        pack_text(&all, "info");
        buf_byte(&all, (char)0x82);
        pack_text(&all, "base_url");
        pack_text(&all, "../files");
        pack_text(&all, "shards_base_url");
        pack_text(&all, "./shards");
        pack_text(&all, "shards");
        buf_byte(&all, (char)0x83);
        for (size_t i = 0; i < 3; i++) {
                AUTO(buf_done) struct buf one = BUF_INIT(65536);
                sha256 digest;

                pack_shard(&one, name[i], "1", depends[i]);
                put_zst(folder, buf_sv(&one), &digest);
                pack_text(&all, name[i]);
                buf_byte(&all, (char)0xc4);
                buf_byte(&all, 32);
                buf_add(&all, (sv){ (const char *)digest.b, 32 });
        }
        put_zst(index, buf_sv(&all), NULL);
}

static void nothing_served(void)
{
        AUTO(free_ptr) char **v = NULL;
        struct err e = { 0 };
        size_t n = 0;

        assert_int_equal(fs_list(site, &v, &n, &e), 0);
        for (size_t i = 0; i < n; i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", site, v[i]);
                assert_int_equal(fs_remove(path, &e), 0);
        }
}

/* --- the world --- */

static void open_source(struct world *w)
{
        conda_source_free(w->s);
        w->s = NULL;
        err_done(&w->e);
        assert_int_equal(conda_channels_open(&w->o, w->net, w->store, &w->op, &w->s, &w->e), 0);
}

static void new_net(struct world *w, bool offline)
{
        conda_source_free(w->s);
        w->s = NULL;
        net_free(w->net);
        assert_int_equal(net_new_over(&(struct net_opts){ .offline = offline, .timeout_ms = 5000, .tries = 2 }, &w->op,
                                      NULL, 1, &w->net, &w->e),
                         0);
}

static void begin(struct world *w, void **state, const char *settings)
{
        *w = (struct world){ .op = { .jobs = 1 } };
        assert_int_equal(fake_set(&server, settings), 0);
        nothing_served();
        w->store = place_open(state);
        new_net(w, false);
        for (size_t i = 0; i < 3; i++) {
                w->channel[i].name = arena_fmt(&w->a, "c%zu", i);
                w->channel[i].url = arena_fmt(&w->a, "http://127.0.0.1:%u/c%zu", server.port, i);
        }
        w->o = (struct conda_channels_opts){ .channel = w->channel, .n_channel = 1, .subdir = SV("linux-64") };
}

static void end(struct world *w)
{
        conda_source_free(w->s);
        net_free(w->net);
        store_close(w->store);
        arena_done(&w->a);
        err_done(&w->e);
}

/* "a-1-0.conda a-3-0.conda", or "" when there are none; NULL: failed, w->e says how. */
static const char *files(struct world *w, const char *name)
{
        struct conda_records r = { 0 };
        struct buf b = BUF_INIT(65536);
        sv text;

        err_done(&w->e);
        if (w->s->ops->records(w->s, sv_from(name), &r, &w->e) < 0)
                return NULL;
        for (size_t i = 0; i < r.n; i++)
                buf_fmt(&b, "%s%.*s", i ? " " : "", SV_ARG(r.v[i].fn));
        text = arena_sv(&w->a, buf_sv(&b));
        buf_done(&b);
        return text.p;
}

static void assert_files(struct world *w, const char *name, const char *want)
{
        const char *got = files(w, name);

        if (!got)
                fail_msg("%s: %s", name, w->e.cause);
        assert_string_equal(got, want);
}

static void assert_fails(struct world *w, const char *name, int code, const char *part)
{
        if (files(w, name))
                fail_msg("%s: no error", name);
        if ((int)w->e.code != code || !strstr(w->e.cause, part))
                fail_msg("%d '%s' is not %d '%s'", w->e.code, w->e.cause, code, part);
}

static unsigned requests(struct world *w)
{
        static unsigned before;
        unsigned n = net_count(w->net), r = n - before;

        before = n;
        return r;
}

/* --- the tests --- */

static void put_form(const char *form)
{
        nothing_served();
        if (strcmp(form, "shards") == 0) {
                put_shards("c0/linux-64");
                put_shards("c0/noarch");
        } else if (strcmp(form, "zst") == 0) {
                put_zst("c0/linux-64/repodata.json.zst", sv_from(PLATFORM), NULL);
                put_zst("c0/noarch/repodata.json.zst", sv_from(NOARCH), NULL);
        } else if (strcmp(form, "json") == 0) {
                put("c0/linux-64/repodata.json", sv_from(PLATFORM));
                put("c0/noarch/repodata.json", sv_from(NOARCH));
        } else {
                put("c0/linux-64/repodata.json.bz2", (sv){ BZ2, sizeof(BZ2) - 1 });
                put("c0/noarch/repodata.json", sv_from(NOARCH));
        }
}

static void every_form(void **state)
{
        static const struct {
                const char *form, *files;
                unsigned cold, stale; /* requests for the first time, and when lifetimes are over */
        } rows[] = {
                { "shards", "a-1-0.conda a-1-0.conda", 2 + 2 + 2, 2 }, /* two indexes; a; b, that it needs */
                { "zst", "a-1-0.tar.bz2 a-3-0.conda", 2 * 2,
                  2 * 2 }, /* the 404 of the shards has no lifetime of its own */
                { "json", "a-1-0.tar.bz2 a-3-0.conda", 2 * 3, 2 * 2 },
                { "bz2", "a-1-0.tar.bz2 a-3-0.conda", 4 + 3, 2 * 2 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                static const char *const lifetime[] = { "max_age=600", "max_age=0" };

                for (size_t k = 0; k < 2; k++) {
                        struct world w;
                        struct conda_records r;

                        begin(&w, state, lifetime[k]);
                        put_form(rows[i].form);
                        open_source(&w);
                        assert_files(&w, "a", rows[i].files);
                        assert_files(&w, "nosuch", "");
                        assert_int_equal(w.s->ops->records(w.s, SV("b"), &r, &w.e), 0); /* so that all has come */
                        conda_source_free(w.s);
                        w.s = NULL;
                        new_net(&w, false);
                        open_source(&w);
                        assert_files(&w, "a", rows[i].files);
                        if (k == 0)
                                assert_int_equal(net_count(w.net), 0);
                        else
                                assert_true(net_count(w.net) <= rows[i].stale && net_count(w.net) >= 2);
                        new_net(&w, true);
                        open_source(&w);
                        assert_files(&w, "a", rows[i].files);
                        end(&w);
                        assert_int_equal(place_teardown(state) + place_setup(state), 0);
                }
        }
}

static void requests_are_few(void **state)
{
        struct world w;

        begin(&w, state, "max_age=600");
        put_form("zst");
        open_source(&w);
        requests(&w);
        assert_files(&w, "a", "a-1-0.tar.bz2 a-3-0.conda");
        assert_int_equal(net_count(w.net), 4);
        assert_files(&w, "b", "b-1-0.tar.bz2");
        assert_int_equal(net_count(w.net), 4);
        assert_true(sv_is(w.s->ops->near(w.s, SV("aa")), "a"));
        new_net(&w, false);
        w.o.no_shards = true;
        w.o.refresh = true; /* lifetimes do not count, validators do */
        open_source(&w);
        assert_files(&w, "a", "a-1-0.tar.bz2 a-3-0.conda");
        assert_int_equal(net_count(w.net), 2);
        end(&w);
}

static void urls_and_order(void **state)
{
        struct world w;
        struct conda_records r;

        begin(&w, state, "max_age=600");
        put("c0/linux-64/repodata.json",
            SV("{\"info\":{\"base_url\":\"../files\"},\"packages\":{\"a-1-0.tar.bz2\":" REC("a", "1", "") "}}"));
        put("c0/noarch/repodata.json", sv_from(NOARCH));
        put_shards("c1/linux-64");
        put("c2/noarch/repodata.json",
            SV("{\"info\":{\"base_url\":\"https://cdn.test/x/\"},\"packages\":{\"a-1-0.tar.bz2\":" REC("a", "1",
                                                                                                       "") "}}"));
        w.o.n_channel = 3;
        open_source(&w);
        assert_int_equal(w.s->ops->records(w.s, SV("a"), &r, &w.e), 0);
        assert_int_equal(r.n, 4);
        assert_true(sv_ends(r.v[0].url, SV("/c0/files/a-1-0.tar.bz2")));
        assert_true(sv_ends(r.v[1].url, SV("/c0/noarch/a-3-0.conda")));
        assert_true(sv_ends(r.v[2].url, SV("/c1/files/a-1-0.conda")));
        assert_true(sv_is(r.v[3].url, "https://cdn.test/x/a-1-0.tar.bz2"));
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(r.v[i].channel_no, i < 2 ? 0 : i - 1);
        assert_true(sv_is(r.v[0].subdir, "linux-64") && sv_is(r.v[1].subdir, "noarch"));
        assert_true(sv_eq(r.v[2].channel, w.channel[1].url));
        end(&w);
}

static void subdirs_that_are_not_there(void **state)
{
        struct world w;

        begin(&w, state, "");
        put("c0/noarch/repodata.json", sv_from(NOARCH));
        put("c1/linux-64/repodata.json", sv_from(PLATFORM));
        open_source(&w);
        assert_files(&w, "a", "a-3-0.conda");
        w.o.channel = &w.channel[1];
        open_source(&w);
        assert_files(&w, "a", "a-1-0.tar.bz2");
        w.o.channel = &w.channel[2];
        open_source(&w);
        assert_fails(&w, "a", ERR_NOT_FOUND, "/c2/noarch/repodata.json");
        assert_non_null(strstr(w.e.hint, "check the channel's name"));
        assert_fails(&w, "b", ERR_NOT_FOUND, "there is no channel");
        w.o.channel = w.channel;
        w.channel[0].subdir = SV("linux-aarch64"); /* "c0/linux-aarch64" was said */
        put("c0/linux-aarch64/repodata.json", sv_from(NEWER));
        open_source(&w);
        assert_files(&w, "a", "a-2-0.tar.bz2 a-3-0.conda");
        end(&w);
}

static void what_changes_is_seen(void **state)
{
        struct world w;

        begin(&w, state, "max_age=0");
        w.o.no_shards = true;
        w.o.subdir = (sv){ 0 };
        for (int i = 0; i < 5; i++) {
                AUTO(arena_done) struct arena a = { 0 };
                sv fn = arena_fmt(&a, "a-%d-0.conda", i);

                put_zst("c0/noarch/repodata.json.zst",
                        arena_fmt(&a, "{\"packages\":{\"%.*s\":{\"name\":\"a\",\"version\":\"%d\",\"build\":\"0\"}}}",
                                  SV_ARG(fn), i),
                        NULL);
                open_source(&w);
                assert_files(&w, "a", fn.p);
                conda_source_free(w.s);
                w.s = NULL;
        }
        assert_int_equal(files_in(w.store, "indexes"), 2); /* this one and the one before */
        put("c0/noarch/repodata.json", sv_from(NOARCH));   /* another form now */
        assert_int_equal(fake_set(&server, "status=.zst:404"), 0);
        open_source(&w);
        assert_files(&w, "a", "a-3-0.conda");
        end(&w);
}

static void offline(void **state)
{
        struct world w;

        begin(&w, state, "max_age=0");
        put_form("json");
        new_net(&w, true);
        open_source(&w);
        assert_fails(&w, "a", ERR_OFFLINE, "repodata.json");
        new_net(&w, false);
        open_source(&w);
        assert_files(&w, "a", "a-1-0.tar.bz2 a-3-0.conda");
        new_net(&w, true);
        open_source(&w);
        assert_files(&w, "a", "a-1-0.tar.bz2 a-3-0.conda");
        end(&w);
}

/* A large text: its index is kept, used again, and made again when it is damaged. */
static void index_is_kept(void **state)
{
        AUTO(buf_done) struct buf b = BUF_INIT(8 << 20);
        struct world w;

        begin(&w, state, "max_age=600");
        buf_fmt(&b, "{\"packages\":{");
        for (int i = 0; i < 20000; i++)
                buf_fmt(&b, "%s\"p%d-1-0.conda\":{\"name\":\"p%d\",\"version\":\"1\",\"build\":\"0\"}", i ? "," : "", i,
                        i);
        buf_fmt(&b, "}}");
        put_zst("c0/noarch/repodata.json.zst", buf_sv(&b), NULL);
        for (int round = 0; round < 4; round++) {
                open_source(&w);
                assert_files(&w, "p19999", "p19999-1-0.conda");
                conda_source_free(w.s);
                w.s = NULL;
                assert_int_equal(files_in(w.store, "indexes"), 2);
                if (round == 1) {
                        AUTO(free_ptr) char *folder = fs_path("%s/indexes", store_root(w.store));
                        AUTO(free_ptr) char **v = NULL;
                        size_t n = 0;

                        assert_int_equal(fs_list(folder, &v, &n, &w.e), 0);
                        for (size_t i = 0; i < n; i++) {
                                AUTO(free_ptr) char *path = fs_path("%s/%s", folder, v[i]);
                                AUTO(close_fd) int fd = open(path, O_RDWR);
                                char magic[8];

                                if (pread(fd, magic, 8, 0) == 8 && memcmp(magic, "EBCONDAX", 8) == 0)
                                        assert_int_equal(ftruncate(fd, 1000), 0);
                        }
                }
        }
        end(&w);
}

static void shards_come_ahead(void **state)
{
        struct world w;
        struct conda_records r;
        uint64_t seen = 0;

        begin(&w, state, "max_age=600");
        put_shards("c0/linux-64");
        put_shards("c0/noarch");
        open_source(&w);
        w.s->ops->soon(w.s, SV("a")); /* before the index is there */
        while (!w.s->ops->ready(w.s, SV("a")))
                assert_int_equal(net_next(w.net, &seen, &w.e), 0);
        assert_int_equal(net_count(w.net), 4); /* both indexes, a in both */
        assert_false(w.s->ops->ready(w.s, SV("b")));
        assert_int_equal(w.s->ops->records(w.s, SV("a"), &r, &w.e), 0);
        assert_int_equal(r.n, 2);
        assert_true(sv_is(r.v[0].depends[0], "b >=1"));
        while (!w.s->ops->ready(w.s, SV("b"))) /* nobody asked for it */
                assert_int_equal(net_next(w.net, &seen, &w.e), 0);
        assert_files(&w, "b", "b-1-0.conda b-1-0.conda");
        assert_files(&w, "c", "c-1-0.conda c-1-0.conda");
        assert_int_equal(net_count(w.net), 8);
        assert_true(sv_is(w.s->ops->near(w.s, SV("cc")), "c"));
        end(&w);
}

static void faults(void **state)
{
        static const struct {
                const char *form, *settings, *files; /* files NULL: fails */
                int code;
                const char *cause;
        } rows[] = {
                { "json", "status=linux-64:500", NULL, ERR_NET, "/c0/linux-64/" },
                { "json", "status=/noarch/:500:1", "a-1-0.tar.bz2 a-3-0.conda", 0, NULL }, /* tried again */
                { "json", "status=.zst:403", "a-1-0.tar.bz2 a-3-0.conda", 0, NULL },
                { "json", "status=noarch:401", NULL, ERR_AUTH, "/c0/noarch/" },
                { "json", "body=.zst:<html>", "a-1-0.tar.bz2 a-3-0.conda", 0, NULL },
                { "zst", "body=shards:<html>", "a-1-0.tar.bz2 a-3-0.conda", 0, NULL },
                { "zst", "truncate=.zst:20:1", "a-1-0.tar.bz2 a-3-0.conda", 0, NULL }, /* goes on where it broke off */
                { "zst", "truncate=.zst:20", NULL, ERR_NET, "/c0/" },
                { "json", "corrupt=linux-64/repodata.json:0", NULL, ERR_INTEGRITY, "byte 0: this is no JSON object" },
                { "shards", "corrupt=/shards/:0", NULL, ERR_INTEGRITY, "is damaged: its sha256 is" },
                { "shards", "status=/shards/:404", NULL, ERR_NOT_FOUND, "/shards/" },
                { "shards", "corrupt=repodata_shards:0", NULL, ERR_NOT_FOUND, "there is no channel" },
        };
        int bad = 0;

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w;
                const char *got;

                begin(&w, state, rows[i].settings);
                put_form(rows[i].form);
                open_source(&w);
                got = files(&w, "a");
                if (rows[i].files ? !got || strcmp(got, rows[i].files) != 0
                                  : got || (int)w.e.code != rows[i].code || !strstr(w.e.cause, rows[i].cause))
                        bad++, print_error("row %zu: %s%s\n", i, got ? got : "", w.e.cause ? w.e.cause : "");
                end(&w);
                assert_int_equal(place_teardown(state) + place_setup(state), 0);
        }
        assert_int_equal(bad, 0);
}

static void mirrors(void **state)
{
        struct world w;
        struct conda_records r;
        struct conda_mirror m[2];

        begin(&w, state, "max_age=0&status=/dead/:500");
        put("m/linux-64/repodata.json", sv_from(PLATFORM));
        put("m/noarch/repodata.json", sv_from(NOARCH));
        m[0] = (struct conda_mirror){ w.channel[0].url, arena_fmt(&w.a, "http://127.0.0.1:%u/dead/", server.port) };
        m[1] = (struct conda_mirror){ w.channel[0].url, arena_fmt(&w.a, "http://127.0.0.1:%u/m", server.port) };
        w.o.mirror = m;
        w.o.n_mirror = 2;
        open_source(&w);
        assert_int_equal(w.s->ops->records(w.s, SV("a"), &r, &w.e), 0);
        assert_int_equal(r.n, 2);
        assert_true(sv_ends(r.v[0].url, SV("/c0/linux-64/a-1-0.tar.bz2"))); /* a lock names the channel */
        w.o.n_mirror = 1;
        open_source(&w);
        assert_fails(&w, "a", ERR_NET, "/dead/");
        w.o.channel = &w.channel[1]; /* a mirror of another channel */
        open_source(&w);
        assert_fails(&w, "a", ERR_NOT_FOUND, "/c1/noarch/");
        end(&w);
}

/* No file of the store, and no name of one, holds this. */
static void assert_nowhere(const char *folder, const char *secret)
{
        AUTO(free_ptr) char **v = NULL;
        struct err e = { 0 };
        size_t n = 0;

        assert_int_equal(fs_list(folder, &v, &n, &e), 0);
        for (size_t i = 0; i < n; i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", folder, v[i]);
                AUTO(buf_done) struct buf b = BUF_INIT(1 << 20);

                if (fs_is_dir(path)) {
                        assert_nowhere(path, secret);
                        continue;
                }
                assert_int_equal(fs_read(path, &b, &e), 0);
                assert_null(strstr(path, secret));
                assert_true(sv_find_sv(buf_sv(&b), sv_from(secret)) < 0);
        }
}

static void secrets_stay_in_requests(void **state)
{
        static const char *const form[] = { "json", "shards" };

        for (size_t i = 0; i < 2; i++) {
                struct world w;
                struct conda_records r;

                begin(&w, state, "max_age=600&token=to-ken&login=me:pass-word");
                put_form(form[i]);
                w.channel[0].token = SV("to-ken");
                w.channel[0].login = SV("me:pass-word");
                open_source(&w);
                assert_non_null(files(&w, "a"));
                assert_int_equal(w.s->ops->records(w.s, SV("a"), &r, &w.e), 0);
                assert_int_equal(r.n, 2);
                assert_true(sv_find_sv(r.v[0].url, SV("to-ken")) < 0 && sv_find_sv(r.v[0].url, SV("pass")) < 0);
                conda_source_free(w.s); /* everything is written */
                w.s = NULL;
                assert_nowhere(store_root(w.store), "to-ken");
                assert_nowhere(store_root(w.store), "pass-word");
                assert_int_equal(fake_set(&server, "token=other&status=.json:500"), 0);
                w.o.refresh = true;
                open_source(&w);
                assert_null(files(&w, "a"));
                assert_null(strstr(w.e.cause, "to-ken"));
                assert_null(strstr(w.e.cause, "pass-word"));
                assert_null(w.e.trail && strstr(w.e.trail, "to-ken") ? "" : NULL);
                end(&w);
                assert_int_equal(place_teardown(state) + place_setup(state), 0);
        }
}

static void folders(void **state)
{
        static const char *const form[] = { "json", "zst", "shards", "bz2" };

        for (size_t i = 0; i < ARRAY_LEN(form); i++)
                for (int round = 0; round < 2; round++) {
                        struct world w;
                        struct conda_records r;

                        begin(&w, state, "");
                        put_form(form[i]);
                        w.channel[0].url = arena_fmt(&w.a, "file://%s/c0", site);
                        open_source(&w);
                        assert_int_equal(w.s->ops->records(w.s, SV("a"), &r, &w.e), 0);
                        assert_int_equal(r.n, 2);
                        assert_true(sv_starts(r.v[0].url, SV("file:///")));
                        assert_true(w.s->ops->ready(w.s, SV("a")));
                        assert_int_equal(net_count(w.net), 0);
                        w.channel[0].url = arena_fmt(&w.a, "file://%s/nosuch", site);
                        open_source(&w);
                        assert_fails(&w, "a", ERR_NOT_FOUND, "/nosuch/noarch/repodata.json");
                        end(&w);
                }
}

static void urls_for_requests(void **state)
{
        const struct conda_channel channel[] = {
                { .name = SV("c"), .url = SV("https://h/c"), .token = SV("to-ken"), .login = SV("u:p") },
                { .name = SV("c/label/x"), .url = SV("https://h/c/label/x") },
                { .name = SV("d"), .url = SV("https://h/alias/d"), .token = SV("to-ken") },
                { .name = SV("https://i/e/f"), .url = SV("https://i/e/f"), .token = SV("to-ken") },
                { .name = SV("m"), .url = SV("https://h/m"), .token = SV("to-ken") },
                { .name = SV("g"), .url = SV("file:///g") },
        };
        const struct conda_mirror mirror[] = { { SV("https://h/m/"), SV("http://one/") },
                                               { SV("https://h/m"), SV("http://two/x") } };
        const struct conda_channels_opts o = {
                .channel = channel, .n_channel = ARRAY_LEN(channel), .mirror = mirror, .n_mirror = ARRAY_LEN(mirror)
        };
        static const struct {
                const char *url;
                size_t i;
                const char *want;
        } rows[] = {
                { "https://h/c/noarch/x.conda", 0, "https://u:p@h/t/to-ken/c/noarch/x.conda" },
                { "https://h/c/noarch/x.conda", 1, NULL },
                { "https://h/c/label/x/noarch/x.conda", 0, "https://h/c/label/x/noarch/x.conda" },
                { "https://h/alias/d/noarch/x.conda", 0, "https://h/alias/t/to-ken/d/noarch/x.conda" },
                { "https://i/e/f/noarch/x.conda", 0, "https://i/t/to-ken/e/f/noarch/x.conda" },
                { "https://h/m/noarch/x.conda", 0, "http://one/noarch/x.conda" },
                { "https://h/m/noarch/x.conda", 1, "http://two/x/noarch/x.conda" },
                { "https://h/m/noarch/x.conda", 2, NULL },
                { "https://h/mm/noarch/x.conda", 0, "https://h/mm/noarch/x.conda" },
                { "https://h/mm/noarch/x.conda", 1, NULL },
                { "file:///g/noarch/x.conda", 0, "file:///g/noarch/x.conda" },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(arena_done) struct arena a = { 0 };
                sv got;

                if (conda_request_url(&a, sv_from(rows[i].url), &o, rows[i].i, &got) != (rows[i].want != NULL) ||
                    (rows[i].want && !sv_is(got, rows[i].want)))
                        bad++, print_error("row %zu: '%.*s'\n", i, SV_ARG(got));
        }
        assert_int_equal(bad, 0);
}

static void channels_that_are_none(void **state)
{
        struct world w;

        begin(&w, state, "");
        w.channel[0].url = SV("ftp://user:secret@h/c");
        assert_int_equal(conda_channels_open(&w.o, w.net, w.store, &w.op, &w.s, &w.e), -ERR_USAGE);
        assert_null(w.s);
        assert_null(strstr(w.e.cause, "secret"));
        err_done(&w.e);
        w.channel[0].url = arena_fmt(&w.a, "http://127.0.0.1:%u/c0", server.port);
        put_form("json");
        open_source(&w);
        conda_source_free(w.s); /* with everything on its way */
        w.s = NULL;
        open_source(&w);
        w.op.signal = 2;
        assert_fails(&w, "a", ERR_CANCELLED, "interrupted");
        end(&w);
}

#define T(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                T(every_form),
                T(requests_are_few),
                T(urls_and_order),
                T(subdirs_that_are_not_there),
                T(what_changes_is_seen),
                T(offline),
                T(index_is_kept),
                T(shards_come_ahead),
                T(faults),
                T(mirrors),
                T(secrets_stay_in_requests),
                T(folders),
                T(channels_that_are_none),
                cmocka_unit_test(urls_for_requests),
        };

        return cmocka_run_group_tests(tests, set_up, tear_down);
}
