/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that is what was promised, and each promise broken in turn: exactly its row must say so. The
 * rows come from the table, so that one without a way to break it fails here.
 */
#include "proof_fixture.h"

#include <errno.h>
#include <linux/seccomp.h>

static struct kernel_fd *last_fd(struct fixture *f) {
  return &f->view.kernel.fds.items[f->view.kernel.fds.len - 1];
}

/* As crun masks a directory since 1.25. */
static struct kernel_place *blank_mask(struct fixture *f) {
  struct kernel_place *mask = &f->view.masked.items[1].is;
  mask->type = EXT2_SUPER_MAGIC;
  mask->blank = true;
  return mask;
}

#define BREAK(name, ...)                                                                                     \
  static void name(struct fixture *f) {                                                                      \
    struct kernel_view *k = &f->view.kernel;                                                                 \
    (void)k;                                                                                                 \
    __VA_ARGS__;                                                                                             \
  }
BREAK(cap_effective, k->status.caps[KERNEL_CAPS_EFFECTIVE] |= UINT64_C(1) << 21)
BREAK(cap_bounding, k->status.caps[KERNEL_CAPS_BOUNDING] |= UINT64_C(1) << 50)
BREAK(cap_ambient, k->status.caps[KERNEL_CAPS_AMBIENT] = 1 << 10)
BREAK(cap_inheritable, k->status.caps[KERNEL_CAPS_INHERITABLE] = 1 << 10)
BREAK(nnp_off, k->status.no_new_privs = false)
BREAK(no_filter, drop_filter(f, 1))
BREAK(filter_allows_more, other_filter(f, "syscalls",
                                       "[{'names':['read','write','exit_group','ptrace','personality'],"
                                       "'action':'SCMP_ACT_ALLOW'}]"))
BREAK(filter_ignores_arguments, other_filter(f, "syscalls",
                                             "[{'names':['read','write','exit_group','personality'],"
                                             "'action':'SCMP_ACT_ALLOW'}]"))
#ifdef __x86_64__
BREAK(filter_has_i386, other_filter(f, "architectures", "['SCMP_ARCH_X86_64','SCMP_ARCH_X86']"))
#endif
BREAK(no_floor, drop_filter(f, 0))
BREAK(other_uid, k->status.uid[KERNEL_ID_SAVED] = MAPPED)
BREAK(host_uid, k->status.uid[KERNEL_ID_EFFECTIVE] = 1000)
BREAK(other_gid, k->status.gid[KERNEL_ID_FS] = MAPPED)
BREAK(other_group, k->status.groups[1] = MAPPED)
BREAK(host_group, k->status.groups[0] = 10)
BREAK(host_pid, k->namespaces[KERNEL_NS_PID] = f->view.host[KERNEL_NS_PID])
BREAK(other_network, k->namespaces[KERNEL_NS_NETWORK].inode++)
BREAK(vanished_network, f->view.joined[3].inode = 0)
BREAK(map_moved, k->uid_map.items[0].outside = MAPPED + 1;
      for (size_t i = 0; i < KERNEL_IDS; i++) k->status.uid[i]++)
BREAK(map_grown, k->gid_map.items[0].count++)
BREAK(map_empty, set_config(f, "/process/user", "uid", "0"); k->uid_map.len = 2;
      k->uid_map.items[1] = (struct kernel_mapping){ 70000, 0, 1 };
      for (size_t i = 0; i < KERNEL_IDS; i++) k->status.uid[i] = MAPPED)
BREAK(other_root, f->view.root.inode++)
BREAK(writable_root, f->view.root.readonly = false)
BREAK(shared_root, mount_at(f, "/")->shared = true)
BREAK(shared_data, mount_at(f, "/data/inner")->shared = true)
BREAK(no_mount, f->view.mounts.items[7].is.is_mount = false; k->mounts.items[9].id = NOTHING_THERE;
      k->mounts.items[9].place = "/")
BREAK(mount_absent, f->view.mounts.items[7].is = (struct kernel_place){ .error = ENOENT };
      k->mounts.items[9].place = "/")
