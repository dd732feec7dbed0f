/* SPDX-License-Identifier: Apache-2.0 */
/* A container that is what was promised, for the tests of the proof: FIXTURE(f), then change something of it.
 */
#ifndef HARDEN_TESTS_PROOF_FIXTURE_H
#define HARDEN_TESTS_PROOF_FIXTURE_H

#include "harden/proof.h"

#include "seccomp/compile.h"
#include "seccomp/floor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
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

static inline json_t *quoted_json(const char *text) {
  CLEANUP_FREE char *copy = xstrdup(text);
  json_t *value = NULL;
  struct error err = { 0 };
  for (char *p = copy; *p; p++)
    *p = (char)(*p == '\'' ? '"' : *p);
  const struct jsonx_source src = { "config.json", copy, strlen(copy) };
  cr_assert_eq(jsonx_parse(&src, src.len, &value, &err), 0, "%s", err.message);
  return value;
}

static inline void add_filter(struct fixture *f, struct sock_filter *program, size_t len) {
  struct kernel_filters *filters = &f->view.kernel.filters;
  filters->items = xrealloc(filters->items, filters->len + 1, sizeof *filters->items);
  filters->items[filters->len++] = (struct kernel_filter){ program, len };
}

/* As runc loads it. */
static inline void compile(const char *pointer, struct fixture *f, bool stub, struct kernel_filter *ret) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error err = { 0 };
  cr_assert_eq(seccomp_profile_decode(jsonx_at(f->config, pointer), NULL, pointer, 0, &profile, &err), 0,
               "%s", err.message);
  struct seccomp_compilation job = { .profile = &profile, .abis = &profile };
  struct seccomp_program stubbed = { 0 };
  cr_assert_eq(seccomp_compile(&job, 1, &seccomp_compile_limits, &err), 0, "%s", err.message);
  seccomp_program_add_stub(&job.program, &profile, &stubbed);
  *ret = stub ? (struct kernel_filter){ stubbed.filter, stubbed.len }
              : (struct kernel_filter){ job.program.filter, job.program.len };
  seccomp_program_free(stub ? &job.program : &stubbed);
}

static inline void add_place(struct proof_places *places, const char *path, struct kernel_place is) {
  places->items = xrealloc(places->items, places->len + 1, sizeof *places->items);
  places->items[places->len++] = (struct proof_place){ xstrdup(path), is };
}

static inline void add_fd(struct fixture *f, int fd, const char *target, mode_t mode, bool cloexec) {
  struct kernel_fds *fds = &f->view.kernel.fds;
  fds->items = xrealloc(fds->items, fds->len + 1, sizeof *fds->items);
  fds->items[fds->len++] = (struct kernel_fd){
    .fd = fd, .target = xstrdup(target), .st = { .st_mode = mode }, .cloexec = cloexec
  };
}

static inline void fill_mounts(struct fixture *f) {
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

static inline void fill_process(struct fixture *f) {
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

static inline void fill_namespaces(struct fixture *f) {
  f->view.joined = xcalloc(8, sizeof *f->view.joined);
  for (size_t i = 0; i < KERNEL_NAMESPACES; i++) {
    f->view.host[i] = (struct kernel_namespace){ 4, 1000 + i };
    f->view.kernel.namespaces[i] = (struct kernel_namespace){ 4, 2000 + i };
  }
  f->view.kernel.namespaces[KERNEL_NS_TIME] = f->view.host[KERNEL_NS_TIME];
  f->view.joined[3] = f->view.kernel.namespaces[KERNEL_NS_NETWORK];
}

static inline void fixture_init(struct fixture *f) {
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

static inline void fixture_free(struct fixture *f) {
  json_decref(f->config);
  policy_free(&f->policy);
  proof_view_free(&f->view);
}
#define FIXTURE(f)                                                                                           \
  CLEANUP(fixture_free) struct fixture f;                                                                    \
  fixture_init(&f)

/* The user namespace is the wrapper's gift: everything of it holds. */
static inline void give_map(struct fixture *f) {
  json_t *mount = json_array_get(json_object_get(f->config, "mounts"), 8);
  json_object_set_new(mount, "source", json_string("/maps/c/volumes/8"));
  f->promise.map = (struct proof_map){ .base = MAPPED, .place = "/maps/c" };
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
static inline struct kernel_mount *mount_at(struct fixture *f, const char *place) {
  return (struct kernel_mount *)kernel_mounts_at(&f->view.kernel.mounts, place);
}
static inline void set_config(struct fixture *f, const char *object, const char *key, const char *value) {
  json_object_set_new(jsonx_at(f->config, object), key, quoted_json(value));
}
static inline void drop_filter(struct fixture *f, size_t at) {
  struct kernel_filters *filters = &f->view.kernel.filters;
  free(filters->items[at].program);
  for (size_t i = at + 1; i < filters->len; i++)
    filters->items[i - 1] = filters->items[i];
  filters->len--;
}
/* The kernel's filter was made from another section than the promised one. */
static inline void other_filter(struct fixture *f, const char *key, const char *value) {
  json_auto_t *promised = json_deep_copy(jsonx_at(f->config, "/linux/seccomp"));
  drop_filter(f, 1);
  struct kernel_filter other;
  set_config(f, "/linux/seccomp", key, value);
  compile("/linux/seccomp", f, true, &other);
  add_filter(f, other.program, other.len);
  json_object_set(jsonx_at(f->config, "/linux"), "seccomp", promised);
}

static inline const struct proof_finding *finding(const struct proof *proof, const char *id) {
  for (size_t i = 0; i < proof->len; i++)
    if (strcmp(proof->items[i].row->id, id) == 0)
      return &proof->items[i];
  cr_assert(false, "no row %s", id);
  return NULL;
}

/* Every row but `except` held. */
static inline void others_held(const struct proof *proof, const char *except, const char *name) {
  for (size_t i = 0; i < proof->len; i++) {
    const struct proof_finding *f = &proof->items[i];
    if (!except || strcmp(f->row->id, except) != 0)
      cr_expect_eq(f->outcome, PROOF_HELD, "%s: %s: %s", name, f->row->id, f->text);
  }
}

#endif
