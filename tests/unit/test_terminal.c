/* SPDX-License-Identifier: Apache-2.0 */
/* What containers are called and what they mount is printed on operators' terminals, and controls none of
 * them. */
#include "ctl/terminal.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>

static void prints(const char *text, const char *printed) {
  cr_redirect_stdout();
  terminal_print(false, COLOUR_NONE, "%s", text);
  fflush(stdout);
  cr_expect_stdout_eq_str(printed, "%s", printed);
}

Test(terminal, letters_and_tabs_stay) {
  prints("a\tbc\xc3\xa4\xe2\x82\xac\xc2\xa0", "a\tbc\xc3\xa4\xe2\x82\xac\xc2\xa0");
}

Test(terminal, only_the_format_ends_a_line) {
  cr_redirect_stdout();
  terminal_print(false, COLOUR_NONE, "%s: %s\n", "a\nb", "c\n");
  terminal_print(false, COLOUR_NONE, "%s", "d\n");
  fflush(stdout);
  cr_expect_stdout_eq_str("a?b: c?\nd?");
}

Test(terminal, escapes_do_not_pass) {
  prints("\033[2J\r\b\x7f\x01", "?[2J????");
}

Test(terminal, nor_do_the_controls_of_unicode) {
  prints("\xc2\x9b"
         "2J\xc2\x80\xc2\x9f\xc2",
         "??2J?????");
}

Test(terminal, what_is_no_text_does_not_pass) {
  prints("\xff\x9b\xe2\x82\xac\xed\xa0\x80\xc3\xa9\t", "??\xe2\x82\xac???\xc3\xa9\t");
}
