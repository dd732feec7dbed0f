/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/pod.h"

#include <string.h>

/* --- volumes --- */

/* Where kubelet keeps a volume on the node, by the name of its plugin. What is NULL has no directory there.
 */
static const struct volume_kind {
  const char *key, *plugin;
  bool read_only; /* whatever the volumeMount says */
} volume_kinds[] = {
  { "emptyDir", "kubernetes.io~empty-dir", false },
  { "configMap", "kubernetes.io~configmap", true },
  { "secret", "kubernetes.io~secret", true },
  { "projected", "kubernetes.io~projected", true },
  { "downwardAPI", "kubernetes.io~downward-api", true },
  { "persistentVolumeClaim", "kubernetes.io~csi", false },
  { "ephemeral", "kubernetes.io~csi", false },
  { "csi", "kubernetes.io~csi", false },
  { "nfs", "kubernetes.io~nfs", false },
  { "iscsi", "kubernetes.io~iscsi", false },
  { "fc", "kubernetes.io~fc", false },
  { "cephfs", "kubernetes.io~cephfs", false },
  { "rbd", "kubernetes.io~rbd", false },
  { "glusterfs", "kubernetes.io~glusterfs", false },
  { "gitRepo", "kubernetes.io~git-repo", false },
};

static const struct node *find_volume(struct pod *pod, const char *name) {
  const struct node *volumes = read_list(pod->t, pod->spec, "volumes");
  for (size_t i = 0; i < node_len(volumes); i++)
    if (strcmp(text_of(pod->t, node_get(volumes->children[i], "name"), ""), name) == 0)
      return volumes->children[i];
  return NULL;
}

/* The source on the node; NULL with a note or a mistake. The caller frees. */
static char *source_of(struct pod *pod, const struct node *volume, const char *name, bool *ret_read_only) {
  const struct node *path = node_at(volume, "hostPath.path");
  if (path)
    return xstrdup(text_of(pod->t, path, "/"));
  for (size_t i = 0; i < ARRAY_SIZE(volume_kinds); i++) {
    if (!node_get(volume, volume_kinds[i].key))
      continue;
    *ret_read_only = *ret_read_only || volume_kinds[i].read_only;
    if (strcmp(volume_kinds[i].key, "persistentVolumeClaim") == 0 ||
        strcmp(volume_kinds[i].key, "ephemeral") == 0)
      note(pod->t, field_at(volume, volume_kinds[i].key),
           "what is bound to it, a path of the node perhaps, is the cluster's business: judged as a disk");
    bool csi = strcmp(volume_kinds[i].plugin, "kubernetes.io~csi") == 0;
    return xasprintf(POD_DIR "/volumes/%s/%s%s", volume_kinds[i].plugin, name, csi ? "/mount" : "");
  }
  return NULL;
}

/* Nothing within a volume can be looked at: where subPath leads is told by the text alone. */
static char *with_sub_path(struct pod *pod, const struct node *mount, char *source) {
  const struct node *node = node_get(mount, "subPath");
  const struct node *expanded = node_get(mount, "subPathExpr");
  if (!node && !expanded)
    return source;
  CLEANUP_FREE char *whole = source;
  if (expanded)
    note(pod->t, (struct field){ expanded, "" }, "where it leads is known when the container starts only");
  return node ? xasprintf("%s/%s", whole, text_of(pod->t, node, "")) : steal_ptr(&whole);
}

static const char *propagation(struct translation *t, const struct node *mount) {
  static const struct {
    const char *name, *option;
  } kinds[] = { { "None", "rprivate" }, { "HostToContainer", "rslave" }, { "Bidirectional", "rshared" } };
  const struct node *node = node_get(mount, "mountPropagation");
  const char *name = text_of(t, node, "None");
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
    if (strcmp(kinds[i].name, name) == 0)
      return kinds[i].option;
  mistake(t, node, "it is to be None, HostToContainer or Bidirectional");
  return kinds[0].option;
}

