/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/compose.h"

#include "kernel/caps.h"
#include "manifest/scalar.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define PRIVILEGED(s) field_at((s)->node, "privileged")

/* --- users --- */

/* 0 for a name, whose number is the image's business; a number that is none of a user or group is a mistake.
 */
static int64_t id_or_root(struct service *s, const char *text, const char *what, struct field from) {
  int64_t id = 0;
  if (!scalar_number(text, &id)) {
    note(s->t, from, "what number the %s %s has is the image's business: judged as 0", what, text);
    return 0;
  }
  if (!is_id(id))
    mistake(s->t, from.node, "no number of a %s", what);
  return is_id(id) ? id : 0;
}

/* Is it root? */
static bool user(struct service *s) {
  struct translation *t = s->t;
  struct field from = field_at(s->node, "user");
  const char *text = compose_text(t, node_get(s->node, "user"));
  int64_t uid = 0, gid = 0;
  CLEANUP_FREE char *owner = text ? xasprintf("%.*s", (int)strcspn(text, ":"), text) : NULL;
  const char *group = text ? strchr(text, ':') : NULL;
  if (!text || !*text)
    note(t, from, "the image's USER decides: judged as root");
  else
    uid = id_or_root(s, owner, "user", from);
  if (group)
    gid = id_or_root(s, group + 1, "group", from);
  engine_put_user(t, uid, gid, from);
  bool root = uid == 0;
  const struct node *item;
  for (size_t i = 0; (item = compose_item(node_get(s->node, "group_add"), i)); i++) {
    if (item->text && scalar_number(item->text, &gid) && is_id(gid))
      put_item(t, "/process/user/additionalGids", json_integer(gid), (struct field){ item, "" });
    else
      note(t, (struct field){ item, "" }, "what number this group has is the image's business: left out");
  }
  return root;
}

/* --- capabilities --- */

/* -1: unknown; ALL is CAP_ALL. */
enum { CAP_ALL = 64 };
static int number_of(const char *word) {
  CLEANUP_FREE char *name = xasprintf("%s%s", strncasecmp(word, "CAP_", 4) == 0 ? "" : "CAP_", word);
  for (char *p = name; *p; p++)
    *p = (char)toupper((unsigned char)*p);
  return strcmp(name, "CAP_ALL") == 0 ? CAP_ALL : kernel_cap_number(name);
}

static uint64_t set_of(struct service *s, const char *key, bool *ret_all) {
  uint64_t set = 0;
  const struct node *item;
  for (size_t i = 0; (item = compose_item(node_get(s->node, key), i)); i++) {
    int number = number_of(compose_text(s->t, item));
    if (number == CAP_ALL)
      *ret_all = true;
    else if (number >= 0)
      set |= UINT64_C(1) << number;
    else
      note(s->t, (struct field){ item, "" }, "no capability: docker refuses the service");
  }
  return set;
}

/* As docker's TweakCapabilities: of "ALL" on both sides the one that is added counts. */
static uint64_t capabilities(struct service *s, bool root) {
  bool add_all = false, drop_all = false;
  const struct strlist none = { 0 };
  uint64_t add = set_of(s, "cap_add", &add_all), drop = set_of(s, "cap_drop", &drop_all);
  uint64_t set = add_all ? engine_all_caps() & ~drop : drop_all ? add : (engine_default_caps() & ~drop) | add;
  struct field from = field_or(field_at(s->node, "cap_add"), field_at(s->node, "cap_drop"));
  if (s->privileged) {
    set = engine_all_caps();
    from = PRIVILEGED(s);
  }
  engine_put_caps(s->t, set, &none, !root, from);
  return set;
}

/* --- security_opt --- */

struct options {
  bool no_new_privileges;
  bool unmasked;
  const struct node *unmasked_by, *seccomp_by;
  const char *seccomp; /* NULL: the default */
};

static void label(struct service *s, const char *value, struct field from) {
  if (strcmp(value, "disable") != 0)
    note(s->t, from, "whether the node enforces SELinux, and what it makes of the label, is not known");
  else
    note(s->t, from, "whether the node enforces SELinux is not known: docker would give no label");
}

/* What dockerd reads by Go's strconv.ParseBool; the word alone is true. */
static bool is_on(struct service *s, const struct node *item, const char *value) {
  static const char *const trues[] = { "1", "t", "T", "true", "TRUE", "True" };
  static const char *const falses[] = { "0", "f", "F", "false", "FALSE", "False" };
  for (size_t i = 0; i < ARRAY_SIZE(trues); i++) {
    if (strcmp(value, trues[i]) == 0)
      return true;
    if (strcmp(value, falses[i]) == 0)
      return false;
  }
  mistake(s->t, item, "true or false is to stand here: docker refuses the service");
  return false;
}

