/* SPDX-License-Identifier: Apache-2.0 */
#include "control/limits.h"

#include "control_case.h"

#define DOC(resources) "{'linux':{'resources':{" resources "}}}"
#define RLIMIT(type, hard, soft)                                                                             \
  "{'process':{'rlimits':[{'type':'" type "','hard':" hard ",'soft':" soft "}]}}"
#define INFINITE "18446744073709551615"

Test(control_resources, order) {
  static const struct order_case cases[] = {
    { DOC("'pids':{'limit':100}"), DOC("'pids':{'limit':50}"), false },
    { DOC("'pids':{'limit':50}"), DOC("'pids':{'limit':100}"), true },
    { DOC("'pids':{'limit':50}"), DOC("'pids':{'limit':0}"), true },
    { DOC("'pids':{'limit':50}"), DOC(""), true },
    { DOC("'pids':{'limit':-1}"), DOC("'pids':{'limit':50}"), false },
    { DOC("'memory':{'limit':100}"), DOC("'memory':{'limit':-1}"), true },
    { DOC("'memory':{'limit':100,'swap':100}"), DOC("'memory':{'limit':100}"), true },
    { DOC("'memory':{'limit':100,'swap':-1}"), DOC("'memory':{'limit':100,'swap':100}"), false },
    { DOC("'memory':{'limit':100}"), DOC("'memory':{'limit':100,'disableOOMKiller':true}"), true },
    { DOC("'cpu':{'quota':50000}"), DOC("'cpu':{'quota':25000,'period':50000}"), false },
    { DOC("'cpu':{'quota':50000}"), DOC("'cpu':{'quota':50000,'period':50000}"), true },
    { DOC("'cpu':{'quota':50000}"), DOC("'cpu':{'period':100000}"), true },
    { DOC(""), DOC("'cpu':{'quota':50000}"), false },
    { DOC("'unified':{'pids.max':'10'}"), DOC("'pids':{'limit':100}"), true },
    { DOC("'unified':{'pids.max':'max'}"), DOC("'pids':{'limit':100}"), false },
    { DOC("'unified':{'pids.max':'10'}"), DOC("'unified':{'pids.max':'11'}"), true },
    { DOC("'pids':{'limit':5},'unified':{'pids.max':'10'}"), DOC("'pids':{'limit':5}"), false },
    { DOC("'unified':{'cpu.max':'1000 100000'}"), DOC("'cpu':{'quota':2000}"), true },
    { DOC("'unified':{'memory.high':'10'}"), DOC(""), true },
    { DOC("'unified':{'cpu.weight':'10'}"), DOC(""), false },
    { DOC(""), DOC("'unified':{'cpu.weight':'10'}"), true },
    { RLIMIT("RLIMIT_NOFILE", INFINITE, INFINITE), RLIMIT("RLIMIT_NOFILE", "10", "10"), false },
    { RLIMIT("RLIMIT_NOFILE", "10", "10"), RLIMIT("RLIMIT_NOFILE", "11", "10"), true },
    { RLIMIT("RLIMIT_NOFILE", "10", "5"), RLIMIT("RLIMIT_NOFILE", "10", "6"), true },
    { RLIMIT("RLIMIT_NOFILE", "10", "10"), "{'process':{}}", true },
    { "{'process':{}}", RLIMIT("RLIMIT_NOFILE", "10", "10"), true }, /* may be more than what is inherited */
    { "{'process':{}}", RLIMIT("RLIMIT_CORE", "0", "0"), false },
  };
  CASE_ORDERS("resources", SPEC_CONFIG, NULL, cases);
}

/* An update changes what it names: to name less is never weaker. */
Test(control_resources, order_of_updates) {
  static const struct order_case cases[] = {
    { DOC("'pids':{'limit':0}"), DOC(""), false },
    { DOC("'cpu':{'quota':0,'period':1000}"), DOC(""), false },
    { DOC("'unified':{'memory.high':'max'}"), DOC(""), false },
    { DOC("'memory':{'limit':100}"), DOC("'memory':{'limit':200}"), true },
    { DOC(""), DOC("'unified':{'memory.high':'max'}"), true },
  };
  CASE_ORDERS("resources", SPEC_RESOURCES, NULL, cases);
}

static const char policy[] = "{'resources':{'action':'harden','pidsMax':100,'memoryMax':1000000,'cpuMax':"
                             "1000,'unified':['cpu.weight'],"
                             "'nofileMax':64,'nprocMax':-1,'coreMax':-1}}";
#define PIDS "'pids':{'limit':100}"
#define MEMORY "'memory':{'limit':1000000}"
#define CPU "'cpu':{'quota':100000}"

