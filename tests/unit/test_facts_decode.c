/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "facts/facts.h"

#include <criterion/criterion.h>
#include <string.h>

static int decode(struct facts *f, const char *text, struct error *err) {
  const struct jsonx_source src = { "facts.json", text, strlen(text) };
  return facts_decode(f, &src, err);
}

static const char whole[] =
    "{\"hostKnown\":true,\"rootfsKnown\":true,\"runtime\":\"crun\",\"rootless\":true,\"sandbox\":true,"
    "\"cgroupV2\":true,\"capLast\":41,\"mountSetattr\":true,\"rootProc\":\"directory\",\"rootSys\":"
    "\"symlink\","
    "\"rootDev\":\"other\",\"rootReal\":\"/"
    "r\",\"rootIsHost\":true,\"rootHoldsBundle\":true,\"cwdResolved\":\"/"
    "c\",\"arg0Resolved\":\"/a\","
    "\"sources\":[{\"source\":\"s\",\"real\":\"/s\",\"sensitive\":\"/"
    "etc\",\"kind\":\"file\",\"options\":[\"ro\"]},"
    "{\"source\":\"t\",\"real\":null,\"sensitive\":null,\"kind\":\"absent\",\"options\":[]}],"
    "\"destinations\":[{\"destination\":\"d\",\"resolved\":\"/"
    "d\",\"exists\":true,\"empty\":true,\"why\":null},"
    "{\"destination\":\"e\",\"resolved\":null,\"exists\":false,\"empty\":false,\"why\":\"loop\"}],"
    "\"hostNamespacePaths\":[\"/n\"],\"badNamespacePaths\":[\"/b\",\"/c\"],\"badHookPaths\":[\"/"
    "h\"],\"badDevicePaths\":[\"/d\"],"
    "\"rlimits\":{\"RLIMIT_NOFILE\":{\"soft\":1,\"hard\":18446744073709551615}},\"oomScoreAdj\":-998,"
    "\"userNamespace\":true}";

Test(facts_decode, every_member) {
  CLEANUP_FACTS struct facts f = { 0 };
  struct error err = { 0 };
  cr_assert(decode(&f, whole, &err) == 0, "%s", err.message);
  cr_expect(f.host_known && f.rootfs_known && f.runtime == RUNTIME_CRUN && f.rootless && f.sandbox);
  cr_expect(f.cgroup_v2 && f.cap_last == 41 && f.mount_setattr && f.root_is_host && f.user_namespace);
  cr_expect(f.root_proc == INODE_DIRECTORY && f.root_sys == INODE_SYMLINK && f.root_dev == INODE_OTHER);
  cr_expect(strcmp(f.root_real, "/r") == 0 && strcmp(f.cwd_resolved, "/c") == 0);
  cr_expect(strcmp(f.arg0_resolved, "/a") == 0);
  cr_expect(strcmp(facts_source(&f, "s")->sensitive, "/etc") == 0);
  cr_expect(strlist_has(&facts_source(&f, "s")->options, "ro"));
  cr_expect(strcmp(facts_source(&f, "s")->real, "/s") == 0 && facts_source(&f, "s")->kind == INODE_FILE);
  cr_expect(facts_source(&f, "t")->kind == INODE_ABSENT && facts_source(&f, "t")->real == NULL);
  cr_expect(facts_destination(&f, "/d")->exists && strcmp(facts_destination(&f, "e")->why, "loop") == 0);
  cr_expect(facts_destination(&f, "d")->empty && strcmp(facts_destination(&f, "d")->resolved, "/d") == 0);
  cr_expect(f.host_namespace_paths.len == 1 && f.bad_namespace_paths.len == 2);
  cr_expect(strlist_has(&f.bad_hook_paths, "/h") && strlist_has(&f.bad_device_paths, "/d"));
  cr_expect(f.oom_score_known && f.oom_score_adj == -998);
  cr_expect(facts_rlimit(&f, "RLIMIT_NOFILE")->soft == 1 &&
            facts_rlimit(&f, "RLIMIT_NOFILE")->hard == UINT64_MAX && !facts_rlimit(&f, "RLIMIT_CORE"));
}

Test(facts_decode, absent_is_unknown) {
  CLEANUP_FACTS struct facts f = { 0 };
  struct error err = { 0 };
  cr_assert(decode(&f, "{}", &err) == 0, "%s", err.message);
  cr_expect(!f.host_known && !f.rootfs_known && f.root_proc == INODE_UNKNOWN && f.cap_last == 40);
  cr_expect(f.runtime == RUNTIME_RUNC && !f.sources && !f.root_real);
  cr_expect(!f.oom_score_known && !facts_rlimit(&f, "RLIMIT_NOFILE"));
}

Test(facts_decode, refuses) {
  static const char *const bad[][2] = {
    { "[]", "" },
    { "{\"hostknown\":true}", "hostKnown" },
    { "{\"runtime\":\"youki\"}", "/runtime" },
    { "{\"capLast\":64}", "/capLast" },
    { "{\"capLast\":\"40\"}", "/capLast" },
    { "{\"sources\":{}}", "/sources" },
    { "{\"sources\":[{\"source\":\"a\"},{}]}", "/sources/1" },
    { "{\"sources\":[{\"source\":\"a\",\"kind\":\"dir\"}]}", "/sources/0/kind" },
    { "{\"destinations\":[{\"resolved\":\"/a\"}]}", "/destinations/0" },
    { "{\"destinations\":[1]}", "/destinations/0" },
    { "{\"badNamespacePaths\":[1]}", "/badNamespacePaths/0" },
    { "{\"rlimits\":{\"RLIMIT_CPU\":{\"soft\":1,\"hard\":1}}}", "/rlimits" },
    { "{\"rlimits\":{\"RLIMIT_CORE\":{\"soft\":1}}}", "/rlimits" },
    { "{\"oomScoreAdj\":-1001}", "/oomScoreAdj" },
  };
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    struct facts f = { .cap_last = -7 };
    struct error err = { 0 };
    cr_expect(decode(&f, bad[i][0], &err) == -1, "%s", bad[i][0]);
    cr_expect(strstr(err.message, bad[i][1]) && str_starts(err.message, "facts.json:"), "%s", err.message);
    cr_expect(f.cap_last == -7, "written to on failure");
  }
}
