/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/compose.h"

#include "manifest/pod.h"

#include <ctype.h>
#include <string.h>

/* --- namespaces --- */

/* "host" is left out, "service:x" and "container:x" are joined, all else is the container's own. */
static void namespace(struct service *s, const char *key, const char *type, const char *file) {
  struct field from = field_at(s->node, key);
  const char *mode = compose_text(s->t, node_get(s->node, key));
  CLEANUP_FREE char *joined = xasprintf(ENGINE_PROC "/ns/%s", file);
  if (mode && strcmp(mode, "host") == 0) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/linux/namespaces", type);
    put_origin(s->t, pointer, from);
    return;
  }
  bool others = mode && str_starts(mode, "container:");
  bool joins = others || (mode && str_starts(mode, "service:"));
  if (others)
    note(s->t, from, "whether that container has the host's is not known: judged as one of its own");
  engine_put_namespace(s->t, type, joins ? joined : NULL, from);
}

/* The name that docker knows the project's network by, where the file gives it. */
static bool is_named_host(struct service *s, const char *key) {
  const struct node *declared = node_get(node_get(s->document, "networks"), key);
  const struct node *external = node_get(declared, "external"), *name = node_get(declared, "name");
  const bool map = external && external->kind == NODE_MAP; /* {name: host}, as it was written once */
  if (!name && map)
    name = node_get(external, "name");
  if (!name && (map || compose_bool(s->t, external, false)))
    return strcmp(key, "host") == 0;
  const char *text = compose_text(s->t, name);
  return text && strcmp(text, "host") == 0;
}

/* Among docker's networks is one called "host", and who is in it has the host's own. */
static bool has_host_network(struct service *s, struct field *ret_from) {
  const char *mode = compose_text(s->t, node_get(s->node, "network_mode"));
  const struct node *networks = node_get(s->node, "networks");
  *ret_from = mode || !networks ? field_at(s->node, "network_mode") : (struct field){ networks, "" };
  if (mode)
    return strcmp(mode, "host") == 0;
  if (!networks)
    return is_named_host(s, "default");
  for (size_t i = 0; i < networks->len; i++) {
    const struct node *item = networks->children[i];
    if (is_named_host(s, item->key ? item->key : compose_text(s->t, item)))
      return true;
  }
  return false;
}

static void namespaces(struct service *s) {
  static const char host[] = "/run/docker/netns/default";
  const char *cgroup = compose_text(s->t, node_get(s->node, "cgroup"));
  struct field from;
  engine_put_namespace(s->t, "mount", NULL, ENGINES);
  if (has_host_network(s, &from)) {
    engine_put_namespace(s->t, "network", host, from);
    strlist_add(&s->t->container->host_namespaces, host);
  } else {
    namespace(s, "network_mode", "network", "net");
  }
  namespace(s, "uts", "uts", "uts");
  namespace(s, "pid", "pid", "pid");
  namespace(s, "ipc", "ipc", "ipc");
  from = field_or(field_at(s->node, "cgroup"), field_at(s->node, "privileged"));
  if ((cgroup && strcmp(cgroup, "host") == 0) || (s->privileged && !cgroup))
    put_origin(s->t, "/linux/namespaces/cgroup", from);
  else
    engine_put_namespace(s->t, "cgroup", NULL, ENGINES);
}

static void sysctls(struct service *s) {
  const struct node *map = node_get(s->node, "sysctls"), *node;
  struct field from;
  CLEANUP_FREE char *key = NULL, *value = NULL;
  if (!has_host_network(s, &from)) {
    put(s->t, "/linux/sysctl/net.ipv4.ip_unprivileged_port_start", jsonx_string_new("0"), ENGINES);
    put(s->t, "/linux/sysctl/net.ipv4.ping_group_range", jsonx_string_new("0 2147483647"), ENGINES);
  }
  for (size_t i = 0; compose_pair(s->t, map, i, &key, &value, &node); i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/linux/sysctl", key);
    put(s->t, pointer, jsonx_string_new(value ? value : ""), (struct field){ node, "" });
    free(steal_ptr(&key));
    free(steal_ptr(&value));
  }
}

/* --- resources --- */

