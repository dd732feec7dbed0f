/* SPDX-License-Identifier: Apache-2.0 */
#include "control/mount_view.h"

#include "control/common.h"
#include "io/path.h"

#include <string.h>

static const char *member(const json_t *mount, const char *key) {
  return json_string_value(json_object_get(mount, key));
}

char *mount_place(const struct facts *facts, const char *path, const char **ret_why) {
  *ret_why = NULL;
  if (*path != '/') {
    *ret_why = "it is not absolute";
    return NULL;
  }
  if (control_path_climbs(path)) {
    *ret_why = "it holds \"..\"";
    return NULL;
  }
  if (!facts->rootfs_known)
    return path_normalise(path);
  const struct destination_fact *fact = facts_destination(facts, path);
  if (!fact || !fact->resolved) {
    *ret_why = fact && fact->why ? fact->why : "nobody looked at it in the rootfs";
    return NULL;
  }
  return xstrdup(fact->resolved);
}

/* The last earlier mount that the path lies below: what the path's end will be looked up in. NULL: the
 * rootfs. */
static const struct mount_view *underlying(const struct mount_list *l, size_t count, const char *text) {
  for (size_t i = count; i-- > 0;) {
    const char *place = l->items[i].place;
    if (place && strcmp(place, text) != 0 && path_is_below(text, place))
      return &l->items[i];
  }
  return NULL;
}

/*
 * CVE-2021-30465: a destination whose end lies in a volume is looked up in the volume, where another
 * container may plant links. The rootfs was looked at without the mounts of this list, so what it says of a
 * path below one of them tells only whether links are involved; a fresh tmpfs holds none.
 */
static void place_view(struct mount_view *v, const struct mount_list *earlier, size_t count,
                       const struct facts *facts) {
  v->place = mount_place(facts, v->destination, &v->why);
  if (!v->place || strcmp(v->place, v->text) == 0)
    return;
  const struct mount_view *under = underlying(earlier, count, v->text);
  if (!under)
    return;
  if (strcmp(under->type, "bind") == 0) {
    v->redirected = true;
    v->why = "a symbolic link inside an earlier bind mount leads elsewhere";
    free(steal_ptr(&v->place));
  } else if (!under->is.copy_up) {
    free(v->place);
    v->place = xstrdup(v->text);
  }
}

/* What the offered user namespace asks for is seen as what it stands for: a view of a source as the source,
 * and a file system of a joined namespace, made beforehand, as that file system. */
static void see_through(struct mount_view *v, const struct facts *facts) {
  const struct user_namespace_offer *offer = &facts->offer;
  if (!offer->size || !v->source || !v->is.bind)
    return;
  const struct source_fact *fact = facts_source(facts, v->source);
  if (fact) {
    v->source = fact->source;
  } else if (offer->sysfs && strcmp(v->source, offer->sysfs) == 0) {
    v->type = v->source = "sysfs";
    v->is.bind = v->is.recursive = false;
    v->stands_for = true;
  } else if (offer->mqueue && strcmp(v->source, offer->mqueue) == 0) {
    v->type = v->source = "mqueue";
    v->is.bind = v->is.recursive = false;
    v->stands_for = true;
  }
}

void mount_list_read(struct mount_list *ret, const json_t *mounts, const struct facts *facts) {
  *ret = (struct mount_list){ .len = json_array_size(mounts) };
  ret->items = ret->len ? xcalloc(ret->len, sizeof *ret->items) : NULL;
  for (size_t i = 0; i < ret->len; i++) {
    struct mount_view *v = &ret->items[i];
    v->mount = json_array_get(mounts, i);
    v->destination = member(v->mount, "destination");
    if (!v->destination)
      v->destination = "";
    v->source = member(v->mount, "source");
    v->options = json_object_get(v->mount, "options");
    if (json_is_null(v->options))
      v->options = NULL;
    mount_options_read(v->options, &v->is);
    v->type = v->is.bind ? "bind" : member(v->mount, "type");
    if (!v->type)
      v->type = "";
    see_through(v, facts);
    if (strcmp(v->type, "bind") != 0)
      v->is.set = v->is.plain;
    if (*v->destination == '/' && !control_path_climbs(v->destination))
      v->text = path_normalise(v->destination);
    place_view(v, ret, i, facts);
  }
}

void mount_list_free(struct mount_list *l) {
  for (size_t i = 0; i < l->len; i++) {
    free(l->items[i].text);
    free(l->items[i].place);
  }
  free(l->items);
  *l = (struct mount_list){ 0 };
}
