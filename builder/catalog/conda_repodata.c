#include "catalog/conda_repodata.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "catalog/conda_scan.h"

#define MAGIC "envbuild repodata 1\n"

enum { NOTE_MAX = 16384 };

static const char *const form_name[] = {
        [CONDA_ZST] = "zst", [CONDA_JSON] = "json", [CONDA_BZ2] = "bz2", [CONDA_ABSENT] = "absent"
};
static const char *const form_file[] = { [CONDA_ZST] = "repodata.json.zst",
                                         [CONDA_JSON] = "repodata.json",
                                         [CONDA_BZ2] = "repodata.json.bz2" };

/* --- notes --- */

static void read_digests(sv line, sha256 *ret_first, sha256 *ret_second)
{
        sv one;

        sv_cut(&line, ' ', &one);
        if (!sha256_read(one, ret_first))
                *ret_first = (sha256){ 0 };
        if (!sha256_read(line, ret_second))
                *ret_second = (sha256){ 0 };
}

static void read_line(sv key, sv value, struct conda_note *n)
{
        uint64_t number = 0;

        for (size_t i = 0; sv_is(key, "form") && i < ARRAY_LEN(form_name); i++)
                if (sv_is(value, form_name[i]))
                        n->form = (enum conda_form)i;
        sv_u64(value, &number);
        if (sv_is(key, "made"))
                n->made = (int64_t)number;
        else if (sv_is(key, "until"))
                n->until = (int64_t)number;
        else if (sv_is(key, "etag"))
                n->etag = value;
        else if (sv_is(key, "modified"))
                n->modified = value;
        else if (sv_is(key, "text"))
                read_digests(value, &n->text, &n->index);
        else if (sv_is(key, "old"))
                read_digests(value, &n->old_text, &n->old_index);
}

bool conda_note_get(struct store *s, const sha256 *key, struct arena *a, struct conda_note *ret)
{
        AUTO(buf_done) struct buf b = BUF_INIT(NOTE_MAX);
        AUTO(err_done) struct err e = { 0 };
        sv rest, line, word;

        *ret = (struct conda_note){ 0 };
        if (store_note_get(s, STORE_HTTP, key, &b, &e) < 0 || !sv_starts(buf_sv(&b), SV(MAGIC)))
                return false;
        rest = sv_skip(arena_sv(a, buf_sv(&b)), sizeof(MAGIC) - 1);
        while (sv_line(&rest, &line))
                if (sv_cut(&line, ' ', &word))
                        read_line(word, line, ret);
        return ret->form == CONDA_ABSENT || store_has(s, STORE_INDEX, &ret->text, NULL);
}

void conda_note_put(struct keeper *k, const sha256 *key, const struct conda_note *n)
{
        AUTO(buf_done) struct buf b = BUF_INIT(NOTE_MAX);

        buf_fmt(&b, "%sform %s\nmade %lld\nuntil %lld\n", MAGIC, form_name[n->form], (long long)n->made,
                (long long)n->until);
        if (n->etag.n)
                buf_fmt(&b, "etag %.*s\n", SV_ARG(n->etag));
        if (n->modified.n)
                buf_fmt(&b, "modified %.*s\n", SV_ARG(n->modified));
        if (n->form != CONDA_ABSENT)
                buf_fmt(&b, "text %s %s\n", sha256_hex(&n->text).s, sha256_hex(&n->index).s);
        if (!sha256_is_zero(&n->old_text))
                buf_fmt(&b, "old %s %s\n", sha256_hex(&n->old_text).s, sha256_hex(&n->old_index).s);
        if (!b.over)
                keeper_put(k, STORE_HTTP, key, buf_sv(&b));
}

/* --- asking --- */

static sha256 key_of(const struct conda_repodata *t)
{
        return page_key(SV("conda repodata"), t->folder);
}

