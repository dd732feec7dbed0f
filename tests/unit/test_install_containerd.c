/* SPDX-License-Identifier: Apache-2.0 */
#include "install/containerd.h"
#include "install/engine.h"
#include "testfile.h"

#include <criterion/criterion.h>
#include <string.h>

#define CONFIGS "tests/fixtures/config/containerd"
#define V2 "plugins.\"io.containerd.grpc.v1.cri\".containerd"

/* A file with our runtimes, and what was done to it. */
struct applied {
  struct handlers handlers;
  struct changes changes;
  struct str text;
  struct strlist notes;
};
static void applied_free(struct applied *a) {
  handlers_free(&a->handlers);
  changes_free(&a->changes);
  str_free(&a->text);
  strlist_free(&a->notes);
}
#define CLEANUP_APPLIED CLEANUP(applied_free)

static struct handlers ours(bool make_default) {
  struct handlers h = { 0 };
  handlers_put(&h, "hardened", "restricted", "/opt/oci-harden-restricted");
  handlers_put(&h, "hardened-baseline", "baseline", "/opt/oci-harden-baseline");
  h.chosen = make_default ? xstrdup("hardened") : NULL;
  return h;
}

static int apply(const char *text, bool make_default, struct applied *ret, struct error *err) {
  const struct config_text in = { .name = "config.toml", .text = text, .len = text ? strlen(text) : 0 };
  ret->handlers = ours(make_default);
  return containerd_apply(&in, &ret->handlers, &ret->text, &ret->changes, &ret->notes, err);
}

static void apply_well(const char *text, bool make_default, struct applied *ret) {
  struct error err = { 0 };
  cr_assert_eq(apply(text, make_default, ret, &err), 0, "%s\n%s", err.message, text);
}

/* What taking ours out of `text` leaves. The caller frees. */
static char *taken_back(const struct applied *a, const char *text, struct strlist *notes) {
  const struct config_text in = { .name = "config.toml", .text = text, .len = strlen(text) };
  struct str out = { 0 };
  struct error err = { 0 };
  cr_assert_eq(containerd_take_back(&in, &a->handlers, &a->changes, &out, notes, &err), 0, "%s\n%s",
               err.message, text);
  return str_steal(&out);
}

Test(install_containerd, every_config_comes_back_byte_for_byte) {
  CLEANUP_STRLIST struct strlist files = { 0 };
  testfile_list(CONFIGS, &files);
  cr_assert_geq(files.len, 10);
  for (size_t i = 0; i < files.len; i++) {
    for (int make_default = 0; make_default < 2; make_default++) {
      CLEANUP_FREE char *text = testfile_read(files.items[i]);
      CLEANUP_APPLIED struct applied a = { 0 };
      CLEANUP_STRLIST struct strlist notes = { 0 };
      apply_well(text, make_default, &a);
      cr_assert(strstr(a.text.data, "BinaryName = \"/opt/oci-harden-restricted\""));
      CLEANUP_FREE char *back = taken_back(&a, a.text.data, &notes);
      cr_assert_str_eq(back, text, "%s", files.items[i]);
      cr_assert_eq(notes.len, 0);
    }
  }
}

static char *value(const char *text, const char *const *keys) {
  CLEANUP_TOML struct toml t = { 0 };
  struct error err = { 0 };
  cr_assert_eq(toml_parse("config.toml", text, strlen(text), &t, &err), 0, "%s", err.message);
  const struct toml_node *node = toml_at(&t, keys);
  return node ? xasprintf("%.*s", (int)(node->end - node->start), text + node->start) : NULL;
}
#define VALUE(text, ...) value((text), (const char *const[]){ "plugins", __VA_ARGS__, NULL })
#define CRI2 "io.containerd.grpc.v1.cri", "containerd"
#define CRI3 "io.containerd.cri.v1.runtime", "containerd"

static void equal(char *have, const char *expected) {
  if (expected)
    cr_assert_str_eq(have ? have : "(absent)", expected);
  else
    cr_assert_null(have);
  free(have);
}

