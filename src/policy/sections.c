/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy file as tables: what decodes, encodes, copies and frees a policy, what its JSON Schema is made
 * from, and what the manual's tables are made from. A section of a control bears the control's name.
 */
#include "policy/policy.h"

#include <stddef.h>

#define IN(section, member) (offsetof(struct policy, section.member) - offsetof(struct policy, section))
#define ROW_BOOL(key, section, member, text)                                                                 \
  { key, JSONX_BOOL, IN(section, member), .doc = text }
#define ROW_INT(key, section, member, low, high, text)                                                       \
  { key, JSONX_INT, IN(section, member), .doc = text, .min = low, .max = high }
#define ROW_ENUM(key, section, member, list, text)                                                           \
  { key, JSONX_ENUM, IN(section, member), .doc = text, .names = list }
#define ROW_LIST(key, section, member, form, text)                                                           \
  { key, JSONX_STRINGS, IN(section, member), .doc = text, .pattern = form }
#define ROW_ACTION(section)                                                                                  \
  ROW_ENUM("action", section, action, action_names,                                                          \
           "harden rewrites, deny refuses, audit records only, off does not look.")
#define UID_MAX 0xfffffffe /* the next is chown's "unchanged" */
#define ROW_END                                                                                              \
  { .key = NULL }

/* What the schema says of list items; policy.c checks the same by hand. "..." is the parent's list. */
#define FORM_CAPABILITY "^(CAP_[A-Z_]+|ALL|\\.\\.\\.)$"
#define FORM_PATH "^(/.*|\\.\\.\\.)$"
#define FORM_PROFILE "^(|[a-z0-9][a-z0-9._-]*|/.*)$"
#define FORM_LABEL "^(|[^:&\\s][^&\\s]*)$"
#define FORM_DEVICE "^([abc] ([0-9]+|\\*):([0-9]+|\\*) r?w?m?|\\.\\.\\.)$"
#define FORM_TYPE "^[A-Za-z][A-Za-z0-9_.]*$"
#define FORM_TYPES "^([A-Za-z][A-Za-z0-9_.]*|\\.\\.\\.)$"
#define FORM_WORD "^[^ ]+$"

static const char *const root_names[] = { "any", "prefer-user-namespace", "require-user-namespace", "never",
                                          NULL };
static const char *const namespace_names[] = { "any", "private", NULL };
static const char *const user_namespace_mode_names[] = { "off", "auto", "require", NULL };
static const char *const user_namespace_root_names[] = { "engine", "replace", "private", NULL };
static const char *const lsm_mode_names[] = { "require", "prefer", "off", NULL };
const char *const selinux_relabel_names[] = { "never", "private", "shared", NULL };
static const char *const mount_option_names[] = { "nosuid", "nodev", "noexec", NULL };
static const char *const mode_names[] = { "enforce", "audit", NULL };
static const char *const log_failure_names[] = { "continue", "deny", NULL };
static const char *const permission_names[] = { "deny", "allow", NULL };

static const struct jsonx_row capabilities_rows[] = {
  ROW_ACTION(capabilities),
  ROW_LIST("allow", capabilities, allow, FORM_CAPABILITY,
           "Capabilities that may stay in a set, as CAP_NAME; ALL alone for every one."),
  ROW_END,
};

static const struct jsonx_row no_new_privileges_rows[] = {
  ROW_ACTION(no_new_privileges),
  ROW_END,
};

static const struct jsonx_row seccomp_rows[] = {
  ROW_ACTION(seccomp),
  { "profile", JSONX_STRING, IN(seccomp, profile),
    .doc = "A built-in profile (baseline, restricted, strict) or the absolute path of an OCI seccomp file; "
           "empty for the engine's filter alone.",
    .pattern = FORM_PROFILE },
  ROW_BOOL("nativeOnly", seccomp, native_only, "Only the machine's own ABI: no i386, no x32, no 32-bit arm."),
  ROW_BOOL("listener", seccomp, listener, "The engine's SCMP_ACT_NOTIFY rules and listenerPath may stay."),
  ROW_LIST("floor", seccomp, floor, FORM_WORD,
           "System calls that the wrapper denies on itself, and so on the runtime and the container, before "
           "it executes the runtime."),
  ROW_END,
};

