/* Progress: bars on a terminal, a line a fact elsewhere, JSON lines for programs. Events come from any thread. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/app.h"
#include "ext/json.h"

#define MAX_ROWS  8  /* things under way that are drawn; the rest is counted */
#define REDRAW_MS 80 /* no faster than the eye */

static const char *const phase_name[] = {
        [OP_READ] = "read",   [OP_RESOLVE] = "resolve", [OP_FETCH] = "fetch",
        [OP_LAYER] = "layer", [OP_IMAGE] = "image",     [OP_UNPACK] = "unpack",
        [OP_PUSH] = "push",   [OP_NOTE] = "note",       [OP_WARN] = "warning",
};
static const char *const doing[] = {
        [OP_READ] = "Reading",  [OP_RESOLVE] = "Resolving", [OP_FETCH] = "Fetching",
        [OP_LAYER] = "Packing", [OP_IMAGE] = "Writing",     [OP_UNPACK] = "Unpacking",
        [OP_PUSH] = "Pushing",  [OP_NOTE] = "Note",         [OP_WARN] = "Warning",
};
static const char *const done_word[] = {
        [OP_READ] = "Read",    [OP_RESOLVE] = "Resolved", [OP_FETCH] = "Fetched",
        [OP_LAYER] = "Packed", [OP_IMAGE] = "Wrote",      [OP_UNPACK] = "Unpacked",
        [OP_PUSH] = "Pushed",  [OP_NOTE] = "Note",        [OP_WARN] = "Warning",
};

struct row {
        enum op_phase phase;
        char *subject;
        uint64_t done, total;
};
struct progress {
        pthread_mutex_t lock;
        enum progress_kind kind;
        bool colour, verbose;
        struct row *row; /* under way */
        size_t n, cap;
        unsigned drawn; /* lines on the screen that are ours */
        int64_t last_ms;
};

static struct row *find(struct progress *p, const struct op_event *ev)
{
        for (size_t i = 0; i < p->n; i++)
                if (p->row[i].phase == ev->phase && sv_is(ev->subject, p->row[i].subject))
                        return &p->row[i];
        return NULL;
}

static void erase(struct progress *p)
{
        if (p->drawn)
                fprintf(stderr, "\033[%uA\033[J", p->drawn);
        p->drawn = 0;
}

static unsigned width(void)
{
        struct winsize ws;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col >= 20 ? ws.ws_col : 80;
}

/* Cuts at `cols` bytes, not inside a UTF-8 sequence: a wrapped line would break the count of lines. */
static void put_cut(const char *line, unsigned cols)
{
        size_t n = strlen(line);

        if (n > cols) {
                n = cols;
                while (n && ((unsigned char)line[n] & 0xc0) == 0x80)
                        n--;
        }
        fprintf(stderr, "%.*s\n", (int)n, line);
}

static void draw_row(const struct row *r, unsigned cols)
{
        char line[512], a[16], b[16];
        int n = snprintf(line, sizeof(line), "%10s %-32.200s", doing[r->phase], r->subject);

        if (n < 0 || (size_t)n >= sizeof(line))
                n = (int)strlen(line);
        if (r->total && r->phase != OP_RESOLVE) {
                unsigned full = (unsigned)(r->done >= r->total ? 20 : r->done * 20 / r->total);
                snprintf(line + n, sizeof(line) - (size_t)n, " [%.*s%.*s] %s / %s", (int)full,
                         "====================", (int)(20 - full), "                    ", ui_size(r->done, a),
                         ui_size(r->total, b));
        } else if (r->done && r->phase == OP_RESOLVE) {
                snprintf(line + n, sizeof(line) - (size_t)n, " %llu packages looked at", (unsigned long long)r->done);
        } else if (r->done) {
                snprintf(line + n, sizeof(line) - (size_t)n, " %s", ui_size(r->done, a));
        }
        put_cut(line, cols);
}

static void draw(struct progress *p, bool now)
{
        unsigned cols = width() - 1;
        int64_t t = clock_ms();

        if (!now && t - p->last_ms < REDRAW_MS)
                return;
        p->last_ms = t;
        erase(p);
        for (size_t i = 0; i < p->n && i < MAX_ROWS; i++, p->drawn++)
                draw_row(&p->row[i], cols);
        if (p->n > MAX_ROWS) {
                fprintf(stderr, "%10s %zu more\n", "and", p->n - MAX_ROWS);
                p->drawn++;
        }
        fflush(stderr);
}

