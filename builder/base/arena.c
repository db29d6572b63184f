#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define BLOCK_SIZE ((size_t)32 * 1024)

struct arena_block {
        struct arena_block *prev;
        size_t used, size;
        _Alignas(16) unsigned char data[];
};

size_t arena_mul(size_t n, size_t size)
{
        if (size && n > (SIZE_MAX / 4) / size)
                return SIZE_MAX / 2; /* larger than any allocation: xcalloc ends the process */
        return n * size;
}

void *arena_alloc(struct arena *a, size_t size, size_t align)
{
        struct arena_block *b = a->last;
        size_t at = b ? (b->used + align - 1) & ~(align - 1) : 0;

        if (!b || at > b->size || size > b->size - at) {
                size_t want = size > BLOCK_SIZE / 4 ? size : BLOCK_SIZE;
                struct arena_block *fresh = xcalloc(1, sizeof(*fresh) + want);
                fresh->size = want;
                if (b && want != BLOCK_SIZE) { /* a large one goes behind, the half-filled block stays current */
                        fresh->prev = b->prev;
                        b->prev = fresh;
                } else {
                        fresh->prev = b;
                        a->last = fresh;
                }
                b = fresh;
                at = 0;
        }
        b->used = at + size;
        a->bytes += size;
        return b->data + at;
}

char *arena_str(struct arena *a, sv s)
{
        char *p = arena_alloc(a, s.n + 1, 1);
        if (s.n)
                memcpy(p, s.p, s.n);
        return p;
}

sv arena_sv(struct arena *a, sv s)
{
        return (sv){ arena_str(a, s), s.n };
}

sv arena_lower(struct arena *a, sv s)
{
        char *p = arena_str(a, s);

        for (size_t i = 0; i < s.n; i++)
                if (p[i] >= 'A' && p[i] <= 'Z')
                        p[i] = (char)(p[i] - 'A' + 'a');
        return (sv){ p, s.n };
}

sv arena_fmt(struct arena *a, const char *fmt, ...)
{
        va_list ap, again;
        int n;
        char *p;

        va_start(ap, fmt);
        va_copy(again, ap);
        n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        p = arena_alloc(a, (size_t)(n < 0 ? 0 : n) + 1, 1);
        if (n > 0)
                vsnprintf(p, (size_t)n + 1, fmt, again);
        va_end(again);
        return (sv){ p, (size_t)(n < 0 ? 0 : n) };
}

void *arena_regrow(struct arena *a, const void *p, size_t n, size_t *cap, size_t size)
{
        size_t want = *cap ? *cap * 2 : 8;
        void *fresh = arena_alloc(a, arena_mul(want, size), 16);
        if (n)
                memcpy(fresh, p, n * size);
        *cap = want;
        return fresh;
}

void arena_done(struct arena *a)
{
        struct arena_block *b = a->last;
        while (b) {
                struct arena_block *prev = b->prev;
                free(b);
                b = prev;
        }
        *a = (struct arena){ 0 };
}

void arena_wipe(struct arena *a)
{
        for (struct arena_block *b = a->last; b; b = b->prev)
                explicit_bzero(b->data, b->used);
        arena_done(a);
}
