/* attest/purl.h - package URLs (purl-spec): what scanners know packages by. Pure; texts live in the arena. */
#ifndef ATTEST_PURL_H
#define ATTEST_PURL_H

#include "lock/lock.h"

/** "pkg:pypi/pyjwt@1.7.1", "pkg:conda/numpy@1.26.4?build=…&channel=…&subdir=…&type=conda", "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13". */
sv purl_artifact(struct arena *a, const struct lock_platform *p, const struct artifact *x);
/** A distribution that a conda package supplies: "pkg:pypi/numpy@1.26.4". */
sv purl_dist(struct arena *a, sv name, sv version);
/** An image: "pkg:oci/train@sha256%3A…?arch=amd64&repository_url=host%2Fteam%2Ftrain"; repository and arch may be empty. */
sv purl_image(struct arena *a, sv name, const sha256 *manifest, sv arch, sv repository);
/** The image that a platform stands on, as the lock names it; its digest alone ("pkg:oci/DIR@sha256%3A…") when it is of a folder. */
sv purl_base(struct arena *a, const struct lock_platform *p);
/** "linux/arm64" → "arm64" */
sv purl_arch(sv platform);

/** Where an artifact's file is, without login or token; empty when the lock does not say a whole address. */
sv download_location(struct arena *a, const struct artifact *x);

#endif
