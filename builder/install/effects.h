/* install/effects.h - what packages' maintainer scripts do, for scripts that are known by their sha256 (recipes/effects/<suite>.yml).
 * No script is ever run: what it would do stands here, and layer `os` does it (design/debian.md). Parsing is pure and strict (EB14x).
 *
 *   effects: 1
 *   suite: trixie
 *   packages:
 *   - package: mawk
 *     why: one line for the reader                     # wanted where nothing else stands
 *     scripts: {preinst: [SHA256…], postinst: [SHA256…]}    # one for each text that was read; architectures may differ
 *     alternatives: [{link: /usr/bin/awk, name: awk, path: /usr/bin/mawk, priority: 5, slaves: [{link:, name:, path:}]}]
 *     directories: [{path: /mnt, mode: "0755", uid: 0, gid: 0}]
 *     files: [{path: /etc/hosts, mode: "0644", text: "…"}]
 *     copies: [{path: /etc/profile, from: /usr/share/base-files/profile}]     # as cp -p
 *     links: [{path: /etc/localtime, target: /usr/share/zoneinfo/Etc/UTC}]
 *     diversions: [{path: /lib32, to: /.lib32.usr-is-merged}]               # by this package, nothing is renamed
 *     users: [{name: _apt, uid: 100, gid: 65534, home: /nonexistent, shell: /usr/sbin/nologin}]
 *
 * In paths and texts ${triplet} is the architecture's (x86_64-linux-gnu), ${arch} its name, ${ld.so} its
 * dynamic linker (lib64/ld-linux-x86-64.so.2). A path that a package ships is left alone; but a link takes the place of an
 * empty directory.
 */
#ifndef INSTALL_EFFECTS_H
#define INSTALL_EFFECTS_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/hex.h"
#include "install/deb_scripts.h"

#define EFFECTS_MAX ((size_t)4 << 20)

struct effect_script {
        sv script; /* "postinst" */
        sha256 sha256;
};
struct effect_path {
        sv path; /* absolute */
        uint32_t mode, uid, gid;
        sv text; /* files; copies: whence; links: the target; diversions: whereto */
};
struct effect_user {
        sv name, gecos, home, shell;
        uint32_t uid, gid;
};
struct effect_pkg {
        sv package, why;
        struct effect_script *script;
        size_t n_script;
        struct deb_alternative *alternative;
        size_t n_alternative;
        struct effect_path *dir, *file, *copy, *link, *diversion;
        size_t n_dir, n_file, n_copy, n_link, n_diversion;
        struct effect_user *user;
        size_t n_user;
        sv canonical; /* what the entry says, as canonical JSON: `effects` of the key of layer `os` */
};
struct effects {
        sv suite;
        struct effect_pkg *pkg; /* sorted by package */
        size_t n_pkg;
};

/** ${…} are put in at once: their values are part of the deb's digests, not of `canonical`. @return 0 · -ERR_USAGE: ds has errors */
int effects_parse(struct arena *a, sv text, sv file, sv arch, struct diags *ds, struct effects **ret, struct err *e);
const struct effect_pkg *effects_find(const struct effects *x, sv package);
bool effects_knows(const struct effect_pkg *p, sv script, const sha256 *d);
/** sha256 over the entries of these packages (sorted by name): struct layer_key_os.effects. */
sha256 effects_digest(const struct effects *x, const sv *package, size_t n);
/** "amd64" → "x86_64-linux-gnu"; empty for an architecture we do not know. */
sv deb_triplet(sv arch);

#endif
