/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that is what was promised, and each promise broken in turn: exactly its row must say so. The
 * rows come from the table, so that one without a way to break it fails here.
 */
#include "harden/proof.h"

#include "seccomp/compile.h"
#include "seccomp/floor.h"
#include "tempdir.h"
#include "testfile.h"

#include <errno.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>

enum { MAPPED = 100000, NOTHING_THERE = 99 };

struct fixture {
  json_t *config;
  struct policy policy;
  const struct policy *policies[1];
  struct proof_promise promise;
  struct proof_view view;
};

static const char config_text[] =
    "{'ociVersion':'1.0.2','root':{'path':'rootfs','readonly':true},'process':{'cwd':'/"
    "work','user':{'uid':1000,"
    "'gid':1001,'additionalGids':[10,60000]},'noNewPrivileges':true,'oomScoreAdj':100,'apparmorProfile':'"
    "tight',"
    "'selinuxLabel':'u:r:tight_t:s0:c1,c2','rlimits':[{'type':'RLIMIT_NOFILE','soft':20000,'hard':20000}],'"
    "capabilities':{"
    "'bounding':['CAP_NET_BIND_SERVICE'],'permitted':['CAP_NET_BIND_SERVICE'],'effective':['CAP_NET_BIND_"
    "SERVICE']}},"
    "'mounts':[{'destination':'/proc','type':'proc','source':'proc','options':['nosuid','noexec','nodev']},"
    "{'destination':'/dev','type':'tmpfs','source':'tmpfs','options':['nosuid','noexec']},"
    "{'destination':'/dev/pts','type':'devpts','source':'devpts','options':['nosuid','noexec','nosuid']},"
    "{'destination':'/sys','type':'sysfs','source':'sysfs','options':['nosuid','noexec','nodev','ro']},"
    "{'destination':'/sys/fs/"
    "cgroup','type':'cgroup','source':'cgroup','options':['nosuid','noexec','nodev','ro']},"
    "{'destination':'/dev/mqueue','type':'mqueue','source':'mqueue','options':['nosuid','noexec','nodev']},"
    "{'destination':'/dev/shm','type':'tmpfs','source':'shm','options':['nosuid','noexec','nodev']},"
    "{'destination':'/tmp','type':'tmpfs','source':'tmpfs','options':['nosuid','noexec','nodev']},"
    "{'destination':'/data','type':'bind','source':'/srv','options':['rbind','ro','rnosuid','rnodev']}],"
    "'linux':{'namespaces':[{'type':'user'},{'type':'mount'},{'type':'pid'},{'type':'network','path':'/run/"
    "n'},"
    "{'type':'ipc'},{'type':'uts'},{'type':'cgroup'}],"
    "'uidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
    "'gidMappings':[{'containerID':0,'hostID':100000,'size':65536}],"
    "'resources':{'pids':{'limit':100},'memory':{'limit':1048576,'swap':1048576},'cpu':{'quota':50000,'"
    "period':100000}},"
    "'maskedPaths':['/proc/keys','/sys/firmware','/proc/absent'],'readonlyPaths':['/proc/sys','/proc/"
    "nothing'],"
    "'seccomp':{'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,'architectures':[],'flags':[],'"
    "syscalls':[{'names':"
    "['read','write','exit_group'],'action':'SCMP_ACT_ALLOW'},{'names':['personality'],'action':'SCMP_ACT_"
    "ALLOW',"
    "'args':[{'index':0,'value':8,'op':'SCMP_CMP_EQ'}]}]}}}";

static const char mounts_text[] =
    "100 90 8:1 /rootfs / ro,relatime - ext4 /dev/vda rw\n"
    "101 100 0:42 / /proc rw,nosuid,nodev,noexec - proc proc rw\n"
    "102 100 0:43 / /dev rw,nosuid,noexec - tmpfs tmpfs rw,size=65536k\n"
    "103 102 0:44 / /dev/pts rw,nosuid,noexec - devpts devpts rw\n"
    "104 100 0:45 / /sys ro,nosuid,nodev,noexec - sysfs sysfs ro\n"
    "105 104 0:46 / /sys/fs/cgroup rw,nosuid,nodev,noexec - tmpfs tmpfs rw\n"
    "106 105 0:29 /a /sys/fs/cgroup/cpu ro,nosuid,nodev,noexec - cgroup cgroup rw,cpu\n"
    "107 102 0:41 / /dev/mqueue rw,nosuid,nodev,noexec - mqueue mqueue rw\n"
    "108 102 0:47 / /dev/shm rw,nosuid,nodev,noexec - tmpfs shm rw\n"
    "109 100 0:48 / /tmp rw,nosuid,nodev,noexec - tmpfs tmpfs rw\n"
    "110 100 8:1 /srv /data ro,nosuid,nodev - ext4 /dev/vda rw\n"
    "111 110 8:2 / /data/inner rw,nosuid,nodev - ext4 /dev/vdb rw\n"
    "112 101 0:42 /sys /proc/sys ro - proc proc rw\n"
    "113 101 0:43 /null /proc/keys rw - tmpfs tmpfs rw\n"
    "114 104 0:49 / /sys/firmware ro - tmpfs tmpfs ro\n"
    "115 102 0:44 /0 /dev/console rw,nosuid,noexec - devpts devpts rw\n";

