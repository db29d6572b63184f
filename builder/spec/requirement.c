#include "base/cleanup.h"
#include "pkg/pyname.h"
#include "spec/requirements.h"

#define GUESSES_MAX 200 /* faults after which nothing is guessed any more: a guess costs a hundred parses */

static size_t fault(struct spec_load *l, const struct spec_reqline *q, const char *code, const char *text)
{
        return spec_fault(l->ds, q->at, q->wrote.n, code, "'%.*s' %s", SV_ARG(q->wrote), text);
}

static bool has_vcs_scheme(sv s)
{
        static const char *const vcs[] = { "git+", "hg+", "svn+", "bzr+" };

        for (size_t i = 0; i < ARRAY_LEN(vcs); i++)
                if (sv_starts(s, sv_from(vcs[i])))
                        return true;
        return false;
}

/* Without query and fragment. */
static sv url_path(sv url)
{
        for (size_t i = 0; i < url.n; i++)
                if (url.p[i] == '?' || url.p[i] == '#')
                        return (sv){ url.p, i };
        return url;
}

static bool is_archive(sv path)
{
        static const char *const ends[] = { ".whl", ".tar.gz", ".tgz", ".zip", ".tar.bz2",
                                            ".tbz", ".tar.xz", ".txz", ".tar" };

        for (size_t i = 0; i < ARRAY_LEN(ends); i++)
                if (sv_ends(path, sv_from(ends[i])))
                        return true;
        return false;
}

/* pip's _looks_like_path: a separator in what is not "name @ URL", or a dot at the beginning. */
static bool is_path(sv text)
{
        ptrdiff_t at = sv_find(text, '@'), marker = sv_find(text, ';');
        sv head = marker < 0 ? text : (sv){ text.p, (size_t)marker };

        if (head.n == 0)
                return false;
        if (head.p[0] == '.' || head.p[0] == '/' || head.p[0] == '~')
                return true;
        if (at >= 0 && (marker < 0 || at < marker))
                return false;
        return sv_find(head, '/') >= 0 || is_archive(sv_trim(head));
}

/* "user:password@" of a URL, without the '@'; empty when there is none or when it is only ${VAR}s. */
static sv written_password(sv url)
{
        ptrdiff_t scheme = sv_find_sv(url, SV("://")), at, slash, colon;
        sv rest;

        if (scheme < 0)
                return SV("");
        rest = sv_skip(url, (size_t)scheme + 3);
        slash = sv_find(rest, '/');
        if (slash >= 0)
                rest.n = (size_t)slash;
        at = sv_rfind(rest, '@');
        if (at < 0)
                return SV("");
        rest.n = (size_t)at;
        colon = sv_find(rest, ':');
        return sv_starts(colon < 0 ? rest : sv_skip(rest, (size_t)colon + 1), SV("${")) ? SV("") : rest;
}

sv spec_url_public(struct arena *a, sv url)
{
        sv user = written_password(url);

        if (user.n == 0)
                return url;
        return arena_fmt(a, "%.*s%.*s", (int)(user.p - url.p), url.p,
                         SV_ARG(sv_skip(url, (size_t)(user.p - url.p) + user.n + 1)));
}

bool spec_check_password(struct spec_load *l, sv url, struct spec_where at, size_t len)
{
        if (written_password(url).n == 0)
                return true;
        diag_hint(l->ds, spec_warn(l->ds, at, len, "EB503", "a password stands in a URL"),
                  "write ${NAME} in its place: it is taken from the environment and gets into no lock, log or image");
        return false;
}

static bool hex_digits(sv s)
{
        for (size_t i = 0; i < s.n; i++)
                if (!((s.p[i] >= '0' && s.p[i] <= '9') || ((s.p[i] | 0x20) >= 'a' && (s.p[i] | 0x20) <= 'f')))
                        return false;
        return true;
}

static size_t hash_digits(sv alg)
{
        return sv_is(alg, "sha256") ? 64 : sv_is(alg, "sha384") ? 96 : sv_is(alg, "sha512") ? 128 : 0;
}

static bool take_hashes(struct spec_load *l, const struct spec_reqline *q, struct spec_req *ret)
{
        for (size_t i = 0; i < q->n_hashes; i++) {
                struct spec_hash h = { q->hashes[i].alg, arena_lower(l->a, q->hashes[i].hex) };
                if (h.hex.n != hash_digits(h.alg) || !hex_digits(h.hex)) {
                        spec_fault(l->ds, q->at, q->wrote.n, "EB132",
                                   "a %.*s has %zu hexadecimal digits, this has %zu: '%.*s'", SV_ARG(h.alg),
                                   hash_digits(h.alg), h.hex.n, SV_ARG(h.hex));
                        return false;
                }
                SPEC_PUSH(l->a, ret->hashes, ret->n_hashes, h);
        }
        return true;
}

