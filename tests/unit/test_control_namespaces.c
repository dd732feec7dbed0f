/* SPDX-License-Identifier: Apache-2.0 */
#include "control_case.h"

#define NS(list) "{'linux':{'namespaces':[" list "]}}"
#define FIVE "{'type':'pid'},{'type':'ipc'},{'type':'uts'},{'type':'cgroup'},{'type':'mount'}"

Test(control_namespaces, order) {
  static const struct order_case cases[] = {
    { NS("{'type':'pid'}"), NS("{'type':'pid'},{'type':'ipc'}"), false },
    { NS("{'type':'pid'}"), NS("{'type':'ipc'}"), true },
    { NS("{'type':'pid'}"), "{}", true },
    { NS("{'type':'pid','path':'/a'}"), NS("{'type':'pid'}"), false },
    { NS("{'type':'pid','path':'/a'}"), NS("{'type':'pid','path':'/b'}"), true },
    { NS("{'type':'pid'}"), NS("{'type':'pid','path':'/a'}"), true },
    { "{}", NS("{'type':'pid','path':'/a'}"), true },
    { "{}", NS("{'type':'pid','path':''}"), false },
    { "{'linux':{'timeOffsets':{'monotonic':{'secs':1}}}}", "{'linux':{}}", false },
    { "{'linux':{}}", "{'linux':{'timeOffsets':{'monotonic':{'secs':1}}}}", true },
    { "{'linux':{'netDevices':{'eth0':{}}}}", "{'linux':{}}", false },
    { "{'linux':{}}", "{'linux':{'netDevices':{'eth0':{}}}}", true },
    { "{'linux':{'netDevices':{'eth0':{}}}}", "{'linux':{'netDevices':{'eth1':{}}}}", true },
  };
  CASE_ORDERS("namespaces", SPEC_CONFIG, NULL, cases);
}

Test(control_namespaces, promise) {
  static const struct promise_case cases[] = {
    { NS(FIVE ",{'type':'network'}"), false },
    { NS(FIVE ",{'type':'network','path':'/run/netns/pod'}"), false },
    { NS(FIVE), true },
    { "{}", true },
    { NS(FIVE ",{'type':'network','path':'/host/net'}"), true },
    { NS(FIVE ",{'type':'network','path':'/gone'}"), true },
    { NS(FIVE ",{'type':'network','path':'run/netns/pod'}"), true },
    { NS(FIVE ",{'type':'network'},{'type':'network','path':'/run/netns/pod'}"), true },
    { NS(FIVE ",{'type':'network'},{'type':'user','path':'/host/user'}"), true },
    { NS("{'type':'pid'},{'type':'ipc'},{'type':'uts'},{'type':'cgroup'},{'type':'network'},"
         "{'type':'mount','path':'/proc/9/ns/mnt'}"),
      true },
    { "{'linux':{'namespaces':[" FIVE ",{'type':'network'}],'timeOffsets':{}}}", true },
    { "{'linux':{'namespaces':[" FIVE ",{'type':'network'}],'netDevices':{}}}", false },
    { "{'linux':{'namespaces':[" FIVE ",{'type':'network'}],'netDevices':{'eth0':{}}}}", true },
  };
  CASE_PROMISES(
      "namespaces", SPEC_CONFIG,
      "{'namespaces':{'action':'harden','pid':'private','ipc':'private','uts':'private','mount':'private',"
      "'cgroup':'private','network':'private','timeOffsets':false}}",
      "{'hostKnown':true,'hostNamespacePaths':['/host/net','/host/user'],'badNamespacePaths':['/gone']}",
      cases);
}

Test(control_namespaces, any_still_wants_mounts_of_its_own) {
  static const struct promise_case cases[] = {
    { NS("{'type':'mount'}"), false },
    { NS("{'type':'mount'},{'type':'network','path':'/host/net'}"), false },
    { NS("{'type':'pid'}"), true },
    { NS("{'type':'mount'},{'type':'network','path':'/gone'}"), true },
  };
  CASE_PROMISES(
      "namespaces", SPEC_CONFIG,
      "{'namespaces':{'action':'harden','pid':'any','ipc':'any','uts':'any','mount':'any','cgroup':'any',"
      "'network':'any','timeOffsets':true}}",
      "{'hostKnown':true,'hostNamespacePaths':['/host/net'],'badNamespacePaths':['/gone']}", cases);
}