Test(install_containerd, what_runc_has_ours_have) {
  CLEANUP_FREE char *text = testfile_read(CONFIGS "/kubeadm.toml");
  CLEANUP_APPLIED struct applied a = { 0 };
  apply_well(text, true, &a);
  const char *out = a.text.data;
  equal(VALUE(out, CRI2, "runtimes", "hardened", "options", "SystemdCgroup"), "true");
  equal(VALUE(out, CRI2, "runtimes", "hardened", "base_runtime_spec"), "\"/etc/containerd/cri-base.json\"");
  equal(VALUE(out, CRI2, "runtimes", "hardened-baseline", "options", "BinaryName"),
        "\"/opt/oci-harden-baseline\"");
  equal(VALUE(out, CRI2, "runtimes", "runc", "options", "BinaryName"), "\"/usr/local/sbin/runc\"");
  equal(VALUE(out, CRI2, "default_runtime_name"), "\"hardened\"");
  cr_assert_eq(a.notes.len, 1, "runc's own BinaryName is said aloud");
}

Test(install_containerd, inline_options_and_annotations_are_read) {
  CLEANUP_FREE char *text = testfile_read(CONFIGS "/spelling.toml");
  CLEANUP_APPLIED struct applied a = { 0 };
  apply_well(text, false, &a);
  equal(VALUE(a.text.data, CRI2, "runtimes", "hardened", "options", "SystemdCgroup"), "true");
  equal(VALUE(a.text.data, CRI2, "runtimes", "hardened", "pod_annotations"),
        "[\"a.b/*\", 'c', \"oci-harden.policy\"]");
  equal(VALUE(a.text.data, CRI2, "runtimes", "hardened", "container_annotations"), "[\"oci-harden.policy\"]");
  equal(VALUE(a.text.data, CRI2, "default_runtime_name"), "'runc'");
}

Test(install_containerd, each_version_has_its_plugin) {
  CLEANUP_FREE char *two = testfile_read(CONFIGS "/containerd-2.1.toml");
  CLEANUP_FREE char *one = testfile_read(CONFIGS "/version-1.toml");
  CLEANUP_APPLIED struct applied a = { 0 };
  CLEANUP_APPLIED struct applied b = { 0 };
  apply_well(two, true, &a);
  equal(VALUE(a.text.data, CRI3, "runtimes", "hardened", "sandboxer"), "'podsandbox'");
  equal(VALUE(a.text.data, CRI3, "default_runtime_name"), "\"hardened\"");
  apply_well(one, false, &b);
  equal(VALUE(b.text.data, "cri", "containerd", "runtimes", "hardened", "options", "SystemdCgroup"), "true");
}

Test(install_containerd, runc_is_kept_where_it_was_only_the_default) {
  static const char *const texts[] = { NULL, "", "version = 2", "version = 2\n[plugins]\n" };
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    CLEANUP_APPLIED struct applied a = { 0 };
    apply_well(texts[i], true, &a);
    const bool first = texts[i] && !*texts[i];
    equal(first ? VALUE(a.text.data, "cri", "containerd", "runtimes", "runc", "runtime_type")
                : VALUE(a.text.data, CRI2, "runtimes", "runc", "runtime_type"),
          "\"io.containerd.runc.v2\"");
    CLEANUP_STRLIST struct strlist notes = { 0 };
    CLEANUP_FREE char *back = taken_back(&a, a.text.data, &notes);
    cr_assert_str_eq(back, texts[i] ? texts[i] : "version = 2\n");
  }
  CLEANUP_FREE char *nvidia = testfile_read(CONFIGS "/nvidia.toml");
  CLEANUP_APPLIED struct applied a = { 0 };
  apply_well(nvidia, false, &a);
  equal(VALUE(a.text.data, CRI2, "runtimes", "runc", "runtime_type"), NULL);
  equal(VALUE(a.text.data, CRI2, "runtimes", "hardened", "options", "SystemdCgroup"), "true");
}

