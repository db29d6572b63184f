/* run.json: written for people, too, so a line for each fact, the description last. */
#include <string.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "run/record/record_priv.h"

/* --- writing */

static void put_time(struct arena *a, struct js *j, const char *key, int64_t us)
{
        if (us)
                js_put_int(a, j, key, us);
}

static void put_text(struct arena *a, struct js *j, const char *key, sv text)
{
        if (text.n)
                js_put_str(a, j, key, text);
}

static void put_status(struct arena *a, struct js *j, const struct run_status *s)
{
        js_put_str(a, j, "state", sv_from(run_state_name(s->state)));
        put_text(a, j, "reason", sv_from(run_reason_name(s->reason)));
        if (s->exit_code >= 0)
                js_put_int(a, j, "exit_code", s->exit_code);
        if (s->term_signal)
                js_put_int(a, j, "term_signal", s->term_signal);
        if (s->first_bad_rank >= 0)
                js_put_int(a, j, "first_bad_rank", s->first_bad_rank);
        put_text(a, j, "engine_state", s->engine_state);
        put_text(a, j, "message", s->message);
        put_time(a, j, "submitted_us", s->submitted_us);
        put_time(a, j, "started_us", s->started_us);
        put_time(a, j, "ended_us", s->ended_us);
}

static struct js *git_json(struct arena *a, const struct run_git *g)
{
        struct js *j = js_new_obj(a);

        put_text(a, j, "repository", g->repository);
        put_text(a, j, "branch", g->branch);
        put_text(a, j, "commit", g->commit);
        if (g->known)
                js_put(a, j, SV("dirty"), js_new_bool(a, g->dirty));
        put_text(a, j, "note", g->note);
        return j;
}

static struct js *snapshot_json(struct arena *a, const struct run_snapshot_info *s)
{
        struct js *j = js_new_obj(a);

        js_put_str(a, j, "digest", s->digest);
        js_put_int(a, j, "files", (int64_t)s->files);
        js_put_int(a, j, "bytes", (int64_t)s->bytes);
        put_text(a, j, "layer", s->layer);
        return j;
}

static struct js *pairs_json(struct arena *a, const struct run_pair *v, size_t n)
{
        struct js *j = js_new_obj(a);

        for (size_t i = 0; i < n; i++)
                js_put(a, j, v[i].name, js_new_str(a, v[i].value));
        return j;
}

static sv digest_of(struct arena *a, const struct js *j)
{
        AUTO(buf_done) struct buf b = BUF_INIT(RUN_JSON_MAX);
        sha256 d;

        js_write(j, &b);
        d = sha256_of(buf_sv(&b));
        return arena_fmt(a, "sha256:%s", sha256_hex(&d).s);
}

/* Names of files and messages of engines need not be UTF-8, a JSON text must be: what is not becomes '?'. */
static void keep_utf8(struct buf *b)
{
        size_t at = 0;

        while (at < b->n) {
                size_t len = 1;
                if ((unsigned char)b->p[at] >= 0x80) {
                        for (len = 2; len <= 4; len++)
                                if (at + len <= b->n && sv_utf8((sv){ b->p + at, len }))
                                        break;
                        if (len > 4)
                                b->p[at] = '?', len = 1;
                }
                at += len;
        }
}

void run_doc_write(const struct run_record *r, struct buf *out)
{
        AUTO(arena_done) struct arena tmp = { 0 };
        struct arena *a = &tmp;
        struct js *j = js_new_obj(a), *spec = run_job_json(a, r->spec);

        js_put_int(a, j, "format", RUN_FORMAT);
        js_put_str(a, j, "id", r->id);
        put_text(a, j, "name", r->spec->display_name.n ? r->spec->display_name : r->spec->name);
        put_text(a, j, "experiment", r->spec->experiment);
        js_put_str(a, j, "target", r->target);
        put_text(a, j, "compute", r->compute);
        put_text(a, j, "sweep", r->sweep);
        put_text(a, j, "image", r->image);
        js_put_int(a, j, "attempt", r->attempt);
        js_put(a, j, SV("archived"), js_new_bool(a, r->archived));
        js_put_int(a, j, "created_us", r->created_us);
        put_status(a, j, &r->status);
        /* a list reads no further than this line */
        js_put_str(a, j, "token", r->token);
        put_text(a, j, "handle", r->handle);
        put_time(a, j, "unanswered_us", r->unanswered_us);
        put_text(a, j, "run_image", r->run_image);
        put_text(a, j, "lock_digest", r->lock_digest);
        put_text(a, j, "host", r->host);
        put_text(a, j, "user", r->user);
        put_text(a, j, "version", r->version);
        put_text(a, j, "maker", r->maker);
        js_put(a, j, SV("git"), git_json(a, &r->git));
        if (r->snapshot.digest.n)
                js_put(a, j, SV("snapshot"), snapshot_json(a, &r->snapshot));
        js_put(a, j, SV("properties"), pairs_json(a, r->property, r->n_property));
        js_put_str(a, j, "spec_digest", digest_of(a, spec));
        js_put(a, j, SV("spec"), spec);
        js_write_pretty(j, out);
        if (!out->n || out->p[out->n - 1] != '\n')
                buf_byte(out, '\n');
        keep_utf8(out);
}

