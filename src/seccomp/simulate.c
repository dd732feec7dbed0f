/* SPDX-License-Identifier: Apache-2.0 */
#include "seccomp/simulate.h"

#include <stddef.h>
#include <string.h>

/* The instructions that seccomp(2) admits: all of classic BPF but packet loads, MOD, and loads of less than a
 * word. */
static bool opcode_admitted(uint16_t code) {
  static const uint16_t admitted[] = {
    BPF_LD | BPF_W | BPF_ABS,
    BPF_LD | BPF_W | BPF_LEN,
    BPF_LDX | BPF_W | BPF_LEN,
    BPF_LD | BPF_IMM,
    BPF_LDX | BPF_IMM,
    BPF_LD | BPF_MEM,
    BPF_LDX | BPF_MEM,
    BPF_ST,
    BPF_STX,
    BPF_MISC | BPF_TAX,
    BPF_MISC | BPF_TXA,
    BPF_RET | BPF_K,
    BPF_RET | BPF_A,
    /* NOLINTNEXTLINE(misc-redundant-expression): two names of 0 */
    BPF_ALU | BPF_ADD | BPF_K,
    BPF_ALU | BPF_ADD | BPF_X,
    BPF_ALU | BPF_SUB | BPF_K,
    BPF_ALU | BPF_SUB | BPF_X,
    BPF_ALU | BPF_MUL | BPF_K,
    BPF_ALU | BPF_MUL | BPF_X,
    BPF_ALU | BPF_DIV | BPF_K,
    BPF_ALU | BPF_DIV | BPF_X,
    BPF_ALU | BPF_AND | BPF_K,
    BPF_ALU | BPF_AND | BPF_X,
    BPF_ALU | BPF_OR | BPF_K,
    BPF_ALU | BPF_OR | BPF_X,
    BPF_ALU | BPF_XOR | BPF_K,
    BPF_ALU | BPF_XOR | BPF_X,
    BPF_ALU | BPF_LSH | BPF_K,
    BPF_ALU | BPF_LSH | BPF_X,
    BPF_ALU | BPF_RSH | BPF_K,
    BPF_ALU | BPF_RSH | BPF_X,
    BPF_ALU | BPF_NEG,
    BPF_JMP | BPF_JA,
    BPF_JMP | BPF_JEQ | BPF_K,
    BPF_JMP | BPF_JEQ | BPF_X,
    BPF_JMP | BPF_JGT | BPF_K,
    BPF_JMP | BPF_JGT | BPF_X,
    BPF_JMP | BPF_JGE | BPF_K,
    BPF_JMP | BPF_JGE | BPF_X,
    BPF_JMP | BPF_JSET | BPF_K,
    BPF_JMP | BPF_JSET | BPF_X,
  };
  for (size_t i = 0; i < sizeof admitted / sizeof *admitted; i++)
    if (code == admitted[i])
      return true;
  return false;
}

/* NULL, or what is wrong with one instruction at `left` instructions before the end. */
static const char *instruction_fault(const struct sock_filter *i, size_t left) {
  if (!opcode_admitted(i->code))
    return "instruction not admitted";
  switch (BPF_CLASS(i->code)) {
  case BPF_LD:
  case BPF_LDX:
    if (BPF_MODE(i->code) == BPF_ABS && (i->k % 4 || i->k >= sizeof(struct seccomp_data)))
      return "load outside of struct seccomp_data";
    if (BPF_MODE(i->code) == BPF_MEM && i->k >= BPF_MEMWORDS)
      return "no such memory word";
    return NULL;
  case BPF_ST:
  case BPF_STX:
    return i->k >= BPF_MEMWORDS ? "no such memory word" : NULL;
  case BPF_ALU:
    if (i->code == (BPF_ALU | BPF_DIV | BPF_K) && i->k == 0)
      return "division by zero";
    if ((i->code == (BPF_ALU | BPF_LSH | BPF_K) || i->code == (BPF_ALU | BPF_RSH | BPF_K)) && i->k >= 32)
      return "shift by 32 or more";
    return NULL;
  case BPF_JMP:
    if (BPF_OP(i->code) == BPF_JA)
      return i->k >= left ? "jump behind the end" : NULL;
    return i->jt >= left || i->jf >= left ? "jump behind the end" : NULL;
  default: /* BPF_RET, BPF_MISC: the opcode is all there is */
    return NULL;
  }
}

