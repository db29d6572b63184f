/* Facts of this machine for `envbuild doctor`. */
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/proc.h"
#include "cli/doctor.h"
#include "registry/auth_file.h"

/* --- store */

static sv file_system(struct arena *a, const char *path)
{
        static const struct {
                unsigned magic;
                const char *name;
        } known[] = {
                { 0xef53, "ext4" },        { 0x58465342, "xfs" },  { 0x9123683e, "btrfs" },  { 0x01021994, "tmpfs" },
                { 0x794c7630, "overlay" }, { 0x6969, "nfs" },      { 0x2fc12fc1, "zfs" },    { 0xff534d42, "cifs" },
                { 0xfe534d42, "smb2" },    { 0x65735546, "fuse" }, { 0x0bd00bd0, "lustre" }, { 0x47504653, "gpfs" },
                { 0x01021997, "9p" },      { 0x00c36400, "ceph" }, { 0xf2f52010, "f2fs" },
        };
        struct statfs st;

        if (statfs(path, &st) < 0)
                return SV("not known");
        for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
                if ((unsigned)st.f_type == known[i].magic)
                        return sv_from(known[i].name);
        return arena_fmt(a, "0x%x", (unsigned)st.f_type);
}

struct js *doctor_store(struct app *app)
{
        struct arena *a = &app->arena;
        struct js *j = js_new_obj(a);
        AUTO(err_done) struct err e = { 0 };
        struct statvfs space;
        const char *path;

        if (image_ctx_store(&app->image, true, &e) < 0) {
                js_put(a, j, SV("works"), js_new_bool(a, false));
                js_put_str(a, j, "why", arena_sv(a, sv_from(e.cause)));
                return j;
        }
        path = store_root(app->image.store);
        js_put_str(a, j, "path", sv_from(path));
        js_put(a, j, SV("works"), js_new_bool(a, true));
        js_put_str(a, j, "filesystem", file_system(a, path));
        if (statvfs(path, &space) == 0)
                js_put_int(a, j, "free_bytes", (int64_t)space.f_bavail * (int64_t)space.f_frsize);
        return j;
}

/* --- kernel */

static sv setting(struct arena *a, const char *path)
{
        AUTO(buf_done) struct buf b = BUF_INIT(256);
        AUTO(err_done) struct err ignored = { 0 };

        return fs_read(path, &b, &ignored) < 0 ? (sv){ 0 } : arena_sv(a, sv_trim(buf_sv(&b)));
}

struct js *doctor_kernel(struct app *app)
{
        struct arena *a = &app->arena;
        struct js *j = js_new_obj(a);
        struct utsname u;
        sv most = setting(a, "/proc/sys/user/max_user_namespaces"),
           clone = setting(a, "/proc/sys/kernel/unprivileged_userns_clone"),
           armor = setting(a, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"), why = { 0 };

        if (uname(&u) == 0) {
                js_put_str(a, j, "kernel", arena_fmt(a, "%s %s", u.sysname, u.release));
                js_put_str(a, j, "machine", arena_sv(a, sv_from(u.machine)));
        }
        if (!most.n)
                why = SV("this kernel has none");
        else if (sv_is(most, "0"))
                why = SV("user.max_user_namespaces is 0");
        else if (sv_is(clone, "0") && geteuid() != 0)
                why = SV("kernel.unprivileged_userns_clone is 0");
        else if (sv_is(armor, "1") && geteuid() != 0)
                why = SV("kernel.apparmor_restrict_unprivileged_userns is 1: only programs with a profile may");
        js_put(a, j, SV("user_namespaces"), js_new_bool(a, !why.n));
        if (why.n)
                js_put_str(a, j, "why", why);
        return j;
}

/* --- logins */

static void add_helper(struct arena *a, struct js *all, sv name)
{
        sv program = arena_fmt(a, "docker-credential-%.*s", SV_ARG(name));
        AUTO(free_ptr) char *path = proc_which(program.p);
        struct js *j = js_new_obj(a);

        for (size_t i = 0; i < all->n; i++)
                if (sv_eq(js_get_str(all->v[i].value, "program"), program))
                        return;
        js_put_str(a, j, "program", program);
        js_put(a, j, SV("works"), js_new_bool(a, path != NULL));
        js_add(a, all, j);
}

static void add_file(struct arena *a, sv path, struct js *files, struct js *helpers)
{
        AUTO(buf_done) struct buf text = BUF_INIT(AUTH_FILE_MAX);
        AUTO(arena_wipe) struct arena secret = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct js *j = js_new_obj(a), *names = js_new_arr(a), *of;
        struct auth_file f;
        sv *v = NULL;
        size_t n = 0, cap = 0;

        if (!fs_exists(path.p))
                return;
        js_put_str(a, j, "path", path);
        js_add(a, files, j);
        if (fs_read(path.p, &text, &e) < 0 || auth_file_parse(&secret, path, buf_sv(&text), false, &f, &e) < 0) {
                js_put_str(a, j, "why", arena_sv(a, sv_from(e.cause)));
                return;
        }
        auth_file_registries(&secret, &f, &v, &n, &cap);
        for (size_t i = 0; i < n; i++)
                js_add(a, names, js_new_str(a, arena_sv(a, v[i])));
        js_put(a, j, SV("registries"), names);
        if (js_get_str(f.doc, "credsStore").n)
                add_helper(a, helpers, arena_sv(a, js_get_str(f.doc, "credsStore")));
        of = js_get(f.doc, "credHelpers");
        for (size_t i = 0; of && of->type == JS_OBJ && i < of->n; i++)
                if (js_str(of->v[i].value).n)
                        add_helper(a, helpers, arena_sv(a, js_str(of->v[i].value)));
        if (text.p)
                explicit_bzero(text.p, text.n);
}

struct js *doctor_logins(struct app *app)
{
        struct arena *a = &app->arena;
        struct js *j = js_new_obj(a), *files = js_new_arr(a), *helpers = js_new_arr(a);
        const char *named = getenv("REGISTRY_AUTH_FILE"), *run = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME"),
                   *config = getenv("XDG_CONFIG_HOME"), *docker = getenv("DOCKER_CONFIG");