static void fail(struct conda_repodata *t)
{
        err_while(&t->err, "fetching the repodata of %.*s", SV_ARG(t->subject));
        t->done = true;
}

static int begin_put(struct conda_repodata *t, enum conda_form form, struct writer **ret)
{
        if (store_put_begin(t->c->store, STORE_INDEX, &t->put, ret, &t->err) < 0)
                return -(int)t->err.code;
        if (form == CONDA_ZST)
                *ret = t->unzstd = unzstd_writer_new(*ret, CONDA_TEXT_MAX);
        return 0;
}

static void end_put(struct conda_repodata *t)
{
        unzstd_writer_free(t->unzstd);
        t->unzstd = NULL;
        store_put_abort(&t->put);
}

static void ask(struct conda_repodata *t, enum conda_form form)
{
        struct net_header h[2] = { { SV("Cache-Control"), SV("max-age=0") } };
        struct net_request r = { .header = h, .max_body = CONDA_TEXT_MAX, .keep_partial = true, .subject = t->subject };

        t->form = form;
        r.url = arena_fmt(&t->arena, "%.*s%s", SV_ARG(t->asked), form_file[form]);
        r.n_header = t->c->refresh ? 1 : 0;
        if (t->kept && t->note.form == form && t->note.etag.n)
                h[r.n_header++] = (struct net_header){ SV("If-None-Match"), t->note.etag };
        else if (t->kept && t->note.form == form && t->note.modified.n)
                h[r.n_header++] = (struct net_header){ SV("If-Modified-Since"), t->note.modified };
        if (begin_put(t, form, &r.into) < 0)
                return fail(t);
        t->job = net_begin(t->c->net, &r);
}

static bool is_fresh(const struct conda_repodata *t)
{
        int64_t now = clock_unix();

        if (t->c->offline)
                return true;
        return !t->c->refresh && t->note.made <= now &&
               now < t->note.until; /* made later than now: the clock was wrong */
}

void conda_repodata_begin(struct conda_repodata *t, struct page_cache *c, struct op *op, sv folder, sv asked,
                          sv subject)
{
        sha256 key;

        *t = (struct conda_repodata){ .c = c, .op = op, .folder = folder, .asked = asked, .subject = subject };
        key = key_of(t);
        t->kept = conda_note_get(c->store, &key, &t->arena, &t->note);
        /* What was not there may be there now: a misspelt folder on the server is put right at once, and few channels lack one. */
        if (t->kept && is_fresh(t) && (t->note.form != CONDA_ABSENT || c->offline)) {
                t->done = true;
                t->absent = t->note.form == CONDA_ABSENT;
                return;
        }
        ask(t, t->kept && !c->refresh && t->note.form != CONDA_ABSENT ? t->note.form : CONDA_ZST);
}

/* --- what came --- */

static void set_times(struct conda_repodata *t, const struct net_answer *got)
{
        struct conda_note *n = &t->note;
        int64_t life = page_lifetime(got);
        sv etag = net_header_get(got, "etag"), date = net_header_get(got, "last-modified");

        n->made = clock_unix();
        n->until = n->made + (life > 0 ? life : 0);
        if (etag.n || got->status != 304)
                n->etag = etag;
        if (date.n || got->status != 304)
                n->modified = date;
        t->dirty = true;
}

/* What was before the last one goes; the last one stays until there is another, for those who read it now. */
static void retire(struct conda_repodata *t, const sha256 *text)
{
        AUTO(err_done) struct err e = { 0 };
        struct conda_note *n = &t->note;

        if (sha256_eq(&n->text, text))
                return;
        if (!sha256_is_zero(&n->old_text) && !sha256_eq(&n->old_text, text))
                store_drop(t->c->store, STORE_INDEX, &n->old_text, &e);
        if (!sha256_is_zero(&n->old_index))
                store_drop(t->c->store, STORE_INDEX, &n->old_index, &e);
        n->old_text = n->text;
        n->old_index = n->index;
        n->text = *text;
        n->index = (sha256){ 0 };
}