BREAK(mount_without_nosuid, mount_at(f, "/dev/shm")->flags &= ~(unsigned)MS_NOSUID)
BREAK(mount_without_ro, mount_at(f, "/data")->flags &= ~(unsigned)MS_RDONLY)
BREAK(inner_without_nodev, mount_at(f, "/data/inner")->flags &= ~(unsigned)MS_NODEV)
BREAK(cgroup_without_ro, mount_at(f, "/sys/fs/cgroup/cpu")->flags &= ~(unsigned)MS_RDONLY)
BREAK(mount_of_other_type, mount_at(f, "/tmp")->type = "ext4")
BREAK(other_mount, k->mounts.items[15].place = "/opt/host")
BREAK(mount_in_tmp, k->mounts.items[15].place = "/tmp/x")
BREAK(unmasked_file, f->view.masked.items[0].is.rdev = makedev(1, 5))
BREAK(unmasked_regular, f->view.masked.items[0].is.mode = S_IFREG)
BREAK(mask_with_entries, f->view.masked.items[1].is.empty = false)
BREAK(mask_writable, f->view.masked.items[1].is.readonly = false)
BREAK(mask_of_other_type, f->view.masked.items[1].is.type = EXT2_SUPER_MAGIC)
BREAK(blank_mask_with_entries, blank_mask(f)->empty = false)
BREAK(blank_mask_writable, blank_mask(f)->readonly = false)
BREAK(writable_path, f->view.readonly.items[0].is.readonly = false)
BREAK(more_pids, k->group_limits.pids = 101)
BREAK(no_pids, k->group_limits.pids = KERNEL_UNLIMITED)
BREAK(more_memory, k->group_limits.memory++)
BREAK(more_swap, k->group_limits.swap = KERNEL_UNLIMITED)
BREAK(more_cpu, k->group_limits.period = 50000)
BREAK(no_cpu, k->group_limits.quota = KERNEL_UNLIMITED)
BREAK(more_files, k->rlimits[RLIMIT_NOFILE].hard = UINT64_MAX)
BREAK(more_soft_files, k->rlimits[RLIMIT_NOFILE].soft = 20001)
BREAK(other_cwd, k->cwd_place.inode++)
BREAK(cwd_by_other_mount, k->cwd_place.mount = NOTHING_THERE)
BREAK(cwd_absent, f->view.cwd_promised = (struct kernel_place){ .error = ENOENT })
BREAK(lower_oom_score, k->oom_score_adj = 99)
BREAK(directory_open, add_fd(f, 7, "/etc", S_IFDIR, true))
BREAK(directory_by_other_mount, add_fd(f, 7, "/etc", S_IFDIR, true); last_fd(f)->mount = NOTHING_THERE)
BREAK(directory_stays, add_fd(f, 7, "/etc", S_IFDIR, false); last_fd(f)->mount = 100)
BREAK(directory_for_stdin, k->fds.items[0].st.st_mode = S_IFDIR)
BREAK(proc_stays, add_fd(f, 7, "/", S_IFDIR, false); last_fd(f)->own_proc = last_fd(f)->proc_root = true)
BREAK(host_proc_open, add_fd(f, 7, "/", S_IFDIR, true); last_fd(f)->o_path = last_fd(f)->proc_root = true)
BREAK(file_stays, add_fd(f, 7, "/etc/shadow", S_IFREG, false))
BREAK(other_profile, free(k->label); k->label = xstrdup("tighter (enforce)"))
BREAK(profile_complains, free(k->label); k->label = xstrdup("tight (complain)"))
BREAK(profile_of_a_mixed_stack, free(k->label); k->label = xstrdup("tight//&other (mixed)"))
BREAK(no_profile, free(k->label); k->label = xstrdup("unconfined"))
BREAK(other_label, free(k->label_on_exec); k->label_on_exec = xstrdup("u:r:tight_t:s0:c1,c3"))
BREAK(no_longer_enforcing, f->view.selinux = SELINUX_PERMISSIVE; f->policy.selinux.mode = LSM_REQUIRE)
BREAK(other_ids, give_map(f); f->promise.map.base += ID_BLOCK; f->view.root.uid += ID_BLOCK;
      f->view.root.gid += ID_BLOCK)
BREAK(other_owner, give_map(f); f->view.owners.of[KERNEL_NS_IPC] = f->view.host[KERNEL_NS_USER])
static char *entered_items[] = { (char *)"network:1" }; /* read only */
BREAK(other_entered, give_map(f); f->promise.map.entered = (struct strlist){ entered_items, 1 })
BREAK(root_as_on_disk, give_map(f); f->view.root.uid = f->view.root.gid = 0)
BREAK(root_group_as_on_disk, give_map(f); f->view.root.gid = 0)
BREAK(volume_as_on_disk, give_map(f);
      for (size_t i = 0; i < k->mounts.len; i++) k->mounts.items[i].idmapped = false)

