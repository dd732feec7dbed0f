/* SPDX-License-Identifier: Apache-2.0 */
/* Where mounts lead: their destinations below the rootfs, their sources on the host. */
#include "facts_bundle.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>

TestSuite(facts_mounts, .init = bundle_make, .fini = bundle_remove, .timeout = 20);

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

Test(facts_mounts, a_tmpfs_has_something_to_hide_or_not) {
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

Test(facts_mounts, destinations) {
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
Test(facts_mounts, masks_below_proc_and_sys) {
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
Test(facts_mounts, destinations_inside_volumes) {
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

Test(facts_mounts, sources) {
  dir("host/data");
  file("host/plain");
  link_to("/etc", "host/etc");
  link_to("/proc/self/root/etc/passwd", "host/magic");
  dir("host/secret");
  dir("host/secret/below");
  link_to("secret", "host/alias");
  link_to("..", "bundle/up");
  link_to("/etc/hosts", "bundle/hosts");
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
                     BIND("%/host/gone") BIND("up/host/data") BIND("hosts") BIND("/") BIND("/proc/self/root")
                         BIND("/etc/../tmp") BIND("%/host/secret/below") BIND("%/host/alias")
                             BIND("%/host") "]",
        &policy);
  close(sock);
  cr_expect(f.sources_len == 17, "%zu", f.sources_len);
  cr_expect(facts_source(&f, "proc") == NULL && facts_source(&f, "odd")->kind == INODE_ABSENT);
  cr_expect_str_eq(sensitive(&f, "%/host/data"), "-");
  cr_expect_str_eq(sensitive(&f, "up/host/data"), "-");
  cr_expect_str_eq(sensitive(&f, "%/host/plain"), "-");
  cr_expect_str_eq(sensitive(&f, "%/host"), "docker.sock");
  cr_expect_str_eq(sensitive(&f, "%/host/etc"), "/etc");
  cr_expect_str_eq(sensitive(&f, "%/host/etc/passwd"), "/etc");
  cr_expect_str_eq(sensitive(&f, "%/host/magic"), "/etc");
  cr_expect_str_eq(sensitive(&f, "%/host/docker.sock"), "docker.sock");
  cr_expect_str_eq(sensitive(&f, "hosts"), "-");
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
Test(facts_mounts, sources_by_inode_and_through_links) {
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
