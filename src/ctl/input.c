/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/input.h"

#include "base/str.h"
#include "io/fileio.h"
#include "runtime/usermap.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- documents --- */

static int read_bundle(struct document *d, int dirfd, const char *path, size_t limit, struct error *err) {
  d->bundle_fd = dirfd;
  d->name = xasprintf("%s/config.json", path);
  if (file_read(dirfd, "config.json", RESOLVE_LEAF, limit, &d->text, &d->len, NULL, err) < 0)
    return error_wrap(err, "bundle %s", path);
  return 0;
}

static int read_document(struct document *d, const char *path, size_t limit, struct error *err) {
  if (strcmp(path, "-") == 0) {
    d->name = xstrdup("<stdin>");
    return file_read_fd(STDIN_FILENO, d->name, limit, &d->text, &d->len, err);
  }
  CLEANUP_FD int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir >= 0)
    return read_bundle(d, steal_fd(&dir), path, limit, err);
  /* Not file_read: a person may well name a pipe, as in check <(...). */
  CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return error_set(err, ERROR_SYSTEM, errno, "%s", path);
  d->name = xstrdup(path);
  return file_read_fd(fd, path, limit, &d->text, &d->len, err);
}

int document_read(struct document *ret, const char *path, size_t limit, struct error *err) {
  *ret = (struct document){ .bundle_fd = -1, .kind = SPEC_CONFIG };
  return read_document(ret, path, limit, err);
}

int document_recognise(struct document *d, size_t limit, struct error *err) {
  const struct jsonx_source src = { d->name, d->text, d->len };
  json_auto_t *root = NULL;
  if (spec_read_json(&src, limit, &root, err) < 0)
    return -1;
  if (!json_object_get(root, "ociVersion") && json_object_get(root, "args"))
    d->kind = SPEC_PROCESS;
  return 0;
}

int document_open(struct document *ret, const char *path, size_t limit, struct error *err) {
  return document_read(ret, path, limit, err) < 0 ? -1 : document_recognise(ret, limit, err);
}

void document_free(struct document *d) {
  free(d->name);
  free(d->text);
  if (d->bundle_fd >= 0)
    close(d->bundle_fd);
  *d = (struct document){ .bundle_fd = -1 };
}

/* --- judging --- */