static const struct jsonx_row apparmor_rows[] = {
  ROW_ACTION(apparmor),
  ROW_ENUM(
      "mode", apparmor, mode, lsm_mode_names,
      "require refuses where the kernel does not enforce AppArmor; prefer records that, and is as strict as "
      "require wherever it does; off asks for no profile and judges none."),
  { "profile", JSONX_STRING, IN(apparmor, profile),
    .doc = "A built-in profile (baseline, restricted, strict), loaded when it is first needed, or the name "
           "of one "
           "that is loaded; empty for none of the policy's.",
    .pattern = FORM_LABEL },
  ROW_LIST(
      "keep", apparmor, keep, FORM_WORD,
      "Profiles (globs) that an engine may ask for in its place, if they are loaded and enforced; unconfined "
      "only where it is listed."),
  ROW_END,
};

static const struct jsonx_row selinux_rows[] = {
  ROW_ACTION(selinux),
  ROW_ENUM("mode", selinux, mode, lsm_mode_names,
           "require refuses where the kernel does not enforce SELinux; prefer gives a label wherever it "
           "does; off gives "
           "none. The types of labels that an engine asks for are judged under all of them, and an exec "
           "always has its "
           "container's label."),
  { "type", JSONX_STRING, IN(selinux, type),
    .doc = "The type of a process to which the engine gives no label; container_t when absent.",
    .pattern = FORM_TYPE },
  { "fileType", JSONX_STRING, IN(selinux, file_type),
    .doc = "The type in linux.mountLabel where the engine gives none; container_file_t when absent.",
    .pattern = FORM_TYPE },
  ROW_LIST(
      "keep", selinux, keep, FORM_TYPES,
      "Types that an engine may ask for; any other is refused, spc_t and unconfined_t too unless listed."),
  ROW_BOOL("unenforced", selinux, unenforced,
           "Under prefer a host on which SELinux is switched on and does not enforce is recorded; false "
           "refuses it. One "
           "without SELinux is neither."),
  ROW_BOOL("shareLevel", selinux, share_level,
           "Categories that an engine gives may be another pod's too, which is recorded; false refuses it."),
  ROW_ENUM(
      "relabel", selinux, relabel, selinux_relabel_names,
      "What happens to a bind source that the container's label may not read, which is then one that the "
      "engine has not labelled: private gives its files linux.mountLabel, shared that label without "
      "categories, which every container may read and write, never nothing. Files of the host's system "
      "are never labelled, nor those that are labelled for another pod."),
  ROW_END,
};

static const struct jsonx_row user_rows[] = {
  ROW_ACTION(user),
  ROW_ENUM(
      "root", user, root, root_names,
      "Whether uid 0 is accepted outside a user namespace; prefer-user-namespace accepts and records it."),
  ROW_INT("minUid", user, min_uid, -1, UID_MAX, "Lowest uid of a user that is not root; -1 for no bound."),
  ROW_INT("maxUid", user, max_uid, -1, UID_MAX, "Highest uid of a user that is not root; -1 for no bound."),
  ROW_INT("minGid", user, min_gid, -1, UID_MAX,
          "Lowest gid and additional gid other than 0; -1 for no bound."),
  ROW_INT("maxGid", user, max_gid, -1, UID_MAX,
          "Highest gid and additional gid other than 0; -1 for no bound."),
  ROW_BOOL("dropGroupZero", user, drop_group_zero,
           "Remove gid 0 from the additional groups of a user that is not root."),
  ROW_END,
};

static const struct jsonx_row user_namespace_rows[] = {
  ROW_ACTION(user_namespace),
  ROW_ENUM("mode", user_namespace, mode, user_namespace_mode_names,
           "Whether a container that comes without a user namespace gets one: auto where it can be had, and "
           "records why where not; require refuses it then."),
  ROW_ENUM(
      "rootfs", user_namespace, rootfs, user_namespace_root_names,
      "How the root is ID-mapped: replace puts it in the place of the engine's mount, private beside it; "
      "engine takes replace for containerd's overlays, private for all others."),
  ROW_END,
};

static const struct jsonx_row namespaces_rows[] = {
  ROW_ACTION(namespaces),
  ROW_ENUM("pid", namespaces, pid, namespace_names, "The pid namespace: private is not the host's."),
  ROW_ENUM("ipc", namespaces, ipc, namespace_names, "The ipc namespace."),
  ROW_ENUM("uts", namespaces, uts, namespace_names, "The uts namespace (host name)."),
  ROW_ENUM("mount", namespaces, mount, namespace_names, "The mount namespace."),
  ROW_ENUM("cgroup", namespaces, cgroup, namespace_names, "The cgroup namespace."),
  ROW_ENUM("network", namespaces, network, namespace_names,
           "The network namespace; where it is private and the engine gives none, the container is refused."),
  ROW_BOOL("timeOffsets", namespaces, time_offsets, "linux.timeOffsets may stay."),
  ROW_BOOL("netDevices", namespaces, net_devices,
           "linux.netDevices may move network devices of the host into the container."),
  ROW_END,
};

