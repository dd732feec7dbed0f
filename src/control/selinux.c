/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SELinux: the process has a label of its pod's own, and so have the files that the runtime mounts for it.
 * What separates two containers of one type is the pair of categories in the level; the facts bring the one
 * that this container has. The runtimes cannot be trusted to fail: crun starts a container as "kernel" where
 * no policy is loaded, ignores a mountLabel where SELinux is off, and both start one in permissive mode.
 */
#include "control/selinux.h"
#include "control/common.h"

#include "lsm/context.h"

#include <string.h>

#define LABEL "/process/selinuxLabel"
#define MOUNT "/linux/mountLabel"

enum {
  RULE_LABEL,
  RULE_TYPE,
  RULE_MOUNT,
  RULE_HOST,
  RULE_IGNORED,
  RULE_UNKNOWN,
  RULE_LEVEL,
  RULE_SHARED,
  RULE_OPTION,
  RULE_EXEC,
  RULE_START,
  RULE_NNP,
  RULE_ROOT,
  RULE_LABELLED,
  RULE_HOSTS,
  RULE_ANOTHERS,
  RULE_FILES,
};
const struct control_rule selinux_rules[] = {
  [RULE_LABEL] = { "OH-SEL-001", "where the host enforces SELinux the process has a label of a container" },
  [RULE_TYPE] = { "OH-SEL-002", "a label of a type that the policy does not list, or of another role than "
                                "system_r, is refused: spc_t and unconfined_t confine nothing" },
  [RULE_MOUNT] = { "OH-SEL-003", "linux.mountLabel is a label of files at the process's level" },
  [RULE_HOST] = { "OH-SEL-004",
                  "a host that does not enforce SELinux is refused where the policy requires it, and "
                  "recorded where it prefers it" },
  [RULE_IGNORED] = { "OH-SEL-005",
                     "a label that the engine asks for is refused where the kernel has no SELinux, or no "
                     "policy: crun would ignore it" },
  [RULE_UNKNOWN] = { "OH-SEL-006",
                     "a label that the loaded policy does not know, or whose type is permissive, "
                     "is refused" },
  [RULE_LEVEL] = { "OH-SEL-007", "the level is one pair of categories, which the pod's containers share" },
  [RULE_SHARED] = { "OH-SEL-008", "a pair of categories that another pod has too is recorded or refused" },
  [RULE_OPTION] = { "OH-SEL-009", "a mount's context= option is a label of files at the process's level, or "
                                  "without categories" },
  [RULE_EXEC] = { "OH-SEL-010", "an exec's process has the label of the container's first" },
  [RULE_START] = { "OH-SEL-011", "a label that the runtime may not start a process with is refused" },
  [RULE_NNP] = { "OH-SEL-012", "a label that the kernel does not give under no_new_privs is refused" },
  [RULE_ROOT] = { "OH-SEL-013", "a root file system from which the label may execute nothing is recorded" },
  [RULE_LABELLED] = { "OH-SEL-014",
                      "where the policy asks for it the files of a bind source get a label of the "
                      "container's, unless it reaches them" },
  [RULE_HOSTS] = { "OH-SEL-015", "files of the host's own system keep their labels" },
  [RULE_ANOTHERS] = { "OH-SEL-016", "a bind source that is labelled for another pod keeps its label, and the "
                                    "container is refused" },
  [RULE_FILES] = { SELINUX_RULE_FILES,
                   "a bind source whose files cannot all be labelled is refused: one with a "
                   "name outside, too many, a file system without labels" },
  { NULL, NULL },
};

static struct reason because(int rule, const char *text) {
  return (struct reason){ selinux_rules[rule].id, text };
}

/* A runtime takes "" for none. */
static const char *label_at(const json_t *root, const char *pointer) {
  const char *text = control_text(root, pointer);
  return text && *text ? text : NULL;
}

/* As the kernel's policy has it; as written where nobody asked it. NULL: it knows no such label. */
static const char *canonical(const struct facts *f, const char *text) {
  const struct selinux_fact *fact = text ? facts_selinux_label(f, text) : NULL;
  return f->selinux.state != SELINUX_ENFORCING ? text : fact ? fact->canonical : NULL;
}

