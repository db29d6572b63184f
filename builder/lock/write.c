#include "base/clock.h"
#include "ext/yaml.h"
#include "lock/lock.h"

/* Indentation and order are those of design/lock.md "Shape": a key that is written here is read in parse*.c. */

static void key(struct buf *out, const char *indent, const char *name)
{
        buf_fmt(out, "%s%s: ", indent, name);
}

static void put_text(struct buf *out, const char *indent, const char *name, sv text)
{
        if (!text.n)
                return;
        key(out, indent, name);
        yaml_write_scalar(text, false, out);
        buf_byte(out, '\n');
}

static void put_u64(struct buf *out, const char *indent, const char *name, uint64_t n)
{
        buf_fmt(out, "%s%s: %llu\n", indent, name, (unsigned long long)n);
}

static void put_time(struct buf *out, const char *indent, const char *name, int64_t t)
{
        char text[24];

        time_format(t, text);
        buf_fmt(out, "%s%s: %s\n", indent, name, text);
}

static void flow_list(struct buf *out, const sv *v, size_t n)
{
        buf_byte(out, '[');
        for (size_t i = 0; i < n; i++) {
                if (i)
                        buf_add(out, SV(", "));
                yaml_write_scalar(v[i], true, out);
        }
        buf_byte(out, ']');
}

static void put_list(struct buf *out, const char *indent, const char *name, const sv *v, size_t n, bool even_empty)
{
        if (!n && !even_empty)
                return;
        key(out, indent, name);
        flow_list(out, v, n);
        buf_byte(out, '\n');
}

/* Members of a flow map: "a: b, c: d"; the braces are the caller's. */
static void flow_key(struct buf *out, bool *first, const char *name)
{
        buf_fmt(out, "%s%s: ", *first ? "" : ", ", name);
        *first = false;
}

static void flow_text(struct buf *out, bool *first, const char *name, sv text)
{
        if (!text.n)
                return;
        flow_key(out, first, name);
        yaml_write_scalar(text, true, out);
}

static void add_digest(struct buf *out, const sha256 *d)
{
        buf_fmt(out, "sha256:%s", sha256_hex(d).s);
}

static void add_hex(struct buf *out, const sha256 *d)
{
        yaml_write_scalar(sv_from(sha256_hex(d).s), false, out); /* digits alone would be a number */
}

static void put_hex(struct buf *out, const char *indent, const char *name, const sha256 *d)
{
        key(out, indent, name);
        add_hex(out, d);
        buf_byte(out, '\n');
}

static void put_digest(struct buf *out, const char *indent, const char *name, const sha256 *d)
{
        if (sha256_is_zero(d))
                return;
        key(out, indent, name);
        add_digest(out, d);
        buf_byte(out, '\n');
}

static void put_pairs(struct buf *out, const char *indent, const char *name, const struct lock_pair *v, size_t n)
{
        if (!n)
                return;
        key(out, indent, name);
        buf_byte(out, '{');
        for (size_t i = 0; i < n; i++) {
                if (i)
                        buf_add(out, SV(", "));
                yaml_write_scalar(v[i].key, true, out);
                buf_add(out, SV(": "));
                yaml_write_scalar(v[i].value, true, out);
        }
        buf_add(out, SV("}\n"));
}

static void put_config(struct buf *out, const struct lock_config *c)
{
        if (!c->n_env && !c->user.n && !c->workdir.n && !c->has_entrypoint && !c->has_cmd && !c->n_labels)
                return;
        buf_add(out, SV("config:\n"));
        put_list(out, "  ", "env", c->env, c->n_env, false);
        put_text(out, "  ", "user", c->user);
        put_text(out, "  ", "workdir", c->workdir);
        put_list(out, "  ", "entrypoint", c->entrypoint, c->n_entrypoint, c->has_entrypoint);
        put_list(out, "  ", "cmd", c->cmd, c->n_cmd, c->has_cmd);
        put_pairs(out, "  ", "labels", c->labels, c->n_labels);
}

static void put_options(struct buf *out, const struct lock *l)
{
        if (!l->n_indexes && !l->n_find_links && !l->index_strategy.n && !l->exclude_newer && !l->pre &&
            !l->n_scripts_skip && !l->n_channels && !l->channel_priority.n && !l->n_pip_replaces && !l->n_conda_specs)
                return;
        buf_add(out, SV("options:\n"));
        put_list(out, "  ", "conda", l->conda_specs, l->n_conda_specs, false);
        put_list(out, "  ", "channels", l->channels, l->n_channels, false);
        put_text(out, "  ", "channel-priority", l->channel_priority);
        put_list(out, "  ", "pip-replaces", l->pip_replaces, l->n_pip_replaces, false);
        put_list(out, "  ", "indexes", l->indexes, l->n_indexes, false);
        put_list(out, "  ", "find-links", l->find_links, l->n_find_links, false);
        put_text(out, "  ", "index-strategy", l->index_strategy);
        if (l->exclude_newer)
                put_time(out, "  ", "exclude-newer", l->exclude_newer);
        if (l->pre)
                buf_add(out, SV("  pre: true\n"));
        put_list(out, "  ", "apt-scripts-skip", l->scripts_skip, l->n_scripts_skip, false);
}

