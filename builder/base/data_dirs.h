/* base/data_dirs.h - where data that comes with the program is: recipes/, curated/. */
#ifndef BASE_DATA_DIRS_H
#define BASE_DATA_DIRS_H

#include "base/arena.h"
#include "base/sv.h"

/**
 * Folders of such data, in the order in which they are looked in: those of the variable (a ':' list), `name` beside the program or above it
 * (in a usual build tree build/builder/cli/envbuild stands three folders below the sources'), the installed one.
 *
 * @param variable   "ENVBUILD_RECIPES"
 * @param name       "recipes"
 * @param installed  where `meson install` puts it; need not be there
 */
void data_dirs(struct arena *a, const char *variable, const char *name, const char *installed, sv **ret, size_t *ret_n);

#endif
