/* Keys that every form of a description has, under names of its own. */
#include "run/job/job_priv.h"

void job_take_name(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_text(r, key, y, &r->s->name);
}

void job_take_display_name(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_text(r, key, y, &r->s->display_name);
}

void job_take_experiment(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_text(r, key, y, &r->s->experiment);
}

void job_take_tags(struct job_read *r, const struct yaml *key, const struct yaml *y)
{
        job_pairs(r, key, y, &r->s->tag, &r->s->n_tag);
}
