#include <string.h>

#include "base/cleanup.h"
#include "catalog/conda_record.h"

/* What the keys of a record may hold, whatever it is written in. null is the same as no key. */

enum conda_field conda_field_find(sv key)
{
        static const struct {
                sv key;
                enum conda_field field;
        } known[] = { { { "name", 4 }, CONDA_F_NAME },
                      { { "version", 7 }, CONDA_F_VERSION },
                      { { "build", 5 }, CONDA_F_BUILD },
                      { { "build_number", 12 }, CONDA_F_BUILD_NUMBER },
                      { { "depends", 7 }, CONDA_F_DEPENDS },
                      { { "constrains", 10 }, CONDA_F_CONSTRAINS },
                      { { "md5", 3 }, CONDA_F_MD5 },
                      { { "sha256", 6 }, CONDA_F_SHA256 },
                      { { "size", 4 }, CONDA_F_SIZE },
                      { { "subdir", 6 }, CONDA_F_SUBDIR },
                      { { "timestamp", 9 }, CONDA_F_TIMESTAMP },
                      { { "indexed_timestamp", 17 }, CONDA_F_INDEXED },
                      { { "noarch", 6 }, CONDA_F_NOARCH },
                      { { "track_features", 14 }, CONDA_F_TRACK },
                      { { "license", 7 }, CONDA_F_LICENSE },
                      { { "license_family", 14 }, CONDA_F_FAMILY },
                      { { "python_site_packages_path", 25 }, CONDA_F_SITE } };

        for (size_t i = 0; i < ARRAY_LEN(known); i++)
                if (known[i].key.n == key.n && memcmp(known[i].key.p, key.p, key.n) == 0)
                        return known[i].field;
        return CONDA_F_NONE;
}

static bool set_text(const struct conda_value *v, sv *ret)
{
        *ret = v->text;
        return v->type == CONDA_TEXT;
}

static bool set_texts(const struct conda_value *v, sv **ret, size_t *ret_n)
{
        *ret = v->v;
        *ret_n = v->n;
        return v->type == CONDA_TEXTS;
}

static bool set_number(const struct conda_value *v, uint64_t *ret)
{
        *ret = (uint64_t)v->num;
        return v->type == CONDA_INT && v->num >= 0;
}

/* Milliseconds; what would lie before 1978 as such is a number of seconds, up to the year 9999. */
static bool set_time(const struct conda_value *v, int64_t *ret)
{
        *ret = v->num < 0 ? 0 : v->num <= 253402300799 ? v->num * 1000 : v->num;
        return v->type == CONDA_INT;
}

/* A digit's value and 1; 0: none. */
static const uint8_t hex_digit[256] = { ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,
                                        ['6'] = 7,  ['7'] = 8,  ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
                                        ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16, ['A'] = 11, ['B'] = 12,
                                        ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16 };

/* Hexadecimal text (either case), or the bytes themselves (shards). An empty text says nothing. */
static bool set_hash(const struct conda_value *v, uint8_t *ret, size_t n, bool *ret_has)
{
        const unsigned char *p = (const unsigned char *)v->text.p;
        bool good = true;

        *ret_has = v->text.n != 0;
        if (v->type == CONDA_BYTES && v->text.n == n) {
                memcpy(ret, p, n);
                return true;
        }
        if (v->type != CONDA_TEXT || (v->text.n != 0 && v->text.n != 2 * n))
                return false;
        for (size_t i = 0; i < v->text.n / 2; i++) {
                uint8_t high = hex_digit[p[2 * i]], low = hex_digit[p[2 * i + 1]];

                good = good && high && low;
                ret[i] = (uint8_t)((high - 1u) << 4 | (low - 1u));
        }
        return good;
}

/* "python", "generic"; true is the old word for generic. */
static bool set_noarch(const struct conda_value *v, enum conda_noarch *ret)
{
        *ret = CONDA_ARCHED;
        if (v->type == CONDA_FALSE || (v->type == CONDA_TEXT && v->text.n == 0))
                return true;
        *ret = v->type == CONDA_TEXT && sv_eq_nocase(v->text, SV("python")) ? CONDA_NOARCH_PYTHON
                                                                            : CONDA_NOARCH_GENERIC;
        return v->type == CONDA_TRUE || *ret == CONDA_NOARCH_PYTHON ||
               (v->type == CONDA_TEXT && sv_eq_nocase(v->text, SV("generic")));
}

