/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load WRAPPER DIR GROUP COUNT SEED: creates, starts, execs in and deletes COUNT containers, WORKERS at a
 * time, as an engine would, and kills every third call, in the wrapper or in the runtime that it became. What
 * a container needs is then called again, as engines do. Each container is judged by what the kernel says of
 * its processes.
 *
 * DIR holds runc.json and crun.json, the wrapper's configurations; template.json, a bundle's config.json in
 * which
 * @ID@ and @SLOT@ are replaced; and rootfs-SLOT. The containers' cgroups are GROUP/ID. What is drawn of SEED
 * is how long each call lives, a container at a time, so that a run can be repeated as far as the scheduler
 * allows.
 */
#include "judge.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 16, CRUN_EVERY = 5, TRIES = 4, LIMIT_MS = 120000, WATCH_MS = 50 };
enum { KILLED_WRAPPER = -1, KILLED_RUNTIME = -2, FOREVER = -1 };

enum call { CREATE, START, EXEC, DELETE, CALLS };
static const char *const call_names[] = { "create", "start", "exec", "delete" };

static struct {
  atomic_int failures;
  atomic_int kills[CALLS][2]; /* in the wrapper, in the runtime */
  atomic_int created, running, execs, crun;
  atomic_int groups, mounts; /* that a killed runtime left */
} * shared;

static const char *wrapper, *dir;
static char self[PATH_MAX];
static uint64_t seed;

struct container {
  int index, slot;
  bool crun;
  bool runtime_killed;
  bool start_killed; /* the runtime, in this container's start */
  uint64_t random;
  char id[32], group[PATH_MAX], config[PATH_MAX], root[PATH_MAX], bundle[PATH_MAX], log[PATH_MAX];
};

static void complain(const struct container *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void complain(const struct container *c, const char *fmt, ...) {
  char text[512];
  va_list ap;
  va_start(ap, fmt);
  (void)vsnprintf(text, sizeof text, fmt, ap);
  va_end(ap);
  fprintf(stderr, "load: %s: %s (see %s)\n", c->id, text, c->log);
  shared->failures++;
}

/* splitmix64 */
static uint64_t draw(struct container *c) {
  uint64_t z = c->random += 0x9e3779b97f4a7c15U;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31);
}

/* Microseconds until the kill. The wrapper is there for one or two milliseconds, the runtime for fifty. */
static int draw_life(struct container *c) {
  static const unsigned limits[] = { 700, 2000, 8000, 100000 };
  if (draw(c) % 3 != 0)
    return FOREVER;
  return (int)(draw(c) % limits[draw(c) % (sizeof limits / sizeof *limits)]);
}

