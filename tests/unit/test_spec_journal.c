/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "spec/spec.h"

#include <criterion/criterion.h>
#include <string.h>

static char *encode(const struct journal *j) {
  CLEANUP_STR struct str out = { 0 };
  json_auto_t *encoded = journal_encode(j);
  jsonx_dump(encoded, &out);
  return str_steal(&out);
}

Test(journal, encodes_every_member) {
  struct journal j = { 0 };
  json_auto_t *before = json_pack("[s]", "CAP_SYS_ADMIN");
  journal_add(&j, "capabilities", "OH-CAP-001", OUTCOME_CHANGED, "/process/capabilities/bounding", before,
              NULL, "not allowed");
  journal_add(&j, "hooks", "OH-HOK-001", OUTCOME_FINDING, "", NULL, NULL, "seen");
  CLEANUP_FREE char *text = encode(&j);
  cr_expect(strcmp(text, "[{\"control\":\"capabilities\",\"rule\":\"OH-CAP-001\",\"outcome\":\"changed\","
                         "\"pointer\":\"/process/capabilities/bounding\",\"before\":[\"CAP_SYS_ADMIN\"],"
                         "\"reason\":\"not allowed\"},{\"control\":\"hooks\",\"rule\":\"OH-HOK-001\","
                         "\"outcome\":\"finding\",\"pointer\":\"\",\"reason\":\"seen\"}]") == 0,
            "%s", text);
  journal_free(&j);
  cr_expect(j.len == 0 && j.entries == NULL);
  journal_free(&j);
}

/* No way of naming the environment shows a value of it. */
Test(journal, leaves_environment_out) {
  static const char *const pointers[] = { "",
                                          "/process",
                                          "/process/env",
                                          "/process/env/0",
                                          "/hooks",
                                          "/hooks/prestart",
                                          "/hooks/prestart/0",
                                          "/hooks/prestart/0/env",
                                          "/hooks/prestart/0/env/3" };
  for (size_t i = 0; i < ARRAY_SIZE(pointers); i++) {
    struct journal j = { 0 };
    bool leaf = strstr(pointers[i], "env") != NULL;
    json_auto_t *value =
        leaf ? json_string("TOKEN=hush")
             : json_pack("{s:{s:[s]},s:[{s:[s],s:s}],s:[s],s:s}", "process", "env", "TOKEN=hush", "prestart",
                         "env", "TOKEN=hush", "path", "/seen", "env", "TOKEN=hush", "path", "/seen");
    cr_assert(value != NULL);
    journal_add(&j, "c", "r", OUTCOME_CHANGED, pointers[i], value, value, "why");
    CLEANUP_FREE char *text = encode(&j);
    cr_expect(strstr(text, "hush") == NULL, "%s: %s", pointers[i], text);
    cr_expect(leaf || strstr(text, "/seen") != NULL, "%s: %s", pointers[i], text);
    cr_expect(leaf || json_object_get(value, "env") != NULL, "the journal's own value was changed");
    journal_free(&j);
  }
  struct journal j = { 0 };
  json_auto_t *value = json_string("kept");
  journal_add(&j, "c", "r", OUTCOME_CHANGED, "/process/environment", value, NULL, "why");
  CLEANUP_FREE char *text = encode(&j);
  cr_expect(strstr(text, "kept") != NULL);
  journal_free(&j);
}

Test(journal, names) {
  cr_expect(strcmp(action_name(ACTION_HARDEN), "harden") == 0 && strcmp(action_name(ACTION_OFF), "off") == 0);
  cr_expect(strcmp(action_names[ACTION_DENY], "deny") == 0 &&
            strcmp(action_names[ACTION_AUDIT], "audit") == 0);
  cr_expect(action_names[ACTION_OFF + 1] == NULL);
  cr_expect(strcmp(outcome_name(OUTCOME_CHANGED), "changed") == 0);
  cr_expect(strcmp(outcome_name(OUTCOME_AUDITED), "audited") == 0);
  cr_expect(strcmp(outcome_name(OUTCOME_FINDING), "finding") == 0);
  cr_expect(strcmp(outcome_name(OUTCOME_REFUSED), "refused") == 0);
}
