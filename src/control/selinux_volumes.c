/* SPDX-License-Identifier: Apache-2.0 */
/* The control selinux, of the files of volumes: selinux.h. */
#include "control/common.h"
#include "control/mount_view.h"
#include "control/selinux.h"
#include "lsm/context.h"

#include <string.h>

#define RULE_LABELLED "OH-SEL-014"
#define RULE_HOSTS "OH-SEL-015"
#define RULE_ANOTHERS "OH-SEL-016"

static enum selinux_relabel asked(const struct policy *policy, const struct facts *f) {
  const int least =
      policy->selinux.relabel < f->selinux.relabel ? policy->selinux.relabel : f->selinux.relabel;
  const bool gives =
      policy->selinux.mode != LSM_OFF && f->selinux.state == SELINUX_ENFORCING && f->selinux.level;
  return gives ? (enum selinux_relabel)least : SELINUX_RELABEL_NEVER;
}

static bool has_categories(const char *label) {
  CLEANUP_SELINUX_CONTEXT struct selinux_context c = { 0 };
  return label && selinux_context_parse(&c, label) && strchr(c.level, ':');
}

static enum volume_verdict judge(const struct source_fact *s, enum selinux_relabel how,
                                 const char **ret_why) {
  *ret_why = NULL;
  if (!s->real || s->reached)
    return VOLUME_LEFT;
  if (s->sensitive || facts_is_system(s->real))
    *ret_why = "it is of the host's own system";
  else if (s->kind != INODE_DIRECTORY && s->kind != INODE_FILE)
    *ret_why = "it is neither a directory nor a file";
  if (*ret_why)
    return VOLUME_HOSTS;
  if (s->held)
    *ret_why = "it is labelled for another pod";
  else if (how == SELINUX_RELABEL_SHARED && has_categories(s->label))
    *ret_why = "it is labelled for one pod alone";
  return *ret_why ? VOLUME_ANOTHERS : VOLUME_LABELLED;
}

/* What linux.mountLabel will be, or is; for all containers without its categories. */
static char *label_of(const json_t *root, const struct policy *policy, const struct facts *f,
                      enum selinux_relabel how) {
  const char *text = control_text(root, "/linux/mountLabel");
  CLEANUP_FREE char *level = xstrdup(f->selinux.level);
  if (how == SELINUX_RELABEL_SHARED)
    level[strcspn(level, ":")] = '\0';
  return selinux_context_wanted(text && *text ? text : NULL, SELINUX_FILE_ROLE,
                                policy_selinux_file_type(policy), level);
}

static bool has_source(const struct selinux_volumes *v, const struct source_fact *source) {
  for (size_t i = 0; i < v->len; i++)
    if (strcmp(v->items[i].source->real, source->real) == 0)
      return true;
  return false;
}

void selinux_volumes_read(struct selinux_volumes *ret, const json_t *root, const struct policy *policy,
                          const struct facts *facts) {
  const enum selinux_relabel how = asked(policy, facts);
  *ret = (struct selinux_volumes){ 0 };
  if (how == SELINUX_RELABEL_NEVER)
    return;
  CLEANUP_MOUNT_LIST struct mount_list mounts;
  mount_list_read(&mounts, control_at(root, "/mounts"), facts);
  ret->label = label_of(root, policy, facts, how);
  for (size_t i = 0; ret->label && i < mounts.len; i++) {
    const struct mount_view *v = &mounts.items[i];
    const struct source_fact *source =
        strcmp(v->type, "bind") == 0 && v->source ? facts_source(facts, v->source) : NULL;
    if (!source)
      continue;
    struct selinux_volume volume = { .mount = i, .source = source };
    volume.verdict = judge(source, how, &volume.why);
    if (volume.verdict == VOLUME_LEFT || has_source(ret, source))
      continue;
    ret->items = xrealloc(ret->items, ret->len + 1, sizeof *ret->items);
    ret->items[ret->len++] = volume;
  }
}

void selinux_volumes_free(struct selinux_volumes *v) {
  free(v->label);
  free(v->items);
  *v = (struct selinux_volumes){ 0 };
}

static int apply_volume(struct spec *spec, const struct selinux_volume *v, const char *label,
                        struct error *err) {
  CLEANUP_FREE char *pointer = xasprintf("/mounts/%zu/source", v->mount);
  const char *was = v->source->label ? v->source->label : "none";
  CLEANUP_FREE char *text = NULL;
  switch (v->verdict) {
  case VOLUME_LEFT:
    break;
  case VOLUME_LABELLED:
    text = xasprintf("the files of %s %s the label %s, so that the container reaches them; it has %s",
                     v->source->real, spec->action == ACTION_HARDEN ? "get" : "would get", label, was);
    if (spec->action == ACTION_DENY)
      return spec_refuse(spec, pointer, (struct reason){ RULE_LABELLED, text }, err);
    spec_finding(spec, pointer, (struct reason){ RULE_LABELLED, text });
    break;
  case VOLUME_HOSTS:
    text = xasprintf("%s keeps its label %s, which the container does not reach: %s", v->source->real, was,
                     v->why);
    spec_finding(spec, pointer, (struct reason){ RULE_HOSTS, text });
    break;
  case VOLUME_ANOTHERS:
    text = xasprintf("the bind source \"%s\" is not labelled anew: %s, as %s; chcon takes it from there",
                     v->source->source, v->why, was);
    return spec_refuse(spec, pointer, (struct reason){ RULE_ANOTHERS, text }, err);
  }
  return 0;
}

int selinux_apply_volumes(struct spec *spec, const struct policy *policy, const struct facts *facts,
                          struct error *err) {
  CLEANUP_SELINUX_VOLUMES struct selinux_volumes volumes;
  selinux_volumes_read(&volumes, spec->root, policy, facts);
  for (size_t i = 0; i < volumes.len; i++)
    if (apply_volume(spec, &volumes.items[i], volumes.label, err))
      return -1;
  return 0;
}
