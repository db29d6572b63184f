/* What a registry answers: index, manifest and config in one input, NUL between them. What is accepted fits together. */
#include <stdint.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "registry/pull.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void index_of(struct arena *a, sv text)
{
        AUTO(err_done) struct err e = { 0 };
        AUTO(err_done) struct err none = { 0 };
        const struct oci_desc *d;
        struct oci_index x;

        if (oci_index_parse(a, text, "fuzz", &x, &e) < 0)
                return;
        reg_index_platforms(a, &x);
        if (reg_index_pick(&x, SV("linux/amd64"), SV("fuzz"), a, &d, &e) == 0 &&
            reg_index_pick(&x, (sv){ 0 }, SV("fuzz"), a, &d, &none) < 0)
                abort(); /* what has one for a platform has a first one */
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
        AUTO(arena_done) struct arena a = { 0 };
        AUTO(err_done) struct err e = { 0 };
        struct reg_image x = { .name = SV("fuzz") };
        sv rest = { (const char *)p, n }, index;

        if (!sv_cut(&rest, '\0', &index))
                return 0;
        index_of(&a, index);
        if (!sv_cut(&rest, '\0', &x.manifest.bytes))
                return 0;
        x.config_text = rest;
        if (reg_image_check(&x, SV("linux/amd64"), &a, &e) < 0)
                return 0;
        if (x.m.n_layer != x.config.n_diff_id)
                abort();
        for (size_t i = 0; i < x.m.n_layer; i++) {
                enum oci_codec codec;
                if (!oci_layer_codec(x.m.layer[i].media_type, &codec))
                        abort();
        }
        return 0;
}
