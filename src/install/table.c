/* SPDX-License-Identifier: Apache-2.0 */
/* The engines that can be told of our runtimes. */
#include "install/containerd.h"
#include "install/docker.h"
#include "install/dropin.h"
#include "install/plan.h"

static const char *const podman_others[] = {
  "/usr/share/containers/containers.conf",
  "/usr/share/containers/containers.conf.d/*.conf",
  "/etc/containers/containers.conf",
  "/etc/containers/containers.conf.d/*.conf",
  NULL,
};
static const char *const crio_others[] = { "/etc/crio/crio.conf", "/etc/crio/crio.conf.d/*.conf", NULL };

const struct engine engines[] = {
  {
      .name = "containerd",
      .file = "/etc/containerd/config.toml",
      .daemon = "containerd",
      .unit = "containerd.service",
      .reload = RELOAD_RESTART,
      .present = "containerd",
      .present_by = containerd_embedded,
      .others_of = containerd_others,
      .find = containerd_find,
      .apply = containerd_apply,
      .take_back = containerd_take_back,
  },
  {
      .name = "docker",
      .file = "/etc/docker/daemon.json",
      .daemon = "dockerd",
      .unit = "docker.service",
      .reload = RELOAD_SIGNAL,
      .present = "dockerd",
      .find = docker_find,
      .users = docker_users,
      .apply = docker_apply,
      .take_back = docker_take_back,
  },
  {
      .name = "podman",
      .file = PODMAN_DROPIN,
      .reload = RELOAD_NONE,
      .manager = "libpod",
      .present = "podman",
      .others = podman_others,
      .find = dropin_find,
      .users = podman_users,
      .apply = podman_apply,
      .take_back = dropin_take_back,
  },
  {
      .name = "crio",
      .file = CRIO_DROPIN,
      .daemon = "crio",
      .unit = "crio.service",
      .manager = "cri-o",
      .reload = RELOAD_RESTART,
      .present = "crio",
      .others = crio_others,
      .find = dropin_find,
      .apply = crio_apply,
      .take_back = dropin_take_back,
  },
  { 0 },
};
