/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system call filter. The work is done in src/seccomp/: the wrapper hands over a plan, merged, compiled,
 * validated and cached. Without one (a document judged away from its host, deny, audit) the sections are
 * merged here, by their meaning alone. Either way every call passes both the engine's filter and the
 * policy's, under the native ABI only if the policy says so.
 *
 * crun takes a compiled filter from an annotation, in place of the section. That annotation belongs to this
 * control: none from outside stays, and ours is there only with the plan it came from.
 */
#include "control/common.h"

#include "seccomp/merge.h"
#include "seccomp/plan.h"
#include "seccomp/points.h"
#include "seccomp/profile_file.h"

#include <string.h>

#define SECTION "/linux/seccomp"
#define COMPILED "/annotations/" SECCOMP_CRUN_ANNOTATION

enum { RULE_MISSING, RULE_MERGED, RULE_UNTRUSTED, RULE_FOREIGN, RULE_COMPILED };
const struct control_rule seccomp_rules[] = {
  [RULE_MISSING] = { "OH-SEC-001", "a container without a filter gets the policy's" },
  [RULE_MERGED] = { "OH-SEC-002",
                    "the filter is the intersection of the engine's and the policy's; other ABIs, "
                    "flags and listeners from outside are left out" },
  [RULE_UNTRUSTED] = { "OH-SEC-003",
                       "a filter that fakes success, lets a tracer decide, or allows by default is "
                       "refused" },
  [RULE_FOREIGN] = { "OH-SEC-004",
                     "a compiled filter from outside is removed: it would replace the section" },
  [RULE_COMPILED] = { "OH-SEC-005", "crun is handed the validated filter compiled" },
  { NULL, NULL },
};

static bool has_profile(const struct policy *policy) {
  return policy->seccomp.profile && *policy->seccomp.profile;
}

/* The policy's own profile: compiled in, or read with the plan, since controls do no I/O. *ret stays NULL
 * when the policy has none. */
static int policy_section(const struct policy *policy, const struct facts *facts, json_t **ret,
                          struct error *err) {
  *ret = NULL;
  if (!has_profile(policy))
    return 0;
  if (facts->seccomp && facts->seccomp->profile) {
    *ret = json_incref(facts->seccomp->profile);
    return 0;
  }
  const struct builtin *b = builtin_find(builtin_seccomp_profiles, policy->seccomp.profile);
  if (!b)
    return error_set(err, ERROR_POLICY, 0,
                     "seccomp.profile: \"%s\" is not built in, and no plan was made of it",
                     policy->seccomp.profile);
  const struct jsonx_source src = { b->name, b->text, b->len };
  return seccomp_profile_file_parse(&src, ret, err);
}

/* Both sides by meaning; the side that is missing says what the other says. */
static json_t *merge(const struct seccomp_profile *engine, const struct seccomp_profile *own,
                     const struct policy *policy, const struct facts *facts) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile merged = { 0 };
  const struct seccomp_merge_options options = {
    .native_only = policy->seccomp.native_only,
    .runtime = (enum runtime_kind)facts->runtime,
    .engine_listener = policy->seccomp.listener,
  };
  seccomp_profile_merge(engine ? engine : own, own ? own : engine, &options, &merged, NULL);
  return seccomp_profile_encode(&merged);
}

/* A section that cannot be trusted is refused at the place that the decoder names. */
static int refuse_section(struct spec *spec, const struct error *why, struct error *err) {
  const char *text = strstr(why->message, ": ");
  CLEANUP_FREE char *pointer = xstrdup(why->message);
  if (!text || !str_starts(pointer, SECTION))
    return spec_refuse(spec, SECTION, (struct reason){ seccomp_rules[RULE_UNTRUSTED].id, why->message }, err);
  pointer[text - why->message] = '\0';
  return spec_refuse(spec, pointer, (struct reason){ seccomp_rules[RULE_UNTRUSTED].id, text + 2 }, err);
}

/* Without flags runc 1.2 takes SPEC_ALLOW, without architectures runc 1.1 leaves its ENOSYS stub out. Worth a
 * rewrite, not a refusal: hardly an engine writes flags. */
