/* SPDX-License-Identifier: Apache-2.0 */
/* hardenctl doctor: can this node keep the promises? Each finding comes with its remedy. */
#include "ctl/doctor.h"

#include "base/str.h"
#include "ctl/terminal.h"

struct arguments {
  bool json;
  bool quiet;
};

static error_t parse(int key, char *arg, struct argp_state *state) {
  struct arguments *a = state->input;
  (void)arg;
  switch (key) {
  case 'j':
    a->json = true;
    return 0;
  case 'q':
    a->quiet = true;
    return 0;
  case ARGP_KEY_ARG:
    argp_usage(state);
    return 0;
  default:
    return ARGP_ERR_UNKNOWN;
  }
}

static const char *const words[] = { "ok", "warn", "fail" };

void doctor_say(struct doctor *d, enum health health, const char *subject, const char *remedy,
                const char *fmt, ...) {
  static const enum colour colours[] = { COLOUR_GREEN, COLOUR_YELLOW, COLOUR_RED };
  va_list args;
  va_start(args, fmt);
  CLEANUP_FREE char *text = xvasprintf(fmt, args);
  va_end(args);
  if (health != HEALTH_OK)
    d->findings++;
  if (d->json) {
    json_auto_t *line = json_object();
    jsonx_set_new(line, "health", jsonx_string_new(words[health]));
    jsonx_set_new(line, "subject", jsonx_string_new(subject));
    jsonx_set_new(line, "text", jsonx_string_new(text));
    if (remedy)
      jsonx_set_new(line, "remedy", jsonx_string_new(remedy));
    CLEANUP_STR struct str out = { 0 };
    jsonx_dump(line, &out);
    printf("%s\n", out.data);
    return;
  }
  if (d->quiet && health == HEALTH_OK)
    return;
  terminal_print(d->colour, colours[health], "%-4s ", words[health]);
  terminal_print(d->colour, COLOUR_NONE, "%s: %s\n", subject, text);
  if (remedy)
    terminal_print(d->colour, COLOUR_DIM, "       remedy: %s\n", remedy);
}

static int run(const struct ctl_command *self, int argc, char **argv, struct error *err) {
  (void)err;
  struct arguments a = { 0 };
  ctl_parse(self, argc, argv, parse, &a);
  struct doctor d = { .json = a.json, .quiet = a.quiet, .colour = !a.json && terminal_has_colour(stdout) };
  doctor_version(&d);
  doctor_kernel(&d);
  doctor_apparmor(&d);
  CLEANUP_CONFIG struct config config = { 0 };
  struct error why = { 0 };
  if (ctl_load_config(&config, &why) < 0) {
    doctor_say(&d, HEALTH_FAIL, "configuration", "mend the file; until then every create and exec is refused",
               "%s", why.message);
    return CTL_FINDINGS;
  }
  doctor_policies(&d, &config);
  doctor_selinux(&d, &config);
  doctor_user_namespaces(&d, &config);
  doctor_runtimes(&d, &config);
  doctor_hook(&d, &config);
  doctor_directories(&d, &config);
  return d.findings ? CTL_FINDINGS : CTL_OK;
}

const struct ctl_command ctl_doctor = {
  .name = "doctor",
  .summary = "examine this node: kernel, runtimes, policies, permissions",
  .details = "Tries what the wrapper relies on and prints a line for each thing that was examined; what is "
             "not as it should be "
             "comes with a remedy. As root, user namespaces are tried in directories of their own, removed "
             "afterwards, where engines keep images. Runs the configured runtimes with --version, 5 s each "
             "at most. Exit "
             "status 1 when there is "
             "a finding.",
  .options =
      (const struct argp_option[]){
          { "json", 'j', NULL, 0, "one JSON object a line", 0 },
          { "quiet", 'q', NULL, 0, "findings only", 0 },
          { 0 },
      },
  .run = run,
};
