/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp.h"

#include <criterion/criterion.h>
#include <string.h>

/* The C library is the second opinion: every day of four centuries, at an odd second of it. */
Test(stamp, agrees_with_gmtime) {
  for (time_t t = 12345; t < (time_t)400 * 366 * 86400; t += 86400 + 61) {
    char got[STAMP_SIZE], wanted[STAMP_SIZE];
    struct tm tm;
    stamp_seconds(got, t);
    strftime(wanted, sizeof wanted, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    cr_assert_str_eq(got, wanted);
  }
}

Test(stamp, milliseconds_are_cut_not_rounded) {
  char got[STAMP_SIZE];
  stamp_millis(got, &(struct timespec){ .tv_sec = 1709164799, .tv_nsec = 999999999 });
  cr_expect_str_eq(got, "2024-02-28T23:59:59.999Z");
  stamp_millis(got, &(struct timespec){ .tv_sec = 951782400, .tv_nsec = 1000000 });
  cr_expect_str_eq(got, "2000-02-29T00:00:00.001Z");
  stamp_seconds(got, 0);
  cr_expect_str_eq(got, "1970-01-01T00:00:00Z");
}