/* "#sha256=…" of a URL. Other fragments say nothing about the bytes. */
static bool fragment_hash(struct spec_load *l, const struct spec_reqline *q, sv url, bool *ret_has)
{
        ptrdiff_t at = sv_find(url, '#');
        sv rest = at < 0 ? SV("") : sv_skip(url, (size_t)at + 1), part;

        *ret_has = false;
        while (sv_cut(&rest, '&', &part)) {
                ptrdiff_t eq = sv_find(part, '=');
                size_t want = eq < 0 ? 0 : hash_digits(sv_from_to(part, 0, (size_t)eq));
                if (want == 0)
                        continue;
                part = sv_skip(part, (size_t)eq + 1);
                if (part.n != want || !hex_digits(part)) {
                        fault(l, q, "EB132", "ends in a hash that is not complete");
                        return false;
                }
                *ret_has = true;
        }
        return true;
}

static bool check_url(struct spec_load *l, const struct spec_reqline *q, sv url)
{
        bool hashed;
        size_t i;

        if (has_vcs_scheme(url)) {
                i = fault(l, q, "EB135", "is a source repository, and only wheels are installed");
                diag_hint(l->ds, i, "build a wheel of it ('pip wheel …') and name its https:// URL");
                return false;
        }
        if (!spec_is_url(url) && !sv_starts(url, SV("${"))) {
                i = fault(l, q, sv_starts(url, SV("file:")) ? "EB107" : "EB135", "does not name a wheel on a server");
                diag_hint(l->ds, i,
                          "write NAME @ https://…/NAME-VERSION-….whl, or put the wheel into a folder and write "
                          "'--find-links DIR'");
                return false;
        }
        if (!sv_ends(url_path(url), SV(".whl"))) {
                i = fault(l, q, "EB135",
                          is_archive(url_path(url)) ? "is a source archive, and only wheels are installed"
                                                    : "does not name a wheel");
                diag_hint(l->ds, i, "name the URL of a .whl file");
                return false;
        }
        if (!fragment_hash(l, q, url, &hashed))
                return false;
        if (!hashed && q->n_hashes == 0 && sv_starts(url, SV("http:"))) {
                diag_hint(l->ds, fault(l, q, "EB135", "is neither encrypted nor hashed"),
                          "write https://, or add '#sha256=…'");
                return false;
        }
        return true;
}

/* "https://…/foo-1.0-py3-none-any.whl": the file name says what it is. */
static bool bare_url(struct spec_load *l, const struct spec_reqline *q, struct spec_req *r)
{
        sv url = q->wrote, why = { 0 };
        ptrdiff_t marker = sv_find_sv(url, SV(" ;"));
        AUTO(buf_done) struct buf text = BUF_INIT(SPEC_FILE_MAX);
        struct wheel_name name;
        size_t at;

        if (marker >= 0)
                url.n = (size_t)marker;
        if (!check_url(l, q, url))
                return false;
        if (!wheel_name_parse(l->a, sv_basename(url_path(url)), false, &name, &why)) {
                fault(l, q, "EB135", "has no wheel's file name");
                return false;
        }
        buf_fmt(&text, "%.*s @ %.*s", SV_ARG(name.name), SV_ARG(q->wrote));
        if (!requirement_parse(l->a, arena_sv(l->a, buf_sv(&text)), &r->req, &why, &at)) {
                spec_fault(l->ds, q->at, q->wrote.n, "EB131", "'%.*s' is not a requirement: %.*s", SV_ARG(q->wrote),
                           SV_ARG(why));
                return false;
        }
        return true;
}

static bool name_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

/* "python_versio": a variable's name with a slip in it */
static void marker_hint(struct spec_load *l, size_t fault_at, sv rest)
{
        static const char *const variables[] = {
                "os_name",
                "sys_platform",
                "platform_machine",
                "platform_python_implementation",
                "platform_release",
                "platform_system",
                "platform_version",
                "python_version",
                "python_full_version",
                "implementation_name",
                "implementation_version",
                "extra",
        };
        sv word = { rest.p, 0 };
        const char *near;

        while (word.n < rest.n && name_char(rest.p[word.n]))
                word.n++;
        near = spec_nearest(word, variables, ARRAY_LEN(variables));
        diag_span(l->ds, fault_at, (uint32_t)(word.n ? word.n : 1));
        if (near && word.n)
                diag_hint(l->ds, fault_at, "did you mean '%s'?", near);
}

