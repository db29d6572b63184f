/* cli/attached.h - what `push` and `build --push` hang on an image. */
#ifndef CLI_ATTACHED_H
#define CLI_ATTACHED_H

#include "cli/app.h"
#include "cli/opts.h"
#include "image/attach.h"
#include "image/push.h"

/** Read the key, if one is named: before an hour of work, not after it. */
int attach_read(const struct attach_flags *f, struct attach_opts *ret, struct err *e);
void attach_done(struct attach_opts *o);
/** After each push. image: "NAME@sha256:…" of the store. */
int attach_all(struct app *app, sv image, const struct image_pushed *v, size_t n, const struct attach_opts *o,
               struct err *e);

#endif
