/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/check.h"

#include "base/str.h"

#include <string.h>

/* By control, in the words of OCI, of Kubernetes, of compose. */
static const struct {
  const char *control;
  const char *remedies[MANIFEST_COMPOSE + 1];
} table[] = {
  { "capabilities",
    { "leave out what the policy does not allow, or let capabilities.allow name what is needed",
      "set securityContext.capabilities.drop: [ALL] and add what the policy allows only",
      "set cap_drop: [ALL] and cap_add what the policy allows only" } },
  { "no-new-privileges",
    { "set process.noNewPrivileges", "set securityContext.allowPrivilegeEscalation: false",
      "set security_opt: [no-new-privileges:true]" } },
  { "seccomp",
    { "give the engine's default profile", "set securityContext.seccompProfile.type: RuntimeDefault",
      "take seccomp:unconfined out of security_opt" } },
  { "apparmor",
    { "name a profile that is loaded and enforced",
      "set securityContext.appArmorProfile.type: RuntimeDefault",
      "take apparmor:unconfined out of security_opt" } },
  { "selinux",
    { "leave the label to the engine", "take seLinuxOptions out, or name a type of containers only",
      "take label: options out of security_opt" } },
  { "namespaces",
    { "give the container a namespace of its own", "take hostNetwork, hostPID and hostIPC out",
      "take network_mode, pid, ipc, uts: host out" } },
  { "rootfs",
    { "set root.readonly, and mount what must be written",
      "set securityContext.readOnlyRootFilesystem: true, and an emptyDir where the program writes",
      "set read_only: true, and tmpfs where the program writes" } },
  { "mounts",
    { "mount what is needed from a directory of its own",
      "take the hostPath out, or use a volume of another kind; no mountPropagation",
      "take the bind out, or use a named volume" } },
  { "paths",
    { "leave the engine's masks as they are", "take procMount: Unmasked out",
      "take systempaths=unconfined out of security_opt" } },
  { "devices",
    { "leave out devices that the policy does not allow", "take privileged and volumeDevices out",
      "take privileged and devices out" } },
  { "sysctl",
    { "leave out what the policy does not allow", "take the sysctl out of securityContext.sysctls",
      "take it out of sysctls" } },
  { "resources",
    { "set ceilings for memory and processes", "set resources.limits.memory",
      "set mem_limit and pids_limit" } },
  { "user",
    { "set process.user to one that is not root, or give a user namespace",
      "set securityContext.runAsUser and runAsNonRoot: true, or hostUsers: false",
      "set user to one that is not root" } },
  { "user-namespace",
    { "give a user namespace", "set hostUsers: false", "run the engine with userns-remap" } },
  { "process",
    { "start a program of the image, in a directory of it",
      "start a program of the image, in a directory of it",
      "start a program of the image, in a directory of it" } },
  { "environment",
    { "hand it over as a file", "mount the secret as a volume instead", "use secrets: instead" } },
  { "hooks",
    { "leave out hooks that the policy does not allow", "ask the node's owner", "ask the node's owner" } },
  { "annotations",
    { "leave out annotations that speak to the runtime", "take the annotation out",
      "take the annotation out" } },
};

const char *check_remedy(const char *control, enum manifest_kind kind) {
  for (size_t i = 0; i < ARRAY_SIZE(table); i++)
    if (strcmp(table[i].control, control) == 0)
      return table[i].remedies[kind];
  return NULL;
}
