/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers that a Kubernetes manifest or a docker-compose file asks for, as the OCI configs that an engine
 * would write for them, so that they can be judged before there is a node that runs them.
 *
 * Kubernetes: Pod, what has a pod template (Deployment, StatefulSet, DaemonSet, ReplicaSet,
 * ReplicationController, Job, CronJob, PodTemplate), and List of them; any number of documents in a file. A
 * pod gives a config for its sandbox and one for each init, ordinary and ephemeral container, as kubelet asks
 * for them by the CRI and containerd writes them, without settings of its own. Compose: each service, as
 * docker compose asks for it and dockerd writes it.
 *
 * What is chosen where engines and nodes differ: the weaker. Masked paths are the old list of ten (later
 * engines add to it), every capability known to us is one of "ALL", a user that nobody names is root. The
 * exception is the cgroup namespace, which engines give since hosts have cgroup v2. Where a choice had to be
 * made, or something is the image's or the node's business, a note says so. tests/integration/manifests.bats
 * compares the translations with what real engines write.
 *
 * A member of a config has a place in the manifest: the field that decides it, or that would, and the nearest
 * node that is there.
 */
#ifndef HARDEN_MANIFEST_MANIFEST_H
#define HARDEN_MANIFEST_MANIFEST_H

#include "base/error.h"
#include "base/str.h"
#include "io/jsonx.h"
#include "manifest/tree.h"

enum manifest_kind {
  MANIFEST_NONE, /* neither of the others: an OCI document, or nothing that we know */
  MANIFEST_KUBERNETES,
  MANIFEST_COMPOSE,
};

struct manifest_origin {
  char *pointer;           /* in the config */
  const struct node *node; /* NULL: the engine's own, which no field decides */
  const char *missing;     /* the path behind the node that is not there; static */
};

struct manifest_note {
  const struct node *node;
  const char *missing;
  char *text; /* one sentence, lower case, no full stop; never an environment value */
};

struct manifest_container {
  char *name;              /* "Deployment default/web: container app", "service db" */
  const struct node *node; /* of the container, service, or of the pod for its sandbox */
  json_t *config;
  struct manifest_origin *origins;
  size_t origins_len;
  struct manifest_note *notes;
  size_t notes_len;
  struct strlist host_namespaces; /* paths in the config's namespaces that are the host's own */
};

/* Zero-initialise. Owns its members. */
struct manifest {
  enum manifest_kind kind;
  struct tree tree;
  struct manifest_container *containers;
  size_t len;
  struct strlist
      skipped; /* "Service default/web", "kind Rollout": documents without containers, or of no known kind */
};

/* What a text is, without an error: MANIFEST_NONE also for what cannot be read. JSON that is an OCI document
 * is none. */
enum manifest_kind manifest_kind_of(const struct jsonx_source *src);

/* ERROR_INPUT with file:line:column for what is no YAML (see tree.h), what is no manifest, or a field of the
 * wrong type. Nothing of the source is kept. */
int manifest_read(struct manifest *ret, const struct jsonx_source *src, struct error *err) MUST_CHECK;
void manifest_free(struct manifest *manifest);
#define CLEANUP_MANIFEST CLEANUP(manifest_free)

struct manifest_place {
  char *path; /* "spec.containers[0].securityContext.privileged" */
  struct node_place at;
  bool engines; /* what stands there is the engine's doing: no field of the manifest can change it */
};
/* The place of a member of the config, or of the nearest above it that has one. A namespace that is missing
 * has the pointer "/linux/namespaces/TYPE". */
void manifest_locate(const struct manifest_container *container, const char *pointer,
                     struct manifest_place *ret);
void manifest_locate_note(const struct manifest_note *note, struct manifest_place *ret);
void manifest_place_free(struct manifest_place *place);
#define CLEANUP_PLACE CLEANUP(manifest_place_free)

#endif
