/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a later verb must know of a container: STATE_DIR/ROOT/ID/state.json, ROOT being the runtime's root
 * escaped to one name. Directories are 0700, files 0600 and replaced as a whole; a lock on the container's
 * directory orders writers. Only the directory's owner can have written it, which is checked on the fd before
 * it is believed.
 */
#ifndef HARDEN_STATE_H
#define HARDEN_STATE_H

#include "base/error.h"
#include "policy/policy.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
  STATE_POLICIES_MAX = 2,
  STATE_DIGEST_SIZE = 65, /* hexadecimal SHA-256 and its NUL */
  STATE_HANDED_FDS_MAX = 8192,
};

struct state {
  char *id;
  char *root;
  char *bundle;
  char *config;                               /* path of the file that the runtime was given */
  char *pid_file;                             /* NULL: none */
  char *created;                              /* RFC 3339 */
  char *runtime;                              /* path */
  struct policy policies[STATE_POLICIES_MAX]; /* as applied, in this order */
  size_t policies_len;
  char before[STATE_DIGEST_SIZE], after[STATE_DIGEST_SIZE]; /* of config.json */
  json_t *annotations;                                      /* the engine's; NULL: none */
  unsigned handed_fds; /* how many open files, from 3 on, the engine gives to the container */
  bool sandbox;
  bool user_namespace;
  char *no_user_namespace; /* why it has none of ours, where a policy wanted one; NULL: none did, or it has */
  struct { /* which directory the container's root was, of the host's or the ID-mapped; inode 0: unknown */
    dev_t device;
    ino_t inode;
  } rootfs;
  struct {
    uint32_t base; /* the host's id of the container's root, where the user namespace is ours; 0: it is not */
    char *place;   /* the directory of its views */
    struct strlist entered;  /* what the wrapper enters, before each exec again: see struct proof_map */
    struct strlist unmapped; /* destinations of sources whose owners are nobody inside */
  } map;
  pid_t creator;          /* the wrapper, then the runtime that it became */
  uint64_t creator_start; /* see process_start() */
};
void state_free(struct state *s);
#define CLEANUP_STATE CLEANUP(state_free)

/* A root's one name: '/' is '-', bytes other than letters, digits and '.' are _XX; injective. Long ones are a
 * digest. The caller frees. */
char *state_root_name(const char *root) MUST_CHECK;

/* The container's directory, made (with those above) when `make` is set, locked exclusively: *ret_fd, or -1
 * when absent. The lock ends with the fd: at exec, or when we die. */
int state_lock(const char *state_dir, const char *root, const char *id, bool make, int *ret_fd,
               struct error *err) MUST_CHECK;
/* The same without the lock, for reading and for private files. */
int state_open(const char *state_dir, const char *root, const char *id, bool make, int *ret_fd,
               struct error *err) MUST_CHECK;

int state_save(int fd, const struct state *state, struct error *err) MUST_CHECK;
/* *ret_found is false, and *ret empty, when there is no state.json. One that cannot be read or understood is
 * ERROR_INPUT: what is not known is not run. */
int state_load(int fd, struct state *ret, bool *ret_found, struct error *err) MUST_CHECK;

/* A private copy KIND-PID-START.json for the runtime that this process becomes; those of processes that are
 * gone are removed. *ret_path is absolute, and set before there is a file; the caller frees. */
int state_private_file(const char *state_dir, const char *root, const char *id, const char *kind,
                       const void *data, size_t len, char **ret_path, struct error *err) MUST_CHECK;

/* Takes back the container's directories where nothing is in them after all. */
void state_tidy(const char *state_dir, const char *root, const char *id);
/* Everything of the container, and the root's directory when it was the last. Absent is fine. */
int state_remove(const char *state_dir, const char *root, const char *id, struct error *err) MUST_CHECK;

/* The directory in `fd` is ours, and only we can write it. `path` is for the message. */
int state_check(int fd, const char *path, struct error *err) MUST_CHECK;
/* The name is KIND-PID-START.json, and the process is gone. */
bool state_is_orphan(const char *name);

#endif
