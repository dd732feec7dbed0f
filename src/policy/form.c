/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/form.h"

#include <string.h>

bool form_path(const char *s) {
  return s[0] == '/';
}

bool form_word(const char *s) {
  return s[0] && !strpbrk(s, " \t\r\n");
}

static int refuse(const struct form *form, const char *text, const struct jsonx_source *src,
                  const char *pointer, struct error *err) {
  return jsonx_error(err, ERROR_POLICY, src, pointer, "\"%.200s\" is not %s", text, form->want);
}

static int check_form(const struct form *form, const json_t *value, const char *base,
                      const struct jsonx_source *src, struct error *err) {
  const char *text = json_string_value(value);
  if (text && !form->holds(text)) {
    CLEANUP_FREE char *at = xasprintf("%s%s", base, form->pointer);
    return refuse(form, text, src, at, err);
  }
  for (size_t i = 0; i < json_array_size(value); i++) {
    text = json_string_value(json_array_get(value, i));
    if (text && !form->holds(text)) {
      CLEANUP_FREE char *at = xasprintf("%s%s/%zu", base, form->pointer, i);
      return refuse(form, text, src, at, err);
    }
  }
  return 0;
}

int forms_check(const json_t *object, const char *base, const struct jsonx_source *src,
                const struct form *forms, struct error *err) {
  for (const struct form *form = forms; form->pointer; form++)
    if (check_form(form, jsonx_at(object, form->pointer), base, src, err) < 0)
      return -1;
  return 0;
}
