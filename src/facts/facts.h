/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What controls need to know of the host, the rootfs and the call: gathered once by facts_probe(), constant
 * afterwards. Controls judge by these values alone. Golden cases write them as JSON (facts_decode).
 */
#ifndef HARDEN_FACTS_H
#define HARDEN_FACTS_H

#include "base/error.h"
#include "base/str.h"
#include "io/jsonx.h"
#include "lsm/apparmor.h"
#include "lsm/selinux.h"
#include "policy/config.h"
#include "policy/policy.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct seccomp_plan; /* seccomp/plan.h */

/* What a directory of the rootfs is, without following a link at its end. */
enum inode_kind { INODE_UNKNOWN, INODE_ABSENT, INODE_DIRECTORY, INODE_SYMLINK, INODE_FILE, INODE_OTHER };

/* One bind source on the host. */
struct source_fact {
  char *source;    /* as the config says it (relative ones are relative to the bundle) */
  char *real;      /* realpath; NULL when it does not exist */
  char *sensitive; /* the sensitive path that it is, by inode or by realpath; NULL: none. The list is
                      facts_sensitive_paths plus the policies' deny_sources */
  enum inode_kind kind;
  struct strlist options; /* of its mount on the host: ro, nosuid, nodev, noexec */
  /* Looked at where facts.selinux.relabel asks for it. */
  char *label;  /* SELinux's; NULL: it has none */
  bool reached; /* the container's process may read it */
  bool held;    /* another pod has the categories of its label */
  char *clone;  /* where a view of it for the offered user namespace will be; NULL: none is offered */
};

enum { ENTERED_NETWORK, ENTERED_IPC, ENTERED_UTS, ENTERED_TYPES };
extern const char *const entered_types[]; /* as in OCI: "network", ... */

/* What the wrapper can make for a container whose config has no user namespace. None of it is there yet. */
struct user_namespace_offer {
  char *why;           /* there is none: why, as the end of a sentence; NULL: nobody was asked */
  uint32_t base, size; /* the host's ids; size 0: there is none */
  char *path;          /* of the one to join, a pod's; NULL: a new one */
  char *pid;           /* path of a joined pid namespace that it owns: another container's of the pod */
  char *root;          /* where the ID-mapped view of the root will be */
  char *entered[ENTERED_TYPES]; /* paths of joined namespaces that the wrapper enters instead of the runtime:
                                   runc before 1.3 joins the user namespace first, and may not enter them then
                                 */
  char *sysfs, *mqueue;         /* where such file systems of a joined network and ipc namespace will be */
};

/* One destination in the container. */
struct destination_fact {
  char *destination; /* as the config or a policy says it */
  char *resolved;    /* in the rootfs, links followed; NULL: could not be resolved (see why) */
  bool exists;
  bool empty; /* looked at for the policies' tmpfs only: nothing is there that a tmpfs would hide */
  char *why;  /* why not */
};

/* A limit that the process would inherit; UINT64_MAX: none (RLIM_INFINITY). */
struct rlimit_fact {
  const char *type; /* "RLIMIT_NOFILE"; static */
  uint64_t soft, hard;
};
enum { RLIMIT_FACTS = 5 }; /* those that policies have a ceiling for */

/* A profile that the document, a policy or the container names. */
struct apparmor_fact {
  char *name;
  int mode; /* enum apparmor_mode */
};

/* A label of SELinux that the document has, or that a policy would give. */
struct selinux_fact {
  char *context;       /* as written */
  char *canonical;     /* as the kernel's policy writes it; NULL: it knows no such context */
  bool transition;     /* the runtime may start a process with it */
  bool nnp_transition; /* also with no_new_privs */
  bool permissive;     /* its type is: nothing is denied to it */
  bool runs_root;      /* it may execute files that are labelled as the root file system is */
};

struct facts {
  bool host_known;   /* false: nobody looked at a host (hardenctl harden on a lone file) */
  bool rootfs_known; /* false: nobody looked at a rootfs */
  int fault; /* errno of a look that failed for no fault of what was looked at; 0: none did. Facts with one
                are none: facts_probe fails */

