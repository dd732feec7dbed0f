/* SPDX-License-Identifier: Apache-2.0 */
/* The other system call tables of an x86-64 kernel: a filter for one says nothing of the others. */
#include "primitives.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __x86_64__
#include <sys/syscall.h>

static long int80(long nr, long b, long c, long d, long s) {
  long result = nr;
  __asm__ volatile("int $0x80"
                   : "+a"(result)
                   : "b"(b), "c"(c), "d"(d), "S"(s)
                   : "memory", "r8", "r9", "r10", "r11");
  if (result < 0 && result > -4096) {
    errno = (int)-result;
    return -1;
  }
  return result;
}

/* The i386 table takes pointers of 32 bits. */
static uint32_t *low_page(void) {
  void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  return p == MAP_FAILED ? NULL : p;
}

static struct result i386(const struct primitive *self) {
  return judge_past(int80(self->a, self->b, self->c, 0, 0), EINVAL, EFAULT);
}

/* An i386 program's sockets go through one call whose arguments no filter sees. */
static struct result i386_socketcall(const struct primitive *self) {
  uint32_t *arguments = low_page();
  if (!has_protocol(self->path))
    return absent("not loaded");
  if (!arguments)
    return judge(-1);
  arguments[0] = (uint32_t)self->a;
  arguments[1] = (uint32_t)self->b;
  arguments[2] = 0;
  return judge(int80(102, 1 /* socket */, (long)(uintptr_t)arguments, 0, 0));
}

static struct result x32(const struct primitive *self) {
  return judge_past(syscall(self->a | 0x40000000, self->b, self->c, 0, 0, 0), EINVAL, EFAULT);
}

/* Its first and only call is exit(42), by int 0x80. */
static struct result i386_program(const struct primitive *self) {
  (void)self;
  int status = spawn(-1, "/attack/i386", NULL, NULL);
  return status < 0 && errno == ENOEXEC ? absent("no i386 programs") : judge_run(status);
}

#else
static struct result i386(const struct primitive *self) {
  (void)self;
  return absent("x86 only");
}
#define i386_socketcall i386
#define x32 i386
#define i386_program i386
#endif

const struct primitive abi_primitives[] = {
  { .name = "i386-getpid", .attempt = i386, .a = 20 },
  { .name = "i386-unshare", .attempt = i386, .a = 310, .b = 0x10000000 },
  { .name = "i386-keyctl", .attempt = i386, .a = 288, .b = 0, .c = -3 },
  { .name = "i386-bpf", .attempt = i386, .a = 357 },
  { .name = "i386-mount", .attempt = i386, .a = 21 },
  { .name = "i386-socketcall-vsock", .attempt = i386_socketcall, .a = 40, .b = 1, .path = "AF_VSOCK" },
  { .name = "i386-socketcall-packet", .attempt = i386_socketcall, .a = 17, .b = 3, .path = "PACKET" },
  { .name = "i386-program", .attempt = i386_program },
  { .name = "x32-getpid", .attempt = x32, .a = 39 },
  { .name = "x32-unshare", .attempt = x32, .a = 272, .b = 0x10000000 },
  { .name = NULL },
};
