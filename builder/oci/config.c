#include "oci/oci_priv.h"

static int read_run(const struct oci_doc *top, struct oci_config *c)
{
        struct oci_doc d = *top;
        struct oci_pair *labels = NULL;
        size_t n_labels = 0;
        const struct js *ignored;

        if (oci_field_typed(top, "config", JS_OBJ, false, &d.obj) < 0)
                return -(int)top->e->code;
        if (!d.obj)
                return 0;
        d.at = "config.";
        if (oci_field_str(&d, "User", false, &c->user) < 0 || oci_field_str(&d, "WorkingDir", false, &c->workdir) < 0 ||
            oci_field_strs(&d, "Env", &c->env, &c->n_env) < 0 ||
            oci_field_strs(&d, "Entrypoint", &c->entrypoint, &c->n_entrypoint) < 0 ||
            oci_field_strs(&d, "Cmd", &c->cmd, &c->n_cmd) < 0 ||
            oci_field_typed(&d, "Volumes", JS_OBJ, false, &ignored) < 0 ||
            oci_field_typed(&d, "ExposedPorts", JS_OBJ, false, &ignored) < 0 ||
            oci_field_pairs(&d, "Labels", &labels, &n_labels) < 0)
                return -(int)d.e->code;
        for (size_t i = 0; i < c->n_env; i++)
                if (sv_find(c->env[i], '=') <= 0)
                        return oci_bad(&d, "Env", "has an element without NAME=");
        return 0;
}

static int read_rootfs(const struct oci_doc *top, struct oci_config *c)
{
        struct oci_doc d = *top;
        sv type, *text = NULL;
        size_t n = 0;

        if (oci_field_typed(top, "rootfs", JS_OBJ, true, &d.obj) < 0)
                return -(int)top->e->code;
        d.at = "rootfs.";
        if (oci_field_str(&d, "type", true, &type) < 0 || oci_field_strs(&d, "diff_ids", &text, &n) < 0)
                return -(int)d.e->code;
        if (!sv_is(type, "layers"))
                return oci_bad(&d, "type", "is not 'layers'");
        c->diff_id = arena_array(d.a, sha256, n);
        for (; c->n_diff_id < n; c->n_diff_id++)
                if (oci_digest_read(&d, "diff_ids", text[c->n_diff_id], &c->diff_id[c->n_diff_id]) < 0)
                        return -(int)d.e->code;
        return 0;
}

/* A history may be missing; a good one has an entry for each layer, and others that say they made none. One that tells of another number of
 * layers (buildah's, on a base that had none) tells nothing of any of them: it is as none. */
static int read_history(const struct oci_doc *d, struct oci_config *c)
{
        const struct js *list;
        size_t layers = 0;

        if (oci_field_typed(d, "history", JS_ARR, false, &list) < 0)
                return -(int)d->e->code;
        if (!list || list->n == 0)
                return 0;
        for (size_t i = 0; i < list->n; i++) {
                if (list->v[i].value->type != JS_OBJ)
                        return oci_bad(d, "history", "has an element that is not an object");
                layers += !js_true(js_get(list->v[i].value, "empty_layer"));
        }
        if (layers == c->n_diff_id)
                c->history = js_get(c->doc, "history");
        return 0;
}

int oci_config_parse(struct arena *a, sv text, const char *what, struct oci_config *ret, struct err *e)
{
        struct oci_config c = { 0 };
        struct oci_doc d;
        sv ignored;

        if (oci_doc_open(a, text, what, &d, e) < 0)
                return -(int)e->code;
        c.doc = (struct js *)d.obj;
        if (oci_field_str(&d, "architecture", true, &c.arch) < 0 || oci_field_str(&d, "os", true, &c.os) < 0 ||
            oci_field_str(&d, "variant", false, &c.variant) < 0 || oci_field_str(&d, "created", false, &ignored) < 0 ||
            oci_field_str(&d, "author", false, &ignored) < 0 || read_run(&d, &c) < 0 || read_rootfs(&d, &c) < 0 ||
            read_history(&d, &c) < 0)
                return -(int)e->code;
        *ret = c;
        return 0;
}