  int runtime;   /* enum runtime_kind */
  bool rootless; /* we are not root in the initial user namespace */
  bool sandbox;  /* the container is a pod's pause process */
  bool cgroup_v2;
  int cap_last;       /* /proc/sys/kernel/cap_last_cap; 40 when unknown */
  bool mount_setattr; /* the kernel has recursive mount attributes (5.12) */

  enum inode_kind root_proc, root_sys, root_dev; /* /proc, /sys, /dev of the rootfs, links not followed */
  char *root_real;                               /* realpath of root.path */
  dev_t root_device;                             /* which directory that is; inode 0: unknown */
  ino_t root_inode;
  bool root_is_host; /* root.path is the host's "/", or such as /usr or /var: see facts_sensitive_paths */
  bool root_holds_bundle; /* ... is the bundle, or above it where we are root */
  /* process.cwd and the program, links followed in the rootfs and in the binds over it; a name without a
   * slash is looked for in PATH, a relative path in the cwd. NULL: unknown, or nothing that could be entered
   * or run. */
  char *cwd_resolved, *arg0_resolved;

  struct source_fact *sources;
  size_t sources_len;
  struct destination_fact *destinations;
  size_t destinations_len;

  /* /linux/namespaces paths that are, by inode, the host's own (of the wrapper's namespaces). */
  struct strlist host_namespace_paths;
  /* ... and paths that could not be opened or are no namespace. */
  struct strlist bad_namespace_paths;

  /* Hooks named /proc/PID/exe whose process is gone or in another mount namespace, is not dockerd, or runs
   * what others than root may write. */
  struct strlist bad_hook_paths;

  /* Of a container that has a user namespace, device nodes by whose path the host has something else, or may
   * come to have. */
  struct strlist bad_device_paths;

  /* What the process gets where its document does not say, the runtime's being ours. */
  struct rlimit_fact rlimits[RLIMIT_FACTS];
  size_t rlimits_len;
  int oom_score_adj; /* means something only where it is known */
  bool oom_score_known;

  struct {
    int state;           /* enum selinux_state; what follows means something where it is enforcing */
    bool config_missing; /* there is no /etc/selinux/config */
    char *level; /* the container's: the engine's pair of categories, else one of our own; NULL: none known */
    bool level_shared; /* another pod has it too */
    int relabel;       /* enum selinux_relabel: the least of what the policies ask for */
    char *container;   /* exec: the label of the container's first process; NULL: unknown */
    char *root;        /* the root file system's label; NULL: it has none */
    struct selinux_fact *labels;
    size_t labels_len;
  } selinux;

  /* Our own hook (hooks/), and the words of its command line; NULL: there is none. Wanted: the output must
   * have it, since it is a `run`. */
  char *hook;
  struct strlist hook_args;
  bool hook_wanted;

  int apparmor; /* enum apparmor_state; looked for only where a policy asks */
  struct apparmor_fact *apparmor_profiles;
  size_t apparmor_profiles_len;
  char *apparmor_why;   /* why a profile of ours that is wanted could not be loaded; NULL: nobody tried */
  char *apparmor_label; /* exec: of the container's first process, without its mode; NULL: unknown */

  /* Set by the pipeline just before a policy is applied; NULL: the control merges by itself, unvalidated.
   * Borrowed. */
  const struct seccomp_plan *seccomp;
  /* For the verification: the sysctls that the wrapper sets in a joined namespace, by name. NULL: none.
   * Borrowed. */
  const json_t *sysctls_outside;
  /* exec only: what the container was created with, from state. */
  const json_t *container_annotations; /* borrowed */
  bool user_namespace;                 /* exec: the container has its own user namespace */
  bool has_host_root;                  /* exec: ... which maps an id of it to the host's root: */
  int64_t host_root;                   /* that one */
  int64_t ids_mapped; /* exec: how many ids, from 0 on, one of ours maps; 0: it has none of ours */

  struct user_namespace_offer offer;
};

