/* Slurm's programs: sbatch, squeue, scontrol, sacct, scancel, srun --help. */
#include "run/target/slurm_ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/proc.h"

enum { ASK_MS = 25000, SUBMIT_MS = 90000, PROBE_MS = 5000, OUT_MAX = 16 << 20 };

extern char **environ;

static bool begins(const char *text, const char *const *with, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (strncmp(text, with[i], strlen(with[i])) == 0)
                        return true;
        return false;
}

/* Variables beat what a script says, so those of Slurm's own are left out: where the cluster is, and what a site's users are told to set. */
static const char *const *environment(struct arena *a, const struct run_profile *p)
{
        static const char *const dropped[] = { "SBATCH_", "SLURM_", "SQUEUE_", "SCANCEL_",
                                               "SACCT_",  "SRUN_",  "LC_",     "LANGUAGE=" };
        static const char *const kept[] = { "SLURM_CONF=", "SLURM_JWT=", "SLURM_CONF_SERVER=" };
        static const struct {
                const char *begin, *key;
        } defaults[] = {
                { "SBATCH_ACCOUNT=", "account" },       { "SBATCH_PARTITION=", "partition" }, { "SBATCH_QOS=", "qos" },
                { "SBATCH_CONSTRAINT=", "constraint" }, { "SBATCH_RESERVATION=", NULL },
        };
        const char **v;
        size_t n = 0, k = 0;

        while (environ[n])
                n++;
        v = arena_array(a, const char *, n + 3);
        for (size_t i = 0; i < n; i++) {
                bool keep =
                        !begins(environ[i], dropped, ARRAY_LEN(dropped)) || begins(environ[i], kept, ARRAY_LEN(kept));
                for (size_t d = 0; d < ARRAY_LEN(defaults) && !keep; d++)
                        keep = begins(environ[i], &defaults[d].begin, 1) &&
                               (!defaults[d].key || !run_profile_str(p, defaults[d].key, (sv){ 0 }).n);
                if (keep)
                        v[k++] = environ[i];
        }
        v[k++] = "LC_ALL=C";
        v[k] = "SLURM_TIME_FORMAT=%s"; /* seconds since 1970 */
        return v;
}

/* A program that did not end, or could not be heard: nobody knows what it did. */
static int call(struct run *r, const char *const *argv, int64_t ms, struct proc_result *ret, struct err *e)
{
        const struct proc p = {
                .argv = argv, .env = environment(r->arena, r->profile), .max_out = OUT_MAX, .timeout_ms = ms
        };
        AUTO(err_done) struct err why = { 0 };

        if (proc_run(&p, r->ctx->op, ret, &why) == 0)
                return 0;
        if (why.code == ERR_FAILED || why.code == ERR_LIMIT || why.code == ERR_IO)
                return err_set(e, ERR_NET, "Slurm did not answer: %s", why.cause);
        return err_move(e, &why);
}

/* It ended badly: what that means. */
static int fault(const char *program, const struct proc_result *p, enum slurm_fault *ret, struct err *e)
{
        sv line = slurm_fault_line(buf_sv(&p->err));

        *ret = slurm_fault_of(buf_sv(&p->err));
        if (!line.n)
                line = SV("no reason given");
        return err_set(e, *ret == SLURM_UNKNOWN ? ERR_NET : ERR_FAILED, "%s: %.*s", program, SV_ARG(line));
}

static sv the_cluster(const struct run_profile *p)
{
        return run_profile_str(p, "cluster", (sv){ 0 });
}

static const char *text(struct run *r, const char *before, sv s)
{
        return arena_fmt(r->arena, "%s%.*s", before, SV_ARG(s)).p;
}

int slurm_sbatch(struct run *r, sv *ret_handle, struct err *e)
{
        sv cluster = the_cluster(r->profile), handle;
        const char *argv[8] = { "sbatch", "--parsable" };
        AUTO(proc_result_done) struct proc_result out = { 0 };
        enum slurm_fault f;
        size_t n = 2;

        if (cluster.n)
                argv[n++] = text(r, "--clusters=", cluster);
        argv[n++] = text(r, "", run_path(r->arena, r->rec, "submit/job.sbatch"));
        if (call(r, argv, SUBMIT_MS, &out, e) < 0)
                return -(int)e->code;
        if (out.status) {
                fault("sbatch", &out, &f, e);
                if (f != SLURM_UNKNOWN)
                        err_hint(e, "what was asked for is in %.*s/submit/job.sbatch", SV_ARG(r->rec->dir));
                return -(int)e->code;
        }
        handle = slurm_submitted_parse(buf_sv(&out.out));
        if (!handle.n)
                return err_set(e, ERR_NET, "sbatch gave no job number: '%.*s'", SV_ARG(sv_trim(buf_sv(&out.out))));
        *ret_handle = arena_sv(r->arena, handle);
        return 0;
}

int slurm_squeue(struct run *r, sv name, sv *ret_id, struct err *e)
{
        sv cluster = the_cluster(r->profile);
        const char *argv[12] = { "squeue",       "--noheader",     "--all",
                                 "--states=all", "--format=%i|%j", text(r, "--name=", name) };
        AUTO(proc_result_done) struct proc_result out = { 0 };
        enum slurm_fault f;

        if (cluster.n)
                argv[6] = text(r, "--clusters=", cluster);
        if (call(r, argv, ASK_MS, &out, e) < 0)
                return -(int)e->code;
        if (out.status) {
                fault("squeue", &out, &f, e);
                e->code = ERR_NET; /* whatever it was, it is no answer */
                return -(int)e->code;
        }
        *ret_id = arena_sv(r->arena, slurm_queue_parse(buf_sv(&out.out), name));
        return 0;
}

