/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seccomp filters as the kernel has them. The kernel takes the strictest of all verdicts, so one filter
 * that keeps the config's promise alone is enough; what the others say can only add to it.
 */
#include "base/cleanup.h"
#include "io/fileio.h"
#include "io/jsonx.h"
#include "io/path.h"
#include "proof/rows.h"
#include "seccomp/cache.h"
#include "seccomp/floor.h"
#include "seccomp/simulate.h"
#include "seccomp/validate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define SECTION "/linux/seccomp"

/* The section: its text, and the values where they are there or were asked for. */
struct section {
  struct jsonx_span text;
  struct str room; /* for a text that is ours */
  const json_t *value;
  json_t *built;
};

static void section_free(struct section *s) {
  str_free(&s->room);
  json_decref(s->built);
}

/* False: the config has none. */
static bool section_find(const struct proof_promise *p, struct section *ret) {
  *ret =
      (struct section){ .text = p->seccomp, .value = p->seccomp.text ? NULL : jsonx_at(p->config, SECTION) };
  if (p->seccomp.text)
    return true;
  if (!ret->value || json_is_null(ret->value))
    return false;
  jsonx_dump(ret->value, &ret->room);
  ret->text = (struct jsonx_span){ ret->room.data, ret->room.len };
  return true;
}

static int section_decode(struct section *s, struct seccomp_profile *ret, struct error *err) {
  const struct jsonx_source src = { "config.json#" SECTION, s->text.text, s->text.len };
  if (!s->value && jsonx_parse(&src, src.len, &s->built, err) < 0)
    return -1;
  return seccomp_profile_decode(s->value ? s->value : s->built, NULL, SECTION, SECCOMP_ACCEPT_PERMISSIVE, ret,
                                err);
}

/* What was found of a filter is remembered under what it was judged by and the filter's bytes: that there is
 * such an entry says it all. */
static void memory_key(const char *purpose, uint8_t runtime, const struct jsonx_span *promise,
                       const struct kernel_filter *f, struct seccomp_cache_key *ret) {
  const struct seccomp_cache_part parts[] = { { purpose, strlen(purpose) },
                                              { &runtime, sizeof runtime },
                                              { promise->text, promise->len },
                                              { f->program, f->len * sizeof *f->program } };
  seccomp_cache_key(ret, parts, ARRAY_SIZE(parts));
}

static bool remembered(const struct proof_promise *p, const struct seccomp_cache_key *key) {
  CLEANUP_STR struct str nothing = { 0 };
  CLEANUP_SECCOMP_PROGRAM struct seccomp_program none = { 0 };
  return p->cache && seccomp_cache_load(p->cache, key, &nothing, &none);
}

static void remember(const struct proof_promise *p, const struct seccomp_cache_key *key) {
  const struct str nothing = { 0 };
  const struct seccomp_program none = { 0 };
  if (p->cache)
    seccomp_cache_store(p->cache, key, &nothing, &none);
}

/* At every number of every ABI at least as strict as the section, runc's stub for unknown numbers counted. */
static int judge(const struct proof_promise *p, const struct seccomp_profile *profile,
                 const struct kernel_filter *f, struct error *err) {
  const struct seccomp_program program = { f->program, f->len };
  const bool stub = p->runtime == RUNTIME_RUNC;
  const struct seccomp_validation v = { .result = profile,
                                        .programs = { &program },
                                        .programs_len = stub ? 0 : 1,
                                        .stubbed = stub ? &program : NULL,
                                        .inputs = { profile },
                                        .input_names = { "the config" },
                                        .inputs_len = 1 };
  CLEANUP_FREE char *call = NULL;
  if (bpf_validate(f->program, f->len, err) < 0)
    return -1;
  return seccomp_validate(&v, &call, err);
}

/* The last, which the container's runtime installed, comes first: as a rule it is the one. It also speaks for
 * a failure. */
static enum proof_outcome judge_all(const struct proof_promise *p, struct section *section,
                                    const struct kernel_filter *candidates[], size_t len, struct str *why) {
  struct seccomp_cache_key keys[KERNEL_FILTERS_MAX + 1];
  CLEANUP_SECCOMP_PROFILE struct seccomp_profile profile = { 0 };
  struct error err = { 0 };
  for (size_t i = len; i-- > 0;) {
    memory_key("proof", (uint8_t)p->runtime, &section->text, candidates[i], &keys[i]);
    if (remembered(p, &keys[i]))
      return PROOF_HELD;
  }
  if (section_decode(section, &profile, &err) < 0) {
    proof_say(why, "the promise cannot be read: %s", err.message);
    return PROOF_UNREAD;
  }
  for (size_t i = len; i-- > 0;) {
    struct error other = { 0 };
    if (judge(p, &profile, candidates[i], i + 1 == len ? &err : &other) < 0)
      continue;
    remember(p, &keys[i]);
    return PROOF_HELD;
  }
  proof_say(why, "the config's filter was promised, and none of the kernel's %zu is as strict: %s", len,
            err.message);
  return PROOF_BROKEN;
}

bool proof_filter_is_pending(const struct proof_promise *p) {
  return !p->executed && p->runtime == RUNTIME_CRUN &&
         json_is_true(jsonx_at(p->config, "/process/noNewPrivileges"));
}

/* The wrapper of a person without privileges sets none. */
static size_t floors(const struct proof_promise *p, const struct proof_view *v) {
  size_t n = 0;
  for (size_t i = 0; v->sets_floors && !p->floorless && i < p->policies_len; i++) {
    const enum action action = policy_action(p->policies[i], p->policies[i]->seccomp.action);
    n += (action == ACTION_HARDEN || action == ACTION_DENY) && p->policies[i]->seccomp.floor.len > 0;
  }
  return n;
}

