/* SPDX-License-Identifier: Apache-2.0 */
/* A process that is all that `restricted` wants, for the tests of the posture: make(), change something,
 * compare(). */
#ifndef HARDEN_TESTS_POSTURE_SCENE_H
#define HARDEN_TESTS_POSTURE_SCENE_H

#include "base/str.h"
#include "kernel/caps.h"
#include "posture/posture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/stat.h>

static const char mountinfo[] = "10 1 8:1 /srv/c1/rootfs / ro,relatime - ext4 /dev/sda ro\n"
                                "11 10 0:50 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
                                "12 10 0:51 / /dev rw,nosuid,noexec - tmpfs tmpfs rw,mode=755\n"
                                "13 12 0:52 / /dev/pts rw,nosuid,noexec - devpts devpts rw\n"
                                "14 10 0:53 / /sys ro,nosuid,nodev,noexec - sysfs sysfs ro\n"
                                "15 10 0:54 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw\n"
                                "16 10 8:1 /srv/data /data rw,nosuid,nodev - ext4 /dev/sda rw\n"
                                "17 11 0:50 /sys /proc/sys ro - proc proc rw\n"
                                "18 11 0:51 /null /proc/kcore rw,nosuid - tmpfs tmpfs rw,mode=755\n";

static const char host_mountinfo[] = "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
                                     "2 1 0:30 / /run rw,nosuid - tmpfs tmpfs rw\n";

struct scene {
  struct policy policy;
  struct kernel_view v;
  struct posture_facts f;
  struct seccomp_program filter;
  unsigned without;
};

static inline void known(struct kernel_view *v, enum kernel_part part) {
  free(v->unread[part]);
  v->unread[part] = NULL;
}

static inline void set_mounts(struct kernel_mounts *m, const char *text) {
  struct error err = { 0 };
  kernel_mounts_free(m);
  cr_assert_eq(kernel_mounts_parse(text, m, &err), 0, "%s", err.message);
}

static const struct kernel_place null_device = { .mode = S_IFCHR | 0666, .rdev = 0x103, .mount = 18 };

static inline void add_place(struct posture_facts *f, const char *path, const struct kernel_place *at) {
  f->places = xrealloc(f->places, f->places_len + 1, sizeof *f->places);
  f->places[f->places_len++] = (struct posture_place){ .path = xstrdup(path), .at = *at };
}

static inline struct kernel_place *place(struct scene *s, const char *path) {
  for (size_t i = 0; i < s->f.places_len; i++)
    if (strcmp(s->f.places[i].path, path) == 0)
      return &s->f.places[i].at;
  cr_assert_fail("%s", path);
  return NULL;
}

static inline void add_node(struct posture_facts *f, const char *path, bool block, unsigned major,
                            unsigned minor) {
  f->nodes = xrealloc(f->nodes, f->nodes_len + 1, sizeof *f->nodes);
  f->nodes[f->nodes_len++] = (struct posture_node){ xstrdup(path), block, major, minor };
}

static inline void allow_device(struct posture_facts *f, const char *text) {
  struct device_rule rule;
  cr_assert(device_rule_parse(text, &rule));
  f->allowed.items = xrealloc(f->allowed.items, f->allowed.len + 1, sizeof *f->allowed.items);
  f->allowed.items[f->allowed.len++] = rule;
  f->allowed_known = true;
}

static inline void add_filter(struct kernel_view *v, const struct sock_filter *program, size_t len) {
  v->filters.items = xrealloc(v->filters.items, v->filters.len + 1, sizeof *v->filters.items);
  struct kernel_filter *f = &v->filters.items[v->filters.len++];
  f->program = xcalloc(len, sizeof *program);
  memcpy(f->program, program, len * sizeof *program);
  f->len = len;
}