static const struct jsonx_row rootfs_rows[] = {
  ROW_ACTION(rootfs),
  ROW_BOOL("readonly", rootfs, readonly, "Mount it read-only."),
  ROW_LIST("tmpfs", rootfs, tmpfs, FORM_PATH,
           "Directories of a read-only root that become a tmpfs holding a copy of the image's files, unless "
           "the engine mounts there."),
  ROW_INT("tmpfsSize", rootfs, tmpfs_size, 4096, INT64_C(1) << 50, "Size of each such tmpfs in bytes."),
  ROW_BOOL("privatePropagation", rootfs, private_propagation,
           "Mounts made in the container never reach the host: shared propagation becomes slave."),
  ROW_END,
};

static const struct jsonx_row mounts_rows[] = {
  ROW_ACTION(mounts),
  { "enforce", JSONX_STRINGS, IN(mounts, enforce), .doc = "Options added to every mount that may carry them.",
    .names = mount_option_names },
  ROW_LIST("noexec", mounts, noexec, FORM_PATH, "Destinations (globs) from which nothing may be executed."),
  ROW_LIST("denySources", mounts, deny_sources, FORM_PATH,
           "Host paths that are refused as a bind source, with all below them, on top of those refused under "
           "every policy."),
  ROW_LIST("allowSources", mounts, allow_sources, FORM_PATH,
           "Exceptions (globs): a source is accepted that one matches, or that lies below one."),
  ROW_LIST("allowTypes", mounts, allow_types, FORM_WORD, "File system types that may be mounted."),
  ROW_BOOL("recursive", mounts, recursive,
           "Read-only, nosuid, nodev and noexec of recursive binds also hold for the mounts below."),
  ROW_END,
};

static const struct jsonx_row paths_rows[] = {
  ROW_ACTION(paths),
  ROW_LIST("masked", paths, masked, FORM_PATH, "Paths that read as empty, united with the engine's."),
  ROW_LIST("readonly", paths, readonly, FORM_PATH, "Paths that cannot be written, united with the engine's."),
  ROW_END,
};

static const struct jsonx_row devices_rows[] = {
  ROW_ACTION(devices),
  ROW_LIST("allow", devices, allow, FORM_DEVICE,
           "Devices as \"TYPE MAJOR:MINOR ACCESS\", such as \"c 1:3 rwm\", with '*' for any number; others "
           "are removed."),
  ROW_END,
};

static const struct jsonx_row sysctl_rows[] = {
  ROW_ACTION(sysctl),
  ROW_LIST("allow", sysctl, allow, FORM_WORD, "Names (globs) that may be set."),
  ROW_END,
};

static const struct jsonx_row resources_rows[] = {
  ROW_ACTION(resources),
  ROW_INT("pidsMax", resources, pids_max, -1, INT64_C(1) << 22,
          "Highest number of processes and threads; -1 for none asked for."),
  ROW_INT("memoryMax", resources, memory_max, -1, INT64_C(1) << 50,
          "Most memory in bytes; -1 for none asked for."),
  ROW_INT("cpuMax", resources, cpu_max, -1, INT64_C(1) << 24,
          "Most processor time in thousandths of a CPU; -1 for none asked for."),
  ROW_LIST("unified", resources, unified, FORM_WORD,
           "Keys (globs) of linux.resources.unified that may be set."),
  ROW_INT("nofileMax", resources, nofile_max, -1, INT64_C(1) << 30,
          "Hard ceiling of RLIMIT_NOFILE; -1 as the engine says."),
  ROW_INT("nprocMax", resources, nproc_max, -1, INT64_C(1) << 30,
          "Hard ceiling of RLIMIT_NPROC; -1 as the engine says."),
  ROW_INT("coreMax", resources, core_max, -1, INT64_C(1) << 50,
          "Hard ceiling of RLIMIT_CORE in bytes; -1 as the engine says."),
  ROW_INT("rtprioMax", resources, rtprio_max, -1, 99,
          "Hard ceiling of RLIMIT_RTPRIO; 0 for no real-time scheduling, -1 as the engine says."),
  ROW_INT("niceMax", resources, nice_max, -1, 40,
          "Hard ceiling of RLIMIT_NICE; 20 for no nice value below 0, -1 as the engine says."),
  ROW_END,
};

