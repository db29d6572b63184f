/* The target azureml: the description goes back to Azure ML as a command job in our image, by `az ml`. The job's name is the run's id. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "run/record/report.h"
#include "run/code/snapshot.h"
#include "run/target/azureml_priv.h"

#define JOB_FILE "submit/job.yml"

static const struct run_key keys[] = {
        { "workspace", RUN_KEY_TEXT, NULL },        { "resource_group", RUN_KEY_TEXT, NULL },
        { "subscription", RUN_KEY_TEXT, NULL },     { "compute", RUN_KEY_TEXT, NULL },
        { "image_repository", RUN_KEY_TEXT, NULL }, { NULL, RUN_KEY_TEXT, NULL },
};

/* --- az */

static int az(struct run *r, const char *const *words, int64_t timeout_ms, struct proc_result *res, enum aml_said *ret,
              struct err *e)
{
        enum { FIXED = 8, MAX_OUT = 16 << 20 };
        static const char *const option[][2] = { { "workspace", "--workspace-name" },
                                                 { "resource_group", "--resource-group" },
                                                 { "subscription", "--subscription" } };
        AUTO(err_done) struct err said = { 0 };
        size_t n = 0;
        const char **argv;
        struct proc p = { .max_out = MAX_OUT, .timeout_ms = timeout_ms };

        while (words[n])
                n++;
        argv = arena_array(r->arena, const char *, n + FIXED);
        argv[0] = "az";
        for (size_t i = 0; i < n; i++)
                argv[i + 1] = words[i];
        n++;
        for (size_t i = 0; i < sizeof(option) / sizeof(*option); i++) {
                sv value = run_profile_str(r->profile, option[i][0], (sv){ 0 });
                if (value.n) {
                        argv[n++] = option[i][1];
                        argv[n++] = arena_str(r->arena, value);
                }
        }
        argv[n] = NULL;
        p.argv = argv;
        if (proc_run(&p, r->ctx->op, res, &said) < 0) {
                if (said.code != ERR_FAILED) {
                        err_hint(&said, "install the Azure CLI, and its extension: az extension add -n ml");
                        return err_move(e, &said);
                }
                buf_fmt(&res->err, "\naz did not answer in time\n");
                *ret = AML_AWAY;
                return 0;
        }
        *ret = res->status == 0 ? AML_OK : aml_said_of(buf_sv(&res->err));
        return 0;
}

static int fail(enum aml_said said, const struct proc_result *res, const char *what, struct err *e)
{
        sv line = aml_said_line(buf_sv(&res->err));

        err_set(e,
                said == AML_AWAY   ? ERR_NET
                : said == AML_AUTH ? ERR_AUTH
                                   : ERR_FAILED,
                "%s: az says: %.*s", what, SV_ARG(line.n ? line : SV("nothing, and fails")));
        if (said == AML_AUTH)
                err_hint(e, "az login");
        return -(int)e->code;
}

/* --- render */

static sv name_of(struct run *r)
{
        return r->rec->attempt > 1 ? arena_fmt(r->arena, "%.*s-a%u", SV_ARG(r->rec->id), r->rec->attempt) : r->rec->id;
}

/* A copy of the source for az to upload: without our links to outputs/ and logs/, which Azure ML makes itself. */
static int place_code(struct run *r, sv *ret, struct err *e)
{
        static const char *const links[] = { "outputs", "logs" };
        sv dir = run_path(r->arena, r->rec, "submit/code"), hex = r->rec->snapshot.digest;
        struct run_snapshot s;
        sha256 digest;

        *ret = (sv){ 0 };
        if (!hex.n)
                return 0;
        if (!sha256_read(hex, &digest))
                return err_set(e, ERR_INTEGRITY, "the run's record has a digest of its source that is none: '%.*s'",
                               SV_ARG(hex));
        if (fs_remove(dir.p, e) < 0 || run_snapshot_load(r->ctx, r->arena, &digest, &s, e) < 0 ||
            run_snapshot_place(r->ctx, &s, dir.p, e) < 0)
                return err_while(e, "copying the source");
        for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", dir.p, links[i]);
                if (unlink(path) < 0 && errno != ENOENT && errno != EISDIR && errno != EPERM)
                        return err_errno(e, "cannot remove '%s'", path);
        }
        *ret = SV("./code");
        return 0;
}

