/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl version: what our programs say of themselves. The wrapper cannot say it: its --version is the
 * runtime's. */
#include "ctl/version.h"

#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/doctor.h"
#include "ctl/terminal.h"
#include "harden/version.h"
#include "io/jsonx.h"
#include "io/path.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

const char *const version_companions[] = { "oci-harden", "oci-harden-hook", NULL };

enum {
  SEGMENTS_MAX = 64,
  NOTES_MAX = 16 << 10, /* bytes of one segment of notes; ours have some hundreds */
};

static bool read_at(int fd, void *to, size_t len, off_t at) {
  return pread(fd, to, len, at) == (ssize_t)len;
}

static size_t padded(size_t size) {
  return (size + 3) / 4 * 4;
}

/* Our note's text among those of one segment; NULL: it is not there. */
static const char *find_note(const char *notes, size_t len, size_t *ret_len) {
  for (size_t at = 0; len - at >= sizeof(Elf64_Nhdr);) {
    Elf64_Nhdr head;
    memcpy(&head, notes + at, sizeof head);
    at += sizeof head;
    const size_t left = len - at;
    if (head.n_namesz > left || head.n_descsz > left || padded(head.n_namesz) + padded(head.n_descsz) > left)
      return NULL;
    const char *text = notes + at + padded(head.n_namesz);
    if (head.n_type == VERSION_NOTE_TYPE && head.n_namesz == sizeof VERSION_NOTE_OWNER &&
        memcmp(notes + at, VERSION_NOTE_OWNER, sizeof VERSION_NOTE_OWNER) == 0) {
      *ret_len = strnlen(text, head.n_descsz);
      return text;
    }
    at += padded(head.n_namesz) + padded(head.n_descsz);
  }
  return NULL;
}

/* The note's text, NUL-terminated; the caller frees. NULL: the file has none. */
static char *read_note(int fd) {
  Elf64_Ehdr elf;
  if (!read_at(fd, &elf, sizeof elf, 0) || memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 ||
      elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_phentsize != sizeof(Elf64_Phdr) ||
      elf.e_phnum > SEGMENTS_MAX || elf.e_phoff > INT_MAX)
    return NULL;
  for (size_t i = 0; i < elf.e_phnum; i++) {
    Elf64_Phdr segment;
    if (!read_at(fd, &segment, sizeof segment, (off_t)(elf.e_phoff + i * sizeof segment)))
      return NULL;
    if (segment.p_type != PT_NOTE || segment.p_filesz > NOTES_MAX || segment.p_offset > INT_MAX)
      continue;
    CLEANUP_FREE char *notes = xcalloc(segment.p_filesz + 1, 1);
    size_t len;
    const char *text = read_at(fd, notes, segment.p_filesz, (off_t)segment.p_offset)
                           ? find_note(notes, segment.p_filesz, &len)
                           : NULL;
    if (text)
      return xasprintf("%.*s", (int)len, text);
  }
  return NULL;
}

static const char *text_of(const json_t *note, const char *key) {
  return json_string_value(json_object_get(note, key));
}

/* A distribution may put such a note into any program: only ours has all of this. */
static bool is_ours(const json_t *note) {
  const char *name = json_string_value(json_object_get(note, "name"));
  const json_t *libraries = json_object_get(note, "libraries");
  if (!name || strcmp(name, "oci-harden") != 0 || !json_is_string(json_object_get(note, "version")) ||
      !json_is_string(json_object_get(note, "commit")) || !json_is_object(libraries))
    return false;
  const char *key;
  const json_t *value;
  json_object_foreach((json_t *)libraries, key, value)
    if (!json_is_string(value))
      return false;
  return true;
}

int version_read(const char *path, json_t **ret, struct error *err) {
  CLEANUP_FD int fd = path_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0, RESOLVE_TRUSTED);
  struct stat st;
  if (fd < 0 || fstat(fd, &st) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  CLEANUP_FREE char *text = S_ISREG(st.st_mode) ? read_note(fd) : NULL;
  struct error why = { 0 };
  json_auto_t *note = NULL;
  const struct jsonx_source src = { path, text, text ? strlen(text) : 0 };
  if (!text || jsonx_parse(&src, NOTES_MAX, &note, &why) < 0 || !is_ours(note))
    return error_set(err, ERROR_INPUT, 0,
                     "%s: it bears no version of oci-harden: it is another program, or older than 0.1.0",
                     path);
  *ret = steal_ptr(&note);
  return 0;
}

int version_own_path(char **ret_path, char **ret_dir, struct error *err) {
  char path[PATH_MAX];
  const ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
  if (len < 0)
    return error_set(err, ERROR_SYSTEM, errno, "/proc/self/exe");
  path[len] = '\0';
  *ret_path = xstrdup(path);
  *ret_dir = xasprintf("%.*s", (int)(strrchr(path, '/') - path), path);
  return 0;
}

