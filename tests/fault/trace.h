/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program under ptrace until it becomes another one, and makes its N-th system call fail, come back
 * short, or be its last. strace could, but its counts are of one call and one process, and a run of it takes
 * ten times as long.
 */
#ifndef HARDEN_TESTS_FAULT_TRACE_H
#define HARDEN_TESTS_FAULT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_kind {
  TRACE_NOTHING,
  TRACE_ERROR, /* the N-th call fails */
  TRACE_STUCK, /* from the N-th on all fail that could for this reason */
  TRACE_SHORT, /* the N-th call, a read or write, is asked for half */
  TRACE_KILL,  /* SIGKILL when the N-th call is made */
};

struct trace {
  /* Asked for. */
  enum trace_kind kind;
  size_t nth; /* from 1, over all processes */
  int error;
  /* Told. */
  size_t calls;           /* made until the exec, or the end */
  long numbers[1 << 14];  /* of the first of these */
  uint64_t args[1 << 14]; /* first argument of each, and for opens whether it could write */
  bool became;            /* another program */
  int status;             /* as of waitpid */
  char *out, *err;        /* what it, or what it became, wrote; the caller frees */
  size_t out_len, err_len;
};

/* Standard input is /dev/null, everything else is inherited. Ends the program when tracing itself fails. */
void trace_run(struct trace *t, char *const *argv);
void trace_free(struct trace *t);

/* The errors that a call may well fail with; 0 behind the last. None for those that cannot fail. */
const int *trace_errors(long number);
/* May the call fail with the error? */
bool trace_fits(long number, bool writes, int error);
const char *trace_call_name(long number);

#endif