static json_t *quoted_json(const char *text) {
  CLEANUP_FREE char *copy = xstrdup(text);
  json_t *value = NULL;
  struct error err = { 0 };
  for (char *p = copy; *p; p++)
    *p = (char)(*p == '\'' ? '"' : *p);
  const struct jsonx_source src = { "config.json", copy, strlen(copy) };
  cr_assert_eq(jsonx_parse(&src, src.len, &value, &err), 0, "%s", err.message);
  return value;
}

static void add_filter(struct fixture *f, struct sock_filter *program, size_t len) {
  struct kernel_filters *filters = &f->view.kernel.filters;
  filters->items = xrealloc(filters->items, filters->len + 1, sizeof *filters->items);
  filters->items[filters->len++] = (struct kernel_filter){ program, len };
}

/* As runc loads it. */
static void compile(const char *pointer, struct fixture *f, bool stub, struct kernel_filter *ret) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error err = { 0 };
  cr_assert_eq(seccomp_profile_decode(jsonx_at(f->config, pointer), NULL, pointer, 0, &profile, &err), 0,
               "%s", err.message);
  struct seccomp_compilation job = { .profile = &profile, .abis = &profile };
  struct seccomp_program stubbed = { 0 };
  cr_assert_eq(seccomp_compile(&job, 1, 5000, &err), 0, "%s", err.message);
  seccomp_program_add_stub(&job.program, &profile, &stubbed);
  *ret = stub ? (struct kernel_filter){ stubbed.filter, stubbed.len }
              : (struct kernel_filter){ job.program.filter, job.program.len };
  seccomp_program_free(stub ? &job.program : &stubbed);
}

static void add_place(struct proof_places *places, const char *path, struct kernel_place is) {
  places->items = xrealloc(places->items, places->len + 1, sizeof *places->items);
  places->items[places->len++] = (struct proof_place){ xstrdup(path), is };
}

static void add_fd(struct fixture *f, int fd, const char *target, mode_t mode, bool cloexec) {
  struct kernel_fds *fds = &f->view.kernel.fds;
  fds->items = xrealloc(fds->items, fds->len + 1, sizeof *fds->items);
  fds->items[fds->len++] = (struct kernel_fd){
    .fd = fd, .target = xstrdup(target), .st = { .st_mode = mode }, .cloexec = cloexec
  };
}

static void fill_mounts(struct fixture *f) {
  static const uint64_t ids[] = { 101, 102, 103, 104, 105, 107, 108, 109, 110 };
  struct error err = { 0 };
  cr_assert_eq(kernel_mounts_parse(mounts_text, &f->view.kernel.mounts, &err), 0, "%s", err.message);
  const json_t *list = json_object_get(f->config, "mounts");
  for (size_t i = 0; i < json_array_size(list); i++)
    add_place(&f->view.mounts, json_string_value(json_object_get(json_array_get(list, i), "destination")),
              (struct kernel_place){ .mount = ids[i], .is_mount = true, .mode = S_IFDIR });
  const struct kernel_place absent = { .error = ENOENT };
  add_place(&f->view.masked, "/proc/keys",
            (struct kernel_place){ .mount = 113, .is_mount = true, .mode = S_IFCHR, .rdev = makedev(1, 3) });
  add_place(&f->view.masked, "/sys/firmware",
            (struct kernel_place){ .mount = 114,
                                   .is_mount = true,
                                   .mode = S_IFDIR,
                                   .type = TMPFS_MAGIC,
                                   .readonly = true,
                                   .empty = true });
  add_place(&f->view.masked, "/proc/absent", absent);
  add_place(&f->view.readonly, "/proc/sys",
            (struct kernel_place){ .mount = 112, .is_mount = true, .mode = S_IFDIR, .readonly = true });
  add_place(&f->view.readonly, "/proc/nothing", absent);
  f->view.root = f->view.rootfs =
      (struct kernel_place){ .dev = 8, .inode = 2, .mode = S_IFDIR, .readonly = true };
  f->view.cwd_promised = f->view.kernel.cwd_place =
      (struct kernel_place){ .dev = 8, .inode = 7, .mount = 100, .mode = S_IFDIR };
}

