/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole pipeline as the wrapper runs it, over any bytes. An input is one line of JSON,
 *
 *   {"policies": [one or two: the name of a built-in, or a policy], "facts": bits, "runtime": "runc" or
 * "crun"}
 *
 * and behind it the document. What must hold: a refusal says why and leaves nothing; an output that verifies,
 * is not weaker by weaker.h's own reading, and does not change when it is hardened again.
 */
#ifndef HARDEN_TESTS_FUZZ_PIPELINE_H
#define HARDEN_TESTS_FUZZ_PIPELINE_H

#include "harden/harden.h"
#include "io/path.h"

#include "json_mutator.h"
#include "weaker.h"

enum {
  FACTS_KNOWN = 1, /* of a host and a rootfs without surprises; else nobody has looked */
  FACTS_USER_NAMESPACE = 2,
  FACTS_SANDBOX = 4,
  FACTS_CGROUP_V2 = 8,
  FACTS_NO_MOUNT_SETATTR = 16,
  FACTS_ROOTLESS = 32,
  FACTS_LINKS = 64, /* /var/run leads to /run, and a source to /etc */
};

struct pipeline {
  enum spec_kind kind;
  struct policy policies[HARDEN_POLICIES_MAX];
  size_t policies_len;
  uint64_t bits;
  enum runtime_kind runtime;
  struct jsonx_source src; /* the document */
};

/* Filters that were compiled once: a fork for each input would be most of the time. */
static char *pipeline_cache;

_Noreturn static void pipeline_fail(const char *what, const char *why) {
  fprintf(stderr, "pipeline: %s: %s\n", what, why);
  abort();
}

static void pipeline_start(const char *suffix, const char *other, const char *pointer) {
  const char *tmp = getenv("TMPDIR");
  pipeline_cache = xasprintf("%s/oci-harden-fuzz.XXXXXX", tmp ? tmp : "/tmp");
  if (!mkdtemp(pipeline_cache))
    pipeline_fail(pipeline_cache, "cannot be made");
  mutator_load(suffix, other, pointer);
  mutator.spares_filters = true;
}

static void pipeline_free(struct pipeline *p) {
  for (size_t i = 0; i < HARDEN_POLICIES_MAX; i++)
    policy_free(&p->policies[i]);
}

static int pipeline_policy(const json_t *asked, struct policy *ret, struct error *err) {
  CLEANUP_STR struct str text = { 0 };
  if (json_is_string(asked))
    return policy_load(NULL, json_string_value(asked), ret, err);
  jsonx_dump(asked, &text);
  const struct jsonx_source src = { "policy", text.data, text.len };
  return policy_load_text(NULL, &src, ret, err);
}

static int pipeline_decode(struct pipeline *p, const char *text, size_t len, struct error *err) {
  const char *newline = memchr(text, '\n', len);
  if (!newline)
    return -1;
  const struct jsonx_source src = { "head", text, (size_t)(newline - text) };
  json_auto_t *head = NULL;
  if (jsonx_parse(&src, SIZE_MAX, &head, err) < 0)
    return -1;
  const json_t *policies = json_object_get(head, "policies");
  const char *runtime = json_string_value(json_object_get(head, "runtime"));
  const size_t count = json_array_size(policies);
  if (count == 0 || count > HARDEN_POLICIES_MAX)
    return -1;
  for (size_t i = 0; i < count; i++, p->policies_len++)
    if (pipeline_policy(json_array_get(policies, i), &p->policies[i], err) < 0)
      return -1;
  for (size_t i = 0; i < count; i++)
    if (!p->policies[i].name)
      p->policies[i].name = xstrdup("unnamed");
  p->bits = (uint64_t)json_integer_value(json_object_get(head, "facts"));
  p->runtime = runtime && strcmp(runtime, "crun") == 0 ? RUNTIME_CRUN : RUNTIME_RUNC;
  p->src = (struct jsonx_source){ "config.json", newline + 1, len - src.len - 1 };
  return 0;
}

static void facts_add_destination(struct facts *f, const char *path, bool links) {
  if (!path || *path != '/' || facts_destination(f, path))
    return;
  f->destinations = xrealloc(f->destinations, f->destinations_len + 1, sizeof *f->destinations);
  struct destination_fact *d = &f->destinations[f->destinations_len++];
  *d = (struct destination_fact){ .destination = xstrdup(path), .exists = true };
  CLEANUP_FREE char *normal = path_normalise(path);
  CLEANUP_FREE char *slashed = xasprintf("%s/", normal);
  if (strstr(slashed, "/../"))
    d->why = xstrdup("\"..\" in it");
  else if (links && (strcmp(normal, "/var/run") == 0 || path_is_below(normal, "/var/run")))
    d->resolved = xstrdup(normal + strlen("/var"));
  else
    d->resolved = steal_ptr(&normal);
}

