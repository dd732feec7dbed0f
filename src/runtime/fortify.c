/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What glibc has and musl has not, for the static libraries of Debian. They were built against glibc with
 * _FORTIFY_SOURCE, which renames calls whose buffer's size the compiler knew and hands that size on.
 * Everything else they call has one name and one binary interface in both C libraries; `make lint` holds them
 * to the list of those names. Linked into the programs that use musl only.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

int __fprintf_chk(FILE *out, int flag, const char *fmt, ...);
int __snprintf_chk(char *text, size_t size, int flag, size_t room, const char *fmt, ...);
int __vsnprintf_chk(char *text, size_t size, int flag, size_t room, const char *fmt, va_list args);
int __sprintf_chk(char *text, int flag, size_t room, const char *fmt, ...);
int __asprintf_chk(char **text, int flag, const char *fmt, ...);
void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);
char *__strcpy_chk(char *to, const char *from, size_t room);
char *__strncpy_chk(char *to, const char *from, size_t size, size_t room);
ssize_t __read_chk(int fd, void *to, size_t size, size_t room);
int __vfprintf_chk(FILE *out, int flag, const char *fmt, va_list args);
int __vasprintf_chk(char **text, int flag, const char *fmt, va_list args);
void __vsyslog_chk(int priority, int flag, const char *fmt, va_list args);
int __open_2(const char *path, int flags);
int __openat_2(int dir, const char *path, int flags);
int __isoc23_sscanf(const char *text, const char *fmt, ...);
long __isoc23_strtol(const char *text, char **ret_end, int base);
long long __isoc23_strtoll(const char *text, char **ret_end, int base);
unsigned long __isoc23_strtoul(const char *text, char **ret_end, int base);
unsigned long long __isoc23_strtoull(const char *text, char **ret_end, int base);

static void check(size_t size, size_t room) {
  if (size > room)
    __builtin_trap();
}

/* FLAG asks for a check of the format's memory, which musl does not have. */
int __fprintf_chk(FILE *out, int flag, const char *fmt, ...) {
  (void)flag;
  va_list args;
  va_start(args, fmt);
  int n = vfprintf(out, fmt, args);
  va_end(args);
  return n;
}

int __vsnprintf_chk(char *text, size_t size, int flag, size_t room, const char *fmt, va_list args) {
  (void)flag;
  check(size, room);
  return vsnprintf(text, size, fmt, args);
}

int __snprintf_chk(char *text, size_t size, int flag, size_t room, const char *fmt, ...) {
  (void)flag;
  check(size, room);
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(text, size, fmt, args);
  va_end(args);
  return n;
}

int __sprintf_chk(char *text, int flag, size_t room, const char *fmt, ...) {
  (void)flag;
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(text, room, fmt, args);
  va_end(args);
  check(n < 0 ? 0 : (size_t)n + 1, room);
  return n;
}

int __asprintf_chk(char **text, int flag, const char *fmt, ...) {
  (void)flag;
  va_list args;
  va_start(args, fmt);
  int n = vasprintf(text, fmt, args);
  va_end(args);
  return n;
}

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room) {
  check(size, room);
  return memcpy(to, from, size);
}

char *__strcpy_chk(char *to, const char *from, size_t room) {
  size_t size = strlen(from) + 1;
  check(size, room);
  return memcpy(to, from, size);
}

char *__strncpy_chk(char *to, const char *from, size_t size, size_t room) {
  check(size, room);
  return strncpy(to, from, size);
}

ssize_t __read_chk(int fd, void *to, size_t size, size_t room) {
  check(size, room);
  return read(fd, to, size);
}

int __vfprintf_chk(FILE *out, int flag, const char *fmt, va_list args) {
  (void)flag;
  return vfprintf(out, fmt, args);
}

int __vasprintf_chk(char **text, int flag, const char *fmt, va_list args) {
  (void)flag;
  return vasprintf(text, fmt, args);
}

void __vsyslog_chk(int priority, int flag, const char *fmt, va_list args) {
  (void)flag;
  vsyslog(priority, fmt, args);
}

/* Without a mode, which the caller's flags then must not ask for. */
int __open_2(const char *path, int flags) {
  check((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE, 0);
  return open(path, flags);
}

int __openat_2(int dir, const char *path, int flags) {
  check((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE, 0);
  return openat(dir, path, flags);
}

/* glibc 2.38 gave these their names in C23, where a number may also be written "0b1". musl reads no such
 * number, and none of the callers means one. */
int __isoc23_sscanf(const char *text, const char *fmt, ...) {
  va_list args;
  va_start(args, fmt);
  int n = vsscanf(text, fmt, args);
  va_end(args);
  return n;
}

long __isoc23_strtol(const char *text, char **ret_end, int base) {
  return strtol(text, ret_end, base);
}

long long __isoc23_strtoll(const char *text, char **ret_end, int base) {
  return strtoll(text, ret_end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **ret_end, int base) {
  return strtoul(text, ret_end, base);
}

unsigned long long __isoc23_strtoull(const char *text, char **ret_end, int base) {
  return strtoull(text, ret_end, base);
}

/* Not for want of one: nettle would let NETTLE_FAT_OVERRIDE say which instructions the processor has, and the
 * wrapper takes no orders from the environment; nor has libapparmor a LIBAPPARMOR_DEBUG to write to the log
 * for. */
char *secure_getenv(const char *name) {
  (void)name;
  return NULL;
}
