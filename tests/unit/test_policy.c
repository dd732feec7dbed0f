/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/policy.h"

#include <criterion/criterion.h>
#include <string.h>

static struct jsonx_source source(const char *text) {
  return (struct jsonx_source){ "p.json", text, strlen(text) };
}

static int decode(struct policy *p, const char *text, struct error *err) {
  const struct jsonx_source src = source(text);
  return policy_decode(p, &src, err);
}

static void must_decode(struct policy *p, const char *text) {
  struct error err = { 0 };
  cr_assert(decode(p, text, &err) == 0, "%s: %s", text, err.message);
}

static char *encoded(const struct policy *p) {
  json_auto_t *value = policy_encode(p);
  struct str out = { 0 };
  jsonx_dump(value, &out);
  return str_steal(&out);
}

static void expect_list(const struct strlist *list, const char *want) {
  CLEANUP_STR struct str got = { 0 };
  for (size_t i = 0; i < list->len; i++)
    str_addf(&got, "%s%s", i ? " " : "", list->items[i]);
  cr_expect_str_eq(got.data ? got.data : "", want);
}

Test(policy, a_file_without_extends_starts_with_every_control_off) {
  CLEANUP_POLICY struct policy p;
  policy_init(&p);
  size_t sections = 0;
  for (const struct jsonx_row *row = policy_rows; row->key; row++) {
    if (row->type != JSONX_OBJECT)
      continue;
    int action;
    memcpy(&action, (const char *)&p + row->offset, sizeof action);
    cr_expect_eq(action, ACTION_OFF, "%s", row->key);
    sections++;
  }
  cr_expect_eq(sections, 18);
  cr_expect_eq(p.mode, POLICY_ENFORCE);
  cr_expect_eq(p.restore, PERMIT_DENY);
  cr_expect_eq(p.resources.pids_max, -1);
  cr_expect_eq(p.process.oom_score_adj_min, -1000);
  cr_expect_gt(p.rootfs.tmpfs_size, 0);
}

Test(policy, every_section_begins_with_its_action) {
  for (const struct jsonx_row *row = policy_rows; row->key; row++) {
    cr_expect(row->doc && row->doc[0], "%s has no description", row->key);
    if (row->type != JSONX_OBJECT)
      continue;
    cr_expect_str_eq(row->rows[0].key, "action");
    cr_expect_eq(row->rows[0].offset, 0, "%s: control_action() reads the action at the section's start",
                 row->key);
    for (const struct jsonx_row *r = row->rows; r->key; r++)
      cr_expect(r->doc && r->doc[0], "%s/%s has no description", row->key, r->key);
  }
}

Test(policy, absent_keys_keep_the_parents_values) {
  CLEANUP_POLICY struct policy p;
  policy_init(&p);
  must_decode(&p,
              "{\"name\": \"a\", \"description\": \"d\", \"resources\": {\"pidsMax\": 7, \"memoryMax\": 8}}");
  must_decode(&p, "{\"resources\": {\"pidsMax\": 9}}");
  cr_expect_eq(p.resources.pids_max, 9);
  cr_expect_eq(p.resources.memory_max, 8);
  cr_expect_null(p.name, "a name belongs to its own file");
  cr_expect_null(p.description);
}

Test(policy, dots_stand_for_the_parents_items) {
  CLEANUP_POLICY struct policy p;
  policy_init(&p);
  must_decode(&p, "{\"rootfs\": {\"tmpfs\": [\"/tmp\", \"/run\"]}}");
  must_decode(&p, "{\"rootfs\": {\"tmpfs\": [\"/a\", \"...\", \"/b\"]}}");
  expect_list(&p.rootfs.tmpfs, "/a /tmp /run /b");
  must_decode(&p, "{\"rootfs\": {\"tmpfs\": [\"/run\", \"...\", \"/tmp\"]}}");
  expect_list(&p.rootfs.tmpfs, "/run /a /tmp /b");
  must_decode(&p, "{\"rootfs\": {\"tmpfs\": [\"/only\"]}}");
  expect_list(&p.rootfs.tmpfs, "/only");
  must_decode(&p, "{\"rootfs\": {\"readonly\": true}}");
  expect_list(&p.rootfs.tmpfs, "/only");
  must_decode(&p, "{\"hooks\": {\"allow\": [\"...\"]}}");
  expect_list(&p.hooks.allow, "");
}

