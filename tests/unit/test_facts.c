/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "facts/facts.h"
#include "tempdir.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

/* A bundle: TOP/bundle with rootfs/ inside, TOP/host for what lies outside. */
static char *top;
static int top_fd = -1;
static int bundle = -1;

static void dir(const char *name) {
  cr_assert(mkdirat(top_fd, name, 0755) == 0, "%s: %s", name, strerror(errno));
}

static void file(const char *name) {
  int fd = openat(top_fd, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  cr_assert(fd >= 0);
  close(fd);
}

static void link_to(const char *target, const char *name) {
  cr_assert(symlinkat(target, top_fd, name) == 0);
}

static void setup(void) {
  top = tempdir_make("test_facts");
  top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
  dir("bundle");
  dir("bundle/rootfs");
  dir("host");
  bundle = openat(top_fd, "bundle", O_PATH | O_DIRECTORY | O_CLOEXEC);
  cr_assert(bundle >= 0);
}

static void teardown(void) {
  close(bundle);
  close(top_fd);
  tempdir_remove(top);
}

TestSuite(facts, .init = setup, .fini = teardown, .timeout = 20);

/* Every "%" in the text becomes TOP. */
static char *expand(const char *text) {
  CLEANUP_STR struct str out = { 0 };
  for (; *text; text++) {
    if (*text == '%')
      str_add(&out, top);
    else
      str_add_mem(&out, text, 1);
  }
  return str_steal(&out);
}

static int probe_with(struct facts *f, const char *members, const struct policy *policy, struct error *err) {
  CLEANUP_FREE char *expanded = expand(members);
  CLEANUP_FREE char *text = xasprintf("{\"ociVersion\":\"1.0.2\",%s}", expanded);
  const struct jsonx_source src = { "config.json", text, strlen(text) };
  CLEANUP_SPEC struct spec spec = { 0 };
  cr_assert(spec_parse(&spec, SPEC_CONFIG, &src, JSONX_LIMIT_DEFAULT, err) == 0, "%s", err->message);
  return facts_probe(f, &spec, bundle, &policy, policy ? 1 : 0, RUNTIME_CRUN, err);
}

static void probe(struct facts *f, const char *members, const struct policy *policy) {
  struct error err = { 0 };
  cr_assert(probe_with(f, members, policy, &err) == 0, "%s", err.message);
}

#define ROOT "\"root\":{\"path\":\"rootfs\"}"

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

static void expect_destination(const struct facts *f, const char *destination, const char *resolved,
                               bool exists) {
  const struct destination_fact *d = facts_destination(f, destination);
  cr_assert(d != NULL, "%s", destination);
  if (!resolved) {
    cr_expect(d->resolved == NULL && d->why && *d->why, "%s", destination);
    return;
  }
  cr_expect(d->resolved && strcmp(d->resolved, resolved) == 0, "%s: %s", destination, d->resolved);
  cr_expect(d->exists == exists && d->why == NULL, "%s", destination);
}

Test(facts, a_tmpfs_has_something_to_hide_or_not) {
  dir("bundle/rootfs/empty");
  dir("bundle/rootfs/full");
  dir("bundle/rootfs/full/.hidden");
  link_to("full", "bundle/rootfs/link");
  CLEANUP_POLICY struct policy policy = { 0 };
  policy_init(&policy);
  const char *const places[] = { "/empty", "/full", "/link", "/absent" };
  const bool empty[] = { true, false, false, true };
  for (size_t i = 0; i < ARRAY_SIZE(places); i++)
    strlist_add(&policy.rootfs.tmpfs, places[i]);
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f, ROOT, &policy);
  for (size_t i = 0; i < ARRAY_SIZE(places); i++)
    cr_expect(facts_destination(&f, places[i])->empty == empty[i], "%s", places[i]);
}

