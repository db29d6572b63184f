/* The two scripts of a run on Slurm: submit/job.sbatch, which sbatch is given and which calls srun once, and submit/rank.sh, which srun starts for
 * every rank. The container, if there is one, is in the step only: the batch script stands on the node's own system. */
#include <stdio.h>

#include "base/cleanup.h"
#include "run/target/slurm_priv.h"

void slurm_quote(sv word, struct buf *out)
{
        static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";
        bool plain = word.n != 0;

        for (size_t i = 0; i < word.n && plain; i++)
                plain = sv_find((sv){ safe, sizeof(safe) - 1 }, word.p[i]) >= 0;
        if (plain) {
                buf_add(out, word);
                return;
        }
        buf_byte(out, '\'');
        for (size_t i = 0; i < word.n; i++)
                if (word.p[i] == '\'')
                        buf_add(out, SV("'\\''"));
                else
                        buf_byte(out, word.p[i]);
        buf_byte(out, '\'');
}

/* sbatch reads its lines itself: in double quotes only \ and " are special. No quoting holds a control character. */
static int directive(sv name, sv value, struct buf *out, struct err *e)
{
        buf_add(out, SV("#SBATCH "));
        buf_add(out, name);
        if (value.n) {
                buf_add(out, SV("=\""));
                for (size_t i = 0; i < value.n; i++) {
                        unsigned char c = (unsigned char)value.p[i];
                        if (c < ' ' || c == 127)
                                return err_set(e, ERR_USAGE, "a control character in Slurm's option %.*s",
                                               SV_ARG(name));
                        if (c == '"' || c == '\\')
                                buf_byte(out, '\\');
                        buf_byte(out, (char)c);
                }
                buf_byte(out, '"');
        }
        buf_byte(out, '\n');
        return 0;
}

static int text(const char *name, sv value, struct buf *out, struct err *e)
{
        return value.n ? directive(sv_from(name), value, out, e) : 0;
}

static int number(const char *name, uint64_t n, struct buf *out, struct err *e)
{
        char digits[24];
        int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

        return n ? directive(sv_from(name), (sv){ digits, (size_t)len }, out, e) : 0;
}

/* What the run stands on: a site's arguments must not say otherwise. getopt takes any beginning of a long name, so beginnings count too. */
static const char *ours(sv arg)
{
        static const char *const longs[] = {
                "array",     "chdir",  "clusters", "comment",  "error",      "export", "export-file", "get-user-env",
                "gid",       "help",   "input",    "job-name", "no-requeue", "nodes",  "ntasks",      "ntasks-per-node",
                "open-mode", "output", "parsable", "requeue",  "test-only",  "time",   "uid",         "usage",
                "version",   "wait",   "wrap"
        };
        static const char shorts[] = "aDehiJMnNotVW";
        ptrdiff_t eq = sv_find(arg, '=');
        sv name = eq < 0 ? arg : (sv){ arg.p, (size_t)eq };

        if (!sv_starts(name, SV("--")))
                return name.n > 1 && sv_find((sv){ shorts, sizeof(shorts) - 1 }, name.p[1]) >= 0 ? "that option" : NULL;
        name = sv_skip(name, 2);
        for (size_t i = 0; i < ARRAY_LEN(longs); i++)
                if (sv_starts(sv_from(longs[i]), name))
                        return longs[i];
        return NULL;
}

static int site_argument(sv arg, struct buf *out, struct err *e)
{
        ptrdiff_t eq = sv_find(arg, '=');
        const char *what;

        if (arg.n < 2 || arg.p[0] != '-' || sv_is(arg, "--")) {
                err_set(e, ERR_USAGE, "sbatch_args: '%.*s' is not an option", SV_ARG(arg));
                err_hint(e, "write an option and its value as one word: --reservation=NAME");
                return -(int)e->code;
        }
        what = ours(arg);
        if (what) {
                err_set(e, ERR_USAGE, "sbatch_args: '%.*s' is envbuild's to give (%s)", SV_ARG(arg), what);
                err_hint(e, "nodes, processes and time are the description's; `cluster` and `time` are keys of the "
                            "profile");
                return -(int)e->code;
        }
        for (size_t i = 0; i < arg.n && (eq < 0 || i < (size_t)eq); i++)
                if (arg.p[i] <= ' ' || arg.p[i] == '"' || arg.p[i] == '\'' || arg.p[i] == '\\' || arg.p[i] == '#')
                        return err_set(e, ERR_USAGE, "sbatch_args: '%.*s' is not an option", SV_ARG(arg));
        return eq < 0 ? directive(arg, (sv){ 0 }, out, e)
                      : directive((sv){ arg.p, (size_t)eq }, sv_skip(arg, (size_t)eq + 1), out, e);
}

