/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of overlays in mountinfo. What is taken, written again as we give it to mount(2) and shown by
 * the kernel as it does, must be read as the same.
 */
#include "idmap/mapping.h"
#include "idmap/overlay.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "fuzz_overlay: %s\n", what);
  abort();
}

static void same_list(const struct strlist *a, const struct strlist *b) {
  expect(a->len == b->len, "another number of names");
  for (size_t i = 0; i < a->len; i++)
    expect(strcmp(a->items[i], b->items[i]) == 0, "another name");
}

static void same_name(const char *a, const char *b) {
  expect(!a == !b && (!a || strcmp(a, b) == 0), "another upperdir or workdir");
}

/* As the kernel shows option strings: between options, which are ours to part, every other special character.
 */
static void add_shown(struct str *out, const char *name) {
  CLEANUP_STR struct str escaped = { 0 };
  overlay_add_escaped(&escaped, name);
  for (const char *p = escaped.data ? escaped.data : ""; *p; p++)
    if (strchr(",= \t\n\\", *p))
      str_addf(out, "\\%03o", (unsigned char)*p);
    else
      str_add_mem(out, p, 1);
}

static void show(const struct overlay *o, struct str *out) {
  str_add(out, "lowerdir=");
  for (size_t i = 0; i < o->lower.len; i++) {
    if (i)
      str_add(out, i >= o->lower.len - o->data ? "::" : ":");
    add_shown(out, o->lower.items[i]);
  }
  if (!o->upper)
    return;
  str_add(out, ",upperdir=");
  add_shown(out, o->upper);
  str_add(out, ",workdir=");
  add_shown(out, o->work);
}

static void round_trip(const char *text) {
  CLEANUP_OVERLAY struct overlay o, again;
  CLEANUP_STR struct str shown = { 0 };
  struct error err = { 0 };
  if (overlay_parse(text, &o, &err) < 0) {
    expect(err.code == ERROR_INPUT && o.lower.len == 0, "a failure leaves something");
    again = (struct overlay){ 0 };
    return;
  }
  expect(o.lower.len > o.data && o.lower.len <= OVERLAY_LAYERS_MAX, "layers out of bounds");
  CLEANUP_FREE char *options = overlay_options(&o);
  expect(strlen(options) > strlen("lowerdir="), "no options");
  show(&o, &shown);
  expect(overlay_parse(shown.data, &again, &err) == 0, "what was shown is not taken");
  same_list(&o.lower, &again.lower);
  same_name(o.upper, again.upper);
  same_name(o.work, again.work);
  expect(o.data == again.data, "another number of layers of data");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  CLEANUP_STR struct str text = { 0 };
  CLEANUP_STRLIST struct strlist below = { 0 };
  str_add_mem(&text, data, size);
  const char *all = text.data ? text.data : "";
  round_trip(all);
  if (size < 4096)
    mapping_below(all, "/v", &below);
  return 0;
}
