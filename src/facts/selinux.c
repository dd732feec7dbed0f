/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's SELinux policy says of the labels that a document has, and of those it may get. */
#include "facts/facts.h"
#include "io/path.h"
#include "lsm/context.h"

#include <string.h>

struct look {
  struct facts *f;
  char *runtime; /* the domain that starts the process */
  bool nnp;      /* the kernel's policy has transitions under no_new_privs */
};

static void look_free(struct look *l) {
  free(l->runtime);
}

static const char *text_at(const struct spec *spec, const char *pointer) {
  const char *text = json_string_value(spec_at(spec, pointer));
  return text && *text ? text : NULL;
}

static int look_at_access(const struct look *l, struct selinux_fact *fact, struct error *err) {
  struct selinux_access start;
  struct selinux_access nnp;
  struct selinux_access run = { .allowed = true };
  const char *label = fact->canonical;
  if (selinux_access(l->runtime, label, "process", "transition", &start, err) < 0 ||
      selinux_access(l->runtime, label, "process2", "nnp_transition", &nnp, err) < 0)
    return -1;
  const char *root = l->f->selinux.root ? l->f->selinux.root : label;
  if (l->f->selinux.root && selinux_access(label, root, "file", "entrypoint", &run, err) < 0)
    return -1;
  struct selinux_access self;
  if (selinux_access(label, label, "process", "fork", &self, err) < 0)
    return -1;
  const bool same = strcmp(l->runtime, label) == 0;
  fact->transition = same || start.allowed || start.permissive;
  fact->nnp_transition = same || (l->nnp && (nnp.allowed || nnp.permissive));
  fact->permissive = self.permissive;
  fact->runs_root = run.allowed || run.permissive;
  return 0;
}

/* `process`: a label of processes, not of files. NULL text: there is none. */
static int add(const struct look *l, const char *text, bool process, struct error *err) {
  struct facts *f = l->f;
  if (!text || facts_selinux_label(f, text))
    return 0;
  f->selinux.labels = xrealloc(f->selinux.labels, f->selinux.labels_len + 1, sizeof *f->selinux.labels);
  struct selinux_fact *fact = &f->selinux.labels[f->selinux.labels_len++];
  *fact = (struct selinux_fact){ .context = xstrdup(text) };
  if (selinux_canonical(text, &fact->canonical, err) < 0)
    return -1;
  return fact->canonical && process ? look_at_access(l, fact, err) : 0;
}

static const char *canonical(const struct facts *f, const char *text) {
  const struct selinux_fact *fact = text ? facts_selinux_label(f, text) : NULL;
  return fact ? fact->canonical : NULL;
}

static int add_options(const struct look *l, const struct spec *spec, struct error *err) {
  size_t i, k;
  json_t *mount, *option;
  const json_t *mounts = spec_at(spec, "/mounts");
  json_array_foreach(mounts, i, mount) {
    json_array_foreach(json_object_get(mount, "options"), k, option) {
      CLEANUP_FREE char *context = selinux_context_of_option(json_string_value(option));
      if (add(l, context, false, err) < 0)
        return -1;
    }
  }
  return 0;
}

/* The level of the engine's label for processes, else for files. Borrowed from *c. */
static const char *engine_level(const struct facts *f, const struct spec *spec, struct selinux_context *c) {
  static const char *const pointers[] = { "/process/selinuxLabel", "/linux/mountLabel" };
  for (size_t i = 0; i < ARRAY_SIZE(pointers); i++) {
    const char *text = canonical(f, text_at(spec, pointers[i]));
    uint64_t pair;
    if (!text || !selinux_context_parse(c, text))
      continue;
    if (selinux_level_is_pair(c->level, &pair))
      return c->level;
    selinux_context_free(c);
  }
  return NULL;
}

static int choose_level(const struct look *l, const struct spec *spec, const struct facts_selinux *how,
                        struct error *err) {
  CLEANUP_SELINUX_CONTEXT struct selinux_context c = { 0 };
  const char *engine = engine_level(l->f, spec, &c);
  if (how->level)
    return how->level(how->arg, engine, &l->f->selinux.level, &l->f->selinux.level_shared, err);
  l->f->selinux.level = engine ? xstrdup(engine) : selinux_level_of_pair(0);
  return 0;
}

/* What each policy would make of it. */
static int add_wanted(const struct look *l, const struct spec *spec, const struct policy *p,
                      struct error *err) {
  const struct facts *f = l->f;
  const char *process = canonical(f, text_at(spec, "/process/selinuxLabel"));
  const char *mount = canonical(f, text_at(spec, "/linux/mountLabel"));
  CLEANUP_FREE char *label =
      selinux_context_wanted(process, SELINUX_ROLE, policy_selinux_type(p), f->selinux.level);
  CLEANUP_FREE char *files =
      selinux_context_wanted(mount, SELINUX_FILE_ROLE, policy_selinux_file_type(p), f->selinux.level);
  return add(l, label, true, err) < 0 ? -1 : add(l, files, false, err);
}