/* What is wrong with the label of a process under this policy; NULL: nothing. The caller frees. */
static char *judge_type(const char *text, const struct policy *policy) {
  CLEANUP_SELINUX_CONTEXT struct selinux_context c = { 0 };
  if (!selinux_context_parse(&c, text))
    return xasprintf("\"%s\" is no context", text);
  if (!strlist_has(&policy->selinux.keep, c.type) && strcmp(c.type, policy_selinux_type(policy)) != 0)
    return xasprintf("the type %s is not one of selinux.keep", c.type);
  if (strcmp(c.role, SELINUX_ROLE) != 0)
    return xasprintf("the role is %s, and not " SELINUX_ROLE, c.role);
  return NULL;
}

/* The same of one of files. */
static char *judge_files(const char *text) {
  CLEANUP_SELINUX_CONTEXT struct selinux_context c = { 0 };
  if (!selinux_context_parse(&c, text))
    return xasprintf("\"%s\" is no context", text);
  return strcmp(c.role, SELINUX_FILE_ROLE) == 0
             ? NULL
             : xasprintf("the role is %s, and not " SELINUX_FILE_ROLE, c.role);
}

static bool has_level(const char *context, const char *level) {
  CLEANUP_SELINUX_CONTEXT struct selinux_context c = { 0 };
  return selinux_context_parse(&c, context) && strcmp(c.level, level) == 0;
}

/* Why the host does not enforce what the policy asks for; NULL: it does. */
static const char *lack_of(const struct facts *f) {
  switch ((enum selinux_state)f->selinux.state) {
  case SELINUX_ABSENT:
    return "the kernel has no SELinux switched on";
  case SELINUX_UNMOUNTED:
    return "SELinux is switched on, and /sys/fs/selinux is not mounted";
  case SELINUX_NO_POLICY:
    return "SELinux is switched on, and no policy is loaded";
  case SELINUX_PERMISSIVE:
    return "SELinux is permissive";
  case SELINUX_ENFORCING:
    return f->selinux.config_missing
               ? "SELinux enforces, and without /etc/selinux/config the engine takes it for off"
               : NULL;
  case SELINUX_UNKNOWN:
    break;
  }
  return NULL;
}

enum demand { DEMAND_NOTHING, DEMAND_RECORD, DEMAND_REFUSE };

/* What a host that does not enforce means. */
static enum demand demand(const struct policy *policy, const struct facts *f) {
  const bool active = f->selinux.state != SELINUX_ABSENT;
  if (!lack_of(f))
    return DEMAND_NOTHING;
  switch ((enum lsm_mode)policy->selinux.mode) {
  case LSM_OFF:
    return DEMAND_NOTHING;
  case LSM_PREFER:
    return !active ? DEMAND_NOTHING : policy->selinux.unenforced ? DEMAND_RECORD : DEMAND_REFUSE;
  case LSM_REQUIRE:
    return DEMAND_REFUSE;
  }
  return DEMAND_REFUSE;
}

/* Asked for, and nothing that would apply it. */
static bool is_ignored(const json_t *root, const struct facts *f) {
  const bool asked = label_at(root, LABEL) || label_at(root, MOUNT);
  return asked && (f->selinux.state == SELINUX_ABSENT || f->selinux.state == SELINUX_NO_POLICY);
}

/* Are labels given under this policy on this host? */
static bool gives(const struct policy *policy, const struct facts *f) {
  return policy->selinux.mode != LSM_OFF && f->selinux.state == SELINUX_ENFORCING;
}

static int apply_host(struct spec *spec, const struct policy *policy, const struct facts *f,
                      struct error *err) {
  const char *pointer = spec_at(spec, LABEL) ? LABEL : spec_at(spec, MOUNT) ? MOUNT : "/process";
  if (is_ignored(spec->root, f)) {
    CLEANUP_FREE char *text = xasprintf("the engine asks for a label, and %s", lack_of(f));
    return spec_refuse(spec, pointer, because(RULE_IGNORED, text), err);
  }
  switch (demand(policy, f)) {
  case DEMAND_NOTHING:
    break;
  case DEMAND_RECORD:
    spec_finding(spec, pointer, because(RULE_HOST, lack_of(f)));
    break;
  case DEMAND_REFUSE: {
    CLEANUP_FREE char *text = xasprintf("%s; see hardenctl selinux status", lack_of(f));
    return spec_refuse(spec, pointer, because(RULE_HOST, text), err);
  }
  }
  return 0;
}

static int refuse_unknown(struct spec *spec, const char *pointer, const char *text, struct error *err) {
  CLEANUP_FREE char *why = xasprintf("the loaded SELinux policy does not know \"%s\"", text);
  return spec_refuse(spec, pointer, because(RULE_UNKNOWN, why), err);
}

