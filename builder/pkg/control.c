#include "pkg/control.h"

#include <string.h>

static bool blank(sv line)
{
        return sv_trim(line).n == 0;
}

bool control_next(sv *rest, sv *ret_paragraph)
{
        sv line, at = *rest;
        const char *begin, *end;

        do { /* blank lines before it */
                *rest = at;
                if (!sv_line(&at, &line))
                        return false;
        } while (blank(line));
        begin = rest->p;
        end = rest->p + rest->n;
        for (sv s = *rest;;) { /* line by line: a border is a line of blanks, not only an empty one */
                ptrdiff_t nl = sv_find(s, '\n');
                sv next;

                if (nl < 0)
                        break;
                s = next = sv_skip(s, (size_t)nl + 1);
                if (s.n == 0)
                        break;
                if (s.p[0] != '\n' && s.p[0] != ' ' && s.p[0] != '\t' && s.p[0] != '\r')
                        continue;
                if (sv_line(&next, &line) && blank(line)) {
                        end = s.p;
                        break;
                }
        }
        *ret_paragraph = (sv){ begin, (size_t)(end - begin) };
        *rest = sv_skip(*rest, ret_paragraph->n);
        return true;
}

static bool name_char(char c)
{
        return c > ' ' && c < 0x7f && c != ':';
}

/* Takes the lines that continue a field: those that begin with a blank. */
static sv folded(sv *rest, const char *begin, sv first)
{
        const char *end = first.p + first.n;

        while (rest->n && (rest->p[0] == ' ' || rest->p[0] == '\t' || rest->p[0] == '#')) {
                bool comment = rest->p[0] == '#';
                sv line;

                if (!sv_line(rest, &line))
                        break;
                if (!comment)
                        end = line.p + line.n;
        }
        return sv_trim((sv){ begin, (size_t)(end - begin) });
}

int control_field(sv *rest, sv *ret_name, sv *ret_value)
{
        sv at, line;
        ptrdiff_t colon;

        do {
                at = *rest;
                if (!sv_line(rest, &line))
                        return 0;
        } while (blank(line) || line.p[0] == '#');
        colon = sv_find(line, ':');
        for (ptrdiff_t i = 0; i < colon; i++)
                if (!name_char(line.p[i]))
                        colon = -1;
        if (colon <= 0 || line.p[0] == '-') {
                *rest = at;
                return -1;
        }
        *ret_name = sv_from_to(line, 0, (size_t)colon);
        *ret_value = folded(rest, line.p + colon + 1, line);
        return 1;
}

sv control_get(sv paragraph, const char *name)
{
        sv want = sv_from(name), rest = paragraph, line, key, value;

        while (rest.n) {
                if (rest.n > want.n && rest.p[want.n] == ':' && sv_eq_nocase(sv_from_to(rest, 0, want.n), want))
                        return control_field(&rest, &key, &value) == 1 ? value : (sv){ 0 };
                sv_cut(&rest, '\n', &line);
        }
        return (sv){ 0 };
}

int control_check(sv text, struct err *e)
{
        sv rest = text, name, value, seen[256];
        size_t n = 0;
        int got;

        if (memchr(text.n ? text.p : "", 0, text.n))
                return err_set(e, ERR_INTEGRITY, "a control file holds a NUL byte");
        while ((got = control_field(&rest, &name, &value)) == 1) {
                for (size_t i = 0; i < n; i++)
                        if (sv_eq_nocase(seen[i], name))
                                return err_set(e, ERR_INTEGRITY, "field '%.*s' occurs twice", SV_ARG(name));
                if (n == sizeof(seen) / sizeof(seen[0]))
                        return err_set(e, ERR_INTEGRITY, "a control file has more than 256 fields");
                seen[n++] = name;
        }
        if (got < 0) {
                sv line = { 0 };
                sv_line(&rest, &line);
                return err_set(e, ERR_INTEGRITY, "'%.*s' is not a field of a control file",
                               (int)(line.n < 60 ? line.n : 60), line.p);
        }
        rest = text;
        control_next(&rest, &value);
        if (n == 0 || control_next(&rest, &value))
                return err_set(e, ERR_INTEGRITY, "a control file is not one paragraph");
        return 0;
}

/* --- dependencies */

const char *deb_op_text(enum deb_op op)
{
        static const char *const text[] = { "", "<<", "<=", "=", ">=", ">>" };
        return text[op];
}

bool deb_name_valid(sv name)
{
        if (name.n < 2)
                return false;
        for (size_t i = 0; i < name.n; i++) {
                char c = name.p[i];
                bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                if (!alnum && (i == 0 || (c != '+' && c != '-' && c != '.')))
                        return false;
        }
        return true;
}

/* What follows a name, cut off from the left: (op version), [architectures], <profiles>. */
static bool bracket(sv *rest, char open, char close, sv *ret)
{
        ptrdiff_t at;

        *rest = sv_trim(*rest);
        if (rest->n == 0 || rest->p[0] != open || (at = sv_find(*rest, close)) < 0)
                return false;
        *ret = sv_trim(sv_from_to(*rest, 1, (size_t)at));
        *rest = sv_trim(sv_skip(*rest, (size_t)at + 1));
        return true;
}

