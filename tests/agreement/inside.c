/* SPDX-License-Identifier: Apache-2.0 */
/* What a container's process finds itself to be, one fact a line; by system calls, since there may be no
 * /proc. */
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

static void print_capabilities(void) {
  struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
  struct __user_cap_data_struct data[2] = { 0 };
  uint64_t bounding = 0, ambient = 0;
  syscall(SYS_capget, &header, data);
  for (unsigned i = 0; i < 64; i++) {
    bounding |= (uint64_t)(prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1) << i;
    ambient |= (uint64_t)(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, i, 0, 0) == 1) << i;
  }
  printf("effective %016llx\n", (unsigned long long)data[1].effective << 32 | data[0].effective);
  printf("permitted %016llx\n", (unsigned long long)data[1].permitted << 32 | data[0].permitted);
  printf("inheritable %016llx\n", (unsigned long long)data[1].inheritable << 32 | data[0].inheritable);
  printf("bounding %016llx\nambient %016llx\n", (unsigned long long)bounding, (unsigned long long)ambient);
}

static void print_limit(const char *name, int resource) {
  struct rlimit limit;
  if (getrlimit((__rlimit_resource_t)resource, &limit) == 0)
    printf("%s %llu %llu\n", name, (unsigned long long)limit.rlim_cur, (unsigned long long)limit.rlim_max);
}

static void print_hex(const char *name, const char *text) {
  printf("%s ", name);
  for (const char *p = text; *p; p++)
    printf("%02x", (unsigned char)*p);
  putchar('\n');
}

int main(int argc, char **argv) {
  gid_t groups[1024];
  char cwd[4096] = "";
  struct utsname names;
  puts("begin");
  printf("uid %u\ngid %u\n", getuid(), getgid());
  for (int i = 0, n = getgroups(1024, groups); i < n; i++)
    printf("group %u\n", groups[i]);
  print_capabilities();
  printf("nnp %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  print_limit("RLIMIT_NOFILE", RLIMIT_NOFILE);
  print_limit("RLIMIT_CORE", RLIMIT_CORE);
  print_limit("RLIMIT_NPROC", RLIMIT_NPROC);
  const mode_t mask = umask(0);
  printf("umask %04o\n", (unsigned)mask);
  if (uname(&names) == 0)
    print_hex("hostname", names.nodename);
  if (getcwd(cwd, sizeof cwd))
    print_hex("cwd", cwd);
  for (int i = 0; i < argc; i++)
    print_hex("arg", argv[i]);
  for (char **e = environ; *e; e++)
    print_hex("env", *e);
  char line[8192];
  FILE *f = fopen("/proc/self/mountinfo", "re");
  while (f && fgets(line, sizeof line, f))
    printf("mount %s", line);
  puts("end");
  return 0;
}
