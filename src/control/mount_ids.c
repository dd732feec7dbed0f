/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts with id mappings of their own (runc since 1.2, crun since 1.4): who in the container is root on
 * disk? A mapping of the file system's 0 to 1000 makes a container's user 1000, without any capability, read
 * root's files and leave setuid programs of root's on the host, where no nosuid holds. Root of the
 * container's user namespace is meant to be it.
 */
#include "control/common.h"
#include "control/mounts.h"
#include "spec/mapping.h"
#include "spec/namespace.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum kind { UIDS, GIDS, KINDS };
static const char *const own_maps[KINDS] = { "uidMappings", "gidMappings" };
static const char *const container_maps[KINDS] = { "/linux/uidMappings", "/linux/gidMappings" };
static const char *const words[] = { "idmap=", "ridmap=" };

/* Is the host's id that of somebody in the container, other than its root? */
static bool is_other(const json_t *root, enum kind kind, uint64_t id) {
  if (!spec_namespace(root, "user"))
    return id != 0;
  const json_t *list = control_at(root, container_maps[kind]);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const struct spec_mapping m = spec_mapping_of(json_array_get(list, i));
    if (id >= m.outside && id - m.outside < m.size)
      return m.inside + (id - m.outside) != 0;
  }
  return json_array_size(list) == 0; /* a joined namespace may map it to anybody */
}

static bool listed(const json_t *root, const json_t *mount, enum kind kind) {
  const json_t *list = json_object_get(mount, own_maps[kind]);
  for (size_t i = 0; i < json_array_size(list); i++) {
    const struct spec_mapping m = spec_mapping_of(json_array_get(list, i));
    if (m.inside == 0 && m.size > 0 && is_other(root, kind, m.outside))
      return true;
  }
  return false;
}

static bool number(const char **text, char end, uint64_t *ret) {
  char *rest;
  if (!isdigit((unsigned char)**text))
    return false;
  *ret = strtoull(*text, &rest, 10);
  *text = rest + (*rest == end);
  return *ret <= UINT32_MAX && (*rest == end || end == '\0');
}

/* crun's "0-1000-10#20-@2000-1": the file system's id, the host's, how many; with "@" before it the second is
 * the container's. */
static bool written(const json_t *root, const char *list, const char *end, enum kind kind) {
  while (list < end) {
    struct spec_mapping m;
    const bool relative = *list == '@';
    list += relative;
    if (!number(&list, '-', &m.inside) || !number(&list, '-', &m.outside) || !number(&list, '\0', &m.size))
      return true;
    if (m.inside == 0 && (relative ? m.outside != 0 : is_other(root, kind, m.outside)))
      return true;
    if (list < end && *list++ != '#')
      return true;
  }
  return false;
}

/* "uids=...;gids=..."; what is not understood may be anything. */
static bool worded(const json_t *root, const char *maps) {
  static const char *const names[KINDS] = { "uids=", "gids=" };
  while (*maps) {
    const char *end = maps + strcspn(maps, ";");
    const enum kind kind = str_starts(maps, names[UIDS]) ? UIDS : GIDS;
    if (!str_starts(maps, names[kind]) || written(root, maps + strlen(names[kind]), end, kind))
      return true;
    maps = end + (*end == ';');
  }
  return false;
}

/* What follows "idmap="; NULL: another word. */
static const char *maps_in(const json_t *option) {
  const char *text = json_string_value(option);
  for (size_t i = 0; text && i < ARRAY_SIZE(words); i++)
    if (str_starts(text, words[i]))
      return text + strlen(words[i]);
  return NULL;
}

bool mount_gives_root(const json_t *root, const struct mount_view *v) {
  for (size_t i = 0; i < json_array_size(v->options); i++) {
    const char *maps = maps_in(json_array_get(v->options, i));
    if (maps && worded(root, maps))
      return true;
  }
  return listed(root, v->mount, UIDS) || listed(root, v->mount, GIDS);
}

bool mount_has_ids(const struct mount_view *v) {
  for (size_t i = 0; i < json_array_size(v->options); i++) {
    const char *text = json_string_value(json_array_get(v->options, i));
    if (text &&
        (strcmp(text, "idmap") == 0 || strcmp(text, "ridmap") == 0 || maps_in(json_array_get(v->options, i))))
      return true;
  }
  return json_object_get(v->mount, own_maps[UIDS]) || json_object_get(v->mount, own_maps[GIDS]);
}