BREAK(host_root_mapped, f->policy.user.root = ROOT_REQUIRE_USER_NAMESPACE; k->uid_map.len = 2;
      k->uid_map.items[1] = (struct kernel_mapping){ 70000, 0, 1 };
      json_array_append_new((json_t *)jsonx_at(f->promise.config, "/linux/uidMappings"),
                            json_pack("{sisisi}", "containerID", 70000, "hostID", 0, "size", 1)))

static const struct {
  const char *id, *name;
  void (*apply)(struct fixture *f);
} ways[] = {
#define WAY(id, name)                                                                                        \
  { "OH-PRF-" id, #name, name }
  WAY("010", cap_effective),
  WAY("010", cap_bounding),
  WAY("010", cap_ambient),
  WAY("010", cap_inheritable),
  WAY("011", nnp_off),
  WAY("012", no_filter),
  WAY("012", filter_allows_more),
  WAY("012", filter_ignores_arguments),
#ifdef __x86_64__
  WAY("012", filter_has_i386),
#endif
  WAY("013", no_floor),
  WAY("014", other_uid),
  WAY("014", host_uid),
  WAY("014", other_gid),
  WAY("015", other_group),
  WAY("015", host_group),
  WAY("016", host_pid),
  WAY("016", other_network),
  WAY("016", vanished_network),
  WAY("017", map_moved),
  WAY("017", map_grown),
  WAY("017", map_empty),
  WAY("018", other_root),
  WAY("019", writable_root),
  WAY("020", shared_root),
  WAY("020", shared_data),
  WAY("021", no_mount),
  WAY("021", mount_absent),
  WAY("021", mount_without_nosuid),
  WAY("021", mount_without_ro),
  WAY("021", inner_without_nodev),
  WAY("021", cgroup_without_ro),
  WAY("021", mount_of_other_type),
  WAY("022", other_mount),
  WAY("022", mount_in_tmp),
  WAY("023", unmasked_file),
  WAY("023", unmasked_regular),
  WAY("023", mask_with_entries),
  WAY("023", mask_writable),
  WAY("023", mask_of_other_type),
  WAY("023", blank_mask_with_entries),
  WAY("023", blank_mask_writable),
  WAY("024", writable_path),
  WAY("025", more_pids),
  WAY("025", no_pids),
  WAY("025", more_memory),
  WAY("025", more_swap),
  WAY("025", more_cpu),
  WAY("025", no_cpu),
  WAY("026", more_files),
  WAY("026", more_soft_files),
  WAY("027", other_cwd),
  WAY("027", cwd_by_other_mount),
  WAY("027", cwd_absent),
  WAY("028", lower_oom_score),
  WAY("029", directory_open),
  WAY("029", directory_by_other_mount),
  WAY("029", directory_stays),
  WAY("029", directory_for_stdin),
  WAY("029", proc_stays),
  WAY("029", host_proc_open),
  WAY("029", file_stays),
  WAY("030", other_profile),
  WAY("030", profile_complains),
  WAY("030", profile_of_a_mixed_stack),
  WAY("030", no_profile),
  WAY("031", other_label),
  WAY("031", no_longer_enforcing),
  WAY("032", other_ids),
  WAY("033", other_owner),
  WAY("033", other_entered),
  WAY("034", root_as_on_disk),
  WAY("034", root_group_as_on_disk),
  WAY("034", volume_as_on_disk),
  WAY("035", host_root_mapped),
};

Test(proof, what_was_promised_holds) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  proof_compare(&proof, &f.promise, &f.view);
  others_held(&proof, NULL, "whole");
  cr_assert_null(proof_veto(&proof, &f.view));
}

Test(proof, a_given_user_namespace_holds) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  CLEANUP_PROOF struct proof unmapped = { 0 };
  char data[] = "/data", *shown[] = { data };
  give_map(&f);
  proof_compare(&proof, &f.promise, &f.view);
  others_held(&proof, NULL, "given");
  /* What is shown as it is is promised so. */
  for (size_t i = 0; i < f.view.kernel.mounts.len; i++)
    f.view.kernel.mounts.items[i].idmapped = false;
  f.promise.map.unmapped = (struct strlist){ shown, 1 };
  proof_compare(&unmapped, &f.promise, &f.view);
  others_held(&unmapped, NULL, "unmapped");
}