Test(policy, an_empty_profile_is_none) {
  CLEANUP_POLICY struct policy p;
  policy_init(&p);
  must_decode(&p, "{\"seccomp\": {\"profile\": \"strict\"}}");
  cr_expect_str_eq(p.seccomp.profile, "strict");
  must_decode(&p, "{\"seccomp\": {\"profile\": \"\"}}");
  cr_expect_null(p.seccomp.profile);
}

Test(policy, a_schema_key_is_for_editors) {
  CLEANUP_POLICY struct policy p;
  policy_init(&p);
  must_decode(&p, "{\"$schema\": \"policy.schema.json\", \"mode\": \"audit\"}");
  cr_expect_eq(p.mode, POLICY_AUDIT);
}

Test(policy, copies_share_nothing) {
  struct error err = { 0 };
  struct policy p;
  cr_assert(policy_load(NULL, "strict", &p, &err) == 0, "%s", err.message);
  CLEANUP_FREE char *before = encoded(&p);
  CLEANUP_POLICY struct policy copy = { 0 };
  policy_copy(&copy, &p);
  memset(p.paths.masked.items[0], 'X', 3);
  policy_free(&p);
  policy_free(&p); /* a freed policy is empty */
  CLEANUP_FREE char *after = encoded(&copy);
  cr_expect_str_eq(before, after);
}

/* What policy_encode says decodes to the same again: for `policy show` and the state's copy of a policy. */
Test(policy, encoding_loses_nothing) {
  for (const struct builtin *b = builtin_policies; b->name; b++) {
    struct error err = { 0 };
    CLEANUP_POLICY struct policy p = { 0 };
    cr_assert(policy_load(NULL, b->name, &p, &err) == 0, "%s", err.message);
    CLEANUP_FREE char *text = encoded(&p);
    CLEANUP_POLICY struct policy again;
    policy_init(&again);
    must_decode(&again, text);
    CLEANUP_FREE char *second = encoded(&again);
    cr_expect_str_eq(text, second);
  }
}

Test(policy, audit_mode_turns_every_action_but_off) {
  struct policy p = { .mode = POLICY_ENFORCE };
  cr_expect_eq(policy_action(&p, ACTION_HARDEN), ACTION_HARDEN);
  cr_expect_eq(policy_action(&p, ACTION_DENY), ACTION_DENY);
  p.mode = POLICY_AUDIT;
  cr_expect_eq(policy_action(&p, ACTION_HARDEN), ACTION_AUDIT);
  cr_expect_eq(policy_action(&p, ACTION_DENY), ACTION_AUDIT);
  cr_expect_eq(policy_action(&p, ACTION_AUDIT), ACTION_AUDIT);
  cr_expect_eq(policy_action(&p, ACTION_OFF), ACTION_OFF);
}