static bool is_explicit(const json_t *section) {
  return control_at(section, "/flags") && control_at(section, "/architectures");
}

/* Do the profile's rules on the call look at its arguments? A multiplexer's first one always counts. */
static bool has_conditions(const struct seccomp_profile *profile, const char *name) {
  const struct seccomp_call *call = seccomp_profile_find(profile, name);
  for (size_t i = 0; call && i < call->len; i++)
    if (call->rules[i].len > 0)
      return true;
  return seccomp_mux_of_call(name) != SECCOMP_MUX_NONE;
}

static bool call_as_strict(const struct seccomp_profile *before, const struct seccomp_profile *after,
                           const struct seccomp_abi *abi, const char *name) {
  const struct seccomp_profile *both[] = { before, after };
  const struct points_source source = { .profiles = both, .profiles_len = ARRAY_SIZE(both) };
  CLEANUP_CALL_POINTS struct call_points points = { 0 };
  struct points_cursor cursor = { 0 };
  uint64_t args[SECCOMP_ARGS] = { 0 };
  if (!has_conditions(before, name) && !has_conditions(after, name))
    return !seccomp_action_stricter(seccomp_profile_eval_name(before, abi, name, args),
                                    seccomp_profile_eval_name(after, abi, name, args));
  call_points_make(&points, &source, abi, name);
  while (call_points_next(&points, &cursor, args))
    if (seccomp_action_stricter(seccomp_profile_eval_name(before, abi, name, args),
                                seccomp_profile_eval_name(after, abi, name, args)))
      return false;
  return true;
}

/* Is `after` as strict as `before` for every call of every ABI, at the borders of all conditions of both? */
static bool as_strict(const struct seccomp_profile *before, const struct seccomp_profile *after) {
  if (seccomp_action_stricter(before->default_action, after->default_action))
    return false;
  for (size_t a = 0; a < after->abis_len; a++) {
    const struct seccomp_abi *abi = after->abis[a];
    /* An ABI that is not in a filter is killed by it. */
    if (!seccomp_profile_has_abi(before, abi))
      return false;
    for (size_t i = 0; i < before->calls_len; i++)
      if (!call_as_strict(before, after, abi, before->calls[i].name))
        return false;
    for (size_t i = 0; i < after->calls_len; i++)
      if (!seccomp_profile_find(before, after->calls[i].name) &&
          !call_as_strict(before, after, abi, after->calls[i].name))
        return false;
  }
  return true;
}

static bool notifies(const struct seccomp_profile *profile) {
  for (size_t i = 0; i < profile->calls_len; i++)
    for (size_t j = 0; j < profile->calls[i].len; j++)
      if (strcmp(seccomp_action_oci(profile->calls[i].rules[j].action), "SCMP_ACT_NOTIFY") == 0)
        return true;
  return profile->listener_path != NULL;
}

/* Nothing for deny to object to: as strict as the profile, and with nothing of what a merge leaves out. */
static bool meets(const struct seccomp_profile *engine, const struct seccomp_profile *own,
                  const struct policy *policy) {
  const unsigned speculation = own ? own->flags & SECCOMP_PROFILE_SPEC_ALLOW : SECCOMP_PROFILE_SPEC_ALLOW;
  for (size_t i = 0; i < engine->abis_len; i++)
    if (seccomp_abi_is_x32(engine->abis[i]) || (i > 0 && policy->seccomp.native_only))
      return false;
  return (!own || as_strict(own, engine)) && (engine->flags & ~(speculation | SECCOMP_PROFILE_LOG)) == 0 &&
         !notifies(engine);
}

/*
 * What the section should be, without a plan. *ret NULL: as it is, because neither side has a filter, because
 * it already means the same (nothing for deny and audit to object to), or because it was refused and audit
 * went on.
 */