static void memory(struct service *s) {
  struct translation *t = s->t;
  struct field from =
      field_or(field_at(s->node, "mem_limit"), field_at(s->node, "deploy.resources.limits.memory"));
  int64_t limit, swap;
  put_origin(t, "/linux/resources/memory", from);
  put_origin(t, "/linux/resources/memory/limit", field_found(from) ? from : field_at(s->node, "mem_limit"));
  if (compose_bool(t, node_get(s->node, "oom_kill_disable"), false))
    put(t, "/linux/resources/memory/disableOOMKiller", json_true(), field_at(s->node, "oom_kill_disable"));
  if (!field_found(from) || !compose_bytes(t, from.node, &limit) || limit <= 0)
    return;
  put(t, "/linux/resources/memory/limit", json_integer(limit), from);
  if (!compose_bytes(t, node_get(s->node, "memswap_limit"), &swap))
    swap = limit <= INT64_MAX / 2 ? 2 * limit : limit;
  put(t, "/linux/resources/memory/swap", json_integer(swap), from);
}

static void pids(struct service *s) {
  struct field from =
      field_or(field_at(s->node, "pids_limit"), field_at(s->node, "deploy.resources.limits.pids"));
  int64_t limit;
  put_origin(s->t, "/linux/resources/pids/limit", field_found(from) ? from : field_at(s->node, "pids_limit"));
  if (field_found(from) && compose_int(s->t, from.node, &limit) && limit != 0)
    put(s->t, "/linux/resources/pids/limit", json_integer(limit), from);
}

static void cpu(struct service *s) {
  enum { PERIOD = 100000 };
  struct translation *t = s->t;
  struct field from = field_or(field_at(s->node, "cpus"), field_at(s->node, "deploy.resources.limits.cpus"));
  int64_t value;
  if (field_found(from) && compose_cpus(t, from.node, &value) && value > 0) {
    const int64_t most = INT64_MAX / PERIOD;
    put(t, "/linux/resources/cpu/quota", json_integer((value < most ? value : most) * PERIOD / 1000), from);
    put(t, "/linux/resources/cpu/period", json_integer(PERIOD), from);
  }
  if (compose_int(t, node_get(s->node, "cpu_shares"), &value) && value > 0)
    put(t, "/linux/resources/cpu/shares", json_integer(value), field_at(s->node, "cpu_shares"));
}

static void rlimits(struct service *s) {
  struct translation *t = s->t;
  const struct node *map = read_map(t, s->node, "ulimits");
  for (size_t i = 0; i < node_len(map); i++) {
    const struct node *item = map->children[i];
    bool both = item->kind == NODE_MAP;
    int64_t soft, hard;
    if (!compose_int(t, both ? node_get(item, "soft") : item, &soft) ||
        !compose_int(t, both ? node_get(item, "hard") : item, &hard))
      continue;
    CLEANUP_FREE char *type = xasprintf("RLIMIT_%s", item->key);
    for (char *p = type; *p; p++)
      *p = (char)toupper((unsigned char)*p);
    json_t *limit = json_object();
    jsonx_set_new(limit, "type", jsonx_string_new(type));
    jsonx_set_new(limit, "soft", jsonx_u64_new((uint64_t)soft));
    jsonx_set_new(limit, "hard", jsonx_u64_new((uint64_t)hard));
    put_item(t, "/process/rlimits", limit, (struct field){ item, "" });
  }
}

/* --- process --- */

static void words(struct service *s, const char *key) {
  struct translation *t = s->t;
  const struct node *list = node_get(s->node, key), *item;
  if (!list || list->kind == NODE_LIST) {
    for (size_t i = 0; (item = compose_item(list, i)); i++)
      put_item(t, "/process/args", jsonx_string_new(compose_text(t, item)), (struct field){ item, "" });
    return;
  }
  CLEANUP_FREE char *text = xstrdup(compose_text(t, list));
  char *state;
  for (char *word = strtok_r(text, " \t\n", &state); word; word = strtok_r(NULL, " \t\n", &state))
    put_item(t, "/process/args", jsonx_string_new(word), (struct field){ list, "" });
}

