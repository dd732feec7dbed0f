/* SPDX-License-Identifier: Apache-2.0 */
/* Forced into every file of a coverage build: gcov writes at exit, and _exit is none. */
#ifndef HARDEN_TESTS_COVERAGE_H
#define HARDEN_TESTS_COVERAGE_H

#include <unistd.h>

void __gcov_dump(void);

static inline _Noreturn void coverage_exit(int status) {
  __gcov_dump();
  _exit(status);
}
#define _exit coverage_exit

#endif
