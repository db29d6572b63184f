#include <string.h>

#include "base/clock.h"
#include "catalog/pypi_net_priv.h"
#include "net/net_priv.h"
#include "tests/unit/fake.h"
#include "tests/unit/store/place.h"

/* The network source against tests/fake/index.py: a server with faults of its own for each test, a store of its own too. */
struct world {
        struct op op;
        struct net *net;
        struct store *store;
        struct pypi_opts o;
        struct pypi_source *s;
        struct arena a;
        struct err e;
};
static struct fake server[2]; /* of all tests: starting one takes longer than the tests do */

static const char PACKAGES[] = "{\"packages\": {"
                               "\"foo\": {\"1.0\": {\"requires\": [\"bar>=1\"], \"requires_python\": \">=3.8\"}, "
                               "\"2.0\": {\"requires\": [\"bar>=2\"], \"yanked\": \"no\"}},"
                               "\"big\": {\"1.0\": {\"pad\": 300000, \"requires\": [\"small\"]}},"
                               "\"odd.Name\": {\"1.0\": {\"sdist\": true}},"
                               "\"far\": {\"1.0\": {\"tail\": 200000, \"requires\": [\"near\"]}}"
                               "}}";

static int set_up(void **state)
{
        char spec[] = "/tmp/eb-spec-XXXXXX";
        const char *more[] = { "--spec", spec, NULL };
        int fd = mkstemp(spec), r;

        (void)state;
        unsetenv("http_proxy");
        unsetenv("HTTP_PROXY");
        if (fd < 0 || write(fd, PACKAGES, strlen(PACKAGES)) != (ssize_t)strlen(PACKAGES))
                return -1;
        close(fd);
        r = fake_start(&server[0], more) + fake_start(&server[1], more);
        unlink(spec);
        return r;
}

static int tear_down(void **state)
{
        (void)state;
        fake_stop(&server[0]);
        fake_stop(&server[1]);
        return 0;
}

static void open_source(struct world *w)
{
        if (w->s)
                w->s->ops->free(w->s);
        w->s = NULL;
        assert_int_equal(pypi_net_open(&w->o, w->net, w->store, &w->op, &w->s, &w->e), 0);
}

static void new_net(struct world *w, bool offline)
{
        if (w->s)
                w->s->ops->free(w->s);
        w->s = NULL;
        net_free(w->net);
        assert_int_equal(net_new_over(&(struct net_opts){ .offline = offline, .timeout_ms = 5000 }, &w->op, NULL, 1,
                                      &w->net, &w->e),
                         0);
}

static sv index_url(struct world *w, size_t i, const char *user)
{
        return arena_fmt(&w->a, "http://%s127.0.0.1:%u/simple", user, server[i].port);
}

static void begin(struct world *w, void **state, const char *settings)
{
        sv *index;

        *w = (struct world){ .op = { .jobs = 1 } };
        assert_int_equal(fake_set(&server[0], settings), 0);
        w->store = place_open(state);
        new_net(w, false);
        index = arena_array(&w->a, sv, 2);
        index[0] = index_url(w, 0, "");
        w->o = (struct pypi_opts){ .index = index, .n_index = 1 };
        open_source(w);
}

static void end(struct world *w)
{
        if (w->s)
                w->s->ops->free(w->s);
        net_free(w->net);
        store_close(w->store);
        arena_done(&w->a);
        err_done(&w->e);
}

static const struct pypi_page *page(struct world *w, const char *name)
{
        const struct pypi_page *p = NULL;

        err_done(&w->e);
        return w->s->ops->page(w->s, sv_from(name), &p, &w->e) < 0 ? NULL : p;
}

static bool metadata_has(struct world *w, const struct pypi_file *f, const char *part)
{
        sv text = { 0 };

        err_done(&w->e);
        if (w->s->ops->metadata(w->s, f, &text, &w->e) < 0) {
                print_error("%s\n", w->e.cause);
                return false;
        }
        return sv_find_sv(text, sv_from(part)) >= 0;
}

static void assert_cause(struct world *w, const char *part)
{
        if (!w->e.cause || !strstr(w->e.cause, part))
                fail_msg("'%s' does not say '%s'", w->e.cause ? w->e.cause : "", part);
}