static void put_mode(struct buf *out, const char *indent, const char *name, uint32_t mode)
{
        buf_fmt(out, "%s%s: \"%04o\"\n", indent, name, mode);
}

static void put_files(struct buf *out, const struct lock *l)
{
        if (l->n_file)
                buf_add(out, SV("files:\n"));
        for (size_t i = 0; i < l->n_file; i++) {
                const struct lock_file *f = &l->file[i];
                put_text(out, "- ", "path", f->path);
                put_text(out, "  ", "source", f->source);
                put_hex(out, "  ", "sha256", &f->sha256);
                put_u64(out, "  ", "size", f->size);
                put_mode(out, "  ", "mode", f->mode);
        }
}

/* A recipe in one line; an image with its layers in a line each. */
static void put_base(struct buf *out, const struct lock_base *b)
{
        bool first = true;
        char text[24];

        if (b->recipe.n) {
                buf_add(out, SV("    base: {"));
                flow_text(out, &first, "recipe", b->recipe);
                flow_key(out, &first, "sha256");
                add_hex(out, &b->recipe_sha256);
                flow_text(out, &first, "suite", b->suite);
                time_format(b->release, text);
                flow_key(out, &first, "release");
                buf_fmt(out, "%s}\n", text);
                return;
        }
        buf_add(out, SV("    base:\n"));
        put_text(out, "      ", "ref", b->ref);
        put_digest(out, "      ", "manifest", &b->manifest);
        put_digest(out, "      ", "config", &b->config);
        if (b->n_layer)
                buf_add(out, SV("      layers:\n"));
        for (size_t i = 0; i < b->n_layer; i++) {
                const struct lock_base_layer *y = &b->layer[i];
                buf_add(out, SV("      - {diff_id: "));
                add_digest(out, &y->diff_id);
                buf_add(out, SV(", digest: "));
                add_digest(out, &y->digest);
                buf_fmt(out, ", size: %llu", (unsigned long long)y->size);
                first = false;
                flow_text(out, &first, "type", y->type);
                buf_add(out, SV("}\n"));
        }
}

static void flow_two(struct buf *out, bool *first, const char *name, sv a, sv b)
{
        struct buf both = BUF_INIT(4096);

        if (!a.n)
                return;
        buf_fmt(&both, "%.*s%s%.*s", SV_ARG(a), b.n ? " " : "", SV_ARG(b));
        flow_text(out, first, name, buf_sv(&both));
        buf_done(&both);
}

static void put_facts(struct buf *out, const struct lock_facts *f)
{
        bool first = true;

        buf_add(out, SV("    facts: {"));
        flow_text(out, &first, "root", f->root);
        flow_key(out, &first, "usrmerged");
        buf_add(out, f->usrmerged ? SV("true") : SV("false"));
        flow_two(out, &first, "libc", f->libc_name, f->libc_version);
        flow_two(out, &first, "os", f->os_name, f->os_version);
        flow_key(out, &first, "odd-dirs");
        buf_byte(out, '[');
        for (size_t i = 0; i < f->n_odd_dir; i++) {
                const struct lock_dir *d = &f->odd_dir[i];
                bool dir_first = true;
                buf_add(out, i ? SV(", {") : SV("{"));
                flow_text(out, &dir_first, "path", d->path);
                buf_fmt(out, ", mode: \"%04o\", owner: \"%u:%u\"}", d->mode, d->uid, d->gid);
        }
        buf_add(out, SV("]}\n"));
}

static void put_python(struct buf *out, const struct lock_python *p)
{
        bool first = true;

        buf_add(out, SV("    python: {"));
        flow_text(out, &first, "version", p->version);
        flow_text(out, &first, "path", p->path);
        flow_text(out, &first, "abi", p->abi);
        flow_text(out, &first, "site-packages", p->site_packages);
        flow_text(out, &first, "from", p->from);
        buf_add(out, SV("}\n"));
}

