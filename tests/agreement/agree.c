/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Do the runtimes understand a document as we have verified it? Hostile ones are given to the wrapper, under
 * every policy, in front of runc and of crun:
 *
 *   agree BUNDLE WRAPPER ROOT RUNC-CONFIG CRUN-CONFIG CASES SEED
 *
 * BUNDLE/config.json is the plain document, whose program is tests/agreement/inside.c. Each is refused by us,
 * or by the runtime in its own words, or the process that runs finds itself to be what the config.json that
 * was left there says.
 */
#include "agreement/hostile.h"

#include "io/fileio.h"
#include "io/jsonx.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNTIMES = 2, COMPLAINTS = 10 };
static const char *const policies[] = { "privileged", "baseline", "restricted", "strict" };
static const char *const runtimes[RUNTIMES] = { "runc", "crun" };

struct agree {
  const char *bundle, *wrapper, *root, *configs[RUNTIMES];
  json_t *base;
  size_t runs, refused, left, ran, failed; /* left: refused by the runtime */
};

struct result {
  int status;
  char *out, *err;
  size_t out_len, err_len;
};

static _Noreturn void give_up(const char *what) {
  perror(what);
  exit(2);
}

static char *read_all(int fd, size_t *ret_len) {
  struct error err = { 0 };
  char *text = NULL;
  if (lseek(fd, 0, SEEK_SET) < 0 || file_read_fd(fd, "output", SIZE_MAX / 4, &text, ret_len, &err) < 0)
    give_up("output");
  close(fd);
  return text;
}

static void run(const struct agree *a, const char *policy, int runtime, const char *id, struct result *ret) {
  const int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
  const pid_t pid = fork();
  if (pid == 0) {
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
      _exit(126);
    execl(a->wrapper, a->wrapper, "--config", a->configs[runtime], "--policy", policy, "--root", a->root,
          "run", "--bundle", a->bundle, id, (char *)NULL);
    _exit(127);
  }
  if (pid < 0 || waitpid(pid, &ret->status, 0) < 0)
    give_up("run");
  ret->out = read_all(out, &ret->out_len);
  ret->err = read_all(err, &ret->err_len);
}

static void result_free(struct result *r) {
  free(r->out);
  free(r->err);
}

static void write_config(const struct agree *a, const struct str *text) {
  CLEANUP_FREE char *path = xasprintf("%s/config.json", a->bundle);
  CLEANUP_FREE char *kept = xasprintf("%s/config.engine.json", a->bundle);
  CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  (void)unlink(kept);
  if (fd < 0 || write_all(fd, text->data, text->len) < 0)
    give_up(path);
}

/* What the runtime was given, as a strict reader has it. NULL: none has. */
static json_t *read_config(const struct agree *a) {
  CLEANUP_FREE char *path = xasprintf("%s/config.json", a->bundle);
  CLEANUP_FREE char *text = NULL;
  struct jsonx_source src = { .name = path };
  struct error err = { 0 };
  json_t *value = NULL;
  if (file_read(AT_FDCWD, path, RESOLVE_TRUSTED, SIZE_MAX / 4, &text, &src.len, NULL, &err) < 0)
    give_up(path);
  src.text = text;
  return jsonx_parse(&src, SIZE_MAX, &value, &err) == 0 ? value : NULL;
}

/* The process's words: does it say the line? */
static bool says(const struct result *r, const char *line) {
  CLEANUP_FREE char *whole = xasprintf("\n%s\n", line);
  return strstr(r->out, whole) != NULL;
}

struct comparison {
  const struct result *result;
  const json_t *config;
  char why[512]; /* empty: they agree */
};

static void expect(struct comparison *c, char *line) {
  if (!says(c->result, line) && !c->why[0])
    snprintf(c->why, sizeof c->why, "it does not find \"%s\"", line);
  free(line);
}

static char *hex(const char *name, const char *text) {
  CLEANUP_STR struct str out = { 0 };
  str_addf(&out, "%s ", name);
  for (const char *p = text; *p; p++)
    str_addf(&out, "%02x", (unsigned char)*p);
  return str_steal(&out);
}

static uint64_t number(const json_t *value) {
  uint64_t n = 0;
  (void)jsonx_u64_get(value, &n);
  return n;
}

static uint64_t capability_bits(const json_t *set) {
  uint64_t bits = 0;
  size_t i;
  json_t *item;
  json_array_foreach(set, i, item) {
    cap_value_t value;
    if (cap_from_name(json_string_value(item), &value) == 0 && value < 64)
      bits |= (uint64_t)1 << value;
  }
  return bits;
}

