/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hardenctl generate: what is made from the program's own tables and committed under docs/, tools/ and so on.
 * `make generate` writes the files anew; a test compares them.
 */
#include "base/str.h"
#include "control/control.h"
#include "ctl/command.h"
#include "harden/proof.h"
#include "policy/policy.h"
#include "posture/posture.h"

#include <ctype.h>
#include <string.h>

/* --- roff --- */

/* Text for man(7): backslashes, leading dots and quotes, and hyphens that must stay hyphens. */
static void roff(const char *text) {
  bool start = true;
  for (const char *p = text; *p; p++) {
    if (start && (*p == '.' || *p == '\''))
      fputs("\\&", stdout);
    start = *p == '\n';
    if (*p == '\\')
      fputs("\\e", stdout);
    else if (*p == '-')
      fputs("\\-", stdout);
    else
      putchar(*p);
  }
}

static void heading(const char *page, const char *section, const char *name, const char *summary) {
  printf(".\\\" Made by `hardenctl generate`: change the tables in the source, not this file.\n");
  printf(".TH %s %s 2026-11-22 \"oci-harden %s\" \"oci-harden\"\n.SH NAME\n%s \\- %s\n", page, section,
         HARDEN_VERSION, name, summary);
}

static void option(const struct argp_option *o) {
  printf(".TP\n");
  if (o->key > ' ' && o->key < 127)
    printf("\\fB\\-%c\\fR, ", o->key);
  printf("\\fB\\-\\-");
  roff(o->name);
  printf("\\fR");
  if (o->arg) {
    printf("=\\fI");
    roff(o->arg);
    printf("\\fR");
  }
  printf("\n");
  roff(o->doc);
  printf(".\n");
}

static void man_hardenctl(void) {
  heading("HARDENCTL", "1", "hardenctl", "ask and answer about OCI containers, policies and this node");
  printf(
      ".SH SYNOPSIS\n.B hardenctl\n[\\fB\\-\\-config\\fR=\\fIFILE\\fR] \\fICOMMAND\\fR [\\fIARG\\fR...]\n");
  printf(
      ".SH DESCRIPTION\nThe operator's tool beside\n.BR oci\\-harden (8).\n"
      "It judges with the same code as the wrapper; of its commands only install, uninstall, gc and apparmor "
      "change anything on disk.\n.SH OPTIONS\n");
  for (const struct argp_option *o = ctl_global_options; o->name; o++)
    option(o);
  printf(".SH COMMANDS\n");
  for (const struct ctl_command *const *c = ctl_commands; *c; c++) {
    printf(".SS \"hardenctl %s%s%s\"\n", (*c)->name, (*c)->args ? " " : "", (*c)->args ? (*c)->args : "");
    roff((*c)->details);
    printf("\n");
    for (const struct argp_option *o = (*c)->options; o && o->name; o++)
      option(o);
  }
  printf(".SH EXIT STATUS\n.TP\n0\nFine.\n.TP\n1\nFindings, differences, or a refusal.\n.TP\n2\nThe question "
         "could not be "
         "answered, or was wrongly put.\n");
  printf(".SH FILES\n.I /etc/oci\\-harden/config.json\n.br\n.I /etc/oci\\-harden/policies/\n.SH SEE ALSO\n"
         ".BR oci\\-harden (8),\n.BR oci\\-harden\\-policy (5)\n");
}

static const char *type_word(const struct jsonx_row *row) {
  switch (row->type) {
  case JSONX_BOOL:
    return "true or false";
  case JSONX_INT:
    return "integer";
  case JSONX_STRING:
    return "string";
  case JSONX_STRINGS:
    return "list of strings";
  case JSONX_ENUM:
    return NULL; /* its names say it */
  case JSONX_OBJECT:
    return "object";
  case JSONX_CUSTOM:
    return "see below";
  }
  return NULL;
}

static void row_entry(const struct jsonx_row *row) {
  printf(".TP\n\\fB");
  roff(row->key);
  printf("\\fR (");
  const char *word = type_word(row);
  if (word)
    printf("%s", word);
  for (size_t i = 0; row->type == JSONX_ENUM && row->names[i]; i++)
    printf("%s%s", i ? " | " : "", row->names[i]);
  printf(")\n");
  roff(row->doc ? row->doc : "");
  printf("\n");
}

static void man_policy(void) {
  heading("OCI\\-HARDEN\\-POLICY", "5", "oci\\-harden\\-policy", "policies of oci\\-harden");
  printf(".SH DESCRIPTION\nA policy is a JSON file, \\fI/etc/oci\\-harden/policies/NAME.json\\fR, owned by "
         "root and writable by "
         "nobody else. Unknown keys are errors. Keys that are absent are inherited from the policy that "
         "\\fBextends\\fR "
         "names. Each section below belongs to the control of the same name. A JSON Schema is printed by "
         "\\fBhardenctl policy "
         "schema\\fR.\n.SH KEYS\n");
  for (const struct jsonx_row *row = policy_rows; row->key; row++) {
    if (row->type != JSONX_OBJECT)
      row_entry(row);
  }
  for (const struct jsonx_row *row = policy_rows; row->key; row++) {
    if (row->type != JSONX_OBJECT)
      continue;
    const struct control *control = control_find(row->key);
    printf(".SS \"%s\"\n", row->key);
    if (control) {
      printf("Guarantee: ");
      roff(control->guarantee);
      printf("\n");
    } else if (row->doc) {
      roff(row->doc);
      printf("\n");
    }
    for (const struct jsonx_row *r = row->rows; r->key; r++)
      row_entry(r);
    for (const struct control_rule *r = control ? control->rules : NULL; r && r->id; r++) {
      printf(".TP\n");
      roff(r->id);
      printf("\n");
      roff(r->summary);
      printf("\n");
    }
  }
  printf(".SH SEE ALSO\n.BR oci\\-harden (8),\n.BR hardenctl (1)\n");
}

