/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/pod.h"

#include <string.h>

enum {
  SHARES_MIN = 2,
  CPU_PERIOD = 100000,
  CPU_QUOTA_MIN = 1000,
  /* What kubelet gives for the classes of service; between them it is a matter of the node's memory. */
  OOM_BEST_EFFORT = 1000,
  OOM_BURSTABLE = 999,
  OOM_GUARANTEED = -997,
};

static const struct node *limit(const struct node *container, const char *side, const char *key) {
  return node_get(node_get(node_get(container, "resources"), side), key);
}

/* Of all containers of a pod. */
struct service {
  bool any;        /* one of them asks for memory or cpu */
  bool guaranteed; /* each has limits for both, and asks for no less */
};

static void judge_service(struct translation *t, const struct node *list, struct service *ret) {
  static const char *const keys[] = { "cpu", "memory" };
  for (size_t i = 0; i < node_len(list); i++) {
    for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
      const struct node *most = limit(list->children[i], "limits", keys[k]);
      const struct node *least = limit(list->children[i], "requests", keys[k]);
      ret->any = ret->any || most || least;
      ret->guaranteed = ret->guaranteed && most && (!least || quantity_of(t, most) == quantity_of(t, least));
    }
  }
}

int pod_oom_score(struct pod *pod) {
  struct service service = { .guaranteed = true };
  judge_service(pod->t, read_list(pod->t, pod->spec, "containers"), &service);
  judge_service(pod->t, read_list(pod->t, pod->spec, "initContainers"), &service);
  return !service.any ? OOM_BEST_EFFORT : service.guaranteed ? OOM_GUARANTEED : OOM_BURSTABLE;
}

/* Resources with a domain in their name bring devices of the node with them. */
static void extended(struct translation *t, const struct node *container) {
  const struct node *limits = node_get(node_get(container, "resources"), "limits");
  for (size_t i = 0; i < node_len(limits); i++)
    if (strchr(limits->children[i]->key, '/'))
      note(t, (struct field){ limits->children[i], "" },
           "a device plugin of the node decides what devices, mounts and variables come with it");
  const struct node *claims = read_list(t, read_map(t, container, "resources"), "claims");
  for (size_t i = 0; i < node_len(claims); i++)
    note(t, (struct field){ claims->children[i], "" },
         "a driver of the node decides what devices, mounts and variables come with it");
}

/* In thousandths, and what follows from them fits. */
static int64_t processors(struct translation *t, const struct node *node) {
  const int64_t milli = quantity_of(t, node);
  return milli < INT64_MAX / CPU_PERIOD ? milli : INT64_MAX / CPU_PERIOD;
}

static void cpu(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  const struct node *most = limit(c->node, "limits", "cpu"), *least = limit(c->node, "requests", "cpu");
  int64_t shares = processors(t, least ? least : most) * 1024 / 1000;
  int64_t quota = processors(t, most) * CPU_PERIOD / 1000;
  struct field from = field_at(c->node, "resources.requests.cpu");
  put(t, "/linux/resources/cpu/shares", json_integer(shares < SHARES_MIN ? SHARES_MIN : shares), from);
  put(t, "/linux/resources/cpu/period", json_integer(CPU_PERIOD), ENGINES);
  if (most)
    put(t, "/linux/resources/cpu/quota", json_integer(quota < CPU_QUOTA_MIN ? CPU_QUOTA_MIN : quota),
        (struct field){ most, "" });
}

void pod_resources(struct pod *pod, const struct pod_container *c) {
  struct translation *t = pod->t;
  struct field privileged = field_at(c->node, "securityContext.privileged");
  put_item(t, "/linux/resources/devices", device_rule(c->privileged, NULL, 0, 0, "rwm"),
           c->privileged ? privileged : ENGINES);
  if (c->privileged)
    put_origin(t, "/linux/resources/devices", privileged);
  struct field memory = field_at(c->node, "resources.limits.memory");
  put_origin(t, "/linux/resources/memory/limit", memory);
  put_origin(t, "/linux/resources/memory", memory);
  if (field_found(memory)) {
    json_int_t bytes = (json_int_t)((quantity_of(t, memory.node) + 999) / 1000);
    put(t, "/linux/resources/memory/limit", json_integer(bytes), memory);
    put(t, "/linux/resources/memory/swap", json_integer(bytes), memory);
  }
  cpu(pod, c);
  extended(t, c->node);
  put(t, "/process/oomScoreAdj", json_integer(pod->oom_score), ENGINES);
}
