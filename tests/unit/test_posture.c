/* SPDX-License-Identifier: Apache-2.0 */
/* posture: a process that is all that `restricted` wants, and then one deviation at a time. */
#include "posture_scene.h"

#include <sys/sysmacros.h>

static void gain_capability(struct scene *s) {
  s->v.status.caps[KERNEL_CAPS_AMBIENT] |= UINT64_C(1) << kernel_cap_number("CAP_SYS_ADMIN");
}
static void gain_unknown_capability(struct scene *s) {
  s->v.status.caps[KERNEL_CAPS_EFFECTIVE] |= UINT64_C(1) << 63;
}
static void lose_no_new_privs(struct scene *s) {
  s->v.status.no_new_privs = false;
}
static void lose_filter(struct scene *s) {
  s->v.status.seccomp = 0;
  kernel_filters_free(&s->v.filters);
  s->v.unread[KERNEL_FILTERS] = xstrdup("Invalid argument");
}
static void become_root(struct scene *s) {
  s->v.status.uid[KERNEL_ID_SAVED] = 0;
}
static void become_root_elsewhere(struct scene *s) {
  s->policy.user.root = ROOT_NEVER;
  s->v.uid_map.items[0] = (struct kernel_mapping){ 0, 1000, 1 };
}
static void leave_range(struct scene *s) {
  s->policy.user.min_uid = 2000;
}
static void join_group_zero(struct scene *s) {
  s->v.status.groups = xcalloc(1, sizeof *s->v.status.groups);
  s->v.status.groups_len = 1;
}
static void share_namespace(struct scene *s) {
  s->v.namespaces[KERNEL_NS_NETWORK] = s->f.hosts[0].namespaces[KERNEL_NS_NETWORK];
}
static void share_with_process_1(struct scene *s) {
  known(&s->f.hosts[1], KERNEL_NAMESPACE);
  s->f.hosts[1].namespaces[KERNEL_NS_PID] = s->v.namespaces[KERNEL_NS_PID];
}
static void take_hosts_root(struct scene *s) {
  s->f.root_is_host = true;
}
static void replace_mounts(struct scene *s, const char *from, const char *to) {
  const char *at = strstr(mountinfo, from);
  cr_assert(at);
  CLEANUP_FREE char *text = xasprintf("%.*s%s%s", (int)(at - mountinfo), mountinfo, to, at + strlen(from));
  set_mounts(&s->v.mounts, text);
}
static void make_root_writable(struct scene *s) {
  replace_mounts(s, "/ ro,relatime - ext4 /dev/sda ro", "/ rw,relatime - ext4 /dev/sda rw");
}
static void share_root(struct scene *s) {
  replace_mounts(s, "/ ro,relatime -", "/ ro,relatime shared:7 -");
}
static void mount_etc(struct scene *s) {
  replace_mounts(s, "/srv/data /data", "/etc /data");
}
static void mount_engine_socket(struct scene *s) {
  replace_mounts(s, "8:1 /srv/data /data rw", "0:30 /docker.sock /data ro");
}
static void lose_nosuid(struct scene *s) {
  replace_mounts(s, "/data rw,nosuid,nodev", "/data rw,nodev");
}
static void make_sysfs_writable(struct scene *s) {
  replace_mounts(s, "/sys ro,nosuid,nodev,noexec - sysfs sysfs ro",
                 "/sys rw,nosuid,nodev,noexec - sysfs sysfs rw");
}
static void mount_block_device(struct scene *s) {
  replace_mounts(s, "8:1 /srv/data /data", "8:7 / /data");
}
static void lose_mask(struct scene *s) {
  *place(s, "/proc/timer_list") = (struct kernel_place){ .mode = S_IFREG | 0444 };
}
static void empty_but_writable(struct scene *s) {
  *place(s, "/sys/firmware") = (struct kernel_place){ .mode = S_IFDIR, .type = TMPFS_MAGIC, .empty = true };
}
static void forbid_looking(struct scene *s) {
  *place(s, "/proc/kallsyms") = (struct kernel_place){ .error = EACCES };
}
static void make_sys_writable(struct scene *s) {
  place(s, "/proc/sys")->readonly = false;
}
static void gain_node(struct scene *s) {
  add_node(&s->f, "/dev/sda", true, 8, 0);
}
static void pile_up_files(struct scene *s) {
  s->f.nodes_cut = true;
}
static void gain_device(struct scene *s) {
  allow_device(&s->f, "b 8:0 r");
}
static void lift_pids(struct scene *s) {
  s->v.group_limits.pids = KERNEL_UNLIMITED;
}
static void raise_memory(struct scene *s) {
  s->v.group_limits.memory = s->policy.resources.memory_max + 1;
}
static void raise_cpu(struct scene *s) {
  s->policy.resources.cpu_max = 999;
}
static void lift_rlimit(struct scene *s) {
  for (unsigned i = 0; i < KERNEL_LIMITS; i++)
    if (strcmp(kernel_limit_names[i], "RLIMIT_NOFILE") == 0)
      s->v.rlimits[i].hard = UINT64_MAX;
}
static void lower_oom_score(struct scene *s) {
  s->v.oom_score_adj = -999;
}
static void leak_directory(struct scene *s) {
  s->v.fds.items[0].mount = 999;
}
static void leave_root(struct scene *s) {
  s->v.cwd_place.mount = 999;
}
static void hide_filters(struct scene *s) {
  s->v.unread[KERNEL_FILTERS] = xstrdup("EPERM");
}
static void hide_status(struct scene *s) {
  s->v.unread[KERNEL_STATUS] = xstrdup("EPERM");
}
static void serve_files(struct scene *s) {
  s->f.places_unread = xstrdup("fuse");
}
static void relabel(struct scene *s, const char *label) {
  s->f.selinux = SELINUX_ENFORCING;
  free(s->v.label);
  s->v.label = xstrdup(label);
}
static void lose_label(struct scene *s) {
  relabel(s, "kernel");
}
static void be_unconfined(struct scene *s) {
  relabel(s, "system_u:system_r:spc_t:s0:c1,c2");
}
static void have_all_categories(struct scene *s) {
  relabel(s, "system_u:system_r:container_t:s0-s0:c0.c1023");
}
static void be_permissive(struct scene *s) {
  relabel(s, "system_u:system_r:container_t:s0:c1,c2");
  s->f.selinux = SELINUX_PERMISSIVE;
  s->policy.selinux.mode = LSM_REQUIRE;
}
static void profile(struct scene *s, const char *label) {
  s->f.apparmor = APPARMOR_ON;
  free(s->v.label);
  s->v.label = xstrdup(label);
}
static void lose_profile(struct scene *s) {
  profile(s, "unconfined");
}
static void complain(struct scene *s) {
  profile(s, "oci-harden-restricted-00000000 (complain)");
}
static void have_other_profile(struct scene *s) {
  profile(s, "docker-default (enforce)");
}
static void lose_apparmor(struct scene *s) {
  s->f.apparmor = APPARMOR_DISABLED;
  s->policy.apparmor.mode = LSM_REQUIRE;
}

