/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a bind must not hand out. The rule behind the list: whoever can write there is root on the host, or
 * whoever can read there has other containers' or the node's secrets. A control socket is both.
 */
#include "facts/look.h"

#include "io/path.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

const char *const facts_sensitive_paths[] = {
  "/",
  /* programs and configuration that the host's root runs */
  "/bin",
  "/boot",
  "/etc",
  "/lib",
  "/lib32",
  "/lib64",
  "/libx32",
  "/opt/cni",
  "/root",
  "/sbin",
  "/usr",
  "/var/spool/at",
  "/var/spool/cron",
  /* the kernel's own */
  "/dev",
  "/proc",
  "/sys",
  /* sockets of engines and of the init system, state of runtimes */
  "/run",
  "/var/run",
  /* storage of engines and of Kubernetes */
  "/var/lib/cni",
  "/var/lib/containerd",
  "/var/lib/containers",
  "/var/lib/docker",
  "/var/lib/dockershim",
  "/var/lib/etcd",
  "/var/lib/k0s",
  "/var/lib/kubelet",
  "/var/lib/rancher",
  "/var/snap/microk8s",
  NULL,
};

const char *const sensitive_alone[] = { "/home", "/opt", "/tmp", "/var", "/var/lib", "/var/tmp", NULL };

const char *const sensitive_sockets[] = {
  "docker.sock", "containerd.sock", "containerd.sock.ttrpc", "crio.sock", "podman.sock", "buildkitd.sock",
  NULL,
};
const char *const sensitive_socket_paths[] = {
  "/run/docker.sock",
  "/run/containerd/containerd.sock",
  "/run/containerd/containerd.sock.ttrpc",
  "/run/crio/crio.sock",
  "/run/podman/podman.sock",
  "/run/buildkit/buildkitd.sock",
  NULL,
};

/*
 * What engines themselves bind from below those paths, for one container each: its names, its shared memory,
 * its volumes. '*' stands for one component. `tree`: with all that lies below.
 */
struct exception {
  const char *glob;
  bool tree;
};

