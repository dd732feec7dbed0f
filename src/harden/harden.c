/* SPDX-License-Identifier: Apache-2.0 */
#include "harden/harden.h"

#include <stdio.h>
#include <string.h>

#define SECCOMP "/linux/seccomp"

int harden_parse(struct harden *h, enum spec_kind kind, const struct jsonx_source *src, size_t limit,
                 struct error *err) {
  h->src = *src;
  if (spec_parse(&h->spec, kind, &h->src, limit, err) < 0)
    return -1;
  h->before = spec_snapshot(&h->spec, "");
  return 0;
}

/* Only what will be needed: the first container of a node that needs a profile pays for it. */
static void provide(struct harden *h, const struct harden_options *o) {
  for (size_t i = 0; i < o->policies_len; i++) {
    const char *profile = apparmor_wants(&h->spec, o->policies[i], &h->facts);
    if (profile)
      facts_provide_apparmor(&h->facts, o->apparmor_cache, profile, o->apparmor_load);
  }
}

static bool looks_at_host(const struct harden *h, const struct harden_options *o) {
  return o->bundle_fd >= 0 || (h->spec.kind == SPEC_PROCESS && o->init > 0);
}

static int look_at_labels(struct harden *h, const struct harden_options *o, struct error *err) {
  const struct facts_selinux how = { o->level, o->level_arg, o->held, o->runtime_path, o->init };
  return facts_probe_selinux(&h->facts, &h->spec, o->policies, o->policies_len, &how, err);
}

static int look(struct harden *h, const struct harden_options *o, struct error *err) {
  if (o->bundle_fd >= 0) {
    if (facts_probe(&h->facts, &h->spec, o->bundle_fd, o->policies, o->policies_len, o->runtime, err) < 0)
      return -1;
  } else {
    facts_unknown(&h->facts, &h->spec, o->runtime);
  }
  if (looks_at_host(h, o) && look_at_labels(h, o, err) < 0)
    return -1;
  if (h->spec.kind == SPEC_CONFIG) {
    if (o->hook) {
      h->facts.hook = xstrdup(o->hook->path);
      strlist_copy(&h->facts.hook_args, o->hook->args);
      h->facts.hook_wanted = o->hook->wanted;
    }
    if (o->offer && o->offer->base) {
      facts_offer(&h->facts, o->offer->base, ID_BLOCK, o->offer->place, o->offer->path);
      facts_offer_pid(&h->facts, o->offer->pid);
      for (int i = 0; i < ENTERED_TYPES; i++)
        facts_offer_entered(&h->facts, i, o->offer->entered[i]);
    } else if (o->offer) {
      facts_offer_none(&h->facts, o->offer->why);
    }
    if (o->id)
      h->facts.sandbox = annotations_are_sandbox(spec_at(&h->spec, "/annotations"), o->id);
  } else {
    h->facts.user_namespace = o->user_namespace;
    h->facts.ids_mapped = o->ids_mapped;
    if (h->spec.kind == SPEC_PROCESS && o->init > 0 &&
        facts_probe_exec(&h->facts, &h->spec, o->policies, o->policies_len, o->init, err) < 0)
      return -1;
    h->facts.sandbox = o->sandbox;
    h->facts.container_annotations = o->container_annotations;
  }
  if (o->apparmor_cache)
    provide(h, o);
  return 0;
}

/* Gives a refused filter what the plan, which knows no document, could not: the place, a rule, a journal
 * entry. */
static int refuse_filter(struct harden *h, struct error *err) {
  static const char rule[] = "OH-SEC-003";
  if (err->code != ERROR_REFUSED && err->code != ERROR_INPUT)
    return -1;
  CLEANUP_FREE char *pointer = xstrdup(err->message);
  pointer[strcspn(pointer, ": ")] = '\0';
  bool placed = pointer[0] == '/';
  journal_add(&h->spec.journal, "seccomp", rule, OUTCOME_REFUSED, placed ? pointer : "/linux/seccomp", NULL,
              NULL, err->message);
  if (!err->rule[0])
    snprintf(err->rule, sizeof err->rule, "%s", rule);
  if (!placed)
    return error_wrap(err, "%s", h->src.name);
  unsigned line;
  unsigned column;
  jsonx_locate(&h->src, pointer, false, &line, &column);
  return error_wrap(err, "%s:%u:%u", h->src.name, line, column);
}

/* The section as it was read, as long as no policy has changed it. */
static struct jsonx_span text_of_seccomp(const struct harden *h) {
  const bool same = spec_at(&h->spec, SECCOMP) == jsonx_at(h->before, SECCOMP);
  return same ? h->spec.seccomp : (struct jsonx_span){ 0 };
}

/* One policy over the document as the one before it left it. The plan outlives the call: the verification
 * reads it. */
