/* SPDX-License-Identifier: Apache-2.0 */
/* What the built-in policies promise, and that each is no looser than the one before it. */
#include "policy/policy.h"

#include <criterion/criterion.h>
#include <seccomp.h>
#include <string.h>

static struct policy privileged, baseline, restricted, strict;

static void load(const char *name, struct policy *p) {
  struct error err = { 0 };
  cr_assert(policy_load(NULL, name, p, &err) == 0, "%s", err.message);
}

static void setup(void) {
  load("privileged", &privileged);
  load("baseline", &baseline);
  load("restricted", &restricted);
  load("strict", &strict);
}

static void teardown(void) {
  policy_free(&privileged);
  policy_free(&baseline);
  policy_free(&restricted);
  policy_free(&strict);
}

TestSuite(policy_builtin, .init = setup, .fini = teardown);

Test(policy_builtin, there_are_four) {
  static const char *const names[] = { "privileged", "baseline", "restricted", "strict" };
  size_t n = 0;
  for (const struct builtin *b = builtin_policies; b->name; b++)
    n++;
  cr_expect_eq(n, ARRAY_SIZE(names));
  for (size_t i = 0; i < ARRAY_SIZE(names); i++)
    cr_expect_not_null(builtin_find(builtin_policies, names[i]), "%s", names[i]);
  cr_expect_null(builtin_find(builtin_policies, "nobody"));
}

/* What was packed when the program was built is what the text says, `extends` followed. */
Test(policy_builtin, packed_as_its_text) {
  size_t n = 0;
  for (const struct policy_packed *packed = policies_packed; packed->name; packed++, n++) {
    const struct builtin *b = builtin_find(builtin_policies, packed->name);
    cr_assert_not_null(b);
    const struct jsonx_source src = { b->name, b->text, b->len };
    CLEANUP_POLICY struct policy by_text = { 0 };
    CLEANUP_POLICY struct policy by_name = { 0 };
    struct error err = { 0 };
    cr_assert_eq(policy_load_text(NULL, &src, &by_text, &err), 0, "%s", err.message);
    cr_assert_eq(policy_load(NULL, b->name, &by_name, &err), 0, "%s", err.message);
    cr_expect_null(by_text.packed);
    cr_expect_eq(by_name.packed, packed);
    CLEANUP_STR struct str text = { 0 };
    CLEANUP_STR struct str name = { 0 };
    json_auto_t *text_json = policy_encode(&by_text);
    json_auto_t *name_json = policy_encode(&by_name);
    jsonx_dump(text_json, &text);
    jsonx_dump(name_json, &name);
    cr_expect_str_eq(text.data, name.data);
    cr_expect_str_eq(text.data, packed->json);
  }
  cr_expect_eq(n, 4u);
}

Test(policy_builtin, privileged_changes_and_refuses_nothing) {
  cr_expect_eq(privileged.mode, POLICY_AUDIT);
  cr_expect_eq(privileged.restore, PERMIT_ALLOW);
  cr_expect_eq(privileged.seccomp.floor.len, 0, "a floor would hold whatever the mode");
  cr_expect(privileged.process.preserve_fds && privileged.process.no_pivot && !privileged.process.keyring);
  cr_expect_eq(privileged.on_log_failure, LOG_FAILURE_CONTINUE);
}

/* Pod Security Standards, "Capabilities" of baseline: these thirteen and no other. */
Test(policy_builtin, baseline_allows_the_capabilities_of_the_standard) {
  static const char *const standard[] = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",  "CAP_DAC_OVERRIDE",     "CAP_FOWNER",  "CAP_FSETID",
    "CAP_KILL",        "CAP_MKNOD",  "CAP_NET_BIND_SERVICE", "CAP_SETFCAP", "CAP_SETGID",
    "CAP_SETPCAP",     "CAP_SETUID", "CAP_SYS_CHROOT",
  };
  cr_expect_eq(baseline.capabilities.allow.len, ARRAY_SIZE(standard));
  for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
    cr_expect(strlist_has(&baseline.capabilities.allow, standard[i]), "%s", standard[i]);
  cr_expect_eq(restricted.capabilities.allow.len, 1);
  cr_expect(strlist_has(&restricted.capabilities.allow, "CAP_NET_BIND_SERVICE"));
}

