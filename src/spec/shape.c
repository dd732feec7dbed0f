/* SPDX-License-Identifier: Apache-2.0 */
#include "spec/shape.h"

#include "base/str.h"

#include <inttypes.h>
#include <string.h>

enum type {
  NONE,
  OBJECT,
  ARRAY,
  MAP, /* an object whose keys are free */
  STRING,
  BOOL,
  I32,
  I64,
  U16,
  U32,
  ID, /* a uid or gid; (uint32_t)-1 is none: setresuid takes it for "unchanged", and crun's container stays
         root */
  U64,
};

static const char *const type_names[] = {
  [OBJECT] = "an object",        [ARRAY] = "an array",          [MAP] = "an object",
  [STRING] = "a string",         [BOOL] = "a boolean",          [I32] = "an integer",
  [I64] = "an integer",          [U16] = "an unsigned integer", [U32] = "an unsigned integer",
  [U64] = "an unsigned integer", [ID] = "an unsigned integer",
};

/*
 * One member. In the pattern '*' stands for each item of an array or map. Parents come before children, so a
 * child may rely on its parent's type. `required` holds where the parent is present: there the runtimes
 * disagree on what absence means.
 */
struct row {
  const char *pattern;
  enum type type, item;
  bool required;
};

static const struct row rows[] = {
  { "/hostname", STRING, NONE, false },
  { "/domainname", STRING, NONE, false },
  { "/annotations", MAP, STRING, false },

  { "/root", OBJECT, NONE, false },
  { "/root/path", STRING, NONE, true },
  { "/root/readonly", BOOL, NONE, false },

  { "/process", OBJECT, NONE, false },
  { "/process/terminal", BOOL, NONE, false },
  { "/process/consoleSize", OBJECT, NONE, false },
  { "/process/user", OBJECT, NONE, false },
  { "/process/user/uid", ID, NONE, false },
  { "/process/user/gid", ID, NONE, false },
  { "/process/user/umask", U32, NONE, false },
  { "/process/user/additionalGids", ARRAY, ID, false },
  { "/process/user/username", STRING, NONE, false },
  { "/process/args", ARRAY, STRING, false },
  { "/process/commandLine", STRING, NONE, false },
  { "/process/env", ARRAY, STRING, false },
  { "/process/cwd", STRING, NONE, false },
  { "/process/capabilities", OBJECT, NONE, false },
  { "/process/capabilities/bounding", ARRAY, STRING, false },
  { "/process/capabilities/effective", ARRAY, STRING, false },
  { "/process/capabilities/inheritable", ARRAY, STRING, false },
  { "/process/capabilities/permitted", ARRAY, STRING, false },
  { "/process/capabilities/ambient", ARRAY, STRING, false },
  { "/process/rlimits", ARRAY, OBJECT, false },
  { "/process/rlimits/*/type", STRING, NONE, true },
  { "/process/rlimits/*/hard", U64, NONE, true },
  { "/process/rlimits/*/soft", U64, NONE, true },
  { "/process/noNewPrivileges", BOOL, NONE, false },
  { "/process/apparmorProfile", STRING, NONE, false },
  { "/process/selinuxLabel", STRING, NONE, false },
  { "/process/oomScoreAdj", I32, NONE, false },
  { "/process/scheduler", OBJECT, NONE, false },
  { "/process/scheduler/policy", STRING, NONE, true },
  { "/process/scheduler/nice", I32, NONE, false },
  { "/process/scheduler/priority", I32, NONE, false },
  { "/process/scheduler/flags", ARRAY, STRING, false },
  { "/process/ioPriority", OBJECT, NONE, false },
  { "/process/ioPriority/class", STRING, NONE, true },
  { "/process/ioPriority/priority", I32, NONE, false },
  { "/process/execCPUAffinity", OBJECT, NONE, false },
  { "/process/execCPUAffinity/initial", STRING, NONE, false },
  { "/process/execCPUAffinity/final", STRING, NONE, false },

  { "/mounts", ARRAY, OBJECT, false },
  { "/mounts/*/destination", STRING, NONE, true },
  { "/mounts/*/type", STRING, NONE, false },
  { "/mounts/*/source", STRING, NONE, false },
  { "/mounts/*/options", ARRAY, STRING, false },
  { "/mounts/*/uidMappings", ARRAY, OBJECT, false },
  { "/mounts/*/uidMappings/*/containerID", U32, NONE, true },
  { "/mounts/*/uidMappings/*/hostID", U32, NONE, true },
  { "/mounts/*/uidMappings/*/size", U32, NONE, true },
  { "/mounts/*/gidMappings", ARRAY, OBJECT, false },
  { "/mounts/*/gidMappings/*/containerID", U32, NONE, true },
  { "/mounts/*/gidMappings/*/hostID", U32, NONE, true },
  { "/mounts/*/gidMappings/*/size", U32, NONE, true },

  { "/hooks", OBJECT, NONE, false },
  { "/hooks/prestart", ARRAY, OBJECT, false },
  { "/hooks/createRuntime", ARRAY, OBJECT, false },
  { "/hooks/createContainer", ARRAY, OBJECT, false },
  { "/hooks/startContainer", ARRAY, OBJECT, false },
  { "/hooks/poststart", ARRAY, OBJECT, false },
  { "/hooks/poststop", ARRAY, OBJECT, false },
  { "/hooks/*/*/path", STRING, NONE, true },
  { "/hooks/*/*/args", ARRAY, STRING, false },
  { "/hooks/*/*/env", ARRAY, STRING, false },
  { "/hooks/*/*/timeout", I64, NONE, false },

  { "/linux", OBJECT, NONE, false },
  { "/linux/uidMappings", ARRAY, OBJECT, false },
  { "/linux/uidMappings/*/containerID", U32, NONE, true },
  { "/linux/uidMappings/*/hostID", U32, NONE, true },
  { "/linux/uidMappings/*/size", U32, NONE, true },
  { "/linux/gidMappings", ARRAY, OBJECT, false },
  { "/linux/gidMappings/*/containerID", U32, NONE, true },
  { "/linux/gidMappings/*/hostID", U32, NONE, true },
  { "/linux/gidMappings/*/size", U32, NONE, true },
  { "/linux/sysctl", MAP, STRING, false },
  { "/linux/cgroupsPath", STRING, NONE, false },
  { "/linux/namespaces", ARRAY, OBJECT, false },
  { "/linux/namespaces/*/type", STRING, NONE, true },
  { "/linux/namespaces/*/path", STRING, NONE, false },
  { "/linux/timeOffsets", MAP, OBJECT, false },
  { "/linux/timeOffsets/*/secs", I64, NONE, false },
  { "/linux/timeOffsets/*/nanosecs", U32, NONE, false },
  { "/linux/devices", ARRAY, OBJECT, false },
  { "/linux/devices/*/path", STRING, NONE, true },
  { "/linux/devices/*/type", STRING, NONE, true },
  { "/linux/devices/*/major", I64, NONE, false },
  { "/linux/devices/*/minor", I64, NONE, false },
  { "/linux/devices/*/fileMode", U32, NONE, false },
  { "/linux/devices/*/uid", U32, NONE, false },
  { "/linux/devices/*/gid", U32, NONE, false },
  { "/linux/netDevices", MAP, OBJECT, false },
  { "/linux/netDevices/*/name", STRING, NONE, false },
  { "/linux/rootfsPropagation", STRING, NONE, false },
  { "/linux/maskedPaths", ARRAY, STRING, false },
  { "/linux/readonlyPaths", ARRAY, STRING, false },
  { "/linux/mountLabel", STRING, NONE, false },
  { "/linux/intelRdt", OBJECT, NONE, false },
  { "/linux/intelRdt/closID", STRING, NONE, false },
  { "/linux/personality", OBJECT, NONE, false },
  { "/linux/personality/domain", STRING, NONE, true },
  { "/linux/personality/flags", ARRAY, STRING, false },
  { "/linux/memoryPolicy", OBJECT, NONE, false },

  { "/linux/seccomp", OBJECT, NONE, false },
  { "/linux/seccomp/defaultAction", STRING, NONE, true },
  { "/linux/seccomp/defaultErrnoRet", U32, NONE, false },
  { "/linux/seccomp/architectures", ARRAY, STRING, false },
  { "/linux/seccomp/flags", ARRAY, STRING, false },
  { "/linux/seccomp/listenerPath", STRING, NONE, false },
  { "/linux/seccomp/listenerMetadata", STRING, NONE, false },
  { "/linux/seccomp/syscalls", ARRAY, OBJECT, false },
  { "/linux/seccomp/syscalls/*/names", ARRAY, STRING, true },
  { "/linux/seccomp/syscalls/*/action", STRING, NONE, true },
  { "/linux/seccomp/syscalls/*/errnoRet", U32, NONE, false },
  { "/linux/seccomp/syscalls/*/args", ARRAY, OBJECT, false },
  { "/linux/seccomp/syscalls/*/args/*/index", U32, NONE, true },
  { "/linux/seccomp/syscalls/*/args/*/value", U64, NONE, true },
  { "/linux/seccomp/syscalls/*/args/*/valueTwo", U64, NONE, false },
  { "/linux/seccomp/syscalls/*/args/*/op", STRING, NONE, true },

  { "/linux/resources", OBJECT, NONE, false },
  { "/linux/resources/devices", ARRAY, OBJECT, false },
  { "/linux/resources/devices/*/allow", BOOL, NONE, true },
  { "/linux/resources/devices/*/type", STRING, NONE, false },
  { "/linux/resources/devices/*/major", I64, NONE, false },
  { "/linux/resources/devices/*/minor", I64, NONE, false },
  { "/linux/resources/devices/*/access", STRING, NONE, false },
  { "/linux/resources/memory", OBJECT, NONE, false },
  { "/linux/resources/memory/limit", I64, NONE, false },
  { "/linux/resources/memory/reservation", I64, NONE, false },
  { "/linux/resources/memory/swap", I64, NONE, false },
  { "/linux/resources/memory/kernel", I64, NONE, false },
  { "/linux/resources/memory/kernelTCP", I64, NONE, false },
  { "/linux/resources/memory/swappiness", U64, NONE, false },
  { "/linux/resources/memory/disableOOMKiller", BOOL, NONE, false },
  { "/linux/resources/memory/useHierarchy", BOOL, NONE, false },
  { "/linux/resources/memory/checkBeforeUpdate", BOOL, NONE, false },
  { "/linux/resources/cpu", OBJECT, NONE, false },
  { "/linux/resources/cpu/shares", U64, NONE, false },
  { "/linux/resources/cpu/quota", I64, NONE, false },
  { "/linux/resources/cpu/burst", U64, NONE, false },
  { "/linux/resources/cpu/period", U64, NONE, false },
  { "/linux/resources/cpu/realtimeRuntime", I64, NONE, false },
  { "/linux/resources/cpu/realtimePeriod", U64, NONE, false },
  { "/linux/resources/cpu/cpus", STRING, NONE, false },
  { "/linux/resources/cpu/mems", STRING, NONE, false },
  { "/linux/resources/cpu/idle", I64, NONE, false },
  { "/linux/resources/pids", OBJECT, NONE, false },
  { "/linux/resources/pids/limit", I64, NONE, false },
  { "/linux/resources/blockIO", OBJECT, NONE, false },
  { "/linux/resources/blockIO/weight", U16, NONE, false },
  { "/linux/resources/blockIO/leafWeight", U16, NONE, false },
  { "/linux/resources/hugepageLimits", ARRAY, OBJECT, false },
  { "/linux/resources/hugepageLimits/*/pageSize", STRING, NONE, true },
  { "/linux/resources/hugepageLimits/*/limit", U64, NONE, true },
  { "/linux/resources/network", OBJECT, NONE, false },
  { "/linux/resources/rdma", MAP, OBJECT, false },
  { "/linux/resources/unified", MAP, STRING, false },
};

