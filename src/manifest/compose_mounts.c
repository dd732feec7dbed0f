/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/compose.h"

#include <string.h>

/* One volume, whichever way it was written. */
struct volume {
  struct field from;
  const char *type; /* "bind", "volume", "tmpfs", ... */
  const char *source, *target;
  bool read_only;
  const char *propagation; /* NULL: none was asked for */
};

/* --- paths --- */

/* Absolute, by the text alone. The caller frees. */
static char *host_path(struct service *s, const char *path, struct field from) {
  if (*path == '/')
    return xstrdup(path);
  if (*path == '~') {
    note(s->t, from, "whose home it is, is the node's business: judged as root's");
    return xasprintf("/root%s", path + 1);
  }
  if (strstr(path, ".."))
    note(s->t, from, "where it leads depends on where the file lies: judged as in " COMPOSE_PROJECT);
  return xasprintf(COMPOSE_PROJECT "/%s", path);
}

static bool is_propagation(const char *word) {
  static const char *const words[] = { "private", "rprivate", "slave", "rslave", "shared", "rshared" };
  for (size_t i = 0; i < ARRAY_SIZE(words); i++)
    if (strcmp(words[i], word) == 0)
      return true;
  return false;
}

/* --- mounts --- */

/* The wrapper's flags on a bind are nothing that compose can ask for; its propagation is. */
static void put_bind(struct service *s, const struct volume *v, const char *source, const char *propagation) {
  struct translation *t = s->t;
  size_t index = json_array_size(json_object_get(t->container->config, "mounts"));
  CLEANUP_FREE char *pointer = xasprintf("/mounts/%zu/options", index);
  CLEANUP_FREE char *options = xasprintf("rbind%s%s%s", v->read_only ? ",ro" : "", propagation ? "," : "",
                                         propagation ? propagation : "");
  put_item(t, "/mounts", mount_new(v->target, "bind", source, options), v->from);
  put_origin(t, pointer, v->propagation ? v->from : ENGINES);
  if (v->propagation && strstr(v->propagation, "shared"))
    engine_put_root_propagation(t, "shared", v->from);
  else if (v->propagation && strstr(v->propagation, "slave"))
    engine_put_root_propagation(t, "rslave", v->from);
}

/* Is the word, or one that starts with it and '=', among the options? */
static bool has_word(const char *options, const char *word) {
  size_t len = strlen(word);
  for (const char *p = options; *p; p += strcspn(p, ","), p += *p == ',')
    if (strncmp(p, word, len) == 0 && (!p[len] || p[len] == ',' || p[len] == '='))
      return true;
  return false;
}

static void put_tmpfs(struct service *s, const char *target, const char *asked, struct field from) {
  static const char *const defaults[][2] = { { "noexec", "exec" }, { "nosuid", "suid" }, { "nodev", "dev" } };
  CLEANUP_STR struct str options = { 0 };
  for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
    if (!has_word(asked, defaults[i][1]) && !has_word(asked, defaults[i][0]))
      str_addf(&options, "%s,", defaults[i][0]);
  str_addf(&options, "rprivate%s%s", *asked ? "," : "", asked);
  put_item(s->t, "/mounts", mount_new(target, "tmpfs", "tmpfs", options.data), from);
}

static void put_volume(struct service *s, const struct volume *v) {
  if (!v->target || *v->target != '/') {
    mistake(s->t, v->from.node, "its target is to be an absolute path");
  } else if (strcmp(v->type, "bind") == 0) {
    CLEANUP_FREE char *source = host_path(s, v->source ? v->source : "", v->from);
    put_bind(s, v, source, v->propagation ? v->propagation : "rprivate");
  } else if (strcmp(v->type, "volume") == 0) {
    const struct node *declared = v->source ? node_get(node_get(s->document, "volumes"), v->source) : NULL;
    const struct node *device = node_at(declared, "driver_opts.device");
    CLEANUP_FREE char *source =
        xasprintf("/var/lib/docker/volumes/%s/_data", v->source && *v->source ? v->source : "anonymous");
    if (device) {
      note(s->t, (struct field){ device, "" }, "the volume's driver mounts it: judged as a bind of it");
      CLEANUP_FREE char *path = host_path(s, compose_text(s->t, device), v->from);
      put_bind(s, v, path, v->propagation);
    } else {
      put_bind(s, v, source, v->propagation);
    }
  } else if (strcmp(v->type, "tmpfs") == 0) {
    put_tmpfs(s, v->target, "", v->from);
  } else {
    note(s->t, v->from, "a mount of type %s is not known here: it is not judged", v->type);
  }
}

/* "TARGET", "SOURCE:TARGET", "SOURCE:TARGET:ro,rslave". */
static void short_volume(struct service *s, const struct node *item) {
  CLEANUP_FREE char *text = xstrdup(compose_text(s->t, item));
  struct volume v = { .from = { item, "" }, .type = "volume", .target = text };
  char *target = strchr(text, ':');
  char *modes = NULL;
  if (target) {
    *target++ = '\0';
    v.source = text;
    v.target = target;
    v.type = strchr("./~", *text) ? "bind" : "volume";
    modes = strchr(target, ':');
  }
  if (modes)
    *modes++ = '\0';
  char *state;
  for (char *word = modes ? strtok_r(modes, ",", &state) : NULL; word; word = strtok_r(NULL, ",", &state)) {
    v.read_only = v.read_only || strcmp(word, "ro") == 0;
    if (is_propagation(word))
      v.propagation = word;
  }
  put_volume(s, &v);
}