Test(policy_builtin, baseline_allows_the_sysctls_of_the_standard) {
  static const char *const standard[] = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
  };
  for (size_t i = 0; i < ARRAY_SIZE(standard); i++)
    cr_expect(strlist_matches(&baseline.sysctl.allow, standard[i]), "%s", standard[i]);
  cr_expect_not(strlist_matches(&baseline.sysctl.allow, "kernel.core_pattern"));
}

Test(policy_builtin, baseline_leaves_no_new_privileges_to_the_engine) {
  cr_expect_eq(baseline.no_new_privileges.action, ACTION_OFF);
  cr_expect_eq(restricted.no_new_privileges.action, ACTION_HARDEN);
}

/* How much an action does: off looks away, audit tells, harden and deny act. */
static int weight(int action) {
  switch ((enum action)action) {
  case ACTION_OFF:
    return 0;
  case ACTION_AUDIT:
    return 1;
  case ACTION_HARDEN:
  case ACTION_DENY:
    return 2;
  }
  return -1;
}

static void expect_subset(const struct strlist *small, const struct strlist *large, const char *what) {
  for (size_t i = 0; i < small->len; i++)
    cr_expect(strlist_has(large, small->items[i]), "%s: %s", what, small->items[i]);
}

static void expect_ceiling(int64_t tight, int64_t loose, const char *what) {
  cr_expect(loose < 0 || (tight >= 0 && tight <= loose), "%s: %lld above %lld", what, (long long)tight,
            (long long)loose);
}

static void expect_lists_stricter(const struct policy *p, const struct policy *q) {
  expect_subset(&p->capabilities.allow, &q->capabilities.allow, "capabilities");
  expect_subset(&q->seccomp.floor, &p->seccomp.floor, "seccomp/floor");
  expect_subset(&q->mounts.enforce, &p->mounts.enforce, "mounts/enforce");
  expect_subset(&q->mounts.noexec, &p->mounts.noexec, "mounts/noexec");
  expect_subset(&q->mounts.deny_sources, &p->mounts.deny_sources, "mounts/denySources");
  expect_subset(&p->mounts.allow_sources, &q->mounts.allow_sources, "mounts/allowSources");
  expect_subset(&p->mounts.allow_types, &q->mounts.allow_types, "mounts/allowTypes");
  expect_subset(&q->paths.masked, &p->paths.masked, "paths/masked");
  expect_subset(&q->paths.readonly, &p->paths.readonly, "paths/readonly");
  expect_subset(&p->devices.allow, &q->devices.allow, "devices");
  expect_subset(&p->sysctl.allow, &q->sysctl.allow, "sysctl");
  expect_subset(&p->resources.unified, &q->resources.unified, "resources/unified");
  expect_subset(&q->environment.secrets, &p->environment.secrets, "environment/secrets");
  expect_subset(&p->environment.allow, &q->environment.allow, "environment/allow");
  expect_subset(&p->hooks.allow, &q->hooks.allow, "hooks");
  expect_subset(&q->annotations.deny, &p->annotations.deny, "annotations/deny");
  expect_subset(&p->annotations.allow, &q->annotations.allow, "annotations/allow");
}

