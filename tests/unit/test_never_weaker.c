/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first promise, over every fixture of every engine and every built-in policy:
 *
 *   - the output verifies, a second application changes nothing, and every edit is needed: with one taken
 *     back, verification fails;
 *   - one policy after another is at least as strict as either of them alone;
 *   - in mode audit nothing changes and nothing is refused.
 *
 * And that the judges can say no: for every control a corruption of a good output, which verify or
 * not_weaker must catch.
 */
#include "control/control.h"

#include "testfile.h"

struct input {
  char *path;
  char *text;
  struct jsonx_source src;
  enum spec_kind kind;
  struct spec spec; /* as parsed; never changed */
  struct facts facts;
};

struct output {
  bool refused;
  struct error err;
  struct spec spec;  /* as hardened, with its journal */
  struct spec after; /* its bytes, parsed again */
  struct str bytes;
};

static struct input *inputs;
static size_t inputs_len;
static struct policy *policies;
static size_t policies_len;

static void load_inputs(void) {
  CLEANUP_STRLIST struct strlist engines = { 0 };
  struct error err = { 0 };
  testfile_list("tests/fixtures", &engines);
  for (size_t i = 0; i < engines.len; i++) {
    CLEANUP_STRLIST struct strlist files = { 0 };
    testfile_list(engines.items[i], &files);
    for (size_t j = 0; j < files.len; j++) {
      if (!str_ends(files.items[j], ".json"))
        continue;
      inputs = xrealloc(inputs, inputs_len + 1, sizeof *inputs);
      struct input *in = &inputs[inputs_len++];
      *in = (struct input){ .path = xstrdup(files.items[j]), .text = testfile_read(files.items[j]) };
      in->kind = str_ends(in->path, ".process.json") ? SPEC_PROCESS : SPEC_CONFIG;
      in->src = (struct jsonx_source){ in->path, in->text, strlen(in->text) };
    }
  }
  for (size_t i = 0; i < inputs_len; i++) {
    struct input *in = &inputs[i];
    cr_assert_eq(spec_parse(&in->spec, in->kind, &in->src, JSONX_LIMIT_DEFAULT, &err), 0, "%s", err.message);
    facts_unknown(&in->facts, &in->spec, RUNTIME_RUNC);
  }
}

/* As the wrapper does it on a host where each source is on a mount with flags of its own. */
static void offer(struct input *in) {
  const json_t *mounts = spec_at(&in->spec, "/mounts");
  in->facts.sources = xcalloc(json_array_size(mounts) + 1, sizeof *in->facts.sources);
  for (size_t i = 0; i < json_array_size(mounts); i++) {
    const char *source = json_string_value(json_object_get(json_array_get(mounts, i), "source"));
    if (!source || *source != '/')
      continue;
    struct source_fact *fact = &in->facts.sources[in->facts.sources_len++];
    *fact =
        (struct source_fact){ .source = xstrdup(source), .real = xstrdup(source), .kind = INODE_DIRECTORY };
    fact->sensitive = xstrdup(facts_sensitive(source));
    strlist_add(&fact->options, "nosuid");
  }
  facts_offer(&in->facts, 1879048192, ID_BLOCK, "/run/maps/x", NULL);
  const json_t *list = spec_at(&in->spec, "/linux/namespaces");
  for (size_t i = 0; i < json_array_size(list); i++)
    for (int type = 0; type < ENTERED_TYPES; type++)
      if (strcmp(json_string_value(json_object_get(json_array_get(list, i), "type")), entered_types[type]) ==
          0)
        facts_offer_entered(&in->facts, type,
                            json_string_value(json_object_get(json_array_get(list, i), "path")));
}

/* Two more than the built-in ones: each has a way of its own with containers that can have no user namespace.
 */