static void option(struct service *s, const struct node *item, struct options *o) {
  const char *text = compose_text(s->t, item);
  struct field from = { item, "" };
  size_t len = strcspn(text, "=:");
  const char *value = text[len] ? text + len + 1 : "";
  CLEANUP_FREE char *key = xasprintf("%.*s", (int)len, text);
  if (strcmp(key, "no-new-privileges") == 0) {
    o->no_new_privileges = !text[len] || is_on(s, item, value);
  } else if (strcmp(key, "seccomp") == 0) {
    o->seccomp = value;
    o->seccomp_by = item;
  } else if (strcmp(key, "apparmor") == 0) {
    put_origin(s->t, "/process/apparmorProfile", from);
    if (strcmp(value, "unconfined") != 0)
      put(s->t, "/process/apparmorProfile", jsonx_string_new(value), from);
    note(s->t, from, "whether the node has AppArmor on is not known");
  } else if (strcmp(key, "label") == 0) {
    label(s, value, from);
  } else if (strcmp(key, "systempaths") == 0 && strcmp(value, "unconfined") == 0) {
    o->unmasked = true;
    o->unmasked_by = item;
  } else {
    note(s->t, from, "not known here: it is not judged");
  }
}

static void seccomp(struct service *s, const struct options *o, uint64_t caps) {
  struct field from = o->seccomp_by ? (struct field){ o->seccomp_by, "" } : field_at(s->node, "security_opt");
  bool unconfined = o->seccomp && strcmp(o->seccomp, "unconfined") == 0;
  if (s->privileged || unconfined) {
    put_origin(s->t, "/linux/seccomp", s->privileged && !unconfined ? PRIVILEGED(s) : from);
    return;
  }
  if (o->seccomp && strcmp(o->seccomp, "builtin") != 0)
    note(s->t, from, "the profile is not read: judged as the engine's default");
  put(s->t, "/linux/seccomp", engine_seccomp(ENGINE_DOCKER, caps), ENGINES);
}

static void security_options(struct service *s, uint64_t caps) {
  struct translation *t = s->t;
  struct options o = { 0 };
  const struct node *item;
  struct field from = field_at(s->node, "security_opt");
  put_origin(t, "/process/apparmorProfile", from);
  for (size_t i = 0; (item = compose_item(node_get(s->node, "security_opt"), i)); i++)
    option(s, item, &o);
  if (o.no_new_privileges)
    put(t, "/process/noNewPrivileges", json_true(), from);
  put_origin(t, "/process/noNewPrivileges", from);
  seccomp(s, &o, caps);
  if (!s->privileged && !o.unmasked) {
    engine_put_masks(t, ENGINES);
    return;
  }
  from = o.unmasked_by ? (struct field){ o.unmasked_by, "" } : PRIVILEGED(s);
  put_origin(t, "/linux/maskedPaths", from);
  put_origin(t, "/linux/readonlyPaths", from);
}

/* --- devices --- */

/* Names with numbers that are the same on every Linux. */
static const struct known_device {
  const char *path;
  int major, minor;
} known_devices[] = {
  { "/dev/mem", 1, 1 },  { "/dev/null", 1, 3 },       { "/dev/port", 1, 4 },    { "/dev/zero", 1, 5 },
  { "/dev/full", 1, 7 }, { "/dev/random", 1, 8 },     { "/dev/urandom", 1, 9 }, { "/dev/kmsg", 1, 11 },
  { "/dev/tty", 5, 0 },  { "/dev/net/tun", 10, 200 }, { "/dev/fuse", 10, 229 }, { "/dev/kvm", 10, 232 },
};

static void put_device(struct service *s, const char *host, const char *inside, const char *access,
                       struct field from) {
  enum { LOCAL = 240 }; /* "local/experimental": no driver of the kernel's own has it */
  struct known_device numbers = { host, LOCAL, 0 };
  bool known = false;
  for (size_t i = 0; i < ARRAY_SIZE(known_devices) && !known; i++) {
    known = strcmp(known_devices[i].path, host) == 0;
    numbers = known ? known_devices[i] : numbers;
  }
  if (!known)
    note(s->t, from, "the numbers of %s are the node's: judged as character device %d:0", host, LOCAL);
  put_item(s->t, "/linux/resources/devices", device_rule(true, "c", numbers.major, numbers.minor, access),
           from);
  json_t *device = json_object();
  jsonx_set_new(device, "path", jsonx_string_new(inside));
  jsonx_set_new(device, "type", jsonx_string_new("c"));
  jsonx_set_new(device, "major", json_integer(numbers.major));
  jsonx_set_new(device, "minor", json_integer(numbers.minor));
  put_item(s->t, "/linux/devices", device, from);
  put_origin(s->t, "/linux/devices", from);
  put_origin(s->t, "/linux/resources/devices", from);
}

