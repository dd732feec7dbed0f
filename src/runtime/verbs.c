/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of the command line: runc 1.0 to 1.5 and crun 1.x. */
#include "runtime/command.h"

#define HELP                                                                                                 \
  { "help", 'h', FLAG_HELP, "show help" }, {                                                                 \
    "usage", '?', FLAG_HELP, "show usage"                                                                    \
  }
#define END                                                                                                  \
  { NULL, 0, FLAG_HELP, NULL }

/* clang-format off */
const struct flag_row global_flags[] = {
  {"root", 0, FLAG_VALUE, "directory of the runtime's container state"},
  {"log", 0, FLAG_VALUE, "where errors are written to"},
  {"log-format", 0, FLAG_VALUE, "text or json"},
  {"debug", 0, FLAG_BOOL, "debug logging"},
  {"systemd-cgroup", 0, FLAG_BOOL, "cgroups through systemd"},
  {"rootless", 0, FLAG_VALUE, "true, false or auto (runc)"},
  {"criu", 0, FLAG_VALUE, "path of criu (runc)"},
  {"cgroup-manager", 0, FLAG_VALUE, "cgroupfs, systemd or disabled (crun)"},
  {"log-level", 0, FLAG_VALUE, "error, warning or debug (crun)"},
  {"version", 'v', FLAG_HELP, "print the version"},
  {NULL, 'V', FLAG_HELP, "print the version (crun)"},
  HELP, END,
};

static const struct flag_row create_flags[] = {
  {"bundle", 'b', FLAG_VALUE, "directory of the bundle"},
  {"config", 'f', FLAG_VALUE, "file read instead of the bundle's config.json (crun)"},
  {"console-socket", 0, FLAG_VALUE, "socket that receives the terminal"},
  {"pidfd-socket", 0, FLAG_VALUE, "socket that receives a pidfd"},
  {"pid-file", 0, FLAG_VALUE, "where the process id is written to"},
  {"no-pivot", 0, FLAG_BOOL, "do not use pivot_root"},
  {"no-new-keyring", 0, FLAG_BOOL, "keep the caller's session keyring"},
  {"no-subreaper", 0, FLAG_BOOL, "do not become a subreaper"},
  {"preserve-fds", 0, FLAG_VALUE, "number of further file descriptors passed in"},
  HELP, END,
};

static const struct flag_row run_flags[] = {
  {"bundle", 'b', FLAG_VALUE, "directory of the bundle"},
  {"config", 'f', FLAG_VALUE, "file read instead of the bundle's config.json (crun)"},
  {"console-socket", 0, FLAG_VALUE, "socket that receives the terminal"},
  {"pidfd-socket", 0, FLAG_VALUE, "socket that receives a pidfd"},
  {"detach", 'd', FLAG_BOOL, "do not wait for the container"},
  {"keep", 0, FLAG_BOOL, "do not delete the container when it ends"},
  {"pid-file", 0, FLAG_VALUE, "where the process id is written to"},
  {"no-pivot", 0, FLAG_BOOL, "do not use pivot_root"},
  {"no-new-keyring", 0, FLAG_BOOL, "keep the caller's session keyring"},
  {"no-subreaper", 0, FLAG_BOOL, "do not become a subreaper"},
  {"preserve-fds", 0, FLAG_VALUE, "number of further file descriptors passed in"},
  HELP, END,
};

static const struct flag_row exec_flags[] = {
  {"console-socket", 0, FLAG_VALUE, "socket that receives the terminal"},
  {"pidfd-socket", 0, FLAG_VALUE, "socket that receives a pidfd"},
  {"cwd", 0, FLAG_VALUE, "working directory"},
  {"env", 'e', FLAG_LIST, "environment variable"},
  {"tty", 't', FLAG_BOOL, "allocate a terminal"},
  {"user", 'u', FLAG_VALUE, "UID[:GID]"},
  {"additional-gids", 'g', FLAG_LIST, "additional group (runc)"},
  {"process", 'p', FLAG_VALUE, "process file"},
  {"detach", 'd', FLAG_BOOL, "do not wait for the process"},
  {"pid-file", 0, FLAG_VALUE, "where the process id is written to"},
  {"process-label", 0, FLAG_VALUE, "SELinux label"},
  {"apparmor", 0, FLAG_VALUE, "AppArmor profile"},
  {"no-new-privs", 0, FLAG_BOOL, "set no_new_privs"},
  {"cap", 'c', FLAG_LIST, "add a capability"},
  {"preserve-fds", 0, FLAG_VALUE, "number of further file descriptors passed in"},
  {"cgroup", 0, FLAG_LIST, "sub-cgroup to run in"},
  {"ignore-paused", 0, FLAG_BOOL, "allow exec in a paused container (runc)"},
  {"no-subreaper", 0, FLAG_BOOL, "do not become a subreaper"},
  HELP, END,
};