Test(control_resources, promise) {
  static const struct promise_case cases[] = {
    { DOC(PIDS "," MEMORY "," CPU), false },
    { DOC(MEMORY "," CPU), true },
    { DOC(PIDS "," CPU), true },
    { DOC(PIDS "," MEMORY), true },
    { DOC("'pids':{'limit':101}," MEMORY "," CPU), true },
    { DOC(PIDS ",'memory':{'limit':1000000,'swap':1000001}," CPU), true },
    { DOC(PIDS ",'memory':{'limit':1000000,'swap':-1}," CPU), true },
    { DOC(PIDS ",'memory':{'limit':1000,'disableOOMKiller':true}," CPU), true },
    { DOC(PIDS "," MEMORY ",'cpu':{'quota':100000,'period':99999}"), true },
    { DOC(PIDS "," MEMORY "," CPU ",'unified':{'pids.max':'max'}"), true },
    { DOC(PIDS "," MEMORY "," CPU ",'unified':{'pids.max':'7 '}"), true },
    { DOC(PIDS "," MEMORY "," CPU ",'unified':{'pids.max':'7','cpu.max':'1000 1000','cpu.weight':'1'}"),
      false },
    { DOC(PIDS "," MEMORY "," CPU ",'unified':{'cpu.max':'1001 1000'}"), true },
    { DOC(PIDS "," MEMORY "," CPU ",'unified':{'cgroup.procs':'1'}"), true },
    { DOC(PIDS "," MEMORY "," CPU ",'unified':{'../../x.max':'1'}"), true },
    { "{'process':{'rlimits':[{'type':'RLIMIT_NOFILE','hard':65,'soft':64}]},'linux':{'resources':{" PIDS
      "," MEMORY "," CPU "}}}",
      true },
  };
  CASE_PROMISES("resources", SPEC_CONFIG, policy, NULL, cases);
}

Test(control_resources, promise_of_other_documents) {
  static const struct promise_case updates[] = {
    { DOC(""), false },
    { DOC("'pids':{'limit':101}"), true },
    { DOC("'pids':{'limit':-1}"), true },
    { DOC("'cpu':{'period':1000}"), true },
    { DOC("'devices':[]"), true },
    { DOC("'unified':{'memory.high':'max'}"), true },
  };
  CASE_PROMISES("resources", SPEC_RESOURCES, policy, NULL, updates);
  static const struct promise_case execs[] = {
    { "{'process':{}}", false },
    { RLIMIT("RLIMIT_NOFILE", "64", "64"), false },
    { RLIMIT("RLIMIT_NOFILE", INFINITE, "64"), true },
    { RLIMIT("RLIMIT_NPROC", INFINITE, INFINITE), false },
  };
  CASE_PROMISES("resources", SPEC_PROCESS, policy, NULL, execs);
  static const struct promise_case sandboxes[] = { { DOC(PIDS "," MEMORY), false },
                                                   { DOC(PIDS "," CPU), true } };
  CASE_PROMISES("resources", SPEC_CONFIG, policy, "{'sandbox':true}", sandboxes);
}

/* For any ceiling and period: the quota that comes of it is one the kernel takes, and at most the ceiling
 * where the kernel's least quota (1 ms) allows that. */
/* Without a limit in the document the process has what is inherited. */
#define INHERITED "{'rlimits':{'RLIMIT_NOFILE':{'soft':1024,'hard':4096}}}"
Test(control_resources, order_of_inherited_limits) {
  static const struct order_case cases[] = {
    { "{'process':{}}", RLIMIT("RLIMIT_NOFILE", "4096", "1024"), false },
    { "{'process':{}}", RLIMIT("RLIMIT_NOFILE", "64", "64"), false },
    { "{'process':{}}", RLIMIT("RLIMIT_NOFILE", "4097", "1024"), true },
    { "{'process':{}}", RLIMIT("RLIMIT_NOFILE", "4096", "1025"), true },
    { "{'process':{}}", RLIMIT("RLIMIT_NPROC", "1", "1"), true },
    { "{'process':{}}", RLIMIT("RLIMIT_NPROC", "0", "0"), false },
  };
  CASE_ORDERS("resources", SPEC_CONFIG, INHERITED, cases);
}

Test(control_resources, promise_of_inherited_limits) {
  static const struct promise_case cases[] = {
    { "{'process':{'cwd':'/'}}", true },
    { RLIMIT("RLIMIT_NOFILE", "64", "64"), false },
    { RLIMIT("RLIMIT_NOFILE", "65", "64"), true },
    { "{}", false },
  };
  CASE_PROMISES("resources", SPEC_PROCESS,
                "{'resources':{'action':'harden','pidsMax':-1,'memoryMax':-1,'cpuMax':-1,'nofileMax':64,"
                "'nprocMax':-1,'coreMax':-1}}",
                INHERITED, cases);
}

Test(limits, cpu_ceiling) {
  srand(1);
  for (int i = 0; i < 100000; i++) {
    int64_t thousandths = 10 + rand() % 200000, period = (int64_t)rand() * rand() % 3000000;
    struct cpu_limit c = cpu_limit_ceiling(thousandths, period);
    cr_assert(c.period >= 1000 && c.period <= 1000000 && c.quota >= 1000);
    cr_assert_leq(c.quota * 1000, thousandths * c.period);
    cr_assert_not(cpu_limit_above(c, c));
    struct cpu_limit more = { c.quota + 1, c.period }, none = { -1, c.period };
    cr_assert(cpu_limit_above(more, c) && cpu_limit_above(none, more) && !cpu_limit_above(c, none));
    cr_assert_not(cpu_limit_above(none, none));
  }
}

Test(limits, numbers) {
  static const struct {
    const char *value;
    int64_t limit;
  } rows[] = { { "[1]", 1 },
               { "[0]", LIMIT_NONE },
               { "[-1]", LIMIT_NONE },
               { "[9223372036854775807]", INT64_MAX },
               { "[18446744073709551615]", LIMIT_NONE },
               { "['5']", LIMIT_NONE } };
  for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
    json_auto_t *array = case_json(rows[i].value);
    cr_expect_eq(limit_read(json_array_get(array, 0)), rows[i].limit, "%s", rows[i].value);
  }
  cr_expect_eq(limit_read(NULL), LIMIT_NONE);
}
