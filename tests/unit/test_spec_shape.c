/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "spec/shape.h"
#include "spec/spec.h"

#include <criterion/criterion.h>
#include <string.h>
#include <strings.h>

struct shape_case {
  enum spec_kind kind;
  const char *text; /* members behind ociVersion for SPEC_CONFIG, else the document */
  const char *rule; /* NULL: accepted */
  const char *says; /* a part of the message */
};

#define C SPEC_CONFIG
#define P SPEC_PROCESS
#define R SPEC_RESOURCES

static const struct shape_case cases[] = {
  { C, "", NULL, NULL },
  { C, ",\"process\":null,\"mounts\":null,\"linux\":{\"seccomp\":null,\"resources\":{\"pids\":null}}", NULL,
    NULL },
  { C, ",\"x\":1,\"linux\":{\"y\":[]},\"process\":{\"z\":{\"q\":true}}", NULL, NULL },
  { C, ",\"process\":[]", "OH-SPC-004", "/process: must be an object" },
  { C, ",\"process\":{\"args\":\"sh\"}", "OH-SPC-004", "/process/args: must be an array" },
  { C, ",\"process\":{\"args\":[\"sh\",1]}", "OH-SPC-004", "/process/args/1: must be a string" },
  { C, ",\"process\":{\"args\":[null]}", "OH-SPC-004", "/process/args/0: must be a string" },
  { C, ",\"process\":{\"noNewPrivileges\":1}", "OH-SPC-004", "must be a boolean" },
  { C, ",\"process\":{\"noNewPrivileges\":\"true\"}", "OH-SPC-004", "must be a boolean" },
  { C, ",\"process\":{\"cwd\":18446744073709551615}", "OH-SPC-004", "/process/cwd: must be a string" },
  { C, ",\"process\":{\"user\":{\"uid\":4294967294}}", NULL, NULL },
  { C, ",\"process\":{\"user\":{\"uid\":4294967295}}", "OH-SPC-005", "/process/user/uid" },
  { C, ",\"process\":{\"user\":{\"additionalGids\":[4294967295]}}", "OH-SPC-005",
    "/process/user/additionalGids/0" },
  { P, "{\"user\":{\"gid\":4294967295}}", "OH-SPC-005", "/user/gid" },
  { C, ",\"process\":{\"user\":{\"uid\":4294967296}}", "OH-SPC-005", "/process/user/uid" },
  { C, ",\"process\":{\"user\":{\"uid\":18446744073709551615}}", "OH-SPC-005", "/process/user/uid" },
  { C, ",\"process\":{\"user\":{\"uid\":-1}}", "OH-SPC-005", "/process/user/uid" },
  { C, ",\"process\":{\"user\":{\"uid\":0.0}}", "OH-SPC-004",
    "/process/user/uid: must be an unsigned integer" },
  { C, ",\"process\":{\"user\":{\"uid\":\"0\"}}", "OH-SPC-004", "/process/user/uid" },
  { C, ",\"process\":{\"user\":{\"additionalGids\":[1,-2]}}", "OH-SPC-005",
    "/process/user/additionalGids/1" },
  { C, ",\"process\":{\"capabilities\":[]}", "OH-SPC-004", "/process/capabilities" },
  { C, ",\"process\":{\"capabilities\":{\"ambient\":\"CAP_X\"}}", "OH-SPC-004",
    "/process/capabilities/ambient" },
  { C, ",\"process\":{\"oomScoreAdj\":-1000}", NULL, NULL },
  { C, ",\"process\":{\"oomScoreAdj\":2147483648}", "OH-SPC-005", "/process/oomScoreAdj" },
  { C, ",\"process\":{\"rlimits\":[{\"type\":\"A\",\"hard\":18446744073709551615,\"soft\":0}]}", NULL, NULL },
  { C, ",\"process\":{\"rlimits\":[{\"type\":\"A\",\"hard\":-1,\"soft\":0}]}", "OH-SPC-005",
    "/process/rlimits/0/hard" },
  { C, ",\"process\":{\"rlimits\":[{\"type\":\"A\",\"hard\":1}]}", "OH-SPC-006",
    "/process/rlimits/0/soft: is missing" },
  { C,
    ",\"process\":{\"rlimits\":[{\"type\":\"A\",\"hard\":1,\"soft\":1},{\"type\":\"A\",\"hard\":2,\"soft\":1}"
    "]}",
    "OH-SPC-007", "/process/rlimits/1: type \"A\"" },
  { C, ",\"mounts\":{}", "OH-SPC-004", "/mounts: must be an array" },
  { C, ",\"mounts\":[null]", "OH-SPC-004", "/mounts/0: must be an object" },
  { C, ",\"mounts\":[{\"destination\":\"/a\"},{}]", "OH-SPC-006", "/mounts/1/destination: is missing" },
  { C, ",\"mounts\":[{\"destination\":null}]", "OH-SPC-006", "/mounts/0/destination: is missing" },
  { C, ",\"mounts\":[{\"destination\":\"/a\",\"options\":\"ro\"}]", "OH-SPC-004", "/mounts/0/options" },
  { C, ",\"mounts\":[{\"destination\":\"/a\"},{\"destination\":\"/a\"}]", NULL, NULL },
  { C, ",\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":[{\"containerID\":0,\"hostID\":1}]}]",
    "OH-SPC-006", "/mounts/0/uidMappings/0/size" },
  { C, ",\"annotations\":{\"a\":1}", "OH-SPC-004", "/annotations/a: must be a string" },
  { C, ",\"annotations\":[]", "OH-SPC-004", "/annotations: must be an object" },
  { C, ",\"root\":{}", "OH-SPC-006", "/root/path: is missing" },
  { C, ",\"root\":{\"path\":\"a/../b\"}", "OH-SPC-009", "/root/path: has" },
  { C, ",\"root\":{\"path\":\"..\"}", "OH-SPC-009", "/root/path" },
  { C, ",\"root\":{\"path\":\"/a/../b\"}", "OH-SPC-009", "/root/path" },
  { C, ",\"root\":{\"path\":\"a..b/...\"}", NULL, NULL },
  { C, ",\"mounts\":[{\"destination\":\"/a\"},{\"destination\":\"/b\",\"source\":\"l/..\"}]", "OH-SPC-009",
    "/mounts/1/source" },
  { C, ",\"mounts\":[{\"destination\":\"/../b\",\"source\":\"/a/../b\"}]", NULL, NULL },
  { C, ",\"hooks\":{\"prestart\":[{\"args\":[]}]}", "OH-SPC-006", "/hooks/prestart/0/path" },
  { C, ",\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"env\":{}}]}", "OH-SPC-004", "/hooks/poststop/0/env" },
  { C, ",\"hooks\":{\"startContainer\":{}}", "OH-SPC-004", "/hooks/startContainer" },
  { C, ",\"linux\":{\"namespaces\":[{\"path\":\"/x\"}]}", "OH-SPC-006", "/linux/namespaces/0/type" },
  { C, ",\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}]}",
    "OH-SPC-007", "/linux/namespaces/1: type \"pid\"" },
  { C, ",\"linux\":{\"intelRdt\":{\"closID\":\"a\"}}", NULL, NULL },
  { C, ",\"linux\":{\"intelRdt\":{\"closID\":\"/\",\"enableMonitoring\":true}}", NULL, NULL },
  { C, ",\"linux\":{\"intelRdt\":{\"closID\":\"/\",\"schemata\":[\"MB:0=10\"]}}", "OH-SPC-008",
    "/linux/intelRdt/closID" },
  { C, ",\"linux\":{\"intelRdt\":{\"closID\":\"/\",\"l3CacheSchema\":\"L3:0=1\"}}", "OH-SPC-008",
    "/linux/intelRdt/closID" },
  { C, ",\"linux\":{\"intelRdt\":{\"closID\":\"../../x\"}}", "OH-SPC-008", "/linux/intelRdt/closID" },
  { C, ",\"linux\":{\"intelRdt\":{\"closID\":\"..\"}}", "OH-SPC-008", "/linux/intelRdt/closID" },
  { C, ",\"linux\":{\"maskedPaths\":[1]}", "OH-SPC-004", "/linux/maskedPaths/0" },
  { C, ",\"linux\":{\"sysctl\":{\"a\":{}}}", "OH-SPC-004", "/linux/sysctl/a" },
  { C, ",\"linux\":{\"seccomp\":{}}", "OH-SPC-006", "/linux/seccomp/defaultAction" },
  { C, ",\"linux\":{\"seccomp\":{\"defaultAction\":\"A\",\"syscalls\":[{\"action\":\"B\"}]}}", "OH-SPC-006",
    "/linux/seccomp/syscalls/0/names" },
  { C,
    ",\"linux\":{\"seccomp\":{\"defaultAction\":\"A\",\"syscalls\":[{\"action\":\"B\",\"names\":[],"
    "\"args\":[{\"index\":0,\"value\":18446744073709551615,\"op\":\"C\"}]}]}}",
    NULL, NULL },
  { C, ",\"linux\":{\"devices\":[{\"path\":\"/dev/a\",\"type\":1}]}", "OH-SPC-004", "/linux/devices/0/type" },
  { C, ",\"linux\":{\"resources\":{\"devices\":[{}]}}", "OH-SPC-006", "/linux/resources/devices/0/allow" },
  { C, ",\"linux\":{\"resources\":{\"memory\":{\"limit\":18446744073709551615}}}", "OH-SPC-005",
    "memory/limit" },
  { C, ",\"linux\":{\"resources\":{\"unified\":{\"pids.max\":1}}}", "OH-SPC-004",
    "/linux/resources/unified/pids.max" },
  { C, ",\"linux\":{\"timeOffsets\":{\"boottime\":{\"secs\":\"1\"}}}", "OH-SPC-004",
    "/linux/timeOffsets/boottime/secs" },
  /* folded names */
  { C, ",\"Process\":{}", "OH-SPC-003",
    "1:23: /Process: runc, written in Go, reads this key as \"process\"" },
  { C, ",\"process\":{\"NoNewPrivileges\":true}", "OH-SPC-003", "/process/NoNewPrivileges" },
  { C, ",\"linux\":{\"Seccomp\":null}", "OH-SPC-003", "\"seccomp\"" },
  { C, ",\"linux\":{\"resource\xc5\xbf\":{}}", "OH-SPC-003", "\"resources\"" },
  { C,
    ",\"linu\xe2\x84\xaa\":1,\"lin\":{\"ma\xc5\xbf\xe2\x84\xaa"
    "edPaths\":[]}",
    "OH-SPC-003", "\"maskedPaths\"" },
  { C, ",\"mounts\":[{\"destination\":\"/\"},{\"destination\":\"/\",\"Source\":\"/etc\"}]", "OH-SPC-003",
    "/mounts/1/Source" },
  { C, ",\"Windows\":{}", "OH-SPC-003", "\"windows\"" },
  { C, ",\"hooks\":{\"preStart\":[]}", "OH-SPC-003", "\"prestart\"" },
  { C, ",\"x\":[[{\"ARGS\":1}]]", "OH-SPC-003", "/x/0/0/ARGS" },
  { C, ",\"annotations\":{\"Path\":\"x\",\"TYPE\":\"y\"}", NULL, NULL },
  { C, ",\"linux\":{\"sysctl\":{\"Type\":\"x\"},\"resources\":{\"unified\":{\"Name\":\"y\"}}}", NULL, NULL },
  { C,
    ",\"linux\":{\"resources\":{\"rdma\":{\"Limit\":{\"hcaHandles\":1}}},\"netDevices\":{\"Name\":{\"name\":"
    "\"e\"}}}",
    NULL, NULL },
  { C, ",\"linux\":{\"resources\":{\"rdma\":{\"a\":{\"HcaHandles\":1}}}}", "OH-SPC-003", "\"hcaHandles\"" },
  { C, ",\"Annotations\":{\"Path\":\"x\"}", "OH-SPC-003", "\"annotations\"" },
  { P, "{\"cwd\":\"/\"}", NULL, NULL },
  { P, "[]", "OH-SPC-001", "config.json:1:1: the document must be an object" },
  { P, "null", "OH-SPC-001", "must be an object" },
  { P, "{\"Capabilities\":{}}", "OH-SPC-003", "1:2: /Capabilities: runc" },
  { P, "{\"args\":1}", "OH-SPC-004", "config.json:1:9: /args: must be an array" },
  { R, "{\"pids\":{\"limit\":1}}", NULL, NULL },
  { R, "{\"unified\":{\"Path\":\"1\"}}", NULL, NULL },
  { R, "{\"Unified\":{}}", "OH-SPC-003", ": /Unified: " },
  { R, "{\"memory\":{\"limit\":\"1\"}}", "OH-SPC-004", ": /memory/limit: must be an integer" },
};

static int try_parse(enum spec_kind kind, const char *text, struct error *err) {
  CLEANUP_SPEC struct spec spec = { 0 };
  const struct jsonx_source src = { "config.json", text, strlen(text) };
  *err = (struct error){ 0 };
  return spec_parse(&spec, kind, &src, JSONX_LIMIT_DEFAULT, err);
}

Test(shape, cases) {
  for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
    const struct shape_case *c = &cases[i];
    CLEANUP_FREE char *text =
        c->kind == SPEC_CONFIG ? xasprintf("{\"ociVersion\":\"1.0.2\"%s}", c->text) : xstrdup(c->text);
    struct error err;
    int rc = try_parse(c->kind, text, &err);
    if (!c->rule) {
      cr_expect(rc == 0, "%s: %s", text, err.message);
      continue;
    }
    cr_assert(rc == -1, "accepted: %s", text);
    cr_expect(strcmp(err.rule, c->rule) == 0, "%s: %s %s", text, err.rule, err.message);
    cr_expect(strstr(err.message, c->says) != NULL, "%s: %s", text, err.message);
    cr_expect(err.code == ERROR_INPUT || err.code == ERROR_REFUSED);
    cr_expect(str_starts(err.message, "config.json:"), "%s", err.message);
  }
}

Test(shape, version) {
  static const char *const good[] = { "1.0.0", "1.0.2-dev", "1.2.1+dev", "1.30.45", "1.0.0-rc1" };
  static const char *const bad[] = { "",      "1",      "1.0",    "2.0.0", "0.9.0",
                                     "1.0.x", "1.0.0x", "11.0.0", "1..0",  "v1.0.0" };
  struct error err;
  for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
    CLEANUP_FREE char *text = xasprintf("{\"ociVersion\":\"%s\"}", good[i]);
    cr_expect(try_parse(SPEC_CONFIG, text, &err) == 0, "%s", err.message);
  }
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    CLEANUP_FREE char *text = xasprintf("{\"ociVersion\":\"%s\"}", bad[i]);
    cr_expect(try_parse(SPEC_CONFIG, text, &err) == -1 && strcmp(err.rule, "OH-SPC-002") == 0, "%s", bad[i]);
  }
  cr_expect(try_parse(SPEC_CONFIG, "{}", &err) == -1 && strstr(err.message, "/ociVersion: is missing"));
  cr_expect(try_parse(SPEC_CONFIG, "{\"ociVersion\":1}", &err) == -1 && strstr(err.message, "a string"));
}

