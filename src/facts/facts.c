/* SPDX-License-Identifier: Apache-2.0 */
#include "facts/facts.h"

#include <stdlib.h>
#include <string.h>

void facts_unknown(struct facts *ret, const struct spec *spec, enum runtime_kind runtime) {
  *ret = (struct facts){
    .runtime = (int)runtime,
    .cap_last = 40,
    .sandbox = annotations_are_sandbox(spec_at(spec, "/annotations"), NULL),
  };
}

const char *const entered_types[] = {
  [ENTERED_NETWORK] = "network", [ENTERED_IPC] = "ipc", [ENTERED_UTS] = "uts", NULL
};

static void offer_free(struct user_namespace_offer *o) {
  free(o->why);
  free(o->path);
  free(o->pid);
  free(o->root);
  free(o->sysfs);
  free(o->mqueue);
  for (size_t i = 0; i < ENTERED_TYPES; i++)
    free(o->entered[i]);
  *o = (struct user_namespace_offer){ 0 };
}

void facts_offer(struct facts *f, uint32_t base, uint32_t size, const char *dir, const char *path) {
  offer_free(&f->offer);
  f->offer = (struct user_namespace_offer){ .base = base,
                                            .size = size,
                                            .path = xstrdup(path),
                                            .root = xasprintf("%s/rootfs", dir),
                                            .sysfs = xasprintf("%s/special/0", dir),
                                            .mqueue = xasprintf("%s/special/1", dir) };
  for (size_t i = 0; i < f->sources_len; i++) {
    struct source_fact *source = &f->sources[i];
    free(source->clone);
    source->clone = source->real ? xasprintf("%s/volumes/%zu", dir, i) : NULL;
  }
}

void facts_offer_entered(struct facts *f, int type, const char *path) {
  free(f->offer.entered[type]);
  f->offer.entered[type] = xstrdup(path);
}

void facts_offer_pid(struct facts *f, const char *path) {
  free(f->offer.pid);
  f->offer.pid = xstrdup(path);
}

void facts_offer_none(struct facts *f, const char *why) {
  offer_free(&f->offer);
  f->offer.why = xstrdup(why);
  for (size_t i = 0; i < f->sources_len; i++)
    free(steal_ptr(&f->sources[i].clone));
}

void facts_free(struct facts *f) {
  free(f->root_real);
  free(f->cwd_resolved);
  free(f->arg0_resolved);
  for (size_t i = 0; i < f->sources_len; i++) {
    free(f->sources[i].source);
    free(f->sources[i].real);
    free(f->sources[i].sensitive);
    strlist_free(&f->sources[i].options);
    free(f->sources[i].label);
    free(f->sources[i].clone);
  }
  free(f->sources);
  for (size_t i = 0; i < f->destinations_len; i++) {
    free(f->destinations[i].destination);
    free(f->destinations[i].resolved);
    free(f->destinations[i].why);
  }
  free(f->destinations);
  strlist_free(&f->host_namespace_paths);
  strlist_free(&f->bad_namespace_paths);
  strlist_free(&f->bad_hook_paths);
  strlist_free(&f->bad_device_paths);
  offer_free(&f->offer);
  free(f->selinux.level);
  free(f->selinux.container);
  free(f->selinux.root);
  for (size_t i = 0; i < f->selinux.labels_len; i++) {
    free(f->selinux.labels[i].context);
    free(f->selinux.labels[i].canonical);
  }
  free(f->selinux.labels);
  free(f->hook);
  strlist_free(&f->hook_args);
  for (size_t i = 0; i < f->apparmor_profiles_len; i++)
    free(f->apparmor_profiles[i].name);
  free(f->apparmor_profiles);
  free(f->apparmor_why);
  free(f->apparmor_label);
  *f = (struct facts){ 0 };
}

enum apparmor_mode facts_apparmor(const struct facts *f, const char *name) {
  for (size_t i = 0; i < f->apparmor_profiles_len; i++)
    if (str_same(f->apparmor_profiles[i].name, name))
      return (enum apparmor_mode)f->apparmor_profiles[i].mode;
  return APPARMOR_NOT_LOADED;
}

const struct rlimit_fact *facts_rlimit(const struct facts *f, const char *type) {
  for (size_t i = 0; i < f->rlimits_len; i++)
    if (str_same(f->rlimits[i].type, type))
      return &f->rlimits[i];
  return NULL;
}

const struct selinux_fact *facts_selinux_label(const struct facts *f, const char *context) {
  for (size_t i = 0; i < f->selinux.labels_len; i++)
    if (str_same(f->selinux.labels[i].context, context))
      return &f->selinux.labels[i];
  return NULL;
}

const struct source_fact *facts_source(const struct facts *f, const char *source) {
  for (size_t i = 0; i < f->sources_len; i++)
    if (str_same(f->sources[i].source, source))
      return &f->sources[i];
  for (size_t i = 0; f->offer.size && i < f->sources_len; i++)
    if (f->sources[i].clone && str_same(f->sources[i].clone, source))
      return &f->sources[i];
  return NULL;
}

const struct destination_fact *facts_destination(const struct facts *f, const char *destination) {
  for (size_t i = 0; i < f->destinations_len; i++)
    if (str_same(f->destinations[i].destination, destination))
      return &f->destinations[i];
  for (size_t i = 0; i < f->destinations_len; i++)
    if (f->destinations[i].resolved && str_same(f->destinations[i].resolved, destination))
      return &f->destinations[i];
  return NULL;
}
