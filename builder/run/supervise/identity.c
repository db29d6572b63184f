/* run/supervise/identity.c - who supervises an attempt. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "ext/json.h"
#include "run/supervise/supervise_priv.h"

static sv path_of(struct arena *a, const struct run_record *r)
{
        return run_path(a, r, "status/%u/supervisor.json", r->attempt);
}

static sv boot_id(struct arena *a)
{
        AUTO(buf_done) struct buf text = BUF_INIT(256);
        AUTO(err_done) struct err ignored = { 0 };

        if (fs_read("/proc/sys/kernel/random/boot_id", &text, &ignored) < 0)
                return (sv){ 0 };
        return arena_sv(a, sv_trim(buf_sv(&text)));
}

static sv host_name(struct arena *a)
{
        char name[HOST_NAME_MAX + 1] = "";

        gethostname(name, sizeof(name) - 1);
        return arena_sv(a, sv_from(name));
}

void run_identity_self(struct arena *a, struct run_identity *ret)
{
        struct run_proc us = { 0 };

        run_proc_read(getpid(), &us);
        *ret = (struct run_identity){ host_name(a), boot_id(a), getpid(), us.start };
}

/* link() is refused when the name is there: of two supervisors one has it, whatever a claim says. */
int run_identity_write(const struct run_record *r, const struct run_identity *id, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv path = path_of(&a, r), tmp = arena_fmt(&a, "%s.%ld", path.p, (long)getpid());
        struct js *doc = js_new_obj(&a);
        int r_link;

        js_put_str(&a, doc, "host", id->host);
        js_put_int(&a, doc, "pid", id->pid);
        js_put_int(&a, doc, "start", (int64_t)id->start);
        js_put_str(&a, doc, "boot", id->boot);
        if (fs_mkdirs(run_path(&a, r, "status/%u", r->attempt).p, 0777, e) < 0 || run_js_save(tmp.p, doc, e) < 0)
                return -(int)e->code;
        r_link = link(tmp.p, path.p) < 0 ? (errno == EEXIST ? 1 : err_errno(e, "cannot write '%s'", path.p)) : 0;
        unlink(tmp.p);
        return r_link;
}

int run_identity_read(struct arena *a, const struct run_record *r, struct run_identity *ret, struct err *e)
{
        sv path = path_of(a, r);
        int64_t pid, start;
        struct js *doc;

        if (run_js_load(a, path.p, &doc, e) < 0)
                return -(int)e->code;
        if (!js_int(js_get(doc, "pid"), &pid) || pid <= 1 || pid > INT_MAX || !js_int(js_get(doc, "start"), &start))
                return err_set(e, ERR_INTEGRITY, "'%s' names no process", path.p);
        *ret = (struct run_identity){ js_get_str(doc, "host"), js_get_str(doc, "boot"), (pid_t)pid, (uint64_t)start };
        return 0;
}

bool run_identity_here(const struct run_identity *id)
{
        AUTO(arena_done) struct arena a = { 0 };

        return sv_eq(id->host, host_name(&a));
}

bool run_identity_alive(const struct run_identity *id)
{
        AUTO(arena_done) struct arena a = { 0 };
        struct run_proc p;

        return sv_eq(id->host, host_name(&a)) && sv_eq(id->boot, boot_id(&a)) && run_proc_read(id->pid, &p) &&
               p.start == id->start && p.state != 'Z' && p.state != 'X';
}

sv run_identity_handle(struct arena *a, const struct run_identity *id)
{
        return arena_fmt(a, "supervisor:%.*s:%ld:%llu", SV_ARG(id->host), (long)id->pid, (unsigned long long)id->start);
}
