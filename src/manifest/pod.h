/* SPDX-License-Identifier: Apache-2.0 */
/* A pod, as its translators share it. */
#ifndef HARDEN_MANIFEST_POD_H
#define HARDEN_MANIFEST_POD_H

#include "manifest/engine.h"
#include "manifest/manifest.h"
#include "manifest/translation.h"

struct pod {
  struct translation *t;
  const struct node *spec;
  const struct node *metadata;          /* the pod's or its template's; NULL: none */
  const char *name, *namespace, *title; /* "web", "default", "Deployment default/web" */
  bool host_network, host_pid, host_ipc, share_pid, user_namespace;
  bool privileged; /* a container of it is, and so its sandbox must be */
  int oom_score;   /* of each of its containers */
};

/* Where a kubelet would have the pod's files. */
#define POD_DIR "/var/lib/kubelet/pods/00000000-0000-0000-0000-000000000000"

struct pod_container {
  const struct node *node;
  const char *name;
  bool privileged, init, ephemeral;
};

/* "securityContext.KEY": the container's when it is there, else the pod's when that is, else where it would
 * be in the container. path is static. */
struct field pod_field(const struct pod *pod, const struct pod_container *c, const char *path);
/* The same as a node; NULL: neither has it. */
const struct node *pod_node(const struct pod *pod, const struct pod_container *c, const char *path);

/* pod_security.c: /process/user, capabilities, noNewPrivileges, seccomp, labels, masks, read-only root. */
void pod_security(struct pod *pod, const struct pod_container *c);
/* Notes fields of a securityContext that Kubernetes does not know: it drops them, and what they were meant to
 * do is not done. */
void pod_unknown_fields(struct translation *t, const struct node *context);
/* pod_mounts.c: what containerd mounts in a container, and what kubelet adds. */
void pod_mounts(struct pod *pod, const struct pod_container *c);
void pod_sandbox_mounts(struct pod *pod);
/* pod_resources.c: the score by what all containers of the pod ask for; limits, devices. */
int pod_oom_score(struct pod *pod);
void pod_resources(struct pod *pod, const struct pod_container *c);

/* Appends the pod's sandbox and containers to the manifest. */
void pod_translate(struct translation *t, struct manifest *manifest, const struct node *document,
                   const struct node *template, const char *title);

/* One more container in the manifest, which the translation then writes. Takes name. */
void manifest_add(struct translation *t, struct manifest *manifest, char *name, const struct node *node);

/* kubernetes.c: all documents of a file. */
int kubernetes_translate(struct translation *t, struct manifest *manifest);

#endif