static int wanted_by_meaning(struct spec *spec, const struct policy *policy, const struct facts *facts,
                             json_t **ret, struct error *err) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile engine = { 0 };
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile own = { 0 };
  const json_t *section = spec_at(spec, SECTION);
  json_auto_t *profile = NULL;
  struct error why = { 0 };

  *ret = NULL;
  if (policy_section(policy, facts, &profile, err))
    return -1;
  if (profile && seccomp_profile_decode(profile, NULL, "", SECCOMP_ACCEPT_PERMISSIVE, &own, err))
    return error_wrap(err, "seccomp profile %s", policy->seccomp.profile);
  /* An engine's deny list is accepted where the policy's profile turns it into an allow list. */
  bool covered = profile && !seccomp_action_permissive(own.default_action);
  if (section &&
      seccomp_profile_decode(section, NULL, SECTION, covered ? SECCOMP_ACCEPT_PERMISSIVE : 0, &engine, &why))
    return refuse_section(spec, &why, err);
  if ((!section && !profile) ||
      (section && spec->action == ACTION_DENY && meets(&engine, profile ? &own : NULL, policy)))
    return 0;
  json_auto_t *merged = merge(section ? &engine : NULL, profile ? &own : NULL, policy, facts);
  seccomp_profile_drop_implied(&engine);
  json_auto_t *canonical = section ? seccomp_profile_encode(&engine) : NULL;
  if (!json_equal(merged, canonical) || (spec->action != ACTION_DENY && !is_explicit(section)))
    *ret = json_incref(merged);
  return 0;
}

static int apply_section(struct spec *spec, const struct policy *policy, const struct facts *facts,
                         struct error *err) {
  json_auto_t *wanted = NULL;
  if (spec->action == ACTION_HARDEN && facts->seccomp)
    wanted = json_incref(facts->seccomp->merged);
  else if (wanted_by_meaning(spec, policy, facts, &wanted, err))
    return -1;
  if (!wanted)
    return 0;
  bool missing = spec_at(spec, SECTION) == NULL;
  CLEANUP_FREE char *text =
      xasprintf("%s%s%s%s", missing ? "no filter was asked for" : "made at least as strict as the policy",
                has_profile(policy) ? ": profile " : "", has_profile(policy) ? policy->seccomp.profile : "",
                policy->seccomp.native_only ? ", native ABI only" : "");
  return spec_set(spec, SECTION, json_incref(wanted),
                  (struct reason){ seccomp_rules[missing ? RULE_MISSING : RULE_MERGED].id, text }, err);
}

/* The annotation that the plan gives crun; NULL: none. The caller frees. */
static char *compiled_by(const struct facts *facts) {
  bool ours = facts->seccomp && facts->seccomp->program && facts->runtime == RUNTIME_CRUN;
  return ours ? seccomp_plan_base64(facts->seccomp) : NULL;
}

static int apply_compiled(struct spec *spec, const struct facts *facts, struct error *err) {
  const char *there = control_text(spec->root, COMPILED);
  CLEANUP_FREE char *ours = spec->action == ACTION_HARDEN ? compiled_by(facts) : NULL;
  bool foreign = there && (!ours || strcmp(there, ours) != 0);
  if (foreign && spec_remove(spec, COMPILED,
                             (struct reason){ seccomp_rules[RULE_FOREIGN].id,
                                              "crun would load it in place of the filter" },
                             err))
    return -1;
  return ours ? spec_set(spec, COMPILED, jsonx_string_new(ours),
                         (struct reason){ seccomp_rules[RULE_COMPILED].id, "the filter, validated" }, err)
              : 0;
}

int seccomp_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                  struct error *err) {
  return apply_section(spec, policy, facts, err) || apply_compiled(spec, facts, err) ? -1 : 0;
}