static const struct {
  const char *text, *message;
} refused[] = {
  { "version = 5\n", "config.toml:1:11: version = 5" },
  { "version = \"2\"\n", "config.toml:1:11: version" },
  { "version = 2\nplugins = {}\n", "config.toml:2:11: plugins is an inline table" },
  { "version = 2\n[" V2 "]\nruntimes = { runc = {} }\n",
    "config.toml:3:12: " V2 ".runtimes is an inline table" },
  { "version = 2\n[" V2 "]\nruntimes.runc.runtime_type = \"io.containerd.runc.v2\"\n",
    "config.toml:3:1: " V2 ".runtimes is made by dotted keys" },
  { "version = 2\nplugins = 1\n", "config.toml:2:11: plugins is no table" },
  { "version = 2\n[" V2 ".runtimes.hardened]\n",
    "config.toml:2:2: " V2 ".runtimes.hardened is there already" },
  { "version = 2\n[" V2 ".runtimes.runc]\nruntime_type = \"io.containerd.kata.v2\"\n",
    "config.toml:3:16: runc's runtime_type is \"io.containerd.kata.v2\"" },
  { "version = 2\n[" V2 ".runtimes]\nrunc = 1\n", "config.toml:3:8: runtimes.runc is no table" },
  { "version = 2\n[" V2 ".default_runtime]\nruntime_type = \"io.containerd.runc.v2\"\n",
    "config.toml:2:2: containerd takes its default runtime from this table of old" },
  { "version = 2\nversion = 2\n", "config.toml:2:1: version is already there" },
};

Test(install_containerd, what_it_does_not_understand_it_refuses) {
  for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
    CLEANUP_APPLIED struct applied a = { 0 };
    struct error err = { 0 };
    cr_assert_eq(apply(refused[i].text, true, &a, &err), -1, "%s", refused[i].text);
    cr_assert(str_starts(err.message, refused[i].message), "%s\n%s", err.message, refused[i].message);
    cr_assert_eq(a.text.len, 0);
  }
}

/* Edits of others between install and uninstall: `find` becomes `put`, once. The file without us has them
 * too. */
static const struct {
  const char *what, *find, *put;
} edits[] = {
  { "a key elsewhere", "sandbox_image = \"registry.k8s.io/pause:3.9\"", "sandbox_image = \"mine\"" },
  { "a table at the top", "[grpc]", "[new]\n  x = 1\n\n[grpc]" },
  { "a comment", "# kubelet's cgroupDriver: systemd", "# why" },
};

Test(install_containerd, edits_of_others_stay) {
  CLEANUP_FREE char *text = testfile_read(CONFIGS "/kubeadm.toml");
  CLEANUP_APPLIED struct applied a = { 0 };
  apply_well(text, true, &a);
  for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
    CLEANUP_STRLIST struct strlist notes = { 0 };
    CLEANUP_STR struct str with = { 0 };
    CLEANUP_STR struct str without = { 0 };
    str_add(&with, a.text.data);
    str_add(&without, text);
    for (struct str *s = &with; s; s = s == &with ? &without : NULL) {
      const size_t at = (size_t)(strstr(s->data, edits[i].find) - s->data);
      text_splice(s, at, at + strlen(edits[i].find), edits[i].put);
    }
    CLEANUP_FREE char *back = taken_back(&a, with.data, &notes);
    cr_assert_str_eq(back, without.data, "%s", edits[i].what);
  }
  CLEANUP_STRLIST struct strlist notes = { 0 };
  CLEANUP_FREE char *more = xasprintf("%s\n[behind]\nx = 1\n", a.text.data);
  CLEANUP_FREE char *expected = xasprintf("%s\n[behind]\nx = 1\n", text);
  CLEANUP_FREE char *back = taken_back(&a, more, &notes);
  cr_assert_str_eq(back, expected);
}

