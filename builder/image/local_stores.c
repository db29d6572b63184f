#include "image/local_stores.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/proc.h"
#include "image/local_layout.h"

#define ASK_MS        60000            /* "is it there" */
#define LOAD_MS       600000           /* of an image that is as good as empty … */
#define LOAD_SLOWEST  ((uint64_t)2000) /* … and this many bytes a millisecond more: 2 MB/s */
#define MAX_ANSWER    ((size_t)4 << 20)
#define MAX_COMPLAINT 400 /* bytes of what a program says that are passed on */

static const char *const kind_name[] = { [LOCAL_CONTAINERS_STORAGE] = "containers-storage:",
                                         [LOCAL_DOCKER] = "docker-daemon:",
                                         [LOCAL_CONTAINERD] = "containerd:" };

const char *local_store_name(enum local_kind k)
{
        return kind_name[k];
}

bool local_store_is(sv text, enum local_kind *ret, sv *ret_rest)
{
        for (size_t i = 0; i < ARRAY_LEN(kind_name); i++)
                if (sv_starts(text, sv_from(kind_name[i]))) {
                        *ret = (enum local_kind)i;
                        *ret_rest = sv_skip(text, strlen(kind_name[i]));
                        return true;
                }
        return false;
}

sv local_store_repository(enum local_kind k, sv name, struct arena *a)
{
        static const char *const before[] = { [LOCAL_CONTAINERS_STORAGE] = "localhost/",
                                              [LOCAL_DOCKER] = "",
                                              [LOCAL_CONTAINERD] = "docker.io/library/" };

        return arena_fmt(a, "%s%.*s", before[k], SV_ARG(name));
}

/* --- their programs */

static bool is_here(const char *program)
{
        AUTO(free_ptr) char *path = proc_which(program);

        return path != NULL;
}

static int none_here(enum local_kind k, struct err *e)
{
        static const char *const needs[] = {
                [LOCAL_CONTAINERS_STORAGE] = "podman or skopeo",
                [LOCAL_DOCKER] = "docker or skopeo",
                [LOCAL_CONTAINERD] = "ctr",
        };
        static const char *const package[] = {
                [LOCAL_CONTAINERS_STORAGE] = "podman",
                [LOCAL_DOCKER] = "docker.io",
                [LOCAL_CONTAINERD] = "containerd",
        };

        err_set(e, ERR_NOT_FOUND, "the store of %.*s needs %s, which is not installed here",
                (int)strlen(kind_name[k]) - 1, kind_name[k], needs[k]);
        err_hint(e, "Debian's package is %s", package[k]);
        return -(int)e->code;
}

/* The last line that a program wrote: where they say what is wrong. What could move a terminal's cursor is shown as '?'. */
static void complaint(const struct proc_result *r, char ret[static MAX_COMPLAINT + 1])
{
        sv rest = buf_sv(&r->err), line, last = { 0 };
        size_t n;

        while (sv_cut(&rest, '\n', &line))
                if (sv_trim(line).n)
                        last = sv_trim(line);
        n = last.n < MAX_COMPLAINT ? last.n : MAX_COMPLAINT;
        for (size_t i = 0; i < n; i++)
                ret[i] = (unsigned char)last.p[i] < ' ' || last.p[i] == 0x7f ? '?' : last.p[i];
        ret[n] = 0;
}

static int run(const char *const *argv, int64_t timeout_ms, struct op *op, struct proc_result *ret, struct err *e)
{
        struct proc p = { .argv = argv, .max_out = MAX_ANSWER, .max_err = MAX_ANSWER, .timeout_ms = timeout_ms };

        return proc_run(&p, op, ret, e);
}

static int run_or_fail(const char *const *argv, int64_t timeout_ms, const char *what, sv name, struct op *op,
                       struct err *e)
{
        AUTO(proc_result_done) struct proc_result r = { 0 };
        char said[MAX_COMPLAINT + 1];

        if (run(argv, timeout_ms, op, &r, e) < 0)
                return err_while(e, "%s '%.*s'", what, SV_ARG(name));
        if (r.status == 0)
                return 0;
        complaint(&r, said);
        err_set(e, ERR_FAILED, "%s ended with status %d: %s", argv[0], r.status, said);
        return err_while(e, "%s '%.*s'", what, SV_ARG(name));
}

/* --- is it there */

/* Its id as podman and docker print it, with or without "sha256:": of the config, or of the manifest where docker keeps images in
 * containerd's store. */
static bool is_id(sv text, const struct local_image *x)
{
        sv id = sv_trim(text);

        if (sv_starts(id, SV("sha256:")))
                id = sv_skip(id, 7);
        return sv_is(id, sha256_hex(&x->config).s) || sv_is(id, sha256_hex(&x->manifest).s);
}

static int has_one(enum local_kind k, const struct local_image *x, const char *name, struct op *op, bool *ret,
                   struct err *e)
{
        AUTO(proc_result_done) struct proc_result r = { 0 };
        AUTO(free_ptr) char *source = fs_path("containers-storage:%s", name);
        AUTO(free_ptr) char *filter = fs_path("name==%s", name);
        const char *const podman[] = { "podman", "image", "inspect", "--format", "{{.Id}}", name, NULL };
        const char *const docker[] = { "docker", "image", "inspect", "--format", "{{.Id}}", name, NULL };
        const char *const skopeo[] = { "skopeo", "--insecure-policy", "inspect", "--config", "--raw", source, NULL };
        const char *const ctr[] = { "ctr", "images", "list", filter, NULL };
        bool by_config = k == LOCAL_CONTAINERS_STORAGE && !is_here("podman");
        const char *const *argv = k == LOCAL_CONTAINERD ? ctr
                                  : k == LOCAL_DOCKER   ? docker
                                  : by_config           ? skopeo
                                                        : podman;

