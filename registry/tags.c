#include <stdlib.h>

#include "base/cleanup.h"
#include "registry/link.h"
#include "registry/manifest.h"

enum { PAGES_MAX = 10000 };
#define PAGE_MAX ((size_t)64 << 20) /* one server sends all at once */

struct tags {
        struct arena *a;
        sv *v;
        size_t n, cap;
};

/* {"name": …, "tags": […]}; no tags may be null. */
static int read_page(struct tags *t, const struct net_answer *ans, const char *what, struct err *e)
{
        AUTO(err_done) struct err why = { 0 };
        const struct js *list;
        struct js *doc;

        if (js_parse(t->a, ans->body, &doc, &why) < 0)
                return err_set(e, ERR_INTEGRITY, "%s is not JSON: %s", what, why.cause);
        list = js_get(doc, "tags");
        if (doc->type != JS_OBJ || (list && list->type != JS_ARR && list->type != JS_NULL))
                return err_set(e, ERR_INTEGRITY, "%s is not a list of tags", what);
        for (size_t i = 0; list && list->type == JS_ARR && i < list->n; i++) {
                if (list->v[i].value->type != JS_STR)
                        return err_set(e, ERR_INTEGRITY, "%s holds a tag that is not a text", what);
                *arena_push(t->a, t->v, t->n, t->cap) = js_str(list->v[i].value);
        }
        return 0;
}

static void sort(struct tags *t)
{
        size_t n = 0;

        if (t->n)
                qsort(t->v, t->n, sizeof(sv), sv_qsort);
        for (size_t i = 0; i < t->n; i++)
                if (n == 0 || !sv_eq(t->v[n - 1], t->v[i]))
                        t->v[n++] = t->v[i];
        t->n = n;
}

int reg_tags(struct reg_client *c, const struct reg_repo *repo, struct arena *a, sv **ret, size_t *ret_n, struct err *e)
{
        const char *what = arena_fmt(a, "the list of tags of '%.*s'", SV_ARG(reg_repo_text(a, repo))).p;
        struct reg_request r = {
                .repo = *repo, .actions = REG_PULL, .path = SV("tags/list?n=1000"), .max_body = PAGE_MAX
        };
        struct tags t = { .a = a };
        struct net_answer ans;

        for (unsigned page = 0; page < PAGES_MAX; page++) {
                sv next;

                ans = (struct net_answer){ 0 };
                if (reg_do(c, &r, a, &ans, e) < 0)
                        return -(int)e->code;
                if (ans.status == 404)
                        return err_set(e, ERR_NOT_FOUND, "there is no '%.*s'", SV_ARG(reg_repo_text(a, repo)));
                if (ans.status != 200)
                        return reg_status_err(c, &r, &ans, arena_fmt(a, "reading %s", what).p, e);
                if (read_page(&t, &ans, what, e) < 0)
                        return -(int)e->code;
                if (!link_next(a, ans.url, net_header_get(&ans, "link"), &next)) {
                        sort(&t);
                        *ret = t.v;
                        *ret_n = t.n;
                        return 0;
                }
                if (!next.n)
                        return err_set(e, ERR_INTEGRITY, "%s goes on at another host", what);
                r.path = next;
        }
        return err_set(e, ERR_LIMIT, "%s has more than %d pages", what, PAGES_MAX);
}
