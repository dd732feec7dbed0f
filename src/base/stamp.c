/* SPDX-License-Identifier: Apache-2.0 */
#include "base/stamp.h"

#include <stdio.h>

enum { DAY = 86400, ERA_DAYS = 146097 /* 400 years */ };

/* Days since 1970-01-01 to a date. Years are counted from March, so that the leap day is the last of one. */
static int add_date(char ret[STAMP_SIZE], long days) {
  days += 719468; /* from 0000-03-01 */
  const long era = days / ERA_DAYS, day_of_era = days % ERA_DAYS;
  const long year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const long day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const long march_month = (5 * day_of_year + 2) / 153;
  const long day = day_of_year - (153 * march_month + 2) / 5 + 1;
  const long month = march_month < 10 ? march_month + 3 : march_month - 9;
  const long year = era * 400 + year_of_era + (month <= 2);
  return snprintf(ret, STAMP_SIZE, "%04u-%02u-%02uT", (unsigned)year % 10000, (unsigned)month % 100,
                  (unsigned)day % 100);
}

static int add_seconds(char ret[STAMP_SIZE], time_t t) {
  const unsigned second = (unsigned)(t % DAY);
  const int n = add_date(ret, (long)(t / DAY));
  return n + snprintf(ret + n, (size_t)(STAMP_SIZE - n), "%02u:%02u:%02u", second / 3600, second / 60 % 60,
                      second % 60);
}

void stamp_seconds(char ret[STAMP_SIZE], time_t t) {
  const int n = add_seconds(ret, t);
  snprintf(ret + n, (size_t)(STAMP_SIZE - n), "Z");
}

void stamp_millis(char ret[STAMP_SIZE], const struct timespec *t) {
  const int n = add_seconds(ret, t->tv_sec);
  snprintf(ret + n, (size_t)(STAMP_SIZE - n), ".%03uZ", (unsigned)(t->tv_nsec / 1000000) % 1000);
}
