#include "catalog/conda_index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/map.h"
#include "catalog/conda_record.h"
#include "catalog/conda_scan.h"
#include "ext/hash.h"

#define MAGIC "EBCONDAX"
enum { VERSION = 1, ORDER = 0x01020304, V2 = 1u << 31, ENTRIES_MAX = 4 << 20, RECORD_MAX = 4 << 20 };

struct head { /* then: names + 1, entries, their texts */
        char magic[8];
        uint32_t version, order; /* a machine of another byte order does not know it */
        uint64_t size;           /* of everything, this included */
        uint64_t text_size;
        uint8_t source[32];
        uint32_t n_name, n_entry;
        uint32_t info_at, info_length;
        uint32_t names_size;
        uint32_t crc; /* of everything, itself as 0 */
};
_Static_assert(sizeof(struct head) % 8 == 0 && sizeof(struct conda_index_name) == 8 &&
                       sizeof(struct conda_index_entry) == 12,
               "the file has no holes");

/* --- making --- */

struct name {
        sv text;
        uint32_t no, n; /* entries */
};
struct maker {
        sv text;
        bool mapped;
        size_t forgotten; /* pages before it were given back */
        struct arena arena;
        struct map map;
        struct name **name;
        size_t n_name, cap_name;
        struct conda_index_entry *entry;
        uint32_t *of; /* each entry's name */
        size_t n_entry, cap_entry, cap_of;
        uint32_t info_at, info_length;
        uint64_t names_size;
        struct name *last; /* files of one name mostly stand together */
};

static struct name *name_get(struct maker *m, sv raw)
{
        sv folded;
        struct name *n;

        if (m->last && sv_eq(m->last->text, raw))
                return m->last;
        folded = conda_name_fold(&m->arena, raw);
        if (!folded.n)
                return NULL;
        n = map_get(&m->map, folded);
        if (!n) {
                n = arena_new(&m->arena, struct name);
                n->text = arena_sv(&m->arena, folded);
                n->no = (uint32_t)m->n_name;
                map_put(&m->map, &m->arena, n->text, n);
                m->name = xgrow(m->name, &m->cap_name, m->n_name + 1, sizeof(struct name *));
                m->name[m->n_name++] = n;
                m->names_size += n->text.n;
        }
        return m->last = n;
}

static int on_record(void *arg, const struct conda_found *f, struct err *e)
{
        struct maker *m = arg;
        struct name *n = f->length <= RECORD_MAX ? name_get(m, f->name) : NULL; /* a larger one is no record */

        if (!n)
                return 0;
        if (m->n_entry == ENTRIES_MAX)
                return err_set(e, ERR_LIMIT, "it has more than %d records", ENTRIES_MAX);
        m->entry = xgrow(m->entry, &m->cap_entry, m->n_entry + 1, sizeof(*m->entry));
        m->of = xgrow(m->of, &m->cap_of, m->n_entry + 1, sizeof(*m->of));
        m->of[m->n_entry] = n->no;
        m->entry[m->n_entry++] = (struct conda_index_entry){ f->key, f->record, f->length | (f->v2 ? V2 : 0) };
        n->n++;
        return 0;
}

static void on_info(void *arg, uint32_t at, uint32_t length)
{
        struct maker *m = arg;

        m->info_at = at;
        m->info_length = length;
}

/* A file of 200 MB would otherwise count as memory of ours until it is unmapped. */
static void on_passed(void *arg, uint32_t at)
{
        struct maker *m = arg;
        size_t page = (size_t)sysconf(_SC_PAGESIZE), to = at / page * page;

        if (m->mapped && to > m->forgotten)
                madvise((void *)(uintptr_t)(m->text.p + m->forgotten), to - m->forgotten, MADV_DONTNEED);
        m->forgotten = to;
}

static int by_text(const void *a, const void *b)
{
        return sv_cmp((*(struct name *const *)a)->text, (*(struct name *const *)b)->text);
}

