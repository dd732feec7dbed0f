/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/config.h"

#include "io/fileio.h"
#include "policy/decode.h"
#include "policy/form.h"
#include "policy/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Behind those of systemd's containers (524288 to 1879048191), and below its foreign ids (from 2147352576).
 */
#define ID_START_DEFAULT INT64_C(1879048192)
#define ID_COUNT_DEFAULT (INT64_C(4064) * ID_BLOCK)
#define ID_MAX (INT64_C(65535) * ID_BLOCK) /* the last block holds the id that means none */

enum { CONFIG_LIMIT_MIN = 4096, CONFIG_LIMIT_MAX = 256 << 20, KIND_BY_NAME = -1 };

#define NAME_PATTERN "^[a-z0-9][a-z0-9._-]*$"
#define NAME_WANT "a policy's name: lower case letters, digits, '.', '_' and '-'"

static const char *const kind_names[] = { "runc", "crun", NULL }; /* index is enum runtime_kind */

static const struct jsonx_row runtime_rows[] = {
  { "path", JSONX_STRING, offsetof(struct runtime_choice, path), .doc = "Absolute path.", .pattern = "^/" },
  { "type", JSONX_ENUM, offsetof(struct runtime_choice, kind),
    .doc = "Whose command line it takes; absent: crun when the file's name starts with crun, else runc.",
    .names = kind_names },
  { .key = NULL },
};

static const struct form runtime_forms[] = {
  { "/path", form_path, "an absolute path" },
  { .pointer = NULL },
};

#define RULE_GLOB(key, member, text)                                                                         \
  { key, JSONX_STRING, offsetof(struct rule, member), .doc = text }

static const struct jsonx_row rule_rows[] = {
  { "policy", JSONX_STRING, offsetof(struct rule, policy), .doc = "The policy of containers that match.",
    .pattern = NAME_PATTERN },
  RULE_GLOB("podNamespace", pod_namespace, "The pod's namespace (glob)."),
  RULE_GLOB("pod", pod, "The pod's name (glob)."),
  RULE_GLOB("container", container, "The container's name in its pod (glob)."),
  RULE_GLOB("image", image, "The image's name as the engine records it (glob)."),
  { "containerType", JSONX_STRING, offsetof(struct rule, container_type),
    .doc = "sandbox for a pod's pause process, container for all others.",
    .pattern = "^(sandbox|container)$" },
  RULE_GLOB("root", root, "The runtime's --root, which tells the engine and its namespace (glob)."),
  RULE_GLOB("name", name, "The name that the wrapper was called by (glob)."),
  { .key = NULL },
};

static bool is_container_type(const char *s) {
  return strcmp(s, "sandbox") == 0 || strcmp(s, "container") == 0;
}

static const struct form rule_forms[] = {
  { "/policy", policy_name_is_valid, NAME_WANT },
  { "/containerType", is_container_type, "\"sandbox\" or \"container\"" },
  { .pointer = NULL },
};

static void runtimes_free(struct config *c) {
  for (size_t i = 0; i < c->runtimes_len; i++)
    rows_free(runtime_rows, &c->runtimes[i]);
  free(c->runtimes);
  c->runtimes = NULL;
  c->runtimes_len = 0;
}

static void rules_free(struct config *c) {
  for (size_t i = 0; i < c->rules_len; i++)
    rows_free(rule_rows, &c->rules[i]);
  free(c->rules);
  c->rules = NULL;
  c->rules_len = 0;
}

static int kind_by_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return str_starts(slash ? slash + 1 : path, "crun") ? RUNTIME_CRUN : RUNTIME_RUNC;
}

static struct runtime_choice *add_runtime(struct config *c) {
  c->runtimes = xrealloc(c->runtimes, c->runtimes_len + 1, sizeof *c->runtimes);
  struct runtime_choice *r = &c->runtimes[c->runtimes_len++];
  *r = (struct runtime_choice){ .kind = KIND_BY_NAME };
  return r;
}

