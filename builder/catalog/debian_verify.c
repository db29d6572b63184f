#include "catalog/debian_priv.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/proc.h"

static const char begin_message[] = "-----BEGIN PGP SIGNED MESSAGE-----";
static const char begin_signature[] = "-----BEGIN PGP SIGNATURE-----";
static const char end_signature[] = "-----END PGP SIGNATURE-----";

static sv line_trimmed(sv line)
{
        while (line.n && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t' || line.p[line.n - 1] == '\r'))
                line.n--;
        return line;
}

/* Armor headers up to the blank line: only "Hash:" may stand there. */
static bool headers(sv *rest)
{
        sv line;

        while (sv_line(rest, &line)) {
                if (line_trimmed(line).n == 0)
                        return true;
                if (!sv_starts(line, SV("Hash: ")))
                        return false;
        }
        return false;
}

/* The message, lines joined by '\n' without one at the end, dash escapes and trailing blanks removed. */
static bool message(sv *rest, struct arena *a, sv *ret)
{
        char *out = arena_alloc(a, rest->n + 1, 1);
        size_t n = 0;
        bool first = true;
        sv line;

        while (sv_line(rest, &line)) {
                line = line_trimmed(line);
                if (sv_is(line, begin_signature)) {
                        *ret = (sv){ out, n };
                        return true;
                }
                if (sv_starts(line, SV("- ")))
                        line = sv_skip(line, 2);
                else if (line.n && line.p[0] == '-')
                        return false;
                if (!first)
                        out[n++] = '\n';
                first = false;
                for (size_t i = 0; i < line.n; i++)
                        out[n++] = line.p[i];
        }
        return false;
}

int debian_clearsign_split(sv signed_text, struct arena *a, sv *ret_text, sv *ret_signature, struct err *e)
{
        sv rest = signed_text, line = { 0 }, text;
        const char *sig;

        if (!sv_line(&rest, &line) || !sv_is(line_trimmed(line), begin_message) || !headers(&rest))
                return err_set(e, ERR_INTEGRITY, "no clear-signed message begins in its first line");
        if (!message(&rest, a, &text))
                return err_set(e, ERR_INTEGRITY,
                               "a clear-signed message has no signature, or a line in it is not escaped");
        sig = signed_text.p + (signed_text.n - rest.n);
        do {
                if (!sv_line(&rest, &line))
                        return err_set(e, ERR_INTEGRITY, "a signature does not end");
        } while (!sv_is(line_trimmed(line), end_signature));
        if (sv_trim(rest).n)
                return err_set(e, ERR_INTEGRITY, "something follows the signature");
        *ret_text = text;
        *ret_signature = arena_fmt(a, "%s\n%.*s", begin_signature, (int)(rest.p - sig), sig);
        return 0;
}

/* gpgv's exit status is 2 when any signature is by an unknown key, as one of three often is: its status lines count. */
static bool gpgv_good(sv status)
{
        size_t good = 0;
        sv line;

        while (sv_line(&status, &line)) {
                good += sv_starts(line, SV("[GNUPG:] VALIDSIG "));
                if (sv_starts(line, SV("[GNUPG:] BADSIG ")))
                        return false;
        }
        return good > 0;
}

static sv last_line(sv text)
{
        text = sv_trim(text);
        return sv_skip(text, (size_t)(sv_rfind(text, '\n') + 1));
}

static int run_verifier(const char *keys, const char *sig, const char *text, struct op *op, struct err *e)
{
        const char *const gpgv[] = { "gpgv", "--status-fd", "1", "--keyring", keys, sig, text, NULL };
        const char *const sqv[] = { "sqv", "--keyring", keys, sig, text, NULL };
        AUTO(free_ptr) char *has_gpgv = proc_which("gpgv"), *has_sqv = has_gpgv ? NULL : proc_which("sqv");
        AUTO(proc_result_done) struct proc_result r = { 0 };
        sv said;

        if (!has_gpgv && !has_sqv) {
                err_set(e, ERR_NOT_FOUND, "neither gpgv nor sqv is installed: Debian's signatures can't be checked");
                err_hint(e, "install the package gpgv (Debian, Ubuntu) or gnupg2 (Fedora, RHEL)");
                return -(int)e->code;
        }
        if (proc_run(&(struct proc){ .argv = has_gpgv ? gpgv : sqv, .timeout_ms = 60000 }, op, &r, e) < 0)
                return -(int)e->code;
        if (has_gpgv ? gpgv_good(buf_sv(&r.out)) : r.status == 0)
                return 0;
        said = last_line(buf_sv(&r.err));
        return err_set(e, ERR_INTEGRITY, "no good signature by a key of '%s'%s%.*s", keys, said.n ? ": " : "",
                       SV_ARG(said));
}

int debian_verify(sv signed_text, const char *keys, const char *dir, struct op *op, struct arena *a, sv *ret,
                  struct err *e)
{
        AUTO(free_ptr) char *text_path = fs_path("%s/Release", dir), *sig_path = fs_path("%s/Release.asc", dir);
        sv text, sig;

        if (!fs_exists(keys))
                return err_set(e, ERR_NOT_FOUND, "there is no keyring '%s'", keys);
        if (debian_clearsign_split(signed_text, a, &text, &sig, e) < 0 || fs_write(text_path, text, 0600, e) < 0 ||
            fs_write(sig_path, sig, 0600, e) < 0 || run_verifier(keys, sig_path, text_path, op, e) < 0)
                return -(int)e->code;
        *ret = text;
        return 0;
}
