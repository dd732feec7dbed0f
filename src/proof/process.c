/* SPDX-License-Identifier: Apache-2.0 */
/* What the process starts with: directory, open files, place in the queue of the OOM killer. */
#include "io/fileio.h"
#include "io/jsonx.h"
#include "proof/rows.h"

/* Compared by inode: a name can be anything's (CVE-2024-21626: /proc/self/fd/7). */
enum proof_outcome proof_cwd(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  const char *promised = json_string_value(jsonx_at(p->config, "/process/cwd"));
  if (!promised)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_CWD, why) || proof_unread(v, KERNEL_ROOT, why))
    return PROOF_UNREAD;
  if (!kernel_place_same(&v->cwd_promised, &v->kernel.cwd_place) ||
      v->cwd_promised.mount != v->kernel.cwd_place.mount)
    proof_say(why, "the working directory %s was promised, and the kernel has another: %s", promised,
              v->kernel.cwd);
  return proof_outcome_of(why);
}

enum proof_outcome proof_oom_score(const struct proof_promise *p, const struct proof_view *v,
                                   struct str *why) {
  const json_t *promised = jsonx_at(p->config, "/process/oomScoreAdj");
  if (!json_is_integer(promised))
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_OOM_SCORE, why))
    return PROOF_UNREAD;
  if (v->kernel.oom_score_adj < json_integer_value(promised))
    proof_say(why, "oom_score_adj %lld was promised, and the kernel has %d",
              (long long)json_integer_value(promised), v->kernel.oom_score_adj);
  return proof_outcome_of(why);
}

/*
 * What runtimes hold for themselves until then, and what leads nowhere. runc since 1.2 has a proc file system
 * made for the container's pid namespace, which shows the program what /proc shows it, and some directory of
 * the rootfs that it mounted something on: on a mount below the process's root every way up ends there. crun
 * since 1.25 has the root of the host's proc, and the empty directory that it masks directories with; but
 * since 1.14.3 it closes all that it has before the program is looked up.
 */
static bool is_runtimes(const struct proof_promise *p, const struct proof_view *v,
                        const struct kernel_fd *f) {
  const bool inside = f->mount && kernel_mounts_by_id(&v->kernel.mounts, f->mount);
  const bool blank = str_ends(f->target, "/.empty-directory") && file_owner_is_trusted(f->st.st_uid) &&
                     !(f->st.st_mode & (S_IWUSR | S_IWGRP | S_IWOTH));
  const bool closed = p->runtime == RUNTIME_CRUN && f->o_path && (f->proc_root || blank);
  return f->fd > 2 && f->cloexec && (f->own_proc || inside || closed);
}

/* The program is looked up while the files that close on exec are still open, so a directory among them is a
 * way out as much as one that stays. */
enum proof_outcome proof_files(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  if (proof_unread(v, KERNEL_FDS, why))
    return PROOF_UNREAD;
  for (size_t i = 0; i < v->kernel.fds.len; i++) {
    const struct kernel_fd *f = &v->kernel.fds.items[i];
    const bool handed = f->fd >= 3 && (unsigned)f->fd < 3 + p->preserved_fds;
    if (handed)
      continue;
    if (S_ISDIR(f->st.st_mode) && !is_runtimes(p, v, f))
      proof_say(why, "no open directory was promised, and descriptor %d is %s", f->fd, f->target);
    else if (f->fd > 2 && !f->cloexec)
      proof_say(why, "only standard input, output and error were promised, and descriptor %d is %s", f->fd,
                f->target);
  }
  return proof_outcome_of(why);
}
