/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call of a command fails in turn, with every error that it may well have; or comes back short,
 * or is the last that the command makes:
 *
 *   walk error|stuck|unwritable|short|kill|memory --bundle DIR --state DIR --log FILE --events FILE
 *     [--prepare SHELL] [--check SHELL] [--or FILE] [--step N] [--from N] [--errors N] -- COMMAND... --
 * DELETE...
 *
 * The command ends as the runtime of tests/fault/runtime.c, or refuses. Started, it must have been handed
 * exactly what it is handed undisturbed, and its event counts as many promises held; what is refused
 * undisturbed is never started. Refused, it says so in one line on stderr and one in the log, and bundle and
 * state are as before. Killed, the bundle is the one or the other, the next try works, and after a delete
 * there is no state. Where nothing can be written any more ("unwritable"), it is started all the same: for
 * commands that need to write nothing.
 *
 * --check looks around after each try: with $1 "started" or "refused", it prints what is wrong. Where the
 * command is about a container that exists, --prepare makes what is to be there before, and the check ends
 * with 3 where what is refused is as it was: then the next try must be as good as the first.
 *
 * --or has what the runtime may be handed instead, where a command falls back: what "tell" in the place of
 * the mode prints of another command.
 */
#include "base/str.h"
#include "fault/alloc.h"
#include "fault/trace.h"
#include "fault/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { STARTED = 42, UNTOUCHED = 3, COMMAND_LINE = 8 /* allocations */, TEXT_MAX = 1 << 16 };

struct walk {
  const char *prepare, *check; /* NULL: none; with a prepare, bundle and state are its own */
  const char *mode, *bundle_dir, *state_dir, *log, *events;
  const char *or_file; /* NULL: it never falls back */
  char *instead;       /* its text */
  char **command, **cleanup;
  size_t step, from, errors; /* every so many calls, from this one on; at most so many errors of each */
  struct tree bundle, state; /* before */
  struct tree hardened;      /* the bundle afterwards */
  struct alloc_page *memory; /* memory: what the command's allocator reads */
  struct trace undisturbed;
  bool refuses; /* undisturbed */
  char *proof;  /* the counts of its event; NULL: there are none */
  size_t tried, refused, untouched, told, started, fallen, unrecorded, failed;
};

enum { SHOWN = 300, COMPLAINTS = 10 };

static void complain(struct walk *w, const struct trace *t, const char *what, const char *detail) {
  const size_t i = t->nth - 1;
  const bool memory = strcmp(w->mode, "memory") == 0;
  printf("walk: %s: %zu (%s), %s: %s: %.*s\n  status %#x, stderr: %s\n", w->mode, t->nth,
         memory         ? "allocation"
         : i < t->calls ? trace_call_name(t->numbers[i])
                        : "not reached",
         t->error ? strerror(t->error) : "-", what, SHOWN, detail, t->status, t->err);
  if (++w->failed >= COMPLAINTS)
    exit(1);
}

/* From a little before the first byte that differs. */
static const char *difference_in(const char *text, const char *other) {
  size_t i = 0;
  while (text[i] && text[i] == other[i])
    i++;
  return text + (i > SHOWN / 3 ? i - SHOWN / 3 : 0);
}

static void empty(const char *path) {
  if (truncate(path, 0) < 0 && errno != ENOENT) {
    perror(path);
    exit(2);
  }
}

static void reset(const struct walk *w) {
  if (w->prepare && system(w->prepare) != 0) {
    printf("walk: %s failed\n", w->prepare);
    exit(2);
  }
  if (!w->prepare) {
    tree_restore(&w->bundle);
    tree_restore(&w->state);
  }
  empty(w->log);
  empty(w->events);
}

static bool exited(const struct trace *t, int code) {
  return WIFEXITED(t->status) && WEXITSTATUS(t->status) == code;
}

/* NULL, or what is in the directory and was not there, or the other way round. The caller frees. */
static char *changed(const struct walk *w, const struct tree *expected) {
  struct tree now;
  if (w->prepare)
    return NULL;
  tree_read(&now, expected->dir, expected->deep);
  char *difference = xstrdup(tree_difference(expected, &now));
  tree_free(&now);
  return difference;
}

static void read_file(const char *path, char text[TEXT_MAX]) {
  CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t n = fd < 0 ? 0 : read(fd, text, TEXT_MAX - 1);
  text[n > 0 ? n : 0] = '\0';
}

/* Of the event: how many promises were held, broken and unread. NULL: there is none. The caller frees. */
static char *proof_of(const struct walk *w, bool *ret_event) {
  static char text[TEXT_MAX];
  read_file(w->events, text);
  *ret_event = *text;
  const char *counts = strstr(text, "\"proof\":{");
  return counts ? xasprintf("%.*s", (int)strcspn(counts, "}"), counts) : NULL;
}