static void expect_values_stricter(const struct policy *p, const struct policy *q) {
  cr_expect_geq(p->seccomp.native_only, q->seccomp.native_only);
  cr_expect_leq(p->seccomp.listener, q->seccomp.listener);
  cr_expect_geq(p->user.root, q->user.root);
  cr_expect_geq(p->user.drop_group_zero, q->user.drop_group_zero);
  cr_expect_geq(p->namespaces.pid, q->namespaces.pid);
  cr_expect_geq(p->namespaces.ipc, q->namespaces.ipc);
  cr_expect_geq(p->namespaces.uts, q->namespaces.uts);
  cr_expect_geq(p->namespaces.mount, q->namespaces.mount);
  cr_expect_geq(p->namespaces.cgroup, q->namespaces.cgroup);
  cr_expect_geq(p->namespaces.network, q->namespaces.network);
  cr_expect_leq(p->namespaces.time_offsets, q->namespaces.time_offsets);
  cr_expect_leq(p->namespaces.net_devices, q->namespaces.net_devices);
  cr_expect_geq(p->rootfs.readonly, q->rootfs.readonly);
  cr_expect_geq(p->rootfs.private_propagation, q->rootfs.private_propagation);
  cr_expect_geq(p->mounts.recursive, q->mounts.recursive);
  expect_ceiling(p->resources.pids_max, q->resources.pids_max, "pidsMax");
  expect_ceiling(p->resources.memory_max, q->resources.memory_max, "memoryMax");
  expect_ceiling(p->resources.cpu_max, q->resources.cpu_max, "cpuMax");
  expect_ceiling(p->resources.nofile_max, q->resources.nofile_max, "nofileMax");
  expect_ceiling(p->resources.nproc_max, q->resources.nproc_max, "nprocMax");
  expect_ceiling(p->resources.core_max, q->resources.core_max, "coreMax");
  expect_ceiling(p->resources.rtprio_max, q->resources.rtprio_max, "rtprioMax");
  expect_ceiling(p->resources.nice_max, q->resources.nice_max, "niceMax");
  cr_expect_geq(p->process.oom_score_adj_min, q->process.oom_score_adj_min);
  cr_expect_geq(p->process.keyring, q->process.keyring);
  cr_expect_leq(p->process.preserve_fds, q->process.preserve_fds);
  cr_expect_leq(p->process.no_pivot, q->process.no_pivot);
  cr_expect_leq(p->hooks.engine, q->hooks.engine);
  cr_expect_leq(p->restore, q->restore);
  cr_expect_geq(p->on_log_failure, q->on_log_failure);
}

static void expect_stricter(const struct policy *p, const struct policy *q) {
  for (const struct jsonx_row *row = policy_rows; row->key; row++) {
    int tight, loose;
    if (row->type != JSONX_OBJECT)
      continue;
    memcpy(&tight, (const char *)p + row->offset, sizeof tight);
    memcpy(&loose, (const char *)q + row->offset, sizeof loose);
    cr_expect_geq(weight(policy_action(p, tight)), weight(policy_action(q, loose)), "%s than %s: %s", p->name,
                  q->name, row->key);
  }
  expect_lists_stricter(p, q);
  expect_values_stricter(p, q);
}

/* What runc (1.2 to 1.4) and crun (to 1.27) name in `features` as potentiallyUnsafeConfigAnnotations, an
 * example for each prefix, and what crun reads besides. */
Test(policy_builtin, annotations_that_runtimes_call_unsafe_are_denied) {
  static const char *const unsafe[] = {
    "bundle",
    "org.systemd.property.ExecStartPre",
    "org.criu.config",
    "run.oci.handler",
    "run.oci.seccomp_bpf_data",
    "run.oci.keep_original_groups",
    "module.wasm.image/variant",
    "krun.cpus",
  };
  const struct policy *const policies[] = { &baseline, &restricted, &strict };
  for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
    for (size_t k = 0; k < ARRAY_SIZE(unsafe); k++)
      cr_expect(strlist_matches(&policies[i]->annotations.deny, unsafe[k]) &&
                    !strlist_matches(&policies[i]->annotations.allow, unsafe[k]),
                "%s: %s", policies[i]->name, unsafe[k]);
    /* crun names this too, because its WebAssembly handler, which none of the above can ask for, looks
     * whether it is in a sandbox. containerd writes it, and its shims read it. */
    cr_expect_not(strlist_matches(&policies[i]->annotations.deny, "io.kubernetes.cri.container-type"));
  }
}

Test(policy_builtin, each_is_no_looser_than_the_one_before) {
  expect_stricter(&baseline, &privileged);
  expect_stricter(&restricted, &baseline);
  expect_stricter(&strict, &restricted);
  cr_expect_eq(strict.on_log_failure, LOG_FAILURE_DENY);
  cr_expect_eq(strict.user.root, ROOT_REQUIRE_USER_NAMESPACE);
  cr_expect_eq(strict.environment.action, ACTION_DENY);
  cr_expect_not(strict.process.preserve_fds);
}