/* A path, or an object with a path and a type. */
static int decode_runtime(const json_t *value, const struct jsonx_source *src, const char *at,
                          struct runtime_choice *ret, struct error *err) {
  if (json_is_string(value) && !jsonx_is_integer(value)) {
    ret->path = xstrdup(json_string_value(value));
    if (!form_path(ret->path))
      return jsonx_error(err, ERROR_POLICY, src, at, "\"%.200s\" is not an absolute path", ret->path);
  } else if (jsonx_decode(value, src, at, runtime_rows, ret, err) < 0 ||
             forms_check(value, at, src, runtime_forms, err) < 0) {
    return -1;
  }
  if (!ret->path)
    return jsonx_error(err, ERROR_POLICY, src, at, "has no \"path\"");
  if (ret->kind == KIND_BY_NAME)
    ret->kind = kind_by_name(ret->path);
  return 0;
}

static int decode_runtimes(const json_t *value, const struct jsonx_source *src, const char *pointer,
                           void *member, struct error *err) {
  struct config *c = member;
  if (!json_is_array(value) || json_array_size(value) == 0)
    return jsonx_error(err, ERROR_POLICY, src, pointer, "must be a list of at least one runtime");
  runtimes_free(c);
  for (size_t i = 0; i < json_array_size(value); i++) {
    CLEANUP_FREE char *at = xasprintf("%s/%zu", pointer, i);
    if (decode_runtime(json_array_get(value, i), src, at, add_runtime(c), err) < 0)
      return -1;
  }
  return 0;
}

static json_t *encode_runtimes(const void *member) {
  const struct config *c = member;
  json_t *array = json_array();
  for (size_t i = 0; i < c->runtimes_len; i++)
    jsonx_append_new(array, jsonx_encode(runtime_rows, &c->runtimes[i]));
  return array;
}

static int decode_rules(const json_t *value, const struct jsonx_source *src, const char *pointer,
                        void *member, struct error *err) {
  struct config *c = member;
  if (!json_is_array(value))
    return jsonx_error(err, ERROR_POLICY, src, pointer, "must be a list of rules");
  rules_free(c);
  for (size_t i = 0; i < json_array_size(value); i++) {
    const json_t *item = json_array_get(value, i);
    CLEANUP_FREE char *at = xasprintf("%s/%zu", pointer, i);
    c->rules = xrealloc(c->rules, c->rules_len + 1, sizeof *c->rules);
    struct rule *rule = &c->rules[c->rules_len++];
    *rule = (struct rule){ 0 };
    if (jsonx_decode(item, src, at, rule_rows, rule, err) < 0 ||
        forms_check(item, at, src, rule_forms, err) < 0)
      return -1;
    if (!rule->policy)
      return jsonx_error(err, ERROR_POLICY, src, at, "has no \"policy\"");
  }
  return 0;
}

static json_t *encode_rules(const void *member) {
  const struct config *c = member;
  json_t *array = json_array();
  for (size_t i = 0; i < c->rules_len; i++)
    jsonx_append_new(array, jsonx_encode(rule_rows, &c->rules[i]));
  return array;
}

#define CONFIG_STRING(key, member, form, text)                                                               \
  { key, JSONX_STRING, offsetof(struct config, member), .doc = text, .pattern = form }

static const struct jsonx_row id_range_rows[] = {
  { "start", JSONX_INT, 0, .doc = "The first id, a multiple of 65536.", .min = ID_BLOCK, .max = ID_MAX },
  { "count", JSONX_INT, sizeof(int64_t),
    .doc = "How many, a multiple of 65536; each container or pod takes as many.", .min = ID_BLOCK,
    .max = ID_MAX },
  { .key = NULL },
};

