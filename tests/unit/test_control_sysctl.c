/* SPDX-License-Identifier: Apache-2.0 */
#include "control_case.h"

#define DOC(ns, map) "{'linux':{'namespaces':[" ns "],'sysctl':{" map "}}}"
#define NET "{'type':'network'}"
#define IPC "{'type':'ipc'}"

Test(control_sysctl, order) {
  static const struct order_case cases[] = {
    { DOC(NET, "'a.b':'1','c.d':'2'"), DOC(NET, "'a.b':'1'"), false },
    { DOC(NET, "'a.b':'1'"), DOC(NET, "'a.b':'2'"), true },
    { DOC(NET, ""), DOC(NET, "'a.b':'1'"), true },
    { DOC(NET, "'a.b':'1'"), "{}", false },
  };
  CASE_ORDERS("sysctl", SPEC_CONFIG, NULL, cases);
}

Test(control_sysctl, promise) {
  static const struct promise_case cases[] = {
    { "{}", false },
    { DOC(NET, "'net.ipv4.tcp_wmem':'1'"), false },
    { DOC(NET, "'net/ipv4/tcp_wmem':'1'"), false },
    { DOC(NET, "'net.ipv4.other':'1'"), true },
    { DOC(IPC, "'net.ipv4.tcp_wmem':'1'"), true },
    { DOC("", "'net.ipv4.tcp_wmem':'1'"), true },
    { DOC("{'type':'network','path':'/host/net'}", "'net.ipv4.tcp_wmem':'1'"), true },
    { DOC("{'type':'network','path':'/run/netns/pod'}", "'net.ipv4.tcp_wmem':'1'"), false },
    { DOC(IPC, "'kernel.shmmax':'1','kernel.msgmax':'1','fs.mqueue.queues_max':'1'"), false },
    { DOC(NET, "'kernel.shmmax':'1'"), true },
    { DOC("{'type':'uts'}", "'kernel.domainname':'x'"), false },
    { DOC(NET "," IPC, "'kernel.domainname':'x'"), true },
    { DOC(NET "," IPC, "'kernel.core_pattern':'|/x'"), true },
    { DOC(NET, "'net.ipv4./../../kernel/core_pattern':'|/x'"), true },
    { DOC(NET, "'net.':'1'"), true },
    { DOC(NET, "'.net.ipv4.tcp_wmem':'1'"), true },
    { DOC(NET, "'net.ipv4.tcp_wmem ':'1'"), true },
  };
  CASE_PROMISES(
      "sysctl", SPEC_CONFIG,
      "{'sysctl':{'action':'harden','allow':['net.ipv4.tcp_*','kernel.*','fs.mqueue.*','net.ipv4.*core*']}}",
      "{'hostKnown':true,'hostNamespacePaths':['/host/net']}", cases);
}