/* attacks that masks stop; /proc/kcore and its like come from baseline. */
Test(policy_builtin, restricted_masks_what_tells_of_the_kernel) {
  static const char *const paths[] = {
    "/proc/kallsyms", "/proc/config.gz",  "/proc/cmdline",     "/proc/key-users",        "/proc/iomem",
    "/proc/slabinfo", "/proc/kpagecount", "/proc/vmallocinfo", "/proc/interrupts",       "/proc/kcore",
    "/proc/keys",     "/sys/firmware",    "/sys/kernel/notes", "/sys/kernel/vmcoreinfo", "/sys/kernel/btf",
    "/sys/module",
  };
  for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
    cr_expect(strlist_has(&restricted.paths.masked, paths[i]), "%s", paths[i]);
}

Test(policy_builtin, floors_name_system_calls) {
  for (size_t i = 0; i < strict.seccomp.floor.len; i++) {
    const char *name = strict.seccomp.floor.items[i];
    cr_expect_neq(seccomp_syscall_resolve_name(name), __NR_SCMP_ERROR, "%s", name);
  }
}

/* The floor is on the runtime itself and on its hooks: what they call between our exec and the container's
 * must not be in it. Taken from traces of runc, crun and docker's network hook. */
Test(policy_builtin, floors_leave_the_runtime_what_it_needs) {
  static const char *const needed[] = {
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "setns",
    "unshare",
    "clone",
    "clone3",
    "execve",
    "execveat",
    "keyctl",
    "bpf",
    "prctl",
    "seccomp",
    "capset",
    "sethostname",
    "setdomainname",
    "mknodat",
    "fchown",
    "fchownat",
    "setgroups",
    "setresuid",
    "setresgid",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "mount_setattr",
    "openat2",
    "pidfd_open",
    "memfd_create",
    "personality",
    "ioprio_set",
    "sched_setattr",
    "sched_setaffinity",
    "prlimit64",
    "setrlimit",
    "sendmsg",
    "recvmsg",
    "socketpair",
    "ptrace",
    "set_mempolicy",
    "mbind",
    "pidfd_getfd",
    "pidfd_send_signal",
    "name_to_handle_at",
    "statx",
  };
  for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
    cr_expect_not(strlist_has(&strict.seccomp.floor, needed[i]), "%s", needed[i]);
}

Test(policy_builtin, profiles_are_built_in) {
  const struct policy *all[] = { &baseline, &restricted, &strict };
  for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
    cr_assert_not_null(all[i]->seccomp.profile);
    cr_expect_not_null(builtin_find(builtin_seccomp_profiles, all[i]->seccomp.profile), "%s",
                       all[i]->seccomp.profile);
  }
}

Test(policy_builtin, secrets_are_told_from_their_look_alikes) {
  static const struct {
    const char *name;
    bool secret;
  } cases[] = {
    { "DB_PASSWORD", true },
    { "PGPASSWORD", true },
    { "AWS_SECRET_ACCESS_KEY", true },
    { "GITHUB_TOKEN", true },
    { "STRIPE_API_KEY", true },
    { "TLS_PRIVATE_KEY", true },
    { "PATH", false },
    { "PWD", false },
    { "OLDPWD", false },
    { "GPG_KEY", false }, /* python's image: a public key's fingerprint */
    { "POSTGRES_PASSWORD_FILE", false },
    { "AWS_WEB_IDENTITY_TOKEN_FILE", false },
    { "TOKENIZERS_PARALLELISM", false },
    { "VAULT_SECRETS_SERVICE_HOST", false }, /* kubelet's, of a Service of that name */
    { "VAULT_SECRETS_PORT_443_TCP_ADDR", false },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    bool secret = strlist_matches(&strict.environment.secrets, cases[i].name) &&
                  !strlist_matches(&strict.environment.allow, cases[i].name);
    cr_expect_eq(secret, cases[i].secret, "%s", cases[i].name);
  }
}
