/* SPDX-License-Identifier: Apache-2.0 */
#include "facts_bundle.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

TestSuite(facts, .init = bundle_make, .fini = bundle_remove, .timeout = 20);

Test(facts, host) {
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f, ROOT, NULL);
  cr_expect(f.host_known && f.rootfs_known && f.runtime == RUNTIME_CRUN && !f.sandbox);
  cr_expect(f.cap_last >= 37 && f.cap_last < 64);
  if (geteuid() != 0)
    return;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) { /* root in a user namespace of its own is not root */
    if (unshare(CLONE_NEWUSER) < 0)
      _exit(77);
    int map = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    if (write(map, "0 0 1\n", 6) != 6 || geteuid() != 0)
      _exit(2);
    CLEANUP_FACTS struct facts g = { 0 };
    probe(&g, ROOT, NULL);
    _exit(g.rootless ? 0 : 1);
  }
  int status = -1;
  cr_assert(waitpid(child, &status, 0) == child);
  cr_expect(status == 0 || WEXITSTATUS(status) == 77);
}

Test(facts, sandbox_comes_from_annotations) {
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f, ROOT ",\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\"}", NULL);
  cr_expect(f.sandbox);
}

Test(facts, rootfs) {
  dir("bundle/rootfs/proc");
  file("bundle/rootfs/dev");
  link_to("/etc", "bundle/rootfs/sys");
  dir("bundle/rootfs/work");
  link_to("/proc/self/fd", "bundle/rootfs/work/sly");
  link_to("loop", "bundle/rootfs/loop");
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f, ROOT ",\"process\":{\"cwd\":\"/work/sly/7\",\"args\":[\"/work/../loop\"]}", NULL);
  cr_expect(f.root_proc == INODE_DIRECTORY && f.root_dev == INODE_FILE && f.root_sys == INODE_SYMLINK);
  CLEANUP_FREE char *real = expand("%/bundle/rootfs");
  cr_expect(strcmp(f.root_real, real) == 0 && !f.root_is_host);
  cr_expect(strcmp(f.cwd_resolved, "/proc/self/fd/7") == 0, "%s", f.cwd_resolved);
  cr_expect(f.arg0_resolved == NULL);

  CLEANUP_FACTS struct facts g = { 0 };
  probe(&g, "\"root\":{\"path\":\"%/bundle/rootfs/work\"},\"process\":{\"cwd\":\"w\",\"args\":[\"sh\"]}",
        NULL);
  cr_expect(g.root_proc == INODE_ABSENT && g.cwd_resolved == NULL && g.arg0_resolved == NULL);
}

static void expect_program(const char *process, const char *cwd, const char *program) {
  CLEANUP_FACTS struct facts f = { 0 };
  CLEANUP_FREE char *members =
      xasprintf(ROOT ",\"mounts\":[{\"destination\":\"/vol\",\"type\":\"bind\",\"source\":\"volume\"},"
                     "{\"destination\":\"/tmp\",\"type\":\"tmpfs\"}],\"process\":{%s}",
                process);
  probe(&f, members, NULL);
  cr_expect(cwd ? f.cwd_resolved && strcmp(f.cwd_resolved, cwd) == 0 : !f.cwd_resolved, "%s: %s", process,
            f.cwd_resolved);
  cr_expect(program ? f.arg0_resolved && strcmp(f.arg0_resolved, program) == 0 : !f.arg0_resolved, "%s: %s",
            process, f.arg0_resolved);
}

