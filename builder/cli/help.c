/* --help, the manual page and shell completions, all from the table. */
#include <stdio.h>
#include <string.h>

#include "cli/app.h"
#include "cli/cmd.h"

static void print_opts(const struct opt *o)
{
        for (; o && o->name; o++) {
                char left[80];
                int n = o->letter ? snprintf(left, sizeof(left), "  -%c, --%s", o->letter, o->name)
                                  : snprintf(left, sizeof(left), "      --%s", o->name);
                if (o->arg && n > 0)
                        snprintf(left + n, sizeof(left) - (size_t)n, o->kind == OPT_SOME ? "[=%s]" : " %s", o->arg);
                if (strlen(left) > 28)
                        printf("%s\n%-30s%s\n", left, "", o->help);
                else
                        printf("%-30s%s\n", left, o->help);
        }
}

void help_all(void)
{
        puts("envbuild turns environment definitions into OCI images: no daemon, no root, nothing is run.\n\n"
             "Usage: envbuild COMMAND [OPTION…] [ARG…]\n\nCommands:");
        for (const struct cmd *c = cmds; c->name; c++)
                if (c->name[0] != '_')
                        printf("  %-16s%s\n", c->name, c->summary);
        puts("\nOptions of every command:");
        print_opts(global_opts);
        puts("  -h, --help                  this text, or a command's: envbuild build --help\n\n"
             "The answer goes to stdout, everything else to stderr. The manual: man envbuild");
}

void help_cmd(const struct cmd *c)
{
        printf("envbuild %s: %s\n\nUsage: envbuild %s [OPTION…] %s\n", c->name, c->summary, c->name,
               c->args ? c->args : "");
        if (c->text)
                printf("\n%s\n", c->text);
        if (c->opt) {
                puts("\nOptions:");
                print_opts(c->opt);
        }
        puts("\nOptions of every command:");
        print_opts(global_opts);
}

static void roff(const char *s)
{
        if (*s == '.' || *s == '\'')
                fputs("\\&", stdout);
        for (; *s; s++) {
                if (*s == '\\')
                        fputs("\\e", stdout);
                else if (*s == '-')
                        fputs("\\-", stdout);
                else
                        putchar(*s);
        }
}

static void roff_opts(const struct opt *o)
{
        for (; o && o->name; o++) {
                fputs(".TP\n", stdout);
                if (o->letter)
                        printf("\\fB\\-%c\\fR, ", o->letter);
                fputs("\\fB\\-\\-", stdout);
                roff(o->name);
                fputs("\\fR", stdout);
                if (o->arg)
                        printf(o->kind == OPT_SOME ? "[=\\fI%s\\fR]" : " \\fI%s\\fR", o->arg);
                putchar('\n');
                roff(o->help);
                putchar('\n');
        }
}

static void roff_text(const char *text)
{
        sv rest = sv_from(text), line;

        while (sv_cut(&rest, '\n', &line)) {
                char copy[1024];
                snprintf(copy, sizeof(copy), "%.*s", SV_ARG(line));
                if (line.n == 0) {
                        puts(".PP");
                        continue;
                }
                roff(copy);
                putchar('\n');
        }
}

