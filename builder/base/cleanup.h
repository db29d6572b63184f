/* base/cleanup.h - any early return is correct.
 * AUTO(fn) runs fn(&variable) when the variable leaves its scope; STEAL hands the value over instead.
 * A clean-up function accepts NULL or a zeroed struct. */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#define AUTO(fn) __attribute__((cleanup(fn)))
#define STEAL(p)                                                                                                       \
        ({                                                                                                             \
                __typeof__(p) s_ = (p);                                                                                \
                (p) = NULL;                                                                                            \
                s_;                                                                                                    \
        })

/** Frees the heap memory that *p (a pointer to a pointer) holds: AUTO(free_ptr) char *text = NULL; */
void free_ptr(void *p);
/** Closes *fd when it is >= 0, keeping errno: AUTO(close_fd) int fd = -1; */
void close_fd(int *fd);

#endif
