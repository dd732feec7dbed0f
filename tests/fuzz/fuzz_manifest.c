/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a manifest: what is read is bounded, what is made of it is a config, and every member has a
 * place in it. */
#include "manifest/manifest.h"
#include "spec/spec.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void complain(const char *what, const char *detail) {
  fprintf(stderr, "fuzz_manifest: %s: %s\n", what, detail);
  abort();
}

static unsigned lines_of(const struct jsonx_source *src) {
  unsigned lines = 1;
  for (size_t i = 0; i < src->len; i++)
    lines += src->text[i] == '\n' || src->text[i] == '\r' || (unsigned char)src->text[i] >= 0x80;
  return lines;
}

static void look_at(const struct manifest_container *c, unsigned lines) {
  CLEANUP_STR struct str text = { 0 };
  CLEANUP_SPEC struct spec spec = { 0 };
  struct error err = { 0 };
  jsonx_dump(c->config, &text);
  const struct jsonx_source src = { "config", text.data, text.len };
  if (spec_parse(&spec, SPEC_CONFIG, &src, SIZE_MAX, &err) < 0)
    complain("no config", err.message);
  for (size_t i = 0; i < c->origins_len; i++) {
    CLEANUP_PLACE struct manifest_place place = { 0 };
    manifest_locate(c, c->origins[i].pointer, &place);
    if (place.at.line == 0 || place.at.column == 0 || place.at.line > lines)
      complain("no place", c->origins[i].pointer);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  CLEANUP_MANIFEST struct manifest manifest = { 0 };
  struct error err = { 0 };
  /* Callers have a NUL behind the bytes. */
  CLEANUP_FREE char *text = xcalloc(size + 1, 1);
  memcpy(text, data, size);
  const struct jsonx_source src = { "f.yaml", text, size };
  enum manifest_kind kind = manifest_kind_of(&src);
  if (manifest_read(&manifest, &src, &err) < 0) {
    if (err.code != ERROR_INPUT || !*err.message)
      complain("an error without a reason", err.message);
    return 0;
  }
  if (kind != manifest.kind || kind == MANIFEST_NONE)
    complain("two kinds", "");
  for (size_t i = 0; i < manifest.len; i++)
    look_at(&manifest.containers[i], lines_of(&src));
  return 0;
}