static void process(struct service *s) {
  struct translation *t = s->t;
  const struct node *node, *environment = node_get(s->node, "environment");
  const char *cwd = compose_text(t, node_get(s->node, "working_dir"));
  int64_t score = 0;
  if (compose_bool(t, node_get(s->node, "init"), false)) {
    put_item(t, "/process/args", jsonx_string_new("/sbin/docker-init"), ENGINES);
    put_item(t, "/process/args", jsonx_string_new("--"), ENGINES);
  }
  if (!node_get(s->node, "entrypoint")) {
    put_item(t, "/process/args", jsonx_string_new("entrypoint"), ENGINES);
    note(t, field_at(s->node, "entrypoint"), "the image's ENTRYPOINT decides what is run");
  }
  words(s, "entrypoint");
  words(s, "command");
  put_item(t, "/process/env", jsonx_string_new(ENGINE_PATH), ENGINES);
  CLEANUP_FREE char *key = NULL, *value = NULL;
  for (size_t i = 0; compose_pair(t, environment, i, &key, &value, &node); i++) {
    CLEANUP_FREE char *variable = xasprintf("%s=%s", key, value ? value : "");
    put_item(t, "/process/env", jsonx_string_new(variable), (struct field){ node, "" });
    free(steal_ptr(&key));
    free(steal_ptr(&value));
  }
  if (node_get(s->node, "env_file"))
    note(t, field_at(s->node, "env_file"), "the file is not read: its variables are not judged");
  put(t, "/process/cwd", jsonx_string_new(cwd ? cwd : "/"), field_at(s->node, "working_dir"));
  if (compose_bool(t, node_get(s->node, "tty"), false))
    put(t, "/process/terminal", json_true(), field_at(s->node, "tty"));
  if (compose_int(t, node_get(s->node, "oom_score_adj"), &score) && (score < -1000 || score > 1000))
    mistake(t, node_get(s->node, "oom_score_adj"), "it is to be from -1000 to 1000");
  put(t, "/process/oomScoreAdj", json_integer(score), field_at(s->node, "oom_score_adj"));
  rlimits(s);
}

/* --- services --- */

static void annotations(struct service *s) {
  const struct node *map = node_get(s->node, "annotations"), *node;
  CLEANUP_FREE char *key = NULL, *value = NULL;
  for (size_t i = 0; compose_pair(s->t, map, i, &key, &value, &node); i++) {
    CLEANUP_FREE char *pointer = jsonx_pointer("/annotations", key);
    put(s->t, pointer, jsonx_string_new(value ? value : ""), (struct field){ node, "" });
    free(steal_ptr(&key));
    free(steal_ptr(&value));
  }
}

static void not_followed(struct service *s) {
  static const struct {
    const char *key, *text;
  } keys[] = {
    { "extends", "it is not followed: what it brings is not judged" },
    { "runtime", "which runtime, and so which policy, stands behind it is the engine's business" },
    { "userns_mode", "whether the engine remaps users is not known: judged as if it did not" },
    { "cgroup_parent", "what limits it has is the node's business" },
    { "post_start", "commands that run in the container later are not judged" },
    { "pre_stop", "commands that run in the container later are not judged" },
    { "isolation", "it is not known here" },
    { "volumes_from", "what volumes another service has is not judged for this one" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
    if (node_get(s->node, keys[i].key))
      note(s->t, field_at(s->node, keys[i].key), "%s", keys[i].text);
  if (node_get(s->document, "include"))
    note(s->t, field_at(s->document, "include"), "other files are not followed: name each of them");
}

/* What services refer to. Of variables there the first service tells. */
static void interpolate_others(struct translation *t, const struct node *document) {
  for (size_t i = 0; i < document->len; i++)
    if (strcmp(document->children[i]->key, "services") != 0)
      compose_interpolate(t, document->children[i]);
}

static void service(struct translation *t, struct manifest *manifest, const struct node *document,
                    struct node *node) {
  struct service s = { t, document, node, node->key, false };
  manifest_add(t, manifest, xasprintf("service %s", node->key), node);
  t->container->config = json_object();
  if (node->kind != NODE_MAP) {
    mistake(t, node, "a map is to stand here, not %s", node_kind_name(node->kind));
    return;
  }
  if (manifest->len == 1)
    interpolate_others(t, document);
  compose_interpolate(t, node);
  s.privileged = compose_bool(t, node_get(node, "privileged"), false);
  put(t, "/ociVersion", jsonx_string_new("1.0.2-dev"), ENGINES);
  compose_security(&s);
  process(&s);
  compose_mounts(&s);
  memory(&s);
  pids(&s);
  cpu(&s);
  namespaces(&s);
  sysctls(&s);
  annotations(&s);
  not_followed(&s);
}

int compose_translate(struct translation *t, struct manifest *manifest) {
  if (manifest->tree.len > 1)
    mistake(t, manifest->tree.documents[1], "a compose file is one document");
  const struct node *document = manifest->tree.documents[0];
  const struct node *services = node_get(document, "services");
  if (services->len == 0)
    mistake(t, services, "a compose file without services");
  for (size_t i = 0; i < services->len && !t->failed; i++)
    service(t, manifest, document, services->children[i]);
  return t->failed ? -1 : 0;
}