static const struct {
  void (*change)(struct scene *s);
  const char *rule, *control, *said; /* what the value holds */
} deviations[] = {
  { gain_capability, "OH-INS-001", "capabilities", "CAP_SYS_ADMIN" },
  { gain_unknown_capability, "OH-INS-001", "capabilities", "CAP_63" },
  { lose_no_new_privs, "OH-INS-002", "no-new-privileges", "off" },
  { lose_filter, "OH-INS-003", "seccomp", "none" },
  { become_root, "OH-INS-007", "user", "root" },
  { become_root_elsewhere, "OH-INS-007", "user", "root" },
  { leave_range, "OH-INS-008", "user", "1000" },
  { join_group_zero, "OH-INS-009", "user", "group 0" },
  { share_namespace, "OH-INS-010", "namespaces", "network" },
  { share_with_process_1, "OH-INS-010", "namespaces", "pid" },
  { take_hosts_root, "OH-INS-011", "rootfs", "host" },
  { make_root_writable, "OH-INS-012", "rootfs", "writable" },
  { share_root, "OH-INS-013", "rootfs", "shared" },
  { mount_etc, "OH-INS-014", "mounts", "/etc of the host" },
  { mount_engine_socket, "OH-INS-014", "mounts", "/run/docker.sock of the host" },
  { lose_nosuid, "OH-INS-015", "mounts", "nosuid" },
  { make_sysfs_writable, "OH-INS-015", "mounts", "ro" },
  { mount_block_device, "OH-INS-016", "mounts", "ext4" },
  { lose_mask, "OH-INS-017", "paths", "/proc/timer_list" },
  { empty_but_writable, "OH-INS-017", "paths", "/sys/firmware" },
  { forbid_looking, "OH-INS-017", "paths", "/proc/kallsyms" },
  { make_sys_writable, "OH-INS-018", "paths", "/proc/sys" },
  { gain_node, "OH-INS-019", "devices", "/dev/sda (b 8:0)" },
  { pile_up_files, "OH-INS-026", "devices", "more below /dev" },
  { gain_device, "OH-INS-020", "devices", "b 8:0" },
  { lift_pids, "OH-INS-021", "resources", "no limit" },
  { raise_memory, "OH-INS-021", "resources", "8192 MiB" },
  { raise_cpu, "OH-INS-021", "resources", "0.999 CPUs" },
  { lift_rlimit, "OH-INS-022", "resources", "unlimited" },
  { lower_oom_score, "OH-INS-023", "process", "-999" },
  { leak_directory, "OH-INS-024", "process", "fd 5" },
  { leave_root, "OH-INS-025", "process", "outside" },
  { hide_filters, "OH-INS-026", "seccomp", "EPERM" },
  { hide_status, "OH-INS-026", "capabilities", "EPERM" },
  { serve_files, "OH-INS-026", "paths", "fuse" },
  { lose_label, "OH-INS-027", "selinux", "no context" },
  { be_unconfined, "OH-INS-027", "selinux", "spc_t" },
  { have_all_categories, "OH-INS-027", "selinux", "s0-s0:c0.c1023" },
  { be_permissive, "OH-INS-027", "selinux", "permissive" },
  { lose_profile, "OH-INS-028", "apparmor", "unconfined" },
  { complain, "OH-INS-028", "apparmor", "(complain)" },
  { have_other_profile, "OH-INS-028", "apparmor", "docker-default" },
  { lose_apparmor, "OH-INS-028", "apparmor", "switched on" },
};

