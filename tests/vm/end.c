/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends the machine it runs in: end CODE writes CODE to the port of qemu's isa-debug-exit, and qemu exits with
 * 2 * CODE + 1. Nothing else in the machine writes there: a panic, and a machine switched off, end qemu with
 * 0.
 */
#include <err.h>
#include <stdlib.h>
#include <sys/io.h>
#include <unistd.h>

enum { PORT = 0x501 };

int main(int argc, char **argv) {
  if (argc != 2)
    errx(2, "usage: end CODE");
  if (ioperm(PORT, 1, 1) == -1)
    err(1, "ioperm");
  sync();
  outb((unsigned char)atoi(argv[1]), PORT);
  errx(1, "still here: this machine has no exit port");
}
