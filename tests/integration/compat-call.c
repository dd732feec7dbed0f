/* SPDX-License-Identifier: Apache-2.0 */
/* compat-call: makes getpid(2) through the i386 entry of an x86-64 kernel and prints what comes back. */
#include <stdio.h>

int main(void) {
#ifdef __x86_64__
  long result = 20; /* __NR_getpid of i386 */
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  printf("i386 getpid returned %ld\n", result);
#else
  printf("no compat ABI to try\n");
#endif
  return 0;
}