/* The lists need their lengths too, so that their member is the whole struct. */
static const struct jsonx_row config_rows[] = {
  { "runtimes", JSONX_CUSTOM, 0, .doc = "Runtimes to execute; the first whose file exists.",
    .decode = decode_runtimes, .encode = encode_runtimes,
    .schema = "{\"type\": \"array\", \"minItems\": 1}" },
  CONFIG_STRING("defaultPolicy", default_policy, NAME_PATTERN, "The policy where no rule matches."),
  { "rules", JSONX_CUSTOM, 0, .doc = "Which container gets which policy; the first rule that matches.",
    .decode = decode_rules, .encode = encode_rules, .schema = "{\"type\": \"array\"}" },
  CONFIG_STRING("policyDir", policy_dir, "^/", "Where policy files are."),
  CONFIG_STRING("stateDir", state_dir, "^/", "What later verbs need to know of a container."),
  CONFIG_STRING("cacheDir", cache_dir, "^/", "Compiled seccomp filters."),
  CONFIG_STRING("hook", hook, "^/", "oci-harden-hook; absent: the one beside the wrapper."),
  CONFIG_STRING("events", events, "^(/.*)?$", "The file that events are appended to; empty writes none."),
  CONFIG_STRING("policyAnnotation", policy_annotation, "^[^ ]*$",
                "The annotation by which a container may ask for a further policy; empty takes none."),
  { "idRange", JSONX_OBJECT, offsetof(struct config, id_range),
    .doc =
        "The host's ids that containers in user namespaces of ours are mapped to. Blocks that /etc/subuid or "
        "/etc/subgid gives to somebody are left out.",
    .rows = id_range_rows },
  CONFIG_STRING(
      "mapDir", map_dir, "^/",
      "Where ID-mapped roots and volumes are; every user must be able to enter the directories above."),
  { "configLimit", JSONX_INT, offsetof(struct config, config_limit),
    .doc = "Bytes that a config.json or process file may have.", .min = CONFIG_LIMIT_MIN,
    .max = CONFIG_LIMIT_MAX },
  { .key = NULL },
};

static bool is_path_or_empty(const char *s) {
  return !*s || form_path(s);
}

static bool is_word_or_empty(const char *s) {
  return !*s || form_word(s);
}

static const struct form config_forms[] = {
  { "/defaultPolicy", policy_name_is_valid, NAME_WANT },
  { "/policyDir", form_path, "an absolute path" },
  { "/stateDir", form_path, "an absolute path" },
  { "/cacheDir", form_path, "an absolute path" },
  { "/mapDir", form_path, "an absolute path" },
  { "/hook", form_path, "an absolute path" },
  { "/events", is_path_or_empty, "an absolute path, or empty" },
  { "/policyAnnotation", is_word_or_empty, "an annotation's key, or empty" },
  { .pointer = NULL },
};

void config_free(struct config *c) {
  runtimes_free(c);
  rules_free(c);
  rows_free(config_rows, c);
}

static void close_file(FILE **f) {
  if (*f)
    fclose(*f);
}

/*
 * Whose node this is. podman without root runs us as uid 0 of a user namespace, in which /run is not ours:
 * the uid outside, which owns /run/user/UID, is then the second number of our uid map.
 */
static unsigned owner_uid(void) {
  if (geteuid() != 0)
    return geteuid();
  CLEANUP(close_file) FILE *map = fopen("/proc/self/uid_map", "re");
  unsigned inside = 0, outside = 0;
  if (!map || fscanf(map, "%u %u", &inside, &outside) != 2 || inside != 0 || outside == 0)
    return 0;
  /* cppcheck-suppress resourceLeak ; close_file closes it */
  return access("/run", W_OK) == 0 ? 0 : outside;
}

static void set_default(char **member, char *value) {
  if (*member)
    free(value);
  else
    *member = value;
}

static void add_default_runtimes(struct config *c) {
  static const char *const paths[] = { "/usr/bin/runc",        "/usr/sbin/runc",     "/usr/local/sbin/runc",
                                       "/usr/local/bin/runc",  "/usr/bin/crun",      "/usr/sbin/crun",
                                       "/usr/local/sbin/crun", "/usr/local/bin/crun" };
  for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
    struct runtime_choice *r = add_runtime(c);
    r->path = xstrdup(paths[i]);
    r->kind = kind_by_name(paths[i]);
  }
}