static void pages_in_both_forms(void **state)
{
        static const char *const form[] = { "format=json", "format=html" };

        for (size_t i = 0; i < ARRAY_LEN(form); i++) {
                struct world w;
                const struct pypi_page *p;

                begin(&w, state, form[i]);
                p = page(&w, "foo");
                assert_int_equal(p->n, 2);
                assert_false(p->absent);
                assert_true(sv_is(p->v[0].filename, "foo-1.0-py3-none-any.whl"));
                assert_true(sv_is(p->v[0].requires_python, ">=3.8"));
                assert_true(p->v[1].yanked && sv_is(p->v[1].yanked_reason, "no"));
                assert_false(sha256_is_zero(&p->v[0].sha256));
                assert_int_equal(p->v[0].size > 0, i == 0); /* HTML does not say */
                assert_true(page(&w, "nosuch")->absent);
                assert_int_equal(page(&w, "odd-name")->n, 2);
                assert_int_equal(net_count(w.net), 3);
                page(&w, "foo"); /* from memory */
                assert_int_equal(net_count(w.net), 3);
                end(&w);
                place_teardown(state);
                place_setup(state);
        }
}

static void every_way_to_the_metadata(void **state)
{
        static const struct {
                const char *set;
                unsigned small, big; /* requests for foo and big, pages included */
        } rows[] = {
                { "metadata=on", 2, 2 }, /* PEP 658 */
                { "ranges=on", 2, 2 },   /* the archive's end holds it */
                { "ranges=off", 3, 2 },  /* 200: remembered, big is downloaded at once */
                { "ranges=deny", 3, 2 },
                { "ranges=405", 3, 2 },
                { "metadata=on&fail=.metadata:404", 3, 2 }, /* promised and not kept */
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w;
                unsigned before;

                begin(&w, state, rows[i].set);
                assert_true(metadata_has(&w, &page(&w, "foo")->v[0], "Requires-Dist: bar>=1"));
                if (net_count(w.net) != rows[i].small)
                        fail_msg("%s: %u requests", rows[i].set, net_count(w.net));
                assert_true(metadata_has(&w, &page(&w, "big")->v[0], "Requires-Dist: small"));
                if (net_count(w.net) != rows[i].small + rows[i].big)
                        fail_msg("%s: %u requests", rows[i].set, net_count(w.net));
                before = net_count(w.net);
                open_source(&w); /* a new run: pages are asked for again (304), metadata is not */
                assert_true(metadata_has(&w, &page(&w, "big")->v[0], "Requires-Dist: small"));
                assert_int_equal(net_count(w.net), before + 1);
                end(&w);
                place_teardown(state);
                place_setup(state);
        }
}

/* A wheel whose .dist-info stands first, with more than the first piece after it: METADATA needs a request of its own. */
static void metadata_far_from_the_end(void **state)
{
        struct world w;

        begin(&w, state, NULL);
        assert_true(metadata_has(&w, &page(&w, "far")->v[0], "Requires-Dist: near"));
        assert_int_equal(net_count(w.net), 3);
        end(&w);
}

static void metadata_is_checked(void **state)
{
        struct world w;
        sv text;

        begin(&w, state, "metadata=on&corrupt=.metadata");
        assert_int_equal(w.s->ops->metadata(w.s, &page(&w, "foo")->v[0], &text, &w.e), -ERR_INTEGRITY);
        assert_cause(&w, "and the index says sha256:");
        end(&w);
        begin(&w, state, "ranges=off&wrong_hash=foo");
        assert_int_equal(w.s->ops->metadata(w.s, &page(&w, "foo")->v[0], &text, &w.e), -ERR_INTEGRITY);
        assert_cause(&w, "is not sha256:1111");
        err_done(&w.e);
        assert_int_equal(w.s->ops->metadata(w.s, &page(&w, "foo")->v[0], &text, &w.e),
                         -ERR_INTEGRITY); /* and stays so */
        err_done(&w.e);
        assert_int_equal(w.s->ops->metadata(w.s, &page(&w, "odd-name")->v[1], &text, &w.e),
                         -ERR_NOT_FOUND); /* an sdist */
        end(&w);
}

static void soon_is_not_now(void **state)
{
        struct world w;
        const struct pypi_file *f;
        unsigned before;

        begin(&w, state, "ranges=off");
        w.s->ops->page_soon(w.s, SV("big"));
        w.s->ops->page_soon(w.s, SV("foo"));
        while (!w.s->ops->page_ready(w.s, SV("big")) || !w.s->ops->page_ready(w.s, SV("foo")))
                assert_int_equal(w.s->ops->wait(w.s, &w.e), 0);
        f = &page(&w, "big")->v[0];
        w.s->ops->metadata_soon(w.s, f);
        assert_int_equal(w.s->ops->wait(w.s, &w.e), 0);
        assert_false(w.s->ops->metadata_ready(w.s, f)); /* a download is not begun for a guess */
        before = net_count(w.net);
        assert_true(metadata_has(&w, f, "Requires-Dist: small"));
        assert_int_equal(net_count(w.net), before + 1);
        assert_true(w.s->ops->metadata_ready(w.s, f));
        end(&w);
}