/* The same for sections. What was validated with the plan is not gone through again on every start. */
static int sections_as_strict(const json_t *before, const json_t *after, const struct facts *facts,
                              struct error *err) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile was = { 0 };
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile is = { 0 };
  struct error ignored = { 0 };
  if (!before || (after && json_equal(before, after)))
    return 0;
  if (!after)
    return control_broken(err, SECTION, "is gone");
  if (facts->seccomp && json_equal(after, facts->seccomp->merged))
    return 0;
  if (seccomp_profile_decode(before, NULL, SECTION, SECCOMP_ACCEPT_PERMISSIVE, &was, &ignored) ||
      seccomp_profile_decode(after, NULL, SECTION, SECCOMP_ACCEPT_PERMISSIVE, &is, &ignored))
    return control_broken(err, SECTION, "was changed and cannot be judged");
  if (!as_strict(&was, &is))
    return control_broken(err, SECTION, "lets through what was denied");
  if ((is.flags & SECCOMP_PROFILE_SPEC_ALLOW) && !(was.flags & SECCOMP_PROFILE_SPEC_ALLOW))
    return control_broken(err, SECTION "/flags", "has gained SPEC_ALLOW");
  if (is.listener_path && (!was.listener_path || strcmp(was.listener_path, is.listener_path) != 0))
    return control_broken(err, SECTION "/listenerPath", "is new or another");
  return 0;
}

/* The promises that can be read off a section without decoding it. */
static int verify_head(const json_t *section, const struct policy *policy, struct error *err) {
  const char *by_default = control_text(section, "/defaultAction");
  if (!by_default || strcmp(by_default, "SCMP_ACT_ALLOW") == 0 || strcmp(by_default, "SCMP_ACT_LOG") == 0)
    return control_broken(err, SECTION "/defaultAction", "lets through what no rule names");
  if (policy->seccomp.native_only && json_array_size(control_at(section, "/architectures")) > 1)
    return control_broken(err, SECTION "/architectures", "lets another ABI through");
  if (!policy->seccomp.listener && control_at(section, "/listenerPath"))
    return control_broken(err, SECTION "/listenerPath", "hands calls to a listener");
  return 0;
}

static int verify_section(const json_t *section, const struct policy *policy, const struct facts *facts,
                          struct error *err) {
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error why = { 0 };
  if (!section)
    return has_profile(policy) ? control_broken(err, SECTION, "is missing") : 0;
  if (verify_head(section, policy, err))
    return -1;
  /* Every call of a plan's section was tried when the plan was made; decoding it costs more than all other
   * controls together. */
  if (facts->seccomp && json_equal(section, facts->seccomp->merged))
    return 0;
  if (seccomp_profile_decode(section, NULL, SECTION, 0, &profile, &why))
    return control_broken(err, SECTION, "%s", why.message);
  if (policy->seccomp.native_only && profile.abis_len != 1)
    return control_broken(err, SECTION "/architectures", "lets another ABI through");
  if (!policy->seccomp.listener && notifies(&profile))
    return control_broken(err, SECTION, "hands calls to a listener");
  return 0;
}

/* After two policies in a row the section is the later plan's; the annotation then is judged with that. */
static int verify_compiled(const json_t *after, const struct facts *facts, struct error *err) {
  const char *there = control_text(after, COMPILED);
  if (!there)
    return 0;
  CLEANUP_FREE char *ours = compiled_by(facts);
  if (!facts->seccomp || facts->runtime != RUNTIME_CRUN)
    return control_broken(err, COMPILED, "is not ours");
  if (json_equal(control_at(after, SECTION), facts->seccomp->merged) && (!ours || strcmp(there, ours) != 0))
    return control_broken(err, COMPILED, "is not the filter of the section");
  return 0;
}

int seccomp_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                   const struct facts *facts, struct error *err) {
  const json_t *section = control_at(after, SECTION);
  json_auto_t *own = NULL;

  (void)kind;
  if (verify_section(section, policy, facts, err) || verify_compiled(after, facts, err))
    return -1;
  if (facts->seccomp && policy_action(policy, policy->seccomp.action) == ACTION_HARDEN)
    return sections_as_strict(facts->seccomp->merged, section, facts, err);
  if (policy_section(policy, facts, &own, err))
    return -1;
  return sections_as_strict(own, section, facts, err);
}

int seccomp_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                       const struct facts *facts, struct error *err) {
  const char *was = control_text(before, COMPILED), *is = control_text(after, COMPILED);

  (void)kind;
  if (is && (!was || strcmp(was, is) != 0) && verify_compiled(after, facts, err))
    return -1;
  return sections_as_strict(control_at(before, SECTION), control_at(after, SECTION), facts, err);
}