Test(facts, destinations) {
  dir("bundle/rootfs/run");
  dir("bundle/rootfs/var");
  link_to("../run", "bundle/rootfs/var/run");
  link_to("x", "bundle/rootfs/x");
  link_to("../../../../../../../../etc", "bundle/rootfs/out");
  CLEANUP_POLICY struct policy policy = { 0 };
  policy_init(&policy);
  strlist_add(&policy.rootfs.tmpfs, "/var/run/tmp");
  strlist_add(&policy.rootfs.tmpfs, "/x");
  strlist_add(&policy.paths.masked, "/proc/kcore");
  strlist_add(&policy.paths.readonly, "/out/passwd");
  strlist_add(&policy.paths.readonly, "/proc/kcore");
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f,
        ROOT ",\"mounts\":[{\"destination\":\"/var/run\"},{\"destination\":\"new/dir\"},"
             "{\"destination\":\"/a/../b\"},{\"destination\":\"/x\"},{\"destination\":\"/out\"}]",
        &policy);
  expect_destination(&f, "/var/run", "/run", true);
  expect_destination(&f, "new/dir", "/new/dir", false);
  expect_destination(&f, "/a/../b", NULL, false);
  expect_destination(&f, "/x", NULL, false);
  expect_destination(&f, "/out", "/etc", false);
  expect_destination(&f, "/var/run/tmp", "/run/tmp", false);
  /* Only what a policy's tmpfs would hide is looked into. */
  cr_expect(facts_destination(&f, "/var/run/tmp")->empty && !facts_destination(&f, "/proc/kcore")->empty);
  expect_destination(&f, "/proc/kcore", "/proc/kcore", false);
  expect_destination(&f, "/out/passwd", "/etc/passwd", false);
  cr_expect(f.destinations_len == 8, "%zu", f.destinations_len);
  /* By the resolved path, for a policy that comes second. */
  cr_expect(facts_destination(&f, "/run/tmp") == facts_destination(&f, "/var/run/tmp"));
  cr_expect(facts_destination(&f, "/nothing") == NULL);
}

/* Empty, an image's /proc and /sys need no look below them; anything else does. */
Test(facts, masks_below_proc_and_sys) {
  static const struct {
    const char *proc; /* a directory, or a link's target */
    bool link, inside;
    const char *resolved;
  } cases[] = {
    { "proc", false, false, "/proc/kcore" },
    { "proc", false, true, "/proc/kcore" },
    { "run", true, false, "/run/kcore" },
    { "run", true, true, "/run/kcore" },
  };
  CLEANUP_POLICY struct policy policy = { 0 };
  policy_init(&policy);
  strlist_add(&policy.paths.masked, "/proc/kcore");
  strlist_add(&policy.paths.masked, "/sys/a/../b");
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_FREE char *at = xasprintf("bundle/rootfs%zu", i);
    CLEANUP_FREE char *proc = xasprintf("%s/proc", at);
    CLEANUP_FREE char *real = xasprintf("%s/%s", at, cases[i].proc);
    CLEANUP_FREE char *kcore = xasprintf("%s/kcore", real);
    CLEANUP_FREE char *text = xasprintf("\"root\":{\"path\":\"rootfs%zu\"}", i);
    dir(at);
    dir(real);
    if (cases[i].link)
      link_to(cases[i].proc, proc);
    if (cases[i].inside)
      file(kcore);
    CLEANUP_FACTS struct facts f = { 0 };
    probe(&f, text, &policy);
    expect_destination(&f, "/proc/kcore", cases[i].resolved, cases[i].inside);
    expect_destination(&f, "/sys/a/../b", NULL, false);
  }
}

/* CVE-2021-30465: what the rootfs says of a path inside a volume is not what the runtime will find there. */
Test(facts, destinations_inside_volumes) {
  dir("bundle/rootfs/run");
  dir("bundle/rootfs/var");
  dir("bundle/rootfs/vol");
  dir("bundle/rootfs/vol/sub");
  dir("bundle/volume");
  dir("bundle/volume/sub");
  link_to("../run", "bundle/rootfs/var/run");
  link_to("/etc", "bundle/rootfs/vol/plain");
  dir("bundle/volume/plain");
  link_to("/proc", "bundle/volume/l");
  link_to("sub", "bundle/volume/inside");
  link_to("loop", "bundle/volume/loop");
  CLEANUP_POLICY struct policy policy = { 0 };
  policy_init(&policy);
  strlist_add(&policy.rootfs.tmpfs, "/vol/l/tmp");
  strlist_add(&policy.rootfs.tmpfs, "/vol/sub/new");
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f,
        ROOT
        ",\"mounts\":[{\"destination\":\"/vol/l/early\",\"type\":\"tmpfs\"},"
        "{\"destination\":\"/vol\",\"type\":\"bind\",\"source\":\"volume\"},"
        "{\"destination\":\"/run/v\",\"options\":[\"rbind\"],\"source\":\"%/bundle/volume\"},"
        "{\"destination\":\"/vol/l\"},{\"destination\":\"/vol/l/sys/x\"},{\"destination\":\"/vol/inside\"},"
        "{\"destination\":\"/vol/plain\"},{\"destination\":\"/vol/new/dir\"},{\"destination\":\"/vol/loop\"},"
        "{\"destination\":\"/var/run/v/l\"},{\"destination\":\"/volume\"}]",
        &policy);
  expect_destination(&f, "/vol/l/early", "/vol/l/early", false);
  expect_destination(&f, "/vol", "/vol", true);
  expect_destination(&f, "/vol/l", "/proc", true);
  expect_destination(&f, "/vol/l/sys/x", "/proc/sys/x", true);
  expect_destination(&f, "/vol/inside", "/vol/sub", true);
  expect_destination(&f, "/vol/plain", "/vol/plain", true);
  expect_destination(&f, "/vol/new/dir", "/vol/new/dir", false);
  expect_destination(&f, "/vol/loop", NULL, false);
  expect_destination(&f, "/var/run/v/l", "/proc", true);
  expect_destination(&f, "/volume", "/volume", false);
  expect_destination(&f, "/vol/l/tmp", "/proc/tmp", true);
  expect_destination(&f, "/vol/sub/new", "/vol/sub/new", false);
}