static void the_first_index_that_has_the_name(void **state)
{
        struct world w;
        const struct pypi_page *later = NULL;
        uint32_t i = 0;
        unsigned before;

        begin(&w, state, "missing=big");
        assert_int_equal(fake_set(&server[1], "missing=odd-name"), 0);
        ((sv *)w.o.index)[1] = index_url(&w, 1, "");
        w.o.n_index = 2;
        open_source(&w);
        assert_int_equal(page(&w, "foo")->n, 2);
        assert_int_equal(net_count(w.net), 1); /* the second is not even asked */
        assert_int_equal(page(&w, "big")->v[0].index, 1);
        assert_true(page(&w, "nosuch")->absent);
        before = net_count(w.net);
        assert_int_equal(w.s->ops->later(w.s, SV("foo"), &later, &i, &w.e), 0);
        assert_true(later && later->n == 2 && i == 1);
        assert_int_equal(w.s->ops->later(w.s, SV("foo"), &later, &i, &w.e), 0);
        assert_int_equal(net_count(w.net), before + 1);
        assert_int_equal(w.s->ops->later(w.s, SV("big"), &later, &i, &w.e), 0);
        assert_null(later);
        w.o.merge = true;
        open_source(&w);
        assert_int_equal(page(&w, "foo")->n, 4);
        assert_int_equal(page(&w, "odd-name")->n, 2);
        end(&w);
}

static void errors_never_look_like_absence(void **state)
{
        struct world w;

        begin(&w, state, "auth=me:pw");
        assert_null(page(&w, "foo"));
        assert_int_equal(w.e.code, ERR_AUTH);
        assert_non_null(strstr(w.e.hint, ".netrc"));
        ((sv *)w.o.index)[0] = index_url(&w, 0, "me:pw@");
        open_source(&w);
        assert_int_equal(page(&w, "foo")->n, 2);
        assert_int_equal(sv_find_sv(page(&w, "foo")->v[0].url, SV("pw")), -1);
        assert_true(metadata_has(&w, &page(&w, "foo")->v[0], "bar>=1")); /* the files want the login too */
        end(&w);
        begin(&w, state, "fail=/simple/foo:500");
        assert_null(page(&w, "foo"));
        assert_int_equal(w.e.code, ERR_NET);
        assert_null(page(&w, "foo")); /* the same answer, without asking again */
        assert_int_equal(net_count(w.net), 5);
        end(&w);
        begin(&w, state, NULL);
        w.o.index = (const sv[]){ { "ftp://u:pw@h/", 13 } };
        w.s->ops->free(w.s);
        w.s = NULL;
        assert_int_equal(pypi_net_open(&w.o, w.net, w.store, &w.op, &w.s, &w.e), -ERR_USAGE);
        assert_null(strstr(w.e.cause, "pw@"));
        end(&w);
}

static void pages_are_kept(void **state)
{
        struct world w;

        begin(&w, state, "max_age=600");
        page(&w, "foo");
        page(&w, "nosuch");
        open_source(&w);
        assert_int_equal(page(&w, "foo")->n, 2);
        assert_true(page(&w, "nosuch")->absent);
        assert_int_equal(net_count(w.net), 2); /* the 404 has no lifetime of its own: ten minutes */
        w.o.refresh = true;
        open_source(&w);
        assert_int_equal(page(&w, "foo")->n, 2);
        assert_int_equal(net_count(w.net), 3);
        w.o.refresh = false;
        new_net(&w, true); /* offline: whatever is there */
        open_source(&w);
        assert_int_equal(page(&w, "foo")->n, 2);
        assert_true(page(&w, "nosuch")->absent);
        assert_null(page(&w, "big"));
        assert_int_equal(w.e.code, ERR_OFFLINE);
        assert_cause(&w, "/simple/big/");
        end(&w);
}

