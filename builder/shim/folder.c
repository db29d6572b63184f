/* The run's folder as the rank needs it: log, working directory, home. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "shim/shim.h"

int shim_log_open(struct arena *a, const struct shim_options *o, const struct shim_place *p, const char **ret_path,
                  struct err *e)
{
        sv dir = o->attempt > 1 ? arena_fmt(a, "%s/user_logs/retry_%03u", o->dir, o->attempt - 1)
                                : arena_fmt(a, "%s/user_logs", o->dir);
        sv path = o->ranks > 1 ? arena_fmt(a, "%s/std_log_process_%u.txt", dir.p, p->rank)
                               : arena_fmt(a, "%s/std_log.txt", dir.p);
        int fd;

        if (fs_mkdirs(dir.p, 0755, e) < 0)
                return -(int)e->code;
        fd = open(path.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (fd < 0)
                return err_errno(e, "cannot write the log '%s'", path.p);
        *ret_path = path.p;
        return fd;
}

/* code/outputs and code/logs mean the run's own. What the source has there itself lands in them. */
static int links(const char *code, struct err *e)
{
        static const char *const names[] = { "outputs", "logs" };

        for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                AUTO(free_ptr) char *path = fs_path("%s/%s", code, names[i]);
                AUTO(free_ptr) char *to = fs_path("../%s", names[i]);

                if (symlink(to, path) < 0 && errno != EEXIST)
                        return err_errno(e, "cannot make the link '%s'", path);
        }
        return 0;
}

/* Several ranks may do this in one folder of a network file system: each makes its own, the first rename wins. */
static int code_copy(struct arena *a, const struct shim_options *o, const struct shim_place *p, const char *code,
                     struct err *e)
{
        const char *mine = arena_fmt(a, "%s/.code-%u-%u", o->dir, o->attempt, p->rank).p;
        AUTO(err_done) struct err ignored = { 0 };

        if (fs_remove(mine, e) < 0 || fs_mkdirs(mine, 0755, e) < 0 || links(mine, e) < 0 ||
            shim_copy(o->code_from, mine, e) < 0)
                return -(int)e->code;
        if (rename(mine, code) == 0)
                return 0;
        if (errno != EEXIST && errno != ENOTEMPTY)
                return err_errno(e, "cannot make '%s'", code);
        fs_remove(mine, &ignored);
        return 0;
}

static bool is_made(const char *code)
{
        AUTO(free_ptr) char **names = NULL;
        AUTO(err_done) struct err e = { 0 };
        size_t n = 0;

        return fs_list(code, &names, &n, &e) == 0 && n > 0;
}

static int outputs(struct arena *a, const struct shim_options *o, struct err *e)
{
        sv rest = sv_from(o->outputs), name;

        while (sv_cut(&rest, ',', &name))
                if (fs_mkdirs(arena_fmt(a, "%s/outputs/%.*s", o->dir, SV_ARG(name)).p, 0755, e) < 0)
                        return -(int)e->code;
        return 0;
}

int shim_workdir(struct arena *a, const struct shim_options *o, const struct shim_place *p, const char **ret,
                 struct err *e)
{
        const char *code = arena_fmt(a, "%s/code", o->dir).p;

        if (fs_mkdirs(arena_fmt(a, "%s/outputs", o->dir).p, 0755, e) < 0 ||
            fs_mkdirs(arena_fmt(a, "%s/logs", o->dir).p, 0755, e) < 0 || outputs(a, o, e) < 0)
                return -(int)e->code;
        if (o->code_from && !is_made(code) && code_copy(a, o, p, code, e) < 0)
                return err_while(e, "copying the source '%s'", o->code_from);
        if (!o->workdir && (fs_mkdirs(code, 0755, e) < 0 || links(code, e) < 0))
                return -(int)e->code;
        *ret = o->workdir ? o->workdir : code;
        return 0;
}

void shim_home(struct arena *a, const struct shim_options *o, char *const *env, const char **ret)
{
        const char *home = shim_env_get(env, "HOME"), *own = arena_fmt(a, "%s/home", o->dir).p;
        AUTO(err_done) struct err e = { 0 };

        if (home && *home == '/' && access(home, W_OK | X_OK) == 0)
                *ret = NULL;
        else
                *ret = fs_mkdirs(own, 0700, &e) == 0 && access(own, W_OK | X_OK) == 0 ? own : "/tmp";
}
