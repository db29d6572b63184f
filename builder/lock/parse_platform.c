#include "lock/lock_priv.h"

static void read_base_layers(struct lock_read *r, const struct yaml *base, struct lock_base *b)
{
        static const char *const known[] = { "diff_id", "digest", "size", "type", NULL };
        const struct yaml *seq = lock_get_seq(r, base, "layers");

        b->layer = arena_array(r->a, struct lock_base_layer, seq->n);
        for (size_t i = 0; i < seq->n; i++) {
                const struct yaml *y = seq->v[i].value;
                struct lock_base_layer *layer = &b->layer[b->n_layer];
                if (!lock_is_map(r, y, "a layer", known))
                        continue;
                lock_get_digest(r, y, "diff_id", true, &layer->diff_id);
                lock_get_digest(r, y, "digest", true, &layer->digest);
                lock_get_u64(r, y, "size", true, &layer->size);
                lock_get_text(r, y, "type", true, &layer->type);
                lock_check_clean(r, y, "type", layer->type);
                b->n_layer++;
        }
}

static void read_base(struct lock_read *r, const struct yaml *y, struct lock_base *b)
{
        static const char *const recipe[] = { "recipe", "sha256", "suite", "release", NULL };
        static const char *const image[] = { "ref", "manifest", "config", "layers", NULL };
        bool is_recipe = yaml_get(y, "recipe");

        if (!lock_is_map(r, y, "base", is_recipe ? recipe : image))
                return;
        if (is_recipe) {
                lock_get_text(r, y, "recipe", true, &b->recipe);
                lock_check_word(r, y, "recipe", b->recipe);
                lock_get_hash(r, y, "sha256", true, &b->recipe_sha256);
                lock_get_text(r, y, "suite", true, &b->suite);
                lock_check_clean(r, y, "suite", b->suite);
                lock_get_time(r, y, "release", true, &b->release);
                return;
        }
        lock_get_text(r, y, "ref", true, &b->ref);
        lock_check_clean(r, y, "ref", b->ref);
        lock_get_digest(r, y, "manifest", !sv_is(b->ref, "scratch"), &b->manifest);
        lock_get_digest(r, y, "config", !sv_is(b->ref, "scratch"), &b->config);
        read_base_layers(r, y, b);
}

static bool owner(sv text, struct lock_dir *d)
{
        ptrdiff_t colon = sv_find(text, ':');
        uint64_t uid, gid;

        if (colon < 0 || !sv_u64(sv_from_to(text, 0, (size_t)colon), &uid) ||
            !sv_u64(sv_skip(text, (size_t)colon + 1), &gid) || uid > UINT32_MAX || gid > UINT32_MAX)
                return false;
        d->uid = (uint32_t)uid;
        d->gid = (uint32_t)gid;
        return true;
}

static void read_odd_dirs(struct lock_read *r, const struct yaml *facts, struct lock_facts *f)
{
        static const char *const known[] = { "path", "mode", "owner", NULL };
        const struct yaml *seq = lock_get_seq(r, facts, "odd-dirs");

        f->odd_dir = arena_array(r->a, struct lock_dir, seq->n);
        for (size_t i = 0; i < seq->n; i++) {
                const struct yaml *y = seq->v[i].value;
                struct lock_dir *d = &f->odd_dir[f->n_odd_dir];
                sv who = { 0 };
                if (!lock_is_map(r, y, "a directory", known))
                        continue;
                lock_get_text(r, y, "path", true, &d->path);
                lock_check_path(r, y, "path", d->path, sv_starts(d->path, SV("/")));
                lock_get_mode(r, y, "mode", &d->mode);
                lock_get_text(r, y, "owner", true, &who);
                if (who.n && !owner(who, d))
                        lock_fault(r, yaml_get(y, "owner"), "EB122", "'owner' takes \"UID:GID\"");
                f->n_odd_dir++;
        }
}

static void read_facts(struct lock_read *r, const struct yaml *y, struct lock_facts *f)
{
        static const char *const known[] = { "root", "usrmerged", "libc", "os", "odd-dirs", NULL };

        if (!lock_is_map(r, y, "facts", known))
                return;
        lock_get_text(r, y, "root", true, &f->root);
        lock_check_path(r, y, "root", f->root, false);
        lock_get_bool(r, y, "usrmerged", &f->usrmerged);
        lock_get_two(r, y, "libc", &f->libc_name, &f->libc_version);
        lock_get_two(r, y, "os", &f->os_name, &f->os_version);
        read_odd_dirs(r, y, f);
}

static void read_python(struct lock_read *r, const struct yaml *y, struct lock_platform *p)
{
        static const char *const known[] = { "version", "path", "abi", "site-packages", "from", NULL };
        struct lock_python *py = &p->python;

        if (!lock_is_map(r, y, "python", known))
                return;
        p->has_python = true;
        lock_get_text(r, y, "version", true, &py->version);
        lock_check_word(r, y, "version", py->version);
        lock_get_text(r, y, "path", true, &py->path);
        lock_check_path(r, y, "path", py->path, true);
        lock_get_text(r, y, "abi", true, &py->abi);
        lock_check_word(r, y, "abi", py->abi);
        lock_get_text(r, y, "site-packages", true, &py->site_packages);
        lock_check_path(r, y, "site-packages", py->site_packages, false);
        lock_get_text(r, y, "from", true, &py->from);
        if (py->from.n && !sv_is(py->from, "base") && !sv_is(py->from, "conda"))
                lock_fault(r, yaml_get(y, "from"), "EB122", "python comes from base or conda");
}

