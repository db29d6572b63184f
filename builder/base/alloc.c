#include "base/alloc.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

static void out_of_memory(void)
{
        static const char text[] = "envbuild: out of memory\n";
        ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);
        (void)ignored;
        _exit(1);
}

void *xmalloc(size_t n)
{
        void *p = malloc(n ? n : 1);
        if (!p)
                out_of_memory();
        return p;
}

void *xcalloc(size_t n, size_t size)
{
        void *p = calloc(n ? n : 1, size ? size : 1);
        if (!p)
                out_of_memory();
        return p;
}

void *xrealloc(void *p, size_t n)
{
        p = realloc(p, n ? n : 1);
        if (!p)
                out_of_memory();
        return p;
}

void *xgrow(void *p, size_t *cap, size_t need, size_t size)
{
        size_t n = *cap ? *cap : 8;

        if (need <= *cap)
                return p;
        while (n < need)
                n = n > SIZE_MAX / 2 ? need : n * 2;
        if (size && n > SIZE_MAX / size)
                out_of_memory();
        p = xrealloc(p, n * size);
        *cap = n;
        return p;
}

char *xstrdup(const char *s)
{
        return xstrndup(s, strlen(s));
}

char *xstrndup(const char *s, size_t n)
{
        char *p = xmalloc(n + 1);
        if (n)
                memcpy(p, s, n);
        p[n] = '\0';
        return p;
}

void free_ptr(void *p)
{
        free(*(void **)p);
}

void close_fd(int *fd)
{
        int saved = errno;
        if (*fd >= 0)
                close(*fd);
        *fd = -1;
        errno = saved;
}