/* Names sorted, entries name by name; within one in the order of the text. */
static void *lay_out(struct maker *m, const sha256 *source, size_t *ret_n)
{
        size_t size = sizeof(struct head) + (m->n_name + 1) * sizeof(struct conda_index_name) +
                      m->n_entry * sizeof(struct conda_index_entry) + (size_t)m->names_size;
        struct head *h = xcalloc(1, size);
        struct conda_index_name *name = (void *)(h + 1);
        struct conda_index_entry *entry = (void *)(name + m->n_name + 1);
        char *text = (char *)(entry + m->n_entry);
        uint32_t *next = xcalloc(m->n_name + 1, sizeof(*next)), at = 0, first = 0;

        *h = (struct head){ .magic = MAGIC,
                            .version = VERSION,
                            .order = ORDER,
                            .size = size,
                            .text_size = m->text.n,
                            .n_name = (uint32_t)m->n_name,
                            .n_entry = (uint32_t)m->n_entry,
                            .info_at = m->info_at,
                            .info_length = m->info_length,
                            .names_size = (uint32_t)m->names_size };
        memcpy(h->source, source->b, sizeof(h->source));
        if (m->n_name)
                qsort(m->name, m->n_name, sizeof(struct name *), by_text);
        for (size_t i = 0; i < m->n_name; i++) {
                name[i] = (struct conda_index_name){ at, first };
                next[m->name[i]->no] = first;
                memcpy(text + at, m->name[i]->text.p, m->name[i]->text.n);
                at += (uint32_t)m->name[i]->text.n;
                first += m->name[i]->n;
        }
        name[m->n_name] = (struct conda_index_name){ at, first };
        for (size_t i = 0; i < m->n_entry; i++)
                entry[next[m->of[i]]++] = m->entry[i];
        h->crc = crc32_add(0, h, size);
        free(next);
        *ret_n = size;
        return h;
}

int conda_index_make(sv text, bool mapped, const sha256 *source, struct op *op, void **ret, size_t *ret_n,
                     struct err *e)
{
        struct maker m = { .text = text, .mapped = mapped };
        struct conda_scan_to to = { .record = on_record, .info = on_info, .passed = on_passed, .arg = &m };
        int r = conda_scan(text, &to, op, e);

        if (r == 0)
                *ret = lay_out(&m, source, ret_n);
        free(m.name);
        free(m.entry);
        free(m.of);
        arena_done(&m.arena);
        return r;
}

/* --- using --- */

bool conda_index_open(sv bytes, uint64_t text_size, const sha256 *source, struct conda_index *ret)
{
        struct head h;
        uint64_t size;
        uint32_t crc;
        const char *p = bytes.p + sizeof(h);

        if (bytes.n < sizeof(h) || (uintptr_t)bytes.p % _Alignof(struct conda_index_entry))
                return false;
        memcpy(&h, bytes.p, sizeof(h));
        crc = h.crc;
        h.crc = 0;
        if (memcmp(h.magic, MAGIC, sizeof(h.magic)) != 0 || h.version != VERSION || h.order != ORDER ||
            h.size != bytes.n || h.text_size != text_size || memcmp(h.source, source->b, sizeof(h.source)) != 0)
                return false;
        size = sizeof(h) + ((uint64_t)h.n_name + 1) * sizeof(struct conda_index_name) +
               (uint64_t)h.n_entry * sizeof(struct conda_index_entry) + h.names_size;
        if (size != bytes.n || (uint64_t)h.info_at + h.info_length > text_size ||
            crc32_add(crc32_add(0, &h, sizeof(h)), p, bytes.n - sizeof(h)) != crc)
                return false;
        *ret = (struct conda_index){ .bytes = bytes, .text_size = text_size, .n_name = h.n_name, .n_entry = h.n_entry };
        ret->name = (const void *)p;
        ret->entry = (const void *)(ret->name + h.n_name + 1);
        ret->names = (sv){ (const char *)(ret->entry + h.n_entry), h.names_size };
        ret->info_at = h.info_at;
        ret->info_length = h.info_length;
        return true;
}

sv conda_index_name(const struct conda_index *x, uint32_t i)
{
        uint32_t from = x->name[i].at, to = x->name[i + 1].at;

        return from <= to ? sv_from_to(x->names, from, to) : (sv){ 0 };
}

bool conda_index_find(const struct conda_index *x, sv name, const struct conda_index_entry **ret, size_t *ret_n)
{
        uint32_t from = 0, to = x->n_name;

        while (from < to) {
                uint32_t i = from + (to - from) / 2;
                int c = sv_cmp(conda_index_name(x, i), name);

                if (c == 0) {
                        uint32_t first = x->name[i].entry, end = x->name[i + 1].entry;

                        if (first > end || end > x->n_entry)
                                return false;
                        *ret = x->entry + first;
                        *ret_n = end - first;
                        return true;
                }
                if (c < 0)
                        from = i + 1;
                else
                        to = i;
        }
        return false;
}

bool conda_index_entry_end(const struct conda_index *x, const struct conda_index_entry *t, uint32_t *ret_end)
{
        uint64_t end = (uint64_t)t->record + (t->length & ~(uint32_t)V2);

        *ret_end = (uint32_t)end;
        return t->key < t->record && end <= x->text_size && end <= UINT32_MAX;
}