static const struct flag_row restore_flags[] = {
  {"console-socket", 0, FLAG_VALUE, "socket that receives the terminal"},
  {"image-path", 0, FLAG_VALUE, "CRIU's image"},
  {"work-path", 0, FLAG_VALUE, "CRIU's working directory"},
  {"tcp-established", 0, FLAG_BOOL, "allow open TCP connections"},
  {"ext-unix-sk", 0, FLAG_BOOL, "allow external unix sockets"},
  {"shell-job", 0, FLAG_BOOL, "allow shell jobs"},
  {"file-locks", 0, FLAG_BOOL, "handle file locks"},
  {"manage-cgroups-mode", 0, FLAG_VALUE, "CRIU's cgroups mode"},
  {"bundle", 'b', FLAG_VALUE, "directory of the bundle"},
  {"detach", 'd', FLAG_BOOL, "do not wait for the container"},
  {"pid-file", 0, FLAG_VALUE, "where the process id is written to"},
  {"no-subreaper", 0, FLAG_BOOL, "do not become a subreaper"},
  {"no-pivot", 0, FLAG_BOOL, "do not use pivot_root"},
  {"empty-ns", 0, FLAG_LIST, "namespace left to others"},
  {"auto-dedup", 0, FLAG_BOOL, "deduplicate memory images"},
  {"lazy-pages", 0, FLAG_BOOL, "restore memory lazily"},
  {"lsm-profile", 0, FLAG_VALUE, "LSM profile, TYPE:NAME"},
  {"lsm-mount-context", 0, FLAG_VALUE, "LSM mount context"},
  HELP, END,
};

static const struct flag_row update_flags[] = {
  {"resources", 'r', FLAG_VALUE, "file of resources, - for stdin"},
  {"blkio-weight", 0, FLAG_VALUE, "block I/O weight"},
  {"cpu-period", 0, FLAG_VALUE, "CFS period"},
  {"cpu-quota", 0, FLAG_VALUE, "CFS quota"},
  {"cpu-burst", 0, FLAG_VALUE, "CFS burst"},
  {"cpu-share", 0, FLAG_VALUE, "CPU shares"},
  {"cpu-rt-period", 0, FLAG_VALUE, "real-time period"},
  {"cpu-rt-runtime", 0, FLAG_VALUE, "real-time runtime"},
  {"cpu-idle", 0, FLAG_VALUE, "SCHED_IDLE"},
  {"cpuset-cpus", 0, FLAG_VALUE, "CPUs"},
  {"cpuset-mems", 0, FLAG_VALUE, "memory nodes"},
  {"kernel-memory", 0, FLAG_VALUE, "kernel memory"},
  {"kernel-memory-tcp", 0, FLAG_VALUE, "kernel memory of TCP buffers"},
  {"memory", 0, FLAG_VALUE, "memory limit"},
  {"memory-reservation", 0, FLAG_VALUE, "memory soft limit"},
  {"memory-swap", 0, FLAG_VALUE, "memory and swap"},
  {"pids-limit", 0, FLAG_VALUE, "number of processes"},
  {"l3-cache-schema", 0, FLAG_VALUE, "Intel RDT L3 schema (runc)"},
  {"mem-bw-schema", 0, FLAG_VALUE, "Intel RDT bandwidth schema (runc)"},
  HELP, END,
};

static const struct flag_row start_flags[] = {HELP, END};
static const struct flag_row delete_flags[] = {
  {"force", 'f', FLAG_BOOL, "kill first"},
  {"regex", 'r', FLAG_BOOL, "the id is a regular expression (crun)"},
  HELP, END,
};

const struct verb_row verb_table[] = {
  {"create", VERB_CREATE, create_flags, false, "make a container from a bundle"},
  {"run", VERB_RUN, run_flags, false, "create and start"},
  {"exec", VERB_EXEC, exec_flags, true, "start a further process"},
  {"restore", VERB_RESTORE, restore_flags, false, "restore from a checkpoint"},
  {"start", VERB_START, start_flags, false, "start what create made"},
  {"update", VERB_UPDATE, update_flags, false, "change resource limits"},
  {"mounts", VERB_MOUNTS, start_flags, true, "change the mounts of a container (crun)"},
  {"delete", VERB_DELETE, delete_flags, false, "delete a container"},
  {NULL, VERB_PASS, NULL, false, NULL},
};