/* A memory word must have been written on every way to its load; the kernel does not zero them. */
static bool memory_written_before_read(const struct sock_filter *program, size_t len, size_t *ret_at) {
  uint16_t at_entry[BPF_PROGRAM_MAX];
  memset(at_entry, 0xff, sizeof at_entry);
  uint16_t written = 0;
  for (size_t pc = 0; pc < len; pc++) {
    const struct sock_filter *i = &program[pc];
    written &= at_entry[pc];
    *ret_at = pc;
    switch (BPF_CLASS(i->code)) {
    case BPF_ST:
    case BPF_STX:
      written |= (uint16_t)(1u << i->k);
      break;
    case BPF_LD:
    case BPF_LDX:
      if (BPF_MODE(i->code) == BPF_MEM && !(written & (1u << i->k)))
        return false;
      break;
    case BPF_JMP:
      if (BPF_OP(i->code) == BPF_JA) {
        at_entry[pc + 1 + i->k] &= written;
      } else {
        at_entry[pc + 1 + i->jt] &= written;
        at_entry[pc + 1 + i->jf] &= written;
      }
      written = 0xffff;
      break;
    default: /* a return too: the kernel's check looks no further, so what is behind one inherits */
      break;
    }
  }
  return true;
}

int bpf_validate(const struct sock_filter *program, size_t len, struct error *err) {
  if (len == 0 || len > BPF_PROGRAM_MAX)
    return error_set(err, ERROR_INPUT, 0, "seccomp program of %zu instructions; the kernel takes 1 to %d",
                     len, BPF_PROGRAM_MAX);
  for (size_t pc = 0; pc < len; pc++) {
    const char *fault = instruction_fault(&program[pc], len - pc - 1);
    if (fault)
      return error_set(err, ERROR_INPUT, 0, "seccomp program, instruction %zu: %s", pc, fault);
  }
  if (BPF_CLASS(program[len - 1].code) != BPF_RET)
    return error_set(err, ERROR_INPUT, 0, "seccomp program, instruction %zu: does not end in a return",
                     len - 1);
  size_t at = 0;
  if (!memory_written_before_read(program, len, &at))
    return error_set(err, ERROR_INPUT, 0, "seccomp program, instruction %zu: reads memory never written", at);
  return 0;
}

/* False: division by zero, after which the program returns 0. */
static bool alu(uint16_t code, uint32_t *a, uint32_t operand) {
  switch (BPF_OP(code)) {
  case BPF_ADD:
    *a += operand;
    return true;
  case BPF_SUB:
    *a -= operand;
    return true;
  case BPF_MUL:
    *a *= operand;
    return true;
  case BPF_DIV:
    if (operand == 0)
      return false;
    *a /= operand;
    return true;
  case BPF_AND:
    *a &= operand;
    return true;
  case BPF_OR:
    *a |= operand;
    return true;
  case BPF_XOR:
    *a ^= operand;
    return true;
  case BPF_LSH:
    *a <<= operand & 31;
    return true;
  case BPF_RSH:
    *a >>= operand & 31;
    return true;
  case BPF_NEG:
    *a = -*a;
    return true;
  default:
    return false;
  }
}

static bool compare(uint16_t code, uint32_t a, uint32_t operand) {
  switch (BPF_OP(code)) {
  case BPF_JEQ:
    return a == operand;
  case BPF_JGT:
    return a > operand;
  case BPF_JGE:
    return a >= operand;
  default: /* BPF_JSET */
    return (a & operand) != 0;
  }
}

enum step { STEP_ON, STEP_RETURNED };