static bool same_build(const json_t *a, const json_t *b) {
  return strcmp(text_of(a, "version"), text_of(b, "version")) == 0 &&
         strcmp(text_of(a, "commit"), text_of(b, "commit")) == 0;
}

/* --- doctor --- */

/* Of an upgrade that stopped half-way, the wrapper and the hook disagree about what is written between them.
 */
void doctor_version(struct doctor *d) {
  CLEANUP_FREE char *path = NULL, *dir = NULL;
  struct error err = { 0 };
  json_auto_t *own = NULL;
  if (version_own_path(&path, &dir, &err) < 0 || version_read("/proc/self/exe", &own, &err) < 0) {
    doctor_say(d, HEALTH_WARN, "version", NULL, "%s", err.message);
    return;
  }
  doctor_say(d, HEALTH_OK, "version", NULL, "oci-harden %s, commit %s", text_of(own, "version"),
             text_of(own, "commit"));
  for (const char *const *name = version_companions; *name; name++) {
    CLEANUP_FREE char *companion = xasprintf("%s/%s", dir, *name);
    json_auto_t *note = NULL;
    if (access(companion, F_OK) < 0)
      continue; /* the hook's and the runtimes' own lines tell what is missing */
    if (version_read(companion, &note, &err) < 0)
      doctor_say(d, HEALTH_WARN, "version", "install the three programs together", "%s", err.message);
    else if (!same_build(note, own))
      doctor_say(d, HEALTH_WARN, "version", "install the three programs together",
                 "%s is %s, commit %s: another build than this hardenctl", companion,
                 text_of(note, "version"), text_of(note, "commit"));
  }
}

/* --- the command --- */

struct arguments {
  bool json;
  struct strlist files;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  switch (key) {
  case 'j':
    a->json = true;
    return 0;
  case ARGP_KEY_ARG:
    strlist_add(&a->files, arg);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static void print(const char *path, json_t *note, bool json) {
  if (json) {
    jsonx_set_new(note, "file", jsonx_string_new(path));
    CLEANUP_STR struct str out = { 0 };
    jsonx_dump(note, &out);
    printf("%s\n", out.data);
    return;
  }
  CLEANUP_STR struct str libraries = { 0 };
  const char *name;
  json_t *version;
  json_object_foreach(json_object_get(note, "libraries"), name, version)
    str_addf(&libraries, "%s%s %s", libraries.len ? ", " : "", name, json_string_value(version));
  terminal_print(false, COLOUR_NONE, "%s %s\n", path, text_of(note, "version"));
  terminal_print(false, COLOUR_NONE, "commit: %s\n", text_of(note, "commit"));
  terminal_print(false, COLOUR_NONE, "libraries: %s\n", libraries.len ? libraries.data : "none");
}

/* Without FILEs: this program and those beside it. */
static int default_files(struct strlist *files, struct error *err) {
  CLEANUP_FREE char *path = NULL, *dir = NULL;
  if (version_own_path(&path, &dir, err) < 0)
    return -1;
  strlist_add(files, path);
  for (const char *const *name = version_companions; *name; name++) {
    CLEANUP_FREE char *companion = xasprintf("%s/%s", dir, *name);
    if (access(companion, F_OK) == 0)
      strlist_add(files, companion);
  }
  return 0;
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { 0 };
  ctl_parse(self, argc, argv, parse, &a);
  CLEANUP_STRLIST struct strlist files = a.files;
  if (files.len == 0 && default_files(&files, err) < 0)
    return -1;
  json_auto_t *first = NULL;
  bool differ = false;
  for (size_t i = 0; i < files.len; i++) {
    json_auto_t *note = NULL;
    if (version_read(files.items[i], &note, err) < 0)
      return -1;
    print(files.items[i], note, a.json);
    if (!first)
      first = steal_ptr(&note);
    else if (!same_build(note, first))
      differ = true;
  }
  if (differ && fflush(stdout) == 0) /* what is wrong comes after what was seen, main reports the rest */
    fprintf(stderr, "hardenctl: they are not of one build; install the three programs together\n");
  return differ ? CTL_FINDINGS : CTL_OK;
}

const struct ctl_command ctl_version = {
  .name = "version",
  .args = "[FILE...]",
  .summary = "version, commit and libraries of the installed programs",
  .details =
      "Prints what each program was built from, the static libraries in it with their security updates "
      "included. FILEs are oci-harden, oci-harden-hook or hardenctl, or links to them; without any, this "
      "program and those in its directory. The wrapper cannot be asked itself: oci-harden --version is the "
      "runtime's, byte for byte, since engines parse it. So it is read from a note in the file, which "
      "readelf --notes shows too; nothing is executed. Exit status 1: they are not of one build.",
  .options =
      (const struct argp_option[]){
          { "json", 'j', NULL, 0, "one JSON object a line", 0 },
          { 0 },
      },
  .run = run,
};
