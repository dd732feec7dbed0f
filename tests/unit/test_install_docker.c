/* SPDX-License-Identifier: Apache-2.0 */
#include "install/docker.h"
#include "io/jsonx.h"
#include "testfile.h"

#include <criterion/criterion.h>
#include <string.h>

#define CONFIGS "tests/fixtures/config/docker"

struct applied {
  struct handlers handlers;
  struct changes changes;
  struct str text;
};
static void applied_free(struct applied *a) {
  handlers_free(&a->handlers);
  changes_free(&a->changes);
  str_free(&a->text);
}
#define CLEANUP_APPLIED CLEANUP(applied_free)

static int apply(const char *text, bool make_default, struct applied *ret, struct error *err) {
  const struct config_text in = { .name = "daemon.json", .text = text, .len = text ? strlen(text) : 0 };
  CLEANUP_STRLIST struct strlist notes = { 0 };
  handlers_put(&ret->handlers, "hardened", "restricted", "/opt/oci-harden-restricted");
  handlers_put(&ret->handlers, "hardened-baseline", "baseline", "/opt/oci-harden-baseline");
  ret->handlers.chosen = make_default ? xstrdup("hardened") : NULL;
  return docker_apply(&in, &ret->handlers, &ret->text, &ret->changes, &notes, err);
}

static void apply_well(const char *text, bool make_default, struct applied *ret) {
  struct error err = { 0 };
  cr_assert_eq(apply(text, make_default, ret, &err), 0, "%s\n%s", err.message, text);
}

static char *taken_back(const struct applied *a, const char *text, struct strlist *notes) {
  const struct config_text in = { .name = "daemon.json", .text = text, .len = strlen(text) };
  struct str out = { 0 };
  struct error err = { 0 };
  cr_assert_eq(docker_take_back(&in, &a->handlers, &a->changes, &out, notes, &err), 0, "%s\n%s", err.message,
               text);
  return str_steal(&out);
}

static json_t *parsed(const char *text) {
  json_error_t unused;
  json_t *json = json_loads(text, 0, &unused);
  cr_assert_not_null(json, "%s", text);
  return json;
}

Test(install_docker, every_config_comes_back_byte_for_byte) {
  CLEANUP_STRLIST struct strlist files = { 0 };
  testfile_list(CONFIGS, &files);
  cr_assert_geq(files.len, 9);
  for (size_t i = 0; i < files.len; i++) {
    for (int make_default = 0; make_default < 2; make_default++) {
      CLEANUP_FREE char *text = testfile_read(files.items[i]);
      CLEANUP_APPLIED struct applied a = { 0 };
      CLEANUP_STRLIST struct strlist notes = { 0 };
      apply_well(text, make_default, &a);
      json_auto_t *json = parsed(a.text.data);
      cr_assert_str_eq(json_string_value(jsonx_at(json, "/runtimes/hardened/path")),
                       "/opt/oci-harden-restricted");
      cr_assert_eq(make_default,
                   jsonx_at(json, "/default-runtime") &&
                       strcmp(json_string_value(jsonx_at(json, "/default-runtime")), "hardened") == 0);
      CLEANUP_FREE char *back = taken_back(&a, a.text.data, &notes);
      cr_assert_str_eq(back, text, "%s", files.items[i]);
      cr_assert_eq(notes.len, 0);
    }
  }
}

/* What others make of the file meanwhile, and what is left of it when ours is taken out. */
static const struct {
  const char *what, *text, *left;
} edited[] = {
  { "a runtime behind ours",
    "{ \"debug\": true, \"runtimes\": {\n  \"hardened\": { \"path\": \"/opt/x\" },\n  \"kata\": { \"path\": "
    "\"/k\" }\n} }\n",
    "{ \"debug\": true, \"runtimes\": {\n  \"kata\": { \"path\": \"/k\" }\n} }\n" },
  { "everything on one line",
    "{\"debug\":true,\"runtimes\":{\"hardened\":{\"path\":\"/y\"},\"hardened-baseline\":{}}}",
    "{\"debug\":true}" },
  { "ours in front", "{\"runtimes\":{\"hardened\":{\"path\":\"/y\"}},\"debug\":true}", "{\"debug\":true}" },
  { "ours is gone already", "{\"debug\":true}", "{\"debug\":true}" },
  { "the default is ours", "{\"default-runtime\": \"hardened\", \"debug\":true}", "{\"debug\":true}" },
};

Test(install_docker, edits_of_others_stay) {
  for (size_t i = 0; i < ARRAY_SIZE(edited); i++) {
    CLEANUP_APPLIED struct applied a = { 0 };
    CLEANUP_STRLIST struct strlist notes = { 0 };
    apply_well("{\"debug\":true}", true, &a);
    CLEANUP_FREE char *back = taken_back(&a, edited[i].text, &notes);
    cr_assert_str_eq(back, edited[i].left, "%s: %s", edited[i].what, back);
    cr_assert_eq(notes.len, 0);
  }
}

Test(install_docker, a_default_that_was_set_anew_stays) {
  CLEANUP_FREE char *text = testfile_read(CONFIGS "/nvidia.json");
  CLEANUP_APPLIED struct applied a = { 0 };
  CLEANUP_STRLIST struct strlist notes = { 0 };
  apply_well(text, true, &a);
  static const char ours[] = "\"default-runtime\": \"hardened\"";
  const char *mine = strstr(a.text.data, ours);
  cr_assert_not_null(mine);
  const size_t at = (size_t)(mine - a.text.data);
  text_splice(&a.text, at, at + strlen(ours), "\"default-runtime\": \"kata\"");
  CLEANUP_FREE char *back = taken_back(&a, a.text.data, &notes);
  json_auto_t *json = parsed(back);
  cr_assert_str_eq(json_string_value(jsonx_at(json, "/default-runtime")), "kata");
  cr_assert_null(jsonx_at(json, "/runtimes/hardened"));
  cr_assert_not_null(jsonx_at(json, "/runtimes/nvidia"));
  cr_assert_eq(notes.len, 1);
}

static const struct {
  const char *text, *message;
} refused[] = {
  { "[]", "daemon.json:1:1: dockerd wants an object" },
  { "{\"runtimes\": []}", "daemon.json:1:14: /runtimes: dockerd wants an object" },
  { "{\"default-runtime\": 1}", "daemon.json:1:21: /default-runtime: dockerd wants a string" },
  { "{\"a\": 1,\n \"a\": 2}", "daemon.json:2:2: /a: " },
  { "{\"a\": 1, \"A\": 2}", "daemon.json:1:10: /A: " },
  { "{\"Runtimes\": {}}", "daemon.json:1:18: /runtimes: the keys \"Runtimes\"" },
  { "{\n \"runtimes\": {\"hardened\": {\"path\": \"/x\"}}}",
    "daemon.json:2:27: /runtimes/hardened: is there already, and hardenctl did not make it" },
  { "{ // why\n}", "daemon.json:1:3: " },
};

Test(install_docker, what_it_does_not_understand_it_refuses) {
  for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
    CLEANUP_APPLIED struct applied a = { 0 };
    struct error err = { 0 };
    cr_assert_eq(apply(refused[i].text, true, &a, &err), -1, "%s", refused[i].text);
    cr_assert(str_starts(err.message, refused[i].message), "%s\n%s", err.message, refused[i].message);
    cr_assert_eq(a.text.len, 0);
  }
}