static const char *access_of(struct translation *t, const struct node *mount, bool read_only) {
  const char *recursive = text_of(t, node_get(mount, "recursiveReadOnly"), "Disabled");
  if (!read_only && !bool_of(t, node_get(mount, "readOnly"), false))
    return "rw";
  if (strcmp(recursive, "IfPossible") == 0)
    note(t, field_at(mount, "recursiveReadOnly"), "the node decides: judged as not recursive");
  return strcmp(recursive, "Enabled") == 0 ? "rro" : "ro";
}

/* The wrapper's flags on a volume are nothing that a manifest can ask for; its propagation is. */
static void put_mount(struct translation *t, json_t *new, struct field from, struct field options) {
  size_t index = json_array_size(json_object_get(t->container->config, "mounts"));
  CLEANUP_FREE char *pointer = xasprintf("/mounts/%zu/options", index);
  put_item(t, "/mounts", new, from);
  put_origin(t, pointer, options);
}

static void volume_mount(struct pod *pod, const struct node *mount) {
  struct translation *t = pod->t;
  struct field from = { mount, "" };
  const char *name = text_of(t, node_get(mount, "name"), "");
  const char *destination = text_of(t, node_get(mount, "mountPath"), "");
  const struct node *volume = find_volume(pod, name);
  if (!*destination) {
    mistake(t, mount, "it has no mountPath");
    return;
  }
  if (!volume) {
    note(t, from, "the pod has no volume %s: a template, or Kubernetes, gives it, or refuses the pod", name);
    return;
  }
  bool read_only = false;
  CLEANUP_FREE char *source = source_of(pod, volume, name, &read_only);
  if (!source) {
    note(t, from, "what kind of volume %s is, is not known here: the mount is not judged", name);
    return;
  }
  source = with_sub_path(pod, mount, steal_ptr(&source));
  const char *how = propagation(t, mount);
  CLEANUP_FREE char *options = xasprintf("rbind,%s,%s", how, access_of(t, mount, read_only));
  CLEANUP_FREE char *absolute = xasprintf("%s%s", *destination == '/' ? "" : "/", destination);
  put_mount(t, mount_new(absolute, "bind", source, options), from,
            strcmp(how, "rprivate") == 0 ? ENGINES : field_at(mount, "mountPropagation"));
  if (strcmp(how, "rprivate") != 0)
    engine_put_root_propagation(t, how, field_at(mount, "mountPropagation"));
}

static bool is_mounted(const struct translation *t, const char *destination) {
  size_t i;
  const json_t *mount;
  json_array_foreach(json_object_get(t->container->config, "mounts"), i, mount)
    if (strcmp(json_string_value(json_object_get(mount, "destination")), destination) == 0)
      return true;
  return false;
}

/* --- what containerd and kubelet add --- */

static void base_mounts(struct translation *t, bool writable_kernel, bool shared_memory, struct field from) {
  const char *access = writable_kernel ? "rw" : "ro";
  CLEANUP_FREE char *sys = xasprintf("nosuid,noexec,nodev,%s", access);
  engine_put_mounts(t);
  if (shared_memory)
    put_item(t, "/mounts", mount_new("/dev/shm", "tmpfs", "shm", "nosuid,noexec,nodev,mode=1777,size=65536k"),
             ENGINES);
  put_item(t, "/mounts", mount_new("/dev/mqueue", "mqueue", "mqueue", "nosuid,noexec,nodev"), ENGINES);
  put_item(t, "/mounts", mount_new("/sys", "sysfs", "sysfs", sys), from);
}

#define SANDBOX_FILES "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/sandbox"
#define SANDBOX_SHM "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/sandbox/shm"

void pod_sandbox_mounts(struct pod *pod) {
  struct translation *t = pod->t;
  base_mounts(t, false, true, ENGINES);
  put_item(t, "/mounts", mount_new("/dev/shm", "bind", pod->host_ipc ? "/dev/shm" : SANDBOX_SHM, "rbind,ro"),
           pod->host_ipc ? field_at(pod->spec, "hostIPC") : ENGINES);
  put_item(t, "/mounts", mount_new("/etc/resolv.conf", "bind", SANDBOX_FILES "/resolv.conf", "rbind,ro"),
           ENGINES);
}

