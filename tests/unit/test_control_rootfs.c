/* SPDX-License-Identifier: Apache-2.0 */
#include "control_case.h"

#define ROOT(ro) "'root':{'path':'rootfs','readonly':" ro "}"
#define MEMORY(size)                                                                                         \
  "{'destination':'/tmp','type':'tmpfs','source':'tmpfs','options':['nosuid','nodev','noexec',"              \
  "'size=" size "','mode=1777','tmpcopyup']}"

Test(control_rootfs, order) {
  static const struct order_case cases[] = {
    { "{" ROOT("false") "}", "{" ROOT("true") "}", false },
    { "{" ROOT("true") "}", "{" ROOT("false") "}", true },
    { "{" ROOT("true") "}", "{'root':{'path':'rootfs'}}", true },
    { "{'root':{'path':'rootfs'}}", "{'root':{'path':'/'}}", true },
    { "{" ROOT("false") ",'mounts':[]}", "{" ROOT("true") ",'mounts':[" MEMORY("1") "]}", false },
    { "{" ROOT("true") ",'mounts':[]}", "{" ROOT("true") ",'mounts':[" MEMORY("1") "]}", true },
    { "{'linux':{'rootfsPropagation':'shared'}}", "{'linux':{'rootfsPropagation':'rslave'}}", false },
    { "{'linux':{'rootfsPropagation':'rslave'}}", "{'linux':{'rootfsPropagation':'rshared'}}", true },
    { "{'linux':{'rootfsPropagation':'rprivate'}}", "{'linux':{'rootfsPropagation':'rslave'}}", true },
    { "{}", "{'linux':{'rootfsPropagation':'shared'}}", true },
  };
  CASE_ORDERS("rootfs", SPEC_CONFIG, NULL, cases);
}

static const char policy[] =
    "{'rootfs':{'action':'harden','readonly':true,'tmpfs':['/tmp'],'tmpfsSize':1048576,"
    "'privatePropagation':true}}";

Test(control_rootfs, promise) {
  static const struct promise_case cases[] = {
    { "{" ROOT("true") "}", false },
    { "{" ROOT("false") "}", true },
    { "{'root':{'path':'rootfs'}}", true },
    { "{" ROOT("true") ",'linux':{'rootfsPropagation':'shared'}}", true },
    { "{" ROOT("true") ",'linux':{'rootfsPropagation':'rshared'}}", true },
    { "{" ROOT("true") ",'mounts':[" MEMORY("1048576") "]}", false },
    { "{" ROOT("true") ",'mounts':[" MEMORY("1048577") "]}", true },
  };
  CASE_PROMISES("rootfs", SPEC_CONFIG, policy, NULL, cases);
}

Test(control_rootfs, what_the_image_is) {
  static const struct promise_case fine[] = { { "{" ROOT("true") "}", false } };
  static const struct promise_case wrong[] = { { "{" ROOT("true") "}", true } };
#define KNOWN "'rootfsKnown':true,'rootProc':'directory','rootSys':'absent',"
  CASE_PROMISES("rootfs", SPEC_CONFIG, policy, "{" KNOWN "'rootDev':'directory'}", fine);
  CASE_PROMISES("rootfs", SPEC_CONFIG, policy, "{" KNOWN "'rootDev':'symlink'}", wrong);
  CASE_PROMISES("rootfs", SPEC_CONFIG, policy, "{" KNOWN "'rootDev':'unknown'}", wrong);
  CASE_PROMISES("rootfs", SPEC_CONFIG, policy,
                "{'rootfsKnown':true,'rootProc':'file','rootSys':'directory',"
                "'rootDev':'directory'}",
                wrong);
  CASE_PROMISES("rootfs", SPEC_CONFIG, policy, "{'rootIsHost':true}", wrong);
  CASE_PROMISES("rootfs", SPEC_CONFIG, policy, "{'rootHoldsBundle':true}", wrong);
}
