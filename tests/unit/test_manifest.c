/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests as configs. tests/manifests/<case>/ holds
 *
 *   input.yaml      a manifest or compose file
 *   output.json     an array of {"name", "config", "notes", "places"} for each container: the config without
 * the engine's list of system calls, and where each member of it that an author decides has its place; then
 * what was passed over error.txt       the exact message of a refusal, in place of output.json
 *
 * UPDATE_GOLDEN=1 rewrites the expectations; read the diff before you commit it.
 */
#include "manifest/manifest.h"
#include "spec/spec.h"

#include "testfile.h"

#define CASES "tests/manifests"

static json_t *notes(const struct manifest_container *c) {
  json_t *list = json_array();
  for (size_t i = 0; i < c->notes_len; i++) {
    CLEANUP_PLACE struct manifest_place place = { 0 };
    manifest_locate_note(&c->notes[i], &place);
    CLEANUP_FREE char *line =
        xasprintf("%u:%u %s: %s", place.at.line, place.at.column, place.path, c->notes[i].text);
    jsonx_append_new(list, jsonx_string_new(line));
  }
  return list;
}

static json_t *places(const struct manifest_container *c) {
  json_t *map = json_object();
  for (size_t i = 0; i < c->origins_len; i++) {
    CLEANUP_PLACE struct manifest_place place = { 0 };
    manifest_locate(c, c->origins[i].pointer, &place);
    if (place.engines)
      continue;
    CLEANUP_FREE char *text = xasprintf("%u:%u %s", place.at.line, place.at.column, place.path);
    jsonx_set_new(map, c->origins[i].pointer, jsonx_string_new(text));
  }
  return map;
}

/* What is made must be what the pipeline reads. */
static void check_spec(const char *dir, const struct manifest_container *c) {
  CLEANUP_STR struct str text = { 0 };
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  jsonx_dump(c->config, &text);
  const struct jsonx_source src = { dir, text.data, text.len };
  cr_expect_eq(spec_parse(&spec, SPEC_CONFIG, &src, JSONX_LIMIT_DEFAULT, &err), 0, "%s", err.message);
}

static json_t *encode(const char *dir, const struct manifest *manifest) {
  json_t *list = json_array();
  for (size_t i = 0; i < manifest->len; i++) {
    const struct manifest_container *c = &manifest->containers[i];
    json_t *item = json_object();
    check_spec(dir, c);
    json_t *config = jsonx_copy(c->config);
    json_t *rules = jsonx_at(config, "/linux/seccomp/syscalls");
    if (rules)
      json_array_clear(rules);
    jsonx_set_new(item, "name", jsonx_string_new(c->name));
    jsonx_set_new(item, "config", config);
    jsonx_set_new(item, "notes", notes(c));
    jsonx_set_new(item, "places", places(c));
    jsonx_append_new(list, item);
  }
  for (size_t i = 0; i < manifest->skipped.len; i++)
    jsonx_append_new(list, jsonx_string_new(manifest->skipped.items[i]));
  return list;
}

static void expect_file(const char *dir, const char *name, const char *got) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
  if (getenv("UPDATE_GOLDEN")) {
    if (got)
      testfile_write(path, got);
    else
      unlink(path);
    return;
  }
  CLEANUP_FREE char *want = testfile_read(path);
  cr_expect(!got == !want && (!got || strcmp(got, want) == 0), "%s: expected\n%s\nbut got\n%s", path,
            want ? want : "nothing", got ? got : "nothing");
}

static void run_case(const char *dir) {
  CLEANUP_FREE char *path = xasprintf("%s/input.yaml", dir);
  CLEANUP_FREE char *text = testfile_read(path);
  cr_assert_not_null(text, "%s", path);
  CLEANUP_MANIFEST struct manifest manifest = { 0 };
  struct error err = { 0 };
  const struct jsonx_source src = { "input.yaml", text, strlen(text) };
  if (manifest_read(&manifest, &src, &err) < 0) {
    CLEANUP_FREE char *line = xasprintf("%s\n", err.message);
    expect_file(dir, "error.txt", line);
    expect_file(dir, "output.json", NULL);
    return;
  }
  CLEANUP_STR struct str pretty = { 0 };
  json_auto_t *got = encode(dir, &manifest);
  jsonx_dump_pretty(got, &pretty);
  expect_file(dir, "output.json", pretty.data);
  expect_file(dir, "error.txt", NULL);
}

Test(manifest, cases) {
  CLEANUP_STRLIST struct strlist dirs = { 0 };
  testfile_list(CASES, &dirs);
  cr_assert_geq(dirs.len, 10);
  for (size_t i = 0; i < dirs.len; i++)
    run_case(dirs.items[i]);
}

static enum manifest_kind kind(const char *text) {
  const struct jsonx_source src = { "f", text, strlen(text) };
  return manifest_kind_of(&src);
}

Test(manifest, kind_is_told_by_the_content) {
  cr_expect_eq(kind("{\"ociVersion\": \"1.0.2\", \"kind\": \"Pod\"}"), MANIFEST_NONE);
  cr_expect_eq(kind("{\"args\": [\"sh\"], \"cwd\": \"/\"}"), MANIFEST_NONE);
  cr_expect_eq(kind("{\"apiVersion\": \"v1\", \"kind\": \"Pod\"}"), MANIFEST_KUBERNETES);
  cr_expect_eq(kind("# x\n---\nkind: Service\n"), MANIFEST_KUBERNETES);
  cr_expect_eq(kind("services:\n  a: {image: b}\n"), MANIFEST_COMPOSE);
  cr_expect_eq(kind("services: [a]\n"), MANIFEST_NONE);
  cr_expect_eq(kind(""), MANIFEST_NONE);
  cr_expect_eq(kind("a: ["), MANIFEST_NONE);
}

/* Of one container: the last of the manifest. */
static void located(const char *text, const char *pointer, const char *path, bool engines) {
  CLEANUP_MANIFEST struct manifest manifest = { 0 };
  CLEANUP_PLACE struct manifest_place place = { 0 };
  struct error err = { 0 };
  const struct jsonx_source src = { "f", text, strlen(text) };
  cr_assert_eq(manifest_read(&manifest, &src, &err), 0, "%s", err.message);
  manifest_locate(&manifest.containers[manifest.len - 1], pointer, &place);
  cr_expect_str_eq(place.path, path);
  cr_expect_eq(place.engines, engines, "%s", pointer);
}

Test(manifest, places_are_the_nearest_field) {
  static const char pod[] =
      "kind: Pod\nspec:\n  containers:\n  - name: a\n    volumeMounts:\n    - {name: v, mountPath: /v}\n"
      "  volumes:\n  - {name: v, emptyDir: {}}\n";
  located(pod, "/process/user/uid", "spec.containers[0].securityContext.runAsUser", false);
  located(pod, "/process/capabilities/bounding/3", "spec.containers[0].securityContext.capabilities", false);
  located(pod, "/mounts/6/source", "spec.containers[0].volumeMounts[0]", false);
  located(pod, "/mounts/6/options", "spec.containers[0]", true);
  located(pod, "/mounts/0/options", "spec.containers[0]", true);
  located(pod, "/linux/resources/pids/limit", "spec.containers[0]", true);
  located(pod, "/linux/namespaces/pid", "spec.containers[0]", true);
  located(pod, "", "spec.containers[0]", true);
}