/* The engine's own label for processes. */
static int apply_type(struct spec *spec, const struct policy *policy, const struct facts *f,
                      struct error *err) {
  const char *text = label_at(spec->root, LABEL);
  const char *known = canonical(f, text);
  if (!text)
    return 0;
  if (!known)
    return refuse_unknown(spec, LABEL, text, err);
  CLEANUP_FREE char *wrong = judge_type(known, policy);
  return wrong ? spec_refuse(spec, LABEL, because(RULE_TYPE, wrong), err) : 0;
}

/* Can a process be started with it, and is it confined? */
static int apply_start(struct spec *spec, const struct selinux_fact *fact, struct error *err) {
  CLEANUP_FREE char *why = NULL;
  if (fact->permissive) {
    why = xasprintf("the type of %s is permissive; semanage permissive -d ends that", fact->canonical);
    return spec_refuse(spec, LABEL, because(RULE_UNKNOWN, why), err);
  }
  if (!fact->transition) {
    why = xasprintf("the SELinux policy does not let the runtime start a process as %s", fact->canonical);
    return spec_refuse(spec, LABEL, because(RULE_START, why), err);
  }
  if (json_is_true(spec_at(spec, "/process/noNewPrivileges")) && !fact->nnp_transition) {
    why = xasprintf("under no_new_privs the kernel does not give %s: the SELinux policy needs the "
                    "capability nnp_nosuid_transition and to allow process2 nnp_transition",
                    fact->canonical);
    return spec_refuse(spec, LABEL, because(RULE_NNP, why), err);
  }
  return 0;
}

/* What is at the pointer becomes `wanted`, as the kernel writes it. *ret_fact: what is known of it; NULL: it
 * was refused under audit. */
static int set(struct spec *spec, const char *pointer, const char *wanted, int rule, const char *why,
               const struct facts *f, const struct selinux_fact **ret_fact, struct error *err) {
  const struct selinux_fact *fact = wanted ? facts_selinux_label(f, wanted) : NULL;
  *ret_fact = NULL;
  if (!fact || !fact->canonical)
    return refuse_unknown(spec, pointer, wanted ? wanted : "", err);
  *ret_fact = fact;
  return spec_set(spec, pointer, jsonx_string_new(fact->canonical), because(rule, why), err);
}

static int apply_label(struct spec *spec, const struct policy *policy, const struct facts *f,
                       struct error *err) {
  const char *engine = canonical(f, label_at(spec->root, LABEL));
  const struct selinux_fact *fact;
  CLEANUP_FREE char *wanted =
      selinux_context_wanted(engine, SELINUX_ROLE, policy_selinux_type(policy), f->selinux.level);
  const bool keeps = engine && has_level(engine, f->selinux.level);
  if (set(spec, LABEL, wanted, engine && !keeps ? RULE_LEVEL : RULE_LABEL,
          !engine  ? "the engine gives no label"
          : !keeps ? "the level must be one pair of categories of the pod's own"
                   : "the kernel's own spelling",
          f, &fact, err))
    return -1;
  if (!fact)
    return 0;
  if (!fact->runs_root) {
    CLEANUP_FREE char *why =
        xasprintf("the root file system is %s, of which %s may execute nothing: let the "
                  "engine label it (docker: selinux-enabled, containerd: enable_selinux)",
                  f->selinux.root, fact->canonical);
    spec_finding(spec, LABEL, because(RULE_ROOT, why));
  }
  return apply_start(spec, fact, err);
}

static int apply_mount(struct spec *spec, const struct policy *policy, const struct facts *f,
                       struct error *err) {
  const char *text = label_at(spec->root, MOUNT);
  const char *engine = canonical(f, text);
  const struct selinux_fact *ignored;
  if (text && !engine)
    return refuse_unknown(spec, MOUNT, text, err);
  CLEANUP_FREE char *wrong = engine ? judge_files(engine) : NULL;
  if (wrong)
    return spec_refuse(spec, MOUNT, because(RULE_MOUNT, wrong), err);
  CLEANUP_FREE char *wanted =
      selinux_context_wanted(engine, SELINUX_FILE_ROLE, policy_selinux_file_type(policy), f->selinux.level);
  return set(spec, MOUNT, wanted, RULE_MOUNT, "files of the container must have the process's level", f,
             &ignored, err);
}