static void add_policy(const char *name, enum user_namespace_mode mode) {
  struct error err = { 0 };
  policies = xrealloc(policies, policies_len + 1, sizeof *policies);
  struct policy *policy = &policies[policies_len++];
  *policy = (struct policy){ 0 };
  cr_assert_eq(policy_load("tests/no-such-directory", "restricted", policy, &err), 0, "%s", err.message);
  free(policy->name);
  policy->name = xstrdup(name);
  policy->user_namespace.mode = mode;
}

static void load(void) {
  struct error err = { 0 };
  load_inputs();
  for (size_t i = 0; i < inputs_len; i++)
    offer(&inputs[i]);
  for (const struct builtin *b = builtin_policies; b->name; b++) {
    policies = xrealloc(policies, policies_len + 1, sizeof *policies);
    policies[policies_len] = (struct policy){ 0 };
    cr_assert_eq(policy_load("tests/no-such-directory", b->name, &policies[policies_len], &err), 0, "%s",
                 err.message);
    policies_len++;
  }
  add_policy("prefers", USER_NAMESPACE_AUTO);
  add_policy("requires", USER_NAMESPACE_REQUIRE);
  cr_assert_geq(inputs_len, 100);
  cr_assert_geq(policies_len, 4);
}

static void unload(void) {
  for (size_t i = 0; i < inputs_len; i++) {
    spec_free(&inputs[i].spec);
    facts_free(&inputs[i].facts);
    free(inputs[i].path);
    free(inputs[i].text);
  }
  for (size_t i = 0; i < policies_len; i++)
    policy_free(&policies[i]);
  free(inputs);
  free(policies);
}

static void output_free(struct output *o) {
  spec_free(&o->spec);
  spec_free(&o->after);
  str_free(&o->bytes);
}
#define CLEANUP_OUTPUT CLEANUP(output_free)

/* Applies a policy to a text. */
static void harden_text(struct output *ret, const struct input *in, const struct jsonx_source *src,
                        const struct policy *policy) {
  struct error err = { 0 };
  cr_assert_eq(spec_parse(&ret->spec, in->kind, src, JSONX_LIMIT_DEFAULT, &err), 0, "%s", err.message);
  json_auto_t *outside = NULL;
  ret->refused = harden_apply(&ret->spec, policy, &in->facts, &ret->err) != 0 ||
                 harden_finish(&ret->spec, &in->facts, &outside, &ret->err) != 0;
  if (ret->refused)
    return;
  spec_dump(&ret->spec, &ret->bytes);
  struct jsonx_source out = { "output", ret->bytes.data, ret->bytes.len };
  cr_assert_eq(spec_parse(&ret->after, in->kind, &out, JSONX_LIMIT_DEFAULT, &err), 0, "%s under %s: %s",
               in->path, policy->name, err.message);
  ret->after.src = NULL;
}

static void harden(struct output *ret, const struct input *in, const struct policy *policy) {
  harden_text(ret, in, &in->src, policy);
}

static void again(struct output *ret, const struct input *in, const struct output *first,
                  const struct policy *policy) {
  struct jsonx_source src = { "output", first->bytes.data, first->bytes.len };
  harden_text(ret, in, &src, policy);
}

static int verify(const struct input *in, const json_t *after, const struct policy *policy,
                  struct error *err) {
  return harden_verify(in->kind, in->spec.root, after, policy, &in->facts, err);
}

/* Is b at least as strict as a, by every control's own order? */
static void expect_as_strict(const struct input *in, const struct output *a, const struct output *b,
                             const char *which) {
  for (const struct control *c = controls; c->name; c++) {
    struct error err = { 0 };
    if (control_judges(c, in->kind))
      cr_expect_eq(c->not_weaker(in->kind, a->after.root, b->after.root, &in->facts, &err), 0,
                   "%s: %s: %s: %s", in->path, which, c->name, err.message);
  }
}

TestSuite(never_weaker, .init = load, .fini = unload, .timeout = 300);

