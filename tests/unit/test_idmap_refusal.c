/* SPDX-License-Identifier: Apache-2.0 */
/* Why ids cannot be mapped: the same errno means different things of different parts. */
#include "idmap/refusal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static enum refusal_kind kind(enum refusal_part part, int sys) {
  struct refusal why;
  struct error err = { 0 };
  cr_assert_eq(refuse(&why, &err, REFUSAL_NONE, part, "/a", -1, sys), -1);
  cr_expect_eq(why.part, part);
  cr_expect_eq(why.sys, sys);
  cr_expect_eq(err.sys, sys);
  cr_expect(!why.broken);
  cr_expect_str_eq(why.path, "/a");
  cr_expect_eq(err.code, why.kind == REFUSAL_SYSTEM ? ERROR_SYSTEM : ERROR_REFUSED);
  return why.kind;
}

Test(refusal, kinds_by_part_and_errno) {
  for (enum refusal_part part = REFUSAL_OF_NAMESPACE; part <= REFUSAL_OF_SPECIAL; part++) {
    cr_expect_eq(kind(part, ENOSYS), REFUSAL_KERNEL);
    cr_expect_eq(kind(part, EBUSY), REFUSAL_BUSY);
    cr_expect_eq(kind(part, EACCES), REFUSAL_PERMISSION);
    cr_expect_eq(kind(part, ENOMEM), REFUSAL_SYSTEM);
    cr_expect_str_neq(refusal_part_name(part), "unknown");
  }
  const enum refusal_part mapped[] = { REFUSAL_OF_ROOTFS, REFUSAL_OF_LAYER, REFUSAL_OF_UPPER,
                                       REFUSAL_OF_VOLUME };
  for (size_t i = 0; i < sizeof mapped / sizeof *mapped; i++) {
    cr_expect_eq(kind(mapped[i], EINVAL), REFUSAL_FILESYSTEM);
    cr_expect_eq(kind(mapped[i], EPERM), REFUSAL_MAPPED);
  }
  cr_expect_eq(kind(REFUSAL_OF_OVERLAY, EINVAL), REFUSAL_LAYOUT);
  cr_expect_eq(kind(REFUSAL_OF_OVERLAY, EPERM), REFUSAL_PERMISSION);
  cr_expect_eq(kind(REFUSAL_OF_NAMESPACE, EPERM), REFUSAL_PERMISSION);
  /* A layer that is not where the mount table says; a volume that is not there is the engine's mistake. */
  cr_expect_eq(kind(REFUSAL_OF_LAYER, ENOENT), REFUSAL_LAYOUT);
  cr_expect_eq(kind(REFUSAL_OF_VOLUME, ENOENT), REFUSAL_SYSTEM);
}

Test(refusal, a_namespace_that_could_not_be_made) {
  /* clone's own answers are of ERROR_REFUSED: no more namespaces may be made, or the map cannot be written.
   */
  const struct {
    enum error_code code;
    int sys;
    enum refusal_kind kind;
  } cases[] = { { ERROR_REFUSED, ENOSPC, REFUSAL_KERNEL },
                { ERROR_SYSTEM, ENOSPC, REFUSAL_SYSTEM },
                { ERROR_REFUSED, EPERM, REFUSAL_PERMISSION },
                { ERROR_SYSTEM, EPERM, REFUSAL_PERMISSION },
                { ERROR_REFUSED, EAGAIN, REFUSAL_SYSTEM } };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct refusal why;
    struct error cause = { 0 }, err = { 0 };
    error_set(&cause, cases[i].code, cases[i].sys, "user namespace: cannot make one");
    cr_expect_eq(refuse_userns(&why, &err, &cause), -1);
    cr_expect_eq(why.kind, cases[i].kind);
    cr_expect_eq(why.part, REFUSAL_OF_NAMESPACE);
    cr_expect_str_eq(err.message, cause.message);
  }
}

Test(refusal, the_sentence_names_all_there_is) {
  struct refusal why;
  struct error err = { 0 };
  refuse_layer(&why, &err, 7, "/images/7\n", -1, EINVAL);
  cr_expect_eq(why.layer, 7);
  cr_expect(
      strstr(err.message, "layer 7 /images/7? takes no ID-mapped mounts: Invalid argument; keep images"),
      "%s", err.message);
  refuse(&why, &err, REFUSAL_BUSY, REFUSAL_OF_OVERLAY, "/r", -1, 0);
  cr_expect_str_eq(
      err.message,
      "user namespace: the overlay /r is in use; use the mode replace, or the overlay option index=off");
  struct error undo = { 0 };
  error_set(&undo, ERROR_SYSTEM, 0, "cannot be mounted again");
  refuse_broken(&why, &err, &undo);
  cr_expect(why.broken);
  cr_expect_eq(why.kind, REFUSAL_BUSY);
  cr_expect(strncmp(err.message, "cannot be mounted again, after this failure: user", 49) == 0, "%s",
            err.message);
}

Test(refusal, every_kind_has_a_name_and_what_can_be_done) {
  for (enum refusal_kind k = REFUSAL_KERNEL; k < REFUSAL_SYSTEM; k++) {
    const struct refusal why = { .kind = k, .part = REFUSAL_OF_ROOTFS };
    cr_expect_str_neq(refusal_kind_name(k), "unknown");
    cr_expect(*refusal_remedy(&why), "%s", refusal_kind_name(k));
  }
}
