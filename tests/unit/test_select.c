/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/config.h"

#include <criterion/criterion.h>
#include <string.h>

static void config(struct config *c, const char *text) {
  const struct jsonx_source src = { "config.json", text, strlen(text) };
  struct error err = { 0 };
  cr_assert(config_decode(&src, c, &err) == 0, "%s", err.message);
}

static json_t *object(const char *text) {
  json_t *value = json_loads(text, 0, NULL);
  cr_assert(value != NULL, "%s", text);
  return value;
}

static void expect(const struct config *c, const struct selection *s, const char *policy, const char *extra) {
  CLEANUP_FREE char *got = NULL;
  CLEANUP_FREE char *got_extra = NULL;
  struct error err = { 0 };
  cr_assert(config_select(c, s, &got, &got_extra, &err) == 0, "%s", err.message);
  cr_expect_str_eq(got, policy);
  if (extra)
    cr_expect(got_extra && strcmp(got_extra, extra) == 0, "%s", got_extra ? got_extra : "none");
  else
    cr_expect_null(got_extra);
}

static struct error refused(const struct config *c, const struct selection *s) {
  char *policy, *extra;
  struct error err = { 0 };
  cr_assert(config_select(c, s, &policy, &extra, &err) < 0);
  return err;
}

/* One rule with one condition each; a selection that meets it and one that does not. */
static const struct {
  const char *rule, *meets, *fails;
} conditions[] = {
  { "\"podNamespace\": \"kube-*\"", "{\"io.kubernetes.cri.sandbox-namespace\": \"kube-system\"}",
    "{\"io.kubernetes.cri.sandbox-namespace\": \"my-kube-system\"}" },
  { "\"podNamespace\": \"kube-*\"", "{\"io.kubernetes.cri-o.Namespace\": \"kube-system\"}",
    "{\"io.kubernetes.cri.namespace\": \"kube-system\"}" },
  { "\"podNamespace\": \"a\"", "{\"io.kubernetes.pod.namespace\": \"a\"}", "{}" },
  { "\"pod\": \"web-*\"", "{\"io.kubernetes.cri.sandbox-name\": \"web-0\"}",
    "{\"io.kubernetes.cri.sandbox-name\": \"web\"}" },
  { "\"pod\": \"web\"", "{\"io.kubernetes.cri-o.KubeName\": \"web\"}",
    "{\"io.kubernetes.pod.name\": \"Web\"}" },
  { "\"container\": \"main\"", "{\"io.kubernetes.cri.container-name\": \"main\"}",
    "{\"io.kubernetes.cri.container-name\": \"side\"}" },
  { "\"container\": \"main\"", "{\"io.kubernetes.container.name\": \"main\"}", "{}" },
  { "\"image\": \"registry.example/*\"", "{\"io.kubernetes.cri.image-name\": \"registry.example/a/b:1\"}",
    "{\"io.kubernetes.cri.image-name\": \"docker.io/registry.example/a\"}" },
  { "\"image\": \"*:1\"", "{\"io.kubernetes.cri-o.ImageName\": \"x:1\"}", "{}" },
  { "\"containerType\": \"sandbox\"", "{\"io.kubernetes.cri.container-type\": \"sandbox\"}",
    "{\"io.kubernetes.cri.container-type\": \"container\"}" },
  { "\"containerType\": \"sandbox\"", "{\"io.kubernetes.cri-o.ContainerType\": \"sandbox\"}", "{}" },
  { "\"containerType\": \"container\"", "{}", "{\"io.kubernetes.cri.container-type\": \"sandbox\"}" },
  { "\"podNamespace\": \"a\", \"pod\": \"b\"",
    "{\"io.kubernetes.cri.sandbox-namespace\": \"a\", \"io.kubernetes.cri.sandbox-name\": \"b\"}",
    "{\"io.kubernetes.cri.sandbox-namespace\": \"a\", \"io.kubernetes.cri.sandbox-name\": \"c\"}" },
};