/* The label that the process will have: the first policy that gives one decides. */
static const char *process_label(const struct facts *f, const struct spec *spec, const struct policy *p,
                                 char **ret_owned) {
  const char *engine = canonical(f, text_at(spec, "/process/selinuxLabel"));
  *ret_owned = selinux_context_wanted(engine, SELINUX_ROLE, policy_selinux_type(p), f->selinux.level);
  return canonical(f, *ret_owned);
}

/* Policies of which one gives no label agree on none. */
static enum selinux_relabel agreed_relabel(const struct policy *const *policies, size_t len) {
  int least = len ? SELINUX_RELABEL_SHARED : SELINUX_RELABEL_NEVER;
  for (size_t i = 0; i < len; i++) {
    const struct policy *p = policies[i];
    const bool gives = p->selinux.action != ACTION_OFF && p->selinux.mode != LSM_OFF;
    least = !gives ? SELINUX_RELABEL_NEVER : p->selinux.relabel < least ? p->selinux.relabel : least;
  }
  return (enum selinux_relabel)least;
}

static int look_at_source(struct source_fact *s, const char *process, const struct facts_selinux *how,
                          struct error *err) {
  CLEANUP_SELINUX_CONTEXT struct selinux_context c = { 0 };
  struct selinux_access read = { 0 };
  const char *class = s->kind == INODE_DIRECTORY ? "dir" : "file";
  if (!s->real || (s->kind != INODE_DIRECTORY && s->kind != INODE_FILE))
    return 0;
  s->label = selinux_label_of_path(s->real);
  CLEANUP_FREE char *known = NULL;
  if (s->label && selinux_canonical(s->label, &known, err) < 0)
    return -1;
  if (!known)
    return 0; /* nobody reaches it */
  if (selinux_access(process, known, class, "read", &read, err) < 0)
    return -1;
  s->reached = read.allowed || read.permissive;
  return s->reached || !how->held || !selinux_context_parse(&c, known)
             ? 0
             : how->held(how->arg, c.level, &s->held, err);
}

static int look_at_volumes(const struct look *l, const struct spec *spec,
                           const struct policy *const *policies, size_t policies_len,
                           const struct facts_selinux *how, struct error *err) {
  struct facts *f = l->f;
  f->selinux.relabel = (int)agreed_relabel(policies, policies_len);
  if (f->selinux.relabel == SELINUX_RELABEL_NEVER)
    return 0;
  CLEANUP_FREE char *owned = NULL;
  const char *process = process_label(f, spec, policies[0], &owned);
  for (size_t i = 0; process && i < f->sources_len; i++)
    if (look_at_source(&f->sources[i], process, how, err) < 0)
      return -1;
  return 0;
}

static int look_at_config(const struct look *l, const struct spec *spec, const struct policy *const *policies,
                          size_t policies_len, const struct facts_selinux *how, struct error *err) {
  if (l->f->root_real)
    l->f->selinux.root = selinux_label_of_path(l->f->root_real);
  if (add(l, text_at(spec, "/process/selinuxLabel"), true, err) < 0 ||
      add(l, text_at(spec, "/linux/mountLabel"), false, err) < 0 || add_options(l, spec, err) < 0 ||
      choose_level(l, spec, how, err) < 0)
    return -1;
  for (size_t i = 0; i < policies_len; i++)
    if (add_wanted(l, spec, policies[i], err) < 0)
      return -1;
  return look_at_volumes(l, spec, policies, policies_len, how, err);
}

static int look_at_process(const struct look *l, const struct spec *spec, pid_t init, struct error *err) {
  l->f->selinux.container = init > 0 ? selinux_label_of_process(init) : NULL;
  if (add(l, l->f->selinux.container, true, err) < 0)
    return -1;
  return add(l, text_at(spec, "/process/selinuxLabel"), true, err);
}

/* The runtime may be in another domain than we are, by the label of its file. */
static int look_at_runtime(struct look *l, const char *own, const char *path, struct error *err) {
  CLEANUP_FREE char *file = path ? selinux_label_of_path(path) : NULL;
  if (file && selinux_process_after(own, file, &l->runtime, err) < 0)
    return -1;
  if (!l->runtime)
    l->runtime = xstrdup(own);
  return selinux_has_capability("nnp_nosuid_transition", &l->nnp, err);
}

static bool wanted(const struct policy *const *policies, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (policies[i]->selinux.action != ACTION_OFF)
      return true;
  return false;
}

int facts_probe_selinux(struct facts *f, const struct spec *spec, const struct policy *const *policies,
                        size_t policies_len, const struct facts_selinux *how, struct error *err) {
  CLEANUP_SELINUX_HOST struct selinux_host host = { 0 };
  CLEANUP(look_free) struct look l = { .f = f };
  if (spec->kind == SPEC_RESOURCES || !wanted(policies, policies_len))
    return 0;
  if (selinux_look(&host, err) < 0)
    return -1;
  f->selinux.state = (int)host.state;
  f->selinux.config_missing = !host.config;
  if (host.state != SELINUX_ENFORCING)
    return 0;
  if (look_at_runtime(&l, host.own, how->runtime, err) < 0)
    return -1;
  return spec->kind == SPEC_CONFIG ? look_at_config(&l, spec, policies, policies_len, how, err)
                                   : look_at_process(&l, spec, how->init, err);
}
