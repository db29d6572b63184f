#include "oci/oci_priv.h"

#define DOCKER_ROOTFS  "application/vnd.docker.image.rootfs."
#define OCI_RESTRICTED "application/vnd.oci.image.layer.nondistributable.v1.tar"
#define DOCKER_CONFIG  "application/vnd.docker.container.image.v1+json"

/* Every layer type that is read. The second column is what a manifest of ours calls the same bytes. */
static const struct {
        const char *type, *oci;
        enum oci_codec codec;
} layers[] = {
        { OCI_LAYER, OCI_LAYER, OCI_CODEC_NONE },
        { OCI_LAYER_GZIP, OCI_LAYER_GZIP, OCI_CODEC_GZIP },
        { OCI_LAYER_ZSTD, OCI_LAYER_ZSTD, OCI_CODEC_ZSTD },
        { OCI_RESTRICTED, OCI_RESTRICTED, OCI_CODEC_NONE },
        { OCI_RESTRICTED "+gzip", OCI_RESTRICTED "+gzip", OCI_CODEC_GZIP },
        { OCI_RESTRICTED "+zstd", OCI_RESTRICTED "+zstd", OCI_CODEC_ZSTD },
        { DOCKER_ROOTFS "diff.tar", OCI_LAYER, OCI_CODEC_NONE },
        { DOCKER_ROOTFS "diff.tar.gzip", OCI_LAYER_GZIP, OCI_CODEC_GZIP },
        { DOCKER_ROOTFS "diff.tar.zstd", OCI_LAYER_ZSTD, OCI_CODEC_ZSTD }, /* containerd writes it */
        { DOCKER_ROOTFS "foreign.diff.tar", OCI_RESTRICTED, OCI_CODEC_NONE },
        { DOCKER_ROOTFS "foreign.diff.tar.gzip", OCI_RESTRICTED "+gzip", OCI_CODEC_GZIP },
};

bool oci_layer_codec(sv media_type, enum oci_codec *ret)
{
        for (size_t i = 0; i < ARRAY_LEN(layers); i++)
                if (sv_is(media_type, layers[i].type)) {
                        *ret = layers[i].codec;
                        return true;
                }
        return false;
}

bool oci_layer_foreign(sv media_type)
{
        return sv_starts(oci_type_of_docker(media_type), SV(OCI_RESTRICTED));
}

sv oci_type_of_docker(sv media_type)
{
        if (sv_is(media_type, DOCKER_CONFIG))
                return SV(OCI_CONFIG);
        for (size_t i = 0; i < ARRAY_LEN(layers); i++)
                if (sv_is(media_type, layers[i].type))
                        return sv_from(layers[i].oci);
        return media_type;
}

sv oci_docker_type(sv media_type)
{
        if (sv_is(media_type, OCI_CONFIG) || sv_is(media_type, DOCKER_CONFIG))
                return SV(DOCKER_CONFIG);
        for (size_t i = 0; i < ARRAY_LEN(layers); i++)
                if (sv_starts(sv_from(layers[i].type), SV(DOCKER_ROOTFS)) && layers[i].codec != OCI_CODEC_ZSTD &&
                    (sv_is(media_type, layers[i].type) || sv_is(media_type, layers[i].oci)))
                        return sv_from(layers[i].type);
        return (sv){ 0 };
}

const char *oci_codec_name(enum oci_codec c)
{
        static const char *const v[] = { [OCI_CODEC_NONE] = "none",
                                         [OCI_CODEC_GZIP] = "gzip",
                                         [OCI_CODEC_ZSTD] = "zstd" };
        return v[c];
}

const char *oci_codec_type(enum oci_codec c)
{
        static const char *const v[] = { [OCI_CODEC_NONE] = OCI_LAYER,
                                         [OCI_CODEC_GZIP] = OCI_LAYER_GZIP,
                                         [OCI_CODEC_ZSTD] = OCI_LAYER_ZSTD };
        return v[c];
}
