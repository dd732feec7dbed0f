/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AppArmor profile. What an engine asks for is kept where the policy lists it and the kernel enforces it;
 * else the policy's takes its place. One that confines in ways that we do not know, a pod author's, is not
 * lost for that: both confine at once ("A//&B", a stack, in which each of them must allow).
 *
 * No runtime is trusted to fail: crun runs a container without the profile that it asks for where AppArmor is
 * off, and neither of them minds one in complain mode. An exec takes its profile from the process file, and
 * must be confined as the container is, whatever that says.
 */
#include "control/common.h"

#include <string.h>

static const char pointer[] = "/process/apparmorProfile";
static const char unconfined[] = "unconfined";

enum {
  RULE_ASKED,
  RULE_REQUIRED,
  RULE_RECORDED,
  RULE_HIDDEN,
  RULE_NAME,
  RULE_NOT_LOADED,
  RULE_SET,
  RULE_STACKED,
  RULE_NONE,
  RULE_EXEC
};
const struct control_rule apparmor_rules[] = {
  [RULE_ASKED] = { "OH-AAR-001",
                   "a profile that is asked for is refused where AppArmor is off: nothing would "
                   "enforce it, and not every runtime says so" },
  [RULE_REQUIRED] = { "OH-AAR-002",
                      "a container is refused where AppArmor is off and the policy requires it" },
  [RULE_RECORDED] = { "OH-AAR-003", "a container without AppArmor, where that is off, is recorded" },
  [RULE_HIDDEN] = { "OH-AAR-004",
                    "where AppArmor is on and its list of profiles cannot be read, nothing is known "
                    "to be enforced" },
  [RULE_NAME] = { "OH-AAR-005",
                  "a child of a profile, a profile of another namespace, and what is no name are "
                  "refused" },
  [RULE_NOT_LOADED] = { "OH-AAR-006", "a profile that is asked for and not loaded is refused" },
  [RULE_SET] = { "OH-AAR-007",
                 "the policy's profile takes the place of none, of unconfined, of one that is not "
                 "enforced, and of an engine's own that the policy does not keep" },
  [RULE_STACKED] = { "OH-AAR-008", "the policy's profile confines together with another that is asked for" },
  [RULE_NONE] = { "OH-AAR-009", "the policy's profile is loaded and enforced, or there is no container" },
  [RULE_EXEC] = { "OH-AAR-010", "an exec is confined as its container is, at least" },
  { NULL, NULL },
};

/* What engines bring by default, all of one pattern. Ours and a node owner's may take its place: none of them
 * was chosen for the one container. */
static const char *const engines_own[] = { "docker-default", "cri-containerd.apparmor.d",
                                           "containers-default-*", "crio-default", "nerdctl-default" };

static bool is_engines_own(const char *name) {
  for (size_t i = 0; i < ARRAY_SIZE(engines_own); i++)
    if (glob_match(engines_own[i], name))
      return true;
  return false;
}

static bool enforces(const struct facts *facts, const char *name) {
  return apparmor_mode_enforces(facts_apparmor(facts, name));
}

/* "" and null ask for nothing. */
static const char *asked(const json_t *root) {
  const char *label = control_text(root, pointer);
  return label && *label ? label : NULL;
}

static bool is_unconfined(const char *label) {
  return !label || strcmp(label, unconfined) == 0;
}

static unsigned strictest(const struct strlist *names) {
  unsigned rank = 0;
  for (size_t i = 0; i < names->len; i++)
    if (apparmor_own_rank(names->items[i]) > rank)
      rank = apparmor_own_rank(names->items[i]);
  return rank;
}

/* Is one of them, by the policy, enough by itself? */
static bool suffices(const struct strlist *names, const struct policy *policy, const struct facts *facts) {
  CLEANUP_FREE char *own = policy->apparmor.profile ? apparmor_kernel_name(policy->apparmor.profile) : NULL;
  const unsigned rank = own ? apparmor_own_rank(own) : 0;
  for (size_t i = 0; i < names->len; i++) {
    const char *name = names->items[i];
    if (enforces(facts, name) &&
        (strlist_matches(&policy->apparmor.keep, name) || (own && strcmp(own, name) == 0) ||
         (rank > 0 && apparmor_own_rank(name) >= rank)))
      return true;
  }
  return false;
}

/* What the process must be confined by: exec: what the container is, if that keeps the policy; else what the
 * policy names. Empty: the policy names nothing. */