Test(proof, each_broken_promise_is_named_and_no_other) {
  for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
    FIXTURE(f);
    CLEANUP_PROOF struct proof proof = { 0 };
    ways[i].apply(&f);
    proof_compare(&proof, &f.promise, &f.view);
    const struct proof_finding *broken = finding(&proof, ways[i].id);
    cr_expect_eq(broken->outcome, PROOF_BROKEN, "%s: %s", ways[i].name, ways[i].id);
    cr_expect(broken->text && strstr(broken->text, "promised"), "%s: %s", ways[i].name, broken->text);
    cr_expect_eq(proof_veto(&proof, &f.view), broken, "%s", ways[i].name);
    others_held(&proof, ways[i].id, ways[i].name);
  }
}

Test(proof, every_row_has_a_way_to_break_it) {
  for (const struct proof_row *row = proof_rows; row->id; row++) {
    bool found = false;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
      found = found || strcmp(ways[i].id, row->id) == 0;
    cr_expect(found, "%s", row->id);
  }
}

Test(proof, less_than_promised_holds) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  struct kernel_view *k = &f.view.kernel;
  k->status.caps[KERNEL_CAPS_EFFECTIVE] = 0;
  k->status.groups_len = 1;
  k->group_limits.pids = 1;
  k->group_limits.memory = 4096;
  k->group_limits.swap = -1; /* not accounted */
  k->oom_score_adj = 1000;
  k->rlimits[RLIMIT_NOFILE] = (struct kernel_limit){ 10, 10 };
  mount_at(&f, "/dev/shm")->flags |= MS_RDONLY;
  mount_at(&f, "/data")->flags &= ~(unsigned)MS_RDONLY;
  mount_at(&f, "/data")->readonly = true;                  /* by the file system */
  f.view.readonly.items[0].is = f.view.masked.items[0].is; /* masked instead of read-only */
  f.view.readonly.items[0].is.mount = 112;
  proof_compare(&proof, &f.promise, &f.view);
  others_held(&proof, NULL, "less");
}

/* As seen under runc 1.3.6. */
Test(proof, runcs_own_proc_and_directories_below_the_root_are_no_way_out) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  add_fd(&f, 4, "/1/task/1/fd", S_IFDIR, true);
  last_fd(&f)->own_proc = true;
  add_fd(&f, 13, "/", S_IFDIR, true);
  last_fd(&f)->own_proc = last_fd(&f)->proc_root = true;
  add_fd(&f, 17, "/var/log", S_IFDIR, true);
  last_fd(&f)->mount = 100;
  proof_compare(&proof, &f.promise, &f.view);
  others_held(&proof, NULL, "runc");
}

/* As seen under crun 1.28, and what is like it. */
Test(proof, what_crun_closes_before_the_program_is_looked_up) {
  static const struct kernel_fd fds[] = {
    { .o_path = true, .proc_root = true, .cloexec = true, .target = (char *)"/" },
    { .o_path = true, .cloexec = true, .target = (char *)"/run/crun/.empty-directory", .st.st_mode = 0555 },
    { .proc_root = true, .cloexec = true, .target = (char *)"/" },
    { .o_path = true, .proc_root = true, .target = (char *)"/" },
    { .o_path = true, .cloexec = true, .target = (char *)"/" },
    { .o_path = true, .cloexec = true, .target = (char *)"/run/crun/.empty-directory", .st.st_mode = 0755 },
    { .o_path = true,
      .cloexec = true,
      .target = (char *)"/run/crun/.empty-directory",
      .st = { .st_mode = 0555, .st_uid = 4242 } },
  };
  enum { HELD = 2 };
  for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
    FIXTURE(f);
    CLEANUP_PROOF struct proof proof = { 0 };
    f.promise.runtime = RUNTIME_CRUN;
    add_fd(&f, 8, fds[i].target, S_IFDIR | fds[i].st.st_mode, fds[i].cloexec);
    last_fd(&f)->st.st_uid = fds[i].st.st_uid;
    last_fd(&f)->o_path = fds[i].o_path;
    last_fd(&f)->proc_root = fds[i].proc_root;
    proof_compare(&proof, &f.promise, &f.view);
    cr_expect_eq(finding(&proof, "OH-PRF-029")->outcome, i < HELD ? PROOF_HELD : PROOF_BROKEN, "%zu", i);
  }
}