static void kubelet_mounts(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  static const char token[] = "/var/run/secrets/kubernetes.io/serviceaccount";
  if (!is_mounted(t, "/etc/hosts"))
    put_item(t, "/mounts", mount_new("/etc/hosts", "bind", POD_DIR "/etc-hosts", "rbind,rprivate,rw"),
             ENGINES);
  const char *log = text_of(t, node_get(c->node, "terminationMessagePath"), "/dev/termination-log");
  CLEANUP_FREE char *source = xasprintf(POD_DIR "/containers/%s/00000000", c->name);
  if (!is_mounted(t, log))
    put_item(t, "/mounts", mount_new(log, "bind", source, "rbind,rprivate,rw"),
             node_get(c->node, "terminationMessagePath") ? field_at(c->node, "terminationMessagePath")
                                                         : ENGINES);
  if (!is_mounted(t, token) && bool_of(t, node_get(pod->spec, "automountServiceAccountToken"), true))
    put_item(t, "/mounts",
             mount_new(token, "bind", POD_DIR "/volumes/kubernetes.io~projected/kube-api-access",
                       "rbind,rprivate,ro"),
             ENGINES);
}

static void sandbox_files(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  bool read_only = bool_of(t, node_at(c->node, "securityContext.readOnlyRootFilesystem"), false);
  const char *options = read_only ? "rbind,rprivate,ro" : "rbind,rprivate,rw";
  if (!is_mounted(t, "/etc/hostname"))
    put_item(t, "/mounts", mount_new("/etc/hostname", "bind", SANDBOX_FILES "/hostname", options), ENGINES);
  if (!is_mounted(t, "/etc/resolv.conf"))
    put_item(t, "/mounts", mount_new("/etc/resolv.conf", "bind", SANDBOX_FILES "/resolv.conf", options),
             ENGINES);
  if (!is_mounted(t, "/dev/shm"))
    put_item(t, "/mounts",
             mount_new("/dev/shm", "bind", pod->host_ipc ? "/dev/shm" : SANDBOX_SHM, "rbind,rprivate,rw"),
             pod->host_ipc ? field_at(pod->spec, "hostIPC") : ENGINES);
}

/* A raw block device of the node, whose numbers nobody knows. */
static void block_devices(struct pod *pod, const struct pod_container *c) {
  enum { MAJOR = 259 }; /* of partitions with numbers on demand, as cloud volumes have */
  const struct node *list = read_list(pod->t, c->node, "volumeDevices");
  for (size_t i = 0; i < node_len(list); i++) {
    struct field from = { list->children[i], "" };
    json_t *device = json_object();
    jsonx_set_new(
        device, "path",
        jsonx_string_new(text_of(pod->t, node_get(list->children[i], "devicePath"), "/dev/volume")));
    jsonx_set_new(device, "type", jsonx_string_new("b"));
    jsonx_set_new(device, "major", json_integer(MAJOR));
    jsonx_set_new(device, "minor", json_integer((json_int_t)i));
    put_item(pod->t, "/linux/devices", device, from);
    put_item(pod->t, "/linux/resources/devices", device_rule(true, "b", MAJOR, (int)i, "rwm"), from);
    put_origin(pod->t, "/linux/devices", from);
    put_origin(pod->t, "/linux/resources/devices", from);
    note(pod->t, from, "the device's numbers are the node's: judged as block device %d:%zu", MAJOR, i);
  }
}

void pod_mounts(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  struct field from = c->privileged ? field_at(c->node, "securityContext.privileged") : ENGINES;
  CLEANUP_FREE char *cgroup = xasprintf("nosuid,noexec,nodev,relatime,%s", c->privileged ? "rw" : "ro");
  base_mounts(t, c->privileged, false, from);
  put_item(t, "/mounts", mount_new("/sys/fs/cgroup", "cgroup", "cgroup", cgroup), from);
  const struct node *mounts = read_list(t, c->node, "volumeMounts");
  for (size_t i = 0; i < node_len(mounts); i++)
    volume_mount(pod, mounts->children[i]);
  kubelet_mounts(pod, c);
  sandbox_files(pod, c);
  block_devices(pod, c);
}
