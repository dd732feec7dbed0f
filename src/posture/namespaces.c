/* SPDX-License-Identifier: Apache-2.0 */
/* Which views of the kernel the process shares with the host, by inode. */
#include "posture/rows.h"

static const char namespaces[] = "namespaces";

bool posture_shares(const struct posture *p, enum kernel_ns ns) {
  for (size_t h = 0; h < POSTURE_HOSTS; h++)
    if (!p->f->hosts[h].unread[KERNEL_NAMESPACE] &&
        kernel_namespace_same(&p->v->namespaces[ns], &p->f->hosts[h].namespaces[ns]))
      return true;
  return false;
}

static void tell_namespaces(const struct posture *p) {
  CLEANUP_STRLIST struct strlist own = { 0 };
  CLEANUP_STRLIST struct strlist shared = { 0 };
  for (enum kernel_ns ns = 0; ns < KERNEL_NAMESPACES; ns++)
    if (p->v->namespaces[ns].inode != 0)
      strlist_add(posture_shares(p, ns) ? &shared : &own, kernel_ns_names[ns]);
  posture_list_fact(p, namespaces, "not the host's", &own, "none");
  posture_list_fact(p, namespaces, "the host's", &shared, "none");
}

static void compare_namespaces(const struct posture *p) {
  const struct policy *policy = p->policy;
  const struct {
    enum kernel_ns ns;
    int rule;
  } rows[] = {
    { KERNEL_NS_MOUNT, NAMESPACE_PRIVATE },
    { KERNEL_NS_PID, policy->namespaces.pid },
    { KERNEL_NS_NETWORK, policy->namespaces.network },
    { KERNEL_NS_IPC, policy->namespaces.ipc },
    { KERNEL_NS_UTS, policy->namespaces.uts },
    { KERNEL_NS_CGROUP, policy->namespaces.cgroup },
  };
  CLEANUP_STRLIST struct strlist shared = { 0 };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
    if (rows[i].rule == NAMESPACE_PRIVATE && p->v->namespaces[rows[i].ns].inode != 0 &&
        posture_shares(p, rows[i].ns))
      strlist_add(&shared, kernel_ns_names[rows[i].ns]);
  if (shared.len > 0)
    posture_list_deviation(p, namespaces, POSTURE_NAMESPACE, "the host's", &shared, shared.len,
                           "the policy wants other namespaces of these types than the host's: ",
                           "give it its own (docker: no --network host, --pid host and the like)");
}

void posture_tell_namespaces(const struct posture *p) {
  if (posture_has(p, namespaces, KERNEL_NAMESPACE))
    tell_namespaces(p);
}

void posture_compare_namespaces(const struct posture *p) {
  if (posture_wants(p, p->policy->namespaces.action) && posture_has(p, namespaces, KERNEL_NAMESPACE))
    compare_namespaces(p);
}
