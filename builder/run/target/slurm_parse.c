/* What Slurm's programs print. Text, not JSON: `scontrol -o` has looked the same in every version, --json differs between any two. */
#include "run/target/slurm_priv.h"

static bool word_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '/' ||
               c == '_' || c == '&';
}

/* "Word=" at the beginning of s: its length without the '=', or 0. */
static size_t key_at(sv s)
{
        size_t n = 0;

        while (n < s.n && word_char(s.p[n]))
                n++;
        return n && n < s.n && s.p[n] == '=' ? n : 0;
}

/* The value of the first "Key=" that begins a word; it ends before the next word that looks like a key. Values are not escaped, so what
 * stands further right (a comment, a command line) may look like anything: the first one is Slurm's own. */
static sv field(sv line, const char *key)
{
        for (size_t i = 0; i < line.n; i++) {
                sv rest = sv_skip(line, i);
                size_t n = i == 0 || line.p[i - 1] == ' ' ? key_at(rest) : 0;
                if (!n || !sv_is((sv){ rest.p, n }, key))
                        continue;
                rest = sv_skip(rest, n + 1);
                for (size_t k = 0; k < rest.n; k++)
                        if (rest.p[k] == ' ' && key_at(sv_skip(rest, k + 1)))
                                return sv_trim((sv){ rest.p, k });
                return sv_trim(rest);
        }
        return (sv){ 0 };
}

static int small(sv s)
{
        enum { LIMIT = 1 << 16 };
        uint64_t n;

        return sv_u64(s, &n) && n < LIMIT ? (int)n : -1;
}

static void exit_parse(sv text, struct slurm_job *ret)
{
        sv code = { 0 };

        ret->exit_code = ret->signal = -1;
        if (!sv_cut(&text, ':', &code))
                return;
        ret->exit_code = small(code);
        ret->signal = small(text);
}

/* Before the job has begun scontrol says Unknown, or when it is expected to begin or end: then the state says that it has not. */
static int64_t moment(sv text)
{
        uint64_t n;

        return sv_u64(text, &n) && n < INT64_MAX / 1000000 ? (int64_t)n : 0;
}

static sv first_word(sv text)
{
        ptrdiff_t n = sv_find(text, ' ');

        return n < 0 ? text : (sv){ text.p, (size_t)n };
}

static sv said(sv text)
{
        return sv_is(text, "None") || sv_is(text, "(null)") || sv_is(text, "N/A") ? (sv){ 0 } : text;
}

bool slurm_job_parse(sv text, struct slurm_job *ret)
{
        sv line;

        while (sv_line(&text, &line)) {
                if (!sv_starts(line, SV("JobId=")))
                        continue;
                *ret = (struct slurm_job){ .id = first_word(field(line, "JobId")),
                                           .name = field(line, "JobName"),
                                           .state = first_word(field(line, "JobState")),
                                           .reason = said(field(line, "Reason")),
                                           .nodes = said(field(line, "NodeList")),
                                           .submit_s = moment(field(line, "SubmitTime")),
                                           .start_s = moment(field(line, "StartTime")),
                                           .end_s = moment(field(line, "EndTime")) };
                exit_parse(field(line, "ExitCode"), ret);
                return ret->state.n != 0;
        }
        return false;
}

bool slurm_sacct_parse(sv text, struct slurm_job *ret)
{
        enum { ID, STATE, EXIT, REASON, START, END, N };
        sv line, part[N];

        while (sv_line(&text, &line)) {
                size_t n = 0;
                while (n < N && sv_cut(&line, '|', &part[n]))
                        n++;
                if (n != N || !part[STATE].n)
                        continue;
                *ret = (struct slurm_job){ .id = part[ID],
                                           .state = first_word(part[STATE]),
                                           .reason = said(part[REASON]),
                                           .start_s = moment(part[START]),
                                           .end_s = moment(part[END]) };
                exit_parse(part[EXIT], ret);
                return true;
        }
        return false;
}

static bool cluster_name(sv s)
{
        enum { LONGEST = 64 };

        for (size_t i = 0; i < s.n; i++)
                if (!word_char(s.p[i]) && s.p[i] != '-' && s.p[i] != '.')
                        return false;
        return s.n <= LONGEST && (!s.n || s.p[0] != '-');
}

bool slurm_handle_parse(sv handle, sv *ret_id, sv *ret_cluster)
{
        sv rest = handle, id = { 0 };
        uint64_t n;

        if (!sv_cut(&rest, ';', &id) || !sv_u64(id, &n) || n == 0 || n > UINT32_MAX || !cluster_name(rest))
                return false;
        *ret_id = id;
        *ret_cluster = rest;
        return true;
}

sv slurm_submitted_parse(sv text)
{
        sv line, id, cluster;

        while (sv_line(&text, &line))
                if (slurm_handle_parse(sv_trim(line), &id, &cluster))
                        return sv_trim(line);
        return (sv){ 0 };
}

sv slurm_queue_parse(sv text, sv name)
{
        sv line, id, cluster, head;

        while (sv_line(&text, &line)) {
                line = sv_trim(line);
                if (sv_cut(&line, '|', &head) && sv_eq(line, name) && slurm_handle_parse(head, &id, &cluster))
                        return id;
        }
        return (sv){ 0 };
}

static bool says(sv text, const char *const *words)
{
        for (; *words; words++)
                if (sv_find_sv(text, sv_from(*words)) >= 0)
                        return true;
        return false;
}

enum slurm_fault slurm_fault_of(sv text)
{
        static const char *const gone[] = { "Invalid job id specified", NULL };
        static const char *const silent[] = {
                "Unable to contact slurm controller",
                "imed out",
                "Zero Bytes were transmitted",
                "onnection refused",
                "onnection reset",
                "onnection failure",
                "connect failure",
                "Unable to establish",
                "Unexpected message received",
                "standby mode",
                "Slurm temporarily unable",
                "Resource temporarily unavailable",
                "Broken pipe",
                "Communication shutdown failure",
                "Transport endpoint is not connected",
                "Receive failure",
                "receive failure",
                "Send failure",
                "send failure",
                NULL,
        };

        if (says(text, silent))
                return SLURM_UNKNOWN;
        return says(text, gone) ? SLURM_NO_SUCH_JOB : SLURM_REFUSED;
}

sv slurm_fault_line(sv text)
{
        sv line, last = { 0 };

        while (sv_line(&text, &line)) {
                static const char *const marks[] = { "fatal: ", "error: " };
                for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
                        ptrdiff_t at = sv_find_sv(line, sv_from(marks[i]));
                        if (at >= 0)
                                line = sv_skip(line, (size_t)at + sv_from(marks[i]).n);
                }
                if (sv_trim(line).n)
                        last = sv_trim(line);
        }
        return last;
}
