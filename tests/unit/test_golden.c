/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden cases of the controls: tests/golden/<control>/<case>/ holds
 *
 *   input.json       a config.json; or process.json, an exec's process file as an engine writes it; or
 *                    resources.json, as `update` takes it. Exactly one of the three.
 *   policy.json      optional. Decoded over policy_init() with the control's action set to harden; only the
 *                    section of the control need be there.
 *   facts.json       optional: facts_decode(). Without it facts_unknown(), which knows a sandbox by its
 *                    annotations.
 *
 * and what must come of it:
 *
 *   output.json      the document afterwards, order of keys included; absent when the input is refused
 *   error.txt        the exact message of a refusal, in place of output.json
 *   journal.json     [{"rule", "outcome", "pointer"}...]
 *
 * Only the one control runs. Besides the expectations every case must hold what all controls promise: the
 * re-parsed output passes verify and not_weaker; a second application changes nothing; under audit and deny
 * the document stays as it is; in a policy of mode audit the same input is never refused.
 *
 * UPDATE_GOLDEN=1 rewrites the expectations; read the diff before you commit it.
 *
 * Every control of the table must have cases for: accepted as it is, changed or refused under harden, audit,
 * deny; and every rule of its table must be used by some case, but for those in `elsewhere`.
 */
#include "control/control.h"

#include "testfile.h"

#define GOLDEN "tests/golden"

/* Rules that a case cannot bring about. */
static const char *const elsewhere[] = {
  "OH-SEC-005", /* needs a compiled filter: test_control_seccomp.c */
  "OH-UNS-009", /* needs a file system: userns.bats */
  "OH-HOK-003", /* needs a run, not a policy: test_control_hooks.c */
  "OH-SEL-017", /* files of a volume: test_relabel.c, tests/vm/relabel.bats */
};

/* What the cases of a control have shown. */
struct coverage {
  struct strlist rules;
  bool accepted, bites, audit, deny;
};

struct golden {
  const char *dir;
  const struct control *control;
  enum spec_kind kind;
  struct jsonx_source src;
  char *text; /* of src */
  struct policy policy;
  struct facts facts;
};

static void golden_free(struct golden *g) {
  free(g->text);
  policy_free(&g->policy);
  facts_free(&g->facts);
}

static char *case_file(const struct golden *g, const char *name) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", g->dir, name);
  return testfile_read(path);
}

static void load_input(struct golden *g) {
  static const struct {
    const char *file, *name;
    enum spec_kind kind;
  } kinds[] = {
    { "input.json", "config.json", SPEC_CONFIG },
    { "process.json", "process.json", SPEC_PROCESS },
    { "resources.json", "resources.json", SPEC_RESOURCES },
  };
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    char *text = case_file(g, kinds[i].file);
    if (!text)
      continue;
    cr_assert_null(g->text, "%s: two inputs", g->dir);
    g->text = text;
    g->kind = kinds[i].kind;
    g->src = (struct jsonx_source){ kinds[i].name, text, strlen(text) };
  }
  cr_assert_not_null(g->text, "%s: no input", g->dir);
}

static void load_policy(struct golden *g) {
  struct error err = { 0 };
  policy_init(&g->policy);
  int harden = ACTION_HARDEN;
  memcpy((char *)&g->policy + g->control->action_offset, &harden, sizeof harden);
  CLEANUP_FREE char *text = case_file(g, "policy.json");
  if (!text)
    return;
  struct jsonx_source src = { "policy.json", text, strlen(text) };
  cr_assert_eq(policy_decode(&g->policy, &src, &err), 0, "%s: %s", g->dir, err.message);
}

static void load_facts(struct golden *g, const struct spec *spec) {
  struct error err = { 0 };
  CLEANUP_FREE char *text = case_file(g, "facts.json");
  if (!text) {
    facts_unknown(&g->facts, spec, RUNTIME_RUNC);
    return;
  }
  struct jsonx_source src = { "facts.json", text, strlen(text) };
  cr_assert_eq(facts_decode(&g->facts, &src, &err), 0, "%s: %s", g->dir, err.message);
}

static char *encode_journal(const struct journal *j) {
  json_auto_t *array = json_array();
  for (size_t i = 0; i < j->len; i++) {
    const struct journal_entry *e = &j->entries[i];
    json_t *entry = json_object();
    jsonx_set_new(entry, "rule", jsonx_string_new(e->rule));
    jsonx_set_new(entry, "outcome", jsonx_string_new(outcome_name(e->outcome)));
    jsonx_set_new(entry, "pointer", jsonx_string_new(e->pointer));
    jsonx_append_new(array, entry);
  }
  struct str out = { 0 };
  jsonx_dump_pretty(array, &out);
  return str_steal(&out);
}