static void lifetimes(void **state)
{
        static const struct {
                const char *control, *etag, *age;
                int64_t want;
        } rows[] = {
                { "max-age=600, public", "x", NULL, 600 },
                { "max-age=600", "x", "100", 500 },
                { "max-age=600", "x", "1000", 0 },
                { "public, max-age=\"60\"", "x", NULL, 60 },
                { "max-age=99999999", "x", NULL, 86400 },
                { "no-cache, max-age=600", "x", NULL, 0 },
                { "no-store", "x", NULL, -1 },
                { "", "x", NULL, 0 }, /* a validator: ask every time */
                { "", NULL, NULL, 600 },
                { "max-age=x", NULL, NULL, 0 },
        };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct net_header h[3] = { { SV("cache-control"), sv_from(rows[i].control) } };
                struct net_answer a = { .header = h, .n_header = 1 };

                if (rows[i].etag)
                        h[a.n_header++] = (struct net_header){ SV("etag"), sv_from(rows[i].etag) };
                if (rows[i].age)
                        h[a.n_header++] = (struct net_header){ SV("age"), sv_from(rows[i].age) };
                if (page_lifetime(&a) != rows[i].want)
                        bad++, print_error("%s: %lld\n", rows[i].control, (long long)page_lifetime(&a));
        }
        assert_int_equal(bad, 0);
}

static sv save_wheel(struct world *w, const char *dir, const char *name)
{
        struct net_answer got = { 0 };
        struct err e = { 0 };
        char *path = fs_path("%s/%s", dir, name);

        assert_int_equal(net_do(w->net,
                                &(struct net_request){ .url = arena_fmt(&w->a, "http://127.0.0.1:%u/files/foo/%s",
                                                                        server[0].port, name) },
                                &w->a, &got, &e),
                         0);
        assert_int_equal(fs_write(path, got.body, 0644, &e), 0);
        free(path);
        return arena_sv(&w->a, got.body);
}

static void find_links(void **state)
{
        struct world w;
        char dir[] = "/tmp/eb links-XXXXXX", html[64];
        struct err e = { 0 };
        sv bytes, link[2];
        const struct pypi_page *p;
        struct pypi_file f, *files[1] = { &f };

        assert_non_null(mkdtemp(dir));
        begin(&w, state, NULL);
        bytes = save_wheel(&w, dir, "foo-1.0-py3-none-any.whl");
        w.o.n_index = 0; /* --no-index */
        link[0] = sv_from(dir);
        w.o.find_links = link;
        w.o.n_find_links = 1;
        open_source(&w);
        p = page(&w, "foo");
        assert_int_equal(p->n, 1);
        assert_true(sv_starts(p->v[0].url, SV("file:///tmp/eb%20links-")));
        assert_true(metadata_has(&w, &p->v[0], "Requires-Dist: bar>=1"));
        assert_true(page(&w, "bar")->absent);
        f = p->v[0];
        assert_int_equal(w.s->ops->complete(w.s, files, 1, &w.e), 0); /* a folder tells neither hash nor size */
        assert_int_equal(f.size, bytes.n);
        assert_memory_equal(f.sha256.b, sha256_of(bytes).b, 32);
        snprintf(html, sizeof(html), "%s/links.html", dir);
        assert_int_equal(fs_write(html,
                                  SV("<a href='foo-1.0-py3-none-any.whl'>x</a><a href='other-1-py3-none-any.whl'>"),
                                  0644, &e),
                         0);
        link[0] = sv_from(html);
        link[1] = arena_fmt(&w.a, "http://127.0.0.1:%u/simple/foo/", server[0].port);
        w.o.n_find_links = 2;
        open_source(&w);
        assert_int_equal(page(&w, "foo")->n, 3);
        assert_true(metadata_has(&w, &page(&w, "foo")->v[0], "Requires-Dist: bar>=1"));
        assert_int_equal(fs_mkdirs(arena_fmt(&w.a, "%s/index/foo", dir).p, 0755, &e),
                         0); /* an index may be a folder too */
        save_wheel(&w, arena_fmt(&w.a, "%s/index/foo", dir).p, "foo-2.0-py3-none-any.whl");
        link[1] = arena_fmt(&w.a, "file:///tmp/eb%%20links-%s/index", dir + strlen("/tmp/eb links-"));
        w.o.n_find_links = 0;
        w.o.index = &link[1];
        w.o.n_index = 1;
        open_source(&w);
        assert_int_equal(page(&w, "foo")->n, 1);
        assert_true(metadata_has(&w, &page(&w, "foo")->v[0], "Requires-Dist: bar>=2"));
        assert_true(page(&w, "bar")->absent);
        w.o.n_index = 0;
        w.o.n_find_links = 1;
        link[0] = SV("/nonexistent/x");
        open_source(&w);
        assert_null(page(&w, "foo"));
        assert_cause(&w, "/nonexistent/x");
        end(&w);
        assert_int_equal(fs_remove(dir, &e), 0);
}