static const struct jsonx_row process_rows[] = {
  ROW_ACTION(process),
  ROW_INT("oomScoreAdjMin", process, oom_score_adj_min, -1000, 1000,
          "Lowest oomScoreAdj; lower ones are raised to it."),
  ROW_BOOL("keyring", process, keyring, "A session keyring of its own: --no-new-keyring is refused."),
  ROW_BOOL("preserveFds", process, preserve_fds, "--preserve-fds is allowed."),
  ROW_BOOL("noPivot", process, no_pivot, "--no-pivot is allowed."),
  ROW_END,
};

static const struct jsonx_row environment_rows[] = {
  ROW_ACTION(environment),
  ROW_LIST("secrets", environment, secrets, FORM_WORD, "Names (globs, upper case) that look like secrets."),
  ROW_LIST("allow", environment, allow, FORM_WORD, "Exceptions (globs, upper case)."),
  ROW_END,
};

static const struct jsonx_row hooks_rows[] = {
  ROW_ACTION(hooks),
  ROW_LIST("allow", hooks, allow, FORM_PATH, "Absolute paths of hooks that may run."),
  ROW_BOOL("engine", hooks, engine, "Hooks that engines are known to add by themselves may run."),
  ROW_END,
};

static const struct jsonx_row annotations_rows[] = {
  ROW_ACTION(annotations),
  ROW_LIST("deny", annotations, deny, FORM_WORD, "Keys (globs) that are removed."),
  ROW_LIST("allow", annotations, allow, FORM_WORD, "Exceptions (globs)."),
  ROW_END,
};

#define SECTION(key, member, text)                                                                           \
  { key, JSONX_OBJECT, offsetof(struct policy, member), .doc = text, .rows = member##_rows }

const struct jsonx_row policy_rows[] = {
  { "name", JSONX_STRING, offsetof(struct policy, name),
    .doc = "The policy's name; when given, it is the file's.", .pattern = "^[a-z0-9][a-z0-9._-]*$" },
  { "description", JSONX_STRING, offsetof(struct policy, description),
    .doc = "One line for lists of policies." },
  { "extends", JSONX_STRING, offsetof(struct policy, extends),
    .doc = "The policy whose values hold where this file says nothing; its own name means the built-in of "
           "that name.",
    .pattern = "^[a-z0-9][a-z0-9._-]*$" },
  { "mode", JSONX_ENUM, offsetof(struct policy, mode),
    .doc = "audit rewrites nothing, refuses nothing, and records what enforce would have done.",
    .names = mode_names },
  { "onLogFailure", JSONX_ENUM, offsetof(struct policy, on_log_failure),
    .doc = "What happens to a container whose event cannot be written.", .names = log_failure_names },
  { "restore", JSONX_ENUM, offsetof(struct policy, restore),
    .doc = "Whether a checkpoint may be restored: it brings its own capabilities and filters.",
    .names = permission_names },
  SECTION("capabilities", capabilities, "Linux capabilities."),
  SECTION("no-new-privileges", no_new_privileges,
          "The no_new_privs bit, which makes setuid files and file capabilities harmless."),
  SECTION("seccomp", seccomp,
          "The system call filter: what the engine asks for and the profile are intersected."),
  SECTION("apparmor", apparmor, "The AppArmor profile."),
  SECTION("selinux", selinux, "The SELinux label of processes and mounts."),
  SECTION("user", user, "Who the process runs as."),
  SECTION("user-namespace", user_namespace,
          "A user namespace for containers that come without one: their ids are an unprivileged range of the "
          "host's, and nothing is chowned."),
  SECTION("namespaces", namespaces, "Which namespaces must not be the host's."),
  SECTION("rootfs", rootfs, "The root file system."),
  SECTION("mounts", mounts, "Mounts and bind sources."),
  SECTION("paths", paths, "Paths that are hidden or read-only in the container."),
  SECTION("devices", devices, "Device nodes and the device cgroup."),
  SECTION("sysctl", sysctl, "Kernel parameters set for the container."),
  SECTION("resources", resources, "Ceilings of what a container may use."),
  SECTION("process", process, "How the process is started."),
  SECTION("environment", environment, "Environment variables whose names look like secrets."),
  SECTION("hooks", hooks, "Programs that the runtime runs on the host."),
  SECTION("annotations", annotations, "Annotations that let a runtime leave the spec."),
  ROW_END,
};