/* What is wrong with a mount's context; NULL: nothing. The caller frees. */
static char *judge_option(const char *text, const struct facts *f) {
  const char *known = canonical(f, text);
  CLEANUP_SELINUX_CONTEXT struct selinux_context c = { 0 };
  if (!known)
    return xasprintf("the loaded SELinux policy does not know \"%s\"", text);
  char *wrong = judge_files(known);
  if (wrong)
    return wrong;
  if (!selinux_context_parse(&c, known))
    return xasprintf("\"%s\" is no context", known);
  return strcmp(c.level, f->selinux.level) == 0 || !strchr(c.level, ':')
             ? NULL
             : xasprintf("the level %s is not the container's, which is %s", c.level, f->selinux.level);
}

/* The first mount option that gives a label which is not to be; false: there is none. */
static bool wrong_option(const json_t *root, const struct facts *f, char **ret_pointer, char **ret_why) {
  size_t i, k;
  json_t *mount, *option;
  const json_t *mounts = control_at(root, "/mounts");
  json_array_foreach(mounts, i, mount) {
    json_array_foreach(json_object_get(mount, "options"), k, option) {
      const char *text = json_string_value(option);
      CLEANUP_FREE char *context = text ? selinux_context_of_option(text) : NULL;
      char *why = context ? judge_option(context, f) : NULL;
      if (!why)
        continue;
      *ret_pointer = xasprintf("/mounts/%zu/options/%zu", i, k);
      *ret_why = why;
      return true;
    }
  }
  return false;
}

static int apply_options(struct spec *spec, const struct facts *f, struct error *err) {
  CLEANUP_FREE char *pointer = NULL;
  CLEANUP_FREE char *why = NULL;
  return wrong_option(spec->root, f, &pointer, &why)
             ? spec_refuse(spec, pointer, because(RULE_OPTION, why), err)
             : 0;
}

static int apply_config(struct spec *spec, const struct policy *policy, const struct facts *f,
                        struct error *err) {
  if (!f->selinux.level)
    return spec_refuse(spec, LABEL, because(RULE_LEVEL, "no level is known for the container"), err);
  if (apply_label(spec, policy, f, err) || apply_mount(spec, policy, f, err) || apply_options(spec, f, err) ||
      selinux_apply_volumes(spec, policy, f, err))
    return -1;
  if (!f->selinux.level_shared)
    return 0;
  CLEANUP_FREE char *why = xasprintf("the categories of %s are those of another pod too", f->selinux.level);
  if (!policy->selinux.share_level)
    return spec_refuse(spec, LABEL, because(RULE_SHARED, why), err);
  spec_finding(spec, LABEL, because(RULE_SHARED, why));
  return 0;
}

/* An exec has the container's label under every policy: without one the process would keep the runtime's own.
 */
static bool gives_exec(const struct policy *policy, const struct facts *f) {
  return f->selinux.state == SELINUX_ENFORCING && (policy->selinux.mode != LSM_OFF || f->selinux.container);
}

static int apply_exec(struct spec *spec, const struct policy *policy, const struct facts *f,
                      struct error *err) {
  const bool asked = policy->selinux.mode != LSM_OFF;
  const struct selinux_fact *fact;
  if (!f->selinux.container)
    return spec_refuse(spec, LABEL, because(RULE_EXEC, "the container's own label cannot be read"), err);
  CLEANUP_FREE char *wrong = asked ? judge_type(f->selinux.container, policy) : NULL;
  if (wrong) {
    CLEANUP_FREE char *why = xasprintf("the container's own label: %s", wrong);
    return spec_refuse(spec, LABEL, because(RULE_TYPE, why), err);
  }
  if (set(spec, LABEL, f->selinux.container, RULE_EXEC, "it must be the container's own", f, &fact, err))
    return -1;
  return fact && asked ? apply_start(spec, fact, err) : 0;
}

int selinux_apply(struct spec *spec, const struct policy *policy, const struct facts *facts,
                  struct error *err) {
  if (!spec_at(spec, "/process"))
    return 0;
  if (apply_host(spec, policy, facts, err))
    return -1;
  if (spec->kind == SPEC_PROCESS && gives_exec(policy, facts))
    return apply_exec(spec, policy, facts, err);
  if (apply_type(spec, policy, facts, err))
    return -1;
  return gives(policy, facts) ? apply_config(spec, policy, facts, err) : 0;
}