/* The way from the root to a value, linked upwards; made into a pointer only for an error. */
struct frame {
  const struct frame *up;
  const char *key; /* NULL: an item of an array */
  size_t index;
};

static void render(const struct frame *f, struct str *pointer) {
  if (!f)
    return;
  render(f->up, pointer);
  if (f->key)
    jsonx_pointer_add(pointer, f->key);
  else
    jsonx_pointer_add_index(pointer, f->index);
}

struct check {
  const struct spec *spec;
  const struct row *row;
  struct error *err;
};

static int fail(const struct check *c, const struct frame *at, const char *rule, const char *problem,
                const char *what) {
  CLEANUP_STR struct str pointer = { 0 };
  str_add(&pointer, "");
  render(at, &pointer);
  return spec_error(c->err, c->spec, ERROR_INPUT, rule, pointer.data, false, "%s%s", problem, what);
}

static bool in_range(const json_t *v, enum type type) {
  uint64_t u = 0;
  bool unsigned_ok = jsonx_u64_get(v, &u);
  bool signed_ok = json_is_integer(v);
  json_int_t i = signed_ok ? json_integer_value(v) : 0;
  switch (type) {
  case I32:
    return signed_ok && i >= INT32_MIN && i <= INT32_MAX;
  case I64:
    return signed_ok;
  case U16:
    return unsigned_ok && u <= UINT16_MAX;
  case U32:
    return unsigned_ok && u <= UINT32_MAX;
  case ID:
    return unsigned_ok && u < UINT32_MAX;
  case U64:
    return unsigned_ok;
  case NONE:
  case OBJECT:
  case ARRAY:
  case MAP:
  case STRING:
  case BOOL:
    break;
  }
  return false;
}