Test(proof, a_directory_masked_by_a_blank_one) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  blank_mask(&f);
  proof_compare(&proof, &f.promise, &f.view);
  others_held(&proof, NULL, "blank");
}

/* memory.swap.max counts swap alone, the promise memory and swap together. */
Test(proof, swap_that_a_file_of_cgroup_v2_promises) {
  static const struct {
    const char *file;
    int64_t is;
    bool held;
  } cases[] = {
    { "'0'", 1048576, true },          { "'0'", 1048577, false },           { "'4096'", 1052672, true },
    { "'4096'", 1052673, false },      { "'max'", KERNEL_UNLIMITED, true }, { "'0'", -1, true },
    { "'0'", KERNEL_UNLIMITED, false }
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    FIXTURE(f);
    CLEANUP_PROOF struct proof proof = { 0 };
    json_object_del(jsonx_at(f.config, "/linux/resources/memory"), "swap");
    json_object_set_new(jsonx_at(f.config, "/linux/resources"), "unified", json_object());
    set_config(&f, "/linux/resources/unified", "memory.swap.max", cases[i].file);
    f.view.kernel.group_limits.swap = cases[i].is;
    proof_compare(&proof, &f.promise, &f.view);
    cr_expect_eq(finding(&proof, "OH-PRF-025")->outcome, cases[i].held ? PROOF_HELD : PROOF_BROKEN,
                 "%s, %lld", cases[i].file, (long long)cases[i].is);
  }
}

Test(proof, a_container_in_our_own_user_namespace_has_its_ids_as_they_are) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  struct kernel_view *k = &f.view.kernel;
  k->namespaces[KERNEL_NS_USER] = f.view.host[KERNEL_NS_USER];
  json_array_remove(jsonx_at(f.config, "/linux/namespaces"), 0);
  f.view.joined[2] = f.view.joined[3];
  /* What the kernel then shows is the map to the namespace above. */
  k->uid_map.items[0] = k->gid_map.items[0] = (struct kernel_mapping){ 0, 5, 70000 };
  for (size_t i = 0; i < KERNEL_IDS; i++) {
    k->status.uid[i] = 1000;
    k->status.gid[i] = 1001;
  }
  k->status.groups[0] = 10;
  k->status.groups[1] = 60000;
  proof_compare(&proof, &f.promise, &f.view);
  others_held(&proof, NULL, "own user namespace");
}

Test(proof, what_cannot_be_read_is_said_and_stops_root) {
  for (size_t part = 0; part < KERNEL_PARTS; part++) {
    FIXTURE(f);
    CLEANUP_PROOF struct proof proof = { 0 };
    f.view.kernel.unread[part] = xstrdup("no way");
    f.view.kernel.unread_errno[part] = EPERM;
    proof_compare(&proof, &f.promise, &f.view);
    size_t unread = 0;
    for (size_t i = 0; i < proof.len; i++) {
      cr_expect_neq(proof.items[i].outcome, PROOF_BROKEN, "%s: %s", kernel_part_names[part],
                    proof.items[i].row->id);
      unread += proof.items[i].outcome == PROOF_UNREAD;
      cr_expect(proof.items[i].outcome == PROOF_HELD || strstr(proof.items[i].text, "no way"));
    }
    /* The program is the runtime's still, and of cgroups only the limits are promised. */
    cr_expect_eq(unread > 0, part != KERNEL_EXE && part != KERNEL_CGROUPS, "%s", kernel_part_names[part]);
    cr_expect_eq(proof_veto(&proof, &f.view) != NULL, unread > 0, "%s", kernel_part_names[part]);
    f.view.privileged = false;
    cr_expect_null(proof_veto(&proof, &f.view), "%s", kernel_part_names[part]);
  }
}

Test(proof, a_profile_shows_at_the_programs_first_instruction_only) {
  FIXTURE(f);
  no_profile(&f);
  f.promise.waiting = true;
  CLEANUP_PROOF struct proof waiting = { 0 };
  proof_compare(&waiting, &f.promise, &f.view);
  cr_expect_eq(finding(&waiting, "OH-PRF-030")->outcome, PROOF_HELD);
  cr_expect(proof_is_at_exec(&f.promise));
  f.promise.waiting = false;
  f.promise.executed = true;
  CLEANUP_PROOF struct proof executed = { 0 };
  proof_compare_at_exec(&executed, &f.promise, &f.view);
  cr_assert_eq(executed.len, 1);
  cr_expect_str_eq(proof_veto(&executed, &f.view)->row->id, "OH-PRF-030");
}

