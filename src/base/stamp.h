/* SPDX-License-Identifier: Apache-2.0 */
/* Times as text, RFC 3339 in UTC. Not by gmtime(3), which reads the variable TZ and /etc/localtime first. */
#ifndef HARDEN_STAMP_H
#define HARDEN_STAMP_H

#include <time.h>

enum { STAMP_SIZE = 32 };

/* "2026-01-02T03:04:05Z"; years 1970 to 9999. */
void stamp_seconds(char ret[STAMP_SIZE], time_t t);
/* "2026-01-02T03:04:05.678Z" */
void stamp_millis(char ret[STAMP_SIZE], const struct timespec *t);

#endif
