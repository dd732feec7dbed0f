/* SPDX-License-Identifier: Apache-2.0 */
/* What the posture needs besides the process's own view. Only this file of the folder enters the kernel. */
#include "facts/facts.h"
#include "io/fileio.h"
#include "io/path.h"
#include "posture/posture.h"
#include "seccomp/profile_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
  /* Of what is below /dev, where a container may pile up any number of files, as deep as it likes. */
  DEV_DEPTH = 16,
  DEV_ENTRIES_MAX = 1 << 17,
  LIST_LIMIT = 65536,
};

static void look_at_hosts(struct posture_facts *f, const struct kernel_view *v) {
  const pid_t pids[POSTURE_HOSTS] = { getpid(), 1 };
  const unsigned parts =
      KERNEL_PART(KERNEL_NAMESPACE) | KERNEL_PART(KERNEL_MOUNTS) | KERNEL_PART(KERNEL_ROOT);
  struct kernel_place root = { .error = -1 };
  if (!v->unread[KERNEL_ROOT])
    kernel_place_of_fd(v->root, false, &root);
  for (size_t h = 0; h < POSTURE_HOSTS; h++) {
    struct error ignored = { 0 };
    struct kernel_place hosts = { .error = -1 };
    if (kernel_view_read(&f->hosts[h], pids[h], 0, parts, &ignored) < 0)
      kernel_view_init(&f->hosts[h]);
    if (!f->hosts[h].unread[KERNEL_ROOT])
      kernel_place_of_fd(f->hosts[h].root, false, &hosts);
    f->root_is_host |= kernel_place_same(&root, &hosts);
  }
}

static void look_at_apparmor(struct posture_facts *f) {
  struct apparmor_host host;
  struct error ignored = { 0 };
  f->apparmor = apparmor_look(&host, &ignored) < 0 ? APPARMOR_HIDDEN : (int)host.state;
  free(host.profiles);
}

static void look_at_selinux(struct posture_facts *f) {
  CLEANUP_SELINUX_HOST struct selinux_host host = { 0 };
  struct error ignored = { 0 };
  f->selinux = selinux_look(&host, &ignored) < 0 ? SELINUX_UNMOUNTED : host.state;
}

/* --- places --- */

static bool host_has(const struct posture_facts *f, const struct kernel_mount *m) {
  for (size_t h = 0; h < POSTURE_HOSTS; h++)
    for (size_t i = 0; i < f->hosts[h].mounts.len; i++)
      if (f->hosts[h].mounts.items[i].major == m->major && f->hosts[h].mounts.items[i].minor == m->minor)
        return true;
  return false;
}

/* A file system that the container's own process serves, which could let every look-up wait for ever; NULL:
 * none. Its root's was there before it. */
static const struct kernel_mount *served(const struct posture_facts *f, const struct kernel_view *v) {
  for (size_t i = 0; i < v->mounts.len; i++) {
    const struct kernel_mount *m = &v->mounts.items[i];
    if (str_starts(m->type, "fuse") && strcmp(m->place, "/") != 0 && !host_has(f, m))
      return m;
  }
  return NULL;
}

static void look_at(struct posture_facts *f, const struct kernel_view *v, const char *path) {
  for (size_t i = 0; i < f->places_len; i++)
    if (strcmp(f->places[i].path, path) == 0)
      return;
  f->places = xrealloc(f->places, f->places_len + 1, sizeof *f->places);
  struct posture_place *place = &f->places[f->places_len++];
  *place = (struct posture_place){ .path = xstrdup(path) };
  kernel_place_look(v->root, path, true, &place->at);
}

static void look_at_places(struct posture_facts *f, const struct kernel_view *v,
                           const struct policy *const *policies, size_t policies_len) {
  for (size_t p = 0; p < policies_len; p++) {
    const struct strlist *lists[] = { &policies[p]->paths.masked, &policies[p]->paths.readonly };
    for (size_t l = 0; l < ARRAY_SIZE(lists); l++)
      for (size_t i = 0; i < lists[l]->len; i++)
        look_at(f, v, lists[l]->items[i]);
  }
  /* What is mounted of a device or to mask comes from these; others might make us wait. */
  if (f->root_is_host || v->mounts.len > POSTURE_MOUNTS_MAX)
    return;
  for (size_t i = 0; i < v->mounts.len; i++) {
    const struct kernel_mount *m = &v->mounts.items[i];
    if (strcmp(m->type, "tmpfs") == 0 || strcmp(m->type, "devtmpfs") == 0)
      look_at(f, v, m->place);
  }
}

/* --- devices --- */

static void add_node(struct posture_facts *f, const char *path, const struct stat *st) {
  f->nodes = xrealloc(f->nodes, f->nodes_len + 1, sizeof *f->nodes);
  f->nodes[f->nodes_len++] = (struct posture_node){
    .path = xstrdup(path),
    .block = S_ISBLK(st->st_mode),
    .major = major(st->st_rdev),
    .minor = minor(st->st_rdev),
  };
}

struct walk {
  struct posture_facts *f;
  unsigned left; /* entries */
};

static void walk(struct walk *w, int fd, const char *path, unsigned depth);