static void fill_process(struct fixture *f) {
  struct kernel_view *k = &f->view.kernel;
  const struct kernel_mapping map = { 0, MAPPED, 65536 };
  f->view.selinux = SELINUX_ENFORCING;
  for (size_t i = 0; i < KERNEL_IDS; i++) {
    k->status.uid[i] = MAPPED + 1000;
    k->status.gid[i] = MAPPED + 1001;
  }
  k->status.groups = xcalloc(2, sizeof *k->status.groups);
  k->status.groups[0] = MAPPED + 10;
  k->status.groups[1] = MAPPED + 60000;
  k->status.groups_len = 2;
  k->status.caps[KERNEL_CAPS_BOUNDING] = k->status.caps[KERNEL_CAPS_PERMITTED] =
      k->status.caps[KERNEL_CAPS_EFFECTIVE] = 1 << 10;
  k->status.no_new_privs = true;
  k->status.seccomp = 2;
  k->status.seccomp_filters = 2;
  k->uid_map = k->gid_map = (struct kernel_idmap){ { map }, 1 };
  k->cwd = xstrdup("/work");
  k->exe = xstrdup("/runc");
  k->label = xstrdup("tight (enforce)");
  k->label_on_exec = xstrdup("u:r:tight_t:s0:c1,c2");
  k->oom_score_adj = 100;
  for (size_t i = 0; i < KERNEL_LIMITS; i++)
    k->rlimits[i] = (struct kernel_limit){ UINT64_MAX, UINT64_MAX };
  k->rlimits[RLIMIT_NOFILE] = (struct kernel_limit){ 20000, 20000 };
  k->group_limits = (struct kernel_cgroup_limits){
    .pids = 100, .memory = 1048576, .swap = 1048576, .quota = 50000, .period = 100000
  };
  add_fd(f, 0, "/dev/null", S_IFCHR, false);
  add_fd(f, 1, "pipe:[1]", S_IFIFO, false);
  add_fd(f, 2, "pipe:[1]", S_IFIFO, false);
  add_fd(f, 5, "/run/runc/c/exec.fifo", S_IFIFO, true);
}

static void fill_namespaces(struct fixture *f) {
  f->view.joined = xcalloc(8, sizeof *f->view.joined);
  for (size_t i = 0; i < KERNEL_NAMESPACES; i++) {
    f->view.host[i] = (struct kernel_namespace){ 4, 1000 + i };
    f->view.kernel.namespaces[i] = (struct kernel_namespace){ 4, 2000 + i };
  }
  f->view.kernel.namespaces[KERNEL_NS_TIME] = f->view.host[KERNEL_NS_TIME];
  f->view.joined[3] = f->view.kernel.namespaces[KERNEL_NS_NETWORK];
}

static void fixture_init(struct fixture *f) {
  struct error err = { 0 };
  struct sock_filter *floor;
  size_t floor_len;
  struct kernel_filter own;
  *f = (struct fixture){ .config = quoted_json(config_text) };
  kernel_view_init(&f->view.kernel);
  for (size_t i = 0; i < KERNEL_PARTS; i++) {
    free(f->view.kernel.unread[i]);
    f->view.kernel.unread[i] = NULL;
  }
  cr_assert_eq(policy_load(NULL, "restricted", &f->policy, &err), 0, "%s", err.message);
  f->policies[0] = &f->policy;
  f->view.privileged = f->view.sets_floors = true;
  cr_assert_eq(seccomp_floor_build(&f->policy.seccomp.floor, &floor, &floor_len, &err), 0);
  add_filter(f, floor, floor_len);
  compile("/linux/seccomp", f, true, &own);
  add_filter(f, own.program, own.len);
  fill_mounts(f);
  fill_process(f);
  fill_namespaces(f);
  f->promise = (struct proof_promise){
    .config = f->config, .bundle = "/b", .runtime = RUNTIME_RUNC, .policies = f->policies, .policies_len = 1
  };
}

