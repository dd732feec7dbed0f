/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/pod.h"

#include <string.h>

/* --- namespaces --- */

/* Of the sandbox: the host's are those that are left out. */
static void sandbox_namespaces(struct pod *pod) {
  struct translation *t = pod->t;
  struct field network = field_at(pod->spec, "hostNetwork"), pid = field_at(pod->spec, "hostPID"),
               ipc = field_at(pod->spec, "hostIPC");
  if (!pod->host_pid)
    engine_put_namespace(t, "pid", NULL, pid);
  if (!pod->host_ipc)
    engine_put_namespace(t, "ipc", NULL, ipc);
  engine_put_namespace(t, "mount", NULL, ENGINES);
  if (!pod->host_network) {
    engine_put_namespace(t, "uts", NULL, network);
    engine_put_namespace(t, "network", "/var/run/netns/cni-00000000", network);
  }
  put_origin(t, "/linux/namespaces/user", field_at(pod->spec, "hostUsers"));
  put_origin(t, "/linux/namespaces/network", network);
  put_origin(t, "/linux/namespaces/uts", network);
  put_origin(t, "/linux/namespaces/pid", pid);
  put_origin(t, "/linux/namespaces/ipc", ipc);
  put_origin(t, "/linux/namespaces/cgroup", ENGINES);
}

/* A container joins those of its sandbox, which are the host's where the pod asks for that. */
static void join(struct pod *pod, const char *type, const char *name, bool hosts, struct field from) {
  CLEANUP_FREE char *path = xasprintf(ENGINE_PROC "/ns/%s", name);
  engine_put_namespace(pod->t, type, path, from);
  if (hosts)
    strlist_add(&pod->t->container->host_namespaces, path);
}

static void container_namespaces(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  struct field pid = field_at(pod->spec, pod->share_pid ? "shareProcessNamespace" : "hostPID");
  const struct node *target = node_get(c->node, "targetContainerName");
  if (target && !pod->host_pid && !pod->share_pid)
    engine_put_namespace(t, "pid", "/proc/4194303/ns/pid", (struct field){ target, "" });
  else if (pod->host_pid || pod->share_pid)
    join(pod, "pid", "pid", pod->host_pid, pid);
  else
    engine_put_namespace(t, "pid", NULL, pid);
  join(pod, "ipc", "ipc", pod->host_ipc, field_at(pod->spec, "hostIPC"));
  join(pod, "uts", "uts", pod->host_network, field_at(pod->spec, "hostNetwork"));
  engine_put_namespace(t, "mount", NULL, ENGINES);
  join(pod, "network", "net", pod->host_network, field_at(pod->spec, "hostNetwork"));
  if (pod->user_namespace)
    engine_put_namespace(t, "user", ENGINE_PROC "/ns/user", field_at(pod->spec, "hostUsers"));
  put_origin(t, "/linux/namespaces/user", field_at(pod->spec, "hostUsers"));
  if (!c->privileged)
    engine_put_namespace(t, "cgroup", NULL, ENGINES);
  else
    put_origin(t, "/linux/namespaces/cgroup", field_at(c->node, "securityContext.privileged"));
}

/* Numbers as kubelet gives them to the first pod of a node. */
static void user_mappings(struct pod *pod) {
  static const char *const maps[] = { "/linux/uidMappings", "/linux/gidMappings" };
  for (size_t i = 0; pod->user_namespace && i < ARRAY_SIZE(maps); i++) {
    json_t *map = json_object();
    jsonx_set_new(map, "containerID", json_integer(0));
    jsonx_set_new(map, "hostID", json_integer(65536));
    jsonx_set_new(map, "size", json_integer(65536));
    put_item(pod->t, maps[i], map, field_at(pod->spec, "hostUsers"));
  }
}

/* --- annotations --- */

static void annotation(struct pod *pod, const char *key, const char *value, struct field from) {
  CLEANUP_FREE char *pointer = xasprintf("/annotations/%s", key);
  put(pod->t, pointer, jsonx_string_new(value), from);
}

/* What a node's rules select by, and what containerd passes on if it is told to. */
static void annotations(struct pod *pod, const struct pod_container *c) {
  const struct node *asked = node_get(node_get(pod->metadata, "annotations"), "oci-harden.policy");
  annotation(pod, "io.kubernetes.cri.container-type", c ? "container" : "sandbox", ENGINES);
  annotation(pod, "io.kubernetes.cri.sandbox-id", "sandbox", ENGINES);
  annotation(pod, "io.kubernetes.cri.sandbox-name", pod->name, ENGINES);
  annotation(pod, "io.kubernetes.cri.sandbox-namespace", pod->namespace, ENGINES);
  if (c) {
    annotation(pod, "io.kubernetes.cri.container-name", c->name, ENGINES);
    annotation(pod, "io.kubernetes.cri.image-name", text_of(pod->t, node_get(c->node, "image"), ""), ENGINES);
  }
  if (!asked)
    return;
  annotation(pod, "oci-harden.policy", text_of(pod->t, asked, ""), (struct field){ asked, "" });
  if (!c)
    note(pod->t, (struct field){ asked, "" },
         "it reaches the runtime only where containerd's pod_annotations list it");
}

