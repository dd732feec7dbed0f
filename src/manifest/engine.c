/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/engine.h"

#include "kernel/caps.h"

#include <linux/capability.h>
#include <string.h>

#define BIT(cap) (UINT64_C(1) << (cap))

uint64_t engine_default_caps(void) {
  return BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FSETID) | BIT(CAP_FOWNER) | BIT(CAP_MKNOD) |
         BIT(CAP_NET_RAW) | BIT(CAP_SETGID) | BIT(CAP_SETUID) | BIT(CAP_SETFCAP) | BIT(CAP_SETPCAP) |
         BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SYS_CHROOT) | BIT(CAP_KILL) | BIT(CAP_AUDIT_WRITE);
}

uint64_t engine_all_caps(void) {
  uint64_t set = 0;
  for (unsigned i = 0; kernel_cap_name(i); i++)
    set |= BIT(i);
  return set;
}

void engine_put_caps(struct translation *t, uint64_t set, const struct strlist *unknown, bool bounding_alone,
                     struct field from) {
  static const char *const sets[] = { "bounding", "effective", "permitted" };
  json_auto_t *list = json_array();
  for (unsigned i = 0; kernel_cap_name(i); i++)
    if (set & BIT(i))
      jsonx_append_new(list, jsonx_string_new(kernel_cap_name(i)));
  for (size_t i = 0; i < unknown->len; i++)
    jsonx_append_new(list, jsonx_string_new(unknown->items[i]));
  for (size_t i = 0; i < (bounding_alone ? 1 : ARRAY_SIZE(sets)); i++) {
    CLEANUP_FREE char *pointer = xasprintf("/process/capabilities/%s", sets[i]);
    put(t, pointer, jsonx_copy(list), from);
  }
  put_origin(t, "/process/capabilities", from);
}

void engine_put_mounts(struct translation *t) {
  static const char terminals[] = "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5";
  put_item(t, "/mounts", mount_new("/proc", "proc", "proc", "nosuid,noexec,nodev"), ENGINES);
  put_item(t, "/mounts", mount_new("/dev", "tmpfs", "tmpfs", "nosuid,strictatime,mode=755,size=65536k"),
           ENGINES);
  put_item(t, "/mounts", mount_new("/dev/pts", "devpts", "devpts", terminals), ENGINES);
}

void engine_put_namespace(struct translation *t, const char *type, const char *path, struct field from) {
  json_t *entry = json_object();
  jsonx_set_new(entry, "type", jsonx_string_new(type));
  if (path)
    jsonx_set_new(entry, "path", jsonx_string_new(path));
  put_item(t, "/linux/namespaces", entry, from);
}

void engine_put_root_propagation(struct translation *t, const char *how, struct field from) {
  const char *was = json_string_value(jsonx_at(t->container->config, "/linux/rootfsPropagation"));
  if (!was || !strstr(was, "shared"))
    put(t, "/linux/rootfsPropagation", jsonx_string_new(how), from);
}

void engine_put_masks(struct translation *t, struct field from) {
  static const char *const masked[] = { "/proc/asound",      "/proc/acpi",          "/proc/kcore",
                                        "/proc/keys",        "/proc/latency_stats", "/proc/timer_list",
                                        "/proc/timer_stats", "/proc/sched_debug",   "/proc/scsi",
                                        "/sys/firmware" };
  static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                          "/proc/sysrq-trigger" };
  put(t, "/linux/maskedPaths", strings(masked, ARRAY_SIZE(masked)), from);
  put(t, "/linux/readonlyPaths", strings(readonly, ARRAY_SIZE(readonly)), from);
}

void engine_put_user(struct translation *t, int64_t uid, int64_t gid, struct field from) {
  put(t, "/process/user/uid", json_integer(uid), from);
  put(t, "/process/user/gid", json_integer(gid), from);
  put_item(t, "/process/user/additionalGids", json_integer(gid), from);
}
