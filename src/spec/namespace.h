/* SPDX-License-Identifier: Apache-2.0 */
/* The list of namespaces of a config. A type is there once (spec_parse), or its first entry counts. */
#ifndef HARDEN_SPEC_NAMESPACE_H
#define HARDEN_SPEC_NAMESPACE_H

#include "io/jsonx.h"

#define SPEC_NAMESPACES "/linux/namespaces"

/* The config's entry of the type ("network"); NULL: it has none, and the container is in the runtime's own.
 * Borrowed. */
const json_t *spec_namespace(const json_t *config, const char *type) MUST_CHECK;
/* The path that a namespace is joined by; NULL: there is none, or a new one is made. Borrowed. */
const char *spec_namespace_path(const json_t *config, const char *type) MUST_CHECK;
/* Is a new one made? */
bool spec_namespace_is_new(const json_t *config, const char *type) MUST_CHECK;

#endif
