#include "spec/fields.h"

#include "base/clock.h"

bool fields_fault(struct fields *f, const struct yaml *y, const char *code, const char *what, sv value)
{
        diag_add(f->ds, f->file, y->line, y->col, code, "%s%s%.*s%s", what, value.n ? ": '" : "", SV_ARG(value),
                 value.n ? "'" : "");
        return false;
}

static bool text_of(struct fields *f, const struct yaml *y, sv *ret)
{
        if (y->type != YAML_SCALAR || y->text.n == 0)
                return fields_fault(f, y, "EB141", "a text is expected here", (sv){ 0 });
        *ret = y->text;
        return true;
}

static bool any_text_of(struct fields *f, const struct yaml *y, sv *ret)
{
        if (y->type != YAML_SCALAR)
                return fields_fault(f, y, "EB141", "a text is expected here", (sv){ 0 });
        *ret = y->text;
        return true;
}

static bool id_of(struct fields *f, const struct yaml *y, uint32_t *ret)
{
        uint64_t n;

        if (y->type != YAML_SCALAR || !sv_u64(y->text, &n) || n > 65534)
                return fields_fault(f, y, "EB141", "a number from 0 to 65534 is expected here", y->text);
        *ret = (uint32_t)n;
        return true;
}

static bool int_of(struct fields *f, const struct yaml *y, int64_t *ret)
{
        bool minus = y->type == YAML_SCALAR && sv_starts(y->text, SV("-"));
        uint64_t n;

        if (y->type != YAML_SCALAR || !sv_u64(sv_skip(y->text, minus), &n) || n > INT32_MAX)
                return fields_fault(f, y, "EB141", "a number is expected here", y->text);
        *ret = minus ? -(int64_t)n : (int64_t)n;
        return true;
}

static bool mode_of(struct fields *f, const struct yaml *y, uint32_t *ret)
{
        uint32_t m = 0;
        bool ok = y->type == YAML_SCALAR && y->text.n >= 3 && y->text.n <= 5;

        for (size_t i = 0; ok && i < y->text.n; i++) {
                ok = y->text.p[i] >= '0' && y->text.p[i] <= '7';
                m = m * 8 + (uint32_t)(y->text.p[i] - '0');
        }
        if (!ok || m > 07777)
                return fields_fault(f, y, "EB141", "octal permissions like \"0755\" are expected here", y->text);
        *ret = m;
        return true;
}

static bool date_of(struct fields *f, const struct yaml *y, int64_t *ret)
{
        int64_t t;

        if (y->type != YAML_SCALAR || !time_parse(y->text, &t))
                return fields_fault(f, y, "EB141", "a date like 2030-06-30 is expected here", y->text);
        *ret = t;
        return true;
}

static bool url_of(struct fields *f, const struct yaml *y, sv *ret)
{
        sv url;

        if (!text_of(f, y, &url))
                return false;
        if (!sv_starts(url, SV("http://")) && !sv_starts(url, SV("https://")))
                return fields_fault(f, y, "EB141", "an http:// or https:// URL is expected here", url);
        while (url.n && url.p[url.n - 1] == '/')
                url.n--;
        *ret = url;
        return true;
}

static bool path_of(struct fields *f, const struct yaml *y, sv *ret)
{
        sv path, rest, part;

        if (!text_of(f, y, &path))
                return false;
        rest = sv_skip(path, 1);
        if (path.p[0] != '/' || path.p[path.n - 1] == '/' || !sv_utf8(path) || sv_find(path, '\0') >= 0)
                return fields_fault(f, y, "EB141", "an absolute path is expected here", path);
        while (sv_cut(&rest, '/', &part))
                if (part.n == 0 || sv_is(part, ".") || sv_is(part, ".."))
                        return fields_fault(f, y, "EB141", "a path has an empty part, '.' or '..'", path);
        *ret = path;
        return true;
}