Test(posture, nothing_deviates) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  compare(&s, &rows);
  cr_assert_eq(rows.len, 0, "%s: %s: %s", rows.items[0].rule, rows.items[0].what, rows.items[0].value);
  clear(&s);
}

Test(posture, each_deviation_is_one_row) {
  for (size_t i = 0; i < ARRAY_SIZE(deviations); i++) {
    struct scene s;
    CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
    make(&s);
    deviations[i].change(&s);
    compare(&s, &rows);
    cr_assert_eq(rows.len, 1, "deviation %zu (%s): %zu rows", i, deviations[i].rule, rows.len);
    cr_expect_str_eq(rows.items[0].rule, deviations[i].rule);
    cr_expect_str_eq(rows.items[0].control, deviations[i].control, "deviation %zu", i);
    cr_expect(strstr(rows.items[0].value, deviations[i].said), "deviation %zu: %s", i, rows.items[0].value);
    cr_expect(rows.items[0].remedy && *rows.items[0].remedy);
    clear(&s);
  }
}

/* Each rule but those of filters, which have tests of their own, is in the table above. */
Test(posture, every_rule_is_tried) {
  for (const struct posture_rule *r = posture_rules; r->id; r++) {
    bool tried = false;
    for (size_t i = 0; i < ARRAY_SIZE(deviations); i++)
      tried |= strcmp(deviations[i].rule, r->id) == 0;
    const bool of_filters = strcmp(r->id, "OH-INS-004") >= 0 && strcmp(r->id, "OH-INS-006") <= 0;
    cr_expect(tried != of_filters, "%s", r->id);
    cr_expect(*r->summary);
  }
}

