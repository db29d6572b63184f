/* tree/plan.h - which package goes into which layer (design/layers.md §3, `plan: 1`). A pure function of kind, name and size. */
#ifndef TREE_PLAN_H
#define TREE_PLAN_H

#include "base/arena.h"
#include "base/err.h"
#include "pkg/artifact.h"

#define PLAN_BUDGET 100 /* layers with the base that planning aims at */
#define PLAN_MAX    118 /* more is an error */

struct plan_layer {
        const struct artifact **member; /* one for a layer of its own; bucket members in name order */
        size_t n_member;
        bool bucket;
        uint32_t bucket_no;
        uint32_t part, parts; /* parts > 1: a large package, split */
};
struct plan {
        struct plan_layer *v; /* in image order */
        size_t n, cap;
};

/** Parts of a package of this size: 1, 2, 4 or 8. */
uint32_t plan_parts(uint64_t size);
/** Wheels and conda packages together. n_other: layers that are there besides (base, debs, os, env, last). -ERR_LIMIT above PLAN_MAX. */
int plan_packages(struct arena *a, const struct artifact *v, size_t n, size_t n_other, struct plan *ret, struct err *e);
/** One group of debs (the recipe's, or `apt:`'s). */
void plan_debs(struct arena *a, const struct artifact *const *v, size_t n, struct plan *ret);

#endif
