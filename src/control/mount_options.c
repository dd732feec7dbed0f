/* SPDX-License-Identifier: Apache-2.0 */
#include "control/mount_options.h"

#include "base/str.h"
#include "io/jsonx.h"

#include <string.h>

static const struct flag_words {
  enum mount_flag flag;
  const char *set, *clear, *set_below, *clear_below;
} flags[] = {
  { MOUNT_RO, "ro", "rw", "rro", "rrw" },
  { MOUNT_NOSUID, "nosuid", "suid", "rnosuid", "rsuid" },
  { MOUNT_NODEV, "nodev", "dev", "rnodev", "rdev" },
  { MOUNT_NOEXEC, "noexec", "exec", "rnoexec", "rexec" },
};

static const struct propagation_word {
  const char *word;
  enum mount_propagation propagation;
  bool below;
  const char *unshared; /* what it becomes when mount events must not reach the host; NULL: stays */
} propagations[] = {
  { "shared", PROPAGATION_SHARED, false, "slave" },   { "rshared", PROPAGATION_SHARED, true, "rslave" },
  { "slave", PROPAGATION_SLAVE, false, NULL },        { "rslave", PROPAGATION_SLAVE, true, NULL },
  { "private", PROPAGATION_PRIVATE, false, NULL },    { "rprivate", PROPAGATION_PRIVATE, true, NULL },
  { "unbindable", PROPAGATION_PRIVATE, false, NULL }, { "runbindable", PROPAGATION_PRIVATE, true, NULL },
};

static const struct propagation_word *propagation_named(const char *word) {
  for (size_t i = 0; i < ARRAY_SIZE(propagations); i++)
    if (str_same(propagations[i].word, word))
      return &propagations[i];
  return NULL;
}

unsigned mount_flag_named(const char *word) {
  for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
    if (str_same(flags[i].set, word))
      return flags[i].flag;
  return 0;
}

/* The words of one option, taken as they come. */
struct reading {
  struct mount_options *options;
  unsigned plain; /* the last plain word of each flag sets */
  unsigned below; /* a recursive word sets */
};

static bool read_flag(struct reading *r, const char *word) {
  for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
    const struct flag_words *f = &flags[i];
    if (str_same(word, f->set)) {
      r->plain |= f->flag;
    } else if (str_same(word, f->clear)) {
      r->plain &= ~(unsigned)f->flag;
      r->options->contested |= f->flag;
    } else if (str_same(word, f->set_below)) {
      r->below |= f->flag;
    } else if (str_same(word, f->clear_below)) {
      r->options->lifted |= f->flag;
      r->options->contested |= f->flag;
    } else {
      continue;
    }
    return true;
  }
  return false;
}

static void read_propagation(struct mount_options *o, const struct propagation_word *p) {
  o->propagation = p->propagation;
  if (p->below)
    o->propagation_below = p->propagation;
}

void mount_options_read(const json_t *options, struct mount_options *ret) {
  *ret =
      (struct mount_options){ .propagation = PROPAGATION_PRIVATE, .propagation_below = PROPAGATION_PRIVATE };
  struct reading r = { .options = ret };
  for (size_t i = 0; i < json_array_size(options); i++) {
    const char *word = json_string_value(json_array_get(options, i));
    if (!word || read_flag(&r, word))
      continue;
    const struct propagation_word *p = propagation_named(word);
    if (p)
      read_propagation(ret, p);
    else if (str_same(word, "bind"))
      ret->bind = true;
    else if (str_same(word, "rbind"))
      ret->bind = ret->recursive = true;
    else if (str_same(word, "remount"))
      ret->remount = true;
    else if (str_same(word, "tmpcopyup"))
      ret->copy_up = true;
    else if (str_same(word, "copy-symlink") || str_same(word, "src-nofollow"))
      ret->keeps_link = true;
  }
  ret->lifted &= ~r.below;
  ret->set_below = r.below;
  ret->plain = r.plain & ~ret->lifted;
  ret->set = r.below | ret->plain;
}

/* Is the word against the wish, so that it goes? */
static bool against(const char *word, const struct mount_wish *wish) {
  for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
    const struct flag_words *f = &flags[i];
    if (!((wish->flags | wish->flags_below) & f->flag))
      continue;
    if (str_same(word, f->clear) || str_same(word, f->clear_below))
      return true;
  }
  return false;
}

json_t *mount_options_apply(const json_t *options, const struct mount_wish *wish) {
  json_t *out = json_array();
  if (!out)
    die_out_of_memory();
  for (size_t i = 0; i < json_array_size(options); i++) {
    json_t *item = json_array_get(options, i);
    const char *word = json_string_value(item);
    const struct propagation_word *p = word && wish->unshare ? propagation_named(word) : NULL;
    if (word && against(word, wish))
      continue;
    jsonx_append_new(out, p && p->unshared ? jsonx_string_new(p->unshared) : json_incref(item));
  }
  struct mount_options now;
  mount_options_read(out, &now);
  for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
    const struct flag_words *f = &flags[i];
    if (wish->flags_below & ~now.set_below & f->flag)
      jsonx_append_new(out, jsonx_string_new(f->set_below));
    else if (wish->flags & ~(wish->plain ? now.plain : now.set) & f->flag)
      jsonx_append_new(out, jsonx_string_new(wish->recursive_forms ? f->set_below : f->set));
  }
  return out;
}

json_t *mount_options_rest(const json_t *options) {
  json_t *rest = json_array();
  if (!rest)
    die_out_of_memory();
  struct mount_options ignored;
  struct reading r = { .options = &ignored };
  memset(&ignored, 0, sizeof ignored);
  for (size_t i = 0; i < json_array_size(options); i++) {
    json_t *item = json_array_get(options, i);
    const char *word = json_string_value(item);
    if (word &&
        (read_flag(&r, word) || propagation_named(word) || str_same(word, "bind") || str_same(word, "rbind")))
      continue;
    jsonx_append_new(rest, json_incref(item));
  }
  return rest;
}