/* --- reading */

static int64_t get_int(const struct js *j, const char *key, int64_t otherwise)
{
        int64_t n;

        return js_int(js_get(j, key), &n) ? n : otherwise;
}

static int get_small(const struct js *j, const char *key, int otherwise)
{
        int64_t n = get_int(j, key, otherwise);

        return n >= 0 && n <= INT32_MAX ? (int)n : otherwise;
}

static int64_t get_time(const struct js *j, const char *key)
{
        int64_t n = get_int(j, key, 0);

        return n > 0 ? n : 0;
}

static bool get_status(const struct js *j, struct run_status *ret)
{
        struct run_status s = {
                .exit_code = get_small(j, "exit_code", -1),
                .term_signal = get_small(j, "term_signal", 0),
                .first_bad_rank = get_small(j, "first_bad_rank", -1),
                .engine_state = js_get_str(j, "engine_state"),
                .message = js_get_str(j, "message"),
                .submitted_us = get_time(j, "submitted_us"),
                .started_us = get_time(j, "started_us"),
                .ended_us = get_time(j, "ended_us"),
        };

        if (!run_state_parse(js_get_str(j, "state"), &s.state) || !run_reason_parse(js_get_str(j, "reason"), &s.reason))
                return false;
        *ret = s;
        return true;
}

static void get_git(const struct js *j, struct run_git *ret)
{
        const struct js *dirty = js_get(j, "dirty");

        *ret = (struct run_git){ .repository = js_get_str(j, "repository"),
                                 .branch = js_get_str(j, "branch"),
                                 .commit = js_get_str(j, "commit"),
                                 .known = dirty != NULL,
                                 .dirty = js_true(dirty),
                                 .note = js_get_str(j, "note") };
}

static void get_snapshot(const struct js *j, struct run_snapshot_info *ret)
{
        *ret = (struct run_snapshot_info){ .digest = js_get_str(j, "digest"),
                                           .files = (uint64_t)get_time(j, "files"),
                                           .bytes = (uint64_t)get_time(j, "bytes"),
                                           .layer = js_get_str(j, "layer") };
}

static void get_pairs(struct arena *a, const struct js *j, struct run_pair **ret, size_t *ret_n)
{
        size_t n = j && j->type == JS_OBJ ? j->n : 0;

        *ret = arena_array(a, struct run_pair, n ? n : 1);
        for (size_t i = 0; i < n; i++)
                (*ret)[i] = (struct run_pair){ j->v[i].key, js_str(j->v[i].value) };
        *ret_n = n;
}

static int damaged(struct err *e, const char *what)
{
        return err_set(e, ERR_INTEGRITY, "run.json is damaged: %s", what);
}

/* Is it ours to read at all? */
static int check_format(const struct js *j, struct err *e)
{
        int64_t format = get_int(j, "format", 0);

        if (format > RUN_FORMAT) {
                err_set(e, ERR_INTEGRITY, "run.json was written by a newer envbuild (format %lld, this one reads %d)",
                        (long long)format, RUN_FORMAT);
                err_hint(e, "use the envbuild that made this run, or a newer one");
                return -(int)e->code;
        }
        return format == RUN_FORMAT ? 0 : damaged(e, "it does not say its format");
}

static int parse_json(struct arena *a, sv text, struct js **ret, struct err *e)
{
        AUTO(err_done) struct err why = { 0 };

        if (js_parse(a, text, ret, &why) < 0)
                return damaged(e, why.cause);
        return check_format(*ret, e);
}

