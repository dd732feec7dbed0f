/* SPDX-License-Identifier: Apache-2.0 */
/* The engines that can be told of our runtimes. */
#include "install/containerd.h"
#include "install/plan.h"

const struct engine engines[] = {
  {
      .name = "containerd",
      .file = "/etc/containerd/config.toml",
      .daemon = "containerd",
      .unit = "containerd.service",
      .reload = RELOAD_RESTART,
      .present = "containerd",
      .find = containerd_find,
      .apply = containerd_apply,
      .take_back = containerd_take_back,
  },
  { 0 },
};