/* Each was a way to /proc/self that only the kernel saw. */
Test(facts, programs_through_path_volumes_and_the_cwd) {
  dir("bundle/rootfs/bin");
  dir("bundle/rootfs/vol");
  dir("bundle/rootfs/tmp");
  dir("bundle/volume");
  dir("bundle/volume/sub");
  file("bundle/rootfs/bin/sh");
  link_to("/proc/self/exe", "bundle/rootfs/bin/sly");
  link_to("/proc/self/fd", "bundle/rootfs/tmp/hidden");
  link_to("/proc/self/fd", "bundle/volume/fd");
  link_to("../../proc/self/exe", "bundle/volume/sub/exe");
  link_to("../bin", "bundle/volume/bin");
  link_to("bin/sh", "bundle/volume/gone");
  link_to("loop", "bundle/volume/loop");
  expect_program("\"cwd\":\"/vol/fd/7\",\"args\":[\"/vol/sub/exe\"]", "/proc/self/fd/7", "/proc/self/exe");
  expect_program("\"cwd\":\"/vol/sub\",\"args\":[\"./exe\"]", "/vol/sub", "/proc/self/exe");
  expect_program("\"cwd\":\"/\",\"args\":[\"proc/self/exe\"]", "/", "/proc/self/exe");
  expect_program("\"cwd\":\"/tmp/hidden\",\"args\":[\"/vol/bin/sh\"]", "/tmp/hidden", "/bin/sh");
  expect_program("\"cwd\":\"/vol/loop\",\"args\":[\"/vol/gone\"]", NULL, "/bin/sh");
  expect_program("\"cwd\":\"/\",\"args\":[\"sly\"],\"env\":[\"PATH=/usr/bin:/bin\"]", "/", "/proc/self/exe");
  expect_program("\"cwd\":\"/vol\",\"args\":[\"exe\"],\"env\":[\"A=b\",\"PATH=:sub\"]", "/vol",
                 "/proc/self/exe");
  expect_program("\"cwd\":\"/\",\"args\":[\"sh\"],\"env\":[\"PATH=/gone:/bin\"]", "/", "/bin/sh");
  expect_program("\"cwd\":\"/\",\"args\":[\"none\"],\"env\":[\"PATH=/bin\"]", "/", NULL);
}

Test(facts, rootfs_that_is_the_host) {
  link_to("/", "bundle/slash");
  static const char *const roots[] = { "\"root\":{\"path\":\"/\"}", "\"root\":{\"path\":\"slash\"}",
                                       "\"root\":{\"path\":\"/proc/self/root\"}" };
  for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
    CLEANUP_FACTS struct facts f = { 0 };
    probe(&f, roots[i], NULL);
    cr_expect(f.root_is_host && strcmp(f.root_real, "/") == 0, "%s", roots[i]);
  }
  static const char *const parts[] = { "\"root\":{\"path\":\"/usr\"}", "\"root\":{\"path\":\"/var\"}",
                                       "\"root\":{\"path\":\"/etc\"}", "\"root\":{\"path\":\"/home\"}" };
  for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
    CLEANUP_FACTS struct facts f = { 0 };
    probe(&f, parts[i], NULL);
    cr_expect(f.root_is_host, "%s", parts[i]);
  }
}

Test(facts, rootfs_that_holds_the_bundle) {
  link_to("..", "bundle/up");
  static const struct {
    const char *root;
    bool is_bundle, is_above;
  } rows[] = {
    { ".", true, false }, { "%/bundle", true, false }, { "up", false, true }, { "rootfs", false, false }
  };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    CLEANUP_FACTS struct facts f = { 0 };
    CLEANUP_FREE char *members = xasprintf("\"root\":{\"path\":\"%s\"}", rows[i].root);
    probe(&f, members, NULL);
    cr_expect(f.root_holds_bundle == (rows[i].is_bundle || (rows[i].is_above && geteuid() == 0)), "%s",
              rows[i].root);
  }
}

Test(facts, rootfs_must_be_there) {
  file("bundle/plain");
  static const struct {
    const char *members;
    int sys;
  } cases[] = { { "\"root\":{\"path\":\"gone\"}", ENOENT },
                { "\"root\":{\"path\":\"plain\"}", ENOTDIR },
                { "\"hostname\":\"x\"", 0 } };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    struct facts f = { 0 };
    struct error err = { 0 };
    cr_expect(probe_with(&f, cases[i].members, NULL, &err) == -1);
    cr_expect(err.sys == cases[i].sys && strstr(err.message, "/root/path"), "%s", err.message);
    cr_expect(f.root_real == NULL && f.destinations == NULL);
  }
}