static const struct exception exceptions[] = {
  /* single files of the host that say nothing secret; containers on the host's network get them */
  { "/etc/hostname", false },
  { "/etc/hosts", false },
  { "/etc/localtime", false },
  { "/etc/resolv.conf", false },
  { "/etc/timezone", false },
  { "/run/systemd/resolve/resolv.conf", false },
  { "/run/systemd/resolve/stub-resolv.conf", false },
  { "/run/resolvconf/resolv.conf", false },
  { "/run/NetworkManager/resolv.conf", false },
  { "/usr/share/zoneinfo", true },
  /* the engines' init processes */
  { "/usr/bin/docker-init", false },
  { "/usr/libexec/docker/docker-init", false },
  { "/usr/local/bin/docker-init", false },
  { "/usr/bin/catatonit", false },
  { "/usr/libexec/catatonit/catatonit", false },
  { "/usr/libexec/podman/catatonit", false },
  { "/usr/lib/podman/catatonit", false },
  { "/usr/bin/tini", false },
  { "/usr/bin/tini-static", false },
  /* --ipc=host, which the namespaces control judges */
  { "/dev/shm", false },
  /* docker and its builder */
  { "/var/lib/docker/containers/*/hostname", false },
  { "/var/lib/docker/containers/*/hosts", false },
  { "/var/lib/docker/containers/*/resolv.conf", false },
  { "/var/lib/docker/containers/*/mounts", true },
  { "/var/lib/docker/containers/*/secrets", true },
  { "/var/lib/docker/volumes/*/_data", true },
  { "/var/lib/docker/buildkit/executor", true },
  { "/var/lib/docker/tmp/buildkit-mount*", true },
  /* containerd's CRI, also inside k3s, rke2, k0s and microk8s */
  { "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/*/hostname", false },
  { "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/*/hosts", false },
  { "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/*/resolv.conf", false },
  { "/var/lib/containerd/io.containerd.grpc.v1.cri/containers/*/volumes", true },
  { "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/*/shm", true },
  { "/var/lib/rancher/*/agent/containerd/io.containerd.grpc.v1.cri/sandboxes/*/hostname", false },
  { "/var/lib/rancher/*/agent/containerd/io.containerd.grpc.v1.cri/sandboxes/*/hosts", false },
  { "/var/lib/rancher/*/agent/containerd/io.containerd.grpc.v1.cri/sandboxes/*/resolv.conf", false },
  { "/var/lib/rancher/*/agent/containerd/io.containerd.grpc.v1.cri/containers/*/volumes", true },
  { "/var/lib/k0s/containerd/io.containerd.grpc.v1.cri/sandboxes/*/hostname", false },
  { "/var/lib/k0s/containerd/io.containerd.grpc.v1.cri/sandboxes/*/hosts", false },
  { "/var/lib/k0s/containerd/io.containerd.grpc.v1.cri/sandboxes/*/resolv.conf", false },
  { "/var/lib/k0s/containerd/io.containerd.grpc.v1.cri/containers/*/volumes", true },
  { "/run/*/containerd/io.containerd.grpc.v1.cri/sandboxes/*/shm", true },
  { "/var/snap/microk8s/common/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/*/hostname", false },
  { "/var/snap/microk8s/common/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/*/hosts", false },
  { "/var/snap/microk8s/common/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/*/resolv.conf", false },
  { "/var/snap/microk8s/common/var/lib/containerd/io.containerd.grpc.v1.cri/containers/*/volumes", true },
  { "/var/snap/microk8s/common/run/containerd/io.containerd.grpc.v1.cri/sandboxes/*/shm", true },
  /* kubelet: volumes, subpaths, the container's hosts and termination log */
  { "/var/lib/kubelet/pods/*/containers", true },
  { "/var/lib/kubelet/pods/*/etc-hosts", false },
  { "/var/lib/kubelet/pods/*/volume-subpaths", true },
  { "/var/lib/kubelet/pods/*/volumes/*/*", true },
  { "/var/lib/k0s/kubelet/pods/*/containers", true },
  { "/var/lib/k0s/kubelet/pods/*/etc-hosts", false },
  { "/var/lib/k0s/kubelet/pods/*/volume-subpaths", true },
  { "/var/lib/k0s/kubelet/pods/*/volumes/*/*", true },
  { "/var/snap/microk8s/common/var/lib/kubelet/pods/*/containers", true },
  { "/var/snap/microk8s/common/var/lib/kubelet/pods/*/etc-hosts", false },
  { "/var/snap/microk8s/common/var/lib/kubelet/pods/*/volume-subpaths", true },
  { "/var/snap/microk8s/common/var/lib/kubelet/pods/*/volumes/*/*", true },
  /* podman and CRI-O; not the whole of userdata, which holds config.json */
  { "/run/containers/storage/*-containers/*/userdata/.containerenv", false },
  { "/run/containers/storage/*-containers/*/userdata/group", false },
  { "/run/containers/storage/*-containers/*/userdata/hostname", false },
  { "/run/containers/storage/*-containers/*/userdata/hosts", false },
  { "/run/containers/storage/*-containers/*/userdata/passwd", false },
  { "/run/containers/storage/*-containers/*/userdata/resolv.conf", false },
  { "/run/containers/storage/*-containers/*/userdata/run", true },
  { "/run/containers/storage/*-containers/*/userdata/secrets", true },
  { "/run/containers/storage/*-containers/*/userdata/shm", true },
  { "/run/user/*/containers/*-containers/*/userdata/.containerenv", false },
  { "/run/user/*/containers/*-containers/*/userdata/group", false },
  { "/run/user/*/containers/*-containers/*/userdata/hostname", false },
  { "/run/user/*/containers/*-containers/*/userdata/hosts", false },
  { "/run/user/*/containers/*-containers/*/userdata/passwd", false },
  { "/run/user/*/containers/*-containers/*/userdata/resolv.conf", false },
  { "/run/user/*/containers/*-containers/*/userdata/run", true },
  { "/run/user/*/containers/*-containers/*/userdata/secrets", true },
  { "/run/user/*/containers/*-containers/*/userdata/shm", true },
  { "/var/lib/containers/storage/*-containers/*/userdata/.containerenv", false },
  { "/var/lib/containers/storage/*-containers/*/userdata/group", false },
  { "/var/lib/containers/storage/*-containers/*/userdata/hostname", false },
  { "/var/lib/containers/storage/*-containers/*/userdata/hosts", false },
  { "/var/lib/containers/storage/*-containers/*/userdata/passwd", false },
  { "/var/lib/containers/storage/*-containers/*/userdata/resolv.conf", false },
  { "/var/lib/containers/storage/*-containers/*/userdata/run", true },
  { "/var/lib/containers/storage/*-containers/*/userdata/secrets", true },
  { "/var/lib/containers/storage/*-containers/*/userdata/shm", true },
  { "/var/lib/containers/storage/overlay/*/merged", true }, /* --mount type=image */
  { "/var/lib/containers/storage/volumes/*/_data", true },
};

