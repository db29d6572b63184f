/* registry/address.h - which hosts are this machine or a private network, as far as their names say it: what a server may not send us to
 * (specs/oci.md §3.2: realms, Locations, redirects). Pure: no name is looked up. */
#ifndef REGISTRY_ADDRESS_H
#define REGISTRY_ADDRESS_H

#include <stdbool.h>

#include "base/sv.h"

/** "localhost:5000" → "localhost", "[::1]:5000" → "::1". */
sv address_host(sv registry);
bool address_is_localhost(sv host); /* localhost, *.localhost */
/** localhost, *.localhost, 127.0.0.0/8 in four decimal parts, ::1. */
bool address_is_loopback(sv host);
/** A loopback, private, link-local, shared or unspecified address in whatever spelling inet_aton(3) takes ("127.1", "0x7f000001"), or the
 *  name of this machine. With or without brackets. */
bool address_is_private(sv host);

#endif