Test(posture, a_section_that_is_off_is_not_compared) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  for (size_t i = 0; i < ARRAY_SIZE(deviations); i++)
    if (deviations[i].change != hide_filters && deviations[i].change != hide_status)
      deviations[i].change(&s);
  s.policy.capabilities.action = s.policy.no_new_privileges.action = s.policy.seccomp.action =
      s.policy.user.action = s.policy.namespaces.action = s.policy.rootfs.action = s.policy.mounts.action =
          s.policy.paths.action = s.policy.devices.action = s.policy.resources.action =
              s.policy.process.action = s.policy.selinux.action = s.policy.apparmor.action = ACTION_OFF;
  compare(&s, &rows);
  cr_assert_eq(rows.len, 0, "%s", rows.items[0].value);
  clear(&s);
}

Test(posture, a_policy_in_audit_mode_is_compared) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  s.policy.mode = POLICY_AUDIT;
  lose_no_new_privs(&s);
  compare(&s, &rows);
  cr_assert_eq(rows.len, 1);
  clear(&s);
}

Test(posture, what_nobody_wanted_to_know_is_no_deviation) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  CLEANUP_POSTURE_ROWS struct posture_rows told = { 0 };
  make(&s);
  hide_filters(&s);
  s.without = KERNEL_PART(KERNEL_FILTERS);
  compare(&s, &rows);
  cr_assert_eq(rows.len, 0);
  posture_tell(&s.v, &s.f, s.without, &told);
  bool said = false;
  for (size_t i = 0; i < told.len; i++)
    said |= strcmp(told.items[i].value, "not looked at") == 0;
  cr_expect(said);
  clear(&s);
}

/* A runtime's init holds directories until its execve; a started container has no such excuse. */
Test(posture, directories_that_close_with_the_start_are_the_runtimes) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  leak_directory(&s);
  s.v.fds.items[0].cloexec = true;
  s.f.created = true;
  compare(&s, &rows);
  cr_expect_eq(rows.len, 0);
  s.f.created = false;
  compare(&s, &rows);
  cr_expect_eq(rows.len, 1);
  s.v.fds.items[0].st.st_mode = S_IFREG;
  CLEANUP_POSTURE_ROWS struct posture_rows none = { 0 };
  compare(&s, &none);
  cr_expect_eq(none.len, 0);
  clear(&s);
}

/* The pause process of a pod runs as the engine's user, and needs no quota; all else holds for it too. */
Test(posture, a_sandbox_is_spared_what_the_wrapper_spares_it) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  become_root(&s);
  raise_cpu(&s);
  s.v.group_limits.quota = KERNEL_UNLIMITED;
  s.f.sandbox = true;
  compare(&s, &rows);
  cr_expect_eq(rows.len, 0);
  lose_no_new_privs(&s);
  lift_pids(&s);
  compare(&s, &rows);
  cr_expect_eq(rows.len, 2);
  clear(&s);
}

/* The mount that another covers cannot be reached. */
Test(posture, a_hidden_mount_is_not_judged) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  CLEANUP_FREE char *text = xasprintf(
      "%s%s", mountinfo,
      "19 10 8:1 /etc /mnt/sub rw - ext4 /dev/sda rw\n20 10 0:60 / /mnt rw,nosuid,nodev - tmpfs tmpfs rw\n");
  set_mounts(&s.v.mounts, text);
  compare(&s, &rows);
  cr_expect_eq(rows.len, 0);
  clear(&s);
}

