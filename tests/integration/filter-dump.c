/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filter-dump PID: reads the seccomp filters that the kernel really holds for a process (ptrace(2),
 * PTRACE_SECCOMP_GET_FILTER) and prints how many there are and, for each ABI that this kernel may run, how
 * many system calls pass all of them for some argument.
 */
#include "base/str.h"
#include "seccomp/arch.h"
#include "seccomp/simulate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

enum { CALLS = 1024, FILTERS_MAX = 32 };

struct filter {
  struct sock_filter program[BPF_PROGRAM_MAX];
  size_t len;
};
static struct filter filters[FILTERS_MAX];

static int fail(const char *what) {
  fprintf(stderr, "filter-dump: %s: %s\n", what, strerror(errno));
  return 1;
}

static size_t reachable(const struct seccomp_abi *abi, size_t filters_len) {
  bool all[CALLS];
  bool one[CALLS];
  memset(all, true, sizeof all);
  uint32_t first = seccomp_abi_is_x32(abi) ? SECCOMP_X32_BIT : 0;
  for (size_t i = 0; i < filters_len; i++) {
    (void)bpf_reachable(filters[i].program, filters[i].len, abi->audit, first, CALLS, one);
    for (size_t nr = 0; nr < CALLS; nr++)
      all[nr] = all[nr] && one[nr];
  }
  size_t n = 0;
  for (size_t nr = 0; nr < CALLS; nr++) {
    /* Numbers that the ABI has no call for reach nothing, whatever a filter says. */
    CLEANUP_FREE char *name = seccomp_abi_name(abi, (int)(first + nr));
    n += all[nr] && name;
  }
  return n;
}

int main(int argc, char **argv) {
  if (argc != 2)
    return 2;
  pid_t pid = (pid_t)atoi(argv[1]);
  if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) < 0)
    return fail("ptrace");
  if (waitpid(pid, NULL, __WALL) < 0)
    return fail("waitpid");
  size_t n = 0;
  for (; n < FILTERS_MAX; n++) {
    long len = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, (void *)n, filters[n].program);
    if (len < 0 && errno == ENOENT)
      break;
    if (len < 0)
      return fail("PTRACE_SECCOMP_GET_FILTER");
    filters[n].len = (size_t)len;
  }
  ptrace(PTRACE_DETACH, pid, NULL, NULL);
  printf("filters %zu\n", n);
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++) {
    if (seccomp_abi_is_local(abi))
      printf("%s %zu\n", abi->oci, reachable(abi, n));
  }
  return 0;
}
