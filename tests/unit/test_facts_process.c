/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at in other processes, and in our own. */
#include "facts/facts.h"
#include "tempdir.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void probe(struct facts *f, const char *members) {
  CLEANUP_FREE char *text = xasprintf("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"/tmp\"}%s}", members);
  const struct jsonx_source src = { "config.json", text, strlen(text) };
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  cr_assert(spec_parse(&spec, SPEC_CONFIG, &src, JSONX_LIMIT_DEFAULT, &err) == 0, "%s", err.message);
  cr_assert(facts_probe(f, &spec, AT_FDCWD, NULL, 0, RUNTIME_RUNC, &err) == 0, "%s", err.message);
}

/* A process that runs `program` for a while; 0: it could not be made so. */
static pid_t running(const char *program, int unshared) {
  int ready[2];
  char byte;
  cr_assert(pipe2(ready, O_CLOEXEC) == 0);
  pid_t child = fork();
  if (child == 0) {
    close(ready[0]);
    if (unshare(unshared) == 0)
      execl(program, "sleep", "60", NULL);
    (void)!write(ready[1], "x", 1);
    _exit(1);
  }
  close(ready[1]);
  const bool failed = read(ready[0], &byte, 1) != 0; /* the exec closes it */
  close(ready[0]);
  if (!failed)
    return child;
  waitpid(child, NULL, 0);
  return 0;
}

static bool is_bad(pid_t pid) {
  CLEANUP_FREE char *path = xasprintf("/proc/%d/exe", (int)pid);
  CLEANUP_FREE char *members = xasprintf(",\"hooks\":{\"prestart\":[{\"path\":\"%s\"}]}", path);
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f, members);
  return strlist_has(&f.bad_hook_paths, path);
}

static void end(pid_t pid) {
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
}

/* A program that sleeps, by the name of the daemon whose hook is known. The caller frees. */
static char *make_daemon(const char *dir) {
  char *copy = xasprintf("%s/dockerd", dir);
  CLEANUP_FREE char *command = xasprintf("cp /bin/sleep %s", copy);
  cr_assert(system(command) == 0); /* NOLINT(cert-env33-c) */
  return copy;
}

Test(facts_process, a_hook_is_the_host_s_dockerd, .timeout = 20) {
  char *dir = tempdir_make("test_facts_process");
  CLEANUP_FREE char *daemon = make_daemon(dir);
  pid_t pid = running(daemon, 0);
  cr_assert(pid > 0);
  cr_expect(!is_bad(pid));
  cr_assert(unlink(daemon) == 0);
  cr_expect(!is_bad(pid), "an upgrade has exchanged the file");
  end(pid);
  cr_expect(is_bad(pid), "the process is gone");
  pid = running("/bin/sleep", 0);
  cr_assert(pid > 0);
  cr_expect(is_bad(pid), "another program of the host's");
  end(pid);
  CLEANUP_FREE char *again = make_daemon(dir);
  pid = running(again, CLONE_NEWNS);
  if (pid > 0) { /* wants privileges */
    cr_expect(is_bad(pid), "another mount namespace");
    end(pid);
  }
  tempdir_remove(dir);
}

Test(facts_process, a_hook_that_others_may_write_is_bad, .timeout = 20) {
  char *dir = tempdir_make("test_facts_process");
  CLEANUP_FREE char *copy = make_daemon(dir);
  static const mode_t writable[] = { 0757, 0775 };
  for (size_t i = 0; i < ARRAY_SIZE(writable); i++) {
    cr_assert(chmod(copy, writable[i]) == 0);
    pid_t pid = running(copy, 0);
    cr_assert(pid > 0);
    cr_expect(is_bad(pid), "%o", writable[i]);
    cr_assert(chmod(copy, 0755) == 0);
    cr_expect(!is_bad(pid));
    if (geteuid() == 0) {
      cr_assert(chown(copy, 1000, 0) == 0);
      cr_expect(is_bad(pid), "another owner");
      cr_assert(chown(copy, 0, 0) == 0);
    }
    end(pid);
  }
  tempdir_remove(dir);
}

Test(facts_process, hooks_of_other_names_are_not_looked_at) {
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f,
        ",\"hooks\":{\"prestart\":[{\"path\":\"/gone\"},{\"path\":\"/proc/self/exe\"},{\"path\":\"/proc/1/"
        "exe/x\"},{\"path\":\"/proc//exe\"}],\"poststop\":[{\"path\":\"/proc/99999999/exe\"}]}");
  cr_expect(f.bad_hook_paths.len == 1 && strlist_has(&f.bad_hook_paths, "/proc/99999999/exe"));
}

Test(facts_process, inherited) {
  CLEANUP_FACTS struct facts f = { 0 };
  struct rlimit files = { 0 };
  cr_assert(getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max - 1;
  cr_assert(setrlimit(RLIMIT_NOFILE, &files) == 0);
  int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  cr_assert(fd >= 0 && write(fd, "321", 3) == 3); /* up is allowed to all */
  close(fd);
  probe(&f, ",\"process\":{\"cwd\":\"/\"}");
  const struct rlimit_fact *fact = facts_rlimit(&f, "RLIMIT_NOFILE");
  cr_assert_not_null(fact);
  cr_expect(fact->soft == files.rlim_cur && fact->hard == files.rlim_max);
  cr_expect(facts_rlimit(&f, "RLIMIT_NPROC") && facts_rlimit(&f, "RLIMIT_CORE"));
  cr_expect(facts_rlimit(&f, "RLIMIT_CPU") == NULL);
  cr_expect(f.oom_score_known && f.oom_score_adj == 321);
}