/* An event that could not be written says nothing; those whose calls did not fail are nearly all. */
static void judge_proof(struct walk *w, const struct trace *t) {
  bool recorded;
  CLEANUP_FREE char *proof = proof_of(w, &recorded);
  if (!recorded)
    w->unrecorded++;
  else if (!w->proof != !proof || (proof && strcmp(proof, w->proof) != 0))
    complain(w, t, "started, and something else was proved", proof ? proof : "nothing");
}

/* True: as before. */
static bool judge_outside(struct walk *w, const struct trace *t, const char *outcome) {
  static char said[TEXT_MAX];
  if (!w->check)
    return false;
  CLEANUP_FREE char *command = xasprintf("set -- %s; %s", outcome, w->check);
  FILE *f = popen(command, "re"); /* NOLINT(cert-env33-c): the test's own words */
  const size_t n = f ? fread(said, 1, sizeof said - 1, f) : 0;
  said[n] = '\0';
  const int status = f ? pclose(f) : -1;
  const bool untouched = status >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == UNTOUCHED;
  const bool told = strstr(t->err, ": it was killed") != NULL; /* and what could not be taken back */
  w->told += told && n > 0;
  if (!told && (n > 0 || (status != 0 && !untouched)))
    complain(w, t, outcome, said);
  return untouched && !told;
}

static void judge_started(struct walk *w, const struct trace *t) {
  const bool as_ever = strcmp(t->out, w->undisturbed.out) == 0;
  const bool fallen = !as_ever && w->instead && strcmp(t->out, w->instead) == 0;
  CLEANUP_FREE char *difference = as_ever ? changed(w, &w->hardened) : NULL;
  w->fallen += fallen;
  if (w->refuses)
    complain(w, t, "started what is refused", t->out);
  if (difference)
    complain(w, t, "started, and the bundle is another", difference);
  if (!as_ever && !fallen)
    complain(w, t, "started with something else", difference_in(t->out, w->undisturbed.out));
  if (t->err_len > 0)
    complain(w, t, "started with a word on stderr", t->err);
  judge_proof(w, t);
  if (judge_outside(w, t, "started"))
    complain(w, t, "started, and as it was", "");
}

static bool is_line(const char *text, size_t len, const char *prefix) {
  return len > 0 && str_starts(text, prefix) && strchr(text, '\n') == text + len - 1;
}

static void judge_message(struct walk *w, const struct trace *t) {
  static char log[TEXT_MAX];
  read_file(w->log, log);
  const size_t n = strlen(log);
  const bool said = is_line(t->err, t->err_len, "oci-harden: ");
  if (!said && !(w->refuses && n > 0 && t->err_len == 0))
    complain(w, t, "not one line on stderr", t->err);
  if (w->refuses && said && n == 0)
    return; /* it was the report's own call that failed */
  if (strcmp(w->mode, "memory") == 0 && said && n == 0 && t->nth < COMMAND_LINE)
    return; /* where the log is was not known yet */
  if (!is_line(log, n, "{\"level\":\"error\",\"msg\":\"oci-harden: "))
    complain(w, t, "not one line in the log", log);
}

static void judge_again(struct walk *w, const struct trace *t) {
  static struct trace again;
  again = (struct trace){ .kind = TRACE_NOTHING };
  empty(w->events);
  trace_run(&again, w->command);
  if (w->refuses ? !exited(&again, 1) : !exited(&again, STARTED))
    complain(w, t, "the next try ends otherwise", again.err);
  else if (!w->refuses)
    judge_started(w, &again);
  trace_free(&again);
}

static void judge_refused(struct walk *w, const struct trace *t) {
  CLEANUP_FREE char *bundle = changed(w, &w->bundle);
  CLEANUP_FREE char *state = changed(w, &w->state);
  if (!exited(t, 1) && !exited(t, 255))
    complain(w, t, "neither started nor refused", t->out);
  if (bundle)
    complain(w, t, "refused, and the bundle is another", bundle);
  if (state)
    complain(w, t, "refused, and the state is another", state);
  judge_message(w, t);
  if (judge_outside(w, t, "refused")) {
    w->untouched++;
    judge_again(w, t);
  }
}

/* The engine's bundle, or ours with the engine's text beside it; other files may lie around. */
static bool is_whole(const struct walk *w, const struct tree *now) {
  const struct tree_file *config = tree_find(now, "config.json"),
                         *kept = tree_find(now, "config.engine.json");
  const struct tree_file *before = tree_find(&w->bundle, "config.json"),
                         *after = tree_find(&w->hardened, "config.json");
  if (!config)
    return false;
  if (config->len == before->len && memcmp(config->data, before->data, before->len) == 0)
    return true;
  return config->len == after->len && memcmp(config->data, after->data, after->len) == 0 && kept &&
         kept->len == before->len && memcmp(kept->data, before->data, before->len) == 0;
}