static void compare_capabilities(struct comparison *c) {
  static const char *const sets[] = { "bounding", "effective", "permitted", "inheritable", "ambient" };
  const json_t *capabilities = jsonx_at(c->config, "/process/capabilities");
  const bool root = number(jsonx_at(c->config, "/process/user/uid")) == 0;
  const uint64_t bounding = capability_bits(json_object_get(capabilities, "bounding"));
  if (!json_is_object(capabilities))
    return; /* the runtimes' own defaults differ */
  for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
    CLEANUP_FREE char *prefix = xasprintf("\n%s ", sets[i]);
    const char *line = strstr(c->result->out, prefix);
    uint64_t found = line ? strtoull(line + strlen(prefix), NULL, 16) : UINT64_MAX;
    uint64_t meant = capability_bits(json_object_get(capabilities, sets[i]));
    /* execve gives root what is bounding, others only what is ambient: never more than was verified. */
    if (i == 1 || i == 2)
      meant = root ? bounding | meant : capability_bits(json_object_get(capabilities, "ambient"));
    if ((found & ~meant) && !c->why[0])
      snprintf(c->why, sizeof c->why, "%s is %016" PRIx64 " and was to be %016" PRIx64, sets[i], found,
               meant);
  }
}

/* Of a name that is there twice, some take the first and some the last. */
static bool is_once(const json_t *env, size_t index) {
  const char *text = json_string_value(json_array_get(env, index));
  const size_t len = strcspn(text, "=") + 1;
  for (size_t i = 0; i < json_array_size(env); i++)
    if (i != index && strncmp(json_string_value(json_array_get(env, i)), text, len) == 0)
      return false;
  return true;
}

static void compare_process(struct comparison *c) {
  const json_t *process = json_object_get(c->config, "process"), *user = json_object_get(process, "user");
  const json_t *env = json_object_get(process, "env"), *limits = json_object_get(process, "rlimits");
  size_t i;
  json_t *item;
  CLEANUP_STR struct str args = { 0 };
  expect(c, xasprintf("uid %" PRIu64, number(json_object_get(user, "uid"))));
  expect(c, xasprintf("gid %" PRIu64, number(json_object_get(user, "gid"))));
  json_array_foreach(json_object_get(user, "additionalGids"), i, item) {
    expect(c, xasprintf("group %" PRIu64, number(item)));
  }
  if (json_is_true(json_object_get(process, "noNewPrivileges")))
    expect(c, xstrdup("nnp 1"));
  expect(c, hex("cwd", json_string_value(json_object_get(process, "cwd"))));
  json_array_foreach(json_object_get(process, "args"), i, item) {
    CLEANUP_FREE char *line = hex("arg", json_string_value(item));
    str_addf(&args, "%s%s", i ? "\n" : "", line);
  }
  expect(c, xstrdup(args.data));
  json_array_foreach(env, i, item) {
    if (is_once(env, i) && strchr(json_string_value(item), '='))
      expect(c, hex("env", json_string_value(item)));
  }
  json_array_foreach(limits, i, item) {
    const char *type = json_string_value(json_object_get(item, "type"));
    if (strcmp(type, "RLIMIT_NOFILE") == 0 || strcmp(type, "RLIMIT_CORE") == 0 ||
        strcmp(type, "RLIMIT_NPROC") == 0)
      expect(c, xasprintf("%s %" PRIu64 " %" PRIu64, type, number(json_object_get(item, "soft")),
                          number(json_object_get(item, "hard"))));
  }
}

/* The options of the last mount of the place, in commas; NULL: none. The caller frees. */
static char *mount_options(const struct result *r, const char *place) {
  char at[4096], options[4096];
  char *found = NULL;
  for (const char *line = strstr(r->out, "\nmount "); line; line = strstr(line + 1, "\nmount ")) {
    if (sscanf(line, "\nmount %*s %*s %*s %*s %4095s %4095s", at, options) != 2 || strcmp(at, place) != 0)
      continue;
    free(found);
    found = xasprintf(",%s,", options);
  }
  return found;
}

static void expect_option(struct comparison *c, const char *options, const char *option, const char *place) {
  CLEANUP_FREE char *word = xasprintf(",%s,", option);
  if (!strstr(options, word) && !c->why[0])
    snprintf(c->why, sizeof c->why, "%s is not %s but %s", place, option, options);
}