static void put_artifact(struct buf *out, const struct artifact *a)
{
        buf_fmt(out, "    - kind: %s\n", artifact_kind_name(a->kind));
        put_text(out, "      ", "name", a->name);
        put_text(out, "      ", "version", a->version);
        put_text(out, "      ", "build", a->build);
        put_text(out, "      ", "arch", a->arch);
        if (a->recipe)
                buf_add(out, SV("      recipe: true\n"));
        put_text(out, "      ", "url", a->url);
        if (a->direct)
                buf_add(out, SV("      direct: true\n"));
        put_hex(out, "      ", "sha256", &a->sha256);
        put_text(out, "      ", "md5", a->md5);
        put_u64(out, "      ", "size", a->size);
        if (a->uploaded)
                put_time(out, "      ", "uploaded", a->uploaded);
        put_text(out, "      ", "noarch", a->noarch);
        put_text(out, "      ", "site-packages", a->site_packages);
        put_list(out, "      ", "track-features", a->track_features, a->n_track_features, false);
        put_list(out, "      ", "dists", a->dists, a->n_dists, false);
        put_list(out, "      ", "needs", a->needs, a->n_needs, false);
        put_list(out, "      ", "constrains", a->constrains, a->n_constrains, false);
        put_list(out, "      ", "by", a->by, a->n_by, false);
        put_text(out, "      ", "why", a->why);
}

static void put_platform(struct buf *out, const struct lock_platform *p)
{
        buf_add(out, SV("  "));
        yaml_write_scalar(p->platform, false, out);
        buf_add(out, SV(":\n"));
        put_pairs(out, "    ", "virtual", p->virtual_, p->n_virtual);
        put_base(out, &p->base);
        put_facts(out, &p->facts);
        if (p->has_python)
                put_python(out, &p->python);
        if (p->n_artifact)
                buf_add(out, SV("    artifacts:\n"));
        for (size_t i = 0; i < p->n_artifact; i++)
                put_artifact(out, &p->artifact[i]);
}

void lock_write_resolution(const struct lock *l, struct buf *out)
{
        put_u64(out, "", "lock", l->lock);
        put_u64(out, "", "layer-format", l->layer_format);
        put_u64(out, "", "plan", l->plan);
        put_text(out, "", "name", l->name);
        put_text(out, "", "definition", l->definition);
        put_digest(out, "", "request", &l->request);
        put_time(out, "", "created", l->created);
        put_config(out, &l->config);
        put_options(out, l);
        put_files(out, l);
        if (l->n_platform)
                buf_add(out, SV("platforms:\n"));
        for (size_t i = 0; i < l->n_platform; i++)
                put_platform(out, &l->platform[i]);
}

static void put_layer(struct buf *out, const struct lock_layer *y)
{
        put_text(out, "    - ", "of", y->of);
        put_hex(out, "      ", "key", &y->key);
        put_digest(out, "      ", "diff_id", &y->diff_id);
        put_text(out, "      ", "from", y->from);
        if (!y->n_encoding)
                return;
        buf_add(out, SV("      encodings: {"));
        for (size_t i = 0; i < y->n_encoding; i++) {
                buf_add(out, i ? SV(", ") : SV(""));
                yaml_write_scalar(y->encoding[i].codec, true, out);
                buf_add(out, SV(": {digest: "));
                add_digest(out, &y->encoding[i].digest);
                buf_fmt(out, ", size: %llu}", (unsigned long long)y->encoding[i].size);
        }
        buf_add(out, SV("}\n"));
}

static void put_image(struct buf *out, const struct lock_platform *p)
{
        const struct lock_image *g = &p->image;

        buf_add(out, SV("  "));
        yaml_write_scalar(p->platform, false, out);
        buf_add(out, SV(":\n"));
        if (g->n_layer)
                buf_add(out, SV("    layers:\n"));
        for (size_t i = 0; i < g->n_layer; i++)
                put_layer(out, &g->layer[i]);
        put_digest(out, "    ", "image-id", &g->image_id);
        if (!g->n_manifest)
                return;
        buf_add(out, SV("    manifest: {"));
        for (size_t i = 0; i < g->n_manifest; i++) {
                buf_add(out, i ? SV(", ") : SV(""));
                yaml_write_scalar(g->manifest[i].codec, true, out);
                buf_add(out, SV(": "));
                add_digest(out, &g->manifest[i].digest);
        }
        buf_add(out, SV("}\n"));
}

void lock_write(const struct lock *l, struct buf *out)
{
        bool any = l->has_index;

        lock_write_resolution(l, out);
        for (size_t i = 0; i < l->n_platform; i++)
                any |= l->platform[i].has_image;
        if (any)
                buf_add(out, SV("image:\n"));
        for (size_t i = 0; i < l->n_platform; i++)
                if (l->platform[i].has_image)
                        put_image(out, &l->platform[i]);
        if (l->has_index)
                put_digest(out, "  ", "index", &l->index);
}