static void become(const struct container *c, const char *out, const char **argv) {
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const int log = open(c->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  const int file = out ? open(out, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0600) : log;
  if (null < 0 || log < 0 || file < 0 || dup2(null, 0) < 0 || dup2(file, 1) < 0 || dup2(log, 2) < 0)
    _exit(127);
  execv(wrapper, (char **)argv);
  _exit(127);
}

/* Stopped first, so that what it is when it is killed is certain. */
static int kill_call(struct container *c, enum call call, pid_t pid) {
  char name[64];
  char exe[PATH_MAX] = "";
  siginfo_t info;
  kill(pid, SIGSTOP);
  if (waitid(P_PID, (id_t)pid, &info, WSTOPPED | WEXITED) < 0)
    abort();
  if (info.si_code == CLD_EXITED)
    return info.si_status;
  (void)snprintf(name, sizeof name, "/proc/%d/exe", pid);
  const bool begun = readlink(name, exe, sizeof exe - 1) > 0 && strcmp(exe, self) != 0;
  const bool runtime = begun && strcmp(exe, wrapper) != 0;
  kill(pid, SIGKILL);
  waitid(P_PID, (id_t)pid, &info, WEXITED);
  if (begun)
    shared->kills[call][runtime]++;
  c->runtime_killed |= runtime;
  return runtime ? KILLED_RUNTIME : KILLED_WRAPPER;
}

/* One call of the wrapper. Returns its exit status, or what was killed. */
static int run(struct container *c, enum call call, int life, const char *out, const char **argv) {
  const pid_t pid = fork();
  if (pid == 0)
    become(c, out, argv);
  const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  struct pollfd ended = { .fd = pidfd, .events = POLLIN };
  const long limit = life == FOREVER ? LIMIT_MS * 1000L : life;
  const struct timespec wait = { .tv_sec = limit / 1000000, .tv_nsec = limit % 1000000 * 1000 };
  if (pid < 0 || pidfd < 0)
    abort();
  const bool over = ppoll(&ended, 1, &wait, NULL) == 1;
  close(pidfd);
  if (!over) {
    if (life == FOREVER)
      complain(c, "%s takes more than %d s", call_names[call], LIMIT_MS / 1000);
    return kill_call(c, call, pid);
  }
  siginfo_t info;
  if (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0)
    abort();
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

#define CALL(c, call, life, out, ...)                                                                        \
  run(c, call, life, out,                                                                                    \
      (const char *[]){ "oci-harden", "--config", (c)->config, "--policy", "restricted", "--root",           \
                        (c)->root, __VA_ARGS__, NULL })

/* What was killed half-way must end or be hardened; what runs must be hardened now. */
static enum judged examine(struct container *c, const char *when) {
  pid_t pid;
  const enum judged j = judge_settled(c->group, &pid);
  if (j == JUDGED_UNHARDENED || j == JUDGED_PREPARING)
    complain(c, "after %s process %d %s", when, (int)pid,
             j == JUDGED_UNHARDENED ? "runs the image unhardened" : "is neither hardened nor gone");
  return j;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw) {
  (void)st;
  (void)kind;
  (void)ftw;
  return remove(path);
}

static void remove_tree(const struct container *c, const char *path) {
  if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) < 0 && errno != ENOENT)
    complain(c, "cannot remove %s: %s", path, strerror(errno));
}

/* What a runtime that was killed left and its own delete does not find is cleared away as an engine would. */
static void clear_away(struct container *c) {
  char path[2 * PATH_MAX];
  (void)snprintf(path, sizeof path, "%s/%s", c->root, c->id);
  remove_tree(c, path);
  shared->groups += group_count(c->group) > 0;
  group_remove(c->group);
  c->runtime_killed = false;
}

/* delete --force until it is done. */
static void delete (struct container *c) {
  int code = -1;
  pid_t pid;
  for (int i = 1; i <= TRIES && code != 0; i++)
    code = CALL(c, DELETE, i < TRIES ? draw_life(c) : FOREVER, NULL, "delete", "--force", c->id);
  if (code != 0 && !c->runtime_killed)
    complain(c, "delete ended with %d", code);
  if (c->runtime_killed)
    clear_away(c);
  if (judge(c->group, &pid) != JUDGED_GONE)
    complain(c, "process %d outlives the container", (int)pid);
  if (group_count(c->group) > 0)
    complain(c, "its cgroup outlives the container");
}

/* An engine that was told of a failure deletes; one that was restarted may try again at once. */
static bool create(struct container *c) {
  bool again = false; /* the runtime may know the container already */
  for (int i = 1; i <= TRIES + 2; i++) {
    const int code =
        CALL(c, CREATE, i < TRIES ? draw_life(c) : FOREVER, NULL, "create", "--bundle", c->bundle, c->id);
    const enum judged j = examine(c, "create");
    shared->created += j == JUDGED_CREATED;
    if (code == 0) {
      if (j != JUDGED_CREATED)
        complain(c, "created, and no process waits in its cgroup");
      return j == JUDGED_CREATED;
    }
    if (code > 0 && !again)
      complain(c, "create ended with %d", code);
    again = code < 0 && draw(c) % 2;
    if (!again)
      delete (c);
  }
  complain(c, "cannot be created");
  return false;
}

/* Waits while the runtime's init has not become the image's program. */
static enum judged await_running(struct container *c, int limit_ms) {
  enum judged j;
  pid_t pid;
  for (int waited = 0; (j = judge(c->group, &pid)) != JUDGED_RUNNING && j != JUDGED_GONE && waited < limit_ms;
       waited += 5)
    nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
  return examine(c, "start") == JUDGED_UNHARDENED ? JUDGED_UNHARDENED : j;
}