static bool two_names(sv text)
{
        sv first;

        return sv_cut(&text, ' ', &first) && pyname_valid(first) && pyname_valid(sv_trim(text));
}

static void bad_requirement(struct spec_load *l, const struct spec_reqline *q, sv why, size_t at)
{
        ptrdiff_t marker = sv_find(q->wrote, ';');
        sv repaired = l->ds->n_errors < GUESSES_MAX ? spec_requirement_repair(l->a, q->wrote) : SV("");
        struct spec_where where = q->at;
        size_t i;

        if (repaired.n) {
                diag_hint(
                        l->ds,
                        spec_fault(l->ds, where, q->wrote.n, "EB131", "'%.*s' is not a requirement", SV_ARG(q->wrote)),
                        "write '%.*s'", SV_ARG(repaired));
                return;
        }
        if (marker >= 0 && at > (size_t)marker && at <= q->wrote.n) {
                if (where.col)
                        where.col += (uint32_t)at;
                marker_hint(l,
                            spec_fault(l->ds, where, 1, "EB134", "the marker of '%.*s' cannot be read: %.*s",
                                       SV_ARG(q->wrote), SV_ARG(why)),
                            sv_skip(q->wrote, at));
                return;
        }
        i = spec_fault(l->ds, where, q->wrote.n, "EB131", "'%.*s' is not a requirement: %.*s", SV_ARG(q->wrote),
                       SV_ARG(why));
        if (two_names(q->wrote))
                diag_hint(l->ds, i, "write one requirement a line");
}

/* What stands in requirements files now and then and is something else altogether: the text is told with what it is. */
static bool something_else(struct spec_load *l, const struct spec_reqline *q)
{
        static const struct {
                const char *begins, *holds, *ends, *is, *hint;
        } kinds[] = {
                { "", "{{", "", "holds a placeholder", "fill in what stands between {{ and }}" },
                { "<<<<<<<", "", "", "is left of a merge conflict", "decide for one side, and take the marks out" },
                { "=======", "", "", "is left of a merge conflict", "decide for one side, and take the marks out" },
                { ">>>>>>>", "", "", "is left of a merge conflict", "decide for one side, and take the marks out" },
                { "pip install ", "", "", "is a command", "write only what comes after 'pip install'" },
                { "pip3 install ", "", "", "is a command", "write only what comes after 'pip3 install'" },
                { "conda install ", "", "", "is a command", "write the packages into an environment.yml" },
                { "r ", "", ".txt", "is no requirement: '-r' has lost its dash", "write '-r FILE'" },
                { "", "::", "", "is a conda package, this is a list of pip's",
                  "write its name on PyPI, without the channel" },
                { "", "[platform:", "", "is a line of a bindep file",
                  "name Debian packages under 'envbuild: {apt: …}'" },
        };

        for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
                if (sv_starts(q->wrote, sv_from(kinds[i].begins)) &&
                    sv_find_sv(q->wrote, sv_from(kinds[i].holds)) >= 0 && sv_ends(q->wrote, sv_from(kinds[i].ends))) {
                        diag_hint(l->ds, fault(l, q, "EB131", kinds[i].is), "%s", kinds[i].hint);
                        return true;
                }
        return false;
}

/* "${NAME}" that nobody has set stays in the text, and is no version. */
static bool unset_variable(struct spec_load *l, const struct spec_reqline *q)
{
        ptrdiff_t open = sv_find_sv(q->text, SV("${")),
                  close = open < 0 ? -1 : sv_find(sv_skip(q->text, (size_t)open), '}');

        if (close < 0)
                return false;
        diag_hint(l->ds, fault(l, q, "EB131", "needs a variable that is not set"), "set %.*s in the environment",
                  SV_ARG(sv_from_to(q->text, (size_t)open + 2, (size_t)(open + close))));
        return true;
}

static void not_a_requirement(struct spec_load *l, const struct spec_reqline *q, sv why, size_t at)
{
        if (something_else(l, q) || unset_variable(l, q))
                return;
        bad_requirement(l, q, why, at);
}

static bool check_marker(struct spec_load *l, const struct spec_reqline *q, const struct marker *m)
{
        struct marker_env env;

        marker_env_linux(l->a, SV("3.13.0"), SV("x86_64"), &env);
        if (!m || marker_eval(m, &env) != MARKER_ERROR)
                return true;
        diag_hint(l->ds, fault(l, q, "EB134", "compares what has no order"), "use ==, !=, in or 'not in' for texts");
        return false;
}