static void fact_line(struct progress *p, const struct op_event *ev)
{
        const char *colour = !p->colour             ? ""
                             : ev->phase == OP_WARN ? "\033[1;33m"
                                                    : "\033[32m",
                   *off = p->colour ? "\033[0m" : "";
        char size[16];

        if (ev->phase == OP_NOTE || ev->phase == OP_WARN)
                fprintf(stderr, "%s%s:%s %.*s\n", colour, phase_name[ev->phase], off, SV_ARG(ev->subject));
        else if (ev->total && ev->phase != OP_RESOLVE)
                fprintf(stderr, "%s%10s%s %.*s (%s)\n", colour, done_word[ev->phase], off, SV_ARG(ev->subject),
                        ui_size(ev->total, size));
        else
                fprintf(stderr, "%s%10s%s %.*s\n", colour, done_word[ev->phase], off, SV_ARG(ev->subject));
}

static void json_line(const struct op_event *ev)
{
        static const char *const state[] = { [OP_BEGIN] = "begin", [OP_STEP] = "step", [OP_END] = "end" };
        AUTO(buf_done) struct buf b = BUF_INIT(65536);

        buf_fmt(&b, "{\"phase\":\"%s\",\"state\":\"%s\",\"subject\":", phase_name[ev->phase], state[ev->state]);
        js_write_str(ev->subject, &b);
        buf_fmt(&b, ",\"done\":%llu,\"total\":%llu}\n", (unsigned long long)ev->done, (unsigned long long)ev->total);
        fwrite(b.p, 1, b.n, stderr);
}

static void update(struct progress *p, const struct op_event *ev)
{
        struct row *r = find(p, ev);

        if (ev->state == OP_END) {
                if (r) {
                        free(r->subject);
                        *r = p->row[--p->n];
                }
                return;
        }
        if (!r) {
                p->row = xgrow(p->row, &p->cap, p->n + 1, sizeof(*p->row));
                r = &p->row[p->n++];
                *r = (struct row){ .phase = ev->phase, .subject = xstrndup(ev->subject.p, ev->subject.n) };
        }
        r->done = ev->done;
        r->total = ev->total;
}

static void on_event(void *arg, const struct op_event *ev)
{
        struct progress *p = arg;
        bool fact = ev->state == OP_END;

        pthread_mutex_lock(&p->lock);
        switch (p->kind) {
        case PROGRESS_JSON:
                json_line(ev);
                break;
        case PROGRESS_QUIET:
                if (ev->phase == OP_WARN)
                        fact_line(p, ev);
                break;
        case PROGRESS_PLAIN:
                if (fact && (p->verbose || ev->phase != OP_READ))
                        fact_line(p, ev);
                break;
        case PROGRESS_TTY:
                update(p, ev);
                if (fact && (p->verbose || ev->phase != OP_READ)) {
                        erase(p);
                        fact_line(p, ev);
                }
                draw(p, fact || ev->state == OP_BEGIN);
                break;
        }
        pthread_mutex_unlock(&p->lock);
}

struct progress *progress_new(struct app *app, enum progress_kind kind)
{
        struct progress *p = xcalloc(1, sizeof(*p));

        pthread_mutex_init(&p->lock, NULL);
        p->kind = kind;
        p->colour = app->colour;
        p->verbose = app->opt_verbose;
        app->op.event = on_event;
        app->op.arg = p;
        return p;
}

void progress_pause(struct progress *p)
{
        if (!p)
                return;
        pthread_mutex_lock(&p->lock);
        if (p->kind == PROGRESS_TTY)
                erase(p);
        fflush(stderr);
        pthread_mutex_unlock(&p->lock);
}

void progress_free(struct progress *p)
{
        if (!p)
                return;
        progress_pause(p);
        for (size_t i = 0; i < p->n; i++)
                free(p->row[i].subject);
        free(p->row);
        pthread_mutex_destroy(&p->lock);
        free(p);
}
