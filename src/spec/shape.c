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
 * One member. Where an array or map has items of type `item`, `members` are those of each item, else of the
 * object itself. `required` holds where the parent is present: there the runtimes disagree on what absence
 * means.
 */
struct row {
  const char *key; /* NULL ends a list */
  enum type type, item;
  bool required;
  const struct row *members;
};

static const char ANY[] = "*"; /* every member, known or not */

static const struct row hook[] = {
  { "path", .type = STRING, .required = true },
  { "args", .type = ARRAY, .item = STRING },
  { "env", .type = ARRAY, .item = STRING },
  { "timeout", .type = I64 },
  { 0 },
};

static const struct row root[] = {
  { "path", .type = STRING, .required = true },
  { "readonly", .type = BOOL },
  { 0 },
};

static const struct row user[] = {
  { "uid", .type = ID },          { "gid", .type = ID },
  { "umask", .type = U32 },       { "additionalGids", .type = ARRAY, .item = ID },
  { "username", .type = STRING }, { 0 },
};

static const struct row capabilities[] = {
  { "bounding", .type = ARRAY, .item = STRING },    { "effective", .type = ARRAY, .item = STRING },
  { "inheritable", .type = ARRAY, .item = STRING }, { "permitted", .type = ARRAY, .item = STRING },
  { "ambient", .type = ARRAY, .item = STRING },     { 0 },
};

static const struct row rlimit[] = {
  { "type", .type = STRING, .required = true },
  { "hard", .type = U64, .required = true },
  { "soft", .type = U64, .required = true },
  { 0 },
};

static const struct row scheduler[] = {
  { "policy", .type = STRING, .required = true },
  { "nice", .type = I32 },
  { "priority", .type = I32 },
  { "flags", .type = ARRAY, .item = STRING },
  { 0 },
};

static const struct row io_priority[] = {
  { "class", .type = STRING, .required = true },
  { "priority", .type = I32 },
  { 0 },
};

static const struct row cpu_affinity[] = {
  { "initial", .type = STRING },
  { "final", .type = STRING },
  { 0 },
};

static const struct row process[] = {
  { "terminal", .type = BOOL },
  { "consoleSize", .type = OBJECT },
  { "user", .type = OBJECT, .members = user },
  { "args", .type = ARRAY, .item = STRING },
  { "commandLine", .type = STRING },
  { "env", .type = ARRAY, .item = STRING },
  { "cwd", .type = STRING },
  { "capabilities", .type = OBJECT, .members = capabilities },
  { "rlimits", .type = ARRAY, .item = OBJECT, .members = rlimit },
  { "noNewPrivileges", .type = BOOL },
  { "apparmorProfile", .type = STRING },
  { "selinuxLabel", .type = STRING },
  { "oomScoreAdj", .type = I32 },
  { "scheduler", .type = OBJECT, .members = scheduler },
  { "ioPriority", .type = OBJECT, .members = io_priority },
  { "execCPUAffinity", .type = OBJECT, .members = cpu_affinity },
  { 0 },
};

static const struct row mapping[] = {
  { "containerID", .type = U32, .required = true },
  { "hostID", .type = U32, .required = true },
  { "size", .type = U32, .required = true },
  { 0 },
};

static const struct row mount[] = {
  { "destination", .type = STRING, .required = true },
  { "type", .type = STRING },
  { "source", .type = STRING },
  { "options", .type = ARRAY, .item = STRING },
  { "uidMappings", .type = ARRAY, .item = OBJECT, .members = mapping },
  { "gidMappings", .type = ARRAY, .item = OBJECT, .members = mapping },
  { 0 },
};

static const struct row hooks[] = {
  { "prestart", .type = ARRAY, .item = OBJECT },
  { "createRuntime", .type = ARRAY, .item = OBJECT },
  { "createContainer", .type = ARRAY, .item = OBJECT },
  { "startContainer", .type = ARRAY, .item = OBJECT },
  { "poststart", .type = ARRAY, .item = OBJECT },
  { "poststop", .type = ARRAY, .item = OBJECT },
  { ANY, .type = NONE, .item = OBJECT, .members = hook }, /* also those of kinds that are not known */
  { 0 },
};