static int aml_render(struct run *r, struct err *e)
{
        const struct run_spec *s = r->rec->spec;
        AUTO(buf_done) struct buf text = BUF_INIT((size_t)16 << 20);
        struct js *job;
        sv code;

        if (place_code(r, &code, e) < 0 || aml_job(r, name_of(r), code, &job, e) < 0)
                return -(int)e->code;
        if (s->gpus || s->cpus || s->memory)
                op_say(r->ctx->op, OP_WARN,
                       "Azure ML: gpus, cpus and memory are what the compute has (resources.instance_type)");
        if (!run_profile_str(r->profile, "compute", (sv){ 0 }).n && !s->instance_type.n)
                op_say(r->ctx->op, OP_WARN,
                       "Azure ML: neither the profile's `compute` nor an instance_type says where: it runs serverless");
        js_write_pretty(job, &text);
        buf_byte(&text, '\n');
        if (buf_check(&text, e) < 0)
                return -(int)e->code;
        return fs_write(run_path(r->arena, r->rec, JOB_FILE).p, buf_sv(&text), 0644, e);
}

/* --- submit, find */

static int aml_find(struct run *r, sv *ret_handle, struct err *e)
{
        enum { MS = 60000 };
        const char *const words[] = {
                "ml", "job", "show", "--name", arena_str(r->arena, name_of(r)), "-o", "json", NULL
        };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        enum aml_said said;

        if (az(r, words, MS, &res, &said, e) < 0)
                return -(int)e->code;
        if (said != AML_OK && said != AML_ABSENT)
                return fail(said == AML_REFUSED || said == AML_EXISTS ? AML_AWAY : said, &res,
                            "looking for the run at Azure ML", e);
        *ret_handle = said == AML_OK ? name_of(r) : (sv){ 0 };
        return 0;
}

static int aml_submit(struct run *r, sv *ret_handle, struct err *e)
{
        enum { MS = 900000 }; /* it uploads the source */
        const char *const words[] = { "ml", "job",  "create", "--file", run_path(r->arena, r->rec, JOB_FILE).p,
                                      "-o", "json", NULL };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        enum aml_said said;

        /* a create with the name of a job that is there would change that one */
        if (aml_find(r, ret_handle, e) < 0)
                return -(int)e->code;
        if (ret_handle->n)
                return 0;
        if (az(r, words, MS, &res, &said, e) < 0)
                return -(int)e->code;
        if (said != AML_OK && said != AML_EXISTS)
                return fail(said, &res, "submitting the run to Azure ML", e);
        *ret_handle = name_of(r);
        return 0;
}

/* --- poll, cancel, collect */

static int aml_poll(struct run *r, struct run_status *ret, struct err *e)
{
        enum { MS = 30000 };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err bad = { 0 };
        const char *const words[] = { "ml", "job",  "show", "--name", arena_str(r->arena, r->rec->handle),
                                      "-o", "json", NULL };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        struct run_status now = *ret;
        enum aml_said said;
        sv name;

        if (az(r, words, MS, &res, &said, e) < 0)
                return -(int)e->code;
        if (said != AML_OK) /* jobs are never deleted: whatever it says, it says nothing about the run */
                return err_set(e, ERR_NET, "asking Azure ML: az says: %.*s", SV_ARG(aml_said_line(buf_sv(&res.err))));
        if (aml_answer(&a, buf_sv(&res.out), &name, &now, &bad) < 0)
                return err_set(e, ERR_NET, "asking Azure ML: %s", bad.cause);
        if (run_cancel_wanted(r->rec) && !run_state_final(now.state))
                now.state = RUN_CANCEL_REQUESTED;
        now.engine_state =
                sv_eq(now.engine_state, ret->engine_state) ? ret->engine_state : arena_sv(r->arena, now.engine_state);
        now.message = sv_eq(now.message, ret->message) ? ret->message : arena_sv(r->arena, now.message);
        *ret = now;
        return 0;
}

