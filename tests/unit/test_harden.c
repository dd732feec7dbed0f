/* SPDX-License-Identifier: Apache-2.0 */
/* What only the flow of harden_run shows: two policies over one document, by what is known of a host. */
#include "harden/harden.h"

#include "testfile.h"

#define NETWORK "/proc/77/ns/net"

/* A container in a network that its engine made, which is offered a user namespace. */
static const char document[] =
    "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},"
    "\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"],\"user\":{\"uid\":0,\"gid\":0}},"
    "\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
    "{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\"]}],"
    "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"pid\"},{\"type\":\"ipc\"},"
    "{\"type\":\"network\",\"path\":\"" NETWORK "\"}],"
    "\"sysctl\":{\"net/ipv4/ping_group_range\":\"0 "
    "2147483647\",\"net.ipv4.ip_unprivileged_port_start\":\"0\"}}}";

static const char maps[] = "{\"extends\":\"baseline\",\"seccomp\":{\"action\":\"off\"},"
                           "\"user-namespace\":{\"action\":\"harden\",\"mode\":\"auto\"}}";
static const char without_ports[] =
    "{\"extends\":\"baseline\",\"seccomp\":{\"action\":\"off\"},\"sysctl\":{\"action\":\"harden\","
    "\"allow\":[\"net.ipv4.ping_group_range\"]}}";

struct flow {
  struct policy policies[HARDEN_POLICIES_MAX];
  struct facts facts;
  struct harden harden;
  int rc;
  struct error err;
};

static void flow_free(struct flow *f) {
  harden_free(&f->harden);
  facts_free(&f->facts);
  for (size_t i = 0; i < HARDEN_POLICIES_MAX; i++)
    policy_free(&f->policies[i]);
}

static void flow_run(struct flow *f, enum runtime_kind runtime, const char *first, const char *second) {
  const char *const texts[HARDEN_POLICIES_MAX] = { first, second };
  const struct jsonx_source src = { "config.json", document, strlen(document) };
  struct harden_options options = { .bundle_fd = -1, .runtime = runtime, .facts = &f->facts };
  cr_assert_eq(harden_parse(&f->harden, SPEC_CONFIG, &src, JSONX_LIMIT_DEFAULT, &f->err), 0, "%s",
               f->err.message);
  for (size_t i = 0; i < HARDEN_POLICIES_MAX && texts[i]; i++) {
    const struct jsonx_source policy = { "policy.json", texts[i], strlen(texts[i]) };
    cr_assert_eq(policy_load_text("/nonexistent", &policy, &f->policies[i], &f->err), 0, "%s",
                 f->err.message);
    options.policies[options.policies_len++] = &f->policies[i];
  }
  facts_unknown(&f->facts, &f->harden.spec, runtime);
  facts_offer(&f->facts, 1879048192, ID_BLOCK, "/run/maps/x", NULL);
  if (runtime == RUNTIME_RUNC)
    facts_offer_entered(&f->facts, ENTERED_NETWORK, NETWORK);
  f->rc = harden_run(&f->harden, &options, &f->err);
}

static bool is_mapped(const struct flow *f) {
  return strstr(f->harden.bytes.data, "/run/maps/x/rootfs") != NULL;
}

static const char *outside(const struct flow *f, const char *name) {
  return json_string_value(json_object_get(f->harden.outside, name));
}

static const enum runtime_kind kinds[] = { RUNTIME_RUNC, RUNTIME_CRUN };

Test(harden, sysctls_of_a_joined_network_are_left_to_the_wrapper) {
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
    CLEANUP(flow_free) struct flow f = { 0 };
    flow_run(&f, kinds[i], maps, NULL);
    cr_assert_eq(f.rc, 0, "%s", f.err.message);
    cr_expect(is_mapped(&f));
    cr_expect_eq(json_object_size(f.harden.outside), 2);
    cr_expect_str_eq(outside(&f, "net/ipv4/ping_group_range"), "0 2147483647");
    cr_expect_str_eq(outside(&f, "net.ipv4.ip_unprivileged_port_start"), "0");
    cr_expect_null(strstr(f.harden.bytes.data, "ping_group_range"));
  }
}