/* What is left where the kernel does not show filters to us: their number. */
static enum proof_outcome count(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  const struct kernel_status *s = &v->kernel.status;
  const size_t promised =
      !proof_filter_is_pending(p) + floors(p, v) + (size_t)(v->own_filters > 0 ? v->own_filters : 0);
  if (!proof_unread(v, KERNEL_STATUS, why) && promised > 0 &&
      (s->seccomp != 2 || (s->seccomp_filters >= 0 && (size_t)s->seccomp_filters < promised))) {
    proof_say(why, "%zu seccomp filters were promised, and the kernel has %d", promised, s->seccomp_filters);
    return PROOF_BROKEN;
  }
  (void)proof_unread(v, KERNEL_FILTERS, why);
  return PROOF_UNREAD;
}

enum proof_outcome proof_filter(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  CLEANUP(section_free) struct section section;
  const struct kernel_filter *candidates[KERNEL_FILTERS_MAX + 1];
  size_t len = 0;
  if (!section_find(p, &section))
    return PROOF_HELD;
  if (v->kernel.unread[KERNEL_FILTERS])
    return count(p, v, why);
  for (size_t i = 0; i < v->kernel.filters.len; i++)
    candidates[len++] = &v->kernel.filters.items[i];
  if (v->pending.len > 0)
    candidates[len++] = &v->pending;
  if (len > 0)
    return judge_all(p, &section, candidates, len, why);
  proof_say(why, "the config's filter was promised, and the kernel has none");
  return PROOF_BROKEN;
}

static bool same(const struct kernel_filter *f, const struct sock_filter *program, size_t len) {
  return f->len == len && memcmp(f->program, program, len * sizeof *program) == 0;
}

/* The floor's names, one a line. */
static void floor_text(const struct strlist *names, struct str *ret) {
  for (size_t i = 0; i < names->len; i++) {
    str_add(ret, names->items[i]);
    str_add(ret, "\n");
  }
}

static bool has_floor(const struct proof_promise *p, const struct proof_view *v, const struct policy *policy,
                      struct str *why) {
  CLEANUP_FREE struct sock_filter *program = NULL;
  CLEANUP_STR struct str names = { 0 };
  size_t len = 0;
  struct error err = { 0 };
  struct seccomp_cache_key key;
  if (policy->seccomp.floor.len == 0)
    return true;
  floor_text(&policy->seccomp.floor, &names);
  const struct jsonx_span promise = { names.data, names.len };
  for (size_t i = 0; i < v->kernel.filters.len; i++) {
    memory_key("floor", 0, &promise, &v->kernel.filters.items[i], &key);
    if (remembered(p, &key))
      return true;
  }
  if (seccomp_floor_build(&policy->seccomp.floor, &program, &len, &err) < 0) {
    proof_say(why, "%s", err.message);
    return false;
  }
  for (size_t i = 0; i < v->kernel.filters.len; i++)
    if (same(&v->kernel.filters.items[i], program, len)) {
      memory_key("floor", 0, &promise, &v->kernel.filters.items[i], &key);
      remember(p, &key);
      return true;
    }
  return len == 0;
}

enum proof_outcome proof_floor(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  if (floors(p, v) == 0)
    return PROOF_HELD;
  if (v->kernel.unread[KERNEL_FILTERS])
    return count(p, v, why);
  for (size_t i = 0; i < p->policies_len; i++) {
    const enum action action = policy_action(p->policies[i], p->policies[i]->seccomp.action);
    if ((action == ACTION_HARDEN || action == ACTION_DENY) && !has_floor(p, v, p->policies[i], why))
      proof_say(why, "the floor of policy %s was promised, and the kernel does not have it",
                p->policies[i]->name);
  }
  return proof_outcome_of(why);
}

/* Nobody but root, or the user whose runtime it is, may have written what the runtime is to load. */
static bool is_ready(const struct kernel_fd *f) {
  enum { MAX = BPF_PROGRAM_MAX * sizeof(struct sock_filter) };
  return f->fd > 2 && f->cloexec && S_ISREG(f->st.st_mode) && str_ends(f->target, "/seccomp.bpf") &&
         f->st.st_size > 0 && f->st.st_size <= MAX &&
         (size_t)f->st.st_size % sizeof(struct sock_filter) == 0 && file_owner_is_trusted(f->st.st_uid) &&
         !(f->st.st_mode & (S_IWGRP | S_IWOTH));
}

void proof_read_pending(const struct kernel_view *v, struct kernel_filter *ret) {
  *ret = (struct kernel_filter){ 0 };
  for (size_t i = 0; i < v->fds.len; i++) {
    const struct kernel_fd *f = &v->fds.items[i];
    CLEANUP_FREE char *name = xasprintf("fd/%d", f->fd);
    CLEANUP_FREE char *bytes = NULL;
    size_t len;
    struct error ignored = { 0 };
    if (!is_ready(f))
      continue;
    CLEANUP_FD int fd = path_open(v->process.dir, name, O_RDONLY | O_NONBLOCK, 0, RESOLVE_TRUSTED);
    if (fd < 0 || file_read_fd(fd, name, (size_t)f->st.st_size, &bytes, &len, &ignored) < 0 ||
        len != (size_t)f->st.st_size)
      continue;
    ret->program = (struct sock_filter *)steal_ptr(&bytes);
    ret->len = len / sizeof *ret->program;
    return;
  }
}
