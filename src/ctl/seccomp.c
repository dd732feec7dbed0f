/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl seccomp show | simulate | merge: what profiles let through, judged on the BPF that is made of
 * them */
#include "base/str.h"
#include "ctl/command.h"
#include "io/fileio.h"
#include "seccomp/arch.h"
#include "seccomp/compile.h"
#include "seccomp/merge.h"
#include "seccomp/profile_file.h"
#include "seccomp/simulate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROFILE_ARGS                                                                                         \
  "a built-in profile's name, a profile file, an OCI seccomp section, a config.json, or policy:NAME"

/* --- profiles named on the command line --- */

/* The section of a text: a profile file, a config.json, or a section itself. */
static int section_of(const struct jsonx_source *src, json_t **ret, struct error *err) {
  json_auto_t *root = NULL;
  if (spec_read_json(src, JSONX_LIMIT_DEFAULT, &root, err) < 0)
    return -1;
  if (json_object_get(root, "groups"))
    return seccomp_profile_file_parse(src, ret, err);
  json_t *section = json_object_get(root, "ociVersion") ? jsonx_at(root, "/linux/seccomp") : root;
  if (!json_is_object(section))
    return error_set(err, ERROR_INPUT, 0, "%s: has no seccomp section: nothing is filtered", src->name);
  *ret = json_incref(section);
  return 0;
}

static int read_section(const char *path, json_t **ret, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  int failed;
  if (strcmp(path, "-") == 0) {
    failed = file_read_fd(STDIN_FILENO, "<stdin>", JSONX_LIMIT_DEFAULT, &text, &len, err);
  } else {
    CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return error_set(err, ERROR_SYSTEM, errno, "%s", path);
    failed = file_read_fd(fd, path, JSONX_LIMIT_DEFAULT, &text, &len, err);
  }
  if (failed < 0)
    return -1;
  const struct jsonx_source src = { path, text, len };
  return section_of(&src, ret, err);
}

static int load_section(const char *name, json_t **ret, struct error *err) {
  if (strcmp(name, "-") == 0 || strchr(name, '/') || str_ends(name, ".json"))
    return read_section(name, ret, err);
  if (!str_starts(name, "policy:"))
    return seccomp_profile_file_load(name, ret, err);
  CLEANUP_CONFIG struct config config = { 0 };
  CLEANUP_POLICY struct policy policy = { 0 };
  if (ctl_load_config(&config, err) < 0 ||
      ctl_load_policy(&config, name + strlen("policy:"), &policy, err) < 0)
    return -1;
  if (!policy.seccomp.profile)
    return error_set(err, ERROR_POLICY, 0, "policy %s has no seccomp profile of its own", policy.name);
  return seccomp_profile_file_load(policy.seccomp.profile, ret, err);
}

static int load_profile(const char *name, struct seccomp_profile *ret, struct error *err) {
  json_auto_t *section = NULL;
  if (load_section(name, &section, err) < 0)
    return -1;
  if (seccomp_profile_decode(section, NULL, "", SECCOMP_ACCEPT_PERMISSIVE, ret, err) < 0)
    return error_wrap(err, "%s", name);
  return 0;
}

static int compile(const struct seccomp_profile *profile, struct seccomp_program *ret, struct error *err) {
  struct seccomp_compilation job = { .profile = profile, .abis = profile, .tree = true };
  if (seccomp_compile(&job, 1, &seccomp_compile_limits, err) < 0)
    return -1;
  *ret = job.program;
  return 0;
}

/* --- show --- */

enum { CALLS = 1024 }; /* above every number in use */

struct show_arguments {
  const char *profile;
  bool names, json;
};

