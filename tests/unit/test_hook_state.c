/* SPDX-License-Identifier: Apache-2.0 */
/* What the hook makes of its standard input and its arguments. */
#include "../../hooks/state.h"

#include "base/cleanup.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <string.h>

static int parse(const char *text, struct hook_call *ret, struct error *err) {
  json_t *document = NULL; /* of a call that is understood: it ends with the test */
  *ret = (struct hook_call){ 0 };
  *err = (struct error){ 0 };
  const int rc = state_parse(text, strlen(text), ret, &document, err);
  if (rc < 0)
    json_decref(document);
  return rc;
}

static void refused(const char *text, const char *why) {
  struct hook_call call;
  struct error err;
  cr_expect(parse(text, &call, &err) < 0, "%s", text);
  cr_expect(err.code == ERROR_INPUT && strstr(err.message, why), "%s: %s", text, err.message);
}

Test(hook_state, what_runtimes_write) {
  static const struct {
    const char *text;
    enum hook_status status;
    pid_t pid;
  } cases[] = {
    { "{\"ociVersion\":\"1.0.2-dev\",\"id\":\"c\",\"status\":\"creating\",\"pid\":28953,\"bundle\":\"/b\"}",
      HOOK_CREATING, 28953 },
    { "{\"ociVersion\":\"1.0\",\"id\":\"c\",\"pid\":24841,\"root\":\"rootfs\",\"bundle\":\"/"
      "b\",\"status\":\"created\"}",
      HOOK_CREATING, 24841 },
    { "{\"id\":\"c\",\"pid\":24841,\"bundle\":\"/b\",\"status\":\"running\",\"annotations\":{\"a\":\"b\"}}",
      HOOK_RUNNING, 24841 },
    { "{\"id\":\"c\",\"bundle\":\"/b\",\"status\":\"stopped\"}", HOOK_STOPPED, 0 },
    { "{\"id\":\"c\",\"pid\":0,\"bundle\":\"/b\",\"status\":\"stopped\"}", HOOK_STOPPED, 0 },
    { "{\"id\":\"c\",\"pid\":4711,\"bundle\":\"/b\",\"status\":\"stopped\"}", HOOK_STOPPED, 0 },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    json_auto_t *document = NULL;
    struct hook_call call = { 0 };
    struct error err = { 0 };
    cr_assert(state_parse(cases[i].text, strlen(cases[i].text), &call, &document, &err) == 0, "%s",
              err.message);
    cr_expect(call.status == cases[i].status && call.pid == cases[i].pid, "%s", cases[i].text);
    cr_expect_str_eq(call.id, "c");
    cr_expect_str_eq(call.bundle, "/b");
  }
}

Test(hook_state, what_is_no_state) {
  refused("", "standard input is not an OCI state");
  refused("[]", "it is no object");
  refused("{\"id\":\"c\"", "standard input is not an OCI state");
  refused("{\"id\":\"c\",\"ID\":\"d\",\"bundle\":\"/b\",\"status\":\"creating\",\"pid\":5}",
          "not an OCI state");
  refused("{\"id\":\"c\",\"bundle\":\"/b\",\"status\":\"creating\",\"pid\":5} x", "not an OCI state");
  refused("{\"bundle\":\"/b\",\"status\":\"creating\",\"pid\":5}", "/id");
  refused("{\"id\":7,\"bundle\":\"/b\",\"status\":\"creating\",\"pid\":5}", "/id");
  refused("{\"id\":\"c\",\"bundle\":\"b\",\"status\":\"creating\",\"pid\":5}", "/bundle");
  refused("{\"id\":\"c\",\"status\":\"creating\",\"pid\":5}", "/bundle");
  refused("{\"id\":\"c\",\"bundle\":\"/b\",\"status\":\"paused\",\"pid\":5}", "/status");
  refused("{\"id\":\"c\",\"bundle\":\"/b\",\"pid\":5}", "/status");
}

/* crun tells its createContainer hooks 0, runc 1: those stages see nothing, and the message says which does.
 */
Test(hook_state, pids_that_are_no_containers) {
  static const char *const pids[] = { "0",     "1",   "-5",   "4294967297",
                                      "\"5\"", "5.0", "null", "9223372036854775808" };
  for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
    CLEANUP_FREE char *text =
        xasprintf("{\"id\":\"c\",\"bundle\":\"/b\",\"status\":\"created\",\"pid\":%s}", pids[i]);
    refused(text, "createRuntime");
  }
}

Test(hook_state, more_than_a_state_is_refused) {
  CLEANUP_FREE char *text = xcalloc(STATE_SIZE_MAX + 64, 1);
  memset(text, ' ', STATE_SIZE_MAX + 32);
  text[0] = '{';
  text[1] = '}';
  refused(text, "not an OCI state");
}

Test(hook_state, arguments) {
  const char *words[] = { "hook", "--config", "/c", "--policy=strict", NULL };
  struct hook_call call = { 0 };
  struct error err = { 0 };
  bool version;
  cr_assert(arguments_parse((char **)words, &call, &version, &err) == 0, "%s", err.message);
  cr_expect_str_eq(call.config, "/c");
  cr_expect_str_eq(call.policy, "strict");
  cr_expect(call.argv == (char **)words && !version);
  const char *none[] = { "hook", NULL };
  call = (struct hook_call){ 0 };
  cr_expect(arguments_parse((char **)none, &call, &version, &err) == 0 && !call.config && !call.policy);
  const char *ask[] = { "hook", "--version", NULL };
  cr_expect(arguments_parse((char **)ask, &call, &version, &err) == 0 && version);
  static const char *const wrong[][3] = {
    { "hook", "--config", NULL }, { "hook", "--policy=", NULL }, { "hook", "--configs=/c", NULL },
    { "hook", "prestart", NULL }, { "hook", "-c", NULL },
  };
  for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
    err = (struct error){ 0 };
    cr_expect(arguments_parse((char **)wrong[i], &call, &version, &err) < 0 && err.code == ERROR_USAGE, "%s",
              wrong[i][1]);
  }
}