static bool beside_of(struct fields *f, const struct yaml *y, sv *ret)
{
        sv dir = sv_from_to(f->file, 0, (size_t)(sv_rfind(f->file, '/') + 1)), path;

        if (!text_of(f, y, &path))
                return false;
        *ret = path.p[0] == '/' ? path : arena_fmt(f->a, "%.*s%.*s", SV_ARG(dir), SV_ARG(path));
        return true;
}

static bool one_of(struct fields *f, const struct yaml *y)
{
        if (y->type == YAML_SCALAR && sv_is(y->text, "1"))
                return true;
        return fields_fault(f, y, "EB141", "version 1 is the only one there is",
                            y->type == YAML_SCALAR ? y->text : (sv){ 0 });
}

static bool read_value(struct fields *f, const struct yaml *y, const struct field *k)
{
        switch (k->kind) {
        case FIELD_TEXT:
                return text_of(f, y, k->ret);
        case FIELD_ANY_TEXT:
                return any_text_of(f, y, k->ret);
        case FIELD_ID:
                return id_of(f, y, k->ret);
        case FIELD_INT:
                return int_of(f, y, k->ret);
        case FIELD_MODE:
                return mode_of(f, y, k->ret);
        case FIELD_DATE:
                return date_of(f, y, k->ret);
        case FIELD_URL:
                return url_of(f, y, k->ret);
        case FIELD_PATH:
                return path_of(f, y, k->ret);
        case FIELD_BESIDE:
                return beside_of(f, y, k->ret);
        case FIELD_ONE:
                return one_of(f, y);
        case FIELD_NODE:
                *(const struct yaml **)k->ret = y;
                return true;
        }
        return false;
}

void fields_read(struct fields *f, const struct yaml *map, const struct field *v, size_t n)
{
        if (map->type != YAML_MAP) {
                fields_fault(f, map, "EB141", "keys with values are expected here", (sv){ 0 });
                return;
        }
        for (size_t i = 0; i < map->n; i++) {
                size_t k = 0;

                while (k < n && !sv_is(map->v[i].key->text, v[k].name))
                        k++;
                if (k == n)
                        fields_fault(f, map->v[i].key, "EB140", arena_fmt(f->a, "%s has no such key here", f->what).p,
                                     map->v[i].key->text);
                else
                        read_value(f, map->v[i].value, &v[k]);
        }
        for (size_t k = 0; k < n; k++)
                if (v[k].needed && !yaml_get(map, v[k].name))
                        fields_fault(f, map, "EB142", "a key is missing here", sv_from(v[k].name));
}

size_t fields_list(struct fields *f, const struct yaml *y)
{
        if (!y || y->type == YAML_SEQ)
                return y ? y->n : 0;
        fields_fault(f, y, "EB141", "a list is expected here", (sv){ 0 });
        return 0;
}

sv *fields_texts(struct fields *f, const struct yaml *y, size_t *ret_n)
{
        size_t n = fields_list(f, y), kept = 0;
        sv *v = arena_array(f->a, sv, n + 1);

        for (size_t i = 0; i < n; i++) {
                if (!text_of(f, y->v[i].value, &v[kept]))
                        continue;
                for (size_t k = 0; k < kept; k++)
                        if (sv_eq(v[k], v[kept]))
                                fields_fault(f, y->v[i].value, "EB143", "this is in the list twice", v[kept]);
                kept++;
        }
        *ret_n = kept;
        return v;
}

bool fields_user_name(sv name)
{
        for (size_t i = 0; i < name.n; i++) {
                char ch = name.p[i];
                bool first = (ch >= 'a' && ch <= 'z') || ch == '_';
                if (!first && (i == 0 || (ch != '-' && (ch < '0' || ch > '9'))))
                        return false;
        }
        return name.n > 0 && name.n <= 32;
}

bool fields_passwd_text(sv s)
{
        return sv_find(s, ':') < 0 && sv_find(s, '\n') < 0;
}