static void add_defaults(struct config *c) {
  const unsigned uid = c->state_dir && c->events ? 0 : owner_uid(); /* only those two ask for it */
  if (c->runtimes_len == 0)
    add_default_runtimes(c);
  set_default(&c->default_policy, xstrdup("restricted"));
  set_default(&c->policy_dir, xstrdup("/etc/oci-harden/policies"));
  set_default(&c->state_dir, uid ? xasprintf("/run/user/%u/oci-harden", uid) : xstrdup("/run/oci-harden"));
  set_default(&c->cache_dir, xasprintf("%s/.cache", c->state_dir));
  set_default(&c->map_dir, xstrdup("/run/oci-harden.maps"));
  set_default(&c->events,
              uid ? xasprintf("%s/events.json", c->state_dir) : xstrdup("/var/log/oci-harden/events.json"));
  set_default(&c->policy_annotation, xstrdup("oci-harden.policy"));
}

static int check_ids(const struct config *c, const struct jsonx_source *src, struct error *err) {
  if (c->id_range.start % ID_BLOCK || c->id_range.count % ID_BLOCK)
    return jsonx_error(err, ERROR_POLICY, src, "/idRange", "start and count must be multiples of %d",
                       ID_BLOCK);
  if (c->id_range.start + c->id_range.count > ID_MAX)
    return jsonx_error(err, ERROR_POLICY, src, "/idRange", "goes beyond %lld", (long long)ID_MAX);
  return 0;
}

int config_decode(const struct jsonx_source *src, struct config *ret, struct error *err) {
  CLEANUP_CONFIG struct config c = { .config_limit = JSONX_LIMIT_DEFAULT,
                                     .id_range = { ID_START_DEFAULT, ID_COUNT_DEFAULT } };
  json_auto_t *root = NULL;
  if (policy_parse(src, &root, err) < 0)
    return -1;
  if (jsonx_decode(root, src, "", config_rows, &c, err) < 0 ||
      forms_check(root, "", src, config_forms, err) < 0 || check_ids(&c, src, err) < 0) {
    if (err->code == ERROR_INPUT)
      err->code = ERROR_POLICY;
    return -1;
  }
  add_defaults(&c);
  *ret = c;
  c = (struct config){ 0 };
  return 0;
}

int config_load(const char *path, struct config *ret, struct error *err) {
  const char *name = path ? path : CONFIG_PATH_DEFAULT;
  CLEANUP_FREE char *data = NULL;
  size_t len = 0;
  if (file_read_trusted(name, POLICY_SIZE_MAX, &data, &len, err) == 0)
    return config_decode(&(struct jsonx_source){ name, data, len }, ret, err);
  /* A link to nowhere is a configuration that cannot be read, not one that is absent. */
  if (!path && err->sys == ENOENT && faccessat(AT_FDCWD, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
    *err = (struct error){ 0 };
    return config_decode(&(struct jsonx_source){ name, "{}", 2 }, ret, err);
  }
  if (err->code == ERROR_INPUT)
    err->code = ERROR_POLICY;
  return -1;
}

json_t *config_schema(void) {
  json_t *schema =
      schema_new(config_rows, "config", "oci-harden configuration",
                 "Which runtimes the wrapper executes, where things are, and which container gets "
                 "which policy.");
  json_t *rule = jsonx_schema(rule_rows);
  jsonx_set_new(rule, "required", json_pack("[s]", "policy"));
  jsonx_set_new(jsonx_at(schema, "/properties/rules"), "items", rule);
  json_t *runtime = jsonx_schema(runtime_rows);
  jsonx_set_new(runtime, "required", json_pack("[s]", "path"));
  json_t *either = json_pack("[{ss,ss},o]", "type", "string", "pattern", "^/", runtime);
  jsonx_set_new(jsonx_at(schema, "/properties/runtimes"), "items", json_pack("{so}", "oneOf", either));
  return schema;
}
