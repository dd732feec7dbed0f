/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node's owner asks for. A policy is decoded from one JSON file (or a built-in text) by the
 * row tables of sections.c, from which the JSON Schema and the man page's tables are made too.
 * The section of a control has the control's name.
 */
#ifndef HARDEN_POLICY_H
#define HARDEN_POLICY_H

#include "base/error.h"
#include "base/str.h"
#include "io/jsonx.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stdint.h>

enum policy_mode { POLICY_ENFORCE, POLICY_AUDIT };
enum on_log_failure { LOG_FAILURE_CONTINUE, LOG_FAILURE_DENY };
enum permission { PERMIT_DENY, PERMIT_ALLOW };
/* Who may be uid 0. PREFER runs root outside a user namespace and records a finding. */
enum root_rule { ROOT_ANY, ROOT_PREFER_USER_NAMESPACE, ROOT_REQUIRE_USER_NAMESPACE, ROOT_NEVER };
/* PRIVATE: not the host's: absent is added (network: refused, since a silent empty network helps nobody), a
 * path that is the host's is refused. */
enum namespace_rule { NAMESPACE_ANY, NAMESPACE_PRIVATE };
/* A user namespace for containers that come without one. AUTO: where it can be had, else none, and why is
 * recorded. REQUIRE: else refused. */
enum user_namespace_mode { USER_NAMESPACE_OFF, USER_NAMESPACE_AUTO, USER_NAMESPACE_REQUIRE };
/* What becomes of the engine's mount of the root: replaced by an ID-mapped one, or kept beside a private one.
 */
enum user_namespace_root {
  USER_NAMESPACE_ROOT_ENGINE,
  USER_NAMESPACE_ROOT_REPLACE,
  USER_NAMESPACE_ROOT_PRIVATE
};
/* Of AppArmor and SELinux. REQUIRE refuses where the host does not enforce; PREFER records that, and is as
 * strict wherever it does; OFF asks for nothing and judges nothing. */
enum lsm_mode { LSM_REQUIRE, LSM_PREFER, LSM_OFF };

/* In order: what several policies agree on is the least. */
enum selinux_relabel { SELINUX_RELABEL_NEVER, SELINUX_RELABEL_PRIVATE, SELINUX_RELABEL_SHARED };
extern const char *const selinux_relabel_names[]; /* "never", ...; ends with NULL */

struct policy {
  const struct policy_packed
      *packed; /* the built-in that this is, unchanged; NULL: another text had a part in it */

  char *name;
  char *description;
  char *extends;      /* NULL: none */
  int mode;           /* enum policy_mode; AUDIT rewrites nothing, refuses nothing, records all */
  int on_log_failure; /* enum on_log_failure */
  int restore;        /* enum permission: the verb restore */

  struct {
    int action;
    struct strlist allow; /* "CAP_..." names; "ALL" alone for every one */
  } capabilities;

  struct {
    int action;
  } no_new_privileges;

  struct {
    int action;
    char *profile;    /* NULL: none, only the engine's. A built-in name ("restricted") or an absolute path */
    bool native_only; /* no compat architectures */
    bool listener;    /* the engine's SCMP_ACT_NOTIFY and listenerPath may stay */
    struct strlist floor; /* syscalls the wrapper denies on itself before it execs the runtime */
  } seccomp;

  struct {
    int action;
    int mode;      /* enum lsm_mode */
    char *profile; /* NULL: none of the policy's. One of ours ("restricted"), or the name of a loaded one */
    struct strlist keep; /* globs: profiles that an engine may ask for instead; "unconfined" only if listed */
  } apparmor;

  struct {
    int action;
    int mode;            /* enum lsm_mode; OFF gives no label, and judges the engine's all the same */
    char *type;          /* of a process whose engine gives no label; NULL: container_t */
    char *file_type;     /* the same for linux.mountLabel; NULL: container_file_t */
    struct strlist keep; /* types that an engine may ask for; spc_t only if listed */
    bool unenforced;     /* PREFER: SELinux may be switched on and not enforce; recorded */
    bool share_level;    /* several pods may have the categories that an engine gives them; recorded */
    int relabel;         /* enum selinux_relabel */
  } selinux;

  struct {
    int action;
    int root;                 /* enum root_rule */
    int64_t min_uid, max_uid; /* of a user that is not root; -1: no bound */
    int64_t min_gid, max_gid; /* the same for gid and additional gids that are not 0 */
    bool drop_group_zero;     /* remove gid 0 from additionalGids of a user that is not root */
  } user;

  struct {
    int action;
    int mode;   /* enum user_namespace_mode */
    int rootfs; /* enum user_namespace_root */
  } user_namespace;

  struct {
    int action;
    int pid, ipc, uts, mount, cgroup, network; /* enum namespace_rule */
    bool time_offsets;                         /* linux.timeOffsets may stay */
    bool net_devices;                          /* linux.netDevices may move the host's into the container */
  } namespaces;

  struct {
    int action;
    bool readonly;
    struct strlist tmpfs;     /* where a read-only root gets a tmpfs, unless the engine mounts there */
    int64_t tmpfs_size;       /* bytes, each */
    bool private_propagation; /* rootfsPropagation: shared and rshared become rslave; false: left */
  } rootfs;

