#include "image/condarc.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/cleanup.h"
#include "base/fs.h"
#include "tests/unit/unit.h"

struct variable {
        const char *name, *value;
};

static bool variable_of(void *arg, sv name, sv *ret)
{
        for (const struct variable *v = arg; v && v->name; v++)
                if (sv_is(name, v->name)) {
                        *ret = sv_from(v->value);
                        return true;
                }
        return false;
}

static int read_texts(struct arena *a, const char *const *text, size_t n, struct variable *env, struct condarc *ret,
                      struct err *e)
{
        struct condarc_text v[4];

        for (size_t i = 0; i < n; i++)
                v[i] = (struct condarc_text){ sv_from(text[i]), arena_fmt(a, "/%zu/.condarc", i) };
        return condarc_parse(a, v, n, variable_of, env, SV("/work"), ret, e);
}

static const char *joined(struct arena *a, const sv *v, size_t n)
{
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)1 << 16);

        for (size_t i = 0; i < n; i++)
                buf_fmt(&b, "%s%.*s", i ? " " : "", SV_ARG(v[i]));
        return arena_str(a, buf_sv(&b));
}

/* Up to two texts and CONDA_CHANNELS, and the channels that are asked: conda's answers. */
static void channel_rows(void **state)
{
        static const struct {
                const char *text[2], *variable, *channels;
        } rows[] = {
                { { "", "" }, NULL, "" },
                { { "channels: [conda-forge, defaults]", "" }, NULL, "conda-forge defaults" },
                { { "channels: [a, b]", "channels: [c, a]" },
                  NULL,
                  "c a b" }, /* the later source comes first; each once */
                { { "channels: [a]", "channels:" }, NULL, "a" },
                { { "channel: [a]\n", "" }, NULL, "a" },
                { { "channels: [a]", "channels: [b]" }, "x, y,a", "x y a b" },
                { { "channels:  #!final\n  - a\n", "channels: [b]" }, "x", "a" },
                { { "channels: [b]", "channels: #!final\n  - a\n" }, "x", "a b" },
                { { "channels:\n  - a  #!top\n  - b\n", "channels: [c]" }, NULL, "a c b" },
                { { "channels:\n  - a\n", "channels:\n  - b  #!bottom\n  - c\n" }, NULL, "c a b" },
                { { "channels:\n  - a  #!bottom\n", "channels:\n  - b  #!bottom\n  - c\n" }, NULL, "c b a" },
                { { "channels: ['https://u:$PW@h/c', \"${HOST}/x\", $]", "" },
                  NULL,
                  "https://u:${PW}@h/c ${HOST}/x $" },
                { { "unknown: {a: [1]}\nchannels: [a]", "" }, NULL, "a" },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct variable env[] = { { rows[i].variable ? "CONDA_CHANNELS" : NULL, rows[i].variable },
                                          { NULL, NULL } };
                struct condarc c = { 0 };
                int r = read_texts(&a, rows[i].text, 2, env, &c, &e);
                const char *got = joined(&a, c.channels, c.n_channels);

                if (r < 0 || strcmp(got, rows[i].channels))
                        bad++, print_error("row %zu: %s %s\n", i, got, e.cause ? e.cause : "");
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void everything(void **state)
{
        const char *text[] = {
                "channel_alias: https://old.corp\ncustom_channels: {own: https://one.corp, other: https://two.corp}\n"
                "channel_priority: true\nssl_verify: /etc/old.pem\n",
                "channel_alias: https://u:${PW}@repo.corp/conda\n"
                "default_channels: [main, https://r.corp/r]\n"
                "custom_channels: {own: 'https://new.corp/base'}\n"
                "custom_multichannels:\n  all: [conda-forge, own]\n"
                "mirrored_channels:\n  conda-forge: [https://m1.corp/cf/, https://m2.corp/cf]\n  own: "
                "https://m3.corp/own\n"
                "denylist_channels: [https://bad.corp/x]\n"
                "allowlist_channels: [all]\n"
                "ssl_verify: $CERTS/ca.pem\n",
        };
        struct variable env[] = {
                { "PW", "s3cret" }, { "CERTS", "/certs" }, { "CONDA_CHANNEL_PRIORITY", "Strict" }, { NULL, NULL }
        };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct conda_channel ch;
        struct condarc c;
        sv why = { 0 };

        (void)state;
        assert_int_equal(read_texts(&a, text, 2, env, &c, &e), 0);
        assert_true(sv_is(c.settings.alias, "https://u:s3cret@repo.corp/conda"));
        assert_string_equal(joined(&a, c.settings.defaults, c.settings.n_defaults), "main https://r.corp/r");
        assert_true(sv_is(c.priority, "strict"));
        assert_true(sv_is(c.ca_file, "/certs/ca.pem"));
        assert_true(conda_channel_parse(&a, SV("own"), &c.settings, &ch, &why) &&
                    sv_is(ch.url, "https://new.corp/base/own"));
        assert_true(condarc_permits(&c, &a, &ch, &why));
        assert_true(conda_channel_parse(&a, SV("other"), &c.settings, &ch, &why) &&
                    sv_is(ch.url, "https://two.corp/other"));
        assert_false(condarc_permits(&c, &a, &ch, &why));
        assert_true(sv_is(why, "allowlist_channels of conda's settings does not name 'https://two.corp/other'"));
        assert_true(conda_channel_parse(&a, SV("https://bad.corp/x"), &c.settings, &ch, &why));
        assert_false(condarc_permits(&c, &a, &ch, &why));
        assert_true(sv_is(why, "denylist_channels of conda's settings forbids 'https://bad.corp/x'"));
        assert_int_equal(c.n_mirror, 3);
        assert_true(sv_is(c.mirror[0].channel, "https://repo.corp/conda/conda-forge") &&
                    sv_is(c.mirror[0].url, "https://m1.corp/cf"));
        assert_true(sv_is(c.mirror[2].channel, "https://new.corp/base/own") &&
                    sv_is(c.mirror[2].url, "https://m3.corp/own"));
        assert_int_equal(c.n_from, 13);
        assert_true(sv_is(c.from[0], "conda's channel_alias comes from /0/.condarc"));
        assert_true(sv_is(c.from[12], "conda's channel_priority comes from CONDA_CHANNEL_PRIORITY"));
        for (size_t i = 0; i < c.n_from; i++)
                assert_true(sv_find_sv(c.from[i], SV("s3cret")) < 0);
}

static void word_rows(void **state)
{
        static const struct {
                const char *text, *priority, *ca_file;
        } rows[] = {
                { "channel_priority: flexible", "flexible", "" },
                { "channel_priority: false", "disabled", "" },
                { "channel_priority: 'True'", "flexible", "" },
                { "ssl_verify: false", "", "" },
                { "verify_ssl: True", "", "" },
                { "ssl_verify: truststore", "", "" },
                { "ssl_verify: /ca.pem", "", "/ca.pem" },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct condarc c = { 0 };

                if (read_texts(&a, &rows[i].text, 1, NULL, &c, &e) < 0 || !sv_is(c.priority, rows[i].priority) ||
                    !sv_is(c.ca_file, rows[i].ca_file))
                        bad++, print_error("row %zu: %s\n", i, rows[i].text);
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void refused_rows(void **state)
{
        static const struct {
                const char *text, *cause;
        } rows[] = {
                { "a", "/0/.condarc:1: conda's settings are lines of the form 'key: value'" },
                { "\nchannels: conda-forge", "/0/.condarc:2: 'channels' of conda's settings must be a list" },
                { "channels: [[a]]", "/0/.condarc:1: 'channels' of conda's settings must be a list of texts" },
                { "channel_alias: [a]", "/0/.condarc:1: 'channel_alias' of conda's settings must be a text" },
                { "custom_channels: [a]", "/0/.condarc:1: 'custom_channels' of conda's settings must be a map" },
                { "custom_channels: {a: {b: c}}",
                  "/0/.condarc:1: 'custom_channels' of conda's settings must be a map of names to URLs" },
                { "channel_priority: high",
                  "/0/.condarc: channel_priority is strict, flexible or disabled, not 'high'" },
                { "channel_alias: $NONE/x", "/0/.condarc names the variable NONE, which is not set" },
                { "mirrored_channels: {defaults: [https://m]}",
                  "/0/.condarc: mirrored_channels: 'defaults' stands for 2 channels: name each" },
                { "denylist_channels: [a b]", "denylist_channels names a channel that is none: a channel's name or URL "
                                              "has no blanks and no control characters" },
        };
        struct arena a = { 0 };
        int bad = 0;

        (void)state;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
                AUTO(err_done) struct err e = { 0 };
                struct condarc c;

                if (read_texts(&a, &rows[i].text, 1, NULL, &c, &e) != -ERR_USAGE || strcmp(e.cause, rows[i].cause))
                        bad++, print_error("row %zu: %s\n", i, e.cause ? e.cause : "was taken");
        }
        arena_done(&a);
        assert_int_equal(bad, 0);
}

static void unverified_is_said(void **state)
{
        const char *text[] = { "ssl_verify: false" };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct condarc c;

        (void)state;
        assert_int_equal(read_texts(&a, text, 1, NULL, &c, &e), 0);
        assert_int_equal(c.n_from, 2);
        assert_true(
                sv_is(c.from[1], "conda's ssl_verify: false of /0/.condarc is not followed: name a CA's file instead"));
}

/* A broken file says which, and where: what it forbids must not be forgotten. */
static void broken_yaml(void **state)
{
        const char *text[] = { "channels: [a]", "channels: [b\nx: y" };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct condarc c;

        (void)state;
        assert_int_equal(read_texts(&a, text, 2, NULL, &c, &e), -ERR_USAGE);
        assert_non_null(strstr(e.cause, "/1/.condarc:"));
}

static void put(const char *root, const char *path, const char *text)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(free_ptr) char *file = fs_path("%s/%s", root, path);
        AUTO(free_ptr) char *folder = strdup(file);

        *strrchr(folder, '/') = 0;
        assert_int_equal(fs_mkdirs(folder, 0755, &e), 0);
        assert_int_equal(fs_write(file, sv_from(text), 0644, &e), 0);
}

static void files_of_a_machine(void **state)
{
        char root[] = "/tmp/condarc-XXXXXX";
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(free_ptr) char *exe = NULL, *named = NULL, *prefix = NULL;
        struct condarc c;

        (void)state;
        assert_non_null(mkdtemp(root));
        put(root, "conda/.condarc", "channels: [root]\nchannel_priority: flexible\n");
        put(root, "conda/condarc.d/b.yml", "channels: [second]\n");
        put(root, "conda/condarc.d/a.yaml", "channels: [first]\n");
        put(root, "conda/condarc.d/not.txt", "channels: [no]\n");
        put(root, ".config/conda/condarc", "channels: [config]\n");
        put(root, ".condarc", "channels: [home]\n");
        put(root, "named", "channels: [named]\nchannel_priority: strict\n");
        exe = fs_path("%s/conda/bin/conda", root);
        prefix = fs_path("%s/conda", root);
        named = fs_path("%s/named", root);
        setenv("HOME", root, 1);
        setenv("CONDA_EXE", exe, 1);
        setenv("CONDA_PREFIX", prefix, 1); /* the same place again: read once */
        setenv("CONDARC", named, 1);
        setenv("CONDA_CHANNELS", "variable", 1);
        unsetenv("CONDA_ROOT");
        unsetenv("XDG_CONFIG_HOME");
        assert_int_equal(condarc_load(&a, &c, &e), 0);
        assert_true(sv_starts(sv_from(joined(&a, c.channels, c.n_channels)),
                              SV("variable named home config second first root")));
        assert_true(sv_is(c.priority, "strict") && sv_is(c.settings.home, root) && c.settings.cwd.n);
        assert_int_equal(fs_remove(root, &e), 0);
        setenv("CONDARC", "/nonexistent/condarc", 1);
        assert_int_equal(condarc_load(&a, &c, &e), 0); /* as conda: a file that is not there says nothing */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(channel_rows),       cmocka_unit_test(everything),
                cmocka_unit_test(word_rows),          cmocka_unit_test(refused_rows),
                cmocka_unit_test(unverified_is_said), cmocka_unit_test(broken_yaml),
                cmocka_unit_test(files_of_a_machine),
        };
        return cmocka_run_group_tests_name("condarc", tests, NULL, NULL);
}
