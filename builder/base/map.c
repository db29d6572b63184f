#include "base/map.h"

static struct map_slot *find(const struct map *m, sv key)
{
        size_t i = (size_t)sv_hash(key) & (m->size - 1);

        while (m->slot[i].value && !sv_eq(m->slot[i].key, key))
                i = (i + 1) & (m->size - 1);
        return &m->slot[i];
}

void *map_get(const struct map *m, sv key)
{
        return m->size ? find(m, key)->value : NULL;
}

void map_put(struct map *m, struct arena *a, sv key, void *value)
{
        struct map_slot *slot;

        if ((m->n + 1) * 4 > m->size * 3) {
                struct map big = { .size = m->size ? m->size * 2 : 16 };
                big.slot = arena_array(a, struct map_slot, big.size);
                for (size_t i = 0; i < m->size; i++)
                        if (m->slot[i].value)
                                *find(&big, m->slot[i].key) = m->slot[i];
                big.n = m->n;
                *m = big;
        }
        slot = find(m, key);
        m->n += !slot->value;
        *slot = (struct map_slot){ key, value };
}
