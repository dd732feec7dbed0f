/* SPDX-License-Identifier: Apache-2.0 */
#include "control/mount_view.h"
#include "control_case.h"

#define M(dest, type, options)                                                                               \
  "{'destination':'" dest "','type':'" type "','source':'/srv/x','options':[" options "]}"
#define DOC(mounts) "{'mounts':[" mounts "]}"
#define DEV M("/dev", "tmpfs", "'nosuid','noexec'")
#define INERT "'nosuid','nodev','noexec'"

Test(control_mounts, order) {
  static const struct order_case cases[] = {
    { DOC(M("/a", "bind", "'rbind'")), DOC(M("/a", "bind", "'rbind','rnosuid'")), false },
    { DOC(M("/a", "bind", "'rbind','nosuid'")), DOC(M("/a", "bind", "'rbind'")), true },
    { DOC(M("/a", "bind", "'rbind','rnosuid'")), DOC(M("/a", "bind", "'rbind','nosuid'")), true },
    { DOC(M("/a", "bind", "'rbind','ro'")), DOC(M("/a", "bind", "'rbind','ro','rw'")), true },
    { DOC(M("/a", "bind", "'bind'")), DOC(M("/a", "bind", "'rbind'")), true },
    { DOC(M("/a", "bind", "'rbind'")), DOC(M("/a", "bind", "'bind'")),
      true }, /* hides other files: not the same */
    { DOC(M("/a", "bind", "'rbind'")), DOC(M("/a", "bind", "'rbind','rrw'")), true },
    { DOC(M("/a", "bind", "'rbind','rshared'")), DOC(M("/a", "bind", "'rbind','rslave'")), false },
    { DOC(M("/a", "bind", "'rbind','rslave'")), DOC(M("/a", "bind", "'rbind','rshared'")), true },
    { DOC(M("/a", "bind", "'rbind'")), DOC(M("/b", "bind", "'rbind'")), true },
    { DOC(M("/a", "bind", "'rbind'")), DOC(M("/a", "tmpfs", "'rbind'")), true },
    { DOC(M("/a", "bind", "'rbind'")), DOC(""), true },
    { DOC(M("/a", "bind", "'bind'") "," M("/b", "bind", "'bind'")),
      DOC(M("/b", "bind", "'bind'") "," M("/a", "bind", "'bind'")), true },
    { DOC(M("/var/x", "bind", "'bind'")), DOC(M("/run/x", "bind", "'bind'")),
      false }, /* by the facts below */
    { DOC(""), DOC(M("/tmp", "tmpfs", INERT)), false },
    { DOC(""), DOC(M("/tmp", "tmpfs", "'nosuid','nodev'")), true },
    { DOC(""), DOC(M("/tmp", "bind", "'bind'," INERT)), true },
    { DOC(M("/a/b", "bind", "'bind'")), DOC(M("/a", "tmpfs", INERT) "," M("/a/b", "bind", "'bind'")), false },
    { DOC(M("/a/b", "bind", "'bind'")), DOC(M("/a/b", "bind", "'bind'") "," M("/a", "tmpfs", INERT)), true },
    { DOC(M("/a", "tmpfs", "'size=2'")), DOC(M("/a", "tmpfs", "'size=1'")), false },
    { DOC(M("/a", "tmpfs", "'size=1'")), DOC(M("/a", "tmpfs", "'size=2'")), true },
    { DOC(M("/a", "tmpfs", "'size=1'")), DOC(M("/a", "tmpfs", "'size=1','mode=777'")), true },
    { "{'root':{'readonly':true},'mounts':[" M("/a", "tmpfs", INERT ",'tmpcopyup'") "]}",
      "{'root':{'readonly':true},'mounts':[]}", false },
    { DOC(M("/a", "tmpfs", INERT ",'tmpcopyup'")), DOC(""), true },
  };
  CASE_ORDERS("mounts", SPEC_CONFIG,
              "{'rootfsKnown':true,'destinations':[{'destination':'/var/x','resolved':'/run/x'},"
              "{'destination':'/tmp','resolved':'/tmp'},{'destination':'/a','resolved':'/a'},"
              "{'destination':'/a/b','resolved':'/a/b'},{'destination':'/b','resolved':'/b'}]}",
              cases);
}

static const char policy[] =
    "{'mounts':{'action':'harden','enforce':['nosuid','nodev'],'noexec':['/dev'],'denySources':['/srv/no'],"
    "'allowSources':['/srv/no/but/"
    "*'],'allowTypes':['bind','tmpfs','proc','sysfs','devpts'],'recursive':true}}";

