/* cli/inspect_attached.h - what an image was made from and what hangs on it, for `inspect`. */
#ifndef CLI_INSPECT_ATTACHED_H
#define CLI_INSPECT_ATTACHED_H

#include "cli/app.h"
#include "ext/json.h"
#include "image/attach.h"
#include "image/origin.h"

struct inspect_attached {
        struct attached *v; /* of an image of a registry */
        size_t n;
        struct origin origin; /* of one of the store; lock.name empty: not known */
};
/** What cannot be asked is warned of: the rest of an image is worth showing. Only -ERR_CANCELLED. */
int inspect_attached_read(struct app *app, const struct image_view *v, bool in_store, struct inspect_attached *ret,
                          struct err *e);
void inspect_attached_text(const struct inspect_attached *x, struct buf *out);
void inspect_attached_json(struct arena *a, const struct inspect_attached *x, struct js *image);

#endif