Test(never_weaker, every_fixture_under_every_policy) {
  size_t hardened = 0, refused = 0, edits = 0;
  for (size_t i = 0; i < inputs_len; i++) {
    for (size_t p = 0; p < policies_len; p++) {
      const struct input *in = &inputs[i];
      CLEANUP_OUTPUT struct output once = { 0 };
      CLEANUP_OUTPUT struct output twice = { 0 };
      struct error err = { 0 };

      harden(&once, in, &policies[p]);
      if (once.refused) {
        cr_expect_eq(once.err.code, ERROR_REFUSED, "%s: %s", in->path, once.err.message);
        cr_expect_str_neq(once.err.message, "");
        refused++;
        continue;
      }
      cr_expect_eq(verify(in, once.after.root, &policies[p], &err), 0, "%s under %s: %s", in->path,
                   policies[p].name, err.message);
      again(&twice, in, &once, &policies[p]);
      cr_expect_not(twice.refused, "%s under %s: a second time: %s", in->path, policies[p].name,
                    twice.err.message);
      if (!twice.refused)
        cr_expect_str_eq(twice.bytes.data, once.bytes.data, "%s under %s: a second time differs", in->path,
                         policies[p].name);
      for (size_t e = 0; e < once.spec.journal.len; e++)
        edits += once.spec.journal.entries[e].outcome == OUTCOME_CHANGED;
      hardened++;
    }
  }
  cr_log_info("%zu fixtures, %zu policies: %zu hardened with %zu edits, %zu refused", inputs_len,
              policies_len, hardened, edits, refused);
  cr_expect_gt(hardened, refused);
  cr_expect_gt(edits, inputs_len);
}

/* The policy b over the output of a, against each of the two alone. False: refused. */
static bool expect_pair(const struct input *in, const struct output *alone, size_t a, size_t b) {
  CLEANUP_OUTPUT struct output both = { 0 };
  struct error err = { 0 };
  again(&both, in, &alone[a], &policies[b]);
  if (both.refused)
    return false;
  cr_expect_eq(verify(in, both.after.root, &policies[a], &err), 0, "%s: %s after %s: %s", in->path,
               policies[b].name, policies[a].name, err.message);
  cr_expect_eq(verify(in, both.after.root, &policies[b], &err), 0, "%s: %s after %s: %s", in->path,
               policies[b].name, policies[a].name, err.message);
  expect_as_strict(in, &alone[a], &both, "both against the first");
  if (!alone[b].refused)
    expect_as_strict(in, &alone[b], &both, "both against the second");
  return true;
}

Test(never_weaker, two_policies_in_a_row) {
  size_t pairs = 0;
  for (size_t i = 0; i < inputs_len; i++) {
    struct output *alone = xcalloc(policies_len, sizeof *alone);
    for (size_t p = 0; p < policies_len; p++)
      harden(&alone[p], &inputs[i], &policies[p]);
    for (size_t a = 0; a < policies_len; a++)
      for (size_t b = 0; b < policies_len; b++)
        pairs += a != b && !alone[a].refused && expect_pair(&inputs[i], alone, a, b);
    for (size_t p = 0; p < policies_len; p++)
      output_free(&alone[p]);
    free(alone);
  }
  cr_log_info("%zu pairs", pairs);
  cr_expect_gt(pairs, inputs_len);
}

Test(never_weaker, audit_changes_and_refuses_nothing) {
  size_t recorded = 0;
  for (size_t i = 0; i < inputs_len; i++) {
    for (size_t p = 0; p < policies_len; p++) {
      const struct input *in = &inputs[i];
      struct policy audit = policies[p]; /* borrows its members */
      CLEANUP_OUTPUT struct output out = { 0 };
      audit.mode = POLICY_AUDIT;
      harden(&out, in, &audit);
      cr_expect_not(out.refused, "%s under %s: %s", in->path, audit.name, out.err.message);
      cr_expect(json_equal(out.spec.root, in->spec.root), "%s under %s: changed", in->path, audit.name);
      recorded += out.spec.journal.len;
    }
  }
  cr_log_info("%zu entries recorded", recorded);
  cr_expect_gt(recorded, inputs_len);
}