/* --- completion --- */

static void completion_options(const struct ctl_command *c) {
  for (const struct argp_option *o = c->options; o && o->name; o++)
    printf(" --%s%s", o->name, o->arg ? "=" : "");
}

static void completion(void) {
  printf("# bash completion for hardenctl. Made by `hardenctl generate completion`.\n"
         "_hardenctl() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} words=\"${COMP_WORDS[*]:1:COMP_CWORD-1}\" reply=''\n"
         "  case \"$words \" in\n");
  for (const struct ctl_command *const *c = ctl_commands; *c; c++) {
    printf("  *\"%s \"*) reply='--help", (*c)->name);
    completion_options(*c);
    printf("' ;;\n");
  }
  const char *groups[] = { "policy", "seccomp" };
  for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
    printf("  *\"%s \") reply='", groups[g]);
    size_t len = strlen(groups[g]);
    for (const struct ctl_command *const *c = ctl_commands; *c; c++) {
      if (strncmp((*c)->name, groups[g], len) == 0 && (*c)->name[len] == ' ')
        printf("%s ", (*c)->name + len + 1);
    }
    printf("' ;;\n");
  }
  printf("  *) reply='--config= --help --version");
  CLEANUP_STRLIST struct strlist seen = { 0 };
  for (const struct ctl_command *const *c = ctl_commands; *c; c++) {
    CLEANUP_FREE char *first = xstrdup((*c)->name);
    first[strcspn(first, " ")] = '\0';
    if (!strlist_has(&seen, first))
      printf(" %s", first);
    strlist_add(&seen, first);
  }
  printf("' ;;\n  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$reply\" -- \"$cur\")\n"
         "  case \"$cur\" in -*) ;; *) mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- "
         "\"$cur\") ;; esac\n"
         "}\n"
         "complete -o filenames -F _hardenctl hardenctl\n");
}

/* --- rules --- */

static void rules(void) {
  printf("# Rules\n\nMade by `hardenctl generate rules`. Every decision in an error, an event or `hardenctl "
         "check` has one of these "
         "ids. They never change their meaning.\n");
  for (const struct control *c = controls; c->name; c++) {
    printf("\n## %s\n\n%s.%s%s%s\n\n| rule | what it says |\n|---|---|\n", c->name, c->guarantee,
           c->technique ? " ATT&CK " : "", c->technique ? c->technique : "", c->technique ? "." : "");
    for (const struct control_rule *r = c->rules; r && r->id; r++)
      printf("| `%s` | %s |\n", r->id, r->summary);
  }
  printf("\n## proof\n\nWhat `start` compares with the kernel before anything of the image runs, and whose "
         "promise each "
         "is.\n\n| rule | control | what it says |\n|---|---|---|\n");
  for (const struct control_rule *r = proof_lacks; r->id; r++)
    printf("| `%s` | | %s |\n", r->id, r->summary);
  for (const struct proof_row *r = proof_rows; r->id; r++)
    printf("| `%s` | %s | %s |\n", r->id, r->control, r->promise);
  printf("\n## inspect\n\nWhat `hardenctl inspect` finds in a process that runs.\n\n| rule | what it says "
         "|\n|---|---|\n");
  for (const struct posture_rule *r = posture_rules; r->id; r++)
    printf("| `%s` | %s |\n", r->id, r->summary);
}

static const struct {
  const char *name;
  void (*print)(void);
} products[] = {
  { "man-hardenctl", man_hardenctl },
  { "man-policy", man_policy },
  { "completion", completion },
  { "rules", rules },
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  const char **name = state->input;
  switch (key) {
  case ARGP_KEY_ARG:
    *name = arg;
    return 0;
  case ARGP_KEY_NO_ARGS:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  const char *name = NULL;
  ctl_parse(self, argc, argv, parse, &name);
  for (size_t i = 0; i < ARRAY_SIZE(products); i++) {
    if (strcmp(products[i].name, name) == 0) {
      products[i].print();
      return CTL_OK;
    }
  }
  return error_set(err, ERROR_USAGE, 0,
                   "nothing called '%s' can be generated: man-hardenctl, man-policy, completion, rules",
                   name);
}

const struct ctl_command ctl_generate = {
  .name = "generate",
  .args = "man-hardenctl|man-policy|completion|rules",
  .summary = "print a manual page, the bash completion or the list of rules",
  .details = "Prints what is made from the program's own tables: the manual pages hardenctl(1) and "
             "oci-harden-policy(5), the "
             "completion for bash, and the table of rule ids.",
  .run = run,
};
