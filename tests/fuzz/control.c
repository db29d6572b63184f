/* Control files: every walk ends inside the text, and a dependency that was read is read again from what was written. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "pkg/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void deps(sv text)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(arena_done) struct arena a = { 0 };
        struct deb_rel *r, *again;
        size_t k, k_again;

        if (control_deps(&a, text, SV("amd64"), &r, &k, &e) < 0)
                return;
        for (size_t i = 0; i < k; i++) {
                AUTO(buf_done) struct buf out = BUF_INIT(1 << 20);

                control_dep_write(&r[i].alt[0], &out);
                if (control_deps(&a, buf_sv(&out), SV("amd64"), &again, &k_again, &e) < 0 || k_again != 1)
                        abort();
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(err_done) struct err e = { 0 };
        sv text = { (const char *)p, n }, rest = text, paragraph;

        while (control_next(&rest, &paragraph)) {
                sv left = paragraph, name, value;

                if (paragraph.n == 0 || paragraph.p < text.p || paragraph.p + paragraph.n > text.p + text.n)
                        abort();
                while (control_field(&left, &name, &value) == 1)
                        deps(value);
                (void)control_get(paragraph, "Depends");
        }
        (void)control_check(text, &e);
        return 0;
}