bool sensitive_excepted(const char *path) {
  for (size_t i = 0; i < ARRAY_SIZE(exceptions); i++)
    if (fnmatch(exceptions[i].glob, path,
                FNM_PATHNAME | FNM_NOESCAPE | (exceptions[i].tree ? FNM_LEADING_DIR : 0)) == 0)
      return true;
  return false;
}

/* Beside the list above: what is everybody's, or of another service. Labels of files below are their own. */
static const char *const system_alone[] = { "/media",     "/mnt",     "/run",       "/srv",
                                            "/var/cache", "/var/log", "/var/spool", NULL };
static const char *const system_trees[] = { "/bin",
                                            "/boot",
                                            "/dev",
                                            "/etc",
                                            "/lib",
                                            "/lib32",
                                            "/lib64",
                                            "/libx32",
                                            "/opt/cni",
                                            "/proc",
                                            "/root",
                                            "/sbin",
                                            "/sys",
                                            "/usr",
                                            "/run/NetworkManager",
                                            "/run/resolvconf",
                                            "/run/systemd",
                                            "/var/spool/at",
                                            "/var/spool/cron",
                                            NULL };

bool facts_is_system(const char *path) {
  for (const char *const *p = system_trees; *p; p++)
    if (path_is_below(path, *p) || path_is_below(*p, path))
      return true;
  for (const char *const *p = system_alone; *p; p++)
    if (strcmp(path, *p) == 0)
      return true;
  for (const char *const *p = sensitive_alone; *p; p++)
    if (strcmp(path, *p) == 0)
      return true;
  /* A user's own: without its label nobody logs in. */
  return str_starts(path, "/home/") && !strchr(path + strlen("/home/"), '/');
}

static const char *socket_name(const char *path) {
  const char *slash = strrchr(path, '/');
  for (const char *const *name = sensitive_sockets; slash && *name; name++)
    if (strcmp(slash + 1, *name) == 0)
      return *name;
  return NULL;
}

static bool is_or_holds(struct facts *f, const struct stat *st, const char *real, const char *const *paths) {
  struct stat other;
  for (; *paths; paths++)
    if (real && path_is_below(*paths, real))
      return true;
    else if (stat(*paths, &other) < 0)
      look_failed(f);
    else if (other.st_dev == st->st_dev && other.st_ino == st->st_ino)
      return true;
  return false;
}

bool sensitive_as_root(struct facts *f, int fd, const char *real) {
  struct stat st;
  return fstat(fd, &st) < 0 || is_or_holds(f, &st, real, facts_sensitive_paths) ||
         is_or_holds(f, &st, NULL, sensitive_alone);
}

const char *facts_sensitive(const char *path) {
  const char *found = socket_name(path);
  if (found)
    return found;
  if (strcmp(path, "/") == 0)
    return "/";
  for (const char *const *p = sensitive_alone; *p; p++)
    if (strcmp(path, *p) == 0)
      return *p;
  for (const char *const *p = facts_sensitive_paths + 1; *p; p++) {
    if (path_is_below(*p, path)) /* it contains one */
      return *p;
    if (path_is_below(path, *p))
      return sensitive_excepted(path) ? NULL : *p;
  }
  return NULL;
}