static inline void make_view(struct scene *s) {
  struct kernel_view *v = &s->v;
  kernel_view_init(v);
  for (enum kernel_part part = 0; part < KERNEL_PARTS; part++)
    known(v, part);
  for (unsigned i = 0; i < KERNEL_IDS; i++)
    v->status.uid[i] = v->status.gid[i] = 1000;
  v->status.no_new_privs = true;
  v->status.seccomp = 2;
  v->status.caps[KERNEL_CAPS_BOUNDING] = UINT64_C(1) << kernel_cap_number("CAP_NET_BIND_SERVICE");
  for (enum kernel_ns ns = 0; ns < KERNEL_NAMESPACES; ns++)
    v->namespaces[ns] = (struct kernel_namespace){ .dev = 4, .inode = 5000 + ns };
  v->uid_map = v->gid_map = (struct kernel_idmap){ .items = { { 0, 0, UINT32_MAX } }, .len = 1 };
  set_mounts(&v->mounts, mountinfo);
  v->cwd = xstrdup("/");
  v->cwd_place = (struct kernel_place){ .mount = 10 };
  v->exe = xstrdup("/bin/sleep");
  v->label = xstrdup("");
  v->group_limits = (struct kernel_cgroup_limits){
    .pids = 100, .memory = 1 << 20, .swap = -1, .quota = 100000, .period = 100000
  };
  v->fds.items = xcalloc(1, sizeof *v->fds.items);
  v->fds.items[v->fds.len++] =
      (struct kernel_fd){ .fd = 5, .target = xstrdup("/data"), .st.st_mode = S_IFDIR, .mount = 16 };
}

static inline void make_facts(struct scene *s) {
  struct posture_facts *f = &s->f;
  static const struct kernel_place absent = { .error = ENOENT };
  static const struct kernel_place readonly = { .mode = S_IFDIR, .readonly = true };
  for (size_t h = 0; h < POSTURE_HOSTS; h++)
    kernel_view_init(&f->hosts[h]);
  known(&f->hosts[0], KERNEL_NAMESPACE);
  known(&f->hosts[0], KERNEL_MOUNTS);
  set_mounts(&f->hosts[0].mounts, host_mountinfo);
  for (enum kernel_ns ns = 0; ns < KERNEL_NAMESPACES; ns++)
    f->hosts[0].namespaces[ns] = (struct kernel_namespace){ .dev = 4, .inode = 100 + ns };
  for (size_t i = 0; i < s->policy.paths.masked.len; i++)
    add_place(f, s->policy.paths.masked.items[i], i % 2 ? &null_device : &absent);
  for (size_t i = 0; i < s->policy.paths.readonly.len; i++)
    add_place(f, s->policy.paths.readonly.items[i], &readonly);
  add_node(f, "/dev/null", false, 1, 3);
  allow_device(f, "c *:* m");
  allow_device(f, "c 1:3 rwm");
  allow_device(f, "c 10:200 rwm");
}

static inline void make(struct scene *s) {
  struct error err = { 0 };
  *s = (struct scene){ 0 };
  cr_assert_eq(policy_load(NULL, "restricted", &s->policy, &err), 0, "%s", err.message);
  cr_assert_eq(posture_filter(&s->policy, &s->filter, &err), 0, "%s", err.message);
  make_view(s);
  make_facts(s);
  add_filter(&s->v, s->filter.filter, s->filter.len);
}

static inline void clear(struct scene *s) {
  policy_free(&s->policy);
  kernel_view_free(&s->v);
  posture_facts_free(&s->f);
  seccomp_program_free(&s->filter);
}

static inline void compare(const struct scene *s, struct posture_rows *rows) {
  posture_compare(&s->v, &s->f, &s->policy, &s->filter, s->without, rows);
}

/* Everything through but the compat ABIs: 32-bit by its arch, x32 by the bit in the number. */
static inline void widen_filter(struct scene *s) {
  const struct sock_filter native[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003e, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc00000b7, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  kernel_filters_free(&s->v.filters);
  add_filter(&s->v, native, ARRAY_SIZE(native));
}

#endif
