/* lock/import.h - finished resolutions of other tools, taken as they are (design §3; specs/conda.md §12, §13): conda-lock.yml v1 (and
 * rattler's v3 of it), @EXPLICIT lists, pixi.lock v4 to v7. Pure: text in, a lock without its image half out. Which of them a text is says
 * spec_form_of (spec/spec.h).
 *
 * What such a file does not say stays empty, for image/ to ask: sha256 (all zero) and size (0) of packages, `noarch`, `dists`, `needs` of
 * explicit lists; base, facts, python, virtual packages, created and request of the lock. */
#ifndef LOCK_IMPORT_H
#define LOCK_IMPORT_H

#include "lock/lock.h"
#include "pkg/conda_channel.h"
#include "spec/spec.h"

struct lock_import_opts {
        const sv *
                platform; /* "linux/amd64": only these, and each must be there; none: linux/amd64 and linux/arm64, what there is */
        size_t n_platform;
        sv host;            /* platform of an explicit list that names none, and holds noarch packages only */
        const sv *category; /* conda-lock: besides "main" */
        size_t n_category;
        sv environment;                                /* pixi: empty is "default" */
        const struct conda_channel_settings *settings; /* channel names → URLs; cwd, home: paths in explicit lists */
};

/**
 * @param form  SPEC_FORM_CONDA_LOCK, SPEC_FORM_EXPLICIT or SPEC_FORM_PIXI
 * @param ds    EB120 not YAML · EB122 wrong or missing value · EB123 what cannot be taken over (source packages, sdists, files beside the
 *              lock), and, as a note, what is left out
 * @return 0: name and definition are of the file, platforms and artifacts sorted, `by` filled from who needs whom
 *         · -ERR_USAGE: ds has errors · -ERR_LIMIT
 */
int lock_import(struct arena *a, sv text, sv file, enum spec_form form, const struct lock_import_opts *o,
                struct diags *ds, struct lock **ret, struct err *e);

struct lock_explicit_line {
        uint32_t line;
        sv url, md5, sha256; /* url without the fragment, as written; hex or empty */
};
/** The lines of an @EXPLICIT list, in order, before anything is judged; false: there is no line "@EXPLICIT". */
bool lock_explicit_read(struct arena *a, sv text, struct lock_explicit_line **ret, size_t *ret_n, sv *ret_subdir);

#endif
