/* pkg/matchspec_priv.h - a match spec while it is read: matchspec.c cuts the text into parts, matchspec_source.c reads channels and URLs,
 * matchspec_fields.c says what the parts mean. */
#ifndef PKG_MATCHSPEC_PRIV_H
#define PKG_MATCHSPEC_PRIV_H

#include "pkg/matchspec.h"

#define MATCHSPEC_MAX ((size_t)64 * 1024) /* bytes of one */

/* The fields as they are written, before any of them means something. */
enum key {
        KEY_NAME,
        KEY_CHANNEL,
        KEY_SUBDIR,
        KEY_VERSION,
        KEY_BUILD,
        KEY_BUILD_NUMBER,
        KEY_TRACK_FEATURES,
        KEY_FEATURES,
        KEY_URL,
        KEY_FN,
        KEY_MD5,
        KEY_SHA256,
        KEY_LICENSE,
        KEY_LICENSE_FAMILY,
        KEY_IGNORED, /* "optional", "target": conda's own */
        KEY_N
};

struct reader {
        struct arena *a;
        const struct conda_channel_settings *settings;
        sv text; /* as given */
        sv part[KEY_N];
        struct matchspec *m;
        sv why;
        size_t at;
};

/* Each false leaves why and where in the reader; the first one counts. */

/** `what` is the place, when it is found in the text. Returns false. */
bool matchspec_refuse(struct reader *r, sv what, sv why);
/** A channel as it stands before "::"; a platform at its end becomes the part `subdir`. */
bool matchspec_channel_read(struct reader *r, sv text);
/** A package's URL or path, as a whole spec. */
bool matchspec_url_read(struct reader *r, sv text);
/** The parts → r->m. */
bool matchspec_fields_read(struct reader *r);

sv matchspec_shown(sv s); /* short enough for a message */
bool matchspec_has_any(sv s, const char *set);
bool matchspec_is_archive(sv s);
bool matchspec_is_key_char(char c);

/* ">=2", "3", "*": what a build number must be. */
struct build_number {
        enum { BUILD_ANY, BUILD_EQ, BUILD_NE, BUILD_LT, BUILD_LE, BUILD_GT, BUILD_GE } op;
        uint64_t n;
};
bool build_number_read(sv text, struct build_number *ret);

#endif
