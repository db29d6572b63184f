/* base/map.h - text → pointer, in an arena. Keys are borrowed: they must live as long as the map. Open addressing; never shrinks.
 * Iterate your own array, not the map: nothing here has an order. A zeroed struct is an empty map. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"
#include "base/sv.h"

struct map {
        struct map_slot {
                sv key;
                void *value; /* NULL: free */
        } *slot;
        size_t n, size;
};

/** The value, or NULL. */
void *map_get(const struct map *m, sv key);
/** Sets or replaces; value is not NULL. */
void map_put(struct map *m, struct arena *a, sv key, void *value);

#endif