/* Terminals in /dev/pts are the container's own. */
static void look_at_entry(struct walk *w, int dir, const char *path, const struct dirent *entry,
                          unsigned depth) {
  const bool unknown = entry->d_type == DT_UNKNOWN;
  struct stat st;
  if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
      (!unknown && entry->d_type != DT_CHR && entry->d_type != DT_BLK && entry->d_type != DT_DIR) ||
      fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return;
  CLEANUP_FREE char *child = xasprintf("%s/%s", path, entry->d_name);
  if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))
    add_node(w->f, child, &st);
  else if (S_ISDIR(st.st_mode) && strcmp(child, "/dev/pts") != 0)
    walk(w, path_open(dir, entry->d_name, O_RDONLY | O_DIRECTORY, 0, RESOLVE_INSIDE), child, depth + 1);
}

/* Takes fd, or -1 with errno set. */
static void walk(struct walk *w, int fd, const char *path, unsigned depth) {
  if (fd < 0 && errno == ENOENT)
    return;
  CLEANUP_FD int owned = fd;
  CLEANUP_DIR DIR *dir = fd < 0 || depth > DEV_DEPTH ? NULL : fdopendir(fd);
  w->f->nodes_cut = w->f->nodes_cut || !dir;
  if (!dir)
    return;
  (void)steal_fd(&owned);
  for (;;) {
    errno = 0;
    const struct dirent *entry = readdir(dir);
    w->f->nodes_cut = w->f->nodes_cut || errno || w->left == 0 || w->f->nodes_len == POSTURE_NODES_MAX;
    if (!entry || w->left == 0 || w->f->nodes_len == POSTURE_NODES_MAX)
      return;
    w->left--;
    look_at_entry(w, fd, path, entry, depth);
  }
}

static int by_path(const void *a, const void *b) {
  return strcmp(((const struct posture_node *)a)->path, ((const struct posture_node *)b)->path);
}

static void look_at_nodes(struct posture_facts *f, const struct kernel_view *v) {
  struct walk w = { f, DEV_ENTRIES_MAX };
  walk(&w, path_open(v->root, "/dev", O_RDONLY | O_DIRECTORY, 0, RESOLVE_ROOTFS), "/dev", 1);
  if (f->nodes_len > 0)
    qsort(f->nodes, f->nodes_len, sizeof *f->nodes, by_path);
}

/* Version 1 lists what is allowed; of a group that allows everything but some it says "a *:* rwm". Version 2
 * has a BPF program, which says nothing. */
static void look_at_device_group(struct posture_facts *f, const struct kernel_view *v) {
  const struct kernel_cgroup *group =
      v->unread[KERNEL_CGROUPS] ? NULL : kernel_cgroups_find(&v->cgroups, "devices");
  if (!group || !*group->controllers)
    return;
  CLEANUP_FREE char *path = xasprintf("%s/devices%s/devices.list", KERNEL_CGROUP_MOUNT, group->path);
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error ignored = { 0 };
  if (file_read(AT_FDCWD, path, RESOLVE_TRUSTED, LIST_LIMIT, &text, &len, NULL, &ignored) < 0)
    return;
  f->allowed_known = true;
  for (char *rest = text, *line; (line = strsep(&rest, "\n"));) {
    struct device_rule rule;
    if (!*line)
      continue;
    if (f->allowed.len == DEVICE_RULES_MAX || !device_rule_parse(line, &rule)) {
      f->allowed_known = false;
      return;
    }
    f->allowed.items = xrealloc(f->allowed.items, f->allowed.len + 1, sizeof *f->allowed.items);
    f->allowed.items[f->allowed.len++] = rule;
  }
}

/* --- */

void posture_look(struct posture_facts *ret, const struct kernel_view *v,
                  const struct policy *const *policies, size_t policies_len) {
  *ret = (struct posture_facts){ 0 };
  look_at_hosts(ret, v);
  look_at_device_group(ret, v);
  look_at_selinux(ret);
  look_at_apparmor(ret);
  const struct kernel_mount *waits = served(ret, v);
  if (v->unread[KERNEL_ROOT] || v->unread[KERNEL_MOUNTS]) {
    ret->places_unread = xstrdup(v->unread[v->unread[KERNEL_ROOT] ? KERNEL_ROOT : KERNEL_MOUNTS]);
  } else if (waits) {
    ret->places_unread =
        xasprintf("the container serves a file system of its own (%s, %s), which could make us wait",
                  waits->place, waits->type);
  } else {
    look_at_places(ret, v, policies, policies_len);
    look_at_nodes(ret, v);
  }
}

void posture_facts_free(struct posture_facts *f) {
  for (size_t h = 0; h < POSTURE_HOSTS; h++)
    kernel_view_free(&f->hosts[h]);
  for (size_t i = 0; i < f->places_len; i++)
    free(f->places[i].path);
  free(f->places);
  free(f->places_unread);
  for (size_t i = 0; i < f->nodes_len; i++)
    free(f->nodes[i].path);
  free(f->nodes);
  device_rules_free(&f->allowed);
  memset(f, 0, sizeof *f);
}

int posture_filter(const struct policy *policy, struct seccomp_program *ret, struct error *err) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  json_auto_t *section = NULL;
  *ret = (struct seccomp_program){ 0 };
  if (!policy->seccomp.profile || policy_action(policy, policy->seccomp.action) == ACTION_OFF)
    return 0;
  if (seccomp_profile_file_load(policy->seccomp.profile, &section, err) < 0 ||
      seccomp_profile_decode(section, NULL, "", SECCOMP_ACCEPT_PERMISSIVE, &profile, err) < 0)
    return -1;
  struct seccomp_compilation job = { .profile = &profile, .abis = &profile, .tree = true };
  if (seccomp_compile(&job, 1, &seccomp_compile_limits, err) < 0)
    return -1;
  *ret = job.program;
  return 0;
}
