/* tests/cases/story.h - what every runner of stories does: run each file, compare what came with what it expects, or (--show) print it in
 * the form in which a story holds it. */
#ifndef TESTS_CASES_STORY_H
#define TESTS_CASES_STORY_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

static inline bool story_judge(const char *path, bool show, sv want_kind, sv want, const char *kind,
                               const struct buf *out)
{
        if (show) {
                printf("@expect%s%s\n%.*s", *kind ? " " : "", kind, (int)out->n, out->p ? out->p : "");
                return true;
        }
        if (sv_is(want_kind, kind) && sv_eq(want, buf_sv(out)))
                return true;
        printf("%s: expected%s%.*s\n%.*sbut got %s\n%.*s", path, want_kind.n ? " " : "", SV_ARG(want_kind),
               SV_ARG(want), kind, (int)out->n, out->p ? out->p : "");
        return false;
}

static inline int stories_main(int argc, char **argv, bool (*run)(const char *path, bool show))
{
        bool show = argc > 1 && strcmp(argv[1], "--show") == 0;
        int passed = 0, failed = 0;

        for (int i = 1 + show; i < argc; i++)
                if (run(argv[i], show))
                        passed++;
                else
                        failed++;
        if (!show)
                printf("%d passed, %d failed\n", passed, failed);
        return failed || passed == 0;
}

#endif
