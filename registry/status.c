/* What servers say when they say no: the error document of the distribution specification, a line of plain text, or the title of a proxy's
 * HTML page. All of it is hostile text: cut, on one line, without controls. */
#include <string.h>

#include "base/cleanup.h"
#include "ext/json.h"
#include "net/url.h"
#include "registry/client_priv.h"

enum { TEXT_MAX = 300, ERRORS_SHOWN = 3 };

/* One line of at most TEXT_MAX bytes: controls become blanks, blanks are joined, what is no UTF-8 becomes '?'. */
sv reg_tame(struct arena *a, sv s)
{
        AUTO(buf_done) struct buf out = BUF_INIT(TEXT_MAX + 16);
        bool blank = false;

        s = sv_trim(s);
        for (size_t i = 0; i < s.n;) {
                unsigned char c = (unsigned char)s.p[i];
                size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
                sv one = sv_from_to(s, i, i + n);
                bool control = c < ' ' || c == 0x7f || (c == 0xc2 && one.n == 2 && (unsigned char)one.p[1] < 0xa0);

                if (out.n + n > TEXT_MAX) {
                        buf_add(&out, SV("..."));
                        break;
                }
                if (c >= 0x80 && !sv_utf8(one)) {
                        one = SV("?");
                        n = 1;
                }
                i += n;
                if (control || c == ' ') {
                        blank = out.n > 0;
                        continue;
                }
                if (blank)
                        buf_byte(&out, ' ');
                blank = false;
                buf_add(&out, one);
        }
        return arena_sv(a, buf_sv(&out));
}

static sv find_nocase(sv s, sv what)
{
        for (size_t i = 0; i + what.n <= s.n; i++)
                if (sv_eq_nocase(sv_from_to(s, i, i + what.n), what))
                        return sv_skip(s, i + what.n);
        return (sv){ 0 };
}

/* The page's title, or nothing: what else a proxy's page says helps nobody on one line. */
static sv html_title(sv body)
{
        sv title = find_nocase(body, SV("<title"));
        ptrdiff_t end = sv_find(title, '>');

        if (end < 0)
                return (sv){ 0 };
        title = sv_skip(title, (size_t)end + 1);
        end = sv_find(title, '<');
        return end < 0 ? title : sv_from_to(title, 0, (size_t)end);
}

static void add_error(struct arena *a, const struct js *one, struct buf *out)
{
        sv code = reg_tame(a, js_get_str(one, "code")), message = reg_tame(a, js_get_str(one, "message"));

        if (!code.n && !message.n)
                return;
        buf_fmt(out, "%s%.*s%s%.*s", out->n ? "; " : "", SV_ARG(code), code.n && message.n ? ": " : "",
                SV_ARG(message));
}

/* Ours, OAuth2's ({"error":…}) and that of docker's token server ({"details":…}). */
static sv json_text(struct arena *a, const struct js *doc)
{
        static const char *const plain[] = { "error_description", "error", "details", "message" };
        AUTO(buf_done) struct buf out = BUF_INIT((size_t)4096);
        const struct js *errors = js_get(doc, "errors");

        for (size_t i = 0; errors && errors->type == JS_ARR && i < errors->n && i < ERRORS_SHOWN; i++)
                add_error(a, errors->v[i].value, &out);
        for (size_t i = 0; !out.n && i < ARRAY_LEN(plain); i++)
                buf_add(&out, reg_tame(a, js_get_str(doc, plain[i])));
        return arena_sv(a, buf_sv(&out));
}

sv reg_answer_text(struct arena *a, const struct net_answer *ans)
{
        AUTO(err_done) struct err ignored = { 0 };
        sv body = sv_trim(sv_from_to(ans->body, 0, REG_ERROR_BODY));
        struct js *doc;

        if (!body.n)
                return (sv){ 0 };
        if (body.p[0] == '{')
                return js_parse(a, body, &doc, &ignored) < 0 ? (sv){ 0 } : json_text(a, doc);
        if (body.p[0] == '<')
                return reg_tame(a, html_title(body));
        return reg_tame(a, body);
}

const char *reg_action_text(unsigned actions)
{
        return actions & REG_DELETE ? "delete from" : actions & REG_PUSH ? "push to" : "pull";
}

void reg_login_hint(struct reg_client *c, sv registry, struct err *e)
{
        if (c->opts.username.n)
                err_hint(e, "check name and password; many registries want an access token in the password's place");
        else
                err_hint(e, "envbuild login %.*s", SV_ARG(registry));
}

sv reg_url_shown(struct arena *a, sv url)
{
        ptrdiff_t query = sv_find(url, '?');

        return reg_tame(a, url_public(a, query < 0 ? url : sv_from_to(url, 0, (size_t)query)));
}

static enum err_code class_of(long status)
{
        return status == 401 || status == 403 ? ERR_AUTH : status == 404 ? ERR_NOT_FOUND : ERR_NET;
}

/* What the user can do about it; NULL: the server's own words have to do. */
static const char *advice(long status, unsigned actions)
{
        if (status == 404 && actions & REG_PUSH)
                return "some registries want a repository to be made there before anything is pushed to it";
        if (status == 405)
                return "a registry that is read-only, or a mirror, takes no images: push to the one that it copies";
        if (status == 413)
                return "a proxy in front of the registry limits what passes at once: ENVBUILD_PUSH_CHUNK=4M sends "
                       "smaller "
                       "pieces";
        if (status == 429)
                return "the registry limits how much you may ask: wait a while, log in, or use a mirror near you";
        return status >= 500 ? "the registry has a fault of its own (a full disk, for one): try again later, or ask "
                               "whoever runs "
                               "it"
                             : NULL;
}

int reg_status_err(struct reg_client *c, const struct reg_request *r, const struct net_answer *ans, const char *what,
                   struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv said = reg_answer_text(&a, ans);
        const char *hint = advice(ans->status, r->actions);

        err_set(e, class_of(ans->status), "%s: '%.*s' answered %ld%s%.*s", what, SV_ARG(reg_url_shown(&a, ans->url)),
                ans->status, said.n ? " " : "", SV_ARG(said));
        if (e->code == ERR_AUTH)
                reg_login_hint(c, r->repo.registry, e);
        else if (hint)
                err_hint(e, "%s", hint);
        return -(int)e->code;
}