static const char *sensitive(const struct facts *f, const char *source) {
  CLEANUP_FREE char *name = expand(source);
  const struct source_fact *s = facts_source(f, name);
  cr_assert(s != NULL, "%s", name);
  return s->sensitive ? s->sensitive : "-";
}

Test(facts, sources) {
  dir("host/data");
  file("host/plain");
  link_to("/etc", "host/etc");
  link_to("/proc/self/root/etc/passwd", "host/magic");
  dir("host/secret");
  dir("host/secret/below");
  link_to("secret", "host/alias");
  struct sockaddr_un addr = { .sun_family = AF_UNIX };
  snprintf(addr.sun_path, sizeof addr.sun_path, "%s/host/docker.sock", top);
  int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  cr_assert(bind(sock, (struct sockaddr *)&addr, sizeof addr) == 0);
  cr_assert(mkfifoat(top_fd, "host/fifo", 0600) == 0);
  CLEANUP_POLICY struct policy policy = { 0 };
  policy_init(&policy);
  strlist_add_new(&policy.mounts.deny_sources, expand("%/host/alias"));
  strlist_add(&policy.mounts.deny_sources, "/");
  CLEANUP_FACTS struct facts f = { 0 };
#define BIND(source) ",{\"destination\":\"/d\",\"type\":\"bind\",\"source\":\"" source "\"}"
  probe(&f,
        ROOT ",\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"}"
             ",{\"destination\":\"/o\",\"source\":\"odd\",\"options\":[\"ro\",\"rbind\"]}"
             ",{\"destination\":\"/n\"}" BIND("%/host/data") BIND("%/host/plain") BIND("%/host/fifo")
                 BIND("%/host/etc") BIND("%/host/etc/passwd") BIND("%/host/magic") BIND("%/host/docker.sock")
                     BIND("%/host/gone") BIND("../host/data") BIND("../../../etc/hosts") BIND("/")
                         BIND("/proc/self/root") BIND("/etc/../tmp") BIND("%/host/secret/below")
                             BIND("%/host/alias") BIND("%/host") "]",
        &policy);
  close(sock);
  cr_expect(f.sources_len == 17, "%zu", f.sources_len);
  cr_expect(facts_source(&f, "proc") == NULL && facts_source(&f, "odd")->kind == INODE_ABSENT);
  cr_expect_str_eq(sensitive(&f, "%/host/data"), "-");
  cr_expect_str_eq(sensitive(&f, "../host/data"), "-");
  cr_expect_str_eq(sensitive(&f, "%/host/plain"), "-");
  cr_expect_str_eq(sensitive(&f, "%/host"), "docker.sock");
  cr_expect_str_eq(sensitive(&f, "%/host/etc"), "/etc");
  cr_expect_str_eq(sensitive(&f, "%/host/etc/passwd"), "/etc");
  cr_expect_str_eq(sensitive(&f, "%/host/magic"), "/etc");
  cr_expect_str_eq(sensitive(&f, "%/host/docker.sock"), "docker.sock");
  cr_expect_str_eq(sensitive(&f, "../../../etc/hosts"), "-");
  cr_expect_str_eq(sensitive(&f, "/"), "/");
  cr_expect_str_eq(sensitive(&f, "/proc/self/root"), "/");
  cr_expect_str_eq(sensitive(&f, "/etc/../tmp"), "/tmp");
  cr_expect_str_eq(sensitive(&f, "%/host/gone"), "-");
  CLEANUP_FREE char *alias = expand("%/host/alias");
  CLEANUP_FREE char *secret = expand("%/host/secret");
  cr_expect_str_eq(sensitive(&f, "%/host/alias"), alias);
  cr_expect_str_eq(sensitive(&f, "%/host/secret/below"), alias);
  cr_expect_str_eq(facts_source(&f, alias)->real, secret);

  CLEANUP_FREE char *gone = expand("%/host/gone");
  CLEANUP_FREE char *plain = expand("%/host/plain");
  CLEANUP_FREE char *fifo = expand("%/host/fifo");
  cr_expect(facts_source(&f, gone)->kind == INODE_ABSENT && facts_source(&f, gone)->real == NULL);
  cr_expect(facts_source(&f, plain)->kind == INODE_FILE && facts_source(&f, fifo)->kind == INODE_OTHER);
  cr_expect(facts_source(&f, secret) == NULL);
  cr_expect(facts_source(&f, alias)->kind == INODE_DIRECTORY, "links are followed, as mount(2) does");
}

