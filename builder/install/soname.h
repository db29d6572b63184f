/* install/soname.h - what ldconfig reads of a shared library: class, machine, soname. From a file that passes by as a stream: its first
 * bytes are kept, its dynamic section is caught when it comes. Pure. */
#ifndef INSTALL_SONAME_H
#define INSTALL_SONAME_H

#include "base/arena.h"
#include "base/sv.h"

struct elf_catch {
        struct arena *a;
        char *head; /* first bytes, at most ELF_HEAD_MAX */
        size_t n_head, cap_head;
        uint64_t at; /* bytes that have passed */
        bool looked; /* program headers were read */
        bool valid;  /* an ELF file of this machine's kind with a dynamic section */
        uint64_t dyn_at, dyn_size;
        char *dyn;
        uint64_t n_dyn;
        uint16_t machine;
};
#define ELF_HEAD_MAX ((size_t)16 << 20)
#define ELF_DYN_MAX  ((size_t)1 << 20)

/** A zeroed catch with `a` set; the head buffer is kept between files when elf_begin is called again. */
void elf_begin(struct elf_catch *c);
void elf_feed(struct elf_catch *c, const void *p, size_t n);
/** True when it was a 64-bit little-endian shared object with a dynamic section; *ret_soname (in the arena) is empty when it names none. */
bool elf_end(struct elf_catch *c, sv *ret_soname, uint16_t *ret_machine);
void elf_done(struct elf_catch *c);

#define ELF_X86_64  62
#define ELF_AARCH64 183

#endif
