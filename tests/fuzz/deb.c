/* .deb archives: any bytes end in entries with safe paths, or in an error. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "install/deb_info.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void walk(struct entry_source *s, struct err *e)
{
        struct entry *en;
        struct content c;
        const char *why;
        char piece[512];
        size_t got = 0;

        while (s->ops->next(s, &en, &c, e) == 1) {
                if (!entry_path_safe(en->path, &why))
                        abort();
                while (c.kind == CONTENT_STREAM && c.read(c.arg, piece, sizeof(piece), &got, e) == 0 && got)
                        ;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(diags_done) struct diags ds = { 0 };
        AUTO(err_done) struct err e = { 0 };
        AUTO(entry_source_freep) struct entry_source *s = NULL;
        sv bytes = { (const char *)p, n }, all = SV("usr/");
        struct artifact art = { .kind = ARTIFACT_DEB };
        struct deb_parts parts;
        struct deb_control c = { 0 };
        struct deb_info info;

        if (deb_split(bytes, &parts, &e) < 0 || deb_control_read(&a, parts.control, &c, &e) < 0)
                return 0;
        art.name = c.name;
        art.version = c.version;
        art.arch = c.arch;
        if (install_deb(&art, bytes, &(struct install_ctx){ .usrmerged = true }, &ds, &s, &e) == 0)
                walk(s, &e);
        err_done(&e);
        (void)deb_info_read(&a, &art, bytes, true, &(struct deb_want){ &all, 1 }, &info, &e);
        return 0;
}