/* Another name for a sensitive directory, and an engine's storage that is a link to another disk. */
Test(facts, sources_by_inode_and_through_links) {
  if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
    cr_skip_test("needs a mount namespace");
  dir("host/etc");
  dir("host/kernel");
  dir("host/disk");
  dir("host/disk/overlay2");
  dir("host/disk/containers");
  dir("host/disk/containers/c1");
  file("host/disk/containers/c1/hosts");
  CLEANUP_FREE char *etc = expand("%/host/etc");
  CLEANUP_FREE char *disk = expand("%/host/disk");
  cr_assert(mount("/etc", etc, NULL, MS_BIND, NULL) == 0);
  CLEANUP_FREE char *kernel = expand("%/host/kernel");
  cr_assert(mount("proc", kernel, "proc", MS_NODEV | MS_NOEXEC, NULL) == 0);
  cr_assert(mount("tmpfs", "/var/lib", "tmpfs", 0, NULL) == 0);
  cr_assert(symlink(disk, "/var/lib/docker") == 0);
  CLEANUP_FACTS struct facts f = { 0 };
  probe(&f,
        ROOT ",\"mounts\":[{\"destination\":\"/0\"}" BIND("%/host/etc") BIND("%/host/disk")
            BIND("%/host/etc/passwd") BIND("%/host/etc/hosts") BIND("%/host/kernel") BIND("%/host/kernel/sys")
                BIND("/var/lib/docker") BIND("/var/lib/docker/overlay2") BIND("%/host/disk/overlay2")
                    BIND("/var/lib/docker/containers/c1/hosts") BIND("%/host/disk/containers/c1/hosts")
                        BIND("/var/lib/docker/containers/c1") "]",
        NULL);
  cr_assert(umount(etc) == 0 && umount(kernel) == 0);
  cr_expect_str_eq(sensitive(&f, "%/host/etc/passwd"), "/etc");
  cr_expect_str_eq(sensitive(&f, "%/host/etc/hosts"), "-");
  cr_expect_str_eq(sensitive(&f, "%/host/kernel"), "/proc");
  cr_expect_str_eq(sensitive(&f, "%/host/kernel/sys"), "/proc");
  const struct strlist *options = &facts_source(&f, kernel)->options;
  cr_expect(options->len == 2 && strlist_has(options, "nodev") && strlist_has(options, "noexec"));
  cr_expect(facts_source(&f, disk)->options.len == 0);
  cr_expect_str_eq(sensitive(&f, "%/host/etc"), "/etc");
  cr_expect_str_eq(sensitive(&f, "%/host/disk"), "/var/lib/docker");
  cr_expect_str_eq(sensitive(&f, "/var/lib/docker"), "/var/lib/docker");
  cr_expect_str_eq(sensitive(&f, "/var/lib/docker/overlay2"), "/var/lib/docker");
  cr_expect_str_eq(sensitive(&f, "%/host/disk/overlay2"), "/var/lib/docker");
  cr_expect_str_eq(sensitive(&f, "/var/lib/docker/containers/c1/hosts"), "-");
  cr_expect_str_eq(sensitive(&f, "%/host/disk/containers/c1/hosts"), "-");
  cr_expect_str_eq(sensitive(&f, "/var/lib/docker/containers/c1"), "/var/lib/docker");
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
