#include "base/hex.h"
#include "pkg/pyname.h"
#include "spec/spec_priv.h"

/* The key `envbuild:` of a definition: what conda's format cannot say (design §3). A row of the table per key. */
typedef void handler(struct spec_load *l, const struct yaml *y, const char *key);

static void bad(struct spec_load *l, struct spec_where at, sv text, const char *why, const char *hint)
{
        size_t i = spec_fault(l->ds, at, text.n, "EB103", "'%.*s' %s", SV_ARG(text), why);

        if (hint)
                diag_hint(l->ds, i, "%s", hint);
}

static void python(struct spec_load *l, const struct yaml *y, const char *key)
{
        struct spec_text t = { 0 };

        if (spec_node_text(l, y, key, &t) && !sv_is(t.text, "base"))
                bad(l, t.at, t.text, "is no choice of python", "write 'python: base', or leave the key out");
}

static void base(struct spec_load *l, const struct yaml *y, const char *key)
{
        spec_node_text(l, y, key, &l->s->base); /* its form is checked by spec_finish: --base may replace it */
}

static bool package_char(char c, bool first)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (!first && (c == '+' || c == '-' || c == '.'));
}

static bool package_name(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!package_char(s.p[i], i == 0))
                        return false;
        return s.n > 1;
}

/* "libgl1", "ffmpeg=7:7.1.1-1": a version is what apt's "=" says. */
static void packages(struct spec_load *l, const struct spec_text *v, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                ptrdiff_t eq = sv_find(v[i].text, '=');
                sv name = eq < 0 ? v[i].text : sv_from_to(v[i].text, 0, (size_t)eq);
                if (!package_name(name) || (eq >= 0 && (size_t)eq + 1 == v[i].text.n))
                        bad(l, v[i].at, v[i].text, "is not a Debian package's name",
                            "write NAME or NAME=VERSION: lower-case letters, digits, '+', '-', '.'");
        }
}

static void apt(struct spec_load *l, const struct yaml *y, const char *key)
{
        spec_node_list(l, y, key, &l->s->apt, &l->s->n_apt);
        packages(l, l->s->apt, l->s->n_apt);
}

static void apt_scripts_skip(struct spec_load *l, const struct yaml *y, const char *key)
{
        spec_node_list(l, y, key, &l->s->apt_scripts_skip, &l->s->n_apt_scripts_skip);
        for (size_t i = 0; i < l->s->n_apt_scripts_skip; i++)
                if (!package_name(l->s->apt_scripts_skip[i].text))
                        bad(l, l->s->apt_scripts_skip[i].at, l->s->apt_scripts_skip[i].text,
                            "is not a Debian package's name", NULL);
}

static void platforms(struct spec_load *l, const struct yaml *y, const char *key)
{
        struct spec_text *v = NULL;
        size_t n = 0;

        spec_node_list(l, y, key, &v, &n);
        l->s->platforms = NULL;
        l->s->n_platforms = 0; /* wins over conda's own `platforms` */
        for (size_t i = 0; i < n; i++) {
                bool other;
                struct spec_text p = { spec_platform(v[i].text, &other), v[i].at };
                if (p.text.n)
                        SPEC_PUSH(l->a, l->s->platforms, l->s->n_platforms, p);
                else
                        bad(l, v[i].at, v[i].text,
                            other ? "is a platform that no image is made for" : "is not a platform",
                            "write linux/amd64 or linux/arm64");
        }
}

static bool all_of(sv s, bool (*is)(char c))
{
        for (size_t i = 0; i < s.n; i++)
                if (!is(s.p[i]))
                        return false;
        return s.n > 0;
}

static bool version_char(char c)
{
        return (c >= '0' && c <= '9') || c == '.';
}

static bool word_char(char c)
{
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}

/* "cuda: 12.4", conda's own "__cuda" too. What is assumed of the machine is in the lock, so that it must be said exactly. */
static void virtuals(struct spec_load *l, const struct yaml *y, const char *key)
{
        static const char *const known[] = { "cuda", "glibc", "linux", "archspec" };
        struct spec_pair *v = NULL;
        size_t n = 0;

        spec_node_pairs(l, y, key, &v, &n);
        for (size_t i = 0; i < n; i++) {
                struct spec_pair p = v[i];
                bool found = false;
                if (sv_starts(p.key, SV("__")))
                        p.key = sv_skip(p.key, 2);
                for (size_t k = 0; k < ARRAY_LEN(known); k++)
                        found |= sv_is(p.key, known[k]);
                if (!found) {
                        const char *near = spec_nearest(p.key, known, ARRAY_LEN(known));
                        size_t d = spec_fault(l->ds, p.at, v[i].key.n, "EB101", "'%.*s' is no virtual package",
                                              SV_ARG(v[i].key));
                        diag_hint(l->ds, d, near ? "did you mean '%s'?" : "known are cuda, glibc, linux and archspec%s",
                                  near ? near : "");
                } else if (sv_is(p.key, "archspec") ? !all_of(p.value, word_char)
                                                    : !all_of(p.value, version_char) || !version_char(p.value.p[0])) {
                        bad(l, p.at, p.value, "is no version", "write it in quotes: cuda: \"12.4\"");
                } else {
                        SPEC_PUSH(l->a, l->s->virtual_, l->s->n_virtual, p);
                }
        }
}