/* Values may be secrets: a message about the environment never shows one. */
Test(shape, errors_do_not_show_values) {
  struct error err;
  cr_expect(try_parse(SPEC_PROCESS, "{\"env\":[\"A=1\",{\"hush\":\"secret\"}]}", &err) == -1);
  cr_expect(strstr(err.message, "/env/1") && !strstr(err.message, "secret"), "%s", err.message);
}

Test(shape, many_duplicates_do_not_cost_a_square) {
  CLEANUP_STR struct str text = { 0 };
  str_add(&text, "{\"ociVersion\":\"1.0.0\",\"linux\":{\"namespaces\":[{\"type\":\"t\"}");
  for (int i = 0; i < 100000; i++)
    str_addf(&text, ",{\"type\":\"t%d\"}", i);
  str_add(&text, "]}}");
  struct error err;
  cr_expect(try_parse(SPEC_CONFIG, text.data, &err) == -1 && strcmp(err.rule, "OH-SPC-007") == 0, "%s",
            err.message);
}

Test(names, table_is_sorted_and_folds_are_unique) {
  for (size_t i = 1; i < oci_names_len; i++)
    cr_expect(strcasecmp(oci_names[i - 1], oci_names[i]) < 0, "%s, %s", oci_names[i - 1], oci_names[i]);
  for (size_t i = 0; i < oci_names_len; i++)
    cr_expect(names_find(oci_names[i]) == oci_names[i]);
}

Test(names, find) {
  cr_expect(strcmp(names_find("NONEWPRIVILEGES"), "noNewPrivileges") == 0);
  cr_expect(strcmp(names_find("\xe2\x84\xaa"
                              "ernel"),
                   "kernel") == 0);
  cr_expect(strcmp(names_find("proce\xc5\xbf\xc5\xbf"), "process") == 0);
  static const char *const unknown[] = { "",        "x", "no_new_privileges", "process ", "proc\xc3\xa9ss",
                                         "\xc5\xbe" };
  for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
    cr_expect(names_find(unknown[i]) == NULL, "%s", unknown[i]);
}