static error_t parse_show(int key, char *arg, struct argp_state *state) {
  struct show_arguments *a = state->input;
  switch (key) {
  case 'n':
    a->names = true;
    return 0;
  case 'j':
    a->json = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->profile)
      argp_usage(state);
    a->profile = arg;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* The calls of one ABI that some arguments get past the filter, by name: a number without a name reaches
 * nothing. */
static json_t *reached(const struct seccomp_program *program, const struct seccomp_abi *abi) {
  static bool marks[CALLS];
  uint32_t first = seccomp_abi_is_x32(abi) ? SECCOMP_X32_BIT : 0;
  (void)bpf_reachable(program->filter, program->len, abi->audit, first, CALLS, marks);
  json_t *names = json_array();
  for (size_t nr = 0; nr < CALLS; nr++) {
    CLEANUP_FREE char *name = marks[nr] ? seccomp_abi_name(abi, (int)(first + nr)) : NULL;
    if (name)
      jsonx_append_new(names, jsonx_string_new(name));
  }
  return names;
}

static void show_text(const json_t *answer, bool with_names) {
  const char *abi;
  json_t *names;
  printf("default action: %s\n", json_string_value(json_object_get(answer, "default_action")));
  json_object_foreach(json_object_get(answer, "reachable"), abi, names) {
    printf("%s: %zu system calls reachable\n", abi, json_array_size(names));
    size_t i;
    json_t *name;
    if (with_names) {
      json_array_foreach(names, i, name)
        printf("  %s\n", json_string_value(name));
    }
  }
  printf("program: %lld instructions\n", json_integer_value(json_object_get(answer, "instructions")));
}

static int run_show(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct show_arguments a = { 0 };
  ctl_parse(self, argc, argv, parse_show, &a);
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  CLEANUP_SECCOMP_PROGRAM struct seccomp_program program = { 0 };
  if (load_profile(a.profile, &profile, err) < 0 || compile(&profile, &program, err) < 0)
    return -1;
  json_auto_t *answer = json_object();
  jsonx_set_new(answer, "default_action", jsonx_string_new(seccomp_action_oci(profile.default_action)));
  jsonx_set_new(answer, "instructions", json_integer((json_int_t)program.len));
  json_t *reachable = json_object();
  for (const struct seccomp_abi *abi = seccomp_abis; abi->oci; abi++) {
    if (seccomp_abi_is_local(abi))
      jsonx_set_new(reachable, abi->oci, reached(&program, abi));
  }
  jsonx_set_new(answer, "reachable", reachable);
  if (!a.json) {
    show_text(answer, a.names);
    return CTL_OK;
  }
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump_pretty(answer, &text);
  fputs(text.data, stdout);
  return CTL_OK;
}

const struct ctl_command ctl_seccomp_show = {
  .name = "seccomp show",
  .args = "PROFILE",
  .summary = "count the system calls that a profile lets through",
  .details = "Compiles the profile and counts, for each ABI that this machine's kernel may run, the system "
             "calls that some "
             "arguments get past the filter. PROFILE is " PROFILE_ARGS ".",
  .options =
      (const struct argp_option[]){
          { "names", 'n', NULL, 0, "list their names", 0 },
          { "json", 'j', NULL, 0, "print JSON, with the names", 0 },
          { 0 },
      },
  .run = run_show,
};

/* --- simulate --- */

struct simulate_arguments {
  const char *profile, *call, *abi;
  uint64_t args[SECCOMP_ARGS];
  unsigned len;
};

static error_t parse_simulate(int key, char *arg, struct argp_state *state) {
  struct simulate_arguments *a = state->input;
  char *end;
  switch (key) {
  case 'a':
    a->abi = arg;
    return 0;
  case ARGP_KEY_ARG:
    if (!a->profile) {
      a->profile = arg;
    } else if (!a->call) {
      a->call = arg;
    } else {
      if (a->len == SECCOMP_ARGS)
        argp_error(state, "a system call has at most %d arguments", SECCOMP_ARGS);
      errno = 0;
      a->args[a->len++] = strtoull(arg, &end, 0);
      if (*end || end == arg || errno)
        argp_error(state, "'%s' is no 64-bit number", arg);
    }
    return 0;
  case ARGP_KEY_END:
    if (!a->call)
      argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* The call's number, with the x32 bit where the ABI wants it; -1 with err. */
static int number_of(const struct seccomp_abi *abi, const char *call, int *ret, struct error *err) {
  char *end;
  long number = strtol(call, &end, 0);
  if (*call && !*end && number >= 0 && number < CALLS) {
    *ret = (int)number | (seccomp_abi_is_x32(abi) ? (int)SECCOMP_X32_BIT : 0);
    return 0;
  }
  *ret = seccomp_abi_number(abi, call);
  if (*ret < 0)
    return error_set(err, ERROR_USAGE, 0, "%s has no system call '%s'", abi->oci, call);
  return 0;
}

static int run_simulate(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct simulate_arguments a = { 0 };
  ctl_parse(self, argc, argv, parse_simulate, &a);
  const struct seccomp_abi *abi = a.abi ? seccomp_abi_by_oci(a.abi) : seccomp_abi_native();
  if (!abi)
    return error_set(err, ERROR_USAGE, 0,
                     "unknown ABI '%s'; names are as in the OCI spec, such as SCMP_ARCH_X86_64", a.abi);
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  CLEANUP_SECCOMP_PROGRAM struct seccomp_program program = { 0 };
  int number;
  if (number_of(abi, a.call, &number, err) < 0 || load_profile(a.profile, &profile, err) < 0 ||
      compile(&profile, &program, err) < 0)
    return -1;
  struct seccomp_data data = { .nr = number, .arch = abi->audit };
  memcpy(data.args, a.args, sizeof a.args);
  uint32_t verdict = bpf_run(program.filter, program.len, &data);
  const char *action = seccomp_action_oci(verdict);
  if ((verdict & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
    printf("%s %s\n", action, strerrorname_np((int)(verdict & SECCOMP_RET_DATA)));
  else
    printf("%s\n", action);
  return seccomp_action_permissive(verdict) ? CTL_OK : CTL_FINDINGS;
}

const struct ctl_command ctl_seccomp_simulate = {
  .name = "seccomp simulate",
  .args = "PROFILE SYSCALL [ARG...]",
  .summary = "ask a profile about one system call",
  .details =
      "Compiles the profile and runs its BPF on the call, by name or number, with up to six arguments "
      "(decimal, 0x or 0 "
      "octal; missing ones are 0). Prints the action. Exit status 0: the call is let through; 1: it is not. "
      "PROFILE is " PROFILE_ARGS ".",
  .options =
      (const struct argp_option[]){
          { "abi", 'a', "SCMP_ARCH_...", 0,
            "the ABI through which the call is made (default: this machine's own)", 0 },
          { 0 },
      },
  .run = run_simulate,
};

/* --- merge --- */

struct merge_arguments {
  const char *profiles[2];
  unsigned len;
  bool compat;
};

static error_t parse_merge(int key, char *arg, struct argp_state *state) {
  struct merge_arguments *a = state->input;
  switch (key) {
  case 'c':
    a->compat = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->len == 2)
      argp_usage(state);
    a->profiles[a->len++] = arg;
    return 0;
  case ARGP_KEY_END:
    if (a->len != 2)
      argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int run_merge(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct merge_arguments a = { 0 };
  ctl_parse(self, argc, argv, parse_merge, &a);
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile engine = { 0 };
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile policy = { 0 };
  if (load_profile(a.profiles[0], &engine, err) < 0 || load_profile(a.profiles[1], &policy, err) < 0)
    return -1;
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile merged = { 0 };
  CLEANUP_SECCOMP_MERGE_REPORT struct seccomp_merge_report report = { 0 };
  const struct seccomp_merge_options options = { .native_only = !a.compat, .runtime = RUNTIME_RUNC };
  seccomp_profile_merge(&engine, &policy, &options, &merged, &report);
  json_auto_t *section = seccomp_profile_encode(&merged);
  CLEANUP_STR struct str text = { 0 };
  jsonx_dump_pretty(section, &text);
  fputs(text.data, stdout);
  fprintf(stderr, "hardenctl: %zu names exact, %zu stricter than the exact intersection\n", report.exact,
          report.stricter.len);
  for (size_t i = 0; i < report.stricter.len; i++)
    fprintf(stderr, "  stricter: %s\n", report.stricter.items[i]);
  return CTL_OK;
}

const struct ctl_command ctl_seccomp_merge = {
  .name = "seccomp merge",
  .args = "ENGINE-PROFILE POLICY-PROFILE",
  .summary = "print the intersection of two profiles",
  .details = "Prints the OCI section that lets through only what both profiles let through. Says on standard "
             "error for how many "
             "names that could not be said exactly and became stricter. Each is " PROFILE_ARGS ".",
  .options =
      (const struct argp_option[]){
          { "compat", 'c', NULL, 0, "keep the compat ABIs that both profiles name", 0 },
          { 0 },
      },
  .run = run_merge,
};
