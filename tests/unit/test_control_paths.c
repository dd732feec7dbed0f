/* SPDX-License-Identifier: Apache-2.0 */
#include "control_case.h"

#define DOC(masked, readonly) "{'linux':{'maskedPaths':[" masked "],'readonlyPaths':[" readonly "]}}"

Test(control_paths, order) {
  static const struct order_case cases[] = {
    { DOC("'/a'", "'/b'"), DOC("'/a','/c'", "'/b','/d'"), false },
    { DOC("'/a','/c'", ""), DOC("'/c','/a'", ""), false },
    { DOC("'/a'", "'/b'"), DOC("", "'/b'"), true },
    { DOC("'/a'", "'/b'"), DOC("'/a'", ""), true },
    { DOC("'/a'", ""), "{}", true },
    { "{}", DOC("", ""), false },
    { DOC("", ""), "{'linux':{'maskedPaths':null}}", false },
  };
  CASE_ORDERS("paths", SPEC_CONFIG, NULL, cases);
}

Test(control_paths, promise) {
  static const struct promise_case cases[] = {
    { DOC("'/proc/kcore'", "'/proc/sys'"), false },
    { DOC("'/x','/proc/kcore','/proc/sys'", ""), false },
    { DOC("", "'/proc/sys','/proc/kcore'"), true },
    { DOC("'/proc/kcore/'", "'/proc/sys'"), true },
    { DOC("'/proc/kcore'", ""), true },
    { "{}", true },
  };
  CASE_PROMISES("paths", SPEC_CONFIG,
                "{'paths':{'action':'harden','masked':['/proc/kcore'],'readonly':['/proc/sys']}}", NULL,
                cases);
}
