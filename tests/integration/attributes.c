/* SPDX-License-Identifier: Apache-2.0 */
/* attributes set|show FILE: an access list that names the user 7, and the capability to bind low ports, as
 * the file system has them; `show` prints the bytes. attributes as ID COMMAND...: as that user and group.
 * attributes who: the effective user. */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

static const unsigned char acl[] = {
  2,  0, 0, 0,                     /* version */
  1,  0, 6, 0, 255, 255, 255, 255, /* owner: rw */
  2,  0, 4, 0, 7,   0,   0,   0,   /* user 7: r */
  4,  0, 4, 0, 255, 255, 255, 255, /* group: r */
  16, 0, 4, 0, 255, 255, 255, 255, /* mask */
  32, 0, 0, 0, 255, 255, 255, 255, /* others: none */
};
static const unsigned char capability[] = { 1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };

static int show(const char *file, const char *name) {
  unsigned char value[128];
  const ssize_t len = getxattr(file, name, value, sizeof value);
  printf("%s=", name);
  for (ssize_t i = 0; i < len; i++)
    printf("%02x", value[i]);
  printf("\n");
  return len < 0;
}

int main(int argc, char **argv) {
  const char *const names[] = { "system.posix_acl_access", "security.capability" };
  if (argc == 2 && strcmp(argv[1], "who") == 0)
    return printf("%u\n", (unsigned)geteuid()) < 0;
  if (argc < 3)
    return 2;
  if (strcmp(argv[1], "as") == 0) {
    const unsigned id = (unsigned)strtoul(argv[2], NULL, 10);
    if (setgroups(0, NULL) == 0 && setgid(id) == 0 && setuid(id) == 0)
      execvp(argv[3], argv + 3);
    perror(argv[3]);
    return 1;
  }
  if (strcmp(argv[1], "show") == 0)
    return show(argv[2], names[0]) | show(argv[2], names[1]);
  if (setxattr(argv[2], names[0], acl, sizeof acl, 0) < 0 ||
      setxattr(argv[2], names[1], capability, sizeof capability, 0) < 0) {
    perror(argv[2]);
    return 1;
  }
  return 0;
}
