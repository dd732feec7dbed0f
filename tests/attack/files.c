/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel tells and takes through files: read a little of it, or open it for writing and write
 * nothing. */
#include "primitives.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Some answers come only when there is something to tell: no primitive waits for that. */
static struct result read_file(const struct primitive *self) {
  char buffer[64];
  struct stat st;
  int fd = open(self->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return judge(-1);
  if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode))
    return denied(0, "masked");
  ssize_t n = read(fd, buffer, sizeof buffer);
  if (n == 0)
    return absent("empty");
  return judge_past(n, EAGAIN, 0);
}

static struct result open_with(const struct primitive *self, int flags) {
  struct stat st;
  int fd = open(self->path, flags | O_CLOEXEC);
  if (fd < 0)
    return judge(-1);
  if (fstat(fd, &st) == 0 && S_ISCHR(st.st_mode))
    return denied(0, "masked");
  return reached("");
}

static struct result open_to_read(const struct primitive *self) {
  return open_with(self, O_RDONLY | O_NONBLOCK);
}
static struct result open_to_write(const struct primitive *self) {
  return open_with(self, O_WRONLY);
}

static struct result list_dir(const struct primitive *self) {
  DIR *dir = opendir(self->path);
  bool found = false;
  if (!dir)
    return judge(-1);
  for (struct dirent *entry; !found && (entry = readdir(dir));)
    found = entry->d_name[0] != '.';
  closedir(dir);
  return found ? reached("") : absent("empty");
}

/* Of a cgroup hierarchy of either version. */
static struct result open_cgroup(const struct primitive *self) {
  static const char *const dirs[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids",
                                      "/sys/fs/cgroup/devices" };
  char path[128];
  for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
    snprintf(path, sizeof path, "%s/%s", dirs[i], self->path);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0 || errno != ENOENT)
      return judge(fd);
  }
  return absent("no such file");
}

static struct result make_cgroup(const struct primitive *self) {
  static const char *const dirs[] = { "/sys/fs/cgroup/memory/attack", "/sys/fs/cgroup/attack" };
  (void)self;
  for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
    int rc = mkdir(dirs[i], 0755);
    if (rc == 0)
      rmdir(dirs[i]);
    if (rc == 0 || errno != ENOENT)
      return judge(rc);
  }
  return absent("no cgroup file system");
}

static struct result make_file(const struct primitive *self) {
  char path[PATH_ROOM];
  int fd = make_in(self->path, path);
  struct result result = judge(fd);
  if (fd >= 0)
    unlink(path);
  return result;
}

static struct result leaked(const struct primitive *self) {
  char link[64], target[128];
  (void)self;
  if (leaked_fd < 0)
    return denied(0, "none");
  snprintf(link, sizeof link, "/proc/self/fd/%d", leaked_fd);
  ssize_t n = readlink(link, target, sizeof target - 1);
  target[n > 0 ? n : 0] = '\0';
  return reached(target);
}

#define READ(id, file)                                                                                       \
  { .name = "read-" id, .attempt = read_file, .path = (file) }
#define LIST(id, file)                                                                                       \
  { .name = "list-" id, .attempt = list_dir, .path = (file) }
#define WRITE(id, file)                                                                                      \
  { .name = "write-" id, .attempt = open_to_write, .path = (file) }