/* A list, or one text of names with blanks or commas between them. */
static bool set_track(const struct conda_value *v, struct arena *a, struct conda_record *r)
{
        size_t cap = 0, i = 0;
        sv t = v->text;

        if (v->type == CONDA_TEXTS && !(v->n == 1 && v->v[0].n == 0))
                return set_texts(v, &r->track_features, &r->n_track_features);
        r->track_features = NULL;
        r->n_track_features = 0;
        if (v->type != CONDA_TEXT)
                return v->type == CONDA_TEXTS;
        while (i < t.n) {
                size_t from = i;

                while (i < t.n && t.p[i] != ' ' && t.p[i] != ',')
                        i++;
                if (i > from)
                        *arena_push(a, r->track_features, r->n_track_features, cap) = sv_from_to(t, from, i);
                i++;
        }
        return true;
}

bool conda_field_set(enum conda_field f, const struct conda_value *v, struct arena *a, struct conda_record *r)
{
        if (v->type == CONDA_NULL)
                return true;
        switch (f) {
        case CONDA_F_NAME:
                return set_text(v, &r->name);
        case CONDA_F_VERSION:
                return set_text(v, &r->version);
        case CONDA_F_BUILD:
                return set_text(v, &r->build);
        case CONDA_F_BUILD_NUMBER:
                return set_number(v, &r->build_number);
        case CONDA_F_DEPENDS:
                return set_texts(v, &r->depends, &r->n_depends);
        case CONDA_F_CONSTRAINS:
                return set_texts(v, &r->constrains, &r->n_constrains);
        case CONDA_F_MD5:
                return set_hash(v, r->md5, sizeof(r->md5), &r->has_md5);
        case CONDA_F_SHA256:
                return set_hash(v, r->sha256.b, sizeof(r->sha256.b), &r->has_sha256);
        case CONDA_F_SIZE:
                return set_number(v, &r->size);
        case CONDA_F_SUBDIR:
                return v->type == CONDA_TEXT && (v->text.n == 0 || set_text(v, &r->subdir));
        case CONDA_F_TIMESTAMP:
                return set_time(v, &r->timestamp);
        case CONDA_F_INDEXED:
                return set_time(v, &r->indexed);
        case CONDA_F_NOARCH:
                return set_noarch(v, &r->noarch);
        case CONDA_F_TRACK:
                return set_track(v, a, r);
        case CONDA_F_SITE:
                return set_text(v, &r->python_site_packages_path);
        case CONDA_F_LICENSE: /* nothing is decided by a licence: what is no text is left out */
                return v->type != CONDA_TEXT || set_text(v, &r->license);
        case CONDA_F_FAMILY:
                return v->type != CONDA_TEXT || set_text(v, &r->license_family);
        case CONDA_F_NONE:
                break;
        }
        return true;
}

/* --- the whole --- */

enum { PART_MAX = 255 };

/* Of names, versions, builds, file names: they become parts of paths and of URLs, so nothing that has a meaning in one. */
static bool is_part_byte(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
               (c >= 'A' && c <= 'Z') || c == '!' || c == '+' || c == '=' || c == '~' || c == '@';
}

static bool is_part(sv s)
{
        if (s.n == 0 || s.n > PART_MAX || s.p[0] == '.' || s.p[0] == '-')
                return false;
        for (size_t i = 0; i < s.n; i++)
                if (!is_part_byte(s.p[i]))
                        return false;
        return true;
}

sv conda_name_fold(struct arena *a, sv name)
{
        char *low = NULL;

        if (!is_part(name))
                return (sv){ 0 };
        for (size_t i = 0; i < name.n; i++) {
                if (name.p[i] < 'A' || name.p[i] > 'Z')
                        continue;
                if (!low)
                        low = (char *)(uintptr_t)arena_sv(a, name).p;
                low[i] = (char)(name.p[i] + 32);
        }
        return low ? (sv){ low, name.n } : name;
}

const char *conda_record_check(struct arena *a, struct conda_record *r)
{
        r->name = conda_name_fold(a, r->name);
        if (!r->name.n)
                return "its name is no name of a package";
        if (!is_part(r->version))
                return "its version is missing, or has characters that none may have";
        if (!is_part(r->build))
                return "its build is missing, or has characters that none may have";
        if (!is_part(r->subdir))
                return "its subdir is no name of a platform";
        if (!is_part(r->fn) || !(sv_ends(r->fn, SV(".conda")) || sv_ends(r->fn, SV(".tar.bz2"))))
                return "its file name is no name of a .conda or .tar.bz2";
        return NULL;
}
