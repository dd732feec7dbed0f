/* SPDX-License-Identifier: Apache-2.0 */
/* A runtime that says how it was called: its argv, one quoted word a line, and the descriptors that it got.
 * For tests of the bytes that reach a runtime; what a runtime does with them is tested with real ones. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  for (int i = 0; i < argc; i++) {
    putchar('<');
    for (const char *p = argv[i]; *p; p++)
      printf(*p < ' ' || *p > '~' ? "\\x%02x" : "%c", (unsigned char)*p);
    puts(">");
  }
  DIR *dir = opendir("/proc/self/fd");
  for (struct dirent *entry; dir && (entry = readdir(dir));)
    if (entry->d_name[0] != '.' && atoi(entry->d_name) > 2 && atoi(entry->d_name) != dirfd(dir))
      printf("fd %s\n", entry->d_name);
  for (int i = 1; i < argc; i++) {
    const char *file = strncmp(argv[i], "--process=", 10) == 0 ? argv[i] + 10 : NULL;
    char buffer[65536];
    int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
    ssize_t n = fd >= 0 ? read(fd, buffer, sizeof buffer) : 0;
    if (n > 0)
      printf("process %.*s\n", (int)n, buffer);
  }
  return 42;
}