int run_doc_parse(struct arena *a, sv text, sv dir, struct run_record **ret, struct err *e)
{
        AUTO(err_done) struct err why = { 0 };
        struct run_record *r = arena_new(a, struct run_record);
        struct js *j;

        if (parse_json(a, text, &j, e) < 0)
                return -(int)e->code;
        *r = (struct run_record){ .arena = a,
                                  .dir = dir,
                                  .id = js_get_str(j, "id"),
                                  .image = js_get_str(j, "image"),
                                  .run_image = js_get_str(j, "run_image"),
                                  .lock_digest = js_get_str(j, "lock_digest"),
                                  .target = js_get_str(j, "target"),
                                  .compute = js_get_str(j, "compute"),
                                  .token = js_get_str(j, "token"),
                                  .handle = js_get_str(j, "handle"),
                                  .sweep = js_get_str(j, "sweep"),
                                  .attempt = (unsigned)get_small(j, "attempt", 0),
                                  .archived = js_true(js_get(j, "archived")),
                                  .host = js_get_str(j, "host"),
                                  .user = js_get_str(j, "user"),
                                  .version = js_get_str(j, "version"),
                                  .maker = js_get_str(j, "maker"),
                                  .unanswered_us = get_time(j, "unanswered_us"),
                                  .created_us = get_time(j, "created_us") };
        if (!run_id_ok(r->id))
                return damaged(e, "it has no id");
        if (!r->attempt || !get_status(j, &r->status))
                return damaged(e, "its state is none that there is");
        get_git(js_get(j, "git"), &r->git);
        get_snapshot(js_get(j, "snapshot"), &r->snapshot);
        get_pairs(a, js_get(j, "properties"), &r->property, &r->n_property);
        if (!js_get(j, "spec"))
                return damaged(e, "it has no description");
        if (run_job_from_json(a, js_get(j, "spec"), &r->spec, &why) < 0)
                return damaged(e, why.cause);
        *ret = r;
        return 0;
}

/* --- the beginning of it, for lists */

/* "  \"key\": value," as run_doc_write puts it: false for whatever looks different. */
static bool flat_line(sv line, sv *ret_key, sv *ret_value)
{
        ptrdiff_t end;

        if (!sv_starts(line, SV("  \"")))
                return false;
        line = sv_skip(line, 3);
        end = sv_find(line, '"');
        if (end <= 0 || !sv_starts(sv_skip(line, (size_t)end), SV("\": ")))
                return false;
        *ret_key = sv_from_to(line, 0, (size_t)end);
        line = sv_skip(line, (size_t)end + 3);
        if (sv_ends(line, SV(",")))
                line.n--;
        *ret_value = line;
        return line.n > 0;
}

/* A value of one line as a tree would have it. Texts with escapes are left to the parser. */
static bool flat_value(sv text, struct js *ret)
{
        uint64_t n;

        *ret = (struct js){ .type = JS_NULL };
        if (text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"') {
                *ret = (struct js){ .type = JS_STR, .str = { text.p + 1, text.n - 2 } };
                return !memchr(ret->str.p, '\\', ret->str.n) && !memchr(ret->str.p, '"', ret->str.n);
        }
        if (sv_is(text, "true") || sv_is(text, "false")) {
                ret->type = sv_is(text, "true") ? JS_TRUE : JS_FALSE;
                return true;
        }
        if (!sv_u64(text, &n) || n > INT64_MAX)
                return false;
        *ret = (struct js){ .type = JS_INT, .num = (int64_t)n };
        return true;
}

enum { ROW_MAX = 32 };
struct flat { /* an object of the lines before "token", without a heap */
        struct js obj, value[ROW_MAX];
        struct js_member member[ROW_MAX];
};

static bool flat_read(sv text, struct flat *f)
{
        sv line, key, value;

        f->obj = (struct js){ .type = JS_OBJ, .v = f->member };
        if (!sv_line(&text, &line) || !sv_is(line, "{"))
                return false;
        while (sv_line(&text, &line)) {
                if (!flat_line(line, &key, &value) || f->obj.n == ROW_MAX)
                        return false;
                if (sv_is(key, "token"))
                        return true;
                if (js_get(&f->obj, "format") == NULL && f->obj.n)
                        return false;
                if (!flat_value(value, &f->value[f->obj.n]))
                        return false;
                f->member[f->obj.n] = (struct js_member){ key, &f->value[f->obj.n] };
                f->obj.n++;
        }
        return false;
}

static int row_of(const struct js *j, struct run_row *ret, struct err *e)
{
        struct run_row row = { .id = js_get_str(j, "id"),
                               .name = js_get_str(j, "name"),
                               .experiment = js_get_str(j, "experiment"),
                               .target = js_get_str(j, "target"),
                               .compute = js_get_str(j, "compute"),
                               .sweep = js_get_str(j, "sweep"),
                               .image = js_get_str(j, "image"),
                               .attempt = (unsigned)get_small(j, "attempt", 0),
                               .archived = js_true(js_get(j, "archived")),
                               .created_us = get_time(j, "created_us") };

        if (check_format(j, e) < 0)
                return -(int)e->code;
        if (!run_id_ok(row.id))
                return damaged(e, "it has no id");
        if (!row.attempt || !get_status(j, &row.status))
                return damaged(e, "its state is none that there is");
        *ret = row;
        return 0;
}

int run_doc_row(struct arena *a, sv text, bool whole, struct run_row *ret, struct err *e)
{
        struct flat f;
        struct js *j;

        if (flat_read(text, &f))
                return row_of(&f.obj, ret, e);
        if (!whole)
                return 1;
        if (parse_json(a, text, &j, e) < 0)
                return -(int)e->code;
        return row_of(j, ret, e);
}