static bool user_char(char c)
{
        return word_char(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '$';
}

static bool user_part(sv s)
{
        uint64_t n;

        if (s.n && s.p[0] >= '0' && s.p[0] <= '9')
                return sv_u64(s, &n) && n < UINT32_MAX;
        return all_of(s, user_char) && s.n <= 32 && s.p[0] != '-';
}

static void user(struct spec_load *l, const struct yaml *y, const char *key)
{
        struct spec_text t = { 0 };
        ptrdiff_t colon;

        if (!spec_node_text(l, y, key, &t))
                return;
        colon = sv_find(t.text, ':');
        if (!user_part(colon < 0 ? t.text : sv_from_to(t.text, 0, (size_t)colon)) ||
            (colon >= 0 && !user_part(sv_skip(t.text, (size_t)colon + 1))))
                bad(l, t.at, t.text, "is not a user", "write UID, UID:GID, NAME or NAME:GROUP");
        else
                l->s->user = t;
}

static bool clean_text(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
                        return false;
        return true;
}

/* Absolute, without "." and "..", no blank parts. */
static bool image_path(sv s)
{
        sv rest = sv_skip(s, 1), part;

        if (s.n < 2 || s.n > 4000 || s.p[0] != '/' || !clean_text(s) || sv_ends(s, SV("/")))
                return false;
        while (sv_cut(&rest, '/', &part))
                if (part.n == 0 || part.n > 255 || sv_is(part, ".") || sv_is(part, ".."))
                        return false;
        return true;
}

static void workdir(struct spec_load *l, const struct yaml *y, const char *key)
{
        struct spec_text t = { 0 };

        if (!spec_node_text(l, y, key, &t))
                return;
        if (!image_path(t.text) && !sv_is(t.text, "/"))
                bad(l, t.at, t.text, "is not an absolute path", "write it from the root, without '..': /work");
        else
                l->s->workdir = t;
}

static void words(struct spec_load *l, const struct yaml *y, const char *key, struct spec_text **v, size_t *n,
                  bool *has)
{
        if (y->type == YAML_SCALAR && !yaml_is_null(y)) {
                size_t i = spec_fault(l->ds, spec_at(l, y), spec_node_len(y), "EB102",
                                      "'%s' takes a list of words, no shell reads it", key);
                diag_hint(l->ds, i, "write %s: [sh, -c, \"…\"], or one word an item", key);
                return;
        }
        *has = true; /* an empty list takes the base's away */
        spec_node_list(l, y, key, v, n);
}

static void entrypoint(struct spec_load *l, const struct yaml *y, const char *key)
{
        words(l, y, key, &l->s->entrypoint, &l->s->n_entrypoint, &l->s->has_entrypoint);
}

static void cmd(struct spec_load *l, const struct yaml *y, const char *key)
{
        words(l, y, key, &l->s->cmd, &l->s->n_cmd, &l->s->has_cmd);
}

static bool kernel_path(sv s)
{
        static const char *const taken[] = { "/proc", "/sys", "/dev" };

        for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
                sv t = sv_from(taken[i]);
                if (sv_starts(s, t) && (s.n == t.n || s.p[t.n] == '/'))
                        return true;
        }
        return false;
}

static void files(struct spec_load *l, const struct yaml *y, const char *key)
{
        struct spec_pair *v = NULL;
        size_t n = 0;

        spec_node_pairs(l, y, key, &v, &n);
        for (size_t i = 0; i < n; i++) {
                if (!image_path(v[i].key))
                        bad(l, v[i].at, v[i].key, "is not a path in the image",
                            "write it from the root, without '..': /etc/motd");
                else if (kernel_path(v[i].key))
                        bad(l, v[i].at, v[i].key, "is covered when the image runs",
                            "choose a path outside of /proc, /sys and /dev");
                else if (v[i].value.n == 0 || !clean_text(v[i].value))
                        bad(l, v[i].at, v[i].key, "names no file to take",
                            "write /path/in/image: file-beside-this-one");
                else
                        SPEC_PUSH(l->a, l->s->files, l->s->n_files, v[i]);
        }
}