        *ret = false;
        if (!is_here(argv[0]))
                return 0; /* docker's store and skopeo alone, which would save the whole image to answer */
        if (run(argv, ASK_MS, op, &r, e) < 0)
                return err_while(e, "asking %s for '%s'", kind_name[k], name);
        if (r.status != 0)
                return 0; /* not there; or something is wrong, which loading it will say */
        if (k == LOCAL_CONTAINERD) {
                *ret = sv_find_sv(buf_sv(&r.out), sv_from(sha256_hex(&x->manifest).s)) >= 0;
        } else if (by_config) {
                sha256 config = sha256_of(buf_sv(&r.out));
                *ret = sha256_eq(&config, &x->config);
        } else {
                *ret = is_id(buf_sv(&r.out), x);
        }
        return 0;
}

static bool any_program(enum local_kind k)
{
        if (k == LOCAL_CONTAINERD)
                return is_here("ctr");
        return is_here("skopeo") || is_here(k == LOCAL_DOCKER ? "docker" : "podman");
}

int local_store_has(enum local_kind k, const struct local_image *x, struct op *op, bool *ret, struct err *e)
{
        bool all = true;

        if (!any_program(k))
                return none_here(k, e);
        for (size_t i = 0; i < x->n_name && all; i++) {
                AUTO(free_ptr) char *name = fs_path("%.*s", SV_ARG(x->name[i]));
                if (has_one(k, x, name, op, &all, e) < 0)
                        return -(int)e->code;
        }
        *ret = all;
        return 0;
}

/* --- loading */

struct load {
        enum local_kind kind;
        const struct local_image *x;
        const struct local_blobs *blobs;
        const char *tmp;
        int64_t timeout_ms;
        struct op *op;
};

/* skopeo leaves out layers that the store has. Its policy is about images of others; these bytes are ours. */
static int by_skopeo(const struct load *l, struct err *e)
{
        AUTO(free_ptr) char *source = fs_path("oci:%s", l->tmp);
        const char *host = l->kind == LOCAL_DOCKER ? getenv("DOCKER_HOST") : NULL; /* skopeo does not ask */

        if (strchr(l->tmp, ':'))
                return err_set(e, ERR_FAILED, "skopeo reads no folder with a colon in its name: '%s'", l->tmp);
        if (local_layout_write(l->blobs, l->x->name, 1, l->tmp, e) < 0)
                return -(int)e->code;
        for (size_t i = 0; i < l->x->n_name; i++) {
                AUTO(free_ptr) char *into = fs_path("%s%.*s", kind_name[l->kind], SV_ARG(l->x->name[i]));
                const char *const argv[] = { "skopeo",
                                             "--insecure-policy",
                                             "copy",
                                             "--quiet",
                                             source,
                                             into,
                                             host ? "--dest-daemon-host" : NULL,
                                             host,
                                             NULL };
                if (run_or_fail(argv, l->timeout_ms, "loading", l->x->name[i], l->op, e) < 0)
                        return -(int)e->code;
        }
        return 0;
}

static int by_archive(const struct load *l, struct err *e)
{
        AUTO(free_ptr) char *archive = fs_path("%s/image.tar", l->tmp);
        const char *const load[] = {
                l->kind == LOCAL_DOCKER ? "docker" : "podman", "load", "--quiet", "--input", archive, NULL
        };
        const char *const ctr[] = { "ctr", "images", "import", archive, NULL };

        if (local_archive_write(l->blobs, l->x->name, l->x->n_name, archive, l->op, e) < 0)
                return -(int)e->code;
        return run_or_fail(l->kind == LOCAL_CONTAINERD ? ctr : load, l->timeout_ms, "loading", l->x->name[0], l->op, e);
}

static int load(const struct load *l, struct err *e)
{
        if (l->kind == LOCAL_DOCKER ? !is_here("docker") : l->kind == LOCAL_CONTAINERS_STORAGE && is_here("skopeo"))
                return by_skopeo(l, e);
        return by_archive(l, e);
}

int local_store_load(enum local_kind k, struct store *s, const struct local_image *x, struct op *op,
                     uint64_t *ret_bytes, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(free_ptr) char *tmp = NULL;
        struct local_blobs blobs;
        struct load l = { .kind = k, .x = x, .blobs = &blobs, .op = op };
        int r;

        if (!any_program(k))
                return none_here(k, e);
        if (local_blobs_read(s, &x->manifest, &a, &blobs, e) < 0 || store_tmp_dir(s, &tmp, e) < 0)
                return -(int)e->code;
        l.tmp = tmp;
        l.timeout_ms = LOAD_MS + (int64_t)(blobs.bytes / LOAD_SLOWEST);
        r = load(&l, e);
        fs_remove(tmp, &ignored);
        if (r == 0)
                *ret_bytes = blobs.bytes;
        return r;
}
