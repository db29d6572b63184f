/* Conda dependencies that stand inside a description, as a definition of their own: one item a line, so that faults in it can be shown. */
#include "base/buf.h"
#include "run/job/job_priv.h"

#define TEXT_MAX ((size_t)8 << 20)

static void write_node(const struct yaml *y, unsigned indent, struct buf *out);

static void write_item(const struct yaml *y, unsigned indent, struct buf *out)
{
        if (y->type == YAML_SCALAR || y->n == 0) {
                buf_byte(out, ' ');
                write_node(y, 0, out);
                return;
        }
        buf_byte(out, '\n');
        write_node(y, indent, out);
}

/* Ends with a line end. */
static void write_node(const struct yaml *y, unsigned indent, struct buf *out)
{
        if (y->type == YAML_SCALAR) {
                if (yaml_is_null(y))
                        buf_add(out, SV("null"));
                else
                        yaml_write_scalar(y->text, false, out);
                buf_byte(out, '\n');
                return;
        }
        if (y->n == 0)
                buf_add(out, y->type == YAML_SEQ ? SV("[]\n") : SV("{}\n"));
        for (size_t i = 0; i < y->n; i++) {
                buf_fmt(out, "%*s", (int)indent, "");
                if (y->type == YAML_SEQ) {
                        buf_byte(out, '-');
                } else {
                        yaml_write_scalar(y->v[i].key->text, false, out);
                        buf_byte(out, ':');
                }
                write_item(y->v[i].value, indent + 2, out);
        }
}

sv job_conda_text(struct arena *a, const struct yaml *y)
{
        struct buf out = BUF_INIT(TEXT_MAX);
        sv ret;

        write_node(y, 0, &out);
        ret = out.over ? (sv){ 0 } : arena_sv(a, buf_sv(&out));
        buf_done(&out);
        return ret;
}