/* --- process --- */

static void environment(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  put_item(t, "/process/env", jsonx_string_new(ENGINE_PATH), ENGINES);
  const struct node *env = read_list(t, c->node, "env");
  for (size_t i = 0; i < node_len(env); i++) {
    const struct node *value = node_get(env->children[i], "value");
    /* The value is looked at by nobody; an expression would be another's business. */
    CLEANUP_FREE char *variable =
        xasprintf("%s=%s", text_of(t, node_get(env->children[i], "name"), ""), text_of(t, value, ""));
    put_item(t, "/process/env", jsonx_string_new(variable), (struct field){ env->children[i], "" });
  }
  const struct node *from = read_list(t, c->node, "envFrom");
  for (size_t i = 0; i < node_len(from); i++)
    note(t, (struct field){ from->children[i], "" }, "the names of these variables are the cluster's");
}

static void arguments(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  const struct node *command = read_list(t, c->node, "command"), *args = read_list(t, c->node, "args");
  if (!command) {
    put_item(t, "/process/args", jsonx_string_new("entrypoint"), ENGINES);
    note(t, field_at(c->node, "command"), "the image's ENTRYPOINT decides what is run");
  }
  for (size_t i = 0; i < node_len(command); i++)
    put_item(t, "/process/args", jsonx_string_new(text_of(t, command->children[i], "")),
             (struct field){ command->children[i], "" });
  for (size_t i = 0; i < node_len(args); i++)
    put_item(t, "/process/args", jsonx_string_new(text_of(t, args->children[i], "")),
             (struct field){ args->children[i], "" });
}

static void begin(struct pod *pod) {
  struct translation *t = pod->t;
  t->container->config = json_object();
  put(t, "/ociVersion", jsonx_string_new("1.0.2-dev"), ENGINES);
}

/* --- containers --- */

static void sandbox(struct pod *pod, struct manifest *manifest) {
  enum { PAUSE = 65535 };
  struct translation *t = pod->t;
  const struct strlist none = { 0 };
  manifest_add(t, manifest, xasprintf("%s: sandbox", pod->title), pod->spec);
  begin(pod);
  engine_put_user(t, PAUSE, PAUSE, ENGINES);
  put_item(t, "/process/args", jsonx_string_new("/pause"), ENGINES);
  put_item(t, "/process/env", jsonx_string_new(ENGINE_PATH), ENGINES);
  put(t, "/process/cwd", jsonx_string_new("/"), ENGINES);
  put(t, "/process/noNewPrivileges", json_true(), ENGINES);
  put(t, "/process/oomScoreAdj", json_integer(0), ENGINES);
  engine_put_caps(t, engine_default_caps(), &none, false, ENGINES);
  put(t, "/root/path", jsonx_string_new("rootfs"), ENGINES);
  put(t, "/root/readonly", json_true(), ENGINES);
  pod_sandbox_mounts(pod);
  annotations(pod, NULL);
  user_mappings(pod);
  put_item(t, "/linux/resources/devices", device_rule(false, NULL, 0, 0, "rwm"), ENGINES);
  put(t, "/linux/resources/cpu/shares", json_integer(2), ENGINES);
  sandbox_namespaces(pod);
  if (pod->user_namespace) {
    engine_put_namespace(t, "user", NULL, field_at(pod->spec, "hostUsers"));
    note(t, field_at(pod->spec, "hostUsers"),
         "a cluster or engine that does not know it gives no user namespace: judged as if it did");
  }
  engine_put_masks(t, ENGINES);
  if (!pod->privileged)
    put(t, "/linux/seccomp", engine_seccomp(ENGINE_CONTAINERD, engine_default_caps()), ENGINES);
  pod_unknown_fields(t, read_map(t, pod->spec, "securityContext"));
  const struct node *sysctls = node_at(pod->spec, "securityContext.sysctls");
  for (size_t i = 0; i < node_len(sysctls); i++) {
    CLEANUP_FREE char *pointer =
        jsonx_pointer("/linux/sysctl", text_of(t, node_get(sysctls->children[i], "name"), ""));
    put(t, pointer, jsonx_string_new(text_of(t, node_get(sysctls->children[i], "value"), "")),
        (struct field){ sysctls->children[i], "" });
  }
  if (node_get(pod->spec, "runtimeClassName"))
    note(t, field_at(pod->spec, "runtimeClassName"),
         "which runtime, and so which policy, stands behind it is the node's business");
}

