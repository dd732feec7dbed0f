/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl apparmor compile, show: from a profile's text to the cache, by apparmor_parser. */
#include "base/str.h"
#include "ctl/apparmor.h"
#include "ctl/tool.h"
#include "io/fileio.h"
#include "io/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/apparmor.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* A profile takes it a tenth of a second, on a slow machine seconds. */
enum { PARSER_MS = 120000 };
static const char *const parsers[] = { "/usr/sbin/apparmor_parser", "/sbin/apparmor_parser" };

/* A line that begins with "?" has a word that not every parser knows. */
static bool is_for_newer(const char *line, size_t len) {
  const size_t indent = strspn(line, " ");
  return indent < len && line[indent] == '?';
}

static void add_line(struct str *text, const char *line, size_t len, const char *name) {
  static const char place[] = "@NAME@";
  for (const char *at; (at = memmem(line, len, place, strlen(place)));) {
    str_add_mem(text, line, (size_t)(at - line));
    str_add(text, name);
    len -= (size_t)(at - line) + strlen(place);
    line = at + strlen(place);
  }
  str_add_mem(text, line, len);
}

void ctl_apparmor_text(const struct builtin *profile, bool newer, struct str *ret) {
  CLEANUP_FREE char *name = apparmor_own_name(profile);
  for (const char *line = profile->text; *line;) {
    size_t len = strcspn(line, "\n");
    len += line[len] == '\n';
    if (!is_for_newer(line, len)) {
      add_line(ret, line, len, name);
    } else if (newer) {
      const size_t mark = strspn(line, " ") + 1;
      str_add_mem(ret, line, mark - 1);
      add_line(ret, line + mark + strspn(line + mark, " "), len - mark - strspn(line + mark, " "), name);
    }
    line += len;
  }
  str_add(ret, "}\n");
}

const char *ctl_apparmor_parser(void) {
  for (size_t i = 0; i < ARRAY_SIZE(parsers); i++)
    if (access(parsers[i], X_OK) == 0)
      return parsers[i];
  return NULL;
}

/* --- running the parser --- */

/* A file without a name; the parser reads it from its beginning. */
static int text_fd(const struct str *text, int *ret, struct error *err) {
  CLEANUP_FD int fd = memfd_create("profile", MFD_CLOEXEC);
  if (fd < 0 || write_all(fd, text->data, text->len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the profile's text");
  *ret = steal_fd(&fd);
  return 0;
}

/* -M: without the kernel's features the parser leaves out what it cannot know, and says nothing. The same is
 * true of the features that a distribution's configuration file pins. */
static int run_parser(const char *parser, const struct str *text, const char *features, const char *out,
                      struct error *err) {
  const char *const argv[] = { parser, "--config-file=/dev/null", "-q", "-Q", "-K", "-M", features, "-o", out,
                               NULL };
  CLEANUP_FD int in = -1;
  CLEANUP_FREE char *said = NULL;
  if (text_fd(text, &in, err) < 0)
    return -1;
  const struct tool tool = { .argv = argv, .in = in, .errors_too = true, .limit_ms = PARSER_MS };
  return tool_run(&tool, &said, err) < 0 ? error_wrap(err, "%s", parser) : 0;
}

/* With the words that a newer parser knows, else without. */
static int compile(const char *parser, const struct builtin *profile, const char *features, const char *out,
                   struct error *err) {
  CLEANUP_STR struct str newer = { 0 };
  CLEANUP_STR struct str older = { 0 };
  struct error unknown = { 0 };
  ctl_apparmor_text(profile, true, &newer);
  ctl_apparmor_text(profile, false, &older);
  if (run_parser(parser, &newer, features, out, &unknown) == 0)
    return 0;
  return run_parser(parser, &older, features, out, err);
}

/* --- the cache --- */

static void features_drop(aa_features **features) {
  aa_features_unref(*features);
}

/* That this kernel's build has these features. */
static int remember(const char *cache, const char *id, struct error *err) {
  CLEANUP_FREE char *name = apparmor_kernel_link();
  CLEANUP_FREE char *link = xasprintf("%s/%s", cache, name);
  CLEANUP_FREE char *fresh = xasprintf("%s.%d", link, (int)getpid());
  if (symlink(id, fresh) == 0 && rename(fresh, link) == 0)
    return 0;
  error_set(err, ERROR_SYSTEM, errno, "%s", link);
  unlink(fresh);
  return -1;
}

/* CACHE/FEATURES, made where it is not there, and the features in it as the parser wants them. */
static int make_directory(const char *cache, const char *features_file, bool running, char **ret_dir,
                          struct error *err) {
  CLEANUP(features_drop) aa_features *features = NULL;
  if (aa_features_new(&features, AT_FDCWD, features_file) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "the features of AppArmor in %s", features_file);
  CLEANUP_FREE char *id = aa_features_id(features);
  if (!id)
    return error_set(err, ERROR_SYSTEM, errno, "the features of AppArmor");
  CLEANUP_FREE char *dir = xasprintf("%s/%s", cache, id);
  CLEANUP_FREE char *path = xasprintf("%s/" APPARMOR_FEATURES, dir);
  if (path_make_dirs(dir, 0700, err) < 0)
    return -1;
  if (aa_features_write_to_file(features, AT_FDCWD, path) < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  if (running && remember(cache, id, err) < 0)
    return -1;
  *ret_dir = steal_ptr(&dir);
  return 0;
}

static int compile_into(const struct apparmor_place *place, const char *dir, const char *parser,
                        const struct builtin *profile, struct error *err) {
  CLEANUP_FREE char *name = apparmor_own_name(profile);
  CLEANUP_FREE char *features = xasprintf("%s/features", dir);
  CLEANUP_FREE char *path = xasprintf("%s/%s", dir, name);
  CLEANUP_FREE char *fresh = xasprintf("%s/.%s.%d", dir, name, (int)getpid());
  struct stat st;
  if (compile(parser, profile, features, fresh, err) < 0) {
    unlink(fresh);
    return error_wrap(err, "%s", name);
  }
  if (stat(fresh, &st) < 0 || st.st_size == 0 || rename(fresh, path) < 0) {
    error_set(err, ERROR_SYSTEM, errno, "%s: nothing was compiled", path);
    unlink(fresh);
    return -1;
  }
  printf("%s\n", path + strlen(place->root));
  return 0;
}

int ctl_apparmor_make(const struct apparmor_place *place, const char *features, struct error *err) {
  CLEANUP_FREE char *own = xasprintf("%s" APPARMOR_FS "/features", place->root);
  const char *parser = ctl_apparmor_parser();
  CLEANUP_FREE char *dir = NULL;
  if (!parser)
    return error_set(err, ERROR_SYSTEM, 0, "there is no %s; install the package apparmor", parsers[0]);
  umask(077);
  if (make_directory(place->cache, features ? features : own, !features, &dir, err) < 0)
    return -1;
  for (const struct builtin *b = builtin_apparmor_profiles; b->name; b++)
    if (compile_into(place, dir, parser, b, err) < 0)
      return -1;
  return 0;
}
