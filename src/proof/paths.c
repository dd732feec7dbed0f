/* SPDX-License-Identifier: Apache-2.0 */
/* Masked and read-only paths. A path that is not there needs no mask: runtimes skip it, and so do we. */
#include "io/jsonx.h"
#include "proof/rows.h"

#include <errno.h>
#include <string.h>

static bool absent(const struct kernel_place *is) {
  return is->error == ENOENT || is->error == ENOTDIR;
}

static enum proof_outcome judge(const struct proof_view *v, const struct proof_places *places, bool mask,
                                struct str *why) {
  bool blind = false;
  if (places->len == 0)
    return PROOF_HELD;
  if (proof_unread(v, KERNEL_ROOT, why))
    return PROOF_UNREAD;
  for (size_t i = 0; i < places->len; i++) {
    const struct proof_place *place = &places->items[i];
    if (absent(&place->is) || kernel_place_is_mask(&place->is) || (!mask && place->is.readonly))
      continue;
    blind = blind || place->is.error;
    if (place->is.error)
      proof_say(why, "%s: %s", place->path, strerror(place->is.error));
    else
      proof_say(why, "%s was promised %s, and the kernel shows it %s", place->path,
                mask ? "masked" : "read-only", mask ? "unmasked" : "writable");
  }
  return blind ? PROOF_UNREAD : proof_outcome_of(why);
}

enum proof_outcome proof_masked(const struct proof_promise *p, const struct proof_view *v, struct str *why) {
  (void)p;
  return judge(v, &v->masked, true, why);
}

enum proof_outcome proof_readonly(const struct proof_promise *p, const struct proof_view *v,
                                  struct str *why) {
  (void)p;
  return judge(v, &v->readonly, false, why);
}
