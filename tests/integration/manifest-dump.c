/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest-dump FILE: the configs that a manifest is translated into, one JSON object a line: {"name",
 * "config"}. What a test compares with the configs that real engines write.
 */
#include "io/fileio.h"
#include "manifest/manifest.h"

#include <fcntl.h>
#include <stdio.h>

int main(int argc, char **argv) {
  struct error err = { 0 };
  CLEANUP_MANIFEST struct manifest manifest = { 0 };
  CLEANUP_FREE char *text = NULL;
  size_t len;
  if (argc != 2) {
    fprintf(stderr, "manifest-dump: name one file\n");
    return 2;
  }
  if (file_read(AT_FDCWD, argv[1], RESOLVE_TRUSTED, JSONX_LIMIT_DEFAULT, &text, &len, NULL, &err) < 0) {
    fprintf(stderr, "manifest-dump: %s\n", err.message);
    return 1;
  }
  const struct jsonx_source src = { argv[1], text, len };
  if (manifest_read(&manifest, &src, &err) < 0) {
    fprintf(stderr, "manifest-dump: %s\n", err.message);
    return 1;
  }
  for (size_t i = 0; i < manifest.len; i++) {
    CLEANUP_STR struct str line = { 0 };
    json_auto_t *object = json_object();
    jsonx_set_new(object, "name", jsonx_string_new(manifest.containers[i].name));
    jsonx_set_new(object, "config", jsonx_copy(manifest.containers[i].config));
    jsonx_dump(object, &line);
    printf("%s\n", line.data);
  }
  return 0;
}
