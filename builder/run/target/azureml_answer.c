/* What `az` says of a job. */
#include "base/clock.h"
#include "run/target/azureml_priv.h"

static const struct {
        const char *word;
        enum run_state state;
} words[] = {
        { "NotStarted", RUN_QUEUED },     { "Queued", RUN_QUEUED },         { "Provisioning", RUN_QUEUED },
        { "Paused", RUN_QUEUED },         { "Preparing", RUN_STARTING },    { "Starting", RUN_STARTING },
        { "Running", RUN_RUNNING },       { "Finalizing", RUN_FINALIZING }, { "CancelRequested", RUN_CANCEL_REQUESTED },
        { "Completed", RUN_COMPLETED },   { "Failed", RUN_FAILED },         { "Canceled", RUN_CANCELED },
        { "NotResponding", RUN_RUNNING }, /* Azure ML's own doubt about its node: the job may still run */
};

/* "… exited with status code 11": the one place where Azure ML says it. */
static int exit_code_of(sv message)
{
        static const char *const before[] = { "status code ", "exit code ", "exit status " };
        enum { MAX = 255 };

        for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
                ptrdiff_t at = sv_find_sv(message, sv_from(before[i]));
                size_t n = 0;
                uint64_t code;
                if (at < 0)
                        continue;
                sv rest = sv_skip(message, (size_t)at + sv_from(before[i]).n);
                while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
                        n++;
                if (sv_u64(sv_from_to(rest, 0, n), &code) && code <= MAX)
                        return (int)code;
        }
        return -1;
}

static int64_t time_of(const struct js *j, const char *key)
{
        int64_t t;

        return time_parse(js_get_str(j, key), &t) ? t * 1000000 : 0;
}

static void failed(struct arena *a, const struct js *j, struct run_status *s)
{
        enum { MAX = 500 };
        const struct js *error = js_get(j, "error");
        sv message = js_get_str(error, "message"), line = { 0 };

        if (!message.n)
                message = js_get_str(js_get(error, "error"), "message");
        s->exit_code = exit_code_of(message);
        s->reason = s->exit_code > 0                            ? RUN_R_EXIT_CODE
                    : sv_find_sv(message, SV("timed out")) >= 0 ? RUN_R_TIMEOUT
                    : sv_find_sv(message, SV("ImageBuildFailure")) >= 0 || sv_find_sv(message, SV("pull")) >= 0
                            ? RUN_R_IMAGE_PULL
                            : RUN_R_LOST;
        sv_line(&message, &line);
        s->message = line.n ? arena_sv(a, sv_from_to(line, 0, MAX))
                            : SV("Azure ML does not say why: see its studio, or user_logs/");
}

int aml_answer(struct arena *a, sv text, sv *ret_name, struct run_status *ret, struct err *e)
{
        struct run_status s = *ret;
        const struct js *created;
        struct js *j;
        sv word;

        if (js_parse(a, text, &j, e) < 0)
                return err_while(e, "reading the answer of az");
        word = js_get_str(j, "status");
        if (!js_get_str(j, "name").n)
                return err_set(e, ERR_FAILED, "the answer of az is not a job");
        s.engine_state = arena_sv(a, word);
        s.message = (sv){ 0 };
        s.state = RUN_UNKNOWN;
        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                if (sv_is(word, words[i].word))
                        s.state = words[i].state;
        created = js_get(j, "properties");
        if (!s.started_us)
                s.started_us = time_of(created, "StartTimeUtc");
        if (s.state == RUN_COMPLETED)
                s.exit_code = 0;
        if (s.state == RUN_FAILED)
                failed(a, j, &s);
        if (run_state_final(s.state)) {
                s.ended_us = time_of(created, "EndTimeUtc");
                if (!s.ended_us)
                        s.ended_us = clock_unix() * 1000000;
        }
        *ret_name = arena_sv(a, js_get_str(j, "name"));
        *ret = s;
        return 0;
}

enum aml_said aml_said_of(sv text)
{
        static const struct {
                const char *word;
                enum aml_said said;
        } said[] = {
                { "already exists", AML_EXISTS },
                { "Job is in a terminal state", AML_EXISTS }, /* a create with the name of one that ran */
                { "only tags, displayName", AML_EXISTS },     /* "... can be updated" */
                { "ResourceNotFound", AML_ABSENT },
                { "was not found", AML_ABSENT },
                { "not found", AML_ABSENT },
                { "az login", AML_AUTH },
                { "AuthorizationFailed", AML_AUTH },
                { "AADSTS", AML_AUTH },
                { "InternalServerError", AML_AWAY },
                { "ServiceUnavailable", AML_AWAY },
                { "TooManyRequests", AML_AWAY },
                { "Max retries exceeded", AML_AWAY },
                { "validation", AML_REFUSED },
                { "Validation", AML_REFUSED },
                { "UserError", AML_REFUSED },
                { "BadRequest", AML_REFUSED },
                { "is misspelled or not recognized", AML_REFUSED },
                { "unrecognized arguments", AML_REFUSED },
        };

        for (size_t i = 0; i < sizeof(said) / sizeof(*said); i++)
                if (sv_find_sv(text, sv_from(said[i].word)) >= 0)
                        return said[i].said;
        return AML_AWAY;
}

sv aml_said_line(sv text)
{
        sv line, last = { 0 };

        while (sv_line(&text, &line)) {
                line = sv_trim(line);
                if (!line.n || sv_starts(line, SV("WARNING")))
                        continue;
                if (sv_starts(line, SV("ERROR")))
                        return line;
                last = line;
        }
        return last;
}