static int directives(const struct slurm_script *s, struct buf *out, struct err *e)
{
        enum { MIB = 1 << 20 };
        AUTO(buf_done) struct buf log = BUF_INIT(8192), comment = BUF_INIT(256);

        buf_fmt(&log, "%.*s/system_logs/batch-%%j.log", SV_ARG(s->dir));
        buf_fmt(&comment, "envbuild:%.*s", SV_ARG(s->token));
        if (text("--job-name", s->token, out, e) < 0 || text("--comment", buf_sv(&comment), out, e) < 0 ||
            text("--chdir", s->dir, out, e) < 0 || text("--output", buf_sv(&log), out, e) < 0)
                return -(int)e->code;
        buf_add(out, SV("#SBATCH --no-requeue\n#SBATCH --open-mode=append\n#SBATCH --export=NONE\n"));
        if (number("--nodes", s->nodes, out, e) < 0 || number("--ntasks", s->ranks, out, e) < 0 ||
            number("--ntasks-per-node", s->per_node, out, e) < 0 || number("--cpus-per-task", s->cpus, out, e) < 0 ||
            number("--time", s->minutes, out, e) < 0 || text("--time", s->minutes ? (sv){ 0 } : s->time, out, e) < 0)
                return -(int)e->code;
        if (s->memory)
                buf_fmt(out, "#SBATCH --mem=%lluM\n", (unsigned long long)((s->memory + MIB - 1) / MIB));
        if (text("--gres", s->gres, out, e) < 0 || number("--gpus-per-node", s->gres.n ? 0 : s->gpus, out, e) < 0 ||
            text("--partition", s->partition, out, e) < 0 || text("--account", s->account, out, e) < 0 ||
            text("--qos", s->qos, out, e) < 0 || text("--constraint", s->constraint, out, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < s->n_sbatch_arg; i++)
                if (site_argument(s->sbatch_arg[i], out, e) < 0)
                        return -(int)e->code;
        return 0;
}

static void assign(struct buf *out, const char *name, sv value)
{
        buf_fmt(out, "%s=", name);
        slurm_quote(value, out);
        buf_byte(out, '\n');
}

/* Slurm's names of nodes need not resolve; then its own way to them is taken. */
static void find_hosts(const struct slurm_script *s, struct buf *out)
{
        if (s->nodes < 2)
                return;
        buf_add(out,
                SV("address() {\n"
                   "        if getent hosts \"$1\" >/dev/null 2>&1; then\n"
                   "                echo \"$1\"\n"
                   "        else\n"
                   "                a=$(scontrol -o show node \"$1\" | sed -n 's/.* NodeAddr=\\([^ ]*\\).*/\\1/p')\n"
                   "                echo \"${a:-$1}\"\n"
                   "        fi\n"
                   "}\n"
                   "hosts=\n"
                   "for h in $(scontrol show hostnames \"$SLURM_JOB_NODELIST\"); do\n"
                   "        hosts=$hosts${hosts:+,}$(address \"$h\")\n"));
        buf_add(out, s->want_hosts ? SV("done\nexport ENVBUILD_RANK_HOSTS=\"$hosts\"\n") : SV("        break\ndone\n"));
        buf_add(out, SV("export ENVBUILD_RANK_MASTER=\"${hosts%%,*}\"\n"));
}

/* One conversion for all ranks of all runs of an image: kept beside the runs, put there whole. */
static void make_sif(const struct slurm_script *s, struct buf *out)
{
        sv digest = sv_skip(s->image, (size_t)(sv_find(s->image, '@') + 1));
        sv root = sv_dirname(s->dir);
        AUTO(buf_done) struct buf file = BUF_INIT(8192), from = BUF_INIT(8192);

        buf_fmt(&file, "%.*s/.sif/%.*s.sif", SV_ARG(root), SV_ARG(sv_skip(digest, sizeof("sha256:") - 1)));
        buf_fmt(&from, "docker://%.*s", SV_ARG(s->image));
        assign(out, "sif", buf_sv(&file));
        buf_add(out, SV("if [ ! -e \"$sif\" ]; then\n"
                        "        mkdir -p \"${sif%/*}\" || exit 125\n"
                        "        apptainer pull \"$sif.$SLURM_JOB_ID\" "));
        slurm_quote(buf_sv(&from), out);
        buf_add(out, SV(" >&2 && mv \"$sif.$SLURM_JOB_ID\" \"$sif\" || exit 125\n"
                        "fi\n"
                        "export ENVBUILD_RANK_SIF=\"$sif\"\n"));
}

/* pyxis writes REGISTRY#REPOSITORY; without a registry it is docker.io's. */
static void pyxis_image(sv image, struct buf *out)
{
        ptrdiff_t at = sv_find(image, '/');
        sv host = at < 0 ? (sv){ 0 } : (sv){ image.p, (size_t)at };
        bool is_host = sv_find(host, '.') >= 0 || sv_find(host, ':') >= 0 || sv_is(host, "localhost");

        if (is_host) {
                buf_add(out, host);
                buf_byte(out, '#');
                image = sv_skip(image, (size_t)at + 1);
        }
        buf_add(out, image);
}

static void mounts(const struct slurm_script *s, struct buf *out, const char *writable)
{
        buf_fmt(out, "%.*s:" SLURM_RUN_DIR "%s,%.*s:" SLURM_RANK ":ro", SV_ARG(s->dir), writable, SV_ARG(s->rank));
        for (size_t i = 0; i < s->n_mount; i++)
                buf_fmt(out, ",%.*s:%.*s%s", SV_ARG(s->mount[i].src), SV_ARG(s->mount[i].dst),
                        s->mount[i].ro ? ":ro" : writable);
}

static void pyxis(const struct slurm_script *s, struct buf *out)
{
        AUTO(buf_done) struct buf image = BUF_INIT(8192), mount = BUF_INIT(64 << 10);

        pyxis_image(s->image, &image);
        mounts(s, &mount, "");
        buf_add(out, SV(" \\\n        --container-image="));
        slurm_quote(buf_sv(&image), out);
        buf_add(out, SV(" --container-mounts="));
        slurm_quote(buf_sv(&mount), out);
        buf_add(out, SV(" \\\n        --container-workdir=" SLURM_RUN_DIR
                        " --no-container-mount-home --container-writable"));
}

static void call_srun(const struct slurm_script *s, struct buf *out)
{
        buf_add(out, SV("# No --kill-on-bad-exit: it would mask the code of the rank that failed, and end the others "
                        "without their grace. They end by\n"
                        "# themselves when they see that one has failed.\n"
                        "trap : TERM\n"
                        "srun --kill-on-bad-exit=0 --wait=0 --distribution=block --input=none --output=none \\\n"
                        "        --error=\"$dir/system_logs/srun-%j.log\""));
        if (s->mpi.n) {
                buf_add(out, SV(" --mpi="));
                slurm_quote(s->mpi, out);
        }
        if (s->cpus)
                buf_fmt(out, " --cpus-per-task=%u", s->cpus);
        for (size_t i = 0; i < s->n_srun_arg; i++) {
                buf_byte(out, ' ');
                slurm_quote(s->srun_arg[i], out);
        }
        if (s->mode == SLURM_PYXIS)
                pyxis(s, out);
        buf_add(out, s->mode == SLURM_PYXIS ? SV(" \\\n        /bin/sh " SLURM_RUN_DIR "/submit/rank.sh &\n")
                                            : SV(" \\\n        /bin/sh \"$dir/submit/rank.sh\" &\n"));
        buf_add(out, SV("p=$!\n"
                        "while :; do\n"
                        "        wait $p\n"
                        "        rc=$?\n"
                        "        kill -0 $p 2>/dev/null || break\n"
                        "done\n"
                        "echo $rc >\"$status/batch.tmp\" && mv \"$status/batch.tmp\" \"$status/batch\"\n"
                        "exit $rc\n"));
}

int slurm_batch_write(const struct slurm_script *s, struct buf *out, struct err *e)
{
        buf_add(out, SV("#!/bin/sh\n"));
        if (directives(s, out, e) < 0)
                return -(int)e->code;
        buf_fmt(out,
                "# Run %.*s, attempt %u. How it ended stands in status/%u/, the ranks' own messages in system_logs/.\n",
                SV_ARG(s->id), s->attempt, s->attempt);
        buf_add(out, SV("unset SLURM_JWT\nexport SLURM_EXPORT_ENV=ALL\n"));
        assign(out, "dir", s->dir);
        buf_fmt(out, "status=$dir/status/%u\n", s->attempt);
        buf_add(out,
                SV("cd \"$dir\" && mkdir -p \"$status\" || exit 125\n"
                   "[ ! -e status/cancel ] || exit 130\n"
                   "# A controller that comes back with an old memory starts a job again. The command is run once.\n"
                   "if ! (set -C && echo \"$SLURM_JOB_ID\" >\"$status/job\") 2>/dev/null; then\n"
                   "        echo \"envbuild: this attempt was begun by job $(cat \"$status/job\") and is not begun "
                   "again\" >&2\n"
                   "        exit 125\n"
                   "fi\n"));
        find_hosts(s, out);
        if (s->mode == SLURM_APPTAINER)
                make_sif(s, out);
        call_srun(s, out);
        return buf_check(out, e);
}

static void apptainer(const struct slurm_script *s, struct buf *out)
{
        AUTO(buf_done) struct buf mount = BUF_INIT(64 << 10);

        mounts(s, &mount, ":rw");
        /* --containall keeps the environment out; these tell a rank which one it is. */
        buf_add(out,
                SV("for v in $(env | sed -n -E 's/^((SLURM|PMI|PMIX|OMPI|ENVBUILD_RANK)_[A-Za-z0-9_]*)=.*/\\1/p'); do\n"
                   "        eval \"export APPTAINERENV_$v=\\\"\\$$v\\\"\"\n"
                   "done\n"
                   "set -- apptainer exec --containall --writable-tmpfs --pwd " SLURM_RUN_DIR));
        buf_add(out, s->nvidia ? SV(" --nv --bind ") : SV(" --bind "));
        slurm_quote(buf_sv(&mount), out);
        buf_add(out, SV(" \"$ENVBUILD_RANK_SIF\" \"$@\"\n"));
}

static void words(const struct slurm_script *s, struct buf *out)
{
        buf_add(out, SV("set --"));
        for (size_t i = 0; s->argv[i]; i++) {
                buf_byte(out, ' ');
                slurm_quote(sv_from(s->argv[i]), out);
                if (i == s->argv_insert)
                        buf_add(out, SV(" ${master:+--master \"$master\"} ${hosts:+--hosts \"$hosts\"}"));
        }
        buf_byte(out, '\n');
}

void slurm_rank_write(const struct slurm_script *s, struct buf *out)
{
        sv dir = s->mode == SLURM_PYXIS ? SV(SLURM_RUN_DIR) : s->dir;

        buf_add(out, SV("#!/bin/sh\n"
                        "# What srun starts for each rank. Slurm sends TERM to every process of a step: what stands "
                        "between it and the command must not die\n"
                        "# of that, or the command would be killed instead of told.\n"
                        "trap '' TERM\n"
                        "master=$ENVBUILD_RANK_MASTER hosts=$ENVBUILD_RANK_HOSTS\n"));
        if (s->mode != SLURM_SANDBOX) /* there they stay outside anyway, and `__rank` reads them */
                buf_add(out, SV("unset ENVBUILD_RANK_MASTER ENVBUILD_RANK_HOSTS\n"));
        buf_add(out, SV("status="));
        slurm_quote(dir, out);
        buf_fmt(out, "/status/%u\n", s->attempt);
        if (s->mode == SLURM_SANDBOX) {
                buf_add(out, SV("export ENVBUILD_CACHE_DIR="));
                slurm_quote(s->cache, out);
                buf_byte(out, '\n');
                if (s->scratch.n) {
                        buf_add(out, SV("export ENVBUILD_SCRATCH="));
                        slurm_quote(s->scratch, out);
                        buf_byte(out, '\n');
                }
        }
        words(s, out);
        if (s->mode == SLURM_APPTAINER)
                apptainer(s, out);
        buf_add(out, SV("\"$@\"\n"
                        "rc=$?\n"
                        "# envbuild-rank tells the others that its rank failed. If it could not (killed, never "
                        "started), this does.\n"
                        "ended=\n"
                        "if [ -r \"$status/rank-$SLURM_PROCID.json\" ]; then\n"
                        "        while IFS= read -r line || [ -n \"$line\" ]; do\n"
                        "                case $line in\n"
                        "                *'\"end_us\":0'*|*'\"end_us\": 0'*) ;;\n"
                        "                *'\"end_us\"'*) ended=1 ;;\n"
                        "                esac\n"
                        "        done <\"$status/rank-$SLURM_PROCID.json\"\n"
                        "fi\n"
                        "if [ $rc -ne 0 ] && [ -z \"$ended\" ]; then\n"
                        "        (set -C && echo \"rank $SLURM_PROCID\" >\"$status/failed\") 2>/dev/null\n"
                        "        (set -C && echo \"$SLURM_PROCID $rc\" >\"$status/lost\") 2>/dev/null\n"
                        "fi\n"
                        "exit $rc\n"));
}
