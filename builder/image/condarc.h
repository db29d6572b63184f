/* stand-in until crules lands */
#ifndef IMAGE_CONDARC_H
#define IMAGE_CONDARC_H
#include "catalog/conda_channels.h"
#include "pkg/conda_channel.h"
struct condarc {
        struct conda_channel_settings settings;
        sv *channels;
        size_t n_channels;
        struct conda_mirror *mirror;
        size_t n_mirror;
        sv priority;
        sv *from;
        size_t n_from;
};
int condarc_load(struct arena *a, struct condarc *ret, struct err *e);
#endif