  struct {
    int action;
    struct strlist enforce;       /* of nosuid nodev noexec: added to every mount that may carry them */
    struct strlist noexec;        /* destinations (globs) that get noexec */
    struct strlist deny_sources;  /* host paths: refused as a bind source, they, what contains them (only "/"
                                     and listed ones), and what lies below */
    struct strlist allow_sources; /* exceptions, globs: a source that one matches, or that lies below one */
    struct strlist allow_types;   /* file system types; others refused */
    bool recursive; /* ro, nosuid, nodev and noexec of recursive binds in their recursive forms */
  } mounts;

  struct {
    int action;
    struct strlist masked; /* united with the engine's */
    struct strlist readonly;
  } paths;

  struct {
    int action;
    struct strlist allow; /* "c 1:3 rwm", '*' for any number; nodes and cgroup rules beyond are removed */
  } devices;

  struct {
    int action;
    struct strlist allow; /* names, globs */
  } sysctl;

  struct {
    int action;
    int64_t pids_max;       /* ceiling; -1: none asked for */
    int64_t memory_max;     /* bytes; -1 */
    int64_t cpu_max;        /* thousandths of a CPU; -1 */
    struct strlist unified; /* allowed keys of linux.resources.unified, globs */
    /* hard ceilings of rlimits; -1: as the engine says */
    int64_t nofile_max, nproc_max, core_max, rtprio_max, nice_max;
  } resources;

  struct {
    int action;
    int64_t oom_score_adj_min; /* lower ones are raised to it; -1000: any */
    bool keyring;              /* --no-new-keyring is refused */
    bool preserve_fds;         /* --preserve-fds is allowed */
    bool no_pivot;             /* --no-pivot is allowed */
  } process;

  struct {
    int action;
    struct strlist secrets; /* globs of names, upper case, that look like secrets */
    struct strlist allow;   /* exceptions */
  } environment;

  struct {
    int action;
    struct strlist allow; /* exact paths */
    bool engine;          /* hooks that engines are known to add (docker's libnetwork-setkey) */
  } hooks;

  struct {
    int action;
    struct strlist deny;  /* globs of keys that let a runtime leave the spec */
    struct strlist allow; /* exceptions */
  } annotations;
};

extern const struct jsonx_row policy_rows[]; /* the whole file */

/* The policy that a file without `extends` starts from: every section off, enforce, continue, restore denied;
 * lists empty, booleans false, numbers without a bound. */
void policy_init(struct policy *policy);
/* Decodes one text over *policy (which holds the parent's values or those of policy_init). The item "..." of
 * a list stands for the parent's items. Does not follow `extends`. After an error *policy can only be freed.
 */
int policy_decode(struct policy *policy, const struct jsonx_source *src, struct error *err) MUST_CHECK;
void policy_free(struct policy *policy);
void policy_copy(struct policy *to, const struct policy *from); /* `to` is zero or freed */
#define CLEANUP_POLICY CLEANUP(policy_free)

/* Loads by name: DIR/NAME.json when there (the directory and the file trusted: owner, mode), else the
 * built-in of that name; follows `extends` (to itself: a file may extend the built-in of its own name; loops
 * and more than POLICY_DEPTH levels are errors). What a built-in extends is always a built-in, so that a
 * loosened file `restricted` loosens no `strict`. dir NULL: built-ins only. Errors are ERROR_POLICY, or
 * ERROR_SYSTEM. */
int policy_load(const char *dir, const char *name, struct policy *ret, struct error *err) MUST_CHECK;

/* The same for a text that is in no directory; the name is the text's own, or NULL. */
int policy_load_text(const char *dir, const struct jsonx_source *src, struct policy *ret,
                     struct error *err) MUST_CHECK;
/* [a-z0-9][a-z0-9._-]*, at most 64 bytes. */
bool policy_name_is_valid(const char *name);
enum { POLICY_DEPTH = 8, POLICY_SIZE_MAX = 1 << 20 };

/* The built-in policies, for listing: texts compiled in from profiles/policies/. */
struct builtin {
  const char *name;
  const char *text;
  size_t len;
  const char *digest; /* hexadecimal SHA-256 of the text, by sha256sum when the program was built */
};
extern const struct builtin builtin_policies[];         /* ends with name NULL; generated */
extern const struct builtin builtin_seccomp_profiles[]; /* profiles/seccomp/, the same */
/* profiles/apparmor/, from the widest to the strictest: each text is the one before, continued. */
extern const struct builtin builtin_apparmor_profiles[];
const struct builtin *builtin_find(const struct builtin *list, const char *name);

/* A built-in policy after inheritance, made of the texts when the program is built (tools/pack-policies.c),
 * so that no call parses them. */
struct policy_packed {
  const char *name;
  const char *values; /* of rows_pack */
  const char *json;   /* canonical bytes of policy_encode */
};
extern const struct policy_packed policies_packed[]; /* ends with name NULL; generated */
/* The one whose json is the object that the text begins with, of which nothing is read; NULL: none. */
const struct policy_packed *policy_packed_at(const char *text, size_t len);
void policy_unpack(const struct policy_packed *packed, struct policy *ret);

json_t *policy_schema(void) MUST_CHECK;                   /* with $id, title, examples; new reference */
json_t *policy_encode(const struct policy *p) MUST_CHECK; /* every value after inheritance */

/* The types that it gives. */
const char *policy_selinux_type(const struct policy *p);
const char *policy_selinux_file_type(const struct policy *p);

/* The action a control has under this policy: the section's, or AUDIT for all when mode is audit (OFF stays).
 */
enum action policy_action(const struct policy *p, int section_action);

#endif
