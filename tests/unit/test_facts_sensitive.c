/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "facts/look.h"
#include "io/fileio.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>

static const char *const systems[] = {
  "/",
  "/etc",
  "/etc/hosts",
  "/etc/resolv.conf",
  "/usr/share/zoneinfo/UTC",
  "/usr/bin/tini",
  "/dev/shm",
  "/run",
  "/home",
  "/home/me",
  "/srv",
  "/var",
  "/var/lib",
  "/var/log",
  "/tmp",
  "/run/systemd/x",
  "/opt",
  "/root/x",
  "/var/spool",
};
static const char *const no_systems[] = {
  "/home/me/src",
  "/srv/data",
  "/tmp/x",
  "/var/lib/app",
  "/var/log/app",
  "/etcetera",
  "/run/app",
  "/var/lib/docker/volumes/v/_data",
  "/var/lib/docker/containers/c/hosts",
};

Test(facts_sensitive, the_system_has_no_exceptions) {
  for (size_t i = 0; i < ARRAY_SIZE(systems); i++)
    cr_expect(facts_is_system(systems[i]), "%s", systems[i]);
  for (size_t i = 0; i < ARRAY_SIZE(no_systems); i++)
    cr_expect_not(facts_is_system(no_systems[i]), "%s", no_systems[i]);
}

struct sensitive_case {
  const char *path, *sensitive; /* NULL: none */
};

static const struct sensitive_case cases[] = {
  { "/", "/" },
  { "/etc", "/etc" },
  { "/etc/shadow", "/etc" },
  { "/etc/hosts", NULL },
  { "/etc/hosts/x", "/etc" },
  { "/etc/resolv.conf", NULL },
  { "/etc/resolv.conf.d", "/etc" },
  { "/etcetera", NULL },
  { "/run/docker.sock", "docker.sock" },
  { "/var/run/docker.sock", "docker.sock" },
  { "/srv/anywhere/podman.sock", "podman.sock" },
  { "/home/me/docker.sock.d", NULL },
  { "/run/user/1000/bus", "/run" },
  { "/run/crio/crio.sock", "crio.sock" },
  { "/run/systemd/private", "/run" },
  { "/var", "/var" },
  { "/var/lib", "/var/lib" },
  { "/var/spool", "/var/spool/at" },
  { "/opt", "/opt" },
  { "/opt/app", NULL },
  { "/opt/cni/bin", "/opt/cni" },
  { "/home", "/home" },
  { "/home/me/src", NULL },
  { "/tmp", "/tmp" },
  { "/tmp/x", NULL },
  { "/srv/data", NULL },
  { "/var/lib/app", NULL },
  { "/dev/shm", NULL },
  { "/dev/shm/x", "/dev" },
  { "/dev/sda", "/dev" },
  { "/usr/bin/docker-init", NULL },
  { "/usr/bin/runc", "/usr" },
  { "/var/lib/docker/containers", "/var/lib/docker" },
  { "/var/lib/docker/containers/c", "/var/lib/docker" },
  { "/var/lib/docker/containers/c/hosts", NULL },
  { "/var/lib/docker/containers/c/config.v2.json", "/var/lib/docker" },
  { "/var/lib/docker/containers/a/b/hosts", "/var/lib/docker" },
  { "/var/lib/docker/containers/c/mounts/shm", NULL },
  { "/var/lib/docker/volumes", "/var/lib/docker" },
  { "/var/lib/docker/volumes/v", "/var/lib/docker" },
  { "/var/lib/docker/volumes/v/_data", NULL },
  { "/var/lib/docker/volumes/v/_data/sub", NULL },
  { "/var/lib/docker/overlay2/x/merged", "/var/lib/docker" },
  { "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/s/hostname", NULL },
  { "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/s", "/var/lib/containerd" },
  { "/run/containerd/io.containerd.grpc.v1.cri/sandboxes/s/shm", NULL },
  { "/run/k3s/containerd/io.containerd.grpc.v1.cri/sandboxes/s/shm", NULL },
  { "/run/containerd/io.containerd.runtime.v2.task/k8s.io/c/config.json", "/run" },
  { "/var/lib/kubelet/pods", "/var/lib/kubelet" },
  { "/var/lib/kubelet/pods/p/volumes", "/var/lib/kubelet" },
  { "/var/lib/kubelet/pods/p/volumes/kubernetes.io~secret", "/var/lib/kubelet" },
  { "/var/lib/kubelet/pods/p/volumes/kubernetes.io~secret/s", NULL },
  { "/var/lib/kubelet/pods/p/volumes/kubernetes.io~csi/v/mount", NULL },
  { "/var/lib/kubelet/pods/p/etc-hosts", NULL },
  { "/var/lib/kubelet/pods/p/containers/main/ab12", NULL },
  { "/var/lib/kubelet/pki", "/var/lib/kubelet" },
  { "/var/lib/containers/storage/overlay-containers/c/userdata/hosts", NULL },
  { "/var/lib/containers/storage/overlay-containers/c/userdata", "/var/lib/containers" },
  { "/var/lib/containers/storage/overlay-containers/c/userdata/config.json", "/var/lib/containers" },
  { "/run/user/1000/containers/overlay-containers/c/userdata/hosts", NULL },
};

Test(sensitive, cases) {
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    const char *found = facts_sensitive(cases[i].path);
    const char *want = cases[i].sensitive;
    cr_expect((!found && !want) || (found && want && strcmp(found, want) == 0), "%s: %s instead of %s",
              cases[i].path, found ? found : "none", want ? want : "none");
  }
}

Test(sensitive, list_begins_with_the_root_and_is_clean) {
  cr_expect(strcmp(facts_sensitive_paths[0], "/") == 0);
  for (const char *const *p = facts_sensitive_paths; *p; p++)
    cr_expect(path_is_clean(*p) && facts_sensitive(*p) != NULL, "%s", *p);
  for (const char *const *p = sensitive_alone; *p; p++)
    cr_expect(path_is_clean(*p) && facts_sensitive(*p) == *p, "%s", *p);
}

/* What engines bound for real containers. Podman's systemd mode asks for the host's cgroups, and its network
 * of the host for /sys: those are requests of the user, not the engine's files. */
Test(sensitive, fixtures) {
  glob_t found;
  cr_assert(glob("tests/fixtures/*/*.json", 0, NULL, &found) == 0);
  size_t seen = 0;
  for (size_t i = 0; i < found.gl_pathc; i++) {
    struct error err = { 0 };
    CLEANUP_FREE char *text = NULL;
    size_t len = 0;
    cr_assert(file_read(AT_FDCWD, found.gl_pathv[i], RESOLVE_TRUSTED, 1 << 24, &text, &len, NULL, &err) == 0);
    const struct jsonx_source src = { found.gl_pathv[i], text, len };
    json_auto_t *root = NULL;
    cr_assert(jsonx_parse(&src, 1 << 24, &root, &err) == 0);
    size_t k;
    json_t *mount;
    json_array_foreach(jsonx_at(root, "/mounts"), k, mount) {
      const char *source = json_string_value(json_object_get(mount, "source"));
      if (!source || source[0] != '/' || str_starts(source, "/sys"))
        continue;
      cr_expect(facts_sensitive(source) == NULL, "%s: %s is %s", src.name, source, facts_sensitive(source));
      seen++;
    }
  }
  globfree(&found);
  cr_expect(seen > 200, "%zu", seen);
}