static void judge_whole(struct walk *w, const struct trace *t) {
  struct tree now;
  tree_read(&now, w->bundle_dir, false);
  if (!is_whole(w, &now))
    complain(w, t, "the bundle is neither the one nor the other", "config.json");
  tree_free(&now);
}

/* Where nothing can be written or opened any more, what was done cannot be undone, nor said. */
static void judge_stuck(struct walk *w, const struct trace *t) {
  judge_whole(w, t);
  if (strcmp(w->mode, "unwritable") == 0)
    complain(w, t, "refused, and it need not write", t->out);
  if (!exited(t, 1) && !exited(t, 255))
    complain(w, t, "neither started nor refused", t->out);
}

static void judge_next(struct walk *w, const struct trace *t) {
  static struct trace again;
  again = (struct trace){ .kind = TRACE_NOTHING };
  empty(w->log);
  trace_run(&again, w->command);
  if (w->refuses)
    judge_refused(w, &again);
  else if (!exited(&again, STARTED))
    complain(w, t, "the next try fails", again.err);
  else
    judge_started(w, &again);
  trace_free(&again);
}

static void judge_killed(struct walk *w, const struct trace *t) {
  static struct trace again;
  judge_whole(w, t);
  if (!w->refuses || !w->check) /* of a container that was about to be deleted nothing may be there to try */
    judge_next(w, t);
  again = (struct trace){ .kind = TRACE_NOTHING };
  trace_run(&again, w->cleanup);
  struct tree state;
  tree_read(&state, w->state_dir, true);
  for (size_t i = 0; i < state.len; i++)
    if (*state.files[i].name != '.')
      complain(w, t, "deleted, and there is state", state.files[i].name);
  tree_free(&state);
  if (judge_outside(w, t, "refused"))
    complain(w, t, "deleted, and it is there", w->check);
  trace_free(&again);
}

static void try(struct walk *w, enum trace_kind kind, size_t nth, int error) {
  static struct trace t;
  t = (struct trace){ .kind = kind, .nth = nth, .error = error };
  reset(w);
  trace_run(&t, w->command);
  w->tried++;
  const bool started = t.became && exited(&t, STARTED);
  w->started += started;
  w->refused += exited(&t, 1) || exited(&t, 255);
  if (kind == TRACE_KILL && WIFSIGNALED(t.status))
    judge_killed(w, &t);
  else if (started)
    judge_started(w, &t);
  else if (kind == TRACE_STUCK)
    judge_stuck(w, &t);
  else
    judge_refused(w, &t);
  trace_free(&t);
}

static void try_all(struct walk *w, size_t index, const int *errors) {
  const struct trace *u = &w->undisturbed;
  for (const int *e = errors; *e; e++)
    if (trace_fits(u->numbers[index], u->args[index], *e))
      try(w, TRACE_STUCK, index + 1, *e);
}

static void try_call(struct walk *w, size_t index) {
  static const int stuck[] = { ENOSPC, EROFS, EIO, EMFILE, ENOMEM, 0 };
  static const int unwritable[] = { ENOSPC, EROFS, 0 };
  const struct trace *u = &w->undisturbed;
  const long number = u->numbers[index];
  const char *name = trace_call_name(number);
  if (strcmp(w->mode, "kill") == 0) {
    try(w, TRACE_KILL, index + 1, 0);
  } else if (strcmp(w->mode, "short") == 0) {
    if (strcmp(name, "read") == 0 || strcmp(name, "write") == 0 || strcmp(name, "pread64") == 0 ||
        strcmp(name, "getrandom") == 0)
      try(w, TRACE_SHORT, index + 1, 0);
  } else if (strcmp(w->mode, "stuck") == 0) {
    try_all(w, index, stuck);
  } else if (strcmp(w->mode, "unwritable") == 0) {
    try_all(w, index, unwritable);
  } else {
    size_t n = 0;
    for (const int *e = trace_errors(number); *e && n < w->errors; e++)
      if (trace_fits(number, u->args[index], *e) && n++ < w->errors)
        try(w, TRACE_ERROR, index + 1, *e);
  }
}

static void try_allocation(struct walk *w, size_t nth) {
  *w->memory = (struct alloc_page){ .fails = nth };
  try(w, TRACE_NOTHING, nth, ENOMEM);
  w->memory->fails = 0;
}

