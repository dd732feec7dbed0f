/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What strings in a policy or configuration must look like: the checks behind the patterns of the schemas,
 * made on the text's own values so that the error has its place.
 */
#ifndef HARDEN_FORM_H
#define HARDEN_FORM_H

#include "io/jsonx.h"

struct form {
  const char *pointer; /* of a string or an array of strings */
  bool (*holds)(const char *);
  const char *want; /* "an absolute path" */
};

/* `forms` ends with pointer NULL; pointers are below `object`, which stands at `base` of the text. Values of
 * another type are the decoder's affair. Errors are ERROR_POLICY. */
int forms_check(const json_t *object, const char *base, const struct jsonx_source *src,
                const struct form *forms, struct error *err) MUST_CHECK;

bool form_path(const char *s); /* absolute */
bool form_word(const char *s); /* not empty, no white space */

#endif