const struct primitive file_primitives[] = {
  READ("kallsyms", "/proc/kallsyms"),
  READ("kcore", "/proc/kcore"),
  READ("config", "/proc/config.gz"),
  READ("cmdline", "/proc/cmdline"),
  READ("keys", "/proc/keys"),
  READ("key-users", "/proc/key-users"),
  READ("iomem", "/proc/iomem"),
  READ("ioports", "/proc/ioports"),
  /* What is read of it, another reader does not get: opened only. */
  { .name = "read-kmsg", .attempt = open_to_read, .path = "/proc/kmsg" },
  READ("kpagecount", "/proc/kpagecount"),
  READ("kpageflags", "/proc/kpageflags"),
  READ("kpagecgroup", "/proc/kpagecgroup"),
  READ("slabinfo", "/proc/slabinfo"),
  READ("vmallocinfo", "/proc/vmallocinfo"),
  READ("pagetypeinfo", "/proc/pagetypeinfo"),
  READ("buddyinfo", "/proc/buddyinfo"),
  READ("zoneinfo", "/proc/zoneinfo"),
  READ("interrupts", "/proc/interrupts"),
  READ("softirqs", "/proc/softirqs"),
  READ("timer-list", "/proc/timer_list"),
  READ("sched-debug", "/proc/sched_debug"),
  READ("schedstat", "/proc/schedstat"),
  READ("latency-stats", "/proc/latency_stats"),
  READ("modules", "/proc/modules"),
  READ("partitions", "/proc/partitions"),
  READ("diskstats", "/proc/diskstats"),
  READ("swaps", "/proc/swaps"),
  READ("devices", "/proc/devices"),
  READ("version", "/proc/version"),
  READ("mountinfo", "/proc/self/mountinfo"),
  READ("environ", "/proc/1/environ"),
  READ("kernel-stack", "/proc/self/stack"),
  READ("pci-devices", "/proc/bus/pci/devices"),
  READ("notes", "/sys/kernel/notes"),
  READ("vmcoreinfo", "/sys/kernel/vmcoreinfo"),
  READ("btf", "/sys/kernel/btf/vmlinux"),
  READ("dmi", "/sys/devices/virtual/dmi/id/product_name"),
  READ("disk-size", "/sys/block/vda/size"),
  READ("vulnerabilities", "/sys/devices/system/cpu/vulnerabilities/meltdown"),
  READ("thp", "/sys/kernel/mm/transparent_hugepage/enabled"),
  LIST("firmware", "/sys/firmware"),
  LIST("powercap", "/sys/devices/virtual/powercap"),
  LIST("slab", "/sys/kernel/slab"),
  LIST("irq", "/sys/kernel/irq"),
  LIST("modules", "/sys/module"),
  LIST("acpi", "/proc/acpi"),
  LIST("scsi", "/proc/scsi"),
  WRITE("core-pattern", "/proc/sys/kernel/core_pattern"),
  WRITE("modprobe", "/proc/sys/kernel/modprobe"),
  WRITE("sysrq", "/proc/sys/kernel/sysrq"),
  WRITE("randomize-va-space", "/proc/sys/kernel/randomize_va_space"),
  WRITE("suid-dumpable", "/proc/sys/fs/suid_dumpable"),
  WRITE("panic-on-oom", "/proc/sys/vm/panic_on_oom"),
  WRITE("ip-forward", "/proc/sys/net/ipv4/ip_forward"),
  WRITE("user-namespaces", "/proc/sys/user/max_user_namespaces"),
  WRITE("sysrq-trigger", "/proc/sysrq-trigger"),
  WRITE("irq-affinity", "/proc/irq/default_smp_affinity"),
  WRITE("mtrr", "/proc/mtrr"),
  WRITE("oom-score", "/proc/self/oom_score_adj"),
  WRITE("uevent-helper", "/sys/kernel/uevent_helper"),
  WRITE("profiling", "/sys/kernel/profiling"),
  WRITE("thp", "/sys/kernel/mm/transparent_hugepage/enabled"),
  WRITE("cpu-online", "/sys/devices/system/cpu/cpu1/online"),
  WRITE("kernel-uevent", "/sys/devices/virtual/mem/null/uevent"),
  WRITE("power-state", "/sys/power/state"),
  WRITE("module-parameter", "/sys/module/kernel/parameters/panic"),
  { .name = "write-cgroup-procs", .attempt = open_cgroup, .path = "cgroup.procs" },
  { .name = "write-devices-allow", .attempt = open_cgroup, .path = "devices.allow" },
  { .name = "make-cgroup", .attempt = make_cgroup },
  { .name = "write-root", .attempt = make_file, .path = "" },
  { .name = "write-etc", .attempt = make_file, .path = "/etc" },
  { .name = "write-bin", .attempt = make_file, .path = "/bin" },
  { .name = "overwrite-program", .attempt = open_to_write, .path = "/bin/busybox" },
  /* A mask is a mount: another path to the same file must lead to it too. */
  READ("masked-by-task", "/proc/self/task/../../interrupts"),
  READ("masked-by-root", "/proc/self/root/proc/interrupts"),
  { .name = "leaked-fd", .attempt = leaked },
  { .name = NULL },
};
