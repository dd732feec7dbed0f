/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an engine learns why there is no container: the runtimes' own channel. containerd, dockerd and the
 * kubelet read the last value of level "error" in --log; podman reads the whole file as one JSON object;
 * CRI-O shows stderr. So: one write of one line to the log, the same text on stderr, nothing anywhere when
 * all is well.
 */
#ifndef HARDEN_REPORT_H
#define HARDEN_REPORT_H

#include "base/error.h"
#include "policy/config.h"
#include "runtime/command.h"

#include <time.h>

/* "oci-harden: MESSAGE (RULE)"; the caller frees. */
char *report_text(const struct error *err) MUST_CHECK;
/* The line for --log, with its newline, in runc's form for the format; the caller frees. */
char *report_line(const char *text, bool json, time_t now) MUST_CHECK;
/* The file behind --log, as the runtime finds it from here; NULL when there is none to write to (stderr,
 * crun's journald: and syslog:). The caller frees. */
char *report_log_path(const struct command *c, enum runtime_kind kind) MUST_CHECK;

/* Reports, and gives the exit code: 1, and 255 for exec, as the runtimes do. A log that cannot be written to
 * is left, as stderr has the text. */
int report_failure(const struct command *c, enum runtime_kind kind, const struct error *err) MUST_CHECK;

#endif