static void long_volume(struct service *s, const struct node *item) {
  struct translation *t = s->t;
  const char *type = compose_text(t, node_get(item, "type"));
  struct volume v = {
    .from = { item, "" },
    .type = type ? type : "volume",
    .source = compose_text(t, node_get(item, "source")),
    .target = compose_text(t, node_get(item, "target")),
    .read_only = compose_bool(t, node_get(item, "read_only"), false),
    .propagation = compose_text(t, node_at(item, "bind.propagation")),
  };
  put_volume(s, &v);
}

static void secrets(struct service *s, const char *kind, const char *directory) {
  struct translation *t = s->t;
  const struct node *item;
  for (size_t i = 0; (item = compose_item(node_get(s->node, kind), i)); i++) {
    struct field from = { item, "" };
    const char *name = item->text ? item->text : compose_text(t, node_get(item, "source"));
    const char *target = compose_text(t, node_get(item, "target"));
    const char *file =
        compose_text(t, node_get(node_get(node_get(s->document, kind), name ? name : ""), "file"));
    if (!file) {
      note(t, from, "what it holds is not in a file of the project: the mount is not judged");
      continue;
    }
    CLEANUP_FREE char *inside =
        target && *target == '/' ? xstrdup(target) : xasprintf("%s%s", directory, target ? target : name);
    struct volume v = { .from = from, .type = "bind", .source = file, .target = inside, .read_only = true };
    put_volume(s, &v);
  }
}

/* --- what dockerd adds --- */

static void base_mounts(struct service *s) {
  struct translation *t = s->t;
  struct field from = s->privileged ? field_at(s->node, "privileged") : ENGINES;
  engine_put_mounts(t);
  put_item(
      t, "/mounts",
      mount_new("/sys", "sysfs", "sysfs", s->privileged ? "nosuid,noexec,nodev" : "nosuid,noexec,nodev,ro"),
      from);
  put_item(t, "/mounts",
           mount_new("/sys/fs/cgroup", "cgroup", "cgroup",
                     s->privileged ? "nosuid,noexec,nodev" : "ro,nosuid,noexec,nodev"),
           from);
  put_item(t, "/mounts", mount_new("/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"), ENGINES);
}

static void shared_memory(struct service *s) {
  enum { DEFAULT = 64 << 20 };
  struct translation *t = s->t;
  struct field from = field_at(s->node, "ipc");
  const char *ipc = compose_text(t, node_get(s->node, "ipc"));
  int64_t size = DEFAULT;
  (void)compose_bytes(t, node_get(s->node, "shm_size"), &size);
  CLEANUP_FREE char *options = xasprintf("nosuid,noexec,nodev,mode=1777,size=%lld", (long long)size);
  if (ipc && strcmp(ipc, "host") == 0)
    put_item(t, "/mounts", mount_new("/dev/shm", "bind", "/dev/shm", "rbind,rprivate"), from);
  else if (ipc && strchr(ipc, ':'))
    put_item(t, "/mounts", mount_new("/dev/shm", "bind", COMPOSE_CONTAINER "/mounts/shm", "rbind,rprivate"),
             ENGINES);
  else if (!ipc || strcmp(ipc, "none") != 0)
    put_item(t, "/mounts", mount_new("/dev/shm", "tmpfs", "shm", options), ENGINES);
}

void compose_mounts(struct service *s) {
  static const char *const files[] = { "resolv.conf", "hostname", "hosts" };
  struct translation *t = s->t;
  const struct node *item;
  bool read_only = compose_bool(t, node_get(s->node, "read_only"), false);
  base_mounts(s);
  shared_memory(s);
  for (size_t i = 0; (item = compose_item(node_get(s->node, "volumes"), i)); i++) {
    if (item->kind == NODE_MAP)
      long_volume(s, item);
    else
      short_volume(s, item);
  }
  for (size_t i = 0; (item = compose_item(node_get(s->node, "tmpfs"), i)); i++) {
    CLEANUP_FREE char *target = xstrdup(compose_text(t, item));
    char *options = strchr(target, ':');
    if (options)
      *options++ = '\0';
    put_tmpfs(s, target, options ? options : "", (struct field){ item, "" });
  }
  secrets(s, "secrets", "/run/secrets/");
  secrets(s, "configs", "/");
  if (compose_bool(t, node_get(s->node, "use_api_socket"), false))
    put_item(t, "/mounts",
             mount_new("/var/run/docker.sock", "bind", "/var/run/docker.sock", "rbind,rprivate"),
             field_at(s->node, "use_api_socket"));
  if (compose_bool(t, node_get(s->node, "init"), false))
    put_item(t, "/mounts", mount_new("/sbin/docker-init", "bind", "/usr/bin/docker-init", "bind,ro"),
             ENGINES);
  for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
    CLEANUP_FREE char *target = xasprintf("/etc/%s", files[i]),
                      *source = xasprintf(COMPOSE_CONTAINER "/%s", files[i]);
    put_item(t, "/mounts",
             mount_new(target, "bind", source, read_only ? "rbind,ro,rprivate" : "rbind,rprivate"), ENGINES);
  }
}