/* The first one's user namespace takes nothing out of what the second one judges. */
Test(harden, a_second_policy_judges_what_the_wrapper_is_to_set) {
  for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
    for (int order = 0; order < 2; order++) {
      CLEANUP(flow_free) struct flow f = { 0 };
      flow_run(&f, kinds[i], order ? without_ports : maps, order ? maps : without_ports);
      cr_assert_eq(f.rc, 0, "%s", f.err.message);
      cr_expect(is_mapped(&f));
      cr_expect_str_eq(outside(&f, "net/ipv4/ping_group_range"), "0 2147483647");
      cr_expect_null(outside(&f, "net.ipv4.ip_unprivileged_port_start"));
    }
}

/* ... and where it may only refuse, there is no container. */
Test(harden, a_second_policy_refuses_what_the_wrapper_is_to_set) {
  static const char denies[] = "{\"extends\":\"baseline\",\"seccomp\":{\"action\":\"off\"},"
                               "\"sysctl\":{\"action\":\"deny\",\"allow\":[]}}";
  CLEANUP(flow_free) struct flow f = { 0 };
  flow_run(&f, RUNTIME_RUNC, maps, denies);
  cr_expect_eq(f.rc, -1);
  cr_expect_str_eq(f.err.rule, "OH-SYS-001");
}

/* The judges do not trust the list. */
Test(harden, what_is_set_outside_is_verified) {
  static const char *const bad[] = { "{\"net.ipv4.ip_forward\":\"1\"}", "{\"kernel.core_pattern\":\"|/x\"}",
                                     "{\"net..x\":\"1\"}",
                                     "{\"net.ipv4.ip_unprivileged_port_start\":\"1\"}" };
  CLEANUP(flow_free) struct flow f = { 0 };
  flow_run(&f, RUNTIME_RUNC, maps, NULL);
  cr_assert_eq(f.rc, 0, "%s", f.err.message);
  f.facts.sysctls_outside = f.harden.outside;
  cr_expect_eq(
      harden_verify(SPEC_CONFIG, f.harden.before, f.harden.after.root, &f.policies[0], &f.facts, &f.err), 0,
      "%s", f.err.message);
  for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
    const struct jsonx_source src = { "outside", bad[i], strlen(bad[i]) };
    json_auto_t *list = NULL;
    struct error err = { 0 };
    cr_assert_eq(jsonx_parse(&src, src.len, &list, &err), 0, "%s", err.message);
    f.facts.sysctls_outside = list;
    cr_expect_eq(
        harden_verify(SPEC_CONFIG, f.harden.before, f.harden.after.root, &f.policies[0], &f.facts, &err), -1,
        "%s", bad[i]);
    cr_expect(strstr(err.message, "sysctl"), "%s", err.message);
  }
}

static bool mounts_on(const struct flow *f, const char *place) {
  size_t i;
  json_t *mount;
  json_array_foreach(json_object_get(f->harden.after.root, "mounts"), i, mount) {
    if (strcmp(json_string_value(json_object_get(mount, "destination")), place) == 0)
      return true;
  }
  return false;
}

/* Memory on a path that the other policy masks would be a contradiction, in either order. */
Test(harden, one_policy_masks_where_the_other_gives_memory) {
  static const char memory[] =
      "{\"extends\":\"baseline\",\"seccomp\":{\"action\":\"off\"},\"rootfs\":{\"action\":\"harden\","
      "\"readonly\":true,\"tmpfs\":[\"/tmp\",\"/run\",\"/var/tmp\"]}}";
  static const char masks[] =
      "{\"extends\":\"baseline\",\"seccomp\":{\"action\":\"off\"},\"paths\":{\"action\":\"harden\","
      "\"masked\":[\"/run\"],\"readonly\":[\"/var\"]}}";
  const char *const orders[][2] = { { memory, masks }, { masks, memory } };
  for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
    CLEANUP(flow_free) struct flow f = { 0 };
    flow_run(&f, RUNTIME_RUNC, orders[i][0], orders[i][1]);
    cr_assert_eq(f.rc, 0, "order %zu: %s", i, f.err.message);
    cr_expect(mounts_on(&f, "/tmp"));
    cr_expect_not(mounts_on(&f, "/run"));
    cr_expect_not(mounts_on(&f, "/var/tmp"));
  }
}
