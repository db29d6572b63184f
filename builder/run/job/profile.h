/* run/job/profile.h - a compute profile: ~/.config/envbuild/compute.d/NAME.yml ($XDG_CONFIG_HOME/envbuild/compute.d), a YAML map with `type` (a
 * target's name) and that target's keys. A target's own name ("slurm", "podman") is a profile without keys. */
#ifndef RUN_JOB_PROFILE_H
#define RUN_JOB_PROFILE_H

#include "ext/yaml.h"
#include "run/run.h"

struct run_target;
struct run_profile {
        sv name, file; /* file empty: made of a target's name */
        const struct run_target *target;
        const struct yaml *doc; /* NULL: no keys */
};
/** -ERR_USAGE: no such profile or target (hint: the nearest, and those there are), a key that the target does not know (ds). Empty name: local. */
int run_profile_find(struct arena *a, sv name, struct diags *ds, struct run_profile *ret, struct err *e);
/** All profiles of this user, sorted by name; unreadable ones are faults in ds. */
int run_profile_list(struct arena *a, struct diags *ds, struct run_profile **ret, size_t *ret_n, struct err *e);
/** Values of keys that were checked on reading: absent gives the default. Lists of texts: n = 0 when absent. */
sv run_profile_str(const struct run_profile *p, const char *key, sv otherwise);
bool run_profile_bool(const struct run_profile *p, const char *key, bool otherwise);
size_t run_profile_list_of(struct arena *a, const struct run_profile *p, const char *key, sv **ret);

#endif