/* One instruction; with STEP_RETURNED the verdict is in *ret. */
static enum step step(const struct sock_filter *i, struct bpf_entry *e, const struct seccomp_data *data,
                      uint32_t *ret) {
  uint32_t operand = BPF_SRC(i->code) == BPF_X ? e->x : i->k;
  uint32_t loaded = i->k;
  switch (BPF_CLASS(i->code)) {
  case BPF_LD:
  case BPF_LDX:
    if (BPF_MODE(i->code) == BPF_ABS)
      memcpy(&loaded, (const char *)data + i->k, sizeof loaded);
    else if (BPF_MODE(i->code) == BPF_LEN)
      loaded = sizeof *data;
    else if (BPF_MODE(i->code) == BPF_MEM)
      loaded = e->mem[i->k];
    *(BPF_CLASS(i->code) == BPF_LD ? &e->a : &e->x) = loaded;
    break;
  case BPF_ST:
    e->mem[i->k] = e->a;
    break;
  case BPF_STX:
    e->mem[i->k] = e->x;
    break;
  case BPF_ALU:
    *ret = SECCOMP_RET_KILL_THREAD;
    if (!alu(i->code, &e->a, operand))
      return STEP_RETURNED;
    break;
  case BPF_JMP:
    if (BPF_OP(i->code) == BPF_JA)
      e->pc += i->k;
    else
      e->pc += compare(i->code, e->a, operand) ? i->jt : i->jf;
    break;
  case BPF_RET:
    *ret = BPF_RVAL(i->code) == BPF_A ? e->a : i->k;
    return STEP_RETURNED;
  default: /* BPF_MISC */
    if (BPF_MISCOP(i->code) == BPF_TAX)
      e->x = e->a;
    else
      e->a = e->x;
    break;
  }
  e->pc++;
  return STEP_ON;
}

/* Follows comparisons of A with constants, of which filters consist, to the next instruction of another kind.
 */
static size_t follow(const struct sock_filter *program, size_t len, size_t pc, uint32_t a) {
  while (pc < len) {
    const struct sock_filter *i = &program[pc];
    if (i->code == (BPF_JMP | BPF_JEQ | BPF_K))
      pc += a == i->k ? i->jt : i->jf;
    else if (i->code == (BPF_JMP | BPF_JGT | BPF_K))
      pc += a > i->k ? i->jt : i->jf;
    else if (i->code == (BPF_JMP | BPF_JGE | BPF_K))
      pc += a >= i->k ? i->jt : i->jf;
    else
      return pc;
    pc++;
  }
  return pc;
}

uint32_t bpf_resume(const struct sock_filter *program, size_t len, const struct bpf_entry *entry,
                    const struct seccomp_data *data) {
  struct bpf_entry e = *entry;
  uint32_t verdict = SECCOMP_RET_KILL_PROCESS; /* kept by a program that was not validated */
  do
    e.pc = follow(program, len, e.pc, e.a);
  while (e.pc < len && step(&program[e.pc], &e, data, &verdict) == STEP_ON);
  return e.pc < len ? verdict : SECCOMP_RET_KILL_PROCESS;
}

void bpf_enter(const struct sock_filter *program, size_t len, uint32_t arch, uint32_t nr,
               struct bpf_entry *ret) {
  const struct seccomp_data data = { .nr = (int)nr, .arch = arch };
  uint32_t verdict = 0;
  *ret = (struct bpf_entry){ 0 };
  while ((ret->pc = follow(program, len, ret->pc, ret->a)) < len) {
    const struct sock_filter *i = &program[ret->pc];
    bool known = i->k == offsetof(struct seccomp_data, nr) || i->k == offsetof(struct seccomp_data, arch);
    if (i->code == (BPF_LD | BPF_W | BPF_ABS) && !known)
      break;
    if (step(i, ret, &data, &verdict) == STEP_RETURNED)
      break; /* which bpf_resume will find again */
  }
}

uint32_t bpf_run(const struct sock_filter *program, size_t len, const struct seccomp_data *data) {
  const struct bpf_entry start = { 0 };
  return bpf_resume(program, len, &start, data);
}

unsigned bpf_strictness(uint32_t verdict) {
  switch (verdict & SECCOMP_RET_ACTION_FULL) {
  case SECCOMP_RET_ALLOW:
    return 0;
  case SECCOMP_RET_LOG:
    return 1;
  case SECCOMP_RET_TRACE:
    return 2;
  case SECCOMP_RET_USER_NOTIF:
    return 3;
  case SECCOMP_RET_ERRNO:
    return 4;
  case SECCOMP_RET_TRAP:
    return 5;
  case SECCOMP_RET_KILL_THREAD:
    return 6;
  default:
    return 7;
  }
}
