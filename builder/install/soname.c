#include "install/soname.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

#define FIRST_LOOK 4096 /* program headers stand right behind the ELF header */

void elf_begin(struct elf_catch *c)
{
        c->n_head = 0;
        c->at = c->dyn_at = c->dyn_size = c->n_dyn = 0;
        c->looked = c->valid = false;
        free(c->dyn);
        c->dyn = NULL;
}

static bool header(const struct elf_catch *c, Elf64_Ehdr *ret)
{
        if (c->n_head < sizeof(*ret))
                return false;
        memcpy(ret, c->head, sizeof(*ret));
        return memcmp(ret->e_ident, ELFMAG, SELFMAG) == 0 && ret->e_ident[EI_CLASS] == ELFCLASS64 &&
               ret->e_ident[EI_DATA] == ELFDATA2LSB && ret->e_type == ET_DYN &&
               ret->e_phentsize == sizeof(Elf64_Phdr) && ret->e_phoff <= c->n_head &&
               ret->e_phnum <= (c->n_head - ret->e_phoff) / sizeof(Elf64_Phdr);
}

static Elf64_Phdr program_header(const struct elf_catch *c, const Elf64_Ehdr *h, unsigned i)
{
        Elf64_Phdr p;
        memcpy(&p, c->head + h->e_phoff + i * sizeof(p), sizeof(p));
        return p;
}

static void look(struct elf_catch *c)
{
        Elf64_Ehdr h;

        c->looked = true;
        if (!header(c, &h))
                return;
        c->machine = h.e_machine;
        for (unsigned i = 0; i < h.e_phnum; i++) {
                Elf64_Phdr p = program_header(c, &h, i);
                if (p.p_type == PT_DYNAMIC && p.p_filesz <= ELF_DYN_MAX) {
                        c->dyn_at = p.p_offset;
                        c->dyn_size = p.p_filesz;
                        c->valid = c->dyn_size > 0;
                }
        }
        if (c->valid)
                c->dyn = xmalloc((size_t)c->dyn_size);
}

/* The part of [at, at + n) that lies in the dynamic section. */
static void catch_dyn(struct elf_catch *c, uint64_t at, const char *p, size_t n)
{
        uint64_t from = at > c->dyn_at ? at : c->dyn_at;
        uint64_t to = at + n < c->dyn_at + c->dyn_size ? at + n : c->dyn_at + c->dyn_size;

        if (!c->valid || from >= to || from - c->dyn_at != c->n_dyn)
                return;
        memcpy(c->dyn + c->n_dyn, p + (from - at), (size_t)(to - from));
        c->n_dyn += to - from;
}

void elf_feed(struct elf_catch *c, const void *p, size_t n)
{
        size_t keep = n < ELF_HEAD_MAX - c->n_head ? n : ELF_HEAD_MAX - c->n_head;
        bool first = !c->looked;

        if (keep && (c->looked ? c->valid : true)) {
                c->head = xgrow(c->head, &c->cap_head, c->n_head + keep, 1);
                memcpy(c->head + c->n_head, p, keep);
                c->n_head += keep;
        }
        if (first && c->n_head >= FIRST_LOOK) {
                look(c);
                if (c->valid) /* the section may lie in what passed before the look */
                        catch_dyn(c, 0, c->head, c->n_head);
        } else if (!first) {
                catch_dyn(c, c->at, p, n);
        }
        c->at += n;
}

static uint64_t dyn_value(const struct elf_catch *c, int64_t tag, bool *ret_there)
{
        Elf64_Dyn d;

        for (uint64_t i = 0; i + sizeof(d) <= c->n_dyn; i += sizeof(d)) {
                memcpy(&d, c->dyn + i, sizeof(d));
                if (d.d_tag == DT_NULL)
                        break;
                if (d.d_tag == tag) {
                        *ret_there = true;
                        return d.d_un.d_val;
                }
        }
        *ret_there = false;
        return 0;
}

/* Where an address of the loaded file stands in it. */
static bool offset_of(const struct elf_catch *c, uint64_t address, uint64_t *ret)
{
        Elf64_Ehdr h;

        if (!header(c, &h))
                return false;
        for (unsigned i = 0; i < h.e_phnum; i++) {
                Elf64_Phdr p = program_header(c, &h, i);
                if (p.p_type == PT_LOAD && address >= p.p_vaddr && address - p.p_vaddr < p.p_filesz) {
                        *ret = p.p_offset + (address - p.p_vaddr);
                        return *ret >= p.p_offset;
                }
        }
        return false;
}

bool elf_end(struct elf_catch *c, sv *ret_soname, uint16_t *ret_machine)
{
        bool has_name, has_table;
        uint64_t name, table, at;
        const char *end;

        *ret_soname = (sv){ 0 };
        if (!c->looked)
                look(c);
        if (c->valid && c->n_dyn == 0)
                catch_dyn(c, 0, c->head, c->n_head);
        if (!c->valid || c->n_dyn < c->dyn_size)
                return false;
        *ret_machine = c->machine;
        name = dyn_value(c, DT_SONAME, &has_name);
        table = dyn_value(c, DT_STRTAB, &has_table);
        if (!has_name || !has_table || !offset_of(c, table, &at) || at > c->n_head || name >= c->n_head - at)
                return true;
        at += name;
        end = memchr(c->head + at, 0, c->n_head - (size_t)at);
        if (end && end - (c->head + at) < 256)
                *ret_soname = arena_sv(c->a, (sv){ c->head + at, (size_t)(end - (c->head + at)) });
        return true;
}

void elf_done(struct elf_catch *c)
{
        free(c->head);
        free(c->dyn);
        *c = (struct elf_catch){ 0 };
}