static void fixture_free(struct fixture *f) {
  json_decref(f->config);
  policy_free(&f->policy);
  proof_view_free(&f->view);
}
#define FIXTURE(f)                                                                                           \
  CLEANUP(fixture_free) struct fixture f;                                                                    \
  fixture_init(&f)

/* The user namespace is the wrapper's gift: everything of it holds. */
static void give_map(struct fixture *f) {
  json_t *mount = json_array_get(json_object_get(f->config, "mounts"), 8);
  json_object_set_new(mount, "source", json_string("/maps/c/volumes/8"));
  f->promise.map = (struct proof_map){ .base = MAPPED, .place = "/maps/c", .device = 8, .inode = 2 };
  f->view.root.uid = f->view.root.gid = MAPPED;
  f->view.root.mount = 100;
  for (size_t i = 0; i < KERNEL_NAMESPACES; i++)
    f->view.owners.of[i] = f->view.kernel.namespaces[KERNEL_NS_USER];
  f->view.owners.of[KERNEL_NS_NETWORK] = f->view.host[KERNEL_NS_USER]; /* joined: the engine's */
  for (size_t i = 0; i < f->view.kernel.mounts.len; i++)
    if (strcmp(f->view.kernel.mounts.items[i].place, "/data") == 0)
      f->view.kernel.mounts.items[i].idmapped = true;
}

/* Ways to break a promise. */
static struct kernel_mount *mount_at(struct fixture *f, const char *place) {
  return (struct kernel_mount *)kernel_mounts_at(&f->view.kernel.mounts, place);
}
static void set_config(struct fixture *f, const char *object, const char *key, const char *value) {
  json_object_set_new(jsonx_at(f->config, object), key, quoted_json(value));
}
static void drop_filter(struct fixture *f, size_t at) {
  struct kernel_filters *filters = &f->view.kernel.filters;
  free(filters->items[at].program);
  for (size_t i = at + 1; i < filters->len; i++)
    filters->items[i - 1] = filters->items[i];
  filters->len--;
}
/* The kernel's filter was made from another section than the promised one. */
static void other_filter(struct fixture *f, const char *key, const char *value) {
  json_auto_t *promised = json_deep_copy(jsonx_at(f->config, "/linux/seccomp"));
  drop_filter(f, 1);
  struct kernel_filter other;
  set_config(f, "/linux/seccomp", key, value);
  compile("/linux/seccomp", f, true, &other);
  add_filter(f, other.program, other.len);
  json_object_set(jsonx_at(f->config, "/linux"), "seccomp", promised);
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
BREAK(filter_has_i386, other_filter(f, "architectures", "['SCMP_ARCH_X86_64','SCMP_ARCH_X86']"))
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
BREAK(directory_for_stdin, k->fds.items[0].st.st_mode = S_IFDIR)
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
  WAY("029", directory_for_stdin),
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
};

static const struct proof_finding *finding(const struct proof *proof, const char *id) {
  for (size_t i = 0; i < proof->len; i++)
    if (strcmp(proof->items[i].row->id, id) == 0)
      return &proof->items[i];
  cr_assert(false, "no row %s", id);
  return NULL;
}

/* Every row but `except` held. */
static void others_held(const struct proof *proof, const char *except, const char *name) {
  for (size_t i = 0; i < proof->len; i++) {
    const struct proof_finding *f = &proof->items[i];
    if (!except || strcmp(f->row->id, except) != 0)
      cr_expect_eq(f->outcome, PROOF_HELD, "%s: %s: %s", name, f->row->id, f->text);
  }
}

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

