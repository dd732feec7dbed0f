/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct error: why something failed, as a value.
 *
 * The caller owns it, usually on the stack, zero-initialised. A function that fails sets it once
 * (error_set) and returns -1; callers on the way up may put words before it (error_wrap) and never
 * replace it. Nothing here prints: only a program's main() turns an error into text and exit code.
 */
#ifndef HARDEN_ERROR_H
#define HARDEN_ERROR_H

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

enum error_code {
  ERROR_NONE = 0,
  ERROR_USAGE,    /* the command line is wrong, or is read differently by runc and crun */
  ERROR_INPUT,    /* a document is malformed: JSON, types, sizes */
  ERROR_REFUSED,  /* well-formed, and against the policy or what any runtime should accept */
  ERROR_POLICY,   /* the policy or the configuration itself is malformed or not to be trusted */
  ERROR_SYSTEM,   /* a system call failed; `sys` holds errno */
  ERROR_INTERNAL, /* the output does not hold what was promised: a defect of ours, fail closed */
};

struct error {
  enum error_code code;
  int sys;            /* errno at the time, 0 if none */
  char rule[24];      /* the stable rule id ("OH-CAP-001"), empty if none */
  char message[2048]; /* one line, names file, place, value, remedy; longer text is cut with "..." */
};

/* Sets *err and returns -1, so that callers can `return error_set(...)`. `sys` is an errno or 0;
 * when not 0, ": strerror" is appended. Control characters in the result become '?', so that a
 * hostile file name cannot forge a log line. */
int error_set(struct error *err, enum error_code code, int sys, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The same with the id of the rule that decided. */
int error_set_rule(struct error *err, enum error_code code, const char *rule, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Puts "fmt: " before the message; returns -1. */
int error_wrap(struct error *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* That all three return -1 must be seen where they are called: else the static analysers follow, and report,
 * paths on which what failed is taken for a success. */
static inline int error_minus_one(int result) {
  (void)result;
  return -1;
}
#define error_set(...) error_minus_one(error_set(__VA_ARGS__))
#define error_set_rule(...) error_minus_one(error_set_rule(__VA_ARGS__))
#define error_wrap(...) error_minus_one(error_wrap(__VA_ARGS__))

/* "usage", "input", ... for events. Never NULL. */
const char *error_code_name(enum error_code code);

#endif
