/* cli/pushed.h - what `push` and `build --push` share: pushing, the line on stdout, --metadata-file. */
#ifndef CLI_PUSHED_H
#define CLI_PUSHED_H

#include "cli/app.h"
#include "cli/attached.h"
#include "ext/json.h"
#include "image/push.h"

struct pushed {
        struct image_pushed *v; /* one a repository */
        size_t n;
};
/** format: "oci", "docker" or empty. cache_repo: of facts about its layers; empty: the default. What is known of the image is hung on it
 *  afterwards. */
int push_image(struct app *app, sv image, const sv *to, size_t n_to, sv format, sv cache_repo,
               const struct attach_opts *attach, struct pushed *ret, struct err *e);
/** REGISTRY/NAME@sha256:…, one line a repository. Returns 0. */
int pushed_print(struct app *app, const struct pushed *p);
struct js *pushed_js(struct arena *a, const struct pushed *p);

#endif
