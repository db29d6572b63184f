#include <string.h>

#include "pkg/matchspec_priv.h"

static bool text_has(const struct matchspec_text *t, sv text, bool fold)
{
        if (t->regex)
                return pattern_has(t->regex, text, fold);
        if (t->glob)
                return glob_has(t->text, text, fold);
        return fold ? sv_eq_nocase(t->text, text) : sv_eq(t->text, text);
}

static bool name_has(const struct matchspec *m, sv name)
{
        if (m->name_regex)
                return pattern_has(m->name_regex, name, true);
        return m->name_glob ? glob_has(m->name, name, true) : sv_eq(m->name, name);
}

static bool channel_has(const struct matchspec *m, sv channel)
{
        for (size_t i = 0; i < m->n_channels; i++)
                if (sv_eq(m->channels[i], channel))
                        return true;
        if (m->n_channels)
                return false;
        return sv_find(m->channel, '*') >= 0 ? glob_has(m->channel, channel, false) : sv_eq(m->channel, channel);
}

static bool number_has(sv text, uint64_t n)
{
        struct build_number b;

        if (!build_number_read(text, &b))
                return false;
        switch (b.op) {
        case BUILD_ANY:
                return true;
        case BUILD_EQ:
                return n == b.n;
        case BUILD_NE:
                return n != b.n;
        case BUILD_LT:
                return n < b.n;
        case BUILD_LE:
                return n <= b.n;
        case BUILD_GT:
                return n > b.n;
        default:
                return n >= b.n;
        }
}

static bool hash_has(sv want, bool known, const unsigned char *hash, size_t n)
{
        static const char digits[] = "0123456789abcdef";

        if (!known || want.n != 2 * n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (want.p[2 * i] != digits[hash[i] >> 4] || want.p[2 * i + 1] != digits[hash[i] & 15])
                        return false;
        return true;
}

/* The byte at *i, decoded; *i moves past it. */
static int url_byte(sv s, size_t *i)
{
        const char *hex = "0123456789abcdef", *high, *low;
        char c = s.p[(*i)++];

        if (c != '%' || *i + 2 > s.n)
                return (unsigned char)c;
        high = memchr(hex, s.p[*i] >= 'A' && s.p[*i] <= 'F' ? s.p[*i] | 0x20 : s.p[*i], 16);
        low = memchr(hex, s.p[*i + 1] >= 'A' && s.p[*i + 1] <= 'F' ? s.p[*i + 1] | 0x20 : s.p[*i + 1], 16);
        if (!high || !low)
                return (unsigned char)c;
        *i += 2;
        return (int)((high - hex) * 16 + (low - hex));
}

/* "x264-1!164" and "x264-1%21164" are the same file. */
static bool url_same(sv a, sv b)
{
        size_t i = 0, k = 0;

        while (i < a.n && k < b.n)
                if (url_byte(a, &i) != url_byte(b, &k))
                        return false;
        return i == a.n && k == b.n;
}

/* Each of the spec's features is the record's, and the other way round. */
static bool features_have(sv want, const struct conda_record *r)
{
        size_t n = 0;
        sv rest = want, one;

        while (sv_cut(&rest, ' ', &one)) {
                bool found = false;

                for (size_t i = 0; i < r->n_track_features; i++)
                        found = found || sv_eq(r->track_features[i], one);
                if (!found)
                        return false;
                n++;
        }
        for (size_t i = 0; i < r->n_track_features; i++)
                for (size_t k = 0; k < i; k++)
                        if (sv_eq(r->track_features[i], r->track_features[k])) {
                                n++; /* said twice, counts once */
                                break;
                        }
        return n == r->n_track_features;
}

/* The fields that few specs have. */
static bool rest_has(const struct matchspec *m, const struct conda_record *r)
{
        if (m->subdir.n && !sv_eq(m->subdir, r->subdir))
                return false;
        if (m->has_build_number && !number_has(m->build_number, r->build_number))
                return false;
        if (m->md5.n && !hash_has(m->md5, r->has_md5, r->md5, sizeof(r->md5)))
                return false;
        if (m->sha256.n && !hash_has(m->sha256, r->has_sha256, r->sha256.b, sizeof(r->sha256.b)))
                return false;
        if ((m->url.n && !url_same(m->url, r->url)) || (m->fn.n && !sv_eq(m->fn, r->fn)))
                return false;
        if (m->license.text.n && !text_has(&m->license, r->license, true))
                return false;
        if (m->license_family.text.n && !text_has(&m->license_family, r->license_family, true))
                return false;
        return !m->features.n && (!m->track_features.n || features_have(m->track_features, r));
}

bool matchspec_has(const struct matchspec *m, const struct conda_record *r, const struct conda_version *v)
{
        if (!name_has(m, r->name))
                return false;
        if (m->version && !conda_spec_any(m->version) && (!v || !conda_spec_has(m->version, v)))
                return false;
        if (m->build.text.n && !text_has(&m->build, r->build, false))
                return false;
        if ((m->channel.n || m->n_channels) && !channel_has(m, r->channel))
                return false;
        return rest_has(m, r);
}