/* The newline that the file lacked is taken back with the rest, but not from between two lines of others. */
Test(install_containerd, a_last_line_without_newline_is_not_joined) {
  static const char text[] = "# a comment";
  CLEANUP_APPLIED struct applied a = { 0 };
  CLEANUP_STRLIST struct strlist notes = { 0 };
  apply_well(text, false, &a);
  CLEANUP_FREE char *more = xasprintf("%s[behind]\n", a.text.data);
  CLEANUP_FREE char *back = taken_back(&a, more, &notes);
  cr_assert_str_eq(back, "# a comment\n[behind]\n");
  CLEANUP_STR struct str edited = { 0 };
  str_add(&edited, a.text.data);
  memcpy(strstr(edited.data, "/opt/"), "/OPT/", 5);
  CLEANUP_FREE char *again = taken_back(&a, edited.data, &notes);
  cr_assert_str_eq(again, text);
}

Test(install_containerd, edits_of_what_is_ours_go_with_it) {
  CLEANUP_FREE char *text = testfile_read(CONFIGS "/kubeadm.toml");
  CLEANUP_APPLIED struct applied a = { 0 };
  CLEANUP_STRLIST struct strlist notes = { 0 };
  CLEANUP_STR struct str with = { 0 };
  apply_well(text, true, &a);
  str_add(&with, a.text.data);
  const char *mine = "BinaryName = \"/opt/oci-harden-restricted\"";
  const size_t at = (size_t)(strstr(with.data, mine) - with.data);
  text_splice(&with, at, at + strlen(mine), "BinaryName = \"/elsewhere\" # edited");
  CLEANUP_FREE char *back = taken_back(&a, with.data, &notes);
  cr_assert_str_eq(back, text);
}

Test(install_containerd, a_default_that_was_set_anew_stays) {
  CLEANUP_FREE char *text = testfile_read(CONFIGS "/kubeadm.toml");
  CLEANUP_APPLIED struct applied a = { 0 };
  CLEANUP_STRLIST struct strlist notes = { 0 };
  CLEANUP_STR struct str with = { 0 };
  apply_well(text, true, &a);
  str_add(&with, a.text.data);
  const char *mine = "default_runtime_name = \"hardened\"";
  const size_t at = (size_t)(strstr(with.data, mine) - with.data);
  text_splice(&with, at, at + strlen(mine), "default_runtime_name = \"kata\"");
  CLEANUP_FREE char *back = taken_back(&a, with.data, &notes);
  equal(VALUE(back, CRI2, "default_runtime_name"), "\"kata\"");
  equal(VALUE(back, CRI2, "runtimes", "hardened"), NULL);
  cr_assert_eq(notes.len, 1);
}

Test(install_containerd, what_was_rewritten_by_dotted_keys_is_not_guessed_at) {
  CLEANUP_APPLIED struct applied a = { 0 };
  struct error err = { 0 };
  CLEANUP_STR struct str out = { 0 };
  CLEANUP_STRLIST struct strlist notes = { 0 };
  apply_well("version = 2\n", false, &a);
  const char *text = "version = 2\n[" V2 ".runtimes]\nhardened.runtime_type = \"io.containerd.runc.v2\"\n";
  const struct config_text in = { .name = "config.toml", .text = text, .len = strlen(text) };
  cr_assert_eq(containerd_take_back(&in, &a.handlers, &a.changes, &out, &notes, &err), -1);
  cr_assert(strstr(err.message, "config.toml:3:1: "), "%s", err.message);
}

Test(install_containerd, the_cri_that_is_off_is_found) {
  CLEANUP_FREE char *text = testfile_read(CONFIGS "/docker-ce.toml");
  CLEANUP_TOML struct toml t = { 0 };
  struct error err = { 0 };
  cr_assert_eq(toml_parse("f", text, strlen(text), &t, &err), 0);
  cr_assert_not_null(containerd_cri_is_off(&t));
}

