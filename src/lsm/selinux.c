/* SPDX-License-Identifier: Apache-2.0 */
#include "lsm/selinux.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

#define FS "/sys/fs/selinux"
enum { TEXT_MAX = 4096 }; /* the kernel's own bound of what is written to its files: a page */

const char *const selinux_state_names[] = { "unknown",    "absent",    "unmounted", "no-policy",
                                            "permissive", "enforcing", NULL };

/* The file's text, without the NUL or newline at its end. -1 with errno. */
static int read_text(const char *path, char text[static TEXT_MAX]) {
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY, 0, RESOLVE_TRUSTED);
  const ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_MAX - 1);
  if (n < 0)
    return -1;
  text[n] = '\0';
  text[strcspn(text, "\n")] = '\0';
  return 0;
}

static int read_number(const char *path, unsigned *ret, struct error *err) {
  char text[TEXT_MAX];
  char *end;
  if (read_text(path, text) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  const unsigned long n = strtoul(text, &end, 10);
  if (end == text || *end || n > UINT16_MAX)
    return error_set(err, ERROR_SYSTEM, 0, "%s: \"%.20s\" is no number", path, text);
  *ret = (unsigned)n;
  return 0;
}

/* A question is written to the file, and the answer read from it. *ret NULL: the kernel takes the question
 * for invalid. */
static int ask(const char *path, const char *question, char **ret, struct error *err) {
  char text[TEXT_MAX];
  *ret = NULL;
  if (strlen(question) >= TEXT_MAX)
    return 0;
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDWR, 0, RESOLVE_TRUSTED);
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  if (write(fd, question, strlen(question) + 1) < 0)
    return errno == EINVAL ? 0 : error_set(err, ERROR_SYSTEM, errno, "%s", path);
  const ssize_t n = read(fd, text, sizeof text - 1);
  if (n < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  text[n] = '\0';
  *ret = xstrdup(text);
  return 0;
}

int selinux_look(struct selinux_host *ret, struct error *err) {
  CLEANUP_SELINUX_HOST struct selinux_host h = { 0 };
  struct statfs fs;
  char text[TEXT_MAX];
  unsigned enforce;
  *ret = h;
  /* The kernel makes the directory where SELinux is switched on, and nowhere else. */
  if (statfs(FS, &fs) < 0) {
    ret->state = SELINUX_ABSENT;
    return errno == ENOENT ? 0 : error_set(err, ERROR_SYSTEM, errno, FS);
  }
  if (fs.f_type != SELINUX_MAGIC) {
    ret->state = SELINUX_UNMOUNTED;
    return 0;
  }
  if (read_text("/proc/self/attr/current", text) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "/proc/self/attr/current");
  h.own = xstrdup(text);
  if (read_number(FS "/enforce", &enforce, err) < 0)
    return -1;
  h.state = strcmp(text, "kernel") == 0 ? SELINUX_NO_POLICY
            : enforce                   ? SELINUX_ENFORCING
                                        : SELINUX_PERMISSIVE;
  h.config = access("/etc/selinux/config", F_OK) == 0;
  ret->state = h.state;
  ret->config = h.config;
  ret->own = steal_ptr(&h.own);
  return 0;
}

void selinux_host_free(struct selinux_host *h) {
  free(h->own);
  *h = (struct selinux_host){ 0 };
}

int selinux_canonical(const char *context, char **ret, struct error *err) {
  return ask(FS "/context", context, ret, err);
}

/* The number by which the kernel knows a class or a permission of it; 0: the policy has none. */
static int number_of(const char *class, const char *permission, unsigned *ret, struct error *err) {
  CLEANUP_FREE char *path = permission ? xasprintf(FS "/class/%s/perms/%s", class, permission)
                                       : xasprintf(FS "/class/%s/index", class);
  struct error why = { 0 };
  *ret = 0;
  if (read_number(path, ret, &why) == 0 || why.sys == ENOENT)
    return 0;
  *err = why;
  return -1;
}

int selinux_access(const char *source, const char *target, const char *class, const char *permission,
                   struct selinux_access *ret, struct error *err) {
  unsigned class_number, number, denied, allowed, flags;
  *ret = (struct selinux_access){ 0 };
  if (number_of(class, NULL, &class_number, err) < 0 || number_of(class, permission, &number, err) < 0)
    return -1;
  if (class_number == 0 || number == 0) {
    if (read_number(FS "/deny_unknown", &denied, err) < 0)
      return -1;
    ret->allowed = !denied;
    return 0;
  }
  CLEANUP_FREE char *question = xasprintf("%s %s %u", source, target, class_number);
  CLEANUP_FREE char *answer = NULL;
  if (ask(FS "/access", question, &answer, err) < 0)
    return -1;
  /* allowed, decided, auditallow, auditdeny, a sequence number, flags */
  if (!answer || sscanf(answer, "%x %*x %*x %*x %*u %x", &allowed, &flags) != 2)
    return error_set(err, ERROR_SYSTEM, 0, FS "/access: no answer for %s to %s", source, target);
  ret->allowed = number <= 32 && (allowed >> (number - 1) & 1);
  ret->permissive = flags & 1;
  return 0;
}

int selinux_process_after(const char *source, const char *target, char **ret, struct error *err) {
  unsigned class_number;
  *ret = NULL;
  if (number_of("process", NULL, &class_number, err) < 0)
    return -1;
  CLEANUP_FREE char *question = xasprintf("%s %s %u", source, target, class_number);
  return ask(FS "/create", question, ret, err);
}

int selinux_has_capability(const char *name, bool *ret, struct error *err) {
  CLEANUP_FREE char *path = xasprintf(FS "/policy_capabilities/%s", name);
  struct error why = { 0 };
  unsigned on = 0;
  if (read_number(path, &on, &why) < 0 && why.sys != ENOENT) {
    *err = why;
    return -1;
  }
  *ret = on;
  return 0;
}

char *selinux_label_of_path(const char *path) {
  char text[TEXT_MAX];
  const ssize_t n = getxattr(path, "security.selinux", text, sizeof text - 1);
  if (n <= 0)
    return NULL;
  text[n] = '\0';
  return xstrdup(text);
}

char *selinux_label_of_process(pid_t pid) {
  char text[TEXT_MAX];
  CLEANUP_FREE char *path = xasprintf("/proc/%d/attr/current", (int)pid);
  return read_text(path, text) == 0 && *text ? xstrdup(text) : NULL;
}