/* "/dev/a:/dev/b:rwm", "/dev/a", "/dev/a:rw". */
static void short_device(struct service *s, const struct node *item) {
  CLEANUP_FREE char *host = xstrdup(compose_text(s->t, item));
  char *inside = strchr(host, ':');
  const char *access = "rwm";
  if (inside)
    *inside++ = '\0';
  if (inside && *inside != '/') {
    access = inside;
    inside = NULL;
  }
  char *colon = inside ? strchr(inside, ':') : NULL;
  if (colon) {
    *colon = '\0';
    access = colon + 1;
  }
  if (*host == '/')
    put_device(s, host, inside ? inside : host, access, (struct field){ item, "" });
  else
    note(s->t, (struct field){ item, "" }, "a device by its CDI name: what it brings is the node's business");
}

/* "c 1:3 rwm", "a *:* rwm", where a star is every number. */
static void device_cgroup_rule(struct service *s, const struct node *item) {
  char type, major[12], minor[12], access[4];
  json_t *rule;
  const char *text = compose_text(s->t, item);
  if (sscanf(text, "%c %11[0-9*]:%11[0-9*] %3[rwm]", &type, major, minor, access) != 4 ||
      !strchr("abc", type)) {
    mistake(s->t, item, "a rule such as \"c 1:3 rwm\" is to stand here");
    return;
  }
  rule = device_rule(true, NULL, 0, 0, access);
  int64_t number;
  jsonx_set_new(rule, "type", jsonx_string_new((char[]){ type, '\0' }));
  if (scalar_number(major, &number))
    jsonx_set_new(rule, "major", json_integer(number));
  if (scalar_number(minor, &number))
    jsonx_set_new(rule, "minor", json_integer(number));
  put_item(s->t, "/linux/resources/devices", rule, (struct field){ item, "" });
  put_origin(s->t, "/linux/resources/devices", (struct field){ item, "" });
}

static void devices(struct service *s) {
  static const int allowed[][2] = { { 1, 5 }, { 1, 3 }, { 1, 9 }, { 1, 8 }, { 5, 0 }, { 5, 1 } };
  struct translation *t = s->t;
  const struct node *item;
  if (s->privileged) {
    put_item(t, "/linux/resources/devices", device_rule(true, NULL, 0, 0, "rwm"), PRIVILEGED(s));
    put_origin(t, "/linux/resources/devices", PRIVILEGED(s));
    note(t, PRIVILEGED(s), "all devices of the node come with it: judged by the rule that allows them");
    return;
  }
  put_item(t, "/linux/resources/devices", device_rule(false, NULL, 0, 0, "rwm"), ENGINES);
  for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
    put_item(t, "/linux/resources/devices", device_rule(true, "c", allowed[i][0], allowed[i][1], "rwm"),
             ENGINES);
  put_item(t, "/linux/resources/devices", device_rule(false, "c", 10, 229, "rwm"), ENGINES);
  for (size_t i = 0; (item = compose_item(node_get(s->node, "devices"), i)); i++) {
    const char *source = compose_text(t, node_get(item, "source"));
    const char *target = compose_text(t, node_get(item, "target"));
    const char *access = compose_text(t, node_get(item, "permissions"));
    if (source)
      put_device(s, source, target ? target : source, access ? access : "rwm", (struct field){ item, "" });
    else
      short_device(s, item);
  }
  for (size_t i = 0; (item = compose_item(node_get(s->node, "device_cgroup_rules"), i)); i++)
    device_cgroup_rule(s, item);
  if (node_get(s->node, "gpus") || node_at(s->node, "deploy.resources.reservations.devices"))
    note(t, field_or(field_at(s->node, "gpus"), field_at(s->node, "deploy.resources.reservations.devices")),
         "what devices come with it is the node's business");
}

void compose_security(struct service *s) {
  struct translation *t = s->t;
  struct field from = field_at(s->node, "read_only");
  bool root = user(s);
  uint64_t caps = capabilities(s, root);
  security_options(s, caps);
  devices(s);
  put(t, "/root/path", jsonx_string_new("/var/lib/docker/overlay2/0000/merged"), ENGINES);
  if (compose_bool(t, node_get(s->node, "read_only"), false))
    put(t, "/root/readonly", json_true(), from);
  put_origin(t, "/root/readonly", from);
}
