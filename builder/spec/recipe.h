/* spec/recipe.h - a recipe: which Debian packages a base is made of (design/debian.md). A small YAML file, ours in recipes/ or the
 * user's own. Parsing is pure and strict; faults go to struct diags: EB140 key, EB141 value, EB142 missing, EB143 duplicate.
 *
 *   recipe: 1
 *   name: debian-13                    # the file's stem
 *   suite: trixie
 *   version: "13"
 *   end-of-life: 2030-06-30            # `check` warns from this day on
 *   mirror: http://deb.debian.org/debian
 *   suites: [{suite: trixie-updates}, {suite: trixie-security, mirror: http://deb.debian.org/debian-security}]
 *   snapshot: https://snapshot.debian.org/archive
 *   components: [main]
 *   architectures: [amd64, arm64]
 *   keys: keys/debian-13.gpg           # keyring, relative to the recipe's folder
 *   effects: effects/trixie.yml        # what maintainer scripts do (install/effects.h), relative too
 *   packages: [base-files, "python3 (>= 3.13)"]
 *   users: [{name: app, uid: 1000, gid: 1000, home: /home/app, shell: /bin/bash}]
 *   directories: [{path: /home/app, mode: "0750", uid: 1000, gid: 1000}]
 *   files: [{path: /etc/motd, mode: "0644", text: "hello\n"}]
 */
#ifndef SPEC_RECIPE_H
#define SPEC_RECIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/hex.h"

#define RECIPE_MAX ((size_t)1 << 20) /* bytes of one recipe */

struct recipe_suite { /* besides the main one: updates, security */
        sv suite, mirror;
};
struct recipe_user { /* a user and a group of the same name */
        sv name, gecos, home, shell;
        uint32_t uid, gid;
};
struct recipe_path { /* a directory, or with text a file */
        sv path;     /* absolute */
        uint32_t mode, uid, gid;
        sv text;
};

struct recipe {
        sv name, description, suite, version;
        int64_t end_of_life; /* seconds since 1970; 0: not said */
        sv mirror, snapshot; /* no slash at the end; snapshot may be empty */
        struct recipe_suite *extra;
        size_t n_extra;
        sv *component, *arch, *package;
        size_t n_component, n_arch, n_package;
        uint32_t *package_line, *package_col; /* where each stands */
        sv keys, effects;                     /* paths, the recipe's folder put before them; effects may be empty */
        struct recipe_user *user;
        size_t n_user;
        struct recipe_path *dir, *file; /* sorted by path */
        size_t n_dir, n_file;
        sv path;       /* of the recipe file, as it was named */
        sha256 sha256; /* of what it says: comments and layout do not count */
        sha256 os;     /* of users, directories and files alone: part of the key of layer `os` */
};

/**
 * @param file  path of the recipe: names it in diagnostics; `keys` and `effects` are relative to its folder
 * @return 0 · -ERR_USAGE: ds has errors
 */
int recipe_parse(struct arena *a, sv text, sv file, struct diags *ds, struct recipe **ret, struct err *e);
/** What sha256 is of: canonical JSON. */
void recipe_write(const struct recipe *r, struct buf *out);

/** "linux/amd64" → "amd64"; empty when the recipe has no such architecture. */
sv recipe_arch(const struct recipe *r, sv platform);

#endif