/* A container can pile up mounts; up to the limit each is judged, and none of it takes long. */
Test(posture, a_pile_of_mounts) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  CLEANUP_POSTURE_ROWS struct posture_rows too_many = { 0 };
  CLEANUP_STR struct str text = { 0 };
  make(&s);
  str_add(&text, mountinfo);
  for (unsigned i = 0; i < POSTURE_MOUNTS_MAX - 9; i++)
    str_addf(&text, "%u %u 0:70 / /mnt rw - tmpfs tmpfs rw\n", 100 + i, i ? 99 + i : 10);
  set_mounts(&s.v.mounts, text.data);
  compare(&s, &rows);
  cr_assert_eq(rows.len, 1, "%zu", rows.len); /* the topmost */
  cr_expect_str_eq(rows.items[0].rule, "OH-INS-015");
  str_addf(&text, "9000 %u 0:70 / /mnt rw - tmpfs tmpfs rw\n", 100 + POSTURE_MOUNTS_MAX - 10);
  set_mounts(&s.v.mounts, text.data);
  compare(&s, &too_many);
  cr_assert_eq(too_many.len, 1);
  cr_expect_str_eq(too_many.items[0].rule, "OH-INS-026");
  clear(&s);
}

static const struct posture_row *find_fact(const struct posture_rows *rows, const char *what) {
  for (size_t i = 0; i < rows->len; i++)
    if (strcmp(rows->items[i].what, what) == 0)
      return &rows->items[i];
  cr_assert_fail("nothing is told of %s", what);
  return NULL;
}

Test(posture, tells_what_is_so) {
  struct scene s;
  CLEANUP_POSTURE_ROWS struct posture_rows rows = { 0 };
  make(&s);
  share_namespace(&s);
  s.v.uid_map.items[0] = (struct kernel_mapping){ 0, 1000, 65536 };
  posture_tell(&s.v, &s.f, 0, &rows);
  cr_expect_str_eq(find_fact(&rows, "bounding")->value,
                   "CAP_NET_BIND_SERVICE (in a user namespace of its own)");
  cr_expect_str_eq(find_fact(&rows, "inheritable, permitted, effective, ambient")->value, "none");
  cr_expect_str_eq(find_fact(&rows, "no_new_privs")->value, "on");
  cr_expect_str_eq(find_fact(&rows, "uid")->value, "0 (the host's 1000)");
  cr_expect_str_eq(find_fact(&rows, "gid")->value, "1000");
  cr_expect_str_eq(find_fact(&rows, "uid map")->value, "0-65535 are the host's 1000-66535");
  cr_expect_str_eq(find_fact(&rows, "gid map")->value, "the host's ids");
  cr_expect_str_eq(find_fact(&rows, "the host's")->value, "network");
  cr_expect_str_eq(find_fact(&rows, "/")->value, "ext4: read-only, exec, suid, dev");
  cr_expect_str_eq(find_fact(&rows, "/data")->value, "/srv/data of the host: writable, exec");
  cr_expect_str_eq(find_fact(&rows, "nodes")->value, "/dev/null (c 1:3)");
  cr_expect_str_eq(find_fact(&rows, "pids")->value, "100");
  cr_expect_str_eq(find_fact(&rows, "memory")->value, "1 MiB");
  cr_expect_str_eq(find_fact(&rows, "cpu")->value, "1.000 CPUs");
  cr_expect_str_eq(find_fact(&rows, "open files")->value, "1");
  cr_expect(strlist_has(&find_fact(&rows, "masked")->items, "/proc/kallsyms") ||
            strlist_has(&find_fact(&rows, "masked")->items, "/proc/kcore"));
  for (size_t i = 0; i < rows.len; i++)
    cr_expect(!rows.items[i].rule && !rows.items[i].remedy);
  clear(&s);
}