static bool start(struct container *c) {
  for (int i = 1; i <= TRIES; i++) {
    const int code = CALL(c, START, i < TRIES ? draw_life(c) : FOREVER, NULL, "start", c->id);
    c->start_killed |= code == KILLED_RUNTIME;
    const enum judged j = await_running(c, code == 0 ? JUDGE_WAIT_MS : code == KILLED_RUNTIME ? 500 : 0);
    if (j == JUDGED_RUNNING)
      return true;
    /* A runtime that dies on the other end of the init's pipe may take the init with it. */
    if (j == JUDGED_GONE && c->runtime_killed)
      return false;
    if (code >= 0) {
      complain(c, "start ended with %d, and the container does not run", code);
      return false;
    }
  }
  return false;
}

static void read_text(const char *path, char *ret, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t n;
  size_t len = 0;
  while (fd >= 0 && len < size - 1 && (n = read(fd, ret + len, size - 1 - len)) > 0)
    len += (size_t)n;
  ret[len] = '\0';
  if (fd >= 0)
    close(fd);
}

static bool log_has(const struct container *c, const char *text) {
  char log[65536];
  read_text(c->log, log, sizeof log);
  return strstr(log, text) != NULL;
}

/* A start that is killed between letting the init go and taking its FIFO away leaves a container that looks
 * as if it waited, and does not: then nothing is executed in it. */
static void exec_in(struct container *c) {
  char out[PATH_MAX + 8];
  char text[8192];
  struct status s;
  (void)snprintf(out, sizeof out, "%s.out", c->log);
  for (int i = 0; i < 2; i++) {
    const int code = CALL(c, EXEC, draw_life(c), out, "exec", c->id, "/bin/cat", "/proc/self/status");
    (void)examine(c, "exec");
    if (code > 0 && !(c->start_killed && log_has(c, "(OH-PRF-001)")))
      complain(c, "exec ended with %d", code);
    if (code != 0)
      continue;
    shared->execs++;
    read_text(out, text, sizeof text);
    if (!status_parse(text, &s) || !status_is_hardened(&s, 2))
      complain(c, "exec'd unhardened: %s", text);
  }
}

/* Three were given to the wrapper. */
static void look_at_fds(struct container *c) {
  char name[64];
  pid_t pid;
  size_t n = 0;
  if (judge(c->group, &pid) != JUDGED_RUNNING)
    return;
  (void)snprintf(name, sizeof name, "/proc/%d/fd", (int)pid);
  DIR *fds = opendir(name);
  for (struct dirent *entry; fds && (entry = readdir(fds));)
    n += entry->d_name[0] != '.';
  if (fds)
    closedir(fds);
  if (n > 3)
    complain(c, "the container's process has %zu open files", n);
}

static void look_at_bundle(struct container *c) {
  DIR *bundle = opendir(c->bundle);
  for (struct dirent *entry; bundle && (entry = readdir(bundle));)
    if (entry->d_name[0] == '.' && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      complain(c, "%s was left in its bundle", entry->d_name);
  if (bundle)
    closedir(bundle);
  remove_tree(c, c->bundle);
}

static void prepare(struct container *c, const char *template) {
  char path[PATH_MAX + 16];
  (void)mkdir(c->bundle, 0700);
  (void)snprintf(path, sizeof path, "%s/config.json", c->bundle);
  FILE *f = fopen(path, "we");
  if (!f)
    abort();
  for (const char *p = template, *at; *p; p = at) {
    at = strchrnul(p, '@');
    fprintf(f, "%.*s", (int)(at - p), p);
    if (strncmp(at, "@ID@", 4) == 0)
      fprintf(f, "%s", c->id), at += 4;
    else if (strncmp(at, "@SLOT@", 6) == 0)
      fprintf(f, "%d", c->slot), at += 6;
    else if (*at)
      fputc(*at++, f);
  }
  if (fclose(f) != 0)
    abort();
}

static void live(int index, int slot, const char *group, const char *template) {
  struct container c = { .index = index,
                         .slot = slot,
                         .crun = index % CRUN_EVERY == CRUN_EVERY - 1,
                         .random = seed + (uint64_t)index * 1000003 };
  (void)snprintf(c.id, sizeof c.id, "load-%d", index);
  (void)snprintf(c.group, sizeof c.group, "%s/%s", group, c.id);
  (void)snprintf(c.config, sizeof c.config, "%s/%s.json", dir, c.crun ? "crun" : "runc");
  (void)snprintf(c.root, sizeof c.root, "%s/%s-root", dir, c.crun ? "crun" : "runc");
  (void)snprintf(c.bundle, sizeof c.bundle, "%s/bundles/%s", dir, c.id);
  (void)snprintf(c.log, sizeof c.log, "%s/log/%s", dir, c.id);
  shared->crun += c.crun;
  prepare(&c, template);
  if (create(&c) && start(&c)) {
    shared->running++;
    look_at_fds(&c);
    exec_in(&c);
  }
  delete (&c);
  look_at_bundle(&c);
}

/* Beside the workers: at no moment may the image's program run unhardened. Until none of them is left. */
static void watch(const char *group) {
  struct container all = { .id = "watch", .log = "above" };
  char groups[PATH_MAX + 8];
  pid_t pid;
  int status;
  (void)snprintf(groups, sizeof groups, "%s/*", group);
  for (;;) {
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended < 0)
      return;
    if (ended > 0 && status != 0)
      complain(&all, "a worker ended with status %d", status);
    if (judge(groups, &pid) == JUDGED_UNHARDENED)
      complain(&all, "process %d runs the image unhardened", (int)pid);
    nanosleep(&(struct timespec){ .tv_nsec = WATCH_MS * 1000000L }, NULL);
  }
}

