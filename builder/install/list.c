#include <stdlib.h>

#include "base/alloc.h"
#include "install/install.h"

struct list_source {
        struct entry_source s;
        struct entry *entry;
        const struct content *content;
        size_t n, at;
};

static int list_next(struct entry_source *s, struct entry **ret, struct content *ret_content, struct err *e)
{
        struct list_source *l = (struct list_source *)s;

        (void)e;
        if (l->at == l->n)
                return 0;
        *ret = &l->entry[l->at];
        *ret_content = l->content[l->at++];
        return 1;
}

static int list_rewind(struct entry_source *s, struct err *e)
{
        (void)e;
        ((struct list_source *)s)->at = 0;
        return 0;
}

static void list_free(struct entry_source *s)
{
        free(s);
}

struct entry_source *install_list(struct entry *entry, const struct content *content, size_t n)
{
        static const struct entry_source_ops ops = { list_next, list_rewind, list_free };
        struct list_source *l = xcalloc(1, sizeof(*l));

        *l = (struct list_source){ { &ops }, entry, content, n, 0 };
        return &l->s;
}