static void share_memory(struct walk *w) {
  int fd = memfd_create("memory", 0);
  if (fd < 0 || dup2(fd, ALLOC_FD) < 0 || close(fd) < 0 || ftruncate(ALLOC_FD, sizeof *w->memory) < 0) {
    perror("memfd");
    exit(2);
  }
  w->memory = mmap(NULL, sizeof *w->memory, PROT_READ | PROT_WRITE, MAP_SHARED, ALLOC_FD, 0);
  if (w->memory == MAP_FAILED) {
    perror("mmap");
    exit(2);
  }
}

static void look_undisturbed(struct walk *w) {
  if (w->prepare)
    reset(w);
  tree_read(&w->bundle, w->bundle_dir, false);
  tree_read(&w->state, w->state_dir, true);
  trace_run(&w->undisturbed, w->command); /* fills caches */
  trace_free(&w->undisturbed);
  w->undisturbed = (struct trace){ .kind = TRACE_NOTHING };
  reset(w);
  w->memory->count = 0;
  trace_run(&w->undisturbed, w->command);
  bool recorded;
  w->proof = proof_of(w, &recorded);
  tree_read(&w->hardened, w->bundle_dir, false);
  w->refuses = !w->undisturbed.became && exited(&w->undisturbed, 1);
  if (!(w->refuses || (w->undisturbed.became && exited(&w->undisturbed, STARTED))) ||
      w->undisturbed.calls > sizeof w->undisturbed.numbers / sizeof(long)) {
    printf("walk: undisturbed: %zu calls, status %#x: %s\n", w->undisturbed.calls, w->undisturbed.status,
           w->undisturbed.err);
    exit(1);
  }
  if (judge_outside(w, &w->undisturbed, w->refuses ? "refused" : "started") && !w->refuses)
    complain(w, &w->undisturbed, "started, and as it was", "");
}

static bool take_option(struct walk *w, const char *name, const char *value) {
  const struct {
    const char *name;
    const char **member;
  } options[] = { { "--bundle", &w->bundle_dir }, { "--state", &w->state_dir }, { "--log", &w->log },
                  { "--events", &w->events },     { "--prepare", &w->prepare }, { "--check", &w->check },
                  { "--or", &w->or_file } };
  for (size_t i = 0; i < ARRAY_SIZE(options); i++)
    if (strcmp(options[i].name, name) == 0) {
      *options[i].member = value;
      return true;
    }
  size_t *number = strcmp(name, "--step") == 0     ? &w->step
                   : strcmp(name, "--from") == 0   ? &w->from
                   : strcmp(name, "--errors") == 0 ? &w->errors
                                                   : NULL;
  if (number)
    *number = strtoul(value, NULL, 10);
  return number;
}

static void print_part(size_t n, const char *what) {
  if (n > 0)
    printf(" (%zu %s)", n, what);
}

int main(int argc, char **argv) {
  static struct walk w = { .step = 1, .errors = SIZE_MAX };
  int i = 2;
  w.mode = argc > 1 ? argv[1] : "";
  while (i + 1 < argc && take_option(&w, argv[i], argv[i + 1]))
    i += 2;
  if (i < argc && strcmp(argv[i], "--") == 0)
    w.command = &argv[i + 1];
  for (i++; w.command && i < argc; i++)
    if (strcmp(argv[i], "--") == 0) {
      argv[i] = NULL;
      w.cleanup = &argv[i + 1];
      break;
    }
  if (!w.bundle_dir || !w.state_dir || !w.log || !w.events || !w.cleanup) {
    fputs("walk: see the top of tests/fault/walk.c\n", stderr);
    return 2;
  }
  share_memory(&w);
  if (w.or_file) {
    w.instead = xcalloc(1, TEXT_MAX);
    read_file(w.or_file, w.instead);
  }
  look_undisturbed(&w);
  if (strcmp(w.mode, "tell") == 0) {
    fputs(w.undisturbed.out, stdout);
    reset(&w);
    return w.refuses;
  }
  const bool memory = strcmp(w.mode, "memory") == 0;
  const size_t steps = memory ? w.memory->count : w.undisturbed.calls;
  for (size_t n = w.from; n < steps; n += w.step)
    if (memory)
      try_allocation(&w, n + 1);
    else
      try_call(&w, n);
  reset(&w);
  printf("%s: %zu %s, %zu tried: %zu refused", w.mode, steps, memory ? "allocations" : "calls", w.tried,
         w.refused);
  print_part(w.untouched, "left waiting");
  print_part(w.told, "said what is left");
  printf(", %zu started as promised", w.started);
  print_part(w.fallen, "by the way back");
  print_part(w.unrecorded, "without a record");
  printf(", %zu wrong%s\n", w.failed, w.refuses ? "; refused undisturbed" : "");
  return w.failed > 0 || w.tried == 0;
}