Test(select, every_condition_on_annotations) {
  for (size_t i = 0; i < ARRAY_SIZE(conditions); i++) {
    CLEANUP_FREE char *text = xasprintf("{\"rules\": [{\"policy\": \"hit\", %s}]}", conditions[i].rule);
    CLEANUP_CONFIG struct config c = { 0 };
    config(&c, text);
    json_auto_t *meets = object(conditions[i].meets), *fails = object(conditions[i].fails);
    expect(&c, &(struct selection){ .annotations = meets }, "hit", NULL);
    expect(&c, &(struct selection){ .annotations = fails }, "restricted", NULL);
    expect(&c, &(struct selection){ .annotations = NULL }, "restricted", NULL);
  }
}

Test(select, conditions_on_the_call) {
  CLEANUP_CONFIG struct config c = { 0 };
  config(&c, "{\"defaultPolicy\": \"baseline\", \"rules\": ["
             "{\"policy\": \"k8s\", \"root\": \"/run/containerd/runc/k8s.io*\"},"
             "{\"policy\": \"lab\", \"name\": \"runc-lab\"}]}");
  expect(&c, &(struct selection){ .root = "/run/containerd/runc/k8s.io" }, "k8s", NULL);
  expect(&c, &(struct selection){ .root = "/run/containerd/runc/moby" }, "baseline", NULL);
  expect(&c, &(struct selection){ .name = "runc-lab" }, "lab", NULL);
  expect(&c, &(struct selection){ .name = "runc" }, "baseline", NULL);
  expect(&c, &(struct selection){ 0 }, "baseline", NULL);
}

Test(select, the_first_rule_that_matches) {
  CLEANUP_CONFIG struct config c = { 0 };
  config(&c, "{\"rules\": [{\"policy\": \"a\", \"name\": \"x\"}, {\"policy\": \"b\"}, {\"policy\": \"c\"}]}");
  expect(&c, &(struct selection){ .name = "x" }, "a", NULL);
  expect(&c, &(struct selection){ 0 }, "b", NULL);
}

Test(select, the_command_line_comes_first) {
  CLEANUP_CONFIG struct config c = { 0 };
  config(&c, "{\"rules\": [{\"policy\": \"a\"}]}");
  expect(&c, &(struct selection){ .explicit_policy = "strict" }, "strict", NULL);
  struct error err = refused(&c, &(struct selection){ .explicit_policy = "../x" });
  cr_expect_eq(err.code, ERROR_USAGE);
}

/* Whatever the annotation asks for comes on top of what the node chose, never instead. */
Test(select, an_annotation_only_adds) {
  CLEANUP_CONFIG struct config c = { 0 };
  config(&c, "{}");
  json_auto_t *weaker = object("{\"oci-harden.policy\": \"privileged\"}");
  json_auto_t *same = object("{\"oci-harden.policy\": \"restricted\"}");
  json_auto_t *unknown = object("{\"oci-harden.policy\": \"nobody\"}");
  expect(&c, &(struct selection){ .annotations = weaker }, "restricted", "privileged");
  expect(&c, &(struct selection){ .annotations = same }, "restricted", NULL);
  expect(&c, &(struct selection){ .annotations = same, .explicit_policy = "strict" }, "strict", "restricted");
  /* That there is no such policy is found where it is loaded. */
  expect(&c, &(struct selection){ .annotations = unknown }, "restricted", "nobody");
}

Test(select, an_annotation_that_is_no_name) {
  CLEANUP_CONFIG struct config c = { 0 };
  config(&c, "{}");
  static const char *const values[] = { "\"../x\"", "\"\"", "7", "\"/etc/passwd\"", "\"Strict\"" };
  for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
    CLEANUP_FREE char *text = xasprintf("{\"oci-harden.policy\": %s}", values[i]);
    json_auto_t *annotations = object(text);
    struct error err = refused(&c, &(struct selection){ .annotations = annotations });
    cr_expect_eq(err.code, ERROR_REFUSED, "%s", err.message);
    cr_expect_str_eq(err.rule, "OH-POL-001");
    cr_expect(strstr(err.message, "/annotations/oci-harden.policy") != NULL, "%s", err.message);
  }
}