static bool has_type(const json_t *v, enum type type) {
  switch (type) {
  case OBJECT:
  case MAP:
    return json_is_object(v);
  case ARRAY:
    return json_is_array(v);
  case STRING: /* integers above 2^63-1 are held as strings */
    return json_is_string(v) && !jsonx_is_integer(v);
  case BOOL:
    return json_is_boolean(v);
  case I32:
  case I64:
  case U16:
  case U32:
  case ID:
  case U64:
    return jsonx_is_integer(v);
  case NONE:
    return true;
  }
  return false;
}

static bool is_number(enum type type) {
  return type >= I32;
}

static int check_type(const struct check *c, const json_t *v, enum type type, const struct frame *at) {
  if (!has_type(v, type))
    return fail(c, at, "OH-SPC-004", "must be ", type_names[type]);
  if (is_number(type) && !in_range(v, type))
    return fail(c, at, "OH-SPC-005", "is outside the range of its type", "");
  return 0;
}

static int check_items(const struct check *c, const json_t *v, const struct frame *at) {
  if (json_is_array(v)) {
    size_t i;
    json_t *item;
    json_array_foreach(v, i, item) {
      struct frame f = { at, NULL, i };
      if (check_type(c, item, c->row->item, &f) < 0)
        return -1;
    }
    return 0;
  }
  const char *key;
  json_t *item;
  json_object_foreach((json_t *)v, key, item) {
    struct frame f = { at, key, 0 };
    if (check_type(c, item, c->row->item, &f) < 0)
      return -1;
  }
  return 0;
}