static int aml_cancel(struct run *r, struct err *e)
{
        enum { MS = 60000 };
        const char *const words[] = { "ml", "job", "cancel", "--name", arena_str(r->arena, r->rec->handle), NULL };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        struct run_status now = r->rec->status;
        enum aml_said said;

        if (az(r, words, MS, &res, &said, e) < 0)
                return -(int)e->code;
        if (said == AML_OK || (aml_poll(r, &now, &ignored) == 0 && run_state_final(now.state)))
                return 0; /* one that is over cannot be cancelled, and need not */
        return fail(said, &res, "cancelling the run at Azure ML", e);
}

/* az puts ./outputs, ./logs and user_logs below artifacts/, and named outputs below named-outputs/. */
static int aml_collect(struct run *r, struct err *e)
{
        enum { MS = 3600 * 1000 };
        static const char *const from[] = { "artifacts/outputs", "artifacts/logs", "artifacts/user_logs",
                                            "artifacts/system_logs", "named-outputs" };
        static const char *const to[] = { "outputs", "logs", "user_logs", "system_logs", "outputs" };
        sv dir = run_path(r->arena, r->rec, "system_logs/download");
        const char *const words[] = {
                "ml",  "job", "download", "--name", arena_str(r->arena, r->rec->handle), "--all", "--download-path",
                dir.p, NULL
        };
        AUTO(proc_result_done) struct proc_result res = { 0 };
        enum aml_said said;

        if (!r->rec->handle.n)
                return 0;
        if (fs_remove(dir.p, e) < 0 || az(r, words, MS, &res, &said, e) < 0)
                return -(int)e->code;
        if (said != AML_OK)
                return fail(said, &res, "downloading what the run made", e);
        for (size_t i = 0; i < sizeof(from) / sizeof(*from); i++)
                if (run_folder_move(run_path(r->arena, r->rec, "system_logs/download/%s", from[i]).p,
                                    run_path(r->arena, r->rec, "%s", to[i]).p, e) < 0)
                        return -(int)e->code;
        return fs_remove(dir.p, e);
}

/* --- doctor */

static int aml_probe(struct run_ctx *c, struct arena *a, const struct run_profile *p, struct run_probe *ret,
                     struct err *e)
{
        enum { MS = 15000 };
        static const char *const version[] = { "version", "-o", "json", NULL }, *const who[] = { "account", "show",
                                                                                                 "-o", "json", NULL };
        const struct run_profile none = { 0 };
        struct run r = { .ctx = c, .arena = a, .profile = &none };
        AUTO(proc_result_done) struct proc_result v = { 0 }, w = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(free_ptr) char *path = proc_which("az");
        enum aml_said said;
        struct js *j = NULL;
        sv ml;

        (void)p;
        if (!path) {
                ret->why = SV("there is no az on PATH");
                ret->hint = SV("install the Azure CLI, and its extension: az extension add -n ml");
                return 0;
        }
        if (az(&r, version, MS, &v, &said, e) < 0)
                return -(int)e->code;
        js_parse(a, buf_sv(&v.out), &j, &ignored);
        ml = js_get_str(js_get(j, "extensions"), "ml");
        ret->version =
                arena_fmt(a, "az %.*s%s%.*s", SV_ARG(js_get_str(j, "azure-cli")), ml.n ? ", ml " : "", SV_ARG(ml));
        if (!ml.n) {
                ret->why = SV("az has no extension ml");
                ret->hint = SV("az extension add -n ml");
                return 0;
        }
        if (az(&r, who, MS, &w, &said, e) < 0)
                return -(int)e->code;
        ret->works = said == AML_OK;
        if (!ret->works) {
                ret->why = arena_fmt(a, "nobody is logged in: %.*s", SV_ARG(aml_said_line(buf_sv(&w.err))));
                ret->hint = SV("az login");
        }
        return 0;
}

const struct run_target run_target_azureml = {
        .name = "azureml",
        .summary = "a command job of Azure ML, through az ml",
        .caps = RUN_CAP_MULTI_NODE | RUN_CAP_IMAGE | RUN_CAP_REMOTE_INPUT | RUN_CAP_RETRY,
        .key = keys,
        .probe = aml_probe,
        .render = aml_render,
        .submit = aml_submit,
        .find = aml_find,
        .poll = aml_poll,
        .cancel = aml_cancel,
        .collect = aml_collect,
        .cleanup = NULL,
};