/* URLs keep their ${VAR}; names and versions do not. */
static bool parse(struct spec_load *l, const struct spec_reqline *q, struct spec_req *r)
{
        sv why = { 0 };
        size_t at = 0;

        if (requirement_parse(l->a, q->wrote, &r->req, &why, &at))
                return true;
        if (!sv_eq(q->text, q->wrote)) {
                if (requirement_parse(l->a, q->text, &r->req, &why, &at) && r->req.url.n == 0)
                        return true;
                why = SV("with its variables filled in it cannot be read");
        }
        not_a_requirement(l, q, why, at);
        return false;
}

static bool check_refused(struct spec_load *l, const struct spec_reqline *q)
{
        size_t i;

        if (q->editable) {
                i = spec_fault(l->ds, q->at, q->wrote.n, "EB107",
                               "'-e %.*s' installs sources that can be edited, an image holds wheels",
                               SV_ARG(q->wrote));
                diag_hint(l->ds, i,
                          "build a wheel ('pip wheel --no-deps .'), and write '--find-links DIR' and its name");
                return true;
        }
        if (has_vcs_scheme(q->wrote))
                return !check_url(l, q, q->wrote);
        if (sv_find_sv(q->wrote, SV("://")) < 0 && !sv_starts(q->wrote, SV("file:")) && is_path(q->wrote) &&
            !sv_ends(q->wrote, SV(".txt"))) {
                i = fault(l, q, "EB107", "is a file of this machine");
                diag_hint(l->ds, i,
                          is_archive(sv_trim(q->wrote)) && sv_ends(q->wrote, SV(".whl"))
                                  ? "write '--find-links DIR' for its folder, and NAME==VERSION"
                                  : "build a wheel ('pip wheel --no-deps DIR'), and write '--find-links DIR' and its "
                                    "name");
                return true;
        }
        return false;
}

static void set_texts(struct spec_load *l, const struct spec_reqline *q, struct spec_req *r)
{
        AUTO(buf_done) struct buf text = BUF_INIT(SPEC_FILE_MAX);
        struct requirement shown = r->req;

        shown.url = spec_url_public(l->a, shown.url);
        requirement_write(&shown, &text);
        r->text = arena_sv(l->a, buf_sv(&text));
        r->wrote = shown.url.n == r->req.url.n ? q->wrote : r->text;
        r->at = q->at;
}

/* True when the whole of a line is a URL (or file:), with a marker at most. */
static bool is_bare_url(sv text)
{
        ptrdiff_t scheme = sv_find_sv(text, SV("://"));

        if (sv_starts(text, SV("file:")))
                return true;
        for (ptrdiff_t i = 0; i < scheme; i++)
                if (text.p[i] == ' ' || text.p[i] == '@')
                        return false;
        return scheme > 0;
}

void spec_requirement(struct spec_load *l, const struct spec_reqline *q)
{
        struct spec_req r = { 0 };

        if (q->misplaced.n && !sv_starts(q->wrote, SV("pip install"))) {
                size_t i = spec_fault(l->ds, q->at, q->wrote.n, "EB130",
                                      "%.*s after a requirement has no effect in pip", SV_ARG(q->misplaced));
                diag_hint(l->ds, i, "write it on a line of its own");
                return;
        }
        if (check_refused(l, q) || !take_hashes(l, q, &r))
                return;
        if (is_bare_url(q->wrote) ? !bare_url(l, q, &r) : !parse(l, q, &r))
                return;
        if (!check_marker(l, q, r.req.marker) || (r.req.url.n && !is_bare_url(q->wrote) && !check_url(l, q, r.req.url)))
                return;
        spec_check_password(l, r.req.url, q->at, q->wrote.n);
        if (q->n_settings)
                diag_hint(l->ds,
                          spec_warn(l->ds, q->at, q->wrote.n, "EB130",
                                    "--config-settings has no effect: nothing is built"),
                          "take it out");
        if (!r.req.url.n && sv_ends(r.req.name, SV(".txt")))
                diag_hint(l->ds,
                          spec_warn(l->ds, q->at, q->wrote.n, "EB131", "'%.*s' looks like a file's name",
                                    SV_ARG(q->wrote)),
                          "write '-r %.*s' to read it", SV_ARG(q->wrote));
        set_texts(l, q, &r);
        if (!q->constraint) {
                SPEC_PUSH(l->a, l->s->pip, l->s->n_pip, r);
                return;
        }
        if (r.req.n_extras) {
                diag_hint(l->ds, fault(l, q, "EB131", "asks for extras, which a constraint cannot"),
                          "put the extras into the requirement itself");
                return;
        }
        SPEC_PUSH(l->a, l->s->constraints, l->s->n_constraints, r);
}
