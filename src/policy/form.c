/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/form.h"

#include <string.h>

bool form_path(const char *s) {
  return s[0] == '/';
}

bool form_word(const char *s) {
  return s[0] && !strpbrk(s, " \t\r\n");
}

static int check_string(const struct form *form, const json_t *value, const struct jsonx_source *src,
                        const char *pointer, struct error *err) {
  const char *text = json_string_value(value);
  if (!text || form->holds(text))
    return 0;
  return jsonx_error(err, ERROR_POLICY, src, pointer, "\"%.200s\" is not %s", text, form->want);
}

static int check_value(const struct form *form, const json_t *value, const char *base,
                       const struct jsonx_source *src, struct error *err) {
  CLEANUP_FREE char *pointer = xasprintf("%s%s", base, form->pointer);
  if (check_string(form, value, src, pointer, err) < 0)
    return -1;
  for (size_t i = 0; i < json_array_size(value); i++) {
    const json_t *item = json_array_get(value, i);
    if (!json_is_string(item) || form->holds(json_string_value(item)))
      continue;
    CLEANUP_FREE char *at = xasprintf("%s/%zu", pointer, i);
    return check_string(form, item, src, at, err);
  }
  return 0;
}

int forms_check(const json_t *object, const char *base, const struct jsonx_source *src,
                const struct form *forms, struct error *err) {
  for (const struct form *form = forms; form->pointer; form++) {
    const json_t *value = jsonx_at(object, form->pointer);
    if (value && check_value(form, value, base, src, err) < 0)
      return -1;
  }
  return 0;
}