/* That what was verified to be there is there, with its restrictions. */
static void compare_mounts(struct comparison *c) {
  static const char *const pairs[][2] = {
    { "nosuid", "suid" }, { "nodev", "dev" }, { "noexec", "exec" }, { "ro", "rw" }
  };
  size_t i, j;
  json_t *mount, *item;
  json_array_foreach(json_object_get(c->config, "mounts"), i, mount) {
    const char *place = json_string_value(json_object_get(mount, "destination"));
    const char *type = json_string_value(json_object_get(mount, "type"));
    /* Version 1: hierarchies below a tmpfs of the runtime's own. */
    CLEANUP_FREE char *hierarchy = type && strcmp(type, "cgroup") == 0 ? xasprintf("%s/memory", place) : NULL;
    CLEANUP_FREE char *line = hierarchy ? mount_options(c->result, hierarchy) : NULL;
    if (!line)
      line = mount_options(c->result, place);
    if (!line)
      continue; /* without /proc nothing is said; a link in the rootfs leads elsewhere */
    for (size_t p = 0; p < ARRAY_SIZE(pairs); p++) {
      bool set = false;
      json_array_foreach(json_object_get(mount, "options"), j, item) {
        set = (set || strcmp(json_string_value(item), pairs[p][0]) == 0) &&
              strcmp(json_string_value(item), pairs[p][1]) != 0;
      }
      if (set)
        expect_option(c, line, pairs[p][0], place);
    }
  }
  CLEANUP_FREE char *root = mount_options(c->result, "/");
  if (root && json_is_true(jsonx_at(c->config, "/root/readonly")))
    expect_option(c, root, "ro", "/");
}

/* NULL, or where they do not agree; the caller frees. */
static char *compare(const struct result *r, const json_t *config) {
  struct comparison c = { .result = r, .config = config };
  const char *hostname = json_string_value(json_object_get(config, "hostname"));
  compare_process(&c);
  compare_capabilities(&c);
  compare_mounts(&c);
  if (hostname && *hostname)
    expect(&c, hex("hostname", hostname));
  return c.why[0] ? xstrdup(c.why) : NULL;
}

static void complain(struct agree *a, uint64_t seed, const char *what, const char *policy, int runtime,
                     const struct result *r, const char *why) {
  printf("agree: seed %" PRIu64 " (%s), %s, %s: %s\nstatus %#x: %.300s\n", seed, what, policy,
         runtimes[runtime], why, r->status, r->err);
  if (++a->failed >= COMPLAINTS)
    exit(1);
}

static void judge(struct agree *a, uint64_t seed, const char *what, const char *policy, int runtime,
                  const struct result *r) {
  a->runs++;
  if (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 1 && str_starts(r->err, "oci-harden: ")) {
    a->refused++;
    if (strstr(r->err, "OH-RUN-") || strstr(r->err, "defect"))
      complain(a, seed, what, policy, runtime, r, "refused as our own fault");
    return;
  }
  if (!str_ends(r->out, "\nend\n")) {
    a->left++; /* nothing of the image has spoken */
    if (r->out_len > 0 || (WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0))
      complain(a, seed, what, policy, runtime, r, "neither refused nor run");
    return;
  }
  json_auto_t *config = read_config(a);
  CLEANUP_FREE char *why = config ? compare(r, config) : xstrdup("it runs what no strict reader takes");
  a->ran++;
  if (why)
    complain(a, seed, what, policy, runtime, r, why);
}

static void try(struct agree *a, uint64_t seed) {
  CLEANUP_STR struct str text = { 0 };
  const char *what = hostile_make(a->base, seed, &text);
  for (size_t p = 0; p < ARRAY_SIZE(policies); p++)
    for (int r = 0; r < RUNTIMES; r++) {
      struct result result = { 0 };
      CLEANUP_FREE char *id = xasprintf("a%" PRIu64 "-%zu-%d", seed, p, r);
      write_config(a, &text);
      run(a, policies[p], r, id, &result);
      judge(a, seed, what, policies[p], r, &result);
      result_free(&result);
    }
}

int main(int argc, char **argv) {
  if (argc != 8) {
    fputs("agree: see the top of tests/agreement/agree.c\n", stderr);
    return 2;
  }
  struct agree a = {
    .bundle = argv[1], .wrapper = argv[2], .root = argv[3], .configs = { argv[4], argv[5] }
  };
  const uint64_t cases = strtoull(argv[6], NULL, 10), seed = strtoull(argv[7], NULL, 10);
  a.base = read_config(&a);
  if (!a.base)
    give_up("the plain config.json");
  for (uint64_t i = 0; i < cases; i++)
    try(&a, seed + i);
  printf("agree: %" PRIu64 " documents from seed %" PRIu64
         ", %zu runs: %zu refused by us, %zu by the runtime, %zu ran as "
         "verified, %zu wrong\n",
         cases, seed, a.runs, a.refused, a.left, a.ran - a.failed, a.failed);
  json_decref(a.base);
  return a.failed > 0 || a.ran == 0 || a.refused == 0;
}
