/* SPDX-License-Identifier: Apache-2.0 */
/* doctor: can the security module keep what the policies say of it? */
#include "ctl/doctor.h"
#include "ctl/selinux.h"

static void labels(struct doctor *d, const struct facts *f) {
  for (size_t i = 0; i < f->selinux.labels_len; i++) {
    const struct selinux_fact *l = &f->selinux.labels[i];
    const char *fault = ctl_selinux_fault(l);
    if (fault)
      doctor_say(d, HEALTH_FAIL, "SELinux",
                 "load container-selinux, or share/oci-harden/selinux/oci-harden.cil by semodule -i",
                 "label %s: %s", l->context, fault);
  }
}

void doctor_selinux(struct doctor *d, const struct config *config) {
  CLEANUP_FACTS struct facts f = { 0 };
  struct error why = { 0 };
  if (ctl_selinux_look(config, &f, &why) < 0) {
    doctor_say(d, HEALTH_WARN, "SELinux", "examine as root", "%s", why.message);
    return;
  }
  switch ((enum selinux_state)f.selinux.state) {
  case SELINUX_UNKNOWN:
    break; /* no policy asks */
  case SELINUX_ABSENT:
    doctor_say(d, HEALTH_OK, "SELinux", NULL, "not switched on");
    break;
  case SELINUX_UNMOUNTED:
    doctor_say(d, HEALTH_WARN, "SELinux", "mount -t selinuxfs selinuxfs /sys/fs/selinux",
               "switched on, and its file system is not mounted");
    break;
  case SELINUX_NO_POLICY:
    doctor_say(d, HEALTH_WARN, "SELinux", "install a policy and reboot",
               "switched on, and no policy is loaded");
    break;
  case SELINUX_PERMISSIVE:
    doctor_say(d, HEALTH_WARN, "SELinux", "setenforce 1, and SELINUX=enforcing in /etc/selinux/config",
               "permissive: it denies nothing");
    break;
  case SELINUX_ENFORCING:
    if (f.selinux.config_missing)
      doctor_say(d, HEALTH_FAIL, "SELinux", "restore the file",
                 "engines take it for off: no /etc/selinux/config");
    else
      doctor_say(d, HEALTH_OK, "SELinux", NULL, "enforcing");
    labels(d, &f);
    break;
  }
}