static const struct row namespace[] = {
  { "type", .type = STRING, .required = true },
  { "path", .type = STRING },
  { 0 },
};

static const struct row time_offset[] = {
  { "secs", .type = I64 },
  { "nanosecs", .type = U32 },
  { 0 },
};

static const struct row device[] = {
  { "path", .type = STRING, .required = true },
  { "type", .type = STRING, .required = true },
  { "major", .type = I64 },
  { "minor", .type = I64 },
  { "fileMode", .type = U32 },
  { "uid", .type = U32 },
  { "gid", .type = U32 },
  { 0 },
};

static const struct row net_device[] = {
  { "name", .type = STRING },
  { 0 },
};

static const struct row intel_rdt[] = {
  { "closID", .type = STRING },
  { 0 },
};

static const struct row personality[] = {
  { "domain", .type = STRING, .required = true },
  { "flags", .type = ARRAY, .item = STRING },
  { 0 },
};

static const struct row condition[] = {
  { "index", .type = U32, .required = true },
  { "value", .type = U64, .required = true },
  { "valueTwo", .type = U64 },
  { "op", .type = STRING, .required = true },
  { 0 },
};

static const struct row syscall_rule[] = {
  { "names", .type = ARRAY, .item = STRING, .required = true },
  { "action", .type = STRING, .required = true },
  { "errnoRet", .type = U32 },
  { "args", .type = ARRAY, .item = OBJECT, .members = condition },
  { 0 },
};

static const struct row seccomp[] = {
  { "defaultAction", .type = STRING, .required = true },
  { "defaultErrnoRet", .type = U32 },
  { "architectures", .type = ARRAY, .item = STRING },
  { "flags", .type = ARRAY, .item = STRING },
  { "listenerPath", .type = STRING },
  { "listenerMetadata", .type = STRING },
  { "syscalls", .type = ARRAY, .item = OBJECT, .members = syscall_rule },
  { 0 },
};

static const struct row device_rule[] = {
  { "allow", .type = BOOL, .required = true },
  { "type", .type = STRING },
  { "major", .type = I64 },
  { "minor", .type = I64 },
  { "access", .type = STRING },
  { 0 },
};

static const struct row memory[] = {
  { "limit", .type = I64 },
  { "reservation", .type = I64 },
  { "swap", .type = I64 },
  { "kernel", .type = I64 },
  { "kernelTCP", .type = I64 },
  { "swappiness", .type = U64 },
  { "disableOOMKiller", .type = BOOL },
  { "useHierarchy", .type = BOOL },
  { "checkBeforeUpdate", .type = BOOL },
  { 0 },
};

static const struct row cpu[] = {
  { "shares", .type = U64 },
  { "quota", .type = I64 },
  { "burst", .type = U64 },
  { "period", .type = U64 },
  { "realtimeRuntime", .type = I64 },
  { "realtimePeriod", .type = U64 },
  { "cpus", .type = STRING },
  { "mems", .type = STRING },
  { "idle", .type = I64 },
  { 0 },
};

static const struct row pids[] = {
  { "limit", .type = I64 },
  { 0 },
};

static const struct row block_io[] = {
  { "weight", .type = U16 },
  { "leafWeight", .type = U16 },
  { 0 },
};

static const struct row hugepage_limit[] = {
  { "pageSize", .type = STRING, .required = true },
  { "limit", .type = U64, .required = true },
  { 0 },
};

static const struct row resources[] = {
  { "devices", .type = ARRAY, .item = OBJECT, .members = device_rule },
  { "memory", .type = OBJECT, .members = memory },
  { "cpu", .type = OBJECT, .members = cpu },
  { "pids", .type = OBJECT, .members = pids },
  { "blockIO", .type = OBJECT, .members = block_io },
  { "hugepageLimits", .type = ARRAY, .item = OBJECT, .members = hugepage_limit },
  { "network", .type = OBJECT },
  { "rdma", .type = MAP, .item = OBJECT },
  { "unified", .type = MAP, .item = STRING },
  { 0 },
};