static bool read_bound(sv text, struct deb_dep *d)
{
        static const struct {
                const char *text;
                enum deb_op op;
        } ops[] = { { "<<", DEB_LT }, { "<=", DEB_LE }, { ">=", DEB_GE },
                    { ">>", DEB_GT }, { "=", DEB_EQ },  { "<", DEB_LE }, /* deprecated spellings; dpkg reads them so */
                    { ">", DEB_GE } };

        for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
                if (sv_starts(text, sv_from(ops[i].text))) {
                        d->op = ops[i].op;
                        d->version = sv_trim(sv_skip(text, strlen(ops[i].text)));
                        return deb_version_valid(d->version);
                }
        d->op = DEB_EQ; /* "(1.2)" */
        d->version = text;
        return deb_version_valid(text);
}

static bool next_word(sv *rest, sv *ret)
{
        *rest = sv_trim(*rest);
        for (size_t i = 0; i < rest->n; i++)
                if (rest->p[i] == ' ' || rest->p[i] == '\t' || rest->p[i] == '\n') {
                        *ret = sv_from_to(*rest, 0, i);
                        *rest = sv_skip(*rest, i);
                        return true;
                }
        *ret = *rest;
        *rest = (sv){ 0 };
        return ret->n > 0;
}

static bool arch_is(sv pattern, sv arch)
{
        if (sv_eq(pattern, arch) || sv_is(pattern, "any") || sv_is(pattern, "linux-any"))
                return true;
        if (sv_starts(pattern, SV("any-")))
                return sv_eq(sv_skip(pattern, 4), arch);
        return sv_starts(pattern, SV("linux-")) && sv_eq(sv_skip(pattern, 6), arch);
}

/* "[amd64 arm64]": one of them; "[!amd64 !arm64]": none of them. */
static bool arch_holds(sv list, sv arch)
{
        bool holds = false, negative = false;
        sv word;

        while (next_word(&list, &word)) {
                bool no = word.p[0] == '!';
                negative |= no;
                if (arch_is(no ? sv_skip(word, 1) : word, arch))
                        return !no;
        }
        return holds || negative;
}

/* "<!nocheck !cross>": all of them; with no profile set a negated one holds and a plain one does not. */
static bool profile_holds(sv list)
{
        sv word;

        while (next_word(&list, &word))
                if (word.p[0] != '!')
                        return false;
        return true;
}

static bool arch_name(sv arch)
{
        for (size_t i = 0; i < arch.n; i++)
                if ((arch.p[i] < 'a' || arch.p[i] > 'z') && (arch.p[i] < '0' || arch.p[i] > '9') && arch.p[i] != '-')
                        return false;
        return arch.n > 0;
}

static const char *read_dep(sv text, sv arch, struct deb_dep *d, bool *ret_holds)
{
        sv rest = text, part;
        size_t n = 0;
        ptrdiff_t colon;
        bool profiles = false, profile = false;

        *d = (struct deb_dep){ 0 };
        *ret_holds = true;
        while (n < text.n && text.p[n] != ' ' && text.p[n] != '\t' && text.p[n] != '\n' && text.p[n] != '(' &&
               text.p[n] != '[' && text.p[n] != '<')
                n++;
        d->name = sv_from_to(text, 0, n);
        rest = sv_skip(text, n);
        colon = sv_find(d->name, ':');
        if (colon >= 0) {
                d->arch = sv_skip(d->name, (size_t)colon + 1);
                d->name = sv_from_to(d->name, 0, (size_t)colon);
                if (!arch_name(d->arch))
                        return "no architecture follows the colon";
        }
        if (!deb_name_valid(d->name))
                return "the name has a character that package names can't have";
        if (bracket(&rest, '(', ')', &part) && !read_bound(part, d))
                return "the version is not one";
        if (bracket(&rest, '[', ']', &part))
                *ret_holds = arch_holds(part, arch);
        while (bracket(&rest, '<', '>', &part)) {
                profiles = true;
                profile |= profile_holds(part);
        }
        *ret_holds &= !profiles || profile;
        return sv_trim(rest).n ? "something follows that is no version, architecture list or profile" : NULL;
}

static int read_rel(struct arena *a, sv text, sv arch, struct deb_rel *ret, struct err *e)
{
        size_t terms = 1;
        sv rest = text, one;

        for (size_t i = 0; i < text.n; i++)
                terms += text.p[i] == '|';
        *ret = (struct deb_rel){ .alt = arena_array(a, struct deb_dep, terms), .text = text };
        while (sv_cut(&rest, '|', &one)) {
                struct deb_dep d;
                bool holds;
                const char *why = read_dep(sv_trim(one), arch, &d, &holds);

                if (why)
                        return err_set(e, ERR_FAILED, "'%.*s' is not a dependency: %s",
                                       (int)(text.n < 200 ? text.n : 200), text.p, why);
                if (holds)
                        ret->alt[ret->n++] = d;
        }
        return 0;
}

int control_deps(struct arena *a, sv text, sv arch, struct deb_rel **ret, size_t *ret_n, struct err *e)
{
        struct deb_rel *v = NULL;
        size_t n = 0, cap = 0;
        sv rest = text, one;

        while (sv_cut(&rest, ',', &one)) {
                struct deb_rel r;

                one = sv_trim(one);
                if (one.n == 0)
                        continue;
                if (read_rel(a, one, arch, &r, e) < 0)
                        return -(int)e->code;
                if (r.n)
                        *arena_push(a, v, n, cap) = r;
        }
        *ret = v;
        *ret_n = n;
        return 0;
}

void control_dep_write(const struct deb_dep *d, struct buf *out)
{
        buf_add(out, d->name);
        if (d->arch.n)
                buf_fmt(out, ":%.*s", SV_ARG(d->arch));
        if (d->op != DEB_ANY)
                buf_fmt(out, " (%s %.*s)", deb_op_text(d->op), SV_ARG(d->version));
}