        if (named && *named) {
                add_file(a, arena_sv(a, sv_from(named)), files, helpers);
        } else {
                if (run && *run)
                        add_file(a, arena_fmt(a, "%s/containers/auth.json", run), files, helpers);
                if (config && *config)
                        add_file(a, arena_fmt(a, "%s/containers/auth.json", config), files, helpers);
                else if (home)
                        add_file(a, arena_fmt(a, "%s/.config/containers/auth.json", home), files, helpers);
                if (docker && *docker)
                        add_file(a, arena_fmt(a, "%s/config.json", docker), files, helpers);
                else if (home)
                        add_file(a, arena_fmt(a, "%s/.docker/config.json", home), files, helpers);
        }
        js_put(a, j, SV("files"), files);
        js_put(a, j, SV("helpers"), helpers);
        return j;
}

/* --- network */

sv doctor_hide(struct arena *a, sv url)
{
        ptrdiff_t scheme = sv_find_sv(url, SV("://"));
        size_t from = scheme < 0 ? 0 : (size_t)scheme + 3, end = from;
        ptrdiff_t at;

        while (end < url.n && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#')
                end++;
        at = sv_rfind(sv_from_to(url, 0, end), '@');
        if (at < (ptrdiff_t)from)
                return url;
        return arena_fmt(a, "%.*s***%.*s", (int)from, url.p, SV_ARG(sv_skip(url, (size_t)at)));
}

/* Several addresses may stand side by side. */
static sv hidden(struct arena *a, sv text)
{
        sv ret = { 0 }, one;

        while (sv_cut(&text, ' ', &one))
                ret = ret.n ? arena_fmt(a, "%.*s %.*s", SV_ARG(ret), SV_ARG(doctor_hide(a, one))) : doctor_hide(a, one);
        return ret;
}

struct js *doctor_network(struct app *app)
{
        static const char *const names[] = { "http_proxy",   "https_proxy",   "HTTPS_PROXY",        "all_proxy",
                                             "ALL_PROXY",    "no_proxy",      "NO_PROXY",           "SSL_CERT_FILE",
                                             "SSL_CERT_DIR", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL" };
        struct arena *a = &app->arena;
        struct js *all = js_new_arr(a);

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                const char *value = getenv(names[i]);
                struct js *j = js_new_obj(a);
                if (!value || !*value)
                        continue;
                js_put_str(a, j, "name", sv_from(names[i]));
                js_put_str(a, j, "value", hidden(a, arena_sv(a, sv_from(value))));
                if (sv_starts(sv_from(names[i]), SV("SSL_CERT")) && !fs_exists(value))
                        js_put_str(a, j, "why", SV("it is not there"));
                js_add(a, all, j);
        }
        return all;
}

/* --- programs */

struct js *doctor_tools(struct app *app)
{
        enum { ASK_MS = 5000, MAX = 120 };
        static const char *const tool[][3] = {
                { "bwrap", "--version", "the sandbox of local runs" },
                { "git", "--version", "facts about the source of a run" },
                { "gpgv", "--version", "signatures of Debian's lists" },
                { "mpirun", "--version", "MPI on one machine" },
        };
        struct arena *a = &app->arena;
        struct js *all = js_new_arr(a);

        for (size_t i = 0; i < sizeof(tool) / sizeof(*tool); i++) {
                const char *argv[] = { tool[i][0], tool[i][1], NULL };
                AUTO(proc_result_done) struct proc_result r = { 0 };
                AUTO(err_done) struct err ignored = { 0 };
                struct js *j = js_new_obj(a);
                sv text, line = { 0 };
                js_put_str(a, j, "name", sv_from(tool[i][0]));
                if (proc_run(&(struct proc){ .argv = argv, .timeout_ms = ASK_MS }, &app->op, &r, &ignored) == 0) {
                        text = buf_sv(&r.out);
                        sv_line(&text, &line);
                }
                js_put_str(a, j, "version", arena_sv(a, sv_from_to(sv_trim(line), 0, MAX)));
                js_put_str(a, j, "for", sv_from(tool[i][2]));
                js_add(a, all, j);
        }
        return all;
}
