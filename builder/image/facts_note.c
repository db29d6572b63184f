/* Facts of a base, kept in the store by its ChainID: a base of gigabytes is read once. A note that cannot be read is as none. */
#include <stdio.h>

#include "base/cleanup.h"
#include "image/image_priv.h"

#define NOTE_VERSION 2

sha256 image_chain_id(const struct oci_config *cfg)
{
        sha256 chain = cfg->n_diff_id ? cfg->diff_id[0] : (sha256){ 0 };

        for (size_t i = 1; i < cfg->n_diff_id; i++) {
                char text[160];
                int n = snprintf(text, sizeof(text), "sha256:%s sha256:%s", sha256_hex(&chain).s,
                                 sha256_hex(&cfg->diff_id[i]).s);
                chain = sha256_of((sv){ text, (size_t)n });
        }
        return chain;
}

/* Apart from other notes of the same folder: the key is of another text. Of images with the same layers, PATH may name another python. */
static sha256 note_key(const struct oci_config *cfg)
{
        AUTO(arena_done) struct arena a = { 0 };
        sha256 chain = image_chain_id(cfg);
        sv text = arena_fmt(&a, "base facts %d of sha256:%s", NOTE_VERSION, sha256_hex(&chain).s);

        for (size_t i = 0; i < cfg->n_env; i++)
                if (sv_starts(cfg->env[i], SV("PATH=")) || sv_starts(cfg->env[i], SV("PYTHON_VERSION=")))
                        text = arena_fmt(&a, "%.*s\n%.*s", SV_ARG(text), SV_ARG(cfg->env[i]));
        return sha256_of(text);
}

void facts_keep(struct store *s, const struct oci_config *cfg, const struct lock_platform *p)
{
        AUTO(err_done) struct err ignored = { 0 }; /* only saves work */
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)16 << 20);
        AUTO(arena_done) struct arena a = { 0 };
        struct js *j = js_new_obj(&a), *dirs = js_new_arr(&a);
        const struct lock_facts *f = &p->facts;
        sha256 key = note_key(cfg);

        js_put_str(&a, j, "root", f->root);
        js_put(&a, j, SV("usrmerged"), js_new_bool(&a, f->usrmerged));
        js_put_str(&a, j, "libc", f->libc_name);
        js_put_str(&a, j, "libc-version", f->libc_version);
        js_put_str(&a, j, "os", f->os_name);
        js_put_str(&a, j, "os-version", f->os_version);
        for (size_t i = 0; i < f->n_odd_dir; i++) {
                struct js *d = js_new_obj(&a);
                js_put_str(&a, d, "path", f->odd_dir[i].path);
                js_put_int(&a, d, "mode", f->odd_dir[i].mode);
                js_put_int(&a, d, "uid", f->odd_dir[i].uid);
                js_put_int(&a, d, "gid", f->odd_dir[i].gid);
                js_add(&a, dirs, d);
        }
        js_put(&a, j, SV("odd-dirs"), dirs);
        if (p->has_python) {
                js_put_str(&a, j, "python", p->python.version);
                js_put_str(&a, j, "python-path", p->python.path);
                js_put_str(&a, j, "python-abi", p->python.abi);
                js_put_str(&a, j, "site-packages", p->python.site_packages);
        }
        js_write(j, &b);
        if (!b.over)
                store_note_put(s, STORE_IMAGE, &key, buf_sv(&b), &ignored);
}

static uint32_t number(const struct js *j, const char *key)
{
        int64_t n = 0;
        js_int(js_get(j, key), &n);
        return (uint32_t)n;
}

static void read_dirs(const struct js *list, struct arena *a, struct lock_facts *f)
{
        size_t n = list && list->type == JS_ARR ? list->n : 0;

        f->odd_dir = arena_array(a, struct lock_dir, n);
        for (size_t i = 0; i < n; i++) {
                const struct js *d = list->v[i].value;
                f->odd_dir[f->n_odd_dir++] = (struct lock_dir){ js_get_str(d, "path"), number(d, "mode"),
                                                                number(d, "uid"), number(d, "gid") };
        }
}

bool facts_recall(struct store *s, const struct oci_config *cfg, struct arena *a, struct lock_platform *into)
{
        AUTO(err_done) struct err ignored = { 0 };
        AUTO(buf_done) struct buf b = BUF_INIT((size_t)16 << 20);
        sha256 key = note_key(cfg);
        struct js *j;

        if (store_note_get(s, STORE_IMAGE, &key, &b, &ignored) < 0 || js_parse(a, buf_sv(&b), &j, &ignored) < 0 ||
            !js_get(j, "root"))
                return false;
        into->facts = (struct lock_facts){ .root = js_get_str(j, "root"),
                                           .usrmerged = js_true(js_get(j, "usrmerged")),
                                           .libc_name = js_get_str(j, "libc"),
                                           .libc_version = js_get_str(j, "libc-version"),
                                           .os_name = js_get_str(j, "os"),
                                           .os_version = js_get_str(j, "os-version") };
        read_dirs(js_get(j, "odd-dirs"), a, &into->facts);
        into->has_python = js_get(j, "python") != NULL;
        if (into->has_python)
                into->python = (struct lock_python){ .version = js_get_str(j, "python"),
                                                     .path = js_get_str(j, "python-path"),
                                                     .abi = js_get_str(j, "python-abi"),
                                                     .site_packages = js_get_str(j, "site-packages"),
                                                     .from = SV("base") };
        return true;
}