static void required(const struct spec *spec, const struct policy *policy, const struct facts *facts,
                     struct strlist *ret) {
  const char *container = spec->kind == SPEC_PROCESS ? facts->apparmor_label : NULL;
  if (!is_unconfined(container) && apparmor_label_parse(container, ret) && suffices(ret, policy, facts))
    return;
  strlist_clear(ret);
  if (policy->apparmor.profile)
    strlist_add_new(ret, apparmor_kernel_name(policy->apparmor.profile));
}

static bool contains(const struct strlist *names, const struct strlist *part) {
  for (size_t i = 0; i < part->len; i++)
    if (!strlist_has(names, part->items[i]))
      return false;
  return true;
}

/* Confines in a way of its own, which the required ones do not stand for. */
static bool must_stay(const char *name, const struct strlist *need, const struct facts *facts) {
  if (!enforces(facts, name) || strlist_has(need, name))
    return false;
  const unsigned rank = apparmor_own_rank(name);
  return rank > 0 ? rank > strictest(need) : !is_engines_own(name);
}

/* "A//&B". The caller frees. */
static char *join(const struct strlist *names, const struct strlist *need, const struct facts *facts,
                  bool *ret_stacked) {
  struct str label = { 0 };
  *ret_stacked = false;
  for (size_t i = 0; i < names->len; i++)
    if (must_stay(names->items[i], need, facts)) {
      str_addf(&label, "%s//&", names->items[i]);
      *ret_stacked = true;
    }
  for (size_t i = 0; i < need->len; i++)
    str_addf(&label, "%s%s", i ? "//&" : "", need->items[i]);
  return str_steal(&label);
}

