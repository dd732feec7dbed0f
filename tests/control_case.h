/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the unit tests of single controls: judgements over JSON texts. Rows hold "\"" as "'".
 */
#ifndef HARDEN_TESTS_CONTROL_CASE_H
#define HARDEN_TESTS_CONTROL_CASE_H

#include "control/control.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The text with each ' as ". The caller frees. */
static inline char *case_quoted(const char *text) {
  char *copy = xstrdup(text);
  for (char *p = copy; *p; p++)
    if (*p == '\'')
      *p = '"';
  return copy;
}

/* New reference. */
static inline json_t *case_json(const char *text) {
  struct error err = { 0 };
  json_t *value = NULL;
  CLEANUP_FREE char *quoted = case_quoted(text);
  struct jsonx_source src = { "case", quoted, strlen(quoted) };
  cr_assert_eq(jsonx_parse(&src, JSONX_LIMIT_DEFAULT, &value, &err), 0, "%s: %s", quoted, err.message);
  return value;
}

static inline void case_facts(struct facts *ret, const char *text) {
  struct error err = { 0 };
  CLEANUP_FREE char *quoted = case_quoted(text ? text : "{}");
  struct jsonx_source src = { "facts", quoted, strlen(quoted) };
  cr_assert_eq(facts_decode(ret, &src, &err), 0, "%s", err.message);
}

/* The policy of a text over policy_init(). */
static inline void case_policy(struct policy *ret, const char *text) {
  struct error err = { 0 };
  CLEANUP_FREE char *quoted = case_quoted(text);
  struct jsonx_source src = { "policy", quoted, strlen(quoted) };
  policy_init(ret);
  cr_assert_eq(policy_decode(ret, &src, &err), 0, "%s", err.message);
}

/* Two documents, the first before and the second after. */
struct order_case {
  const char *before, *after;
  bool weaker;
};

static inline void case_orders(const char *name, enum spec_kind kind, const char *facts_text,
                               const struct order_case *cases, size_t len) {
  const struct control *c = control_find(name);
  CLEANUP_FACTS struct facts facts = { 0 };
  case_facts(&facts, facts_text);
  for (size_t i = 0; i < len; i++) {
    struct error err = { 0 };
    json_auto_t *before = case_json(cases[i].before);
    json_auto_t *after = case_json(cases[i].after);
    int rc = c->not_weaker(kind, before, after, &facts, &err);
    cr_expect_eq(rc != 0, cases[i].weaker, "%s -> %s: %s", cases[i].before, cases[i].after, err.message);
    if (rc)
      cr_expect_eq(err.code, ERROR_INTERNAL);
    cr_expect_eq(c->not_weaker(kind, before, before, &facts, &err), 0, "%s is weaker than itself: %s",
                 cases[i].before, err.message);
    cr_expect_eq(c->not_weaker(kind, after, after, &facts, &err), 0, "%s is weaker than itself: %s",
                 cases[i].after, err.message);
  }
}
#define CASE_ORDERS(name, kind, facts, cases) case_orders(name, kind, facts, cases, ARRAY_SIZE(cases))

/* An output, and whether it keeps the promise. */
struct promise_case {
  const char *after;
  bool broken;
};

static inline void case_promises(const char *name, enum spec_kind kind, const char *policy_text,
                                 const char *facts_text, const struct promise_case *cases, size_t len) {
  const struct control *c = control_find(name);
  CLEANUP_FACTS struct facts facts = { 0 };
  CLEANUP_POLICY struct policy policy = { 0 };
  case_facts(&facts, facts_text);
  case_policy(&policy, policy_text);
  for (size_t i = 0; i < len; i++) {
    struct error err = { 0 };
    json_auto_t *after = case_json(cases[i].after);
    int rc = c->verify(kind, after, &policy, &facts, &err);
    cr_expect_eq(rc != 0, cases[i].broken, "%s: %s", cases[i].after, err.message);
    if (rc)
      cr_expect_eq(err.code, ERROR_INTERNAL);
  }
}
#define CASE_PROMISES(name, kind, policy, facts, cases)                                                      \
  case_promises(name, kind, policy, facts, cases, ARRAY_SIZE(cases))

#endif