void help_man(void)
{
        puts(".TH ENVBUILD 1 \"\" \"envbuild\" \"User Commands\"\n.SH NAME\nenvbuild \\- turn environment definitions "
             "into OCI images\n"
             ".SH SYNOPSIS\n\\fBenvbuild\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR…] [\\fIARG\\fR…]\n.SH DESCRIPTION");
        roff_text("envbuild resolves an environment definition (environment.yml, requirements.txt) into a lock and "
                  "assembles an OCI image "
                  "from it, one deterministic layer a package, without a daemon, without root and without running "
                  "anything. The same lock "
                  "gives the same image on any host.\n\nThe answer goes to standard output, everything else to "
                  "standard error.");
        puts(".SH COMMANDS");
        for (const struct cmd *c = cmds; c->name; c++) {
                if (c->name[0] == '_')
                        continue;
                printf(".SS envbuild %s %s\n", c->name, c->args ? c->args : "");
                roff(c->summary);
                puts(".");
                if (c->text) {
                        puts(".PP");
                        roff_text(c->text);
                }
                roff_opts(c->opt);
        }
        puts(".SH OPTIONS OF EVERY COMMAND");
        roff_opts(global_opts);
        puts(".SH EXIT STATUS");
        roff_text("0 ok; 1 failed; 2 usage or definition invalid; 3 unsatisfiable; 4 lock out of date; 5 network or "
                  "registry unavailable; 6 "
                  "not authorised; 7 integrity; 9 missing while offline; 130, 143 signals. envbuild run: once the "
                  "command has started, its "
                  "own code (128+N for signal N); before that 125, 126 not executable, 127 not found.");
        puts(".SH ENVIRONMENT");
        roff_text("ENVBUILD_CACHE_DIR, else XDG_CACHE_HOME/envbuild, else ~/.cache/envbuild: the store.\n"
                  "\nENVBUILD_CACHE_RO: further stores, separated by colons, that are only read.\n"
                  "\nENVBUILD_RECIPES: folders of recipes, separated by colons, that are looked in first.\n"
                  "\nENVBUILD_PUSH_CHUNK: 64M sends layers in pieces of 64 MiB, for proxies that refuse large bodies "
                  "without saying so.\n"
                  "\nENVBUILD_CURATED: folders of curated sets, likewise.\n"
                  "\nPIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS, PIP_NO_INDEX, PIP_PRE, PIP_CERT and pip.conf "
                  "are honoured as pip does; "
                  "so are netrc, http_proxy, https_proxy, no_proxy, SSL_CERT_FILE and SOURCE_DATE_EPOCH (read when "
                  "locking only).\n"
                  "\nNO_COLOR turns colours off.");
        puts(".SH FILES");
        roff_text("NAME.lock beside the definition: what was resolved and built.\n"
                  "\nXDG_CONFIG_HOME/envbuild/config.yml, else ~/.config/envbuild/config.yml, and "
                  "/etc/envbuild/config.yml: under cache:, repositories (where facts about layers are looked up), "
                  "trust (ed25519 keys: facts that none of these signed do not exist), sign (a private key's file: "
                  "signs what a push tells of layers) and keep-packages (true: packages stay in the store).");
}

static void words_of(const struct opt *o, char sep)
{
        for (; o && o->name; o++)
                printf("--%s%c", o->name, sep);
}

static void bash(void)
{
        puts("_envbuild() {\n        local cur=${COMP_WORDS[COMP_CWORD]} words=\"\"\n        case \"${COMP_WORDS[1]} "
             "${COMP_WORDS[2]}\" in");
        for (int two = 1; two >= 0; two--)
                for (const struct cmd *c = cmds; c->name; c++) {
                        if (c->name[0] == '_' || (strchr(c->name, ' ') != NULL) != two)
                                continue;
                        printf("        \"%s\"*) words=\"", c->name);
                        words_of(c->opt, ' ');
                        words_of(global_opts, ' ');
                        puts("--help\" ;;");
                }
        fputs("        esac\n        if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"", stdout);
        for (const struct cmd *c = cmds; c->name; c++) {
                sv rest = sv_from(c->name), head;
                sv_cut(&rest, ' ', &head);
                if (c->name[0] != '_')
                        printf("%.*s ", SV_ARG(head));
        }
        puts("\"; fi\n        case \"$cur\" in\n        -*) COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) ;;\n"
             "        *) [ \"$COMP_CWORD\" -eq 1 ] && COMPREPLY=($(compgen -W \"$words\" -- \"$cur\")) || "
             "COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
             "        esac\n}\ncomplete -o filenames -F _envbuild envbuild");
}

static void zsh(void)
{
        puts("#compdef envbuild\nautoload -U +X bashcompinit && bashcompinit");
        bash();
}

static void fish(void)
{
        puts("complete -c envbuild -f");
        for (const struct cmd *c = cmds; c->name; c++) {
                sv rest = sv_from(c->name), head;
                if (c->name[0] == '_')
                        continue;
                sv_cut(&rest, ' ', &head);
                if (rest.n)
                        printf("complete -c envbuild -n '__fish_seen_subcommand_from %.*s' -a '%.*s' -d '%s'\n",
                               SV_ARG(head), SV_ARG(rest), c->summary);
                else
                        printf("complete -c envbuild -n __fish_use_subcommand -a '%s' -d '%s'\n", c->name, c->summary);
                for (const struct opt *o = c->opt; o && o->name; o++)
                        printf("complete -c envbuild -n '__fish_seen_subcommand_from %.*s' -l %s%s%.1s -d '%s'\n",
                               SV_ARG(head), o->name, o->letter ? " -s " : "", o->letter ? &o->letter : "", o->help);
        }
}

int help_completion(sv shell, struct err *e)
{
        if (sv_is(shell, "bash"))
                bash();
        else if (sv_is(shell, "zsh"))
                zsh();
        else if (sv_is(shell, "fish"))
                fish();
        else
                return err_set(e, ERR_USAGE, "completion is made for bash, zsh and fish, not '%.*s'", SV_ARG(shell));
        return 0;
}