/* Compares a text with a case's file, or rewrites it; NULL: the file is not to be there. */
static void expect_file(const struct golden *g, const char *name, const char *text) {
  CLEANUP_FREE char *path = xasprintf("%s/%s", g->dir, name);
  if (getenv("UPDATE_GOLDEN")) {
    if (text)
      testfile_write(path, text);
    else
      unlink(path);
    return;
  }
  CLEANUP_FREE char *expected = testfile_read(path);
  if (!text)
    cr_expect_null(expected, "%s: not made, but expected", path);
  else if (!expected)
    cr_expect(false, "%s: not there; the case gave:\n%s", path, text);
  else
    cr_expect_str_eq(text, expected, "%s: expected:\n%s\nthe case gave:\n%s", path, expected, text);
}

static void apply(struct golden *g, struct spec *spec, int *ret_rc, struct error *err) {
  spec_begin(spec, g->control->name, control_action(g->control, &g->policy));
  json_auto_t *outside = NULL;
  *ret_rc = g->control->apply(spec, &g->policy, &g->facts, err);
  if (*ret_rc == 0)
    *ret_rc = harden_finish(spec, &g->facts, &outside, err);
}

static bool has_outcome(const struct journal *j, enum outcome outcome) {
  for (size_t i = 0; i < j->len; i++)
    if (j->entries[i].outcome == outcome)
      return true;
  return false;
}

/* What all controls promise of an output, whatever the case expects. */
static void prove(struct golden *g, const struct spec *before, const struct spec *after) {
  struct error err = { 0 };
  CLEANUP_STR struct str bytes = { 0 };
  CLEANUP_STR struct str again = { 0 };
  CLEANUP_SPEC struct spec reparsed = { 0 };
  enum action action = control_action(g->control, &g->policy);
  int rc;

  spec_dump(after, &bytes);
  struct jsonx_source src = { "output", bytes.data, bytes.len };
  cr_assert_eq(spec_parse(&reparsed, g->kind, &src, JSONX_LIMIT_DEFAULT, &err), 0, "%s: %s", g->dir,
               err.message);
  if (action != ACTION_HARDEN)
    cr_expect(json_equal(before->root, after->root), "%s: changed under %s", g->dir, action_name(action));
  if (action != ACTION_AUDIT)
    cr_expect_eq(g->control->verify(g->kind, reparsed.root, &g->policy, &g->facts, &err), 0, "%s: %s", g->dir,
                 err.message);
  cr_expect_eq(g->control->not_weaker(g->kind, before->root, reparsed.root, &g->facts, &err), 0, "%s: %s",
               g->dir, err.message);
  cr_expect(json_equal(before->root, reparsed.root) || has_outcome(&after->journal, OUTCOME_CHANGED),
            "%s: changed without a journal entry", g->dir);

  apply(g, &reparsed, &rc, &err);
  cr_expect_eq(rc, 0, "%s: a second application refuses: %s", g->dir, err.message);
  cr_expect_not(has_outcome(&reparsed.journal, OUTCOME_CHANGED), "%s: a second application changes", g->dir);
  spec_dump(&reparsed, &again);
  cr_expect_str_eq(bytes.data, again.data, "%s: a second application differs", g->dir);
}

/* The same input under a policy of mode audit: nothing changed, nothing refused, as much recorded. */
static void prove_audit(struct golden *g, const struct spec *before, bool records) {
  struct error err = { 0 };
  CLEANUP_SPEC struct spec spec = { 0 };
  int mode = g->policy.mode, rc;

  cr_assert_eq(spec_parse(&spec, g->kind, &g->src, JSONX_LIMIT_DEFAULT, &err), 0);
  g->policy.mode = POLICY_AUDIT;
  apply(g, &spec, &rc, &err);
  g->policy.mode = mode;
  cr_expect_eq(rc, 0, "%s: refused under audit: %s", g->dir, err.message);
  cr_expect(json_equal(before->root, spec.root), "%s: changed under audit", g->dir);
  /* What deny lets pass audit may find worth a rewrite all the same. */
  cr_expect(records ? spec.journal.len > 0
                    : spec.journal.len == 0 || control_action(g->control, &g->policy) == ACTION_DENY,
            "%s: audit records otherwise than enforce", g->dir);
}

