#include <string.h>

#include "net/net_priv.h"

/* What one try receives: called by the transport, on the I/O thread. */

void net_answer_reset(struct net_job *j)
{
        arena_done(&j->got);
        j->header = NULL;
        j->n_header = j->cap_header = j->header_bytes = 0;
        j->status = 0;
        j->begun_body = j->unread = false;
        j->skip = j->passed = 0;
        buf_clear(&j->body);
}

sv net_answer_header(const struct net_job *j, const char *name)
{
        for (size_t i = j->n_header; i--;)
                if (sv_is(j->header[i].name, name))
                        return j->header[i].value;
        return (sv){ 0 };
}

/* "HTTP/1.1 200 OK"; 0: it is not one. */
static long status_of(sv line)
{
        ptrdiff_t blank = sv_find(line, ' ');
        uint64_t status;

        return blank >= 0 && sv_u64(sv_from_to(line, (size_t)blank + 1, (size_t)blank + 4), &status) ? (long)status : 0;
}

bool net_on_header(void *arg, const char *p, size_t n)
{
        struct net_job *j = arg;
        sv line = { p, n };
        ptrdiff_t colon = sv_find(line, ':');
        sv name;

        if (sv_starts(line, SV("HTTP/"))) { /* also after a 1xx */
                net_answer_reset(j);
                j->status = status_of(line);
                return true;
        }
        if ((j->header_bytes += n) > NET_HEADERS_MAX)
                return err_set(&j->err, ERR_LIMIT, "'%.*s' sends more than %d KiB of headers",
                               SV_ARG(url_masked(&j->asked, j->url)), NET_HEADERS_MAX >> 10) > 0;
        if (colon <= 0)
                return true;
        name = arena_lower(&j->got, sv_trim(sv_from_to(line, 0, (size_t)colon)));
        *arena_push(&j->got, j->header, j->n_header, j->cap_header) =
                (struct net_header){ name, arena_sv(&j->got, sv_trim(sv_skip(line, (size_t)colon + 1))) };
        return true;
}

/* What identifies the bytes: a strong ETag, else the date. */
static sv validator_of(const struct net_job *j)
{
        sv tag = net_answer_header(j, "etag");

        return tag.n && !sv_starts(tag, SV("W/")) ? tag : net_answer_header(j, "last-modified");
}

/* "bytes 100-199/1000" */
static bool content_range(sv v, uint64_t *ret_from)
{
        sv n;

        return sv_starts(v, SV("bytes ")) && (v = sv_skip(v, 6), sv_cut(&v, '-', &n)) && sv_u64(sv_trim(n), ret_from);
}

uint64_t net_first_byte(const struct net_job *j)
{
        return j->r.has_range && !j->r.range_last ? j->r.from : 0;
}

/* The first bytes of a try that resumes: do they continue what `into` has? */
static bool fits_resume(struct net_job *j)
{
        uint64_t from;

        if (!sv_eq(validator_of(j), j->validator))
                return false; /* the file changed meanwhile */
        if (j->status == 206)
                return content_range(net_answer_header(j, "content-range"), &from) &&
                       from == net_first_byte(j) + j->received;
        j->skip = j->received + net_first_byte(j); /* ranges are not served: pass over what is here already */
        return true;
}

/* The first bytes of a range without an end: are they the ones that were asked for? */
static bool fits_open_range(struct net_job *j)
{
        uint64_t from;

        if (j->status == 200) {
                j->skip = j->r.from;
                return true;
        }
        if (content_range(net_answer_header(j, "content-range"), &from) && from == j->r.from)
                return true;
        return err_set(&j->err, ERR_NET, "'%.*s' answered with another range than the one from byte %llu",
                       SV_ARG(url_masked(&j->asked, j->url)), (unsigned long long)j->r.from) > 0;
}

static bool begin_body(struct net_job *j)
{
        bool skips = j->r.has_range && j->r.range_open && j->status == 200;
        uint64_t length;

        j->begun_body = true;
        if (j->status != 200 && j->status != 206)
                return true;
        if (j->status == 200 && j->r.has_range &&
            !j->r.into) { /* a range was asked, everything comes: 800 MB perhaps */
                j->unread = true;
                return false;
        }
        if (!j->r.into)
                return true;
        if (j->received > 0 && !fits_resume(j)) {
                j->no_resume = true;
                return false;
        }
        if (j->received == 0) {
                j->validator = arena_sv(&j->asked, validator_of(j));
                if (!j->expect && sv_u64(net_answer_header(j, "content-length"), &length))
                        j->expect = length - (skips && length > j->r.from ? j->r.from : 0);
                if (j->r.has_range && j->r.range_open)
                        return fits_open_range(j);
        }
        return true;
}

static bool over_limit(struct net_job *j, uint64_t n)
{
        uint64_t max = j->r.max_body ? j->r.max_body : j->r.into ? UINT64_MAX : (uint64_t)64 << 20;
        uint64_t have = j->r.into ? j->received : j->body.n;

        if (n <= max && have <= max - n)
                return false;
        err_set(&j->err, ERR_LIMIT, "'%.*s' is larger than the %llu bytes that are allowed here",
                SV_ARG(url_masked(&j->asked, j->url)), (unsigned long long)max);
        return true;
}

bool net_on_body(void *arg, const char *p, size_t n)
{
        struct net_job *j = arg;

        if (!j->begun_body && !begin_body(j))
                return false;
        if (j->status != 200 && j->status != 206) {
                size_t room = NET_ERROR_BODY - (j->body.n < NET_ERROR_BODY ? j->body.n : NET_ERROR_BODY);

                if ((j->passed += n) > NET_UNREAD_MAX) {
                        j->unread = true;
                        return false;
                }
                if (!net_is_followed(j))
                        buf_add(&j->body, (sv){ p, n < room ? n : room });
                return true;
        }
        if (j->skip) {
                size_t cut = j->skip < n ? (size_t)j->skip : n;

                j->skip -= cut;
                p += cut;
                n -= cut;
        }
        if (n == 0)
                return true;
        if (over_limit(j, n))
                return false;
        if (j->r.into) {
                if (writer_write(j->r.into, p, n, &j->err) < 0)
                        return false;
                j->received += n;
        } else {
                buf_add(&j->body, (sv){ p, n });
        }
        return true;
}