/* What a journal entry has done, undone in a document. False when a later edit has taken its place. */
static bool take_back(json_t *root, const struct journal_entry *e) {
  const char *slash = strrchr(e->pointer, '/');
  CLEANUP_FREE char *parent_pointer = xstrdup(e->pointer);
  parent_pointer[slash - e->pointer] = '\0';
  json_t *parent = jsonx_at(root, parent_pointer), *now = jsonx_at(root, e->pointer);
  if (!parent)
    return false;
  if (json_is_array(parent)) {
    if (!e->after) /* removed: somewhere in the array it is back */
      return json_array_append(parent, e->before) == 0;
    for (size_t i = 0; i < json_array_size(parent); i++) {
      if (!json_equal(json_array_get(parent, i), e->after))
        continue;
      return (e->before ? json_array_set(parent, i, e->before) : json_array_remove(parent, i)) == 0;
    }
    return false;
  }
  if ((e->after == NULL) != (now == NULL) || (now && !json_equal(now, e->after)))
    return false;
  CLEANUP_STR struct str key = { 0 };
  for (const char *c = slash + 1; *c; c++) {
    char plain = *c != '~' ? *c : *++c == '1' ? '/' : '~';
    str_add_mem(&key, &plain, 1);
  }
  return (e->before ? json_object_set(parent, key.data, e->before) : json_object_del(parent, key.data)) == 0;
}

/* A control that forgets one of its edits does not get past the judges. */
Test(never_weaker, every_edit_is_needed) {
  size_t taken = 0, superseded = 0;
  for (size_t i = 0; i < inputs_len; i++) {
    for (size_t p = 0; p < policies_len; p++) {
      const struct input *in = &inputs[i];
      CLEANUP_OUTPUT struct output out = { 0 };
      harden(&out, in, &policies[p]);
      for (size_t e = 0; !out.refused && e < out.spec.journal.len; e++) {
        const struct journal_entry *entry = &out.spec.journal.entries[e];
        json_auto_t *root = jsonx_copy(out.after.root);
        struct error err = { 0 };
        if (entry->outcome != OUTCOME_CHANGED)
          continue;
        if (!take_back(root, entry)) {
          superseded++;
          continue;
        }
        const struct control *c = control_find(entry->control);
        bool caught = c->verify(in->kind, root, &policies[p], &in->facts, &err) != 0 ||
                      c->not_weaker(in->kind, in->spec.root, root, &in->facts, &err) != 0 ||
                      verify(in, root, &policies[p], &err) != 0;
        cr_expect(caught, "%s under %s: without %s at %s nobody objects", in->path, policies[p].name,
                  entry->rule, entry->pointer);
        taken++;
      }
    }
  }
  cr_log_info("%zu edits taken back, %zu superseded by later ones", taken, superseded);
  cr_expect_gt(taken, inputs_len);
  cr_expect_lt(superseded, taken / 4);
}

/* A change of an output that no control may let pass: what is at `pointer` becomes `value` (NULL: is removed;
 * "-" appends). */
struct corruption {
  const char *control;
  const char *fixture;
  const char *pointer;
  const char *value;
};

#include "corruptions.h"