/* A label that the kernel knows by this very text, which can be had, and which confines. */
static int verify_start(const json_t *after, const char *label, const struct facts *f, struct error *err) {
  const struct selinux_fact *fact = facts_selinux_label(f, label);
  if (!fact || !fact->canonical || strcmp(fact->canonical, label) != 0)
    return control_broken(err, LABEL, "is not what the kernel would say");
  if (fact->permissive || !fact->transition)
    return control_broken(err, LABEL, "cannot be had, or confines nothing");
  if (json_is_true(control_at(after, "/process/noNewPrivileges")) && !fact->nnp_transition)
    return control_broken(err, LABEL, "cannot be had under no_new_privs");
  return 0;
}

static int verify_files(const json_t *after, const struct facts *f, struct error *err) {
  CLEANUP_FREE char *pointer = NULL;
  CLEANUP_FREE char *why = NULL;
  const char *mount = label_at(after, MOUNT);
  const struct selinux_fact *fact = mount ? facts_selinux_label(f, mount) : NULL;
  if (!fact || !fact->canonical || strcmp(fact->canonical, mount) != 0)
    return control_broken(err, MOUNT, "is not what the kernel would say");
  CLEANUP_FREE char *wrong = judge_files(mount);
  if (wrong || !has_level(mount, f->selinux.level))
    return control_broken(err, MOUNT, "is not a label of files at the container's level");
  return wrong_option(after, f, &pointer, &why) ? control_broken(err, pointer, "%s", why) : 0;
}

static int verify_config(const json_t *after, const char *label, const struct policy *policy,
                         const struct facts *f, struct error *err) {
  uint64_t pair;
  if (!f->selinux.level || !selinux_level_is_pair(f->selinux.level, &pair) ||
      !has_level(label, f->selinux.level))
    return control_broken(err, LABEL, "is not at the container's level");
  if (f->selinux.level_shared && !policy->selinux.share_level)
    return control_broken(err, LABEL, "has the categories of another pod");
  return verify_files(after, f, err);
}

int selinux_verify(enum spec_kind kind, const json_t *after, const struct policy *policy,
                   const struct facts *facts, struct error *err) {
  const char *label = label_at(after, LABEL);
  const char *known = canonical(facts, label);
  const bool exec = kind == SPEC_PROCESS && gives_exec(policy, facts);
  if (!control_at(after, "/process"))
    return 0;
  if (is_ignored(after, facts) || demand(policy, facts) == DEMAND_REFUSE)
    return control_broken(err, LABEL, "%s", lack_of(facts));
  if (exec && (!label || !facts->selinux.container || strcmp(label, facts->selinux.container) != 0))
    return control_broken(err, LABEL, "is not the container's");
  if (exec && policy->selinux.mode == LSM_OFF)
    return 0;
  CLEANUP_FREE char *wrong = known ? judge_type(known, policy) : NULL;
  if (label && (!known || wrong))
    return control_broken(err, LABEL, "%s", wrong ? wrong : "is not known to the kernel");
  if (!gives(policy, facts))
    return 0;
  if (!label)
    return control_broken(err, LABEL, "is missing");
  if (verify_start(after, label, facts, err))
    return -1;
  return kind == SPEC_CONFIG ? verify_config(after, label, policy, facts, err) : 0;
}

/* A label stays what it was, but for the kernel's spelling and the container's level; of an exec it may
 * become the container's. */
static int label_not_weaker(const char *pointer, const json_t *before, const json_t *after,
                            const struct facts *f, struct error *err) {
  const char *was = label_at(before, pointer);
  const char *is = label_at(after, pointer);
  if (!was || (is && strcmp(was, is) == 0))
    return 0;
  const char *known = canonical(f, was);
  CLEANUP_FREE char *moved = known && f->selinux.level ? selinux_context_at(known, f->selinux.level) : NULL;
  if (is && ((known && strcmp(known, is) == 0) || (moved && strcmp(moved, is) == 0) ||
             (f->selinux.container && strcmp(f->selinux.container, is) == 0)))
    return 0;
  return control_broken(err, pointer, "is gone or another");
}

int selinux_not_weaker(enum spec_kind kind, const json_t *before, const json_t *after,
                       const struct facts *facts, struct error *err) {
  (void)kind;
  if (label_not_weaker(LABEL, before, after, facts, err))
    return -1;
  return label_not_weaker(MOUNT, before, after, facts, err);
}
