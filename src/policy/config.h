/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /etc/oci-harden/config.json: which runtimes to exec, where things are, and which policy a container gets.
 * Absent: the defaults below. Not owned by root (or ourselves, when not root) or writable by others:
 * ERROR_POLICY.
 */
#ifndef HARDEN_CONFIG_H
#define HARDEN_CONFIG_H

#include "base/error.h"
#include "base/str.h"
#include "io/jsonx.h"
#include "policy/policy.h"

enum { ID_BLOCK = 65536 }; /* ids of one container or pod; blocks are aligned to it */

#define CONFIG_PATH_DEFAULT "/etc/oci-harden/config.json"

enum runtime_kind { RUNTIME_RUNC, RUNTIME_CRUN };

struct runtime_choice {
  char *path; /* absolute */
  int kind;   /* enum runtime_kind; by the file's name when not given */
};

/* One rule; every member that is given must match. All are globs but container_type. */
struct rule {
  char *policy;
  char *pod_namespace, *pod, *container,
      *image;           /* io.kubernetes.cri.* annotations, CRI-O's and podman's where they say the same */
  char *container_type; /* "sandbox" or "container" */
  char *root;           /* runc's --root */
  char *name;           /* basename of our argv[0] */
};

struct config {
  struct runtime_choice *runtimes; /* tried in order; the first that exists */
  size_t runtimes_len;
  char *default_policy; /* "restricted" */
  struct rule *rules;
  size_t rules_len;
  char *policy_dir;        /* /etc/oci-harden/policies */
  char *state_dir;         /* /run/oci-harden, or /run/user/UID/oci-harden */
  char *cache_dir;         /* STATE/.cache */
  char *hook;              /* oci-harden-hook; NULL: beside the program that runs */
  char *events;            /* /var/log/oci-harden/events.json; "" writes none; rootless: STATE/events.json */
  char *policy_annotation; /* "oci-harden.policy"; "" takes none */
  struct {
    int64_t start, count;
  } id_range;           /* the host's ids for containers: blocks of ID_BLOCK */
  char *map_dir;        /* ID-mapped roots and volumes; /run/oci-harden.maps */
  int64_t config_limit; /* bytes of config.json and process files; 16 MiB */
};

/* path NULL: CONFIG_PATH_DEFAULT, which may be absent; a path that was given must exist. */
int config_load(const char *path, struct config *ret, struct error *err) MUST_CHECK;
/* The same for a text. */
int config_decode(const struct jsonx_source *src, struct config *ret, struct error *err) MUST_CHECK;
void config_free(struct config *c);
#define CLEANUP_CONFIG CLEANUP(config_free)
json_t *config_schema(void) MUST_CHECK;

/* What is known of a container when its policy is chosen. */
struct selection {
  const json_t *annotations;   /* NULL: none known (exec on a container without state) */
  const char *root;            /* --root, NULL: not given */
  const char *name;            /* basename of argv[0] */
  const char *explicit_policy; /* --policy, or the symlink's; NULL */
};

/*
 * Annotations are the engine's word only where the engine sets them: `docker run --annotation` and `ctr run
 * --annotation` let their users write any, so rules that loosen should name the engine's root too. Two
 * annotations that name one thing differently are ERROR_REFUSED. A rule that asks for annotations does not
 * match where none are known.
 *
 * The policy's name: explicit first, then the first rule that matches, then the default. *ret_extra is the
 * name that the container's annotation asks for on top (NULL: none, or the same); both are applied, the extra
 * one last, so that it can only tighten. Names are validated; the caller frees both.
 */
int config_select(const struct config *c, const struct selection *s, char **ret_policy, char **ret_extra,
                  struct error *err) MUST_CHECK;

/* True for the pause process of a pod: container-type "sandbox" of the CRI or of CRI-O; false when two of
 * them contradict each other. A sandbox is spared some rules, so a user's annotation must not make one: with
 * an id (the container's; NULL: not known) an annotation must also name this container as the pod's sandbox,
 * which who lets the engine choose the id cannot write beforehand. */
bool annotations_are_sandbox(const json_t *annotations, const char *id);
/* The id of the pod's sandbox, which all of a pod's containers name; NULL: none is named, or two. Borrowed.
 */
const char *annotations_sandbox_id(const json_t *annotations);

#endif