int slurm_show(struct run *r, sv id, sv cluster, struct slurm_job *ret, bool *ret_found, struct err *e)
{
        const char *argv[10] = { "scontrol", "--oneliner" };
        AUTO(proc_result_done) struct proc_result out = { 0 };
        enum slurm_fault f;
        size_t n = 2;

        if (cluster.n)
                argv[n++] = text(r, "--cluster=", cluster);
        argv[n++] = "show";
        argv[n++] = "job";
        argv[n] = text(r, "", id);
        if (call(r, argv, ASK_MS, &out, e) < 0)
                return -(int)e->code;
        *ret_found = out.status == 0;
        if (out.status) {
                AUTO(err_done) struct err why = { 0 };
                fault("scontrol", &out, &f, &why);
                if (f == SLURM_NO_SUCH_JOB)
                        return 0;
                return err_set(e, ERR_NET, "%s", why.cause);
        }
        if (!slurm_job_parse(arena_sv(r->arena, buf_sv(&out.out)), ret))
                return err_set(e, ERR_NET, "scontrol says nothing of job %.*s", SV_ARG(id));
        return 0;
}

bool slurm_sacct(struct run *r, sv id, sv cluster, sv name, struct slurm_job *ret)
{
        const char *argv[12] = { "sacct", "-X", "-P", "-n", "-o", "JobIDRaw,State,ExitCode,Reason,Start,End" };
        AUTO(proc_result_done) struct proc_result out = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        size_t n = 6;

        if (cluster.n)
                argv[n++] = text(r, "--clusters=", cluster);
        if (id.n) {
                argv[n++] = text(r, "--jobs=", id);
        } else {
                argv[n++] = text(r, "--name=", name);
                argv[n++] = "--starttime=now-30days";
        }
        return call(r, argv, ASK_MS, &out, &ignored) == 0 && out.status == 0 &&
               slurm_sacct_parse(arena_sv(r->arena, buf_sv(&out.out)), ret);
}

int slurm_scancel(struct run *r, sv id, sv cluster, bool pending_only, struct err *e)
{
        const char *argv[8] = { "scancel" };
        AUTO(proc_result_done) struct proc_result out = { 0 };
        AUTO(err_done) struct err why = { 0 };
        enum slurm_fault f;
        size_t n = 1;

        if (pending_only)
                argv[n++] = "--state=PENDING";
        if (cluster.n)
                argv[n++] = text(r, "--clusters=", cluster);
        argv[n] = text(r, "", id);
        if (call(r, argv, ASK_MS, &out, e) < 0)
                return -(int)e->code;
        if (!out.status)
                return 0;
        fault("scancel", &out, &f, &why);
        if (f == SLURM_NO_SUCH_JOB || sv_find_sv(buf_sv(&out.err), SV("already completing")) >= 0 ||
            sv_find_sv(buf_sv(&out.err), SV("already completed")) >= 0)
                return 0;
        return err_set(e, f == SLURM_UNKNOWN ? ERR_NET : ERR_FAILED, "%s", why.cause);
}

/* For questions without a run. */
static int look(struct run_ctx *c, const char *const *argv, struct proc_result *ret, struct err *e)
{
        return proc_run(&(struct proc){ .argv = argv, .timeout_ms = PROBE_MS }, c->op, ret, e);
}

int slurm_version(struct run_ctx *c, struct arena *a, const struct run_profile *p, sv *ret, sv *ret_why, struct err *e)
{
        static const char *const version[] = { "sbatch", "--version", NULL };
        const char *ping[6] = { "scontrol" };
        AUTO(proc_result_done) struct proc_result said = { 0 }, ponged = { 0 };
        AUTO(err_done) struct err why = { 0 };
        sv cluster = the_cluster(p);
        size_t n = 1;

        *ret = *ret_why = (sv){ 0 };
        if (cluster.n)
                ping[n++] = arena_fmt(a, "--cluster=%.*s", SV_ARG(cluster)).p;
        ping[n] = "ping";
        if (look(c, version, &said, &why) < 0 || look(c, ping, &ponged, &why) < 0) {
                if (why.code == ERR_CANCELLED)
                        return err_move(e, &why);
                *ret_why = arena_sv(a, sv_from(why.cause));
                return 0;
        }
        *ret = arena_sv(a, sv_trim(buf_sv(&said.out)));
        if (said.status || ponged.status) {
                sv line = slurm_fault_line(said.status ? buf_sv(&said.err) : buf_sv(&ponged.err));
                *ret_why = line.n ? arena_sv(a, line) : SV("the controller does not answer");
        }
        return 0;
}

bool slurm_has_pyxis(struct run_ctx *c)
{
        static const char *const help[] = { "srun", "--help", NULL };
        AUTO(proc_result_done) struct proc_result out = { 0 };
        AUTO(err_done) struct err ignored = { 0 };

        return look(c, help, &out, &ignored) == 0 && sv_find_sv(buf_sv(&out.out), SV("--container-image")) >= 0;
}