static void facts_add_source(struct facts *f, const char *path, bool links) {
  if (!path || *path != '/' || facts_source(f, path))
    return;
  f->sources = xrealloc(f->sources, f->sources_len + 1, sizeof *f->sources);
  struct source_fact *s = &f->sources[f->sources_len++];
  *s = (struct source_fact){ .source = xstrdup(path), .kind = INODE_DIRECTORY };
  s->real = links && strlen(path) % 3 == 0 ? xstrdup("/etc") : path_normalise(path);
  s->sensitive = xstrdup(facts_sensitive(s->real));
}

static void pipeline_facts(struct facts *f, const struct pipeline *p, const struct spec *spec) {
  const bool links = p->bits & FACTS_LINKS;
  size_t i;
  json_t *mount;
  facts_unknown(f, spec, p->runtime);
  f->user_namespace = p->bits & FACTS_USER_NAMESPACE;
  f->sandbox = p->bits & FACTS_SANDBOX;
  f->cgroup_v2 = p->bits & FACTS_CGROUP_V2;
  f->rootless = p->bits & FACTS_ROOTLESS;
  f->mount_setattr = !(p->bits & FACTS_NO_MOUNT_SETATTR);
  if (!(p->bits & FACTS_KNOWN) || p->kind != SPEC_CONFIG)
    return;
  f->host_known = f->rootfs_known = true;
  f->root_proc = f->root_sys = f->root_dev = INODE_DIRECTORY;
  json_array_foreach(spec_at(spec, "/mounts"), i, mount) {
    facts_add_destination(f, json_string_value(json_object_get(mount, "destination")), links);
    facts_add_source(f, json_string_value(json_object_get(mount, "source")), links);
  }
  for (i = 0; i < p->policies_len; i++)
    for (size_t j = 0; j < p->policies[i].rootfs.tmpfs.len; j++)
      facts_add_destination(f, p->policies[i].rootfs.tmpfs.items[j], links);
}

static int pipeline_harden(const struct pipeline *p, const struct jsonx_source *src, struct harden *h,
                           const struct facts *given, struct facts *facts, struct error *err) {
  const struct seccomp_cache cache = { pipeline_cache };
  struct harden_options options = {
    .policies_len = p->policies_len, .runtime = p->runtime, .bundle_fd = -1, .cache = &cache
  };
  if (harden_parse(h, p->kind, src, JSONX_LIMIT_DEFAULT, err) < 0)
    return -1;
  if (!given)
    pipeline_facts(facts, p, &h->spec);
  options.facts = given ? given : facts;
  for (size_t i = 0; i < p->policies_len; i++)
    options.policies[i] = &p->policies[i];
  return harden_run(h, &options, err);
}

/* A refusal is the input's fault, or the policy's, says where and why, and is one line. */
static void pipeline_judge_refusal(const struct harden *h, const struct error *err) {
  if (err->code != ERROR_REFUSED && err->code != ERROR_INPUT && err->code != ERROR_POLICY)
    pipeline_fail("a defect", err->message);
  if (!err->message[0] || strchr(err->message, '\n'))
    pipeline_fail("a refusal does not say why", err->message);
  if (err->code == ERROR_REFUSED && !err->rule[0])
    pipeline_fail("a refusal without a rule", err->message);
  if (h->changed)
    pipeline_fail("refused and changed", err->message);
}

static bool pipeline_audits(const struct pipeline *p) {
  for (size_t i = 0; i < p->policies_len; i++)
    if (p->policies[i].mode != POLICY_AUDIT)
      return false;
  return true;
}

static void pipeline_judge_output(const struct pipeline *p, struct harden *h, const struct facts *facts) {
  struct error err = { 0 };
  struct harden twice = { 0 };
  const struct jsonx_source out = { "output", h->bytes.data, h->bytes.len };
  struct weaker w = { .before = h->before, .after = h->after.root };
  if (weaker(&w))
    pipeline_fail("weaker", w.why);
  if (pipeline_audits(p) && h->changed)
    pipeline_fail("audit", "has changed the document");
  if (pipeline_harden(p, &out, &twice, facts, NULL, &err) < 0)
    pipeline_fail("refused a second time", err.message);
  if (twice.bytes.len != h->bytes.len || memcmp(twice.bytes.data, h->bytes.data, h->bytes.len) != 0)
    pipeline_fail("changed a second time", twice.bytes.data);
  harden_free(&twice);
}

static void pipeline_run(enum spec_kind kind, const uint8_t *data, size_t size) {
  CLEANUP(pipeline_free) struct pipeline p = { .kind = kind };
  CLEANUP_FACTS struct facts facts = { 0 };
  struct harden h = { 0 };
  struct error err = { 0 };
  /* A copy that ends where the input ends, for the sanitizer. */
  CLEANUP_FREE char *text = xcalloc(size ? size : 1, 1);
  memcpy(text, data, size);
  if (pipeline_decode(&p, text, size, &err) < 0)
    return;
  err = (struct error){ 0 };
  if (pipeline_harden(&p, &p.src, &h, NULL, &facts, &err) < 0)
    pipeline_judge_refusal(&h, &err);
  else
    pipeline_judge_output(&p, &h, &facts);
  harden_free(&h);
}

#endif
