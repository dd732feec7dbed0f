/* SPDX-License-Identifier: Apache-2.0 */
/* What our own wrapper promised of a container, and what is left of that while it runs. */
#include "base/cleanup.h"
#include "base/sha256.h"
#include "base/str.h"
#include "ctl/inspect.h"
#include "io/fileio.h"
#include "io/path.h"
#include "runtime/usermap.h"

#include <fcntl.h>
#include <string.h>

/*
 * Promises of the moment before the start: a program may change its user, directory and files, `update` the
 * limits, and which files were handed over nobody remembers. Where they go beyond the policy, its comparison
 * tells.
 */
static const char *const of_the_start[] = { "OH-PRF-014", "OH-PRF-015", "OH-PRF-025", "OH-PRF-027",
                                            "OH-PRF-029" };

static bool holds_for_life(const struct proof_row *row) {
  for (size_t i = 0; i < ARRAY_SIZE(of_the_start); i++)
    if (strcmp(of_the_start[i], row->id) == 0)
      return false;
  return true;
}

/* The config.json that was hardened, as it was: its digest is in the state. */
static json_t *load_config(const struct state *state, size_t limit, char **ret_why) {
  CLEANUP_FREE char *path = xasprintf("%s/config.json", state->bundle);
  CLEANUP_FREE char *text = NULL;
  size_t len;
  struct error err = { 0 };
  json_t *config = NULL;
  if (file_read(AT_FDCWD, path, RESOLVE_LEAF, limit, &text, &len, NULL, &err) < 0) {
    *ret_why = xstrdup(err.message);
    return NULL;
  }
  char digest[SHA256_HEX];
  sha256_hex(text, len, digest);
  if (strcmp(digest, state->after) != 0) {
    *ret_why = xasprintf("%s is not what was hardened", path);
    return NULL;
  }
  const struct jsonx_source src = { path, text, len };
  if (jsonx_parse(&src, limit, &config, &err) < 0)
    *ret_why = xstrdup(err.message);
  return config;
}

void promise_load(struct promise *ret, const struct subject *subject, size_t config_limit) {
  const struct state *state = &subject->state;
  *ret = (struct promise){ 0 };
  if (!subject->has_state)
    return;
  ret->config = load_config(state, config_limit, &ret->why_not);
  for (size_t i = 0; i < state->policies_len; i++)
    ret->policies[i] = &state->policies[i];
  ret->promise = (struct proof_promise){
    .config = ret->config,
    .bundle = state->bundle,
    .runtime = subject->kind,
    .policies = ret->policies,
    .policies_len = state->policies_len,
    .waiting = subject->created,
    .rootfs = { state->rootfs.device, state->rootfs.inode },
    .map = usermap_promised(state),
  };
}

void promise_tell_map(const struct state *state, struct posture_rows *told) {
  static const char control[] = "user-namespace";
  if (state->no_user_namespace)
    posture_rows_add(told, control, NULL, "none, though wanted", state->no_user_namespace, NULL);
  for (size_t i = 0; i < state->map.unmapped.len; i++)
    posture_rows_add(told, control, NULL, state->map.unmapped.items[i],
                     "not mapped: its files belong to nobody inside", NULL);
}

void promise_compare(const struct promise *p, const struct proof_view *view, struct posture_rows *told,
                     struct posture_rows *found) {
  static const char remedy[] =
      "find out who changed it since its start; delete the container and make it anew";
  size_t held = 0;
  size_t asked = 0;
  CLEANUP_PROOF struct proof proof = { 0 };
  proof_compare(&proof, &p->promise, view);
  for (size_t i = 0; i < proof.len; i++) {
    const struct proof_finding *f = &proof.items[i];
    if (!holds_for_life(f->row))
      continue;
    asked++;
    held += f->outcome == PROOF_HELD;
    if (f->outcome == PROOF_BROKEN)
      posture_rows_add(found, f->row->control, f->row->id, f->row->promise, f->text, remedy);
    else if (f->outcome == PROOF_UNREAD)
      posture_rows_add(told, "promises", NULL, f->row->promise, f->text, NULL);
  }
  CLEANUP_FREE char *text = xasprintf("%zu of %zu", held, asked);
  posture_rows_add(told, "promises", NULL, "held", text, NULL);
}

void promise_free(struct promise *p) {
  json_decref(p->config);
  free(p->why_not);
  *p = (struct promise){ 0 };
}
