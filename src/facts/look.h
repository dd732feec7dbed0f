/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of facts_probe. Internal to src/facts.
 */
#ifndef HARDEN_FACTS_LOOK_H
#define HARDEN_FACTS_LOOK_H

#include "facts/facts.h"
#include "io/path.h"

/* The path that the kernel gives an open file; NULL with errno when it has none below our root. The caller
 * frees. */
char *look_path_of_fd(int fd) MUST_CHECK;
enum inode_kind look_kind(mode_t mode);

/* A call for a look has failed with errno. Where that says nothing of what was looked at (no descriptor or
 * memory left, an I/O error), no conclusion may be drawn: noted in f->fault. */
void look_failed(struct facts *f);

/* Bind sources of /mounts; relative ones from bundle_fd. */
void look_at_sources(struct facts *f, const struct spec *spec, int bundle_fd,
                     const struct policy *const *policies, size_t policies_len);
/* Destinations below an earlier bind, whose end is looked up in the bind's source: CVE-2021-30465. Wants
 * those of the mounts first, in their order, and the policies' after them. */
void look_through_binds(struct facts *f, const struct spec *spec, int rootfs, int bundle_fd);
/* cwd and args[0]; wants the destinations, over which binds lie. */
void look_at_program(struct facts *f, const struct spec *spec, int rootfs, int bundle_fd);
/* Paths of /linux/namespaces. */
void look_at_namespaces(struct facts *f, const struct spec *spec);
/* Paths of /hooks that name a process. */
void look_at_hooks(struct facts *f, const struct spec *spec);
/* Paths of /linux/devices, where the container has a user namespace. */
void look_at_devices(struct facts *f, const struct spec *spec);
/* AppArmor, where a policy's section is in force: the profiles that the document and the policies name, and,
 * for an exec, the label of the container's first process; init 0: there is none. */
void look_at_apparmor(struct facts *f, const struct spec *spec, const struct policy *const *policies,
                      size_t policies_len, pid_t init);
/* What the process would have of us. That this is not known would be a way to keep it: an error. */
int look_at_inherited(struct facts *f, struct error *err) MUST_CHECK;

/* Paths of which only the directory itself is sensitive, because it holds sensitive ones or everybody's; /tmp
 * also because engines put the process files of an exec there. Ends with NULL. */
extern const char *const sensitive_alone[];
/* Sockets' names that are as good as root wherever they lie, and where they usually lie. End with NULL. */
extern const char *const sensitive_sockets[];
extern const char *const sensitive_socket_paths[];
/* Is it a directory that the host's root runs from or keeps secrets in, or one that holds such a directory?
 */
bool sensitive_as_root(struct facts *f, int fd, const char *real);
/* Lies below a built-in sensitive path and is one of the exceptions. */
bool sensitive_excepted(const char *path);

#endif