static pid_t child_with_own_uts(void) {
  int ready[2];
  cr_assert(pipe2(ready, O_CLOEXEC) == 0);
  pid_t child = fork();
  if (child == 0) {
    char ok = unshare(CLONE_NEWUTS) == 0;
    if (write(ready[1], &ok, 1) == 1)
      pause();
    _exit(0);
  }
  char ok = 0;
  cr_assert(read(ready[0], &ok, 1) == 1);
  close(ready[0]);
  close(ready[1]);
  if (ok)
    return child;
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  return 0;
}

Test(facts, namespaces) {
  cr_assert(mkfifoat(top_fd, "host/fifo", 0600) == 0);
  link_to("/proc/self/ns/ipc", "host/ipc");
  pid_t child = child_with_own_uts();
  CLEANUP_FREE char *uts = child ? xasprintf("/proc/%d/ns/uts", (int)child) : xstrdup("");
  CLEANUP_FREE char *members = xasprintf(
      ROOT ",\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/proc/self/ns/net\"},"
           "{\"type\":\"ipc\",\"path\":\"%%/host/ipc\"},{\"type\":\"pid\",\"path\":\"/proc/self/ns/mnt\"},"
           "{\"type\":\"mount\",\"path\":\"%%/host/fifo\"},{\"type\":\"cgroup\",\"path\":\"/gone\"},"
           "{\"type\":\"user\",\"path\":\"/dev/null\"},{\"type\":\"uts\",\"path\":\"%s\"},"
           "{\"type\":\"time\"},{\"type\":\"odd\",\"path\":\"/proc/self/ns/uts\"}]}",
      uts);
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f, members, NULL);
  if (child) {
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
  }
  CLEANUP_FREE char *ipc = expand("%/host/ipc");
  CLEANUP_FREE char *fifo = expand("%/host/fifo");
  cr_expect(f.host_namespace_paths.len == 2);
  cr_expect(strlist_has(&f.host_namespace_paths, "/proc/self/ns/net"));
  cr_expect(strlist_has(&f.host_namespace_paths, ipc));
  cr_expect(f.bad_namespace_paths.len == 5);
  const char *const bad[] = { "/proc/self/ns/mnt", fifo, "/gone", "/dev/null", "/proc/self/ns/uts" };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
    cr_expect(strlist_has(&f.bad_namespace_paths, bad[i]), "%s", bad[i]);
}

Test(facts, process_documents_have_no_rootfs) {
  static const char text[] = "{\"cwd\":\"/\",\"args\":[\"/bin/sh\"]}";
  const struct jsonx_source src = { "process.json", text, strlen(text) };
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  cr_assert(spec_parse(&spec, SPEC_PROCESS, &src, JSONX_LIMIT_DEFAULT, &err) == 0);
  CLEANUP_FACTS struct facts f = { 0 };
  cr_assert(facts_probe(&f, &spec, bundle, NULL, 0, RUNTIME_RUNC, &err) == 0, "%s", err.message);
  cr_expect(f.host_known && !f.rootfs_known && f.cwd_resolved == NULL && f.runtime == RUNTIME_RUNC);
}

Test(facts, unknown) {
  static const char text[] =
      "{\"ociVersion\":\"1.0.0\",\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\"},"
      "\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\",\"source\":\"/etc\"}]}";
  const struct jsonx_source src = { "config.json", text, strlen(text) };
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  cr_assert(spec_parse(&spec, SPEC_CONFIG, &src, JSONX_LIMIT_DEFAULT, &err) == 0);
  CLEANUP_FACTS struct facts f = { 0 };
  facts_unknown(&f, &spec, RUNTIME_CRUN);
  cr_expect(!f.host_known && !f.rootfs_known && f.sandbox && f.runtime == RUNTIME_CRUN && f.cap_last == 40);
  cr_expect(facts_source(&f, "/etc") == NULL && facts_destination(&f, "/a") == NULL);
}
