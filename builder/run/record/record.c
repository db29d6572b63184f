/* A run's folder: made, read, and run.json replaced. */
#include "run/record/record.h"

#include <errno.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ext/hash.h"
#include "run/record/record_priv.h"

int64_t run_now_us(void)
{
        struct timespec t;

        clock_gettime(CLOCK_REALTIME, &t);
        return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

sha256 run_record_key(const struct run_record *r)
{
        AUTO(arena_done) struct arena tmp = { 0 };

        return sha256_of(arena_fmt(&tmp, "envbuild run %.*s", SV_ARG(r->id)));
}

sv run_path(struct arena *a, const struct run_record *r, const char *fmt, ...)
{
        char part[4096];
        va_list ap;

        va_start(ap, fmt);
        vsnprintf(part, sizeof(part), fmt, ap);
        va_end(ap);
        return arena_fmt(a, "%.*s/%s", SV_ARG(r->dir), part);
}

sv run_log_path(struct arena *a, const struct run_record *r, unsigned rank)
{
        char retry[32] = "";

        if (r->attempt > 1)
                snprintf(retry, sizeof(retry), "retry_%03u/", r->attempt - 1);
        if (run_job_ranks(r->spec) <= 1)
                return run_path(a, r, "user_logs/%sstd_log.txt", retry);
        return run_path(a, r, "user_logs/%sstd_log_process_%u.txt", retry, rank);
}

/* --- a new one */

bool run_id_ok(sv id)
{
        for (size_t i = 0; i < id.n; i++)
                if (!(id.p[i] >= 'a' && id.p[i] <= 'z') && !(id.p[i] >= '0' && id.p[i] <= '9') && id.p[i] != '-')
                        return false;
        return id.n > 0 && id.n <= RUN_ID_MAX && id.p[0] != '-' && id.p[id.n - 1] != '-';
}

/* "My Run_2" → "my-run-2". Begins with a letter: a Service of Kubernetes must. */
static sv id_base(struct arena *a, sv name)
{
        enum { BASE_MAX = RUN_ID_MAX - 16 /* "-20261124-ab12cd" */ };
        AUTO(buf_done) struct buf b = BUF_INIT(RUN_ID_MAX);
        sv lower = arena_lower(a, name);

        for (size_t i = 0; i < lower.n && b.n < BASE_MAX; i++) {
                char c = lower.p[i];
                bool letter = c >= 'a' && c <= 'z', digit = c >= '0' && c <= '9';
                if (digit && !b.n)
                        buf_add(&b, SV("r-"));
                if (letter || digit)
                        buf_byte(&b, c);
                else if (b.n && b.p[b.n - 1] != '-')
                        buf_byte(&b, '-');
        }
        while (b.n && b.p[b.n - 1] == '-')
                b.n--;
        return b.n ? arena_sv(a, buf_sv(&b)) : SV("run");
}

static sv fresh_id(struct arena *a, sv base, int64_t now_us)
{
        static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
        unsigned char rnd[6];
        char text[7] = "", date[16];
        time_t t = (time_t)(now_us / 1000000);
        struct tm tm;

        if (getrandom(rnd, sizeof(rnd), 0) != (ssize_t)sizeof(rnd)) {
                uint64_t n = (uint64_t)now_us ^ ((uint64_t)getpid() << 24);
                for (size_t i = 0; i < sizeof(rnd); i++)
                        rnd[i] = (unsigned char)(n >> (5 * i));
        }
        for (size_t i = 0; i < sizeof(rnd); i++)
                text[i] = digits[rnd[i] % 32];
        gmtime_r(&t, &tm);
        strftime(date, sizeof(date), "%Y%m%d", &tm);
        return arena_fmt(a, "%.*s-%s-%s", SV_ARG(base), date, text);
}

static sv host_name(struct arena *a)
{
        char host[256] = "";

        if (gethostname(host, sizeof(host) - 1) < 0)
                return (sv){ 0 };
        return arena_sv(a, sv_from(host));
}

static sv user_name(struct arena *a)
{
        char space[4096];
        struct passwd pw, *found = NULL;

        if (getpwuid_r(geteuid(), &pw, space, sizeof(space), &found) == 0 && found)
                return arena_sv(a, sv_from(pw.pw_name));
        return arena_fmt(a, "%u", (unsigned)geteuid());
}

/* mkdir is what makes an id unique, on network file systems too. */
static int make_folder(struct arena *a, sv root, struct run_record *r, sv base, struct err *e)
{
        enum { TRIES = 32 };

        for (int i = 0; i < TRIES; i++) {
                r->id = fresh_id(a, base, r->created_us);
                r->dir = arena_fmt(a, "%.*s/%.*s", SV_ARG(root), SV_ARG(r->id));
                if (mkdir(r->dir.p, 0777) == 0)
                        return 0;
                if (errno != EEXIST)
                        return err_errno(e, "cannot make the run's folder '%s'", r->dir.p);
        }
        return err_set(e, ERR_IO, "no free name for a run in '%.*s'", SV_ARG(root));
}

static int make_subfolders(struct arena *a, const struct run_record *r, struct err *e)
{
        static const char *const name[] = { "submit",   "outputs",   "logs",       "status",
                                            "status/1", "user_logs", "system_logs" };

        for (size_t i = 0; i < ARRAY_LEN(name); i++)
                if (fs_mkdirs(run_path(a, r, "%s", name[i]).p, 0777, e) < 0)
                        return -(int)e->code;
        return 0;
}

int run_record_create(struct run_ctx *c, struct arena *a, sv root, struct run_spec *spec, struct run_record **ret,
                      struct err *e)
{
        struct run_record *r = arena_new(a, struct run_record);
        sv name = spec->name.n ? spec->name : spec->display_name.n ? spec->display_name : spec->experiment;

        (void)c;
        *r = (struct run_record){ .arena = a,
                                  .spec = spec,
                                  .attempt = 1,
                                  .status = RUN_STATUS_INIT,
                                  .host = host_name(a),
                                  .user = user_name(a),
                                  .compute = spec->compute,
                                  .version = SV(ENVBUILD_VERSION),
                                  .created_us = run_now_us() };
        r->status.state = RUN_PREPARING;
        r->maker = run_maker_here(a, r->host);
        root = arena_sv(a, root);
        if (fs_mkdirs(root.p, 0777, e) < 0 || make_folder(a, root, r, id_base(a, name), e) < 0)
                return err_while(e, "making a run in '%s'", root.p);
        if (make_subfolders(a, r, e) < 0 || run_record_write(r, e) < 0) {
                AUTO(err_done) struct err ignored = { 0 };
                fs_remove(r->dir.p, &ignored);
                return err_while(e, "making the run '%.*s'", SV_ARG(r->id));
        }
        *ret = r;
        return 0;
}

/* --- read and written */

int run_record_open(struct arena *a, sv dir, struct run_record **ret, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(RUN_JSON_MAX);
        sv own = arena_sv(a, dir), path = arena_fmt(a, "%s/run.json", own.p);

        if (fs_read(path.p, &text, e) < 0)
                return err_while(e, "reading the run '%s'", own.p);
        if (run_doc_parse(a, buf_sv(&text), own, ret, e) < 0) {
                err_hint(e, "what it made is still in '%s'; `envbuild runs rm %.*s` removes it", own.p,
                         SV_ARG(sv_basename(own)));
                return err_while(e, "reading the run '%s'", own.p);
        }
        return 0;
}

int run_record_write(const struct run_record *r, struct err *e)
{
        AUTO(buf_done) struct buf text = BUF_INIT(RUN_JSON_MAX);
        AUTO(arena_done) struct arena a = { 0 };

        run_doc_write(r, &text);
        if (buf_check(&text, e) < 0 || fs_write(run_path(&a, r, "run.json").p, buf_sv(&text), 0666, e) < 0)
                return err_while(e, "writing the record of '%.*s'", SV_ARG(r->id));
        return 0;
}