/* Each text is wrong in one place; the message begins with the place and tells what to write. */
static const struct {
  const char *text, *place, *says;
} wrong[] = {
  { "[]", "p.json:1:1: ", "must be an object" },
  { "{", "p.json:1:", "" },
  { "{} {}", "p.json:1:4", "" },
  { "{\"mode\": \"audit\", \"mode\": \"audit\"}", "p.json:1:", "mode" },
  { "{\n  \"capabilites\": {}\n}", "p.json:2:3: /capabilites: ", "did you mean \"capabilities\"" },
  { "{\"rootfs\": {\"readOnly\": true}}", "p.json:1:13: /rootfs/readOnly: ", "\"readonly\"" },
  { "{\"mode\": \"enforcing\"}", "p.json:1:10: /mode: ", "\"enforce\"" },
  { "{\"mode\": 1}", "p.json:1:10: /mode: ", "expected a string" },
  { "{\"hooks\": []}", "p.json:1:11: /hooks: ", "expected an object" },
  { "{\"hooks\": {\"engine\": \"true\"}}", "p.json:1:22: /hooks/engine: ", "true or false" },
  { "{\"hooks\": {\"action\": \"on\"}}", "p.json:1:22: /hooks/action: ", "\"harden\"" },
  { "{\"resources\": {\"pidsMax\": -2}}", "p.json:1:27: /resources/pidsMax: ", "integer from -1" },
  { "{\"resources\": {\"pidsMax\": 1.5}}", "p.json:1:27: /resources/pidsMax: ", "integer" },
  { "{\"resources\": {\"memoryMax\": 18446744073709551615}}",
    "p.json:1:29: /resources/memoryMax: ", "integer" },
  { "{\"rootfs\": {\"tmpfsSize\": 0}}", "p.json:1:26: /rootfs/tmpfsSize: ", "integer from 4096" },
  { "{\"user\": {\"minUid\": 5, \"maxUid\": 4}}", "p.json:1:21: /user/minUid: ", "above maxUid" },
  { "{\"user\": {\"minGid\": 5, \"maxGid\": 4}}", "p.json:1:21: /user/minGid: ", "above maxGid" },
  { "{\"user\": {\"maxUid\": 4294967295}}", "p.json:1:21: /user/maxUid: ", "integer" },
  { "{\"$schema\": 1}", "p.json:1:13: /$schema: ", "string" },
  { "{\"name\": \"A\"}", "p.json:1:10: /name: ", "lower case" },
  { "{\"extends\": \"../x\"}", "p.json:1:13: /extends: ", "lower case" },
  { "{\"capabilities\": {\"allow\": [\"ALL\", \"net_admin\"]}}",
    "p.json:1:36: /capabilities/allow/1: ", "CAP_NAME" },
  { "{\"seccomp\": {\"profile\": \"./x\"}}", "p.json:1:25: /seccomp/profile: ", "absolute path" },
  { "{\"seccomp\": {\"floor\": [\"\"]}}", "p.json:1:24: /seccomp/floor/0: ", "system call" },
  { "{\"rootfs\": {\"tmpfs\": [\"tmp\"]}}", "p.json:1:23: /rootfs/tmpfs/0: ", "absolute path" },
  { "{\"rootfs\": {\"tmpfs\": [\"/a\", 1]}}", "p.json:1:29: /rootfs/tmpfs/1: ", "expected a string" },
  { "{\"rootfs\": {\"tmpfs\": [\"/a\", \"/a\"]}}", "p.json:1:29: /rootfs/tmpfs/1: ", "twice" },
  { "{\"mounts\": {\"noexec\": [\"tmp\"]}}", "p.json:1:24: /mounts/noexec/0: ", "absolute path" },
  { "{\"mounts\": {\"denySources\": [\"etc\"]}}", "p.json:1:29: /mounts/denySources/0: ", "absolute path" },
  { "{\"mounts\": {\"allowSources\": [\"*\"]}}", "p.json:1:30: /mounts/allowSources/0: ", "absolute path" },
  { "{\"mounts\": {\"allowTypes\": [\"a b\"]}}", "p.json:1:28: /mounts/allowTypes/0: ", "file system" },
  { "{\"mounts\": {\"enforce\": [\"ro\"]}}", "p.json:1:25: /mounts/enforce/0: ", "\"nosuid\"" },
  { "{\"paths\": {\"masked\": [\"proc\"]}}", "p.json:1:23: /paths/masked/0: ", "absolute path" },
  { "{\"paths\": {\"readonly\": [\"proc\"]}}", "p.json:1:25: /paths/readonly/0: ", "absolute path" },
  { "{\"devices\": {\"allow\": [\"c 1:3\"]}}", "p.json:1:24: /devices/allow/0: ", "TYPE MAJOR:MINOR" },
  { "{\"devices\": {\"allow\": [\"c 1:3 wr\"]}}", "p.json:1:24: /devices/allow/0: ", "TYPE MAJOR:MINOR" },
  { "{\"devices\": {\"allow\": [\"x 1:3 r\"]}}", "p.json:1:24: /devices/allow/0: ", "TYPE MAJOR:MINOR" },
  { "{\"devices\": {\"allow\": [\"c :3 r\"]}}", "p.json:1:24: /devices/allow/0: ", "TYPE MAJOR:MINOR" },
  { "{\"devices\": {\"allow\": [\"c 1:3 \"]}}", "p.json:1:24: /devices/allow/0: ", "TYPE MAJOR:MINOR" },
  { "{\"devices\": {\"allow\": [\"\"]}}", "p.json:1:24: /devices/allow/0: ", "TYPE MAJOR:MINOR" },
  { "{\"sysctl\": {\"allow\": [\"\"]}}", "p.json:1:23: /sysctl/allow/0: ", "sysctl" },
  { "{\"resources\": {\"unified\": [\"\"]}}", "p.json:1:28: /resources/unified/0: ", "cgroup" },
  { "{\"environment\": {\"secrets\": [\"A B\"]}}", "p.json:1:30: /environment/secrets/0: ", "environment" },
  { "{\"environment\": {\"allow\": [\"\"]}}", "p.json:1:28: /environment/allow/0: ", "environment" },
  { "{\"hooks\": {\"allow\": [\"true\"]}}", "p.json:1:22: /hooks/allow/0: ", "absolute path" },
  { "{\"annotations\": {\"deny\": [\"\"]}}", "p.json:1:27: /annotations/deny/0: ", "annotation" },
  { "{\"annotations\": {\"allow\": [\"\"]}}", "p.json:1:28: /annotations/allow/0: ", "annotation" },
};