/* .bz2: kept as it came for as long as it takes to unpack it. */
static int unpack_bz2(struct conda_repodata *t, sha256 *digest)
{
        AUTO(free_ptr) char *path = store_find(t->c->store, STORE_INDEX, digest);
        AUTO(err_done) struct err none = { 0 };
        sha256 packed = *digest;

        if (!path)
                return err_set(&t->err, ERR_IO, "what was just stored is gone");
        if (conda_unpack_file(t->c->store, path, CONDA_BZ2, digest, &t->err) < 0)
                return -(int)t->err.code;
        store_drop(t->c->store, STORE_INDEX, &packed, &none);
        return 0;
}

static int take_body(struct conda_repodata *t, const struct net_answer *got)
{
        sha256 digest;

        if ((t->unzstd && writer_finish(t->unzstd, &t->err) < 0) || store_put_commit(&t->put, NULL, &t->err) < 0)
                return -(int)t->err.code;
        digest = t->put.hash.digest;
        if (t->form == CONDA_BZ2 && unpack_bz2(t, &digest) < 0)
                return -(int)t->err.code;
        retire(t, &digest);
        t->note.form = t->form;
        set_times(t, got);
        return 0;
}

static void next_form(struct conda_repodata *t, const struct net_answer *got)
{
        sha256 key = key_of(t);

        end_put(t);
        if (t->kept && t->note.form != CONDA_ABSENT && t->form == t->note.form && t->form != CONDA_ZST) {
                t->kept = false; /* it was there once: look for all of them again */
                return ask(t, CONDA_ZST);
        }
        if (t->form != CONDA_BZ2)
                return ask(t, t->form + 1);
        t->done = t->absent = true;
        t->note = (struct conda_note){ .form = CONDA_ABSENT };
        set_times(t, got);
        conda_note_put(t->c->keeper, &key, &t->note);
        t->dirty = false;
}

static void take_answer(struct conda_repodata *t)
{
        struct net_answer got = { 0 };
        int r = net_wait(t->c->net, STEAL(t->job), &t->arena, &got, &t->err);

        /* Stores that do not say what they lack answer 403: the plain form tells whether we may read here at all. */
        if (r == 0 && (page_absent(&got) || (got.status == 403 && t->form == CONDA_ZST)))
                return next_form(t, &got);
        if (r == 0 && got.status == 304 && t->kept)
                set_times(t, &got);
        else if (r == 0)
                r = got.status == 200 ? take_body(t, &got) : net_status_err(&got, &t->err);
        if (r == -ERR_INTEGRITY && t->form == CONDA_ZST) { /* a server that has a page for every name */
                err_done(&t->err);
                return next_form(t, &got);
        }
        end_put(t);
        if (r < 0)
                return fail(t);
        t->done = true;
}

void conda_repodata_step(struct conda_repodata *t)
{
        while (!t->done && net_ready(t->c->net, t->job))
                take_answer(t);
}

int conda_repodata_open(struct conda_repodata *t, struct conda_whole *r, struct err *e)
{
        sha256 key = key_of(t), index = t->note.index;

        if (conda_whole_open_text(t->c->store, &t->note.text, r, e) < 0 ||
            conda_whole_open_index(t->c->store, &t->note.text, &t->note.index, r, t->op, e) < 0)
                return err_while(e, "reading '%.*s%s'", SV_ARG(t->folder), form_file[t->note.form]);
        if (t->dirty || !sha256_eq(&index, &t->note.index))
                conda_note_put(t->c->keeper, &key, &t->note);
        t->dirty = false;
        return 0;
}

void conda_repodata_drop(struct conda_repodata *t)
{
        if (t->job)
                net_drop(t->c->net, STEAL(t->job));
        end_put(t);
        err_done(&t->err);
        arena_done(&t->arena);
}