static void cover(struct coverage *seen, const struct golden *g, const struct journal *j, int rc) {
  for (size_t i = 0; i < j->len; i++)
    strlist_add(&seen->rules, j->entries[i].rule);
  switch (control_action(g->control, &g->policy)) {
  case ACTION_HARDEN:
    seen->accepted |= rc == 0 && j->len == 0;
    seen->bites |= rc != 0 || has_outcome(j, OUTCOME_CHANGED);
    break;
  case ACTION_DENY:
    seen->deny |= rc != 0;
    break;
  case ACTION_AUDIT:
    seen->audit |= has_outcome(j, OUTCOME_AUDITED) || has_outcome(j, OUTCOME_FINDING);
    break;
  case ACTION_OFF:
    cr_expect(false, "%s: the control is off", g->dir);
    break;
  }
}

static void run_case(const char *dir, const struct control *control, struct coverage *seen) {
  struct error err = { 0 };
  __attribute__((cleanup(golden_free))) struct golden g = { .dir = dir, .control = control };
  CLEANUP_SPEC struct spec before = { 0 };
  CLEANUP_SPEC struct spec spec = { 0 };
  int rc;

  load_input(&g);
  cr_assert_eq(spec_parse(&before, g.kind, &g.src, JSONX_LIMIT_DEFAULT, &err), 0, "%s: %s", dir, err.message);
  cr_assert_eq(spec_parse(&spec, g.kind, &g.src, JSONX_LIMIT_DEFAULT, &err), 0);
  load_policy(&g);
  load_facts(&g, &spec);
  apply(&g, &spec, &rc, &err);

  CLEANUP_FREE char *journal = encode_journal(&spec.journal);
  expect_file(&g, "journal.json", journal);
  if (rc) {
    CLEANUP_FREE char *message = xasprintf("%s\n", err.message);
    expect_file(&g, "error.txt", message);
    expect_file(&g, "output.json", NULL);
    cr_expect_eq(err.code, ERROR_REFUSED, "%s: %s", dir, error_code_name(err.code));
    cr_expect(has_outcome(&spec.journal, OUTCOME_REFUSED), "%s: refused without a journal entry", dir);
  } else {
    CLEANUP_STR struct str out = { 0 };
    json_t *unwrapped = g.kind == SPEC_CONFIG    ? spec.root
                        : g.kind == SPEC_PROCESS ? spec_at(&spec, "/process")
                                                 : spec_at(&spec, "/linux/resources");
    jsonx_dump_pretty(unwrapped, &out);
    expect_file(&g, "output.json", out.data);
    expect_file(&g, "error.txt", NULL);
    prove(&g, &before, &spec);
  }
  prove_audit(&g, &before, spec.journal.len > 0);
  cover(seen, &g, &spec.journal, rc);
}

static void expect_covered(const struct control *c, const struct coverage *seen) {
  cr_expect(seen->accepted, "%s: no case is accepted as it is", c->name);
  cr_expect(seen->bites, "%s: no case is changed or refused under harden", c->name);
  cr_expect(seen->audit, "%s: no case has action audit", c->name);
  cr_expect(seen->deny, "%s: no case has action deny and is refused", c->name);
  for (const struct control_rule *r = c->rules; r->id; r++) {
    bool used = strlist_has(&seen->rules, r->id);
    for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
      used |= strcmp(elsewhere[i], r->id) == 0;
    cr_expect(used, "%s: no case uses %s", c->name, r->id);
  }
  for (size_t i = 0; i < seen->rules.len; i++) {
    bool known = false;
    for (const struct control_rule *r = c->rules; r->id; r++)
      known |= strcmp(r->id, seen->rules.items[i]) == 0;
    cr_expect(known, "%s: %s is not in its table", c->name, seen->rules.items[i]);
  }
}

Test(golden, cases) {
  for (const struct control *c = controls; c->name; c++) {
    CLEANUP_FREE char *dir = xasprintf(GOLDEN "/%s", c->name);
    CLEANUP_STRLIST struct strlist cases = { 0 };
    struct coverage seen = { 0 };
    testfile_list(dir, &cases);
    for (size_t i = 0; i < cases.len; i++)
      run_case(cases.items[i], c, &seen);
    expect_covered(c, &seen);
    strlist_free(&seen.rules);
  }
}

Test(golden, folders_are_controls) {
  CLEANUP_STRLIST struct strlist dirs = { 0 };
  testfile_list(GOLDEN, &dirs);
  cr_expect_gt(dirs.len, 0);
  for (size_t i = 0; i < dirs.len; i++)
    cr_expect_not_null(control_find(testfile_base(dirs.items[i])), "%s: no control of that name",
                       dirs.items[i]);
}