static int refuse(struct spec *spec, int rule, struct error *err, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static int refuse(struct spec *spec, int rule, struct error *err, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  return spec_refuse(spec, spec_at(spec, pointer) ? pointer : "/process",
                     (struct reason){ apparmor_rules[rule].id, text }, err);
}

/* --- AppArmor is off, or out of sight --- */

static int apply_off(struct spec *spec, const struct policy *policy, const struct facts *facts,
                     struct error *err) {
  const char *label = asked(spec->root);
  const char *why = apparmor_state_text((enum apparmor_state)facts->apparmor);
  if (!is_unconfined(label))
    return refuse(
        spec, RULE_ASKED, err,
        "the profile %s is asked for, and AppArmor %s: nothing would enforce it; ask for none, or start "
        "it on another node",
        label, why);
  if (policy->apparmor.mode == LSM_REQUIRE)
    return refuse(spec, RULE_REQUIRED, err, "the policy requires AppArmor, which %s", why);
  CLEANUP_FREE char *text = xasprintf("AppArmor %s: no profile confines the container", why);
  spec_finding(spec, "/process", (struct reason){ apparmor_rules[RULE_RECORDED].id, text });
  return 0;
}

/* Nobody but root sees the list, and a rootless engine confines nothing anyway. */
static bool hidden_is_excusable(const struct policy *policy, const struct facts *facts) {
  return facts->rootless && policy->apparmor.mode == LSM_PREFER;
}

static int apply_hidden(struct spec *spec, const struct policy *policy, const struct facts *facts,
                        struct error *err) {
  CLEANUP_FREE char *text = xasprintf("AppArmor %s", apparmor_state_text(APPARMOR_HIDDEN));
  if (!hidden_is_excusable(policy, facts))
    return refuse(spec, RULE_HIDDEN, err, "%s", text);
  spec_finding(spec, "/process", (struct reason){ apparmor_rules[RULE_HIDDEN].id, text });
  return 0;
}

/* --- AppArmor is on --- */

static const char *not_enforced(enum apparmor_mode mode) {
  switch (mode) {
  case APPARMOR_NOT_LOADED:
    return "is not loaded";
  case APPARMOR_COMPLAIN:
    return "is in complain mode, which only logs (aa-enforce)";
  case APPARMOR_UNCONFINED:
    return "is in unconfined mode, which allows everything";
  case APPARMOR_OTHER:
    return "is in a mode that is not known";
  case APPARMOR_ENFORCE:
  case APPARMOR_KILL:
  case APPARMOR_COMPILED:
    break;
  }
  return NULL;
}

/* Are those that must confine able to? */
static int judge_required(struct spec *spec, const struct strlist *need, const struct facts *facts,
                          struct error *err) {
  if (need->len == 0)
    return refuse(spec, RULE_NONE, err,
                  "the engine asks for no profile that the policy keeps, and the policy names none; set "
                  "apparmor.profile in it");
  for (size_t i = 0; i < need->len; i++) {
    const enum apparmor_mode mode = facts_apparmor(facts, need->items[i]);
    const char *why = not_enforced(mode);
    if (why)
      return refuse(spec, RULE_NONE, err, "the policy's profile %s %s%s%s", need->items[i], why,
                    mode == APPARMOR_NOT_LOADED && facts->apparmor_why ? ": " : "",
                    mode == APPARMOR_NOT_LOADED && facts->apparmor_why ? facts->apparmor_why : "");
  }
  return 1;
}

/* 1: go on. One that is required is judged as such, with its remedy. */
static int judge_asked(struct spec *spec, const char *label, const struct facts *facts,
                       const struct strlist *names, const struct strlist *need, struct error *err) {
  if (names->len == 0 || (names->len > 1 && strlist_has(names, unconfined)))
    return refuse(spec, RULE_NAME, err, "\"%s\" is not the name of a profile, nor names joined by //&",
                  label);
  for (size_t i = 0; i < names->len; i++)
    if (!is_unconfined(names->items[i]) && facts_apparmor(facts, names->items[i]) == APPARMOR_NOT_LOADED &&
        !strlist_has(need, names->items[i]))
      return refuse(spec, RULE_NOT_LOADED, err, "the profile %s is not loaded; load it, or ask for none",
                    names->items[i]);
  return 1;
}

/* Unconfined, as a policy may keep it: said so, or, of an exec that says nothing, as the container is. */
static bool may_be_unconfined(enum spec_kind kind, const char *label, const struct policy *policy,
                              const struct facts *facts) {
  const char *container = kind == SPEC_PROCESS ? facts->apparmor_label : NULL;
  if (container ? !is_unconfined(container) : !label)
    return false;
  return is_unconfined(label) && strlist_has(&policy->apparmor.keep, unconfined);
}

/* Nothing needs to be changed. */
static bool is_fine(const struct spec *spec, const struct strlist *names, const struct strlist *need,
                    const struct policy *policy, const struct facts *facts) {
  const bool joins = spec->kind == SPEC_PROCESS && !is_unconfined(facts->apparmor_label);
  return may_be_unconfined(spec->kind, asked(spec->root), policy, facts) ||
         (suffices(names, policy, facts) && (!joins || contains(names, need)));
}

static int apply_on(struct spec *spec, const struct policy *policy, const struct facts *facts,
                    struct error *err) {
  CLEANUP_STRLIST struct strlist names = { 0 };
  CLEANUP_STRLIST struct strlist need = { 0 };
  const char *label = asked(spec->root);
  int go_on = 1;
  required(spec, policy, facts, &need);
  if (label) {
    (void)apparmor_label_parse(label, &names);
    go_on = judge_asked(spec, label, facts, &names, &need, err);
  }
  if (go_on <= 0)
    return go_on;
  if (is_fine(spec, &names, &need, policy, facts))
    return 0;
  go_on = judge_required(spec, &need, facts, err);
  if (go_on <= 0)
    return go_on;
  bool stacked;
  CLEANUP_FREE char *target = join(&names, &need, facts, &stacked);
  const bool exec = spec->kind == SPEC_PROCESS;
  const int rule = stacked ? RULE_STACKED : exec ? RULE_EXEC : RULE_SET;
  const char *why = stacked ? "the profile that is asked for and the policy's confine together"
                    : exec  ? "an exec must be confined as its container is"
                            : "a process must run under a profile that the policy knows to confine it";
  return spec_set(spec, pointer, json_string(target), (struct reason){ apparmor_rules[rule].id, why }, err);
}

int apparmor_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                   struct error *err) {
  if (!spec_at(spec, "/process") || policy->apparmor.mode == LSM_OFF)
    return 0;
  switch ((enum apparmor_state)facts->apparmor) {
  case APPARMOR_UNKNOWN:
    return 0;
  case APPARMOR_ABSENT:
  case APPARMOR_DISABLED:
    return apply_off(spec, policy, facts, err);
  case APPARMOR_HIDDEN:
    return apply_hidden(spec, policy, facts, err);
  case APPARMOR_ON:
    return apply_on(spec, policy, facts, err);
  }
  return 0;
}