static void certificates(struct spec_load *l, const struct yaml *y, const char *key)
{
        spec_node_list(l, y, key, &l->s->certificates, &l->s->n_certificates);
}

static void bytecode(struct spec_load *l, const struct yaml *y, const char *key)
{
        size_t i;

        spec_node_bool(l, y, key, &l->s->bytecode);
        if (!l->s->bytecode)
                return;
        i = spec_fault(l->ds, spec_at(l, y), 1, "EB107",
                       "bytecode: true is not supported: it needs the image's python to run");
        diag_hint(l->ds, i, "leave it out: `envbuild run` keeps compiled files in the store, a folder an image");
}

static void labels(struct spec_load *l, const struct yaml *y, const char *key)
{
        struct spec_pair *v = NULL;
        size_t n = 0;

        spec_node_pairs(l, y, key, &v, &n);
        for (size_t i = 0; i < n; i++) {
                if (v[i].key.n == 0 || v[i].key.n > 256 || !clean_text(v[i].key))
                        bad(l, v[i].at, v[i].key, "cannot name a label", "use up to 256 printable characters");
                else
                        SPEC_PUSH(l->a, l->s->labels, l->s->n_labels, v[i]);
        }
}

/* Names of distributions, as requirements have them: "Foo_Bar" is foo-bar. */
static void pip_replaces(struct spec_load *l, const struct yaml *y, const char *key)
{
        struct spec_text *v = NULL;
        size_t n = 0;

        spec_node_list(l, y, key, &v, &n);
        for (size_t i = 0; i < n; i++) {
                struct spec_text name = { pyname_normalise(l->a, v[i].text), v[i].at };
                if (!pyname_valid(v[i].text))
                        bad(l, v[i].at, v[i].text, "is not a distribution's name", "write it without version: [numpy]");
                else
                        SPEC_PUSH(l->a, l->s->pip_replaces, l->s->n_pip_replaces, name);
        }
}

static void channel_priority(struct spec_load *l, const struct yaml *y, const char *key)
{
        static const char *const known[] = { "strict", "flexible", "disabled" };
        struct spec_text t = { 0 };

        if (!spec_node_text(l, y, key, &t))
                return;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
                if (sv_is(t.text, known[i])) {
                        l->s->channel_priority = t.text;
                        return;
                }
        bad(l, t.at, t.text, "is no channel priority", "write strict, flexible or disabled");
}

static const struct {
        const char *key;
        handler *read;
} keys[] = {
        { "base", base },
        { "python", python },
        { "apt", apt },
        { "apt-scripts-skip", apt_scripts_skip },
        { "platforms", platforms },
        { "virtual", virtuals },
        { "user", user },
        { "workdir", workdir },
        { "entrypoint", entrypoint },
        { "cmd", cmd },
        { "files", files },
        { "certificates", certificates },
        { "bytecode", bytecode },
        { "labels", labels },
        { "pip-replaces", pip_replaces },
        { "channel-priority", channel_priority },
};

static void unknown_key(struct spec_load *l, const struct yaml *key)
{
        const char *known[ARRAY_LEN(keys)], *near;
        size_t i = spec_fault(l->ds, spec_at(l, key), spec_node_len(key), "EB101", "unknown key '%.*s' in 'envbuild'",
                              SV_ARG(key->text));

        for (size_t k = 0; k < ARRAY_LEN(keys); k++)
                known[k] = keys[k].key;
        near = spec_nearest(key->text, known, ARRAY_LEN(known));
        if (near)
                diag_hint(l->ds, i, "did you mean '%s'?", near);
        else
                diag_hint(l->ds, i,
                          "known are base, python, apt, platforms, virtual, user, workdir, entrypoint, cmd, files, "
                          "certificates, bytecode, labels, pip-replaces and channel-priority");
}

void spec_envbuild_key(struct spec_load *l, const struct yaml *key)
{
        if (yaml_is_null(key))
                return;
        if (key->type != YAML_MAP) {
                size_t i =
                        spec_fault(l->ds, spec_at(l, key), spec_node_len(key), "EB102", "'envbuild' takes a mapping");
                diag_hint(l->ds, i, "write 'envbuild: {python: base}', or one 'key: value' a line below it");
                return;
        }
        for (size_t i = 0; i < key->n; i++) {
                const struct yaml *k = key->v[i].key;
                size_t row = 0;
                while (row < ARRAY_LEN(keys) && !sv_is(k->text, keys[row].key))
                        row++;
                if (row == ARRAY_LEN(keys))
                        unknown_key(l, k);
                else if (!yaml_is_null(key->v[i].value))
                        keys[row].read(l, key->v[i].value, keys[row].key);
        }
}
