/* tests/tools/deb_scripts.c - says of each .deb which maintainer scripts an effects file would have to know:
 *   deb_scripts recipes/effects/trixie.yml FILE.deb…
 * Prints a line "package arch script sha256 state" for each script that is not void: alternatives, listed, or UNKNOWN with the first line
 * that is not known. Exit 1 when one is UNKNOWN. With -x DIR the unknown ones are written to DIR/package.script. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "ext/hash.h"
#include "install/effects.h"
#include "install/deb.h"

static int one_script(const struct effects *x, const struct deb_control *c, const char *name, const char *dir, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        sv text = deb_control_file(c, name);
        sha256 d = sha256_of(text);
        struct deb_script s;

        deb_script_read(&a, sv_from(name), text, &s);
        if (s.kind == SCRIPT_VOID)
                return 0;
        printf("%.*s %.*s %s %s ", SV_ARG(c->name), SV_ARG(c->arch), name, sha256_hex(&d).s);
        if (s.kind == SCRIPT_ALTERNATIVES) {
                puts("alternatives");
        } else if (effects_knows(effects_find(x, c->name), sv_from(name), &d)) {
                puts("listed");
        } else {
                printf("UNKNOWN: %.*s\n", SV_ARG(s.line));
                if (dir) {
                        AUTO(free_ptr) char *path = fs_path("%s/%.*s.%.*s.%s", dir, SV_ARG(c->name), SV_ARG(c->arch), name);
                        fs_write(path, text, 0644, e);
                }
                return 1;
        }
        return 0;
}

static int one_deb(const struct effects *x, const char *path, const char *dir, struct err *e)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(fs_map_close) struct fs_map m = { 0 };
        struct deb_parts parts;
        struct deb_control c;

        if (fs_map_open(path, &m, e) < 0 || deb_split((sv){ (const char *)m.p, m.n }, &parts, e) < 0 ||
            deb_control_read(&a, parts.control, &c, e) < 0)
                return -1;
        return one_script(x, &c, "preinst", dir, e) + one_script(x, &c, "postinst", dir, e);
}

int main(int argc, char **argv)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(buf_done) struct buf text = BUF_INIT(EFFECTS_MAX);
        AUTO(diags_done) struct diags ds = { 0 };
        const char *dir = argc > 2 && strcmp(argv[1], "-x") == 0 ? argv[2] : NULL;
        int first = dir ? 3 : 1, unknown = 0;
        struct effects *x = NULL;

        if (argc <= first + 1) {
                fprintf(stderr, "usage: deb_scripts [-x DIR] EFFECTS.yml FILE.deb...\n");
                return 2;
        }
        if (fs_read(argv[first], &text, &e) == 0)
                effects_parse(&a, buf_sv(&text), sv_from(argv[first]), SV("amd64"), &ds, &x, &e);
        for (int i = first + 1; i < argc && !e.cause; i++)
                unknown += one_deb(x, argv[i], dir, &e);
        for (size_t i = 0; i < ds.n; i++)
                fprintf(stderr, "%.*s:%u:%u: %s %.*s\n", SV_ARG(ds.v[i].file), ds.v[i].line, ds.v[i].col, ds.v[i].code, SV_ARG(ds.v[i].text));
        if (e.cause)
                fprintf(stderr, "%s\n%s", e.cause, e.trail ? e.trail : "");
        return e.cause ? 2 : unknown > 0;
}