Test(select, the_annotations_key_is_the_nodes) {
  CLEANUP_CONFIG struct config none = { 0 }, other = { 0 };
  config(&none, "{\"policyAnnotation\": \"\"}");
  config(&other, "{\"policyAnnotation\": \"example.org/policy\"}");
  json_auto_t *annotations =
      object("{\"\": \"a\", \"oci-harden.policy\": \"b\", \"example.org/policy\": \"c\"}");
  expect(&none, &(struct selection){ .annotations = annotations }, "restricted", NULL);
  expect(&other, &(struct selection){ .annotations = annotations }, "restricted", "c");
}

/* CRI-O passes a pod's own annotations on: one that poses as containerd's must not choose the rule. */
Test(select, contradicting_annotations_are_refused) {
  CLEANUP_CONFIG struct config c = { 0 };
  config(&c, "{\"rules\": [{\"policy\": \"privileged\", \"podNamespace\": \"kube-system\"}]}");
  json_auto_t *forged = object("{\"io.kubernetes.cri.sandbox-namespace\": \"kube-system\","
                               " \"io.kubernetes.pod.namespace\": \"tenant\"}");
  json_auto_t *agreed = object("{\"io.kubernetes.cri-o.Namespace\": \"kube-system\","
                               " \"io.kubernetes.pod.namespace\": \"kube-system\"}");
  struct error err = refused(&c, &(struct selection){ .annotations = forged });
  cr_expect_eq(err.code, ERROR_REFUSED);
  cr_expect_str_eq(err.rule, "OH-POL-002");
  cr_expect(strstr(err.message, "tenant") && strstr(err.message, "kube-system"), "%s", err.message);
  expect(&c, &(struct selection){ .annotations = agreed }, "privileged", NULL);
}

Test(select, sandboxes) {
  json_auto_t *cri = object("{\"io.kubernetes.cri.container-type\": \"sandbox\"}");
  json_auto_t *crio = object("{\"io.kubernetes.cri-o.ContainerType\": \"sandbox\"}");
  json_auto_t *container = object("{\"io.kubernetes.cri.container-type\": \"container\"}");
  json_auto_t *forged = object("{\"io.kubernetes.cri.container-type\": \"container\","
                               " \"io.kubernetes.cri-o.ContainerType\": \"sandbox\"}");
  json_auto_t *odd = object("{\"io.kubernetes.cri.container-type\": 1}");
  cr_expect(annotations_are_sandbox(cri, NULL));
  cr_expect(annotations_are_sandbox(crio, NULL));
  cr_expect_not(annotations_are_sandbox(container, NULL));
  cr_expect_not(annotations_are_sandbox(forged, NULL));
  cr_expect_not(annotations_are_sandbox(odd, NULL));
  cr_expect_not(annotations_are_sandbox(NULL, NULL));
}

/* `docker run --annotation io.kubernetes.cri.container-type=sandbox` made any container a pause process,
 * which the user control lets be root. */
Test(select, a_sandbox_names_itself) {
  json_auto_t *forged = object("{\"io.kubernetes.cri.container-type\": \"sandbox\"}");
  json_auto_t *cri = object("{\"io.kubernetes.cri.container-type\": \"sandbox\","
                            " \"io.kubernetes.cri.sandbox-id\": \"c1\"}");
  json_auto_t *crio = object("{\"io.kubernetes.cri-o.ContainerType\": \"sandbox\","
                             " \"io.kubernetes.cri-o.SandboxID\": \"c1\"}");
  cr_expect_not(annotations_are_sandbox(forged, "c1"));
  cr_expect(annotations_are_sandbox(cri, "c1"));
  cr_expect_not(annotations_are_sandbox(cri, "c2"));
  cr_expect(annotations_are_sandbox(crio, "c1"));
}