Test(control_mounts, promise) {
  static const struct promise_case cases[] = {
    { DOC(DEV), false },
    { DOC(""), true },
    { DOC(DEV "," M("/a", "bind", "'bind','nosuid','nodev'")), false },
    { DOC(M("/dev", "tmpfs", "'nosuid','noexec','tmpcopyup'")), true },
    { DOC(DEV "," M("/a", "tmpfs", "'nosuid','nodev','tmpcopyup'")), false },
    { DOC(DEV "," M("/a", "tmpfs", "'rnosuid','rnodev'")), true },
    { DOC(DEV "," M("/a", "tmpfs", "'rnosuid','rnodev','nosuid','nodev'")), false },
    { DOC(DEV "," M("/a", "bind", "'bind','nosuid'")), true },
    { DOC(DEV "," M("/a", "bind", "'bind','nosuid','suid','nosuid','nodev'")), true },
    { DOC(DEV "," M("/a", "bind", "'bind','rnosuid','rnodev','rshared'")), true },
    { DOC(DEV "," M("/a", "tmpfs", "'nosuid','nodev','remount'")), true },
    { DOC(DEV "," M("/", "tmpfs", "'nosuid','nodev'")), true },
    { DOC(DEV "," M("a", "tmpfs", "'nosuid','nodev'")), true },
    { DOC(DEV "," M("/a/../b", "tmpfs", "'nosuid','nodev'")), true },
    { DOC(DEV "," M("/a/", "tmpfs", "'nosuid','nodev'")), true },
    { DOC(DEV "," M("/proc/sys", "tmpfs", "'nosuid','nodev'")), true },
    { DOC(DEV "," M("/proc", "proc", INERT)), false },
    { DOC(DEV "," M("/proc", "proc", "'nosuid','nodev'")), true },
    { DOC(DEV "," M("/proc", "proc", "'bind'," INERT)), true },
    { DOC(DEV "," M("/sys", "sysfs", "'ro'," INERT)), false },
    { DOC(DEV "," M("/sys", "sysfs", INERT)), true },
    { DOC(DEV "," M("/x", "ext4", "'nosuid','nodev'")), true },
    { DOC(DEV ",{'destination':'/x','type':'bind','source':'/srv/no/x','options':['bind','nosuid','nodev']}"),
      true },
    { DOC(DEV
          ",{'destination':'/x','type':'bind','source':'/srv/no/but/x','options':['bind','nosuid','nodev']}"),
      false },
    { DOC(DEV ",{'destination':'/x','type':'bind','source':'/','options':['bind','nosuid','nodev']}"), true },
    { DOC(DEV
          ",{'destination':'/x','type':'bind','source':'/srv/y/../no','options':['bind','nosuid','nodev']}"),
      true },
    { "{'process':{'terminal':true},'mounts':[" DEV "]}", true },
    { "{'process':{'terminal':true},'mounts':[" DEV "," M("/dev/pts", "devpts", "'nosuid','noexec'") "]}",
      false },
  };
  CASE_PROMISES("mounts", SPEC_CONFIG, policy, NULL, cases);
}

Test(control_mounts, promise_below_recursive_binds) {
  static const struct promise_case cases[] = {
    { DOC(DEV "," M("/a", "bind", "'rbind','rnosuid','rnodev'")), false },
    { DOC(DEV "," M("/a", "bind", "'rbind','nosuid','nodev'")), true },
    { DOC(DEV "," M("/a", "bind", "'rbind','ro','rnosuid','rnodev'")), true },
    { DOC(DEV "," M("/a", "bind", "'rbind','ro','rro','rnosuid','rnodev'")), false },
    { DOC(DEV "," M("/a", "bind", "'bind','ro','nosuid','nodev'")), false },
  };
  CASE_PROMISES("mounts", SPEC_CONFIG, policy, "{'mountSetattr':true}", cases);
}

/* The rules of places: (destination as written, what the rootfs says, what is mounted before) -> the place.
 */
Test(mount_view, places) {
  CLEANUP_FACTS struct facts facts = { 0 };
  case_facts(&facts,
             "{'rootfsKnown':true,'destinations':["
             "{'destination':'/vol','resolved':'/vol'},{'destination':'/vol/link','resolved':'/etc'},"
             "{'destination':'/vol/dir','resolved':'/vol/dir'},"
             "{'destination':'/run','resolved':'/run'},{'destination':'/run/lock','resolved':'/var/lock'},"
             "{'destination':'/var/run/x','resolved':'/run/x'},"
             "{'destination':'/loop','why':'too many links'}]}");
  json_auto_t *mounts = case_json(
      "[" M("/vol", "bind", "'rbind'") "," M("/vol/link", "tmpfs", "") "," M("/vol/dir", "tmpfs", "") "," M(
          "/run", "tmpfs", "") "," M("/run/lock", "tmpfs",
                                     "") "," M("/var/run/x", "bind",
                                               "'bind'") "," M("/loop", "tmpfs",
                                                               "") "," M("/nobody/looked", "tmpfs",
                                                                         "") "," M("../up", "tmpfs", "") "]");
  static const char *const places[] = { "/vol",   NULL, "/vol/dir", "/run", "/run/lock",
                                        "/run/x", NULL, NULL,       NULL };
  CLEANUP_MOUNT_LIST struct mount_list l;
  mount_list_read(&l, mounts, &facts);
  cr_assert_eq(l.len, ARRAY_SIZE(places));
  for (size_t i = 0; i < l.len; i++) {
    cr_expect_eq(l.items[i].place != NULL, places[i] != NULL, "%s", l.items[i].destination);
    if (l.items[i].place && places[i])
      cr_expect_str_eq(l.items[i].place, places[i]);
    else
      cr_expect_not_null(l.items[i].why, "%s", l.items[i].destination);
  }
  cr_expect(l.items[1].redirected);
  cr_expect_not(l.items[6].redirected);
}
