/* SPDX-License-Identifier: Apache-2.0 */
#include "control/common.h"

#include <string.h>

#define SECTION(member) offsetof(struct policy, member.action)
#define FUNCTIONS(name) .apply = name##_apply, .verify = name##_verify, .not_weaker = name##_not_weaker

/*
 * In order of application: first what the process is, then what surrounds it, last what speaks to the
 * runtime. Controls know nothing of each other; where a row must stand before another, it says why.
 */
const struct control controls[] = {
  {
      .name = "capabilities",
      .action_offset = SECTION(capabilities),
      .on_exec = true,
      FUNCTIONS(capabilities),
      .technique = "T1611",
      .guarantee = "no process holds, or can gain, a capability that the policy does not allow",
      .rules = capabilities_rules,
  },
  {
      .name = "no-new-privileges",
      .action_offset = SECTION(no_new_privileges),
      .on_exec = true,
      FUNCTIONS(no_new_privileges),
      .technique = "T1548.001",
      .guarantee = "no file of the image can give a process privileges that it does not have",
      .rules = no_new_privileges_rules,
  },
  {
      .name = "seccomp",
      .action_offset = SECTION(seccomp),
      .on_exec = false, /* an exec inherits it */
      FUNCTIONS(seccomp),
      .technique = "T1068",
      .guarantee = "every system call passes both the engine's filter and the policy's, and none passes by "
                   "another ABI",
      .rules = seccomp_rules,
  },
  {
      .name = "apparmor",
      .action_offset = SECTION(apparmor),
      .on_exec = true,
      FUNCTIONS(apparmor),
      .technique = "T1611",
      .guarantee =
          "a process runs under an AppArmor profile that is loaded and enforced, wherever the kernel has "
          "AppArmor on",
      .rules = apparmor_rules,
  },
  {
      /* After no-new-privileges, under which the kernel gives fewer labels. */
      .name = "selinux",
      .action_offset = SECTION(selinux),
      .on_exec = true,
      FUNCTIONS(selinux),
      .technique = "T1611",
      .guarantee = "where SELinux is enforced a container reaches no file or process of the host's or of "
                   "another pod's",
      .rules = selinux_rules,
  },
  {
      .name = "namespaces",
      .action_offset = SECTION(namespaces),
      FUNCTIONS(namespaces),
      .technique = "T1611",
      .guarantee = "the container sees its own processes, network, mounts and names, and none of the host's",
      .rules = namespaces_rules,
  },
  {
      /* Before mounts, which judges the memory that this adds as it judges every mount. */
      .name = "rootfs",
      .action_offset = SECTION(rootfs),
      FUNCTIONS(rootfs),
      .technique = "T1525",
      .guarantee = "nothing that a container runs changes its image, and the image misleads no runtime",
      .rules = rootfs_rules,
  },
  {
      .name = "mounts",
      .action_offset = SECTION(mounts),
      FUNCTIONS(mounts),
      .technique = "T1611",
      .guarantee =
          "no sensitive path of the host is in the container, and no mount gives privileges or covers the "
          "kernel's files",
      .rules = mounts_rules,
  },
  {
      .name = "paths",
      .action_offset = SECTION(paths),
      FUNCTIONS(paths),
      .technique = "T1082",
      .guarantee = "files of the kernel that show or change the host are masked or read-only",
      .rules = paths_rules,
  },
  {
      .name = "devices",
      .action_offset = SECTION(devices),
      FUNCTIONS(devices),
      .technique = "T1611",
      .guarantee = "the config gives no device that the policy does not list",
      .rules = devices_rules,
  },
  {
      /* After namespaces, since it asks whose a sysctl would be. */
      .name = "sysctl",
      .action_offset = SECTION(sysctl),
      FUNCTIONS(sysctl),
      .technique = "T1562",
      .guarantee = "only harmless sysctls of the container's own namespaces are set",
      .rules = sysctl_rules,
  },
  {
      /* After capabilities, mounts and sysctl, which it takes as they will be; before user, which asks
       * whether root is the host's. */
      .name = "user-namespace",
      .action_offset = SECTION(user_namespace),
      .on_exec = true,
      FUNCTIONS(user_namespace),
      .technique = "T1611",
      .guarantee =
          "root of the container is nobody on the host: its ids are an unprivileged range of the host's",
      .rules = user_namespace_rules,
  },
  {
      .name = "user",
      .action_offset = SECTION(user),
      .on_exec = true,
      FUNCTIONS(user),
      .technique = "T1068",
      .guarantee = "a process runs only as the users and groups that the policy names",
      .rules = user_rules,
  },
  {
      .name = "resources",
      .action_offset = SECTION(resources),
      .on_exec = true, /* its rlimits */
      .on_update = true,
      FUNCTIONS(resources),
      .technique = "T1499",
      .guarantee = "the container cannot use up the node's processes, memory or CPU time",
      .rules = resources_rules,
  },
  {
      .name = "process",
      .action_offset = SECTION(process),
      .on_exec = true,
      FUNCTIONS(process),
      .technique = "T1611",
      .guarantee =
          "a process starts in and from the container's own files, and takes no precedence over the host",
      .rules = process_rules,
  },
  {
      .name = "environment",
      .action_offset = SECTION(environment),
      .on_exec = true,
      FUNCTIONS(environment),
      .technique = "T1552.007",
      .guarantee = "no secret is handed over in the environment",
      .rules = environment_rules,
  },
  {
      .name = "hooks",
      .action_offset = SECTION(hooks),
      .on_exec = false,
      FUNCTIONS(hooks),
      .technique = "T1610",
      .guarantee = "no program runs beside the container but those that the policy lists",
      .rules = hooks_rules,
  },
  {
      .name = "annotations",
      .action_offset = SECTION(annotations),
      .on_exec = false,
      FUNCTIONS(annotations),
      .technique = "T1611",
      .guarantee = "no annotation lets the runtime leave the spec",
      .rules = annotations_rules,
  },
  { .name = NULL },
};

const struct control *control_find(const char *name) {
  for (const struct control *c = controls; c->name; c++)
    if (strcmp(c->name, name) == 0)
      return c;
  return NULL;
}

enum action control_action(const struct control *c, const struct policy *p) {
  int section;
  memcpy(&section, (const char *)p + c->action_offset, sizeof section);
  return policy_action(p, section);
}

bool control_judges(const struct control *c, enum spec_kind kind) {
  switch (kind) {
  case SPEC_CONFIG:
    return true;
  case SPEC_PROCESS:
    return c->on_exec;
  case SPEC_RESOURCES:
    return c->on_update;
  }
  return true;
}