/* Offers a block of ids, with a place below `dir` for the root and for every source that was looked at, named
 * as idmap/stage.h has it: volumes/N for the Nth source, special/0 for sysfs, special/1 for mqueue. path: see
 * struct user_namespace_offer; copied. */
void facts_offer(struct facts *f, uint32_t base, uint32_t size, const char *dir, const char *path);
/* The namespace of that type is entered by the wrapper. */
void facts_offer_entered(struct facts *f, int type, const char *path);
void facts_offer_pid(struct facts *f, const char *path);
void facts_offer_none(struct facts *f, const char *why);

/* Looks. bundle_fd: the bundle's directory. Policies give further destinations and sources. A rootfs that is
 * not there is an error. */
int facts_probe(struct facts *ret, const struct spec *spec, int bundle_fd,
                const struct policy *const *policies, size_t policies_len, enum runtime_kind runtime,
                struct error *err) MUST_CHECK;
/* exec: only what is inherited, and the cwd and the program in the root that the process `init` of the
 * container has. Without such a root they stay unknown. The container may change its links afterwards: this
 * finds what an image or a volume holds, and no race. */
int facts_probe_exec(struct facts *f, const struct spec *spec, const struct policy *const *policies,
                     size_t policies_len, pid_t init, struct error *err) MUST_CHECK;
/* A profile of ours that a control would set and that is not loaded: loaded from `cache`, or, where `load` is
 * false, only looked for there. A failure is no error: the control refuses by f->apparmor_why. */
void facts_provide_apparmor(struct facts *f, const char *cache, const char *profile, bool load);
/*
 * SELinux, where one of the policies asks for it; one system call where the host has none. `level` gives the
 * container's level: `engine` is that of the engine's labels, NULL when they have none of use. Without one
 * the level is a sample. `runtime` is the path of the runtime, whose domain starts the process.
 */
struct facts_selinux {
  int (*level)(void *arg, const char *engine, char **ret, bool *ret_shared, struct error *err);
  void *arg;
  /* Has another pod than the container's this level? NULL: nobody knows. */
  int (*held)(void *arg, const char *level, bool *ret, struct error *err);
  const char *runtime;
  pid_t init; /* exec: the container's first process; 0: unknown */
};
int facts_probe_selinux(struct facts *f, const struct spec *spec, const struct policy *const *policies,
                        size_t policies_len, const struct facts_selinux *how, struct error *err) MUST_CHECK;
/* For documents without a host: everything unknown. */
void facts_unknown(struct facts *ret, const struct spec *spec, enum runtime_kind runtime);
void facts_free(struct facts *f);
#define CLEANUP_FACTS CLEANUP(facts_free)

/* From JSON, for golden cases and `hardenctl harden --facts`. Keys are the members' names in camelCase. */
int facts_decode(struct facts *ret, const struct jsonx_source *src, struct error *err) MUST_CHECK;

/* Mode of a profile by its name in the kernel; NOT_LOADED where nobody looked. */
enum apparmor_mode facts_apparmor(const struct facts *f, const char *name);
/* NULL: unknown. */
const struct rlimit_fact *facts_rlimit(const struct facts *f, const char *type);
const struct selinux_fact *facts_selinux_label(const struct facts *f, const char *context);
/* By what the config says, or by its clone. */
const struct source_fact *facts_source(const struct facts *f, const char *source);
/* By the destination as written, or by a resolved one (so that a second policy finds it too). */
const struct destination_fact *facts_destination(const struct facts *f, const char *destination);

/* Host paths that no container should get by bind, whatever the policy, nor what lies below them (of "/" only
 * itself): engine sockets and state, /etc, ... NULL-terminated. There are exceptions, and paths of which only
 * the directory itself counts: facts_sensitive() knows them. */
extern const char *const facts_sensitive_paths[];
/* By text alone: the sensitive path that an absolute, normalised one is or lies below; NULL: none. Static. */
const char *facts_sensitive(const char *path);
/* By text alone: is it a file of the host's own system, or a directory of such or of everybody's, without any
 * exception? The host needs its label. */
bool facts_is_system(const char *path);

#endif
