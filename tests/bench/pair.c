/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair: times two commands in turn, A B A B ..., and prints their ratio pair by pair, so that a machine whose
 * speed drifts does not decide the comparison.
 *
 *   pair [-n RUNS] [-w WARMUPS] [-a PREPARE_A] [-b PREPARE_B] [-A CLEANUP_A] [-B CLEANUP_B] COMMAND_A
 * COMMAND_B
 *
 * Commands are split at spaces and executed without a shell; PREPARE and CLEANUP are shell commands and are
 * not timed. "{n}" in any of them is the number of the run. A run that exits other than 0 ends everything.
 *
 * Output, one line, tab-separated: median and minimum of A and of B in ms, median, lower and upper quartile
 * of A/B, median of A-B in ms, peak memory of A and of B in KiB.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RUNS = 10000, MAX_ARGS = 64 };

struct side {
  const char *prepare, *command, *cleanup;
  double ms[MAX_RUNS];
  long peak_kib;
};

static struct side sides[2];

static char *numbered(const char *text, int n) {
  static char out[2][8192];
  static int turn;
  char *to = out[turn ^= 1];
  size_t used = 0;
  for (const char *p = text; *p && used < sizeof out[0] - 16; p++) {
    if (strncmp(p, "{n}", 3) == 0) {
      used += (size_t)sprintf(to + used, "%d", n);
      p += 2;
    } else {
      to[used++] = *p;
    }
  }
  to[used] = '\0';
  return to;
}

static void shell(const char *command, int n) {
  if (!command)
    return;
  int status = system(numbered(command, n));
  if (status != 0) {
    fprintf(stderr, "pair: '%s' ended with status %d\n", command, status);
    exit(1);
  }
}

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double run(struct side *side, int n, posix_spawn_file_actions_t *quiet) {
  char *argv[MAX_ARGS + 1];
  int argc = 0;
  char *save = NULL;
  for (char *word = strtok_r(numbered(side->command, n), " ", &save); word && argc < MAX_ARGS;
       word = strtok_r(NULL, " ", &save))
    argv[argc++] = word;
  argv[argc] = NULL;
  pid_t pid;
  int status;
  struct rusage usage;
  double start = now_ms();
  int failed = posix_spawn(&pid, argv[0], quiet, NULL, argv, environ);
  if (failed) {
    fprintf(stderr, "pair: %s: %s\n", argv[0], strerror(failed));
    exit(1);
  }
  while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
    ;
  double took = now_ms() - start;
  if (status != 0) {
    fprintf(stderr, "pair: '%s' (run %d) ended with status %d\n", side->command, n, status);
    exit(1);
  }
  if (usage.ru_maxrss > side->peak_kib)
    side->peak_kib = usage.ru_maxrss;
  return took;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double quantile(double *values, int n, double q) {
  qsort(values, (size_t)n, sizeof *values, by_value);
  return values[(int)(q * (n - 1) + 0.5)];
}

static void report(int runs) {
  static double ratio[MAX_RUNS], difference[MAX_RUNS];
  for (int i = 0; i < runs; i++) {
    ratio[i] = sides[0].ms[i] / sides[1].ms[i];
    difference[i] = sides[0].ms[i] - sides[1].ms[i];
  }
  double median[2], least[2];
  for (int s = 0; s < 2; s++) {
    median[s] = quantile(sides[s].ms, runs, 0.5);
    least[s] = sides[s].ms[0]; /* sorted by now */
  }
  double middle = quantile(ratio, runs, 0.5), low = quantile(ratio, runs, 0.25),
         high = quantile(ratio, runs, 0.75);
  printf("%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%.3f\t%ld\t%ld\n", median[0], least[0], median[1],
         least[1], middle, low, high, quantile(difference, runs, 0.5), sides[0].peak_kib, sides[1].peak_kib);
}

int main(int argc, char **argv) {
  int runs = 25, warmups = 2, option;
  while ((option = getopt(argc, argv, "n:w:a:b:A:B:")) != -1) {
    switch (option) {
    case 'n':
      runs = atoi(optarg);
      break;
    case 'w':
      warmups = atoi(optarg);
      break;
    case 'a':
      sides[0].prepare = optarg;
      break;
    case 'b':
      sides[1].prepare = optarg;
      break;
    case 'A':
      sides[0].cleanup = optarg;
      break;
    case 'B':
      sides[1].cleanup = optarg;
      break;
    default:
      return 2;
    }
  }
  if (argc - optind != 2 || runs < 1 || runs > MAX_RUNS || warmups < 0) {
    fprintf(stderr,
            "usage: pair [-n RUNS] [-w WARMUPS] [-a -b PREPARE] [-A -B CLEANUP] COMMAND_A COMMAND_B\n");
    return 2;
  }
  sides[0].command = argv[optind];
  sides[1].command = argv[optind + 1];
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  for (int i = -warmups; i < runs; i++) {
    for (int s = 0; s < 2; s++) {
      int n = (i + warmups) * 2 + s;
      shell(sides[s].prepare, n);
      double took = run(&sides[s], n, &quiet);
      if (i >= 0)
        sides[s].ms[i] = took;
      shell(sides[s].cleanup, n);
    }
  }
  posix_spawn_file_actions_destroy(&quiet);
  report(runs);
  return 0;
}
