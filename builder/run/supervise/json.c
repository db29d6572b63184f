/* run/supervise/json.c - documents of submit/: written 0600, read with a limit. */
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "ext/json.h"
#include "run/supervise/supervise_priv.h"

struct js *run_js_words(struct arena *a, const char *const *v, size_t n)
{
        struct js *arr = js_new_arr(a);

        for (size_t i = 0; i < n; i++)
                js_add(a, arr, js_new_str(a, sv_from(v[i])));
        return arr;
}

bool run_js_argv(struct arena *a, const struct js *j, const char ***ret, size_t *ret_n)
{
        const char **v;

        if (!j || j->type != JS_ARR)
                return false;
        v = arena_array(a, const char *, j->n + 1);
        for (size_t i = 0; i < j->n; i++) {
                sv s = js_str(j->v[i].value);
                if (j->v[i].value->type != JS_STR || (s.n && memchr(s.p, '\0', s.n)))
                        return false;
                v[i] = arena_str(a, s);
        }
        v[j->n] = NULL;
        *ret = v;
        if (ret_n)
                *ret_n = j->n;
        return true;
}

int run_js_load(struct arena *a, const char *path, struct js **ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(RUN_DOC_MAX);
        AUTO(err_done) struct err why = { 0 };

        if (fs_read(path, &text, e) < 0)
                return -(int)e->code;
        if (js_parse(a, arena_sv(a, buf_sv(&text)), ret, &why) < 0)
                return err_set(e, ERR_INTEGRITY, "'%s' cannot be read: %s", path, why.cause);
        if ((*ret)->type != JS_OBJ)
                return err_set(e, ERR_INTEGRITY, "'%s' is not a JSON object", path);
        return 0;
}

int run_js_save(const char *path, const struct js *doc, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(RUN_DOC_MAX);

        js_write_pretty(doc, &text);
        buf_byte(&text, '\n');
        if (buf_check(&text, e) < 0)
                return err_while(e, "writing '%s'", path);
        if (!sv_utf8(buf_sv(&text)))
                return err_set(e, ERR_USAGE,
                               "a word of the command or a path of the run is not UTF-8: '%s' cannot say it", path);
        return fs_write(path, buf_sv(&text), 0600, e);
}
