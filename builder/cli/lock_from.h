/* cli/lock_from.h - `lock --from IMAGE`: the lock that an image was made from. */
#ifndef CLI_LOCK_FROM_H
#define CLI_LOCK_FROM_H

#include "cli/app.h"
#include "cli/opts.h"

int lock_from(struct app *app, const struct request_opts *o, int argc, struct err *e);

#endif