const char *apparmor_wants(const struct spec *spec, const struct policy *policy, const struct facts *facts) {
  const char *profile = policy->apparmor.profile;
  const char *label = asked(spec->root);
  CLEANUP_STRLIST struct strlist names = { 0 };
  CLEANUP_STRLIST struct strlist need = { 0 };
  if (facts->apparmor != APPARMOR_ON || policy->apparmor.mode == LSM_OFF || !profile ||
      !apparmor_builtin(profile) || !spec_at(spec, "/process") ||
      policy_action(policy, policy->apparmor.action) != ACTION_HARDEN ||
      (label && !apparmor_label_parse(label, &names)))
    return NULL;
  required(spec, policy, facts, &need);
  CLEANUP_FREE char *name = apparmor_kernel_name(profile);
  return strlist_has(&need, name) && facts_apparmor(facts, name) == APPARMOR_NOT_LOADED &&
                 !is_fine(spec, &names, &need, policy, facts)
             ? profile
             : NULL;
}

/* --- the judges --- */

static int verify_confined(enum spec_kind kind, const char *label, const struct policy *policy,
                           const struct facts *facts, struct error *err) {
  CLEANUP_STRLIST struct strlist names = { 0 };
  CLEANUP_STRLIST struct strlist containers = { 0 };
  const bool joins = kind == SPEC_PROCESS && !is_unconfined(facts->apparmor_label);
  if (may_be_unconfined(kind, label, policy, facts))
    return 0;
  if (!label || !apparmor_label_parse(label, &names))
    return control_broken(err, pointer, "names no profile");
  for (size_t i = 0; i < names.len; i++)
    if (facts_apparmor(facts, names.items[i]) == APPARMOR_NOT_LOADED)
      return control_broken(err, pointer, "names %s, which is not loaded", names.items[i]);
  if (!suffices(&names, policy, facts))
    return control_broken(err, pointer, "%s is neither the policy's, nor kept by it and enforced", label);
  if (joins && apparmor_label_parse(facts->apparmor_label, &containers) &&
      suffices(&containers, policy, facts) && !contains(&names, &containers))
    return control_broken(err, pointer, "is not the container's %s", facts->apparmor_label);
  return 0;
}

int apparmor_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                    const struct facts *facts, struct error *err) {
  const char *label = asked(after);
  if (!control_at(after, "/process") || policy->apparmor.mode == LSM_OFF)
    return 0;
  switch ((enum apparmor_state)facts->apparmor) {
  case APPARMOR_UNKNOWN:
    return 0;
  case APPARMOR_ABSENT:
  case APPARMOR_DISABLED:
    return is_unconfined(label) && policy->apparmor.mode == LSM_PREFER
               ? 0
               : control_broken(err, pointer, "promises what is not there: AppArmor %s",
                                apparmor_state_text((enum apparmor_state)facts->apparmor));
  case APPARMOR_HIDDEN:
    return hidden_is_excusable(policy, facts)
               ? 0
               : control_broken(err, pointer, "AppArmor %s", apparmor_state_text(APPARMOR_HIDDEN));
  case APPARMOR_ON:
    return verify_confined(kind, label, policy, facts, err);
  }
  return 0;
}

/* Does something in `is` stand for `name`, which confined before? */
static bool stands_for(const struct strlist *is, const char *name, const struct facts *facts) {
  const unsigned rank = apparmor_own_rank(name);
  if (strlist_has(is, name))
    return true;
  if (rank > 0)
    return strictest(is) >= rank;
  if (is_engines_own(name))
    for (size_t i = 0; i < is->len; i++)
      if (enforces(facts, is->items[i]))
        return true;
  return false;
}

/* None is what the runtime itself runs under, which may be more than unconfined. One that is known to enforce
 * nothing was nothing; where nobody looked, every one counts. */
int apparmor_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                        const struct facts *facts, struct error *err) {
  const char *was = asked(before), *is = asked(after);
  CLEANUP_STRLIST struct strlist were = { 0 };
  CLEANUP_STRLIST struct strlist are = { 0 };
  (void)kind;
  if (was == is || (was && is && strcmp(was, is) == 0))
    return 0;
  if (!is || is_unconfined(is))
    return control_broken(err, pointer, "confines no more");
  if (!apparmor_label_parse(is, &are) || (was && !apparmor_label_parse(was, &were)))
    return control_broken(err, pointer, "is another, and not to be compared");
  for (size_t i = 0; i < were.len; i++) {
    const bool looked = facts->apparmor == APPARMOR_ON;
    if (is_unconfined(were.items[i]) || (looked && !enforces(facts, were.items[i])))
      continue;
    if (!stands_for(&are, were.items[i], facts))
      return control_broken(err, pointer, "%s confines no more", were.items[i]);
  }
  return 0;
}
