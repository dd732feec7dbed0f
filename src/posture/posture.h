/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The posture of a process: what it can do, by what the kernel says of it, whoever started it; and where that
 * goes beyond a policy. Unlike the proof nothing is known of a config: a deviation is one from the policy.
 *
 *   process -> kernel_view_read, posture_look -> posture_tell, posture_compare -> rows
 */
#ifndef HARDEN_POSTURE_H
#define HARDEN_POSTURE_H

#include "base/str.h"
#include "control/device_rules.h"
#include "kernel/view.h"
#include "lsm/apparmor.h"
#include "lsm/selinux.h"
#include "policy/policy.h"
#include "seccomp/compile.h"

/* What is at one path of the process. */
struct posture_place {
  char *path;
  struct kernel_place at;
};

/* A device node, and where it is. */
struct posture_node {
  char *path;
  bool block;
  unsigned major, minor;
};

enum {
  POSTURE_HOSTS = 2,
  POSTURE_NODES_MAX = 1024,  /* looked at below /dev */
  POSTURE_MOUNTS_MAX = 1024, /* more are a container's own doing, and are not judged one by one */
};

/* What is needed besides the process's own view. Zero-initialise one that is made by hand, but for `hosts`
 * (kernel_view_init). */
struct posture_facts {
  /* The host, by two views of it: our own, and, where it lets us look, that of process 1. We may be in a
   * mount namespace of our own (a service with private /tmp), and process 1 may be hidden from us. */
  struct kernel_view hosts[POSTURE_HOSTS]; /* namespaces and mounts */
  bool root_is_host;                       /* its root directory is the host's */
  bool created;                            /* its runtime has not started it yet: it is the runtime's still */
  bool sandbox; /* a pod's pause process: who it is says nothing of the containers, and it uses no CPU */

  struct posture_place *places; /* the policies' paths, and where devices or masks may be mounted */
  size_t places_len;
  char *places_unread; /* why nobody looked; NULL: somebody did */

  struct posture_node *nodes; /* below /dev */
  size_t nodes_len;
  bool nodes_cut;              /* there is more below /dev than was looked at */
  int apparmor;                /* enum apparmor_state; the same */
  int selinux;                 /* enum selinux_state; UNKNOWN: nobody looked */
  bool allowed_known;          /* the kernel tells what the device cgroup allows: on version 1 only */
  struct device_rules allowed; /* what it tells */
};

/* Looks. The policies are those that it will be compared with. Never fails: what could not be looked at is so
 * marked. */
void posture_look(struct posture_facts *ret, const struct kernel_view *view,
                  const struct policy *const *policies, size_t policies_len);
void posture_facts_free(struct posture_facts *f);
#define CLEANUP_POSTURE_FACTS CLEANUP(posture_facts_free)

/* One thing that is so, or one deviation from a policy. */
struct posture_row {
  const char *control;  /* whose subject it is, as in policies: "capabilities"; "lsm"; static */
  const char *rule;     /* "OH-INS-001": a deviation; NULL: it is so; static */
  char *what;           /* "bounding", "/data" */
  char *value;          /* "CAP_CHOWN"; of a deviation a sentence */
  const char *remedy;   /* one line; NULL for what is so; static */
  struct strlist items; /* all of what the value counts: names of system calls, paths */
};
struct posture_rows {
  struct posture_row *items;
  size_t len;
};
/* Appends one without items; `what` and `value` are copied. */
void posture_rows_add(struct posture_rows *rows, const char *control, const char *rule, const char *what,
                      const char *value, const char *remedy);
void posture_rows_free(struct posture_rows *rows);
#define CLEANUP_POSTURE_ROWS CLEANUP(posture_rows_free)

/* Appends what is so. `without` holds KERNEL_PART()s that nobody wanted to know. Pure, as is posture_compare,
 * but for a look at the clock by which it gives up on filters that are made to take long.
 */
void posture_tell(const struct kernel_view *v, const struct posture_facts *f, unsigned without,
                  struct posture_rows *rows);

/*
 * Appends every deviation from the policy. A section that is off is not compared; in audit mode it is, as
 * `hardenctl check` does. A part that could not be read, and that the policy speaks of, is a deviation too:
 * what is not known is not known to be fine. `filter` is the policy's own filter (posture_filter); NULL: it
 * has none.
 */
void posture_compare(const struct kernel_view *v, const struct posture_facts *f, const struct policy *policy,
                     const struct seccomp_program *filter, unsigned without, struct posture_rows *rows);

/* The policy's filter compiled, for this machine's ABIs; len 0: the policy has none. */
int posture_filter(const struct policy *policy, struct seccomp_program *ret, struct error *err) MUST_CHECK;

struct posture_rule {
  const char *id;
  const char *summary; /* one sentence */
};
extern const struct posture_rule posture_rules[]; /* ends with id NULL */

#endif
