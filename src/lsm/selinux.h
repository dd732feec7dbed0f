/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the running kernel says of SELinux, by its documented files: /sys/fs/selinux, /proc/PID/attr. Not by
 * libselinux, whose constructor looks at the host in every process, also in those that pass a verb through,
 * and which takes an enforcing kernel without /etc/selinux/config for one without SELinux.
 */
#ifndef HARDEN_LSM_SELINUX_H
#define HARDEN_LSM_SELINUX_H

#include "base/error.h"

#include <stdbool.h>
#include <sys/types.h>

enum selinux_state {
  SELINUX_UNKNOWN,   /* nobody looked */
  SELINUX_ABSENT,    /* not in the kernel, or not switched on */
  SELINUX_UNMOUNTED, /* switched on, and its file system cannot be seen from here */
  SELINUX_NO_POLICY, /* switched on, and everything is "kernel" */
  SELINUX_PERMISSIVE,
  SELINUX_ENFORCING,
};
/* "unknown", "absent", ...; ends with NULL. */
extern const char *const selinux_state_names[];

struct selinux_host {
  enum selinux_state state;
  bool config; /* /etc/selinux/config is there: without it the tools take SELinux for off */
  char *own;   /* our own context; NULL: there is none */
};
/* One system call where SELinux is absent. */
int selinux_look(struct selinux_host *ret, struct error *err) MUST_CHECK;
void selinux_host_free(struct selinux_host *h);
#define CLEANUP_SELINUX_HOST CLEANUP(selinux_host_free)

/* The context as the loaded policy writes it (aliases of types resolved); NULL: it knows no such context. The
 * caller frees. */
int selinux_canonical(const char *context, char **ret, struct error *err) MUST_CHECK;

/* What the policy says of one process or file against another. */
struct selinux_access {
  bool allowed;    /* the permission */
  bool permissive; /* the source's type is: what is not allowed happens all the same */
};
/* A class or permission that the policy does not know is allowed, unless it denies unknown ones. */
int selinux_access(const char *source, const char *target, const char *class, const char *permission,
                   struct selinux_access *ret, struct error *err) MUST_CHECK;
/* The context that a process of `source` gets by executing a file of `target`; NULL: the policy does not
 * tell. The caller frees. */
int selinux_process_after(const char *source, const char *target, char **ret, struct error *err) MUST_CHECK;
/* "nnp_nosuid_transition". */
int selinux_has_capability(const char *name, bool *ret, struct error *err) MUST_CHECK;

/* A file's own label; NULL: it has none. The caller frees. */
char *selinux_label_of_path(const char *path) MUST_CHECK;
/* A process's; NULL: it is gone, or may not be read. The caller frees. */
char *selinux_label_of_process(pid_t pid) MUST_CHECK;

#endif