static void ports(struct translation *t, const struct node *container) {
  const struct node *list = read_list(t, container, "ports");
  for (size_t i = 0; i < node_len(list); i++)
    if (int_of(t, node_get(list->children[i], "hostPort"), 0))
      note(t, field_at(list->children[i], "hostPort"),
           "a port of the node is made by the network plugin, which no runtime sees");
}

static void container(struct pod *pod, struct manifest *manifest, struct pod_container *c) {
  struct translation *t = pod->t;
  c->name = text_of(t, node_get(c->node, "name"), "");
  c->privileged = bool_of(t, node_at(c->node, "securityContext.privileged"), false);
  const char *kind = c->ephemeral ? "ephemeral container" : c->init ? "init container" : "container";
  if (c->init && strcmp(text_of(t, node_get(c->node, "restartPolicy"), ""), "Always") == 0)
    kind = "sidecar";
  manifest_add(t, manifest, xasprintf("%s: %s %s", pod->title, kind, c->name), c->node);
  begin(pod);
  pod_security(pod, c);
  arguments(pod, c);
  environment(pod, c);
  put(t, "/process/cwd", jsonx_string_new(text_of(t, node_get(c->node, "workingDir"), "/")),
      field_at(c->node, "workingDir"));
  if (bool_of(t, node_get(c->node, "tty"), false))
    put(t, "/process/terminal", json_true(), field_at(c->node, "tty"));
  pod_resources(pod, c);
  pod_mounts(pod, c);
  annotations(pod, c);
  user_mappings(pod);
  container_namespaces(pod, c);
  ports(t, c->node);
  if (c->privileged)
    note(t, field_at(c->node, "securityContext.privileged"),
         "all devices of the node come with it: judged by the rule that allows them");
}

static void each(struct pod *pod, struct manifest *manifest, const char *key, struct pod_container kind) {
  const struct node *list = read_list(pod->t, pod->spec, key);
  for (size_t i = 0; i < node_len(list) && !pod->t->failed; i++) {
    kind.node = list->children[i];
    if (kind.node->kind != NODE_MAP)
      mistake(pod->t, kind.node, "a map is to stand here, not %s", node_kind_name(kind.node->kind));
    else
      container(pod, manifest, &kind);
  }
}

static bool any_privileged(const struct node *spec) {
  static const char *const lists[] = { "containers", "initContainers", "ephemeralContainers" };
  for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
    const struct node *list = node_get(spec, lists[i]);
    for (size_t k = 0; k < node_len(list); k++) {
      const struct node *flag = node_at(list->children[k], "securityContext.privileged");
      if (flag && flag->truth)
        return true;
    }
  }
  return false;
}

void pod_translate(struct translation *t, struct manifest *manifest, const struct node *document,
                   const struct node *template, const char *title) {
  const struct node *metadata = read_map(t, document, "metadata");
  struct pod pod = {
    .t = t,
    .spec = read_map(t, template, "spec"),
    .metadata = read_map(t, template, "metadata"),
    .name = text_of(t, node_get(metadata, "name"), ""),
    .namespace = text_of(t, node_get(metadata, "namespace"), "default"),
    .title = title,
  };
  if (!pod.spec || !read_list(t, pod.spec, "containers")) {
    mistake(t, pod.spec ? pod.spec : document, "a pod without containers");
    return;
  }
  if (strcmp(text_of(t, node_at(pod.spec, "os.name"), "linux"), "linux") != 0) {
    strlist_add(&manifest->skipped, title); /* Windows has no such runtime */
    return;
  }
  pod.host_network = bool_of(t, node_get(pod.spec, "hostNetwork"), false);
  pod.host_pid = bool_of(t, node_get(pod.spec, "hostPID"), false);
  pod.host_ipc = bool_of(t, node_get(pod.spec, "hostIPC"), false);
  pod.share_pid = bool_of(t, node_get(pod.spec, "shareProcessNamespace"), false);
  pod.user_namespace = !bool_of(t, node_get(pod.spec, "hostUsers"), true);
  pod.privileged = any_privileged(pod.spec);
  pod.oom_score = pod_oom_score(&pod);
  sandbox(&pod, manifest);
  each(&pod, manifest, "initContainers", (struct pod_container){ .init = true });
  each(&pod, manifest, "containers", (struct pod_container){ 0 });
  each(&pod, manifest, "ephemeralContainers", (struct pod_container){ .ephemeral = true });
}
