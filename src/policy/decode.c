/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/decode.h"

#include "policy/form.h"
#include "policy/rows.h"

#include <ctype.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

/* A name becomes part of a path and of messages. */
bool policy_name_is_valid(const char *name) {
  size_t len = strlen(name);
  if (len == 0 || len > NAME_MAX_BYTES || name[0] == '.' || name[0] == '_' || name[0] == '-')
    return false;
  return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static bool is_inherited(const char *s) {
  return strcmp(s, ROWS_INHERITED) == 0;
}

static bool is_capability(const char *s) {
  return strcmp(s, "ALL") == 0 || is_inherited(s) ||
         (str_starts(s, "CAP_") && s[4] && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(s));
}

static bool is_path(const char *s) {
  return form_path(s) || is_inherited(s);
}

static bool is_profile(const char *s) {
  return s[0] == '\0' || s[0] == '/' || policy_name_is_valid(s);
}

static const char *skip_number(const char *s) {
  if (*s == '*')
    return s + 1;
  return s + strspn(s, "0123456789");
}

/* A child of a profile, a namespace and a stack are no names. */
static bool is_label(const char *s) {
  return s[0] == '\0' || (form_word(s) && s[0] != ':' && !strchr(s, '&') && !strstr(s, "//"));
}

/* "c 1:3 rwm" */
static bool is_device(const char *s) {
  if (is_inherited(s))
    return true;
  if (!*s || !strchr("abc", *s) || s[1] != ' ')
    return false;
  const char *major = s + 2, *colon = skip_number(major);
  if (colon == major || *colon != ':')
    return false;
  const char *minor = colon + 1, *space = skip_number(minor);
  if (space == minor || *space != ' ' || !space[1])
    return false;
  const char *access = space + 1;
  access += *access == 'r';
  access += *access == 'w';
  access += *access == 'm';
  return !*access;
}

static bool is_selinux_type(const char *s) {
  if (!isalpha((unsigned char)*s))
    return false;
  for (; *s; s++)
    if (!isalnum((unsigned char)*s) && *s != '_' && *s != '.')
      return false;
  return true;
}
static bool is_selinux_type_item(const char *s) {
  return is_selinux_type(s) || is_inherited(s);
}

/* Forms of strings, which the schema says as regular expressions. Checked in the text, for the place. */
static const struct form forms[] = {
  { "/name", policy_name_is_valid, "a policy's name: lower case letters, digits, '.', '_' and '-'" },
  { "/extends", policy_name_is_valid, "a policy's name: lower case letters, digits, '.', '_' and '-'" },
  { "/capabilities/allow", is_capability, "CAP_NAME in upper case, or ALL" },
  { "/seccomp/profile", is_profile, "a built-in profile's name or an absolute path" },
  { "/seccomp/floor", form_word, "a system call's name" },
  { "/apparmor/profile", is_label, "a built-in profile's name or that of a loaded one" },
  { "/apparmor/keep", form_word, "a profile's name" },
  { "/selinux/type", is_selinux_type, "a SELinux type" },
  { "/selinux/fileType", is_selinux_type, "a SELinux type" },
  { "/selinux/keep", is_selinux_type_item, "a SELinux type" },
  { "/rootfs/tmpfs", is_path, "an absolute path" },
  { "/mounts/noexec", is_path, "an absolute path" },
  { "/mounts/denySources", is_path, "an absolute path" },
  { "/mounts/allowSources", is_path, "an absolute path" },
  { "/mounts/allowTypes", form_word, "a file system type" },
  { "/paths/masked", is_path, "an absolute path" },
  { "/paths/readonly", is_path, "an absolute path" },
  { "/devices/allow", is_device, "\"TYPE MAJOR:MINOR ACCESS\" such as \"c 1:3 rwm\"" },
  { "/sysctl/allow", form_word, "a sysctl's name" },
  { "/resources/unified", form_word, "a cgroup file's name" },
  { "/environment/secrets", form_word, "an environment variable's name" },
  { "/environment/allow", form_word, "an environment variable's name" },
  { "/hooks/allow", is_path, "an absolute path" },
  { "/annotations/deny", form_word, "an annotation's key" },
  { "/annotations/allow", form_word, "an annotation's key" },
  { .pointer = NULL },
};

static int check_bounds(const struct policy *p, const struct jsonx_source *src, struct error *err) {
  if (p->user.max_uid >= 0 && p->user.min_uid > p->user.max_uid)
    return jsonx_error(err, ERROR_POLICY, src, "/user/minUid", "is above maxUid: no user would be accepted");
  if (p->user.max_gid >= 0 && p->user.min_gid > p->user.max_gid)
    return jsonx_error(err, ERROR_POLICY, src, "/user/minGid", "is above maxGid: no group would be accepted");
  return 0;
}

static void forget(char **member) {
  free(*member);
  *member = NULL;
}

static int decode_over(struct policy *policy, json_t *root, const struct jsonx_source *src,
                       struct error *err) {
  CLEANUP_POLICY struct policy lent = { 0 };
  rows_lend(policy_rows, root, policy, &lent);
  forget(&policy->name);
  forget(&policy->description);
  forget(&policy->extends);
  if (jsonx_decode(root, src, "", policy_rows, policy, err) < 0 || forms_check(root, "", src, forms, err) < 0)
    return -1;
  rows_inherit(policy_rows, policy, &lent);
  if (policy->seccomp.profile && !*policy->seccomp.profile)
    forget(&policy->seccomp.profile);
  if (policy->apparmor.profile && !*policy->apparmor.profile)
    forget(&policy->apparmor.profile);
  return check_bounds(policy, src, err);
}

/* Whatever is wrong with a policy's text is wrong with the policy, not with the container's input. */
static int as_policy_error(struct error *err) {
  if (err->code == ERROR_INPUT)
    err->code = ERROR_POLICY;
  return -1;
}

int policy_parse(const struct jsonx_source *src, json_t **ret, struct error *err) {
  json_auto_t *root = NULL;
  if (jsonx_parse(src, POLICY_SIZE_MAX, &root, err) < 0)
    return as_policy_error(err);
  if (!json_is_object(root))
    return jsonx_error(err, ERROR_POLICY, src, "", "must be an object");
  /* Editors find the schema by this key; it says nothing else. */
  const json_t *schema = json_object_get(root, "$schema");
  if (schema && !json_is_string(schema))
    return jsonx_error(err, ERROR_POLICY, src, "/$schema", "must be a string");
  json_object_del(root, "$schema");
  *ret = steal_ptr(&root);
  return 0;
}

int policy_decode_root(struct policy *policy, json_t *root, const struct jsonx_source *src,
                       struct error *err) {
  if (decode_over(policy, root, src, err) < 0)
    return as_policy_error(err);
  return 0;
}

int policy_decode(struct policy *policy, const struct jsonx_source *src, struct error *err) {
  json_auto_t *root = NULL;
  if (policy_parse(src, &root, err) < 0)
    return -1;
  return policy_decode_root(policy, root, src, err);
}