static bool read_kind(struct lock_read *r, const struct yaml *y, enum artifact_kind *ret)
{
        sv kind = { 0 };

        lock_get_text(r, y, "kind", true, &kind);
        if (!kind.n || artifact_kind_read(kind, ret))
                return kind.n > 0;
        lock_fault(r, yaml_get(y, "kind"), "EB122", "'%.*s' is no kind: wheel, conda or deb", SV_ARG(kind));
        return false;
}

/* What only conda packages have. */
static void read_conda(struct lock_read *r, const struct yaml *y, struct artifact *a)
{
        static const char *const keys[] = { "build", "md5", "noarch", "site-packages", "track-features", "dists" };
        uint8_t md5[16];

        for (size_t i = 0; a->kind != ARTIFACT_CONDA && i < ARRAY_LEN(keys); i++)
                if (yaml_get(y, keys[i]))
                        lock_fault(r, yaml_get(y, keys[i]), "EB121", "'%s' is a key of conda packages only", keys[i]);
        if (a->kind != ARTIFACT_CONDA)
                return;
        lock_get_text(r, y, "build", true, &a->build);
        lock_check_word(r, y, "build", a->build);
        lock_get_text(r, y, "md5", false, &a->md5);
        if (a->md5.n && !hex_read(a->md5, md5, sizeof(md5)))
                lock_fault(r, yaml_get(y, "md5"), "EB122", "'md5' takes 32 hexadecimal digits");
        lock_get_text(r, y, "noarch", false, &a->noarch);
        if (a->noarch.n && !sv_is(a->noarch, "python") && !sv_is(a->noarch, "generic"))
                lock_fault(r, yaml_get(y, "noarch"), "EB122", "'noarch' is python or generic");
        lock_get_text(r, y, "site-packages", false, &a->site_packages);
        lock_check_path(r, y, "site-packages", a->site_packages, false);
        lock_get_list(r, y, "track-features", &a->track_features, &a->n_track_features, NULL);
        lock_get_list(r, y, "dists", &a->dists, &a->n_dists, NULL);
}

static bool read_artifact(struct lock_read *r, const struct yaml *y, struct artifact *a)
{
        static const char *const known[] = {
                "kind",           "name",   "version", "build",      "arch",     "recipe", "url",
                "direct",         "sha256", "md5",     "size",       "uploaded", "noarch", "site-packages",
                "track-features", "dists",  "needs",   "constrains", "by",       "why",    NULL
        };

        if (!lock_is_map(r, y, "an artifact", known) || !read_kind(r, y, &a->kind))
                return false;
        lock_get_text(r, y, "name", true, &a->name);
        lock_check_word(r, y, "name", a->name);
        lock_get_text(r, y, "version", true, &a->version);
        lock_check_word(r, y, "version", a->version);
        read_conda(r, y, a);
        lock_get_text(r, y, "arch", a->kind == ARTIFACT_DEB, &a->arch);
        lock_check_word(r, y, "arch", a->arch);
        lock_get_bool(r, y, "recipe", &a->recipe);
        lock_get_text(r, y, "url", true, &a->url);
        lock_check_clean(r, y, "url", a->url);
        lock_get_bool(r, y, "direct", &a->direct);
        lock_get_hash(r, y, "sha256", true, &a->sha256);
        lock_get_u64(r, y, "size", true, &a->size);
        lock_get_time(r, y, "uploaded", false, &a->uploaded);
        lock_get_list(r, y, "needs", &a->needs, &a->n_needs, NULL);
        lock_get_list(r, y, "constrains", &a->constrains, &a->n_constrains, NULL);
        lock_get_list(r, y, "by", &a->by, &a->n_by, NULL);
        lock_get_text(r, y, "why", false, &a->why);
        return true;
}

static void read_artifacts(struct lock_read *r, const struct yaml *platform, struct lock_platform *p)
{
        const struct yaml *seq = lock_get_seq(r, platform, "artifacts");

        p->artifact = arena_array(r->a, struct artifact, seq->n);
        for (size_t i = 0; i < seq->n; i++)
                p->n_artifact += read_artifact(r, seq->v[i].value, &p->artifact[p->n_artifact]);
}

static void read_platform(struct lock_read *r, const struct yaml *y, struct lock_platform *p)
{
        static const char *const known[] = { "virtual", "base", "facts", "python", "artifacts", NULL };
        const struct yaml *part;

        if (!lock_is_map(r, y, "a platform", known))
                return;
        lock_get_pairs(r, y, "virtual", &p->virtual_, &p->n_virtual);
        if ((part = yaml_get(y, "base")))
                read_base(r, part, &p->base);
        else
                lock_fault(r, y, "EB122", "'base' is missing");
        if ((part = yaml_get(y, "facts")))
                read_facts(r, part, &p->facts);
        else
                lock_fault(r, y, "EB122", "'facts' is missing");
        if ((part = yaml_get(y, "python")))
                read_python(r, part, p);
        read_artifacts(r, y, p);
}

static bool platform_name(sv s)
{
        ptrdiff_t slash = sv_find(s, '/');

        for (size_t i = 0; i < s.n; i++)
                if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '/'))
                        return false;
        return slash > 0 && (size_t)slash + 1 < s.n;
}

void lock_read_platforms(struct lock_read *r, const struct yaml *y, struct lock *l)
{
        if (!lock_is_map(r, y, "platforms", NULL))
                return;
        l->platform = arena_array(r->a, struct lock_platform, y->n);
        for (size_t i = 0; i < y->n; i++) {
                struct lock_platform *p = &l->platform[l->n_platform++];
                p->platform = y->v[i].key->text;
                if (!platform_name(p->platform))
                        lock_fault(r, y->v[i].key, "EB122", "'%.*s' is not a platform", SV_ARG(p->platform));
                read_platform(r, y->v[i].value, p);
        }
}
