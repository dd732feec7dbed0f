/* SPDX-License-Identifier: Apache-2.0 */
/* The primitives of the attack battery: each is one thing that a hostile program in a container tries, for
 * real.
 *
 * A primitive runs in a child of its own that dies afterwards, so it may change itself as it likes. It must
 * do no harm where it succeeds, even as root with every capability: it opens for writing and writes nothing,
 * asks for what the kernel refuses only after the check of privilege, and undoes what outlives it.
 *
 * What it needs of the root file system is below /attack; tests/attack/battery makes that.
 */
#ifndef ATTACK_PRIMITIVES_H
#define ATTACK_PRIMITIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum verdict {
  REACHED, /* the attack works */
  DENIED,  /* refused; error says how */
  ABSENT,  /* this kernel or machine does not have what is attacked */
  ODD,     /* an answer that is none of these: the primitive is wrong, or the kernel is new */
};

struct result {
  enum verdict verdict;
  int error;       /* errno, or 0 */
  char detail[96]; /* "" or what the verdict rests on */
};

struct primitive {
  const char *name;
  struct result (*attempt)(const struct primitive *self);
  const char *path; /* what the attempt makes of these is its own business */
  long a, b, c;
};

/* Tables that end in a row without a name. */
extern const struct primitive privilege_primitives[];
extern const struct primitive namespace_primitives[];
extern const struct primitive mount_primitives[];
extern const struct primitive kernel_primitives[];
extern const struct primitive memory_primitives[];
extern const struct primitive process_primitives[];
extern const struct primitive network_primitives[];
extern const struct primitive file_primitives[];
extern const struct primitive device_primitives[];
extern const struct primitive execute_primitives[];
extern const struct primitive limit_primitives[];
extern const struct primitive abi_primitives[];

/* The user that owns what the container's own user may not touch. */
enum { OTHER_ID = 4242 };

struct result reached(const char *detail);
struct result denied(int error, const char *detail);
struct result absent(const char *detail);
struct result odd(const char *detail);

/* judge: of a system call that answered RC, with errno. judge_past: the same, where the errors A and B (0:
 * none) are what the kernel says after its check of privilege. */
struct result judge(long rc);
struct result judge_past(long rc, int a, int b);

/* spawn: runs a program with up to two arguments to its end. Its exit status, 128 + the signal that ended it,
 * or -1 with errno when it could not be executed. FD >= 0 and an empty path: by execveat. */
int spawn(int fd, const char *path, const char *first, const char *second);

/* judge_run: of what spawn() said of a program that ends with 42 when it got what it was after. */
struct result judge_run(int status);

/* make_in: a new file, open for reading and writing, that its owner may execute; its path, which the caller
 * unlinks. -1 with errno. */
enum { PATH_ROOM = 64 };
int make_in(const char *dir, char ret_path[PATH_ROOM]);

/* A child that does nothing until it is killed by reap(): for what is done to other processes. -1 with errno.
 */
pid_t idle_child(void);
void reap(pid_t child);

/* Whether the kernel has a protocol of /proc/net/protocols, a netlink protocol, or a type of file system:
 * asking it for one that it lacks would load a module into the host. */
bool has_protocol(const char *name);
bool has_netlink(int protocol);
bool has_filesystem(const char *type);

/* writable_dir: a directory that this container may write to, or NULL. */
const char *writable_dir(void);

/* What this program found open when it started, beyond the standard three. */
extern int leaked_fd;

/* Numbers that older kernel headers lack; the same on every architecture. */
enum {
  NR_io_uring_setup = 425,
  NR_io_uring_enter = 426,
  NR_io_uring_register = 427,
  NR_open_tree = 428,
  NR_move_mount = 429,
  NR_fsopen = 430,
  NR_fsconfig = 431,
  NR_fsmount = 432,
  NR_fspick = 433,
  NR_pidfd_open = 434,
  NR_clone3 = 435,
  NR_pidfd_getfd = 438,
  NR_process_madvise = 440,
  NR_mount_setattr = 442,
  NR_quotactl_fd = 443,
  NR_memfd_secret = 447,
  NR_process_mrelease = 448,
  NR_set_mempolicy_home_node = 450,
  NR_cachestat = 451,
  NR_map_shadow_stack = 453,
  NR_statmount = 457,
  NR_listmount = 458,
  NR_lsm_list_modules = 461,
  NR_setxattrat = 463,
  NR_open_tree_attr = 467,
  NR_file_setattr = 469,
};

#endif