static int check_value(const struct check *c, const json_t *v, const struct frame *at) {
  if (!v || json_is_null(v))
    return c->row->required ? fail(c, at, "OH-SPC-006", "is missing", "") : 0;
  if (check_type(c, v, c->row->type, at) < 0)
    return -1;
  return c->row->item == NONE ? 0 : check_items(c, v, at);
}

/* `pattern` is what is left of the row's, behind the way `at` to v. */
static int match(const struct check *c, const json_t *v, const char *pattern, const struct frame *at);

static int match_each(const struct check *c, const json_t *v, const char *pattern, const struct frame *at) {
  if (json_is_array(v)) {
    size_t i;
    json_t *item;
    json_array_foreach(v, i, item) {
      struct frame f = { at, NULL, i };
      if (match(c, item, pattern, &f) < 0)
        return -1;
    }
    return 0;
  }
  const char *key;
  json_t *item;
  json_object_foreach((json_t *)v, key, item) {
    struct frame f = { at, key, 0 };
    if (match(c, item, pattern, &f) < 0)
      return -1;
  }
  return 0;
}

static int match(const struct check *c, const json_t *v, const char *pattern, const struct frame *at) {
  const char *key = pattern + 1;
  size_t len = 0;
  while (key[len] && key[len] != '/')
    len++;
  if (len == 1 && *key == '*')
    return match_each(c, v, key + 1, at);
  if (!json_is_object(v))
    return 0;
  const json_t *member = json_object_getn(v, key, len);
  if (key[len] == '\0') {
    struct frame f = { at, key, 0 };
    return check_value(c, member, &f);
  }
  char name[64]; /* longer than any name in the rows */
  if (!member || len >= sizeof name)
    return 0;
  memcpy(name, key, len);
  name[len] = '\0';
  struct frame f = { at, name, 0 };
  return match(c, member, key + len, &f);
}

