/* SPDX-License-Identifier: Apache-2.0 */
#include "control_case.h"

#define OOM(score) "{'process':{'cwd':'/','oomScoreAdj':" score "}}"
#define NO_OOM "{'process':{'cwd':'/'}}"

Test(control_process, order_of_oom_scores) {
  static const struct order_case cases[] = {
    { OOM("0"), OOM("0"), false }, { OOM("0"), OOM("1"), false }, { OOM("0"), OOM("-1"), true },
    { OOM("0"), NO_OOM, true },    { NO_OOM, OOM("1000"), true }, { NO_OOM, NO_OOM, false },
  };
  CASE_ORDERS("process", SPEC_CONFIG, NULL, cases);
  static const struct order_case known[] = {
    { NO_OOM, OOM("-500"), false },
    { NO_OOM, OOM("0"), false },
    { NO_OOM, OOM("-501"), true },
  };
  CASE_ORDERS("process", SPEC_CONFIG, "{'oomScoreAdj':-500}", known);
}

Test(control_process, promise_of_oom_scores) {
  static const char policy[] = "{'process':{'action':'harden','oomScoreAdjMin':0}}";
  static const struct promise_case unknown[] = {
    { NO_OOM, false },
    { OOM("0"), false },
    { OOM("-1"), true },
  };
  CASE_PROMISES("process", SPEC_CONFIG, policy, NULL, unknown);
  static const struct promise_case below[] = {
    { NO_OOM, true },
    { OOM("0"), false },
  };
  CASE_PROMISES("process", SPEC_PROCESS, policy, "{'oomScoreAdj':-1}", below);
  static const struct promise_case within[] = {
    { NO_OOM, false },
  };
  CASE_PROMISES("process", SPEC_PROCESS, policy, "{'oomScoreAdj':0}", within);
}
