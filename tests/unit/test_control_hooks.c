/* SPDX-License-Identifier: Apache-2.0 */
/* Our own hook: added to a run, known wherever it stands in the one form, and nothing else passes for it. */
#include "control/control.h"

#include <criterion/criterion.h>
#include <string.h>

#define HOOK(more)                                                                                           \
  "{\"path\":\"/sbin/oci-harden-hook\",\"args\":[\"oci-harden-hook\"],\"timeout\":60" more "}"
#define CONFIG(hooks)                                                                                        \
  "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"a\"],\"cwd\":\"/\"},\"hooks\":" hooks "}"

struct fixture {
  struct spec spec;
  struct facts facts;
  struct policy policy;
  json_t *before;
};

static void prepare(struct fixture *f, const char *text, bool wanted) {
  struct error err = { 0 };
  struct jsonx_source src = { "config.json", text, strlen(text) };
  *f = (struct fixture){ 0 };
  cr_assert(spec_parse(&f->spec, SPEC_CONFIG, &src, JSONX_LIMIT_DEFAULT, &err) == 0, "%s", err.message);
  f->spec.src = NULL;
  f->before = spec_snapshot(&f->spec, "");
  policy_init(&f->policy);
  f->policy.hooks.action = ACTION_DENY;
  f->facts.hook = xstrdup("/sbin/oci-harden-hook");
  strlist_add(&f->facts.hook_args, "oci-harden-hook");
  f->facts.hook_wanted = wanted;
}

static void done(struct fixture *f) {
  spec_free(&f->spec);
  json_decref(f->before);
  policy_free(&f->policy);
  facts_free(&f->facts);
}

/* The flow of harden_run(), for this one control. */
static int run(struct fixture *f, struct error *err) {
  if (f->facts.hook_wanted && hooks_add_own(&f->spec, &f->facts, err) < 0)
    return -1;
  return harden_apply(&f->spec, &f->policy, &f->facts, err);
}

static int judge(struct fixture *f, struct error *err) {
  const struct control *hooks = control_find("hooks");
  if (hooks->verify(SPEC_CONFIG, f->spec.root, &f->policy, &f->facts, err) < 0)
    return -1;
  return hooks->not_weaker(SPEC_CONFIG, f->before, f->spec.root, &f->facts, err);
}

static size_t count(const struct fixture *f) {
  return json_array_size(spec_at(&f->spec, "/hooks/createRuntime")) +
         json_array_size(spec_at(&f->spec, "/hooks/poststop"));
}

Test(control_hooks, a_run_gets_it_once_at_its_making_and_its_end) {
  static const char *const before[] = {
    CONFIG("null"),
    CONFIG("{}"),
    CONFIG("{\"createRuntime\":[" HOOK("") "]}"),
    CONFIG("{\"createRuntime\":[" HOOK("") "],\"poststop\":[" HOOK("") "]}"),
  };
  for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
    struct fixture f;
    struct error err = { 0 };
    prepare(&f, before[i], true);
    for (int again = 0; again < 2; again++) {
      cr_assert(run(&f, &err) == 0, "%s: %s", before[i], err.message);
      cr_expect(count(&f) == 2, "%s", before[i]);
      cr_expect(judge(&f, &err) == 0, "%s: %s", before[i], err.message);
    }
    done(&f);
  }
}

Test(control_hooks, a_create_keeps_it_and_gets_none) {
  struct fixture f;
  struct error err = { 0 };
  prepare(&f, CONFIG("{\"createRuntime\":[" HOOK("") "]}"), false);
  cr_assert(run(&f, &err) == 0, "%s", err.message);
  cr_expect(count(&f) == 1);
  cr_expect(judge(&f, &err) == 0, "%s", err.message);
  done(&f);
}

Test(control_hooks, what_only_resembles_it_is_unknown) {
  static const char *const others[] = {
    CONFIG("{\"createRuntime\":[" HOOK(",\"env\":[\"A=b\"]") "]}"),
    CONFIG("{\"poststart\":[" HOOK("") "]}"),
    CONFIG("{\"createContainer\":[" HOOK("") "]}"),
    CONFIG("{\"createRuntime\":[{\"path\":\"/sbin/"
           "oci-harden-hook\",\"args\":[\"oci-harden-hook\",\"--policy\",\"x\"],"
           "\"timeout\":60}]}"),
    CONFIG("{\"createRuntime\":[{\"path\":\"/bin/"
           "oci-harden-hook\",\"args\":[\"oci-harden-hook\"],\"timeout\":60}]}"),
  };
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    struct fixture f;
    struct error err = { 0 };
    prepare(&f, others[i], true);
    cr_expect(run(&f, &err) < 0 && strcmp(err.rule, "OH-HOK-001") == 0, "%s: %s", others[i], err.message);
    done(&f);
  }
}

Test(control_hooks, an_output_without_it_breaks_the_promise) {
  struct fixture f;
  struct error err = { 0 };
  prepare(&f, CONFIG("{\"poststop\":[" HOOK("") "]}"), true);
  cr_expect(judge(&f, &err) < 0 && strstr(err.message, "our own hook is not there"), "%s", err.message);
  done(&f);
}

Test(control_hooks, only_ours_may_be_one_more) {
  static const char *const more[] = {
    CONFIG("{\"createRuntime\":[{\"path\":\"/bin/other\"}],\"poststop\":[" HOOK("") "]}"),
    CONFIG("{\"createRuntime\":[" HOOK("") "," HOOK("") "],\"poststop\":[" HOOK("") "]}"),
  };
  for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
    struct fixture f;
    struct error err = { 0 };
    prepare(&f, more[i], true);
    json_auto_t *before = json_pack("{}");
    cr_expect(control_find("hooks")->not_weaker(SPEC_CONFIG, before, f.spec.root, &f.facts, &err) < 0, "%s",
              more[i]);
    done(&f);
  }
}
