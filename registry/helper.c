#include "registry/helper.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/proc.h"
#include "ext/json.h"

enum { HELPER_MS = 60000, HELPER_OUT = 64 << 10 };

static void result_wipe(struct proc_result *r)
{
        if (r->out.p)
                explicit_bzero(r->out.p, r->out.n);
        proc_result_done(r);
}

static bool is_name(sv name)
{
        for (size_t i = 0; i < name.n; i++) {
                char c = name.p[i];
                bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

                if (!word && c != '-' && c != '_' && c != '.')
                        return false;
        }
        return name.n > 0;
}

static int run(const char *verb, sv name, sv input, struct op *op, struct arena *a, struct proc_result *res,
               struct err *e)
{
        sv program = arena_fmt(a, "docker-credential-%.*s", SV_ARG(name));
        const char *argv[] = { program.p, verb, NULL };
        struct proc p = { .argv = argv, .input = input, .max_out = HELPER_OUT, .timeout_ms = HELPER_MS };
        AUTO(err_done) struct err why = { 0 };

        if (!is_name(name))
                return err_set(e, ERR_FAILED, "'%.*s' is not the name of a credential helper", SV_ARG(name));
        if (proc_run(&p, op, res, &why) < 0) {
                if (why.code != ERR_NOT_FOUND)
                        return err_move(e, &why);
                err_set(e, ERR_FAILED, "the credential helper '%s' is not installed", program.p);
                err_hint(e, "install it, or take `%.*s` out of credsStore and credHelpers of the file that names it",
                         SV_ARG(name));
                return -ERR_FAILED;
        }
        if (res->status == 0)
                return 0;
        if (sv_find_sv(buf_sv(&res->out), SV("credentials not found in native keychain")) >= 0)
                return err_set(e, ERR_NOT_FOUND, "'%s' knows no such login", program.p);
        /* What it printed is not repeated: a helper that fails may print what it should have kept. */
        err_set(e, ERR_FAILED, "the credential helper '%s %s' failed (exit %d)", program.p, verb, res->status);
        err_hint(e, "see what it says: echo REGISTRY | %s %s", program.p, verb);
        return -ERR_FAILED;
}

int helper_answer_read(struct arena *a, sv text, struct reg_login *ret, struct err *e)
{
        AUTO(err_done) struct err why = { 0 };
        struct reg_login l = { 0 };
        struct js *doc;

        if (js_parse(a, text, &doc, &why) < 0 || doc->type != JS_OBJ)
                return err_set(e, ERR_FAILED, "it did not answer with a JSON object");
        l.username = js_get_str(doc, "Username");
        l.password = js_get_str(doc, "Secret");
        if (!l.password.n)
                return err_set(e, ERR_NOT_FOUND, "it answered without a secret");
        if (sv_is(l.username, "<token>"))
                l = (struct reg_login){ .identity_token = l.password };
        *ret = l;
        return 0;
}

int helper_get(sv name, sv key, struct op *op, struct arena *a, struct reg_login *ret, struct err *e)
{
        AUTO(result_wipe) struct proc_result res = { 0 };
        struct reg_login l;

        if (run("get", name, key, op, a, &res, e) < 0)
                return -(int)e->code;
        if (helper_answer_read(a, buf_sv(&res.out), &l, e) < 0)
                return err_while(e, "asking docker-credential-%.*s", SV_ARG(name));
        l.from = arena_fmt(a, "docker-credential-%.*s", SV_ARG(name));
        *ret = l;
        return 0;
}

int helper_store(sv name, sv key, const struct reg_login *l, struct op *op, struct err *e)
{
        AUTO(arena_wipe) struct arena a = { 0 };
        AUTO(result_wipe) struct proc_result res = { 0 };
        struct buf text = BUF_INIT(1 << 20);
        struct js *doc = js_new_obj(&a);
        sv input;

        js_put_str(&a, doc, "ServerURL", key);
        js_put_str(&a, doc, "Username", l->identity_token.n ? SV("<token>") : l->username);
        js_put_str(&a, doc, "Secret", l->identity_token.n ? l->identity_token : l->password);
        js_write(doc, &text);
        input = arena_sv(&a, buf_sv(&text));
        explicit_bzero(text.p, text.n);
        buf_done(&text);
        return run("store", name, input, op, &a, &res, e);
}

int helper_erase(sv name, sv key, struct op *op, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(result_wipe) struct proc_result res = { 0 };

        return run("erase", name, key, op, &a, &res, e);
}
