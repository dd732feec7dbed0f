/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compose file's service, as its translators share it. compose reads with go-yaml 3 and casts: a boolean or
 * a number may be a string too, and strings hold variables, which nobody knows here but by the defaults that
 * the file gives.
 */
#ifndef HARDEN_MANIFEST_COMPOSE_H
#define HARDEN_MANIFEST_COMPOSE_H

#include "manifest/engine.h"
#include "manifest/manifest.h"
#include "manifest/translation.h"

struct service {
  struct translation *t;
  const struct node *document, *node;
  const char *name;
  bool privileged;
};

/* compose_values.c */

/* Replaces the variables in all scalars below a node by the defaults that stand there, else by nothing with a
 * note. */
void compose_interpolate(struct translation *t, struct node *node);
/* Absent gives the default, as does what is none of it, with a mistake. */
bool compose_bool(struct translation *t, const struct node *node, bool otherwise);
bool compose_int(struct translation *t, const struct node *node, int64_t *ret);
bool compose_bytes(struct translation *t, const struct node *node, int64_t *ret);
bool compose_cpus(struct translation *t, const struct node *node, int64_t *ret_milli);
/* A scalar's text; "" for a list or a map, with a mistake. NULL gives NULL. */
const char *compose_text(struct translation *t, const struct node *node);

/* A list, or one item that stands for a list of one: by index, NULL at the end. */
const struct node *compose_item(const struct node *list, size_t index);
/* A map, or a list of "key=value": by index, false at the end. *ret_value is NULL without one. The caller
 * frees both. */
bool compose_pair(struct translation *t, const struct node *map, size_t index, char **ret_key,
                  char **ret_value, const struct node **ret_node);

/* compose_security.c: user, capabilities, security_opt, masks, devices. */
void compose_security(struct service *s);
/* compose_mounts.c */
void compose_mounts(struct service *s);

int compose_translate(struct translation *t, struct manifest *manifest);

/* Where a compose file is taken to lie: what its relative paths lead to is the node's business. */
#define COMPOSE_PROJECT "/srv/compose/project"
#define COMPOSE_CONTAINER "/var/lib/docker/containers/0000"

#endif