static int apply(struct harden *h, const struct policy *policy, const struct harden_options *o,
                 struct facts *facts, struct seccomp_plan *plan, struct error *err) {
  facts->seccomp = NULL;
  if (h->spec.kind == SPEC_CONFIG) {
    if (seccomp_plan_make(plan, spec_at(&h->spec, SECCOMP), text_of_seccomp(h), policy, o->runtime, o->cache,
                          err) < 0)
      return refuse_filter(h, err);
    facts->seccomp = plan;
    h->seccomp_cached = h->seccomp_cached && plan->cached;
  }
  return harden_apply(&h->spec, policy, facts, err);
}

/* The filter, most of a config, comes from the cache as text: the same bytes are the same values. */
static int read_back(struct harden *h, const struct jsonx_source *out, const struct harden_options *o,
                     struct error *err) {
  const struct seccomp_plan *last = o->policies_len ? &h->plans[o->policies_len - 1] : NULL;
  if (h->spec.kind != SPEC_CONFIG || !last || !last->text)
    return spec_parse(&h->after, h->spec.kind, out, SIZE_MAX, err);
  const struct spec_known known = { SECCOMP, { last->text, strlen(last->text) }, last->merged };
  return spec_parse_known(&h->after, out, SIZE_MAX, &known, err);
}

/* Judges the bytes that the runtime will read, not the tree they were made from. */
static int prove(struct harden *h, const struct harden_options *o, struct facts *facts, struct error *err) {
  const struct jsonx_source out = { h->src.name, h->bytes.data, h->bytes.len };
  /* What was added is bounded by the policies; what came in was bounded when it was parsed. */
  if (read_back(h, &out, o, err) < 0) {
    err->code = ERROR_INTERNAL;
    return error_wrap(err, "the hardened document cannot be read back");
  }
  h->after.src = NULL;
  for (size_t i = 0; i < o->policies_len && h->spec.kind == SPEC_CONFIG; i++)
    spec_share(&h->after, SECCOMP, h->plans[i].merged);
  for (size_t i = 0; i < o->policies_len; i++) {
    facts->seccomp = h->spec.kind == SPEC_CONFIG ? &h->plans[i] : NULL;
    if (harden_verify(h->spec.kind, h->before, h->after.root, o->policies[i], facts, err) < 0)
      return error_wrap(err, "policy %s", o->policies[i]->name);
  }
  h->changed = !json_equal(h->before, h->after.root);
  return 0;
}

static int run(struct harden *h, const struct harden_options *o, struct facts *facts, struct error *err) {
  h->seccomp_cached = true;
  if (facts->hook_wanted && h->spec.kind == SPEC_CONFIG && hooks_add_own(&h->spec, facts, err) < 0)
    return -1;
  for (size_t i = 0; i < o->policies_len; i++) {
    if (apply(h, o->policies[i], o, facts, &h->plans[i], err) < 0)
      return -1;
  }
  if (harden_finish(&h->spec, facts, &h->outside, err) < 0)
    return -1;
  facts->sysctls_outside = h->outside;
  spec_dump(&h->spec, &h->bytes);
  return prove(h, o, facts, err);
}

int harden_run(struct harden *h, const struct harden_options *o, struct error *err) {
  if (o->facts == NULL && look(h, o, err) < 0)
    return -1;
  struct facts facts = o->facts ? *o->facts : h->facts; /* its members are borrowed */
  return run(h, o, &facts, err);
}

static int judge(struct harden *h, const struct policy *policy, const struct harden_options *o,
                 struct facts *facts, struct seccomp_plan *plan, struct error *err) {
  facts->seccomp = NULL;
  if (seccomp_plan_make(plan, spec_at(&h->spec, SECCOMP), text_of_seccomp(h), policy, o->runtime, o->cache,
                        err) < 0)
    return refuse_filter(h, err);
  facts->seccomp = plan;
  return harden_keeps(h->before, policy, facts, err);
}

int harden_judge(struct harden *h, const struct harden_options *o, struct error *err) {
  if (o->facts == NULL && look(h, o, err) < 0)
    return -1;
  struct facts facts = o->facts ? *o->facts : h->facts; /* its members are borrowed */
  for (size_t i = 0; i < o->policies_len; i++)
    if (judge(h, o->policies[i], o, &facts, &h->plans[i], err) < 0) {
      if (err->code == ERROR_INTERNAL)
        err->code = ERROR_REFUSED; /* there is no output of ours in it */
      return error_wrap(err, "policy %s", o->policies[i]->name);
    }
  return 0;
}

void harden_free(struct harden *h) {
  spec_free(&h->spec);
  spec_free(&h->after);
  for (size_t i = 0; i < HARDEN_POLICIES_MAX; i++)
    seccomp_plan_free(&h->plans[i]);
  json_decref(h->before);
  json_decref(h->outside);
  facts_free(&h->facts);
  str_free(&h->bytes);
  *h = (struct harden){ 0 };
}
