/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: placement of pages, secret and anonymous files, and what turns data into code. */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static void *page(int protection) {
  void *p = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

static struct result policy_bind(const struct primitive *self) {
  (void)self;
  return judge(syscall(SYS_mbind, page(PROT_READ | PROT_WRITE), 4096, 0, NULL, 0, 0));
}
static struct result policy_set(const struct primitive *self) {
  (void)self;
  return judge(syscall(SYS_set_mempolicy, 0, NULL, 0));
}
static struct result policy_get(const struct primitive *self) {
  int mode;
  (void)self;
  return judge(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0));
}
static struct result policy_home(const struct primitive *self) {
  (void)self;
  return judge_past(syscall(NR_set_mempolicy_home_node, page(PROT_READ), 4096, 0, 0), ENOENT, EINVAL);
}
static struct result pages_move(const struct primitive *self) {
  void *pages[] = { page(PROT_READ | PROT_WRITE) };
  int status[1];
  (void)self;
  return judge(syscall(SYS_move_pages, 0, 1, pages, NULL, status, 0));
}
static struct result pages_migrate(const struct primitive *self) {
  unsigned long nodes = 1;
  (void)self;
  return judge(syscall(SYS_migrate_pages, 0, 2, &nodes, &nodes));
}
static struct result pages_in_core(const struct primitive *self) {
  unsigned char in[1];
  (void)self;
  return judge(syscall(SYS_mincore, page(PROT_READ), 4096, in));
}
static struct result pages_remap(const struct primitive *self) {
  (void)self;
  return judge_past(syscall(SYS_remap_file_pages, 0, 0, 1, 0, 0), EINVAL, 0);
}
static struct result pages_to_pipe(const struct primitive *self) {
  void *p = page(PROT_READ | PROT_WRITE);
  struct iovec iov = { .iov_base = p, .iov_len = 16 };
  int fds[2];
  (void)self;
  if (!p || pipe2(fds, O_CLOEXEC) != 0)
    return judge(-1);
  return judge(vmsplice(fds[1], &iov, 1, 0));
}
static struct result secret(const struct primitive *self) {
  (void)self;
  return judge(syscall(NR_memfd_secret, O_CLOEXEC));
}
static struct result shadow_stack(const struct primitive *self) {
  (void)self;
#ifdef __x86_64__
  return judge_past(syscall(NR_map_shadow_stack, 0, 4096, 0xff00), EINVAL, 0);
#else
  return absent("x86 only");
#endif
}

/* What every interpreter that compiles does; only an LSM takes it away. */
static struct result write_then_execute(const struct primitive *self) {
  void *p = page(PROT_READ | PROT_WRITE);
  (void)self;
  return p ? judge(mprotect(p, 4096, PROT_READ | PROT_EXEC)) : judge(-1);
}

const struct primitive memory_primitives[] = {
  { .name = "mbind", .attempt = policy_bind },
  { .name = "set-mempolicy", .attempt = policy_set },
  { .name = "get-mempolicy", .attempt = policy_get },
  { .name = "set-mempolicy-home-node", .attempt = policy_home },
  { .name = "move-pages", .attempt = pages_move },
  { .name = "migrate-pages", .attempt = pages_migrate },
  { .name = "mincore", .attempt = pages_in_core },
  { .name = "remap-file-pages", .attempt = pages_remap },
  { .name = "vmsplice", .attempt = pages_to_pipe },
  { .name = "memfd-secret", .attempt = secret },
  { .name = "map-shadow-stack", .attempt = shadow_stack },
  { .name = "write-then-execute", .attempt = write_then_execute },
  { .name = NULL },
};
