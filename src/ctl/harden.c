/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl harden: config.json in, hardened config.json out */
#include "base/str.h"
#include "ctl/input.h"

struct arguments {
  struct judge judge;
  const char *path;
  bool compact;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  switch (key) {
  case 'c':
    a->compact = true;
    return 0;
  case ARGP_KEY_ARG:
    if (a->path)
      argp_usage(state);
    a->path = arg;
    return 0;
  default:
    return judge_parse(key, arg, state, &a->judge);
  }
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  struct arguments a = { .judge.for_runtime = true };
  ctl_parse(self, argc, argv, parse, &a);
  CLEANUP_CONFIG struct config config = { 0 };
  CLEANUP_DOCUMENT struct document document = { .bundle_fd = -1 };
  CLEANUP_JUDGED struct judged judged = { 0 };
  if (ctl_load_config(&config, err) < 0)
    return -1;
  if (document_open(&document, a.path ? a.path : "-", (size_t)config.config_limit, err) < 0 ||
      judge_run(&a.judge, &config, &document, &judged, err) < 0) {
    if (!is_refusal(err))
      return -1;
    fprintf(stderr, "hardenctl: refused: %s%s%s%s\n", err->message, *err->rule ? " (" : "", err->rule,
            *err->rule ? ")" : "");
    return CTL_FINDINGS;
  }
  CLEANUP_FREE char *unknown = judged_unknown(&judged);
  if (unknown)
    fprintf(stderr, "hardenctl: %s\n", unknown);
  if (judged.unmapped)
    fprintf(stderr,
            "hardenctl: without the user namespace that the wrapper gives where it can: its ids and views "
            "are of one container\n");
  if (a.compact) {
    printf("%s\n", judged.harden.bytes.data);
    return CTL_OK;
  }
  const struct jsonx_source out = { document.name, judged.harden.bytes.data, judged.harden.bytes.len };
  json_auto_t *root = NULL;
  if (spec_read_json(&out, SIZE_MAX, &root, err) < 0)
    return -1;
  CLEANUP_STR struct str pretty = { 0 };
  jsonx_dump_pretty(root, &pretty);
  fputs(pretty.data, stdout);
  return CTL_OK;
}

const struct ctl_command ctl_harden = {
  .name = "harden",
  .args = "[BUNDLE|FILE]",
  .summary = "config.json in, hardened config.json out",
  .details =
      "Reads a config.json (or an exec's process file) from FILE, from the bundle, or from standard input, "
      "and prints what the wrapper would hand to the runtime, but for a user namespace, whose ids and views "
      "the wrapper makes for each container. Nothing is changed on disk. Of a lone file neither rootfs nor "
      "host "
      "is looked at, and what could therefore not be judged is said on standard error. A refusal exits 1.",
  .options =
      (const struct argp_option[]){
          JUDGE_OPTIONS,
          { "compact", 'c', NULL, 0, "print the bytes exactly as the runtime would read them", 0 },
          { 0 },
      },
  .run = run,
};