static void what_pages_do_not_say_is_asked(void **state)
{
        static const struct {
                const char *set;
                unsigned more; /* requests for one file */
        } rows[] = { { "size=off", 1 }, { "hash=off", 1 }, { "size=on", 0 }, { "size=off&hash=off", 1 } };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w;
                struct pypi_file f, *files[1] = { &f };
                unsigned before;

                begin(&w, state, rows[i].set);
                f = page(&w, "big")->v[0];
                before = net_count(w.net);
                assert_int_equal(w.s->ops->complete(w.s, files, 1, &w.e), 0);
                assert_int_equal(net_count(w.net), before + rows[i].more);
                assert_true(f.size > 300000);
                assert_false(sha256_is_zero(&f.sha256));
                end(&w);
                place_teardown(state);
                place_setup(state);
        }
}

static struct artifact artifact_of(const struct pypi_file *f)
{
        return (struct artifact){
                .name = SV("big"), .version = SV("1.0"), .url = f->url, .sha256 = f->sha256, .size = f->size
        };
}

static void artifacts_are_fetched_whole_and_right(void **state)
{
        static const struct {
                const char *fault;
                int want;
                unsigned requests;
        } rows[] = {
                { NULL, 0, 1 },
                { "truncate=/files/big:2", 0, 3 }, /* resumed */
                { "corrupt=/files/big:1", 0, 2 },  /* once more */
                { "corrupt=/files/big", -ERR_INTEGRITY, 2 },
                { "fail=/files/big:503:2", 0, 3 },
                { "fail=/files/big:404", -ERR_NOT_FOUND, 1 },
                { "fail=/files/big:403", -ERR_AUTH, 1 },
        };

        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                struct world w;
                struct artifact art;
                unsigned before;

                begin(&w, state, rows[i].fault);
                art = artifact_of(&page(&w, "big")->v[0]);
                before = net_count(w.net);
                if (fetch_artifact(w.net, w.store, &art, art.url, &w.op, &w.e) != rows[i].want)
                        fail_msg("%s: %s", rows[i].fault, w.e.cause);
                if (net_count(w.net) - before != rows[i].requests)
                        fail_msg("%s: %u requests", rows[i].fault, net_count(w.net) - before);
                assert_int_equal(store_has(w.store, STORE_PACKAGE, &art.sha256, NULL), rows[i].want == 0);
                if (rows[i].want == -ERR_INTEGRITY)
                        assert_cause(&w, sha256_hex(&art.sha256).s);
                before = net_count(w.net);
                if (rows[i].want == 0) {
                        assert_int_equal(fetch_artifact(w.net, w.store, &art, art.url, &w.op, &w.e), 0);
                        art.size++;
                        assert_int_equal(fetch_artifact(w.net, w.store, &art, art.url, &w.op, &w.e), -ERR_INTEGRITY);
                        assert_int_equal(net_count(w.net), before); /* it is here */
                }
                end(&w);
                place_teardown(state);
                place_setup(state);
        }
}

static void an_artifact_larger_than_promised_is_stopped(void **state)
{
        struct world w;
        struct artifact art;

        begin(&w, state, NULL);
        art = artifact_of(&page(&w, "big")->v[0]);
        art.size = 1000;
        assert_int_equal(fetch_artifact(w.net, w.store, &art, art.url, &w.op, &w.e), -ERR_INTEGRITY);
        assert_cause(&w, "more than the 1000 bytes");
        new_net(&w, false); /* which closes the source: its notes are written by now */
        assert_int_equal(files_in(w.store, "tmp"), 0);
        end(&w);
}

#define WITH_PLACE(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

int main(void)
{
        static const struct CMUnitTest tests[] = {
                WITH_PLACE(pages_in_both_forms),
                WITH_PLACE(every_way_to_the_metadata),
                WITH_PLACE(metadata_far_from_the_end),
                WITH_PLACE(metadata_is_checked),
                WITH_PLACE(soon_is_not_now),
                WITH_PLACE(the_first_index_that_has_the_name),
                WITH_PLACE(errors_never_look_like_absence),
                WITH_PLACE(pages_are_kept),
                cmocka_unit_test(lifetimes),
                WITH_PLACE(find_links),
                WITH_PLACE(what_pages_do_not_say_is_asked),
                WITH_PLACE(artifacts_are_fetched_whole_and_right),
                WITH_PLACE(an_artifact_larger_than_promised_is_stopped),
        };
        return cmocka_run_group_tests(tests, set_up, tear_down);
}