/* A drop-in below the file that k3s makes, and another beside it. */
static int apply_below(const char *text, const char *base, const char *neighbour, struct applied *ret,
                       struct error *err) {
  const struct config_text others[] = {
    { .name = "config.toml", .text = base, .len = base ? strlen(base) : 0 },
    { .name = "a.toml", .text = neighbour, .len = strlen(neighbour) },
  };
  const struct config_text in = { .name = "99-oci-harden.toml",
                                  .text = text,
                                  .len = text ? strlen(text) : 0,
                                  .others = others,
                                  .others_len = ARRAY_SIZE(others) };
  ret->handlers = ours(true);
  return containerd_apply(&in, &ret->handlers, &ret->text, &ret->changes, &ret->notes, err);
}

Test(install_containerd, a_drop_in_says_what_is_ours_and_nothing_else) {
  CLEANUP_FREE char *base = testfile_read("tests/fixtures/config/k3s/config-v3.toml");
  CLEANUP_APPLIED struct applied a = { 0 };
  CLEANUP_APPLIED struct applied b = { 0 };
  struct error err = { 0 };
  cr_assert_eq(apply_below(NULL, base, "version = 3\n", &a, &err), 0, "%s", err.message);
  cr_expect_eq(strncmp(a.text.data, "version = 3\n", 12), 0);
  cr_expect(strstr(a.text.data, "SystemdCgroup = true"));
  cr_expect(strstr(a.text.data, "default_runtime_name = \"hardened\""));
  cr_expect(!strstr(a.text.data, "runtimes.runc"),
            "a plugin's table is merged by keys: runc's is the base's");
  cr_expect(!strstr(a.text.data, "cni"));
  CLEANUP_FREE char *back = taken_back(&a, a.text.data, &a.notes);
  cr_expect_str_eq(back, "version = 3\n");
  /* What somebody has put into that file stays. */
  const char *theirs = "version = 3\n[debug]\n  level = \"info\"\n";
  cr_assert_eq(apply_below(theirs, base, "version = 3\n", &b, &err), 0, "%s", err.message);
  cr_expect_eq(strncmp(b.text.data, theirs, strlen(theirs)), 0);
}

Test(install_containerd, a_drop_in_that_would_not_be_merged_so_is_refused) {
  CLEANUP_FREE char *base = testfile_read("tests/fixtures/config/k3s/config-v3.toml");
  static const char taken[] =
      "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.hardened-baseline]\n";
  const struct {
    const char *text, *base, *neighbour, *says;
  } cases[] = {
    { NULL, base, taken,
      "a.toml:2:2: plugins.\"io.containerd.cri.v1.runtime\".containerd.runtimes.hardened-"
      "baseline is there already" },
    { taken, base, "version = 3\n", "99-oci-harden.toml:2:2: " },
    { "version = 2\n", base, "version = 3\n", "99-oci-harden.toml is of version 2, and config.toml" },
    { NULL, NULL, "version = 3\n", "config.toml, which imports what is installed here, is not there" },
    { NULL, "version = 3\n[plugins", "version = 3\n", "config.toml:2:" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    CLEANUP_APPLIED struct applied a = { 0 };
    struct error err = { 0 };
    cr_expect(apply_below(cases[i].text, cases[i].base, cases[i].neighbour, &a, &err) < 0, "%zu", i);
    cr_expect(strstr(err.message, cases[i].says), "%zu: %s", i, err.message);
  }
}

Test(install_containerd, names_of_handlers) {
  static const char *const good[] = { "hardened", "a", "team-a.strict" };
  static const char *const bad[] = { "", "runc", "crun", "-a", "a-", "A", "a b", "a\"b", "a/b", "nvidia" };
  struct error err = { 0 };
  for (size_t i = 0; i < ARRAY_SIZE(good); i++)
    cr_assert_eq(handler_name_check(good[i], &err), 0, "%s", err.message);
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
    cr_assert_eq(handler_name_check(bad[i], &err), -1, "%s", bad[i]);
}