static const struct row linux_section[] = {
  { "uidMappings", .type = ARRAY, .item = OBJECT, .members = mapping },
  { "gidMappings", .type = ARRAY, .item = OBJECT, .members = mapping },
  { "sysctl", .type = MAP, .item = STRING },
  { "cgroupsPath", .type = STRING },
  { "namespaces", .type = ARRAY, .item = OBJECT, .members = namespace },
  { "timeOffsets", .type = MAP, .item = OBJECT, .members = time_offset },
  { "devices", .type = ARRAY, .item = OBJECT, .members = device },
  { "netDevices", .type = MAP, .item = OBJECT, .members = net_device },
  { "rootfsPropagation", .type = STRING },
  { "maskedPaths", .type = ARRAY, .item = STRING },
  { "readonlyPaths", .type = ARRAY, .item = STRING },
  { "mountLabel", .type = STRING },
  { "intelRdt", .type = OBJECT, .members = intel_rdt },
  { "personality", .type = OBJECT, .members = personality },
  { "memoryPolicy", .type = OBJECT },
  { "seccomp", .type = OBJECT, .members = seccomp },
  { "resources", .type = OBJECT, .members = resources },
  { 0 },
};

static const struct row document[] = {
  { "hostname", .type = STRING },
  { "domainname", .type = STRING },
  { "annotations", .type = MAP, .item = STRING },
  { "root", .type = OBJECT, .members = root },
  { "process", .type = OBJECT, .members = process },
  { "mounts", .type = ARRAY, .item = OBJECT, .members = mount },
  { "hooks", .type = OBJECT, .members = hooks },
  { "linux", .type = OBJECT, .members = linux_section },
  { 0 },
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

static int check_members(const struct check *c, const struct row *members, const json_t *object,
                         const struct frame *at);

static int check_item(const struct check *c, const struct row *row, const json_t *item,
                      const struct frame *at) {
  if (row->key != ANY && check_type(c, item, row->item, at) < 0)
    return -1;
  return row->members ? check_members(c, row->members, item, at) : 0;
}

static int check_items(const struct check *c, const struct row *row, const json_t *v,
                       const struct frame *at) {
  if (json_is_array(v)) {
    size_t i;
    json_t *item;
    json_array_foreach(v, i, item) {
      struct frame f = { at, NULL, i };
      if (check_item(c, row, item, &f) < 0)
        return -1;
    }
    return 0;
  }
  const char *key;
  json_t *item;
  json_object_foreach((json_t *)v, key, item) {
    struct frame f = { at, key, 0 };
    if (check_item(c, row, item, &f) < 0)
      return -1;
  }
  return 0;
}

static int check_value(const struct check *c, const struct row *row, const json_t *v,
                       const struct frame *at) {
  if (!v || json_is_null(v))
    return row->required ? fail(c, at, "OH-SPC-006", "is missing", "") : 0;
  if (check_type(c, v, row->type, at) < 0)
    return -1;
  if (row->item != NONE)
    return check_items(c, row, v, at);
  return row->members ? check_members(c, row->members, v, at) : 0;
}

static int check_all(const struct check *c, const struct row *row, const json_t *object,
                     const struct frame *at) {
  const char *key;
  json_t *value;
  json_object_foreach((json_t *)object, key, value) {
    struct frame f = { at, key, 0 };
    if (check_value(c, row, value, &f) < 0)
      return -1;
  }
  return 0;
}

static int check_members(const struct check *c, const struct row *members, const json_t *object,
                         const struct frame *at) {
  for (const struct row *row = members; json_is_object(object) && row->key; row++) {
    struct frame f = { at, row->key, 0 };
    if (row->key == ANY ? check_all(c, row, object, at) < 0
                        : check_value(c, row, json_object_get(object, row->key), &f) < 0)
      return -1;
  }
  return 0;
}

int shape_check(const struct spec *spec, struct error *err) {
  const struct check c = { spec, err };
  return values_check_version(spec, err) < 0 || check_members(&c, document, spec->root, NULL) < 0
             ? -1
             : values_check(spec, err);
}