/* "1.0.2-dev", "1.2.1+x": major 1, minor and patch digits. */
static bool is_version_1(const char *s) {
  if (!str_starts(s, "1."))
    return false;
  s += 2;
  size_t minor = strspn(s, "0123456789");
  if (!minor || s[minor] != '.')
    return false;
  s += minor + 1;
  size_t patch = strspn(s, "0123456789");
  return patch && (s[patch] == '\0' || s[patch] == '-' || s[patch] == '+');
}

static int check_version(const struct spec *spec, struct error *err) {
  const json_t *version = spec_at(spec, "/ociVersion");
  if (!json_is_string(version))
    return spec_error(err, spec, ERROR_INPUT, "OH-SPC-002", "/ociVersion", false,
                      version ? "must be a string" : "is missing");
  if (!is_version_1(json_string_value(version)))
    return spec_error(err, spec, ERROR_INPUT, "OH-SPC-002", "/ociVersion", false,
                      "unsupported version \"%s\": only 1.x.y is understood", json_string_value(version));
  return 0;
}

/* Of two items of the same kind runc takes one or refuses, crun takes another. */
static int check_unique(const struct spec *spec, const char *array, const char *key, struct error *err) {
  enum { TYPES_MAX = 64 }; /* far more than there are; bounds the comparisons */
  const json_t *items = spec_at(spec, array);
  if (json_array_size(items) > TYPES_MAX)
    return spec_error(err, spec, ERROR_REFUSED, "OH-SPC-007", array, false, "has more than %d items",
                      (int)TYPES_MAX);
  for (size_t i = 0; i < json_array_size(items); i++) {
    const char *mine = json_string_value(json_object_get(json_array_get(items, i), key));
    for (size_t k = 0; k < i; k++) {
      if (strcmp(mine, json_string_value(json_object_get(json_array_get(items, k), key))) != 0)
        continue;
      CLEANUP_FREE char *pointer = xasprintf("%s/%zu", array, i);
      return spec_error(err, spec, ERROR_REFUSED, "OH-SPC-007", pointer, false,
                        "%s \"%s\" was given before; runtimes disagree on which one counts", key, mine);
    }
  }
  return 0;
}

/* "/" is the class that every process is in: the host's, which nobody may shape anew. */
static bool is_default_class(const struct spec *spec, const char *id) {
  return strcmp(id, "/") == 0 && !spec_at(spec, "/linux/intelRdt/schemata") &&
         !spec_at(spec, "/linux/intelRdt/l3CacheSchema") && !spec_at(spec, "/linux/intelRdt/memBwSchema");
}

/* Both runtimes make a directory of that name below /sys/fs/resctrl; runc refuses one that leads elsewhere.
 */
static int check_closid(const struct spec *spec, struct error *err) {
  static const char pointer[] = "/linux/intelRdt/closID";
  const char *id = json_string_value(spec_at(spec, pointer));
  if (!id || is_default_class(spec, id) ||
      !(strchr(id, '/') || strcmp(id, ".") == 0 || strcmp(id, "..") == 0))
    return 0;
  return spec_error(err, spec, ERROR_REFUSED, "OH-SPC-008", pointer, false, "must be a plain name");
}

int shape_check(const struct spec *spec, struct error *err) {
  if (spec->kind == SPEC_CONFIG && check_version(spec, err) < 0)
    return -1;
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    struct check c = { spec, &rows[i], err };
    if (match(&c, spec->root, rows[i].pattern, NULL) < 0)
      return -1;
  }
  if (check_unique(spec, "/linux/namespaces", "type", err) < 0 ||
      check_unique(spec, "/process/rlimits", "type", err) < 0 || check_closid(spec, err) < 0)
    return -1;
  return 0;
}