Test(proof, more_than_the_promised_profile_may_confine) {
  FIXTURE(f);
  free(f.view.kernel.label);
  f.view.kernel.label = xstrdup("runtimes//&tight (enforce)");
  CLEANUP_PROOF struct proof proof = { 0 };
  proof_compare(&proof, &f.promise, &f.view);
  cr_expect_eq(finding(&proof, "OH-PRF-030")->outcome, PROOF_HELD);
}

Test(proof, a_profile_of_a_section_that_asks_for_none_need_not_be_enforced) {
  FIXTURE(f);
  profile_complains(&f);
  f.policy.apparmor.mode = LSM_OFF;
  CLEANUP_PROOF struct proof proof = { 0 };
  proof_compare(&proof, &f.promise, &f.view);
  cr_expect_eq(finding(&proof, "OH-PRF-030")->outcome, PROOF_HELD);
  cr_expect_not(proof_is_at_exec(&f.promise));
}

Test(proof, sections_that_are_not_in_force_are_recorded_only) {
  FIXTURE(f);
  nnp_off(&f);
  f.policy.no_new_privileges.action = ACTION_AUDIT;
  CLEANUP_PROOF struct proof audited = { 0 };
  proof_compare(&audited, &f.promise, &f.view);
  cr_expect_eq(finding(&audited, "OH-PRF-011")->outcome, PROOF_BROKEN);
  cr_expect_null(proof_veto(&audited, &f.view));
  f.policy.no_new_privileges.action = ACTION_HARDEN;
  f.policy.mode = POLICY_AUDIT;
  f.view.kernel.status.no_new_privs = true;
  other_label(&f);
  CLEANUP_PROOF struct proof mode = { 0 };
  proof_compare(&mode, &f.promise, &f.view);
  cr_expect_eq(finding(&mode, "OH-PRF-031")->outcome, PROOF_BROKEN);
  cr_expect_null(proof_veto(&mode, &f.view));
}

Test(proof, later_mounts_hide_earlier_ones) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  /* As containerd 1.6 lists /dev/shm of a sandbox: the first has other flags and is not seen. */
  json_array_append_new(
      json_object_get(f.config, "mounts"),
      quoted_json("{'destination':'/dev/shm/','type':'bind','source':'/x','options':['rbind','ro']}"));
  add_place(&f.view.mounts, "/dev/shm/", (struct kernel_place){ .mount = 108, .is_mount = true });
  mount_at(&f, "/dev/shm")->flags = MS_RDONLY;
  proof_compare(&proof, &f.promise, &f.view);
  others_held(&proof, NULL, "hidden");
}

Test(proof, hooks_may_mount_what_no_config_names) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  other_mount(&f);
  json_object_set_new(f.config, "hooks", quoted_json("{'prestart':[{'path':'/usr/bin/nvidia'}]}"));
  proof_compare(&proof, &f.promise, &f.view);
  others_held(&proof, NULL, "hooks");
}

Test(proof, files_that_the_engine_hands_over_are_expected) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  f.promise.preserved_fds = 1;
  add_fd(&f, 3, "/srv", S_IFDIR, false);
  proof_compare(&proof, &f.promise, &f.view);
  others_held(&proof, NULL, "handed");
}

Test(proof, a_config_that_promises_nothing_of_them_breaks_nothing) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof proof = { 0 };
  json_decref(f.config);
  f.config = quoted_json("{'ociVersion':'1.0.2','process':{}}");
  f.promise.config = f.config;
  f.promise.policies_len = 0;
  proof_compare(&proof, &f.promise, &f.view);
  /* Capabilities, user and groups of nothing are none. */
  for (size_t i = 0; i < proof.len; i++) {
    const char *id = proof.items[i].row->id;
    const bool of_nothing =
        strcmp(id, "OH-PRF-010") == 0 || strcmp(id, "OH-PRF-014") == 0 || strcmp(id, "OH-PRF-015") == 0;
    const bool by_look = strcmp(id, "OH-PRF-023") == 0 || strcmp(id, "OH-PRF-024") == 0;
    cr_expect(by_look || (proof.items[i].outcome == PROOF_BROKEN) == of_nothing, "%s: %s", id,
              proof.items[i].text);
    cr_expect_not(proof.items[i].in_force);
  }
}
