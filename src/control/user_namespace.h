/* SPDX-License-Identifier: Apache-2.0 */
/* What the wrapper asks of the control user-namespace, to make what it has written. */
#ifndef HARDEN_CONTROL_USER_NAMESPACE_H
#define HARDEN_CONTROL_USER_NAMESPACE_H

#include "facts/facts.h"
#include "spec/spec.h"

/* How the journal begins to tell why a container has none (OH-UNS-005); the reason follows. */
#define USER_NAMESPACE_NONE "there is no user namespace for the container: "

/* Has the config anything of what facts->offer offers? */
bool user_namespace_is_ours(const json_t *root, const struct facts *facts) MUST_CHECK;

/* The path of a namespace that the wrapper enters for a config that is given the offered user namespace, and
 * that is therefore not in its list; NULL: none. Borrowed. */
const char *user_namespace_entered(const json_t *root, const char *type,
                                   const struct facts *facts) MUST_CHECK;

/* Takes out the sysctls that the wrapper sets from outside: those of a joined namespace. */
int user_namespace_leave_out(struct spec *spec, const struct facts *facts, struct error *err) MUST_CHECK;

/* Why the container of the config, as the controls before this one have left it, can have none: the end of a
 * sentence. NULL: it can. The caller frees. */
char *user_namespace_against(const json_t *root, const struct facts *facts) MUST_CHECK;

#endif