Test(proof, filters_that_the_kernel_shows_nobody_are_counted) {
  FIXTURE(f);
  struct kernel_view *k = &f.view.kernel;
  k->unread[KERNEL_FILTERS] = xstrdup("refused");
  k->unread_errno[KERNEL_FILTERS] = EACCES;
  f.view.own_filters = 1;
  for (int filters = 0; filters < 5; filters++) {
    CLEANUP_PROOF struct proof proof = { 0 };
    k->status.seccomp_filters = filters; /* ours, the floor, the container's */
    proof_compare(&proof, &f.promise, &f.view);
    cr_expect_eq(finding(&proof, "OH-PRF-012")->outcome, filters < 3 ? PROOF_BROKEN : PROOF_UNREAD);
    cr_expect_eq(proof_veto(&proof, &f.view) != NULL, filters < 3);
  }
  /* Without a filter of our own there is no such excuse. */
  CLEANUP_PROOF struct proof proof = { 0 };
  f.view.own_filters = 0;
  proof_compare(&proof, &f.promise, &f.view);
  cr_expect_not_null(proof_veto(&proof, &f.view));
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

Test(proof, two_policies_both_floors_and_either_in_force) {
  FIXTURE(f);
  CLEANUP_POLICY struct policy strict = { 0 };
  struct error err = { 0 };
  cr_assert_eq(policy_load(NULL, "strict", &strict, &err), 0, "%s", err.message);
  const struct policy *both[] = { &f.policy, &strict };
  f.promise.policies = both;
  f.promise.policies_len = 2;
  CLEANUP_PROOF struct proof proof = { 0 };
  proof_compare(&proof, &f.promise, &f.view);
  cr_expect_eq(finding(&proof, "OH-PRF-013")->outcome, PROOF_BROKEN);
  others_held(&proof, "OH-PRF-013", "two floors");
  f.policy.mode = POLICY_AUDIT;
  cr_expect_not_null(proof_veto(&proof, &f.view));
}

Test(proof, a_filter_that_lies_ready_counts_for_crun_alone) {
  FIXTURE(f);
  CLEANUP_PROOF struct proof pending = { 0 };
  drop_filter(&f, 1);
  f.promise.runtime = RUNTIME_CRUN;
  compile("/linux/seccomp", &f, false, &f.view.pending);
  proof_compare(&pending, &f.promise, &f.view);
  others_held(&pending, NULL, "pending");
  free(f.view.pending.program);
  f.view.pending = (struct kernel_filter){ 0 };
  CLEANUP_PROOF struct proof none = { 0 };
  proof_compare(&none, &f.promise, &f.view);
  cr_expect_eq(finding(&none, "OH-PRF-012")->outcome, PROOF_BROKEN);
}

Test(proof, a_judged_filter_is_remembered_by_its_bytes) {
  FIXTURE(f);
  char *dir = tempdir_make("oh-proof");
  CLEANUP_FREE char *path = xasprintf("%s/cache", dir);
  const struct seccomp_cache cache = { path };
  f.promise.cache = &cache;
  for (int turn = 0; turn < 2; turn++) {
    CLEANUP_PROOF struct proof proof = { 0 };
    proof_compare(&proof, &f.promise, &f.view);
    others_held(&proof, NULL, "remembered");
    CLEANUP_STRLIST struct strlist files = { 0 };
    testfile_list(path, &files);
    cr_expect_eq(files.len, 2, "the filter's entry and the floor's");
  }
  /* One bit of it is another filter. */
  struct kernel_filter *own = &f.view.kernel.filters.items[1];
  own->program[own->len - 1].k = SECCOMP_RET_ALLOW;
  own->program[own->len - 2].k = SECCOMP_RET_ALLOW;
  CLEANUP_PROOF struct proof proof = { 0 };
  proof_compare(&proof, &f.promise, &f.view);
  cr_expect_eq(finding(&proof, "OH-PRF-012")->outcome, PROOF_BROKEN);
  tempdir_remove(dir);
}

Test(proof, a_section_that_is_text_promises_as_much) {
  FIXTURE(f);
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump(jsonx_at(f.config, "/linux/seccomp"), &text);
  json_object_set_new(jsonx_at(f.config, "/linux"), "seccomp", json_true());
  CLEANUP_PROOF struct proof without = { 0 };
  proof_compare(&without, &f.promise, &f.view);
  cr_expect_eq(finding(&without, "OH-PRF-012")->outcome, PROOF_UNREAD);
  f.promise.seccomp = (struct jsonx_span){ text.data, text.len };
  CLEANUP_PROOF struct proof held = { 0 };
  proof_compare(&held, &f.promise, &f.view);
  others_held(&held, NULL, "text");
  struct kernel_filter *own = &f.view.kernel.filters.items[1];
  own->program[own->len - 1].k = SECCOMP_RET_ALLOW;
  own->program[own->len - 2].k = SECCOMP_RET_ALLOW;
  CLEANUP_PROOF struct proof broken = { 0 };
  proof_compare(&broken, &f.promise, &f.view);
  cr_expect_eq(finding(&broken, "OH-PRF-012")->outcome, PROOF_BROKEN);
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
