/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl doctor's examinations, one function a subject. None of them changes anything, but that some
 * try in a directory of their own, which they remove. */
#ifndef HARDEN_CTL_DOCTOR_H
#define HARDEN_CTL_DOCTOR_H

#include "ctl/command.h"

#include <stdbool.h>
#include <stddef.h>

enum health {
  HEALTH_OK,
  HEALTH_WARN,
  HEALTH_FAIL
}; /* WARN: works, weaker or worse than it could; FAIL: does not */

struct doctor {
  bool json, quiet, colour;
  size_t findings; /* WARN and FAIL */
};

/* Prints one line, in the form that was asked for. remedy NULL: none is needed. */
void doctor_say(struct doctor *d, enum health health, const char *subject, const char *remedy,
                const char *fmt, ...) PRINTF_LIKE(5, 6);

void doctor_version(struct doctor *d); /* version.c */
void doctor_kernel(struct doctor *d);
void doctor_apparmor(struct doctor *d); /* apparmor.c */
void doctor_selinux(struct doctor *d, const struct config *config);
void doctor_policies(struct doctor *d, const struct config *config);
void doctor_user_namespaces(struct doctor *d, const struct config *config);
void doctor_runtimes(struct doctor *d, const struct config *config);
void doctor_hook(struct doctor *d, const struct config *config);
void doctor_directories(struct doctor *d, const struct config *config);

#endif
