/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A runtime that tells all that it was handed, and ends with 42: its argv with every number as '#', its
 * descriptors, the filters on it, and the files that it would read. Two equal outputs are two equal
 * containers. With $FAULT_RUNTIME it does so for start only, and is that runtime for every other verb.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_folded(const char *word) {
  for (const char *p = word; *p; p++)
    if (!isdigit((unsigned char)*p))
      putchar(*p);
    else if (p == word || !isdigit((unsigned char)p[-1]))
      putchar('#');
  putchar('\n');
}

static void print_file(const char *path, const char *only) {
  char line[1 << 16];
  FILE *f = fopen(path, "re");
  while (f && fgets(line, sizeof line, f))
    if (strncmp(line, only, strlen(only)) == 0)
      fputs(line, stdout);
  if (f)
    fclose(f);
  else
    printf("%s cannot be read\n", path);
}

static void print_option(const char *word) {
  static const char *const options[] = { "--bundle=", "--process=", "--resources=" };
  char path[4096];
  for (size_t i = 0; i < sizeof options / sizeof *options; i++)
    if (strncmp(word, options[i], strlen(options[i])) == 0) {
      snprintf(path, sizeof path, "%s%s", word + strlen(options[i]), i == 0 ? "/config.json" : "");
      print_file(path, "");
    }
}

static bool starts(char *const *argv) {
  for (; *argv; argv++)
    if (strcmp(*argv, "start") == 0)
      return true;
  return false;
}

int main(int argc, char **argv) {
  char *real = getenv("FAULT_RUNTIME");
  if (real && !starts(argv)) {
    argv[0] = real;
    execv(real, argv);
    return 127;
  }
  for (int i = 0; i < argc; i++)
    print_folded(argv[i]);
  DIR *dir = opendir("/proc/self/fd");
  for (struct dirent *entry; dir && (entry = readdir(dir));)
    if (entry->d_name[0] != '.' && atoi(entry->d_name) > 2 && atoi(entry->d_name) != dirfd(dir))
      printf("fd %s\n", entry->d_name);
  print_file("/proc/self/status", "Seccomp");
  print_file("/proc/self/status", "NoNewPrivs");
  for (int i = 1; i < argc; i++)
    print_option(argv[i]);
  return 42;
}