static void corrupt(json_t *root, const struct corruption *c) {
  const char *slash = strrchr(c->pointer, '/');
  CLEANUP_FREE char *parent_pointer = xstrdup(c->pointer);
  parent_pointer[slash - c->pointer] = '\0';
  json_t *parent = jsonx_at(root, parent_pointer);
  json_t *value = c->value ? json_loads(c->value, JSON_DECODE_ANY, NULL) : NULL;
  cr_assert_not_null(parent, "%s: %s: nothing there", c->fixture, c->pointer);
  cr_assert_eq(value != NULL, c->value != NULL, "%s", c->value);
  if (json_is_object(parent) && value)
    json_object_set_new(parent, slash + 1, value);
  else if (json_is_object(parent))
    cr_assert_eq(json_object_del(parent, slash + 1), 0, "%s: nothing there", c->pointer);
  else if (strcmp(slash, "/-") == 0)
    json_array_append_new(parent, value);
  else if (value)
    json_array_set_new(parent, (size_t)atoi(slash + 1), value);
  else
    json_array_remove(parent, (size_t)atoi(slash + 1));
}

static const struct policy *policy_named(const char *name) {
  for (size_t p = 0; p < policies_len; p++)
    if (strcmp(policies[p].name, name) == 0)
      return &policies[p];
  return NULL;
}

static const struct input *input_named(const char *path) {
  for (size_t i = 0; i < inputs_len; i++)
    if (str_ends(inputs[i].path, path))
      return &inputs[i];
  return NULL;
}

Test(never_weaker, corruptions_are_caught) {
  const struct policy *restricted = policy_named("prefers");
  cr_assert_not_null(restricted);
  for (const struct corruption *c = corruptions; c->control; c++) {
    const struct control *control = control_find(c->control);
    const struct input *in = input_named(c->fixture);
    CLEANUP_OUTPUT struct output out = { 0 };
    struct error err = { 0 };
    cr_assert_not_null(control, "%s", c->control);
    cr_assert_not_null(in, "%s", c->fixture);
    harden(&out, in, restricted);
    cr_assert_not(out.refused, "%s: %s", c->fixture, out.err.message);
    json_auto_t *root = jsonx_copy(out.after.root);
    corrupt(root, c);
    bool caught = control->verify(in->kind, root, restricted, &in->facts, &err) != 0 ||
                  control->not_weaker(in->kind, in->spec.root, root, &in->facts, &err) != 0;
    cr_expect(caught, "%s: %s at %s passes", c->control, c->value ? c->value : "removal", c->pointer);
    cr_expect_neq(verify(in, root, restricted, &err), 0, "%s: the pipeline lets it pass", c->control);
    if (caught)
      cr_expect_eq(err.code, ERROR_INTERNAL);
  }
}

Test(never_weaker, every_control_has_a_corruption) {
  for (const struct control *c = controls; c->name; c++) {
    bool found = false;
    for (const struct corruption *x = corruptions; x->control; x++)
      found |= strcmp(x->control, c->name) == 0;
    cr_expect(found, "%s: no corruption shows that it can object", c->name);
  }
}

/* What no control governs reaches the runtime as it was. */
Test(never_weaker, foreign_keys_are_kept) {
  static const struct corruption foreign[] = {
    { "", "docker-28/default.json", "/process/args/0", "\"/bin/other\"" },
    { "", "docker-28/default.json", "/process/env/-", "\"LD_PRELOAD=/x\"" },
    { "", "docker-28/default.json", "/hostname", "\"other\"" },
    { "", "docker-28/default.json", "/linux/x-unknown", "1" },
    { "", "docker-28/default.json", "/x-unknown", "{}" },
    { "", "docker-28/default.json", "/linux/cgroupsPath", NULL },
    { "", "docker-28/default.json", "/root/path", "\"/\"" },
  };
  const struct policy *restricted = policy_named("restricted");
  for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
    const struct input *in = input_named(foreign[i].fixture);
    CLEANUP_OUTPUT struct output out = { 0 };
    struct error err = { 0 };
    harden(&out, in, restricted);
    cr_assert_not(out.refused, "%s", out.err.message);
    json_auto_t *root = jsonx_copy(out.after.root);
    corrupt(root, &foreign[i]);
    cr_expect_neq(verify(in, root, restricted, &err), 0, "%s passes", foreign[i].pointer);
  }
}