Test(policy, errors_say_where_and_what) {
  for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
    CLEANUP_POLICY struct policy p;
    struct error err = { 0 };
    policy_init(&p);
    cr_assert(decode(&p, wrong[i].text, &err) < 0, "accepted: %s", wrong[i].text);
    cr_expect_eq(err.code, ERROR_POLICY, "%s", err.message);
    cr_expect(str_starts(err.message, wrong[i].place), "%s: %s", wrong[i].text, err.message);
    cr_expect(strstr(err.message, wrong[i].says) != NULL, "%s: %s", wrong[i].text, err.message);
  }
}

Test(policy, devices_take_numbers_and_stars) {
  CLEANUP_POLICY struct policy p;
  policy_init(&p);
  must_decode(&p, "{\"devices\": {\"allow\": [\"c 1:3 rwm\", \"b *:* m\", \"a 10:* w\", \"c 136:* rw\"]}}");
  cr_expect_eq(p.devices.allow.len, 4);
}

Test(policy, names) {
  static const char *const good[] = { "a", "0", "restricted", "team-a.v1_2" };
  static const char *const bad[] = { "", ".", "..", "../x", "a/b", "-a", "_a", ".a", "A", "a b", "\xc3\xa9" };
  for (size_t i = 0; i < ARRAY_SIZE(good); i++)
    cr_expect(policy_name_is_valid(good[i]), "%s", good[i]);
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
    cr_expect_not(policy_name_is_valid(bad[i]), "%s", bad[i]);
  char name[66];
  memset(name, 'a', 65);
  name[65] = '\0';
  cr_expect_not(policy_name_is_valid(name));
  name[64] = '\0';
  cr_expect(policy_name_is_valid(name));
}
