/* run/supervise/spawn.c - launchers, and what of our environment they and the supervisor get. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "run/supervise/supervise_priv.h"

extern char **environ;

/* "LC_*": all that begin so. */
const char *const run_env_ours[] = { "PATH",
                                     "HOME",
                                     "USER",
                                     "LOGNAME",
                                     "LANG",
                                     "LC_*",
                                     "TMPDIR",
                                     "TZ",
                                     "XDG_*",
                                     "ENVBUILD_*",
                                     "ASAN_OPTIONS",
                                     "UBSAN_OPTIONS",
                                     "LSAN_OPTIONS",
                                     "LD_LIBRARY_PATH",
                                     "DOCKER_HOST",
                                     "DOCKER_CONFIG",
                                     "DOCKER_CONTEXT",
                                     "DOCKER_CERT_PATH",
                                     "DOCKER_TLS_VERIFY",
                                     "CONTAINER_*",
                                     "CONTAINERS_*",
                                     "STORAGE_*",
                                     "REGISTRY_AUTH_FILE",
                                     "DBUS_SESSION_BUS_ADDRESS",
                                     NULL };

/* An outer run's: a run that is started by a script of another is not that one. */
static const char *const outer[] = { "ENVBUILD_RUN_ID",  "ENVBUILD_ATTEMPT", "ENVBUILD_IMAGE",
                                     "ENVBUILD_OUTPUTS", "ENVBUILD_LOGS",    NULL };

static bool named(sv name, const char *const *list)
{
        for (size_t i = 0; list[i]; i++) {
                sv one = sv_from(list[i]);
                if (one.n && one.p[one.n - 1] == '*' ? sv_starts(name, sv_from_to(one, 0, one.n - 1))
                                                     : sv_eq(name, one))
                        return true;
        }
        return false;
}

static bool among(sv name, const sv *list, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (sv_eq(name, list[i]))
                        return true;
        return false;
}

const char **run_env_allowed(struct arena *a, const char *const *allowed, const sv *more, size_t n_more)
{
        size_t n = 0, k = 0;
        const char **v;

        while (environ[n])
                n++;
        v = arena_array(a, const char *, n + 1);
        for (size_t i = 0; i < n; i++) {
                sv line = sv_from(environ[i]);
                ptrdiff_t eq = sv_find(line, '=');
                sv name = sv_from_to(line, 0, eq < 0 ? 0 : (size_t)eq);
                if (name.n && sv_utf8(line) && !named(name, outer) &&
                    (named(name, allowed) || among(name, more, n_more)))
                        v[k++] = arena_str(a, line);
        }
        v[k] = NULL;
        return v;
}

static char **environment(struct arena *a, const struct run_record *r, const struct run_launcher *l)
{
        size_t n = 0;
        const char **v;

        while (l->env && l->env[n])
                n++;
        v = arena_array(a, const char *, n + 2);
        for (size_t i = 0; i < n; i++)
                v[i] = l->env[i];
        v[n] = arena_fmt(a, "ENVBUILD_RUN_ID=%.*s", SV_ARG(r->id)).p;
        return (char **)v;
}

static int spawn(const char *path, const struct run_launcher *l, const char *log, char **env, pid_t *ret)
{
        posix_spawn_file_actions_t fa;
        posix_spawnattr_t attr;
        sigset_t none, all;
        int r;

        posix_spawn_file_actions_init(&fa);
        posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
        posix_spawn_file_actions_addopen(&fa, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0666);
        posix_spawn_file_actions_adddup2(&fa, 1, 2);
        posix_spawn_file_actions_addchdir_np(&fa, l->dir);
        posix_spawn_file_actions_addclosefrom_np(&fa, 3);
        posix_spawnattr_init(&attr);
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &all);
        posix_spawnattr_setpgroup(&attr, 0);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        r = posix_spawn(ret, path, &fa, &attr, (char *const *)l->argv, env);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&fa);
        return r;
}

int run_spawn(const struct run_record *r, const struct run_launcher *l, const char *log, pid_t *ret, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(free_ptr) char *path = proc_which(l->argv[0]);

        if (!path)
                return err_set(e, ERR_NOT_FOUND, "the program '%s' is not installed", l->argv[0]);
        errno = spawn(path, l, run_path(&a, r, "system_logs/%s", log).p, environment(&a, r, l), ret);
        return errno ? err_errno(e, "cannot start '%s'", l->argv[0]) : 0;
}