/* crun 1.8 binds its own binary to a file of /tmp and opens it there; when it is killed between, that stays.
 */
static bool is_of_killed_crun(const char *place) {
  return strncmp(place, "/tmp/crun.", strlen("/tmp/crun.")) == 0 && umount2(place, MNT_DETACH) == 0 &&
         unlink(place) == 0;
}

/* Lines of mountinfo(5) that were not there before. */
static void look_at_mounts(const char *before, char *after) {
  for (char *rest, *line = strtok_r(after, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
    char place[PATH_MAX];
    if (strstr(before, line) || sscanf(line, "%*s %*s %*s %*s %4095s", place) != 1)
      continue;
    if (is_of_killed_crun(place)) {
      shared->mounts++;
      continue;
    }
    fprintf(stderr, "load: a mount was left: %s\n", line);
    shared->failures++;
  }
}

int main(int argc, char **argv) {
  static char template[1 << 16], before[1 << 18], after[1 << 18];
  char path[PATH_MAX];
  if (argc != 6)
    return 2;
  (void)close_range(3, ~0U, 0); /* of whoever called us */
  wrapper = argv[1];
  dir = argv[2];
  const char *group = argv[3];
  const int count = atoi(argv[4]);
  seed = strtoull(argv[5], NULL, 10);
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  (void)snprintf(path, sizeof path, "%s/template.json", dir);
  read_text(path, template, sizeof template);
  read_text("/proc/self/mountinfo", before, sizeof before);
  if (shared == MAP_FAILED || readlink("/proc/self/exe", self, sizeof self - 1) < 0 || !*template || !*before)
    return 2;
  for (int slot = 0; slot < WORKERS; slot++) {
    if (fork() == 0) {
      for (int i = slot; i < count; i += WORKERS)
        live(i, slot, group, template);
      _exit(0);
    }
  }
  watch(group);
  read_text("/proc/self/mountinfo", after, sizeof after);
  look_at_mounts(before, after);
  printf("load: seed %llu: %d containers, %d of them by crun: %d seen created, %d running, %d execs, "
         "%d failures\n",
         (unsigned long long)seed, count, shared->crun, shared->created, shared->running, shared->execs,
         shared->failures);
  int in_wrapper = 0;
  for (enum call call = 0; call < CALLS; call++) {
    in_wrapper += shared->kills[call][0];
    printf("load: %s: %d killed in the wrapper, %d in the runtime\n", call_names[call],
           shared->kills[call][0], shared->kills[call][1]);
  }
  printf("load: %d kills in the wrapper\n", in_wrapper);
  printf("load: %d cgroups and %d mounts that a killed runtime left were cleared away\n", shared->groups,
         shared->mounts);
  return shared->failures ? 1 : 0;
}
