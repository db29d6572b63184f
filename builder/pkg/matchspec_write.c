#include "base/cleanup.h"
#include "pkg/matchspec_priv.h"

struct writer {
        struct buf *out;
        bool open; /* a bracket */
};

/* A quote cannot be written in quotes of its kind: values were read between quotes of one kind, and hold none. */
static void pair(struct writer *w, const char *key, sv value, const char *quoted)
{
        bool quote = matchspec_has_any(value, quoted);

        buf_fmt(w->out, "%s%s=%s%.*s%s", w->open ? "," : "[", key, quote ? "'" : "", SV_ARG(value), quote ? "'" : "");
        w->open = true;
}

/* Outside of the brackets, where conda puts what is exact or a beginning. False: it goes inside. */
static bool version_outside(const struct matchspec *m, sv version, struct buf *out, bool *ret_exact)
{
        if (matchspec_has_any(version, "><$^|,"))
                return false;
        if (sv_starts(version, SV("!=")) || sv_starts(version, SV("~="))) {
                if (m->build.text.n)
                        return false;
                buf_add(out, version);
        } else if (sv_ends(version, SV("*"))) {
                size_t n = version.n - (sv_ends(version, SV(".*")) ? 2 : 1);

                buf_fmt(out, "=%.*s", (int)n, version.p);
        } else {
                buf_fmt(out, "%s%.*s", sv_starts(version, SV("==")) ? "" : "==", SV_ARG(version));
                *ret_exact = true;
        }
        return true;
}

static void channel_write(const struct matchspec *m, struct writer *w, struct buf *out)
{
        bool exact = m->channel_name.n && sv_find(m->channel_name, '*') < 0;

        if (exact) {
                buf_add(out, m->channel_name);
                if (m->subdir.n)
                        buf_fmt(out, "/%.*s", SV_ARG(m->subdir));
                buf_add(out, SV("::"));
                return;
        }
        if (m->channel_name.n && !sv_is(m->channel_name, "*"))
                pair(w, "channel", m->channel_name, "");
        if (m->subdir.n)
                pair(w, "subdir", m->subdir, " =");
}

static void rest_write(const struct matchspec *m, struct writer *w)
{
        if (m->has_build_number)
                pair(w, "build_number", m->build_number, ", =");
        if (m->track_features.n)
                pair(w, "track_features", m->track_features, ", =");
        if (m->features.n)
                pair(w, "features", m->features, ", =");
        if (m->url.n && !m->channel_name.n)
                pair(w, "url", m->url, ", =");
        if (m->md5.n)
                pair(w, "md5", m->md5, ", =");
        if (m->sha256.n)
                pair(w, "sha256", m->sha256, ", =");
        if (m->license.text.n)
                pair(w, "license", m->license.text, ", =");
        if (m->license_family.text.n)
                pair(w, "license_family", m->license_family.text, ", =");
        if (m->fn.n && !m->url.n)
                pair(w, "fn", m->fn, ", =");
}

/* A build may stand outside of the brackets when nothing in it means something there. */
static bool build_outside(sv build)
{
        return !matchspec_has_any(build, "><$^|,*=-~:()[]/!#'\"");
}

void matchspec_write(const struct matchspec *m, struct buf *out)
{
        AUTO(buf_done) struct buf inside = BUF_INIT(out->max);
        struct writer w = { &inside, false };
        sv version = m->version ? conda_spec_text(m->version) : (sv){ 0 };
        bool exact = false;

        channel_write(m, &w, out);
        buf_add(out, m->name);
        if (version.n && !conda_spec_any(m->version) && !version_outside(m, version, out, &exact)) {
                buf_fmt(&inside, "%sversion='%.*s'", w.open ? "," : "[", SV_ARG(version));
                w.open = true;
        }
        if (m->build.text.n && exact && build_outside(m->build.text))
                buf_fmt(out, "=%.*s", SV_ARG(m->build.text));
        else if (m->build.text.n)
                pair(&w, "build", m->build.text, "><$^|, =:()[]#");
        rest_write(m, &w);
        if (w.open)
                buf_byte(&inside, ']');
        buf_add(out, buf_sv(&inside));
}