error_t judge_parse(int key, char *arg, struct argp_state *state, struct judge *judge) {
  switch (key) {
  case 'p':
    if (judge->policies_len == HARDEN_POLICIES_MAX)
      argp_error(state, "--policy may be given at most %d times", HARDEN_POLICIES_MAX);
    judge->policies[judge->policies_len++] = arg;
    return 0;
  case 'b':
    judge->bundle = arg;
    return 0;
  case 'f':
    judge->facts = arg;
    return 0;
  case 'r':
    if (strcmp(arg, "runc") != 0 && strcmp(arg, "crun") != 0)
      argp_error(state, "--runtime is runc or crun, not '%s'", arg);
    judge->runtime = arg;
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

/* As the wrapper selects, for a caller that gave no --policy. */
static int select_policies(const struct config *config, const struct harden *h, struct strlist *ret,
                           struct error *err) {
  const struct selection selection = {
    .annotations = h->spec.kind == SPEC_CONFIG ? spec_at(&h->spec, "/annotations") : NULL,
    .name = "oci-harden",
  };
  CLEANUP_FREE char *policy = NULL;
  CLEANUP_FREE char *extra = NULL;
  if (config_select(config, &selection, &policy, &extra, err) < 0)
    return -1;
  strlist_add(ret, policy);
  if (extra)
    strlist_add(ret, extra);
  return 0;
}

static int load_policies(const struct judge *judge, const struct config *config, struct judged *j,
                         struct error *err) {
  CLEANUP_STRLIST struct strlist names = { 0 };
  for (size_t i = 0; i < judge->policies_len; i++)
    strlist_add(&names, judge->policies[i]);
  if (names.len == 0 && select_policies(config, &j->harden, &names, err) < 0)
    return -1;
  for (size_t i = 0; i < names.len; i++) {
    if (ctl_load_policy(config, names.items[i], &j->policies[i], err) < 0)
      return -1;
    policy_copy(&j->asked[i], &j->policies[i]);
    if (judge->audit) {
      j->policies[i].mode = POLICY_AUDIT;
      j->policies[i].packed = NULL;
    }
    j->policies_len++;
  }
  return 0;
}

static int load_facts(const char *path, struct judged *j, struct error *err) {
  CLEANUP_FREE char *text = NULL;
  size_t len;
  if (file_read(AT_FDCWD, path, RESOLVE_TRUSTED, JSONX_LIMIT_DEFAULT, &text, &len, NULL, err) < 0)
    return -1;
  const struct jsonx_source src = { path, text, len };
  j->facts_given = true;
  return facts_decode(&j->facts, &src, err);
}

static enum runtime_kind runtime_of(const struct judge *judge, const struct config *config) {
  if (judge->runtime)
    return strcmp(judge->runtime, "crun") == 0 ? RUNTIME_CRUN : RUNTIME_RUNC;
  return config->runtimes_len ? (enum runtime_kind)config->runtimes[0].kind : RUNTIME_RUNC;
}

/* Nobody has looked at a host, and yet of some namespaces it is known whose they will be. */
static void know_namespaces(const struct strlist *hosts, enum runtime_kind runtime, struct judged *j) {
  facts_unknown(&j->facts, &j->harden.spec, runtime);
  strlist_copy(&j->facts.host_namespace_paths, hosts);
  j->facts_given = true;
}

int judge_run(const struct judge *judge, const struct config *config, const struct document *document,
              struct judged *ret, struct error *err) {
  const struct jsonx_source src = { document->name, document->text, document->len };
  if (harden_parse(&ret->harden, document->kind, &src, (size_t)config->config_limit, err) < 0 ||
      load_policies(judge, config, ret, err) < 0)
    return -1;
  if (judge->facts && load_facts(judge->facts, ret, err) < 0)
    return -1;
  if (document->host_namespaces && !judge->facts)
    know_namespaces(document->host_namespaces, runtime_of(judge, config), ret);
  CLEANUP_FD int named = -1;
  if (judge->bundle) {
    named = open(judge->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (named < 0)
      return error_set(err, ERROR_SYSTEM, errno, "--bundle %s", judge->bundle);
  }
  CLEANUP(usermap_free) struct usermap map = USERMAP_NONE;
  struct harden_offer offer;
  struct harden_options options = {
    .policies_len = ret->policies_len,
    .runtime = runtime_of(judge, config),
    .bundle_fd = named >= 0 ? named : document->bundle_fd,
    .apparmor_cache = APPARMOR_CACHE,
    .facts = ret->facts_given ? &ret->facts : NULL,
  };
  for (size_t i = 0; i < ret->policies_len; i++)
    options.policies[i] = &ret->policies[i];
  if (options.bundle_fd >= 0) {
    usermap_sample(&map, config, ret->harden.spec.root, options.policies, ret->policies_len, options.runtime);
    ret->unmapped = map.asked && judge->for_runtime;
    map.why = ret->unmapped ? xstrdup("only the wrapper makes one, when it creates the container") : NULL;
    options.offer = usermap_offered(&map, &offer);
  }
  return harden_run(&ret->harden, &options, err);
}

bool is_refusal(const struct error *err) {
  return err->code == ERROR_REFUSED || err->code == ERROR_INPUT;
}

void judged_free(struct judged *j) {
  harden_free(&j->harden);
  for (size_t i = 0; i < HARDEN_POLICIES_MAX; i++) {
    policy_free(&j->policies[i]);
    policy_free(&j->asked[i]);
  }
  facts_free(&j->facts);
  *j = (struct judged){ 0 };
}

char *judged_unknown(const struct judged *j) {
  const struct facts *f = j->facts_given ? &j->facts : &j->harden.facts;
  if (f->host_known && f->rootfs_known)
    return NULL;
  return xasprintf(
      "not judged, because nobody looked: %s%s%s (name a bundle with --bundle)",
      f->rootfs_known ? "" : "the rootfs (links in cwd, args and mount destinations; /proc, /sys, /dev)",
      f->rootfs_known || f->host_known ? "" : "; ",
      f->host_known ? "" : "the host (real paths of mount sources; joined namespaces)");
}

char *judged_policy_names(const struct judged *j) {
  struct str text = { 0 };
  for (size_t i = 0; i < j->policies_len; i++)
    str_addf(&text, "%s%s", i ? "+" : "", j->policies[i].name);
  return str_steal(&text);
}
