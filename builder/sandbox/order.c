/* sandbox/order.c - what the child is told. A text in a descriptor and not arguments, since the environment may hold secrets and everybody
 * can read a command line. Each item: a letter, a text, NUL. */
#include "sandbox/sandbox_priv.h"

#include <string.h>

void sandbox_order_add(struct buf *out, char kind, const char *text)
{
        buf_byte(out, kind);
        buf_add(out, sv_from(text));
        buf_byte(out, '\0');
}

/* The first two always. */
static bool is_terminal(const char *text)
{
        return strcmp(text, "01") == 0 || strcmp(text, "012") == 0;
}

static bool add(struct sandbox_order *o, char kind, const char *text)
{
        switch (kind) {
        case 'L':
                *arena_push(&o->arena, o->layer, o->n_layer, o->cap_layer) = text;
                return true;
        case 'A':
                *arena_push(&o->arena, o->argv, o->n_argv, o->cap_argv) = text;
                return true;
        case 'E':
                *arena_push(&o->arena, o->env, o->n_env, o->cap_env) = text;
                return true;
        case 'B':
                *arena_push(&o->arena, o->bind, o->n_bind, o->cap_bind) = text;
                o->n_bind_rw++;
                return true;
        case 'b':
                *arena_push(&o->arena, o->bind, o->n_bind, o->cap_bind) = text;
                return true;
        case 'O':
                *arena_push(&o->arena, o->own, o->n_own, o->cap_own) = text;
                return true;
        case 'S':
                o->shm_size = text;
                return true;
        case 'H':
                o->passwd = true;
                return true;
        case 'W':
                o->workdir = text;
                return true;
        case 'U':
                o->user = text;
                return true;
        case 'X':
                o->bwrap = text;
                return true;
        case 'P':
                o->place = text;
                return true;
        case 'R':
                o->parent = text;
                return true;
        case 'T':
                o->terminal = text;
                return is_terminal(text);
        case 'N':
                o->network = true;
                return true;
        default:
                return false;
        }
}

bool sandbox_order_read(sv text, struct sandbox_order *ret)
{
        struct sandbox_order o = { 0 };
        sv rest = { arena_str(&o.arena, text), text.n }, item;

        while (sv_cut(&rest, '\0', &item))
                if (item.n == 0 || !add(&o, item.p[0], item.p + 1)) {
                        arena_done(&o.arena);
                        return false;
                }
        if (!o.n_layer || !o.n_argv || o.n_bind % 2 || o.n_bind_rw % 2 || !o.workdir || !o.user || !o.bwrap ||
            !o.place || !o.parent) {
                arena_done(&o.arena);
                return false;
        }
        *ret = o;
        return true;
}
