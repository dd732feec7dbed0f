/* SPDX-License-Identifier: Apache-2.0 */
#include "io/fileio.h"
#include "io/jsonx.h"
#include "runtime/record.h"
#include "runtime/state.h"
#include "runtime/state_json.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[] = "/tmp/oh-state.XXXXXX";
static char *dir; /* two levels below, so that the making of levels is tested */

static void setup(void) {
  cr_assert_not_null(mkdtemp(top));
  dir = xasprintf("%s/run/oci-harden", top);
}

static void teardown(void) {
  CLEANUP_FREE char *command = xasprintf("rm -rf %s", top);
  cr_assert_eq(system(command), 0);
  free(dir);
}

TestSuite(state, .init = setup, .fini = teardown);

static void fill(struct state *s) {
  *s = (struct state){
    .id = xstrdup("abc"),
    .root = xstrdup("/run/runc"),
    .bundle = xstrdup("/b"),
    .config = xstrdup("/b/config.json"),
    .handed_fds = 2,
    .no_user_namespace = xstrdup("it has no root"),
    .created = xstrdup("2026-01-02T03:04:05Z"),
    .runtime = xstrdup("/usr/sbin/runc"),
    .policies_len = 2,
    .annotations = json_pack("{s:s}", "k", "v"),
    .sandbox = true,
    .rootfs = { 8, UINT64_MAX },
    .creator = getpid(),
    .creator_start = process_start(getpid()),
  };
  struct error err = { 0 };
  memset(s->before, 'a', sizeof s->before - 1);
  memset(s->after, 'b', sizeof s->after - 1);
  cr_assert_eq(policy_load("/nonexistent", "restricted", &s->policies[0], &err), 0, "%s", err.message);
  cr_assert_eq(policy_load("/nonexistent", "strict", &s->policies[1], &err), 0, "%s", err.message);
}

static int open_state(const char *id, bool make) {
  int fd;
  struct error err = { 0 };
  cr_assert_eq(state_open(dir, "/run/runc", id, make, &fd, &err), 0, "%s", err.message);
  return fd;
}

static bool exists(const char *path) {
  return access(path, F_OK) == 0;
}

Test(state, root_names_are_injective) {
  static const char *const roots[] = { "/run/runc",   "/run-runc",  "/run/_runc", "/run//runc", "/run/runc/",
                                       "/run_2drunc", "run/runc",   "/",          "/-",         "/run/.runc",
                                       "/.",          "/run/ru nc", "/a/b",       "/a-b",       "/a_2db" };
  for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
    for (size_t j = 0; j < i; j++) {
      CLEANUP_FREE char *a = state_root_name(roots[i]);
      CLEANUP_FREE char *b = state_root_name(roots[j]);
      /* roots are absolute and normalised when they come here; "run/runc" is not */
      if (roots[i][0] == '/' && roots[j][0] == '/')
        cr_expect_str_neq(a, b, "%s %s", roots[i], roots[j]);
      cr_expect_null(strchr(a, '/'));
      cr_expect_neq(a[0], '.', "%s: %s", roots[i], a);
    }
  CLEANUP_FREE char *name = state_root_name("/run/containerd/runc/k8s.io");
  cr_expect_str_eq(name, "run-containerd-runc-k8s.io");
}

Test(state, long_roots_become_digests) {
  char a[600], b[600];
  memset(a, 'x', sizeof a);
  a[0] = '/';
  a[sizeof a - 1] = '\0';
  memcpy(b, a, sizeof b);
  b[500] = 'y';
  CLEANUP_FREE char *x = state_root_name(a);
  CLEANUP_FREE char *y = state_root_name(b);
  cr_expect_lt(strlen(x), 100);
  cr_expect_str_neq(x, y);
}

Test(state, what_is_saved_is_loaded) {
  CLEANUP_STATE struct state in = { 0 };
  CLEANUP_STATE struct state out = { 0 };
  struct error err = { 0 };
  bool found;
  fill(&in);
  CLEANUP_FD int fd = open_state("abc", true);
  cr_assert_eq(state_save(fd, &in, &err), 0, "%s", err.message);
  cr_assert_eq(state_load(fd, &out, &found, &err), 0, "%s", err.message);
  cr_assert(found);
  CLEANUP_STR struct str x = { 0 };
  CLEANUP_STR struct str y = { 0 };
  state_encode(&in, &x);
  state_encode(&out, &y);
  cr_expect_str_eq(x.data, y.data);
  cr_expect_str_eq(out.policies[0].name, "restricted");
  cr_expect_str_eq(out.policies[1].name, "strict");
  cr_expect(out.policies[0].packed && out.policies[0].packed == in.policies[0].packed);
  cr_expect(out.policies[1].packed && out.policies[1].packed == in.policies[1].packed);
  struct stat st;
  cr_assert_eq(fstatat(fd, "state.json", &st, 0), 0);
  cr_expect_eq(st.st_mode & 07777, 0600);
  cr_assert_eq(fstat(fd, &st), 0);
  cr_expect_eq(st.st_mode & 07777, 0700);
}

/* One that is not built-in is decoded, in whatever place it stands. */
Test(state, policies_of_other_texts_are_loaded) {
  for (size_t changed = 0; changed < 2; changed++) {
    CLEANUP_STATE struct state in = { 0 };
    CLEANUP_STATE struct state out = { 0 };
    CLEANUP_STR struct str x = { 0 };
    CLEANUP_STR struct str y = { 0 };
    struct error err = { 0 };
    fill(&in);
    in.policies[changed].packed = NULL;
    in.policies[changed].mode = POLICY_AUDIT;
    state_encode(&in, &x);
    const struct jsonx_source src = { "state.json", x.data, x.len };
    cr_assert_eq(state_decode(&out, &src, &err), 0, "%s", err.message);
    state_encode(&out, &y);
    cr_expect_str_eq(x.data, y.data);
    cr_expect_eq(out.policies[changed].mode, POLICY_AUDIT);
    cr_expect_eq(out.policies[!changed].mode, POLICY_ENFORCE);
  }
}

Test(state, absent_is_not_an_error) {
  CLEANUP_STATE struct state s = { 0 };
  struct error err = { 0 };
  bool found = true;
  cr_expect_eq(open_state("abc", false), -1);
  cr_assert_eq(state_load(-1, &s, &found, &err), 0);
  cr_expect_not(found);
  cr_expect_eq(state_remove(dir, "/run/runc", "abc", &err), 0);
}

Test(state, damaged_state_is_refused) {
  static const char *const texts[] = {
    "", "{", "[]", "{}", "{\"version\":2}", "{\"version\":1,\"id\":\"abc\"}"
  };
  CLEANUP_FD int fd = open_state("abc", true);
  for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
    CLEANUP_STATE struct state s = { 0 };
    struct error err = { 0 };
    bool found;
    cr_assert_eq(file_replace(fd, "state.json", texts[i], strlen(texts[i]), NULL, &err), 0);
    cr_expect_eq(state_load(fd, &s, &found, &err), -1, "%s", texts[i]);
    cr_expect_not(found);
  }
}

/* Every member of a good state is needed: without it nothing is loaded. */
Test(state, every_member_counts) {
  CLEANUP_STATE struct state in = { 0 };
  fill(&in);
  CLEANUP_STR struct str encoded = { 0 };
  state_encode(&in, &encoded);
  json_auto_t *good = NULL;
  struct error parse_err = { 0 };
  const struct jsonx_source encoded_src = { "state.json", encoded.data, encoded.len };
  cr_assert_eq(jsonx_parse(&encoded_src, encoded.len, &good, &parse_err), 0, "%s", parse_err.message);
  const char *key;
  json_t *value;
  json_object_foreach(good, key, value) {
    if (strcmp(key, "annotations") == 0 || strcmp(key, "pidFile") == 0 || strcmp(key, "config") == 0 ||
        strcmp(key, "handedFds") == 0 || strcmp(key, "noUserNamespace") == 0 || strcmp(key, "rootfs") == 0)
      continue;
    json_auto_t *bad = json_copy(good);
    json_object_del(bad, key);
    CLEANUP_STR struct str text = { 0 };
    jsonx_dump(bad, &text);
    const struct jsonx_source src = { "state.json", text.data, text.len };
    CLEANUP_STATE struct state out = { 0 };
    struct error err = { 0 };
    cr_expect_eq(state_decode(&out, &src, &err), -1, "without %s", key);
  }
}

/* A node is upgraded while its containers run. */
Test(state, older_ones_lack_what_came_later) {
  CLEANUP_STATE struct state in = { 0 };
  CLEANUP_STATE struct state out = { 0 };
  CLEANUP_STR struct str text = { 0 };
  struct error err = { 0 };
  fill(&in);
  free(steal_ptr(&in.config));
  free(steal_ptr(&in.no_user_namespace));
  in.handed_fds = 0;
  in.rootfs.inode = 0;
  state_encode(&in, &text);
  const struct jsonx_source src = { "state.json", text.data, text.len };
  cr_assert_null(strstr(text.data, "config.json"));
  cr_assert_eq(state_decode(&out, &src, &err), 0, "%s", err.message);
  cr_expect_str_eq(out.config, "/b/config.json");
  cr_expect_eq(out.handed_fds, 0);
  cr_expect_eq(out.rootfs.inode, 0);
  cr_expect_null(out.no_user_namespace);
}

Test(state, a_directory_that_others_may_write_is_refused) {
  CLEANUP_FD int fd = open_state("abc", true);
  cr_assert_eq(fchmod(fd, 0777), 0);
  int again;
  struct error err = { 0 };
  cr_expect_eq(state_open(dir, "/run/runc", "abc", false, &again, &err), -1);
  cr_expect_str_eq(err.rule, "OH-STA-001");
}

Test(state, a_symbolic_link_is_no_state) {
  CLEANUP_FD int fd = open_state("abc", true);
  CLEANUP_FREE char *link = xasprintf("%s/run-runc/evil", dir);
  cr_assert_eq(symlink("abc", link), 0);
  int again;
  struct error err = { 0 };
  cr_expect_eq(state_open(dir, "/run/runc", "evil", false, &again, &err), -1);
}

Test(state, removal_leaves_nothing) {
  struct error err = { 0 };
  CLEANUP_FREE char *path = NULL;
  CLEANUP_FREE char *root = xasprintf("%s/run-runc", dir);
  close(open_state("abc", true));
  close(open_state("def", true));
  cr_assert_eq(state_private_file(dir, "/run/runc", "abc", "exec", "{}", 2, &path, &err), 0, "%s",
               err.message);
  cr_expect(exists(path));
  cr_assert_eq(state_remove(dir, "/run/runc", "abc", &err), 0, "%s", err.message);
  cr_expect_not(exists(path));
  cr_expect(exists(root), "the other container is still there");
  cr_assert_eq(state_remove(dir, "/run/runc", "def", &err), 0, "%s", err.message);
  cr_expect_not(exists(root));
  cr_expect(exists(dir));
}

/* As a remover that was killed between the two leaves it. */
Test(state, removal_of_what_is_gone_takes_an_empty_root_too) {
  struct error err = { 0 };
  CLEANUP_FREE char *container = xasprintf("%s/run-runc/abc", dir);
  CLEANUP_FREE char *root = xasprintf("%s/run-runc", dir);
  close(open_state("abc", true));
  cr_assert_eq(rmdir(container), 0);
  cr_assert_eq(state_remove(dir, "/run/runc", "abc", &err), 0, "%s", err.message);
  cr_expect_not(exists(root));
  cr_assert_eq(state_remove(dir, "/run/runc", "abc", &err), 0, "%s", err.message);
}

Test(state, private_files_of_the_dead_are_removed) {
  struct error err = { 0 };
  CLEANUP_FREE char *mine = NULL;
  CLEANUP_FD int fd = open_state("abc", true);
  /* A pid that is surely gone; ours with another start time; and what is no private file. */
  cr_assert_eq(file_replace(fd, "exec-999999999-1.json", "", 0, NULL, &err), 0);
  CLEANUP_FREE char *reused = xasprintf("exec-%d-1.json", (int)getpid());
  cr_assert_eq(file_replace(fd, reused, "", 0, NULL, &err), 0);
  cr_assert_eq(file_replace(fd, "state.json", "", 0, NULL, &err), 0);
  cr_assert_eq(state_private_file(dir, "/run/runc", "abc", "update", "{}", 2, &mine, &err), 0, "%s",
               err.message);
  cr_expect_eq(faccessat(fd, "exec-999999999-1.json", F_OK, 0), -1);
  cr_expect_eq(faccessat(fd, reused, F_OK, 0), -1);
  cr_expect_eq(faccessat(fd, "state.json", F_OK, 0), 0);
  CLEANUP_FREE char *second = NULL;
  cr_assert_eq(state_private_file(dir, "/run/runc", "abc", "exec", "{}", 2, &second, &err), 0);
  cr_expect(exists(mine) && exists(second), "those of the living stay");
  struct stat st;
  cr_assert_eq(stat(second, &st), 0);
  cr_expect_eq(st.st_mode & 07777, 0600);
}

/* Makers and removers of one container at once: nobody fails, and what is loaded is whole. */
Test(state, makers_and_removers_at_once, .timeout = 30) {
  enum { PROCESSES = 6, ROUNDS = 60 };
  pid_t children[PROCESSES];
  for (int p = 0; p < PROCESSES; p++) {
    children[p] = fork();
    if (children[p] != 0)
      continue;
    for (int i = 0; i < ROUNDS; i++) {
      struct error err = { 0 };
      if (p % 2) {
        if (state_remove(dir, "/run/runc", "abc", &err) < 0)
          _exit(1);
        continue;
      }
      CLEANUP_FD int fd = -1;
      CLEANUP_STATE struct state in = { 0 };
      CLEANUP_STATE struct state out = { 0 };
      bool found;
      fill(&in);
      if (state_lock(dir, "/run/runc", "abc", true, &fd, &err) < 0 || state_save(fd, &in, &err) < 0 ||
          state_load(fd, &out, &found, &err) < 0 || !found)
        _exit(2);
    }
    _exit(0);
  }
  for (int p = 0; p < PROCESSES; p++) {
    int status;
    cr_assert_eq(waitpid(children[p], &status, 0), children[p]);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "process %d: %x", p, (unsigned)status);
  }
}

Test(record, a_process_has_a_start_and_a_zombie_has_none) {
  cr_expect_neq(process_start(getpid()), 0);
  cr_expect_eq(process_start(getpid()), process_start(getpid()));
  cr_expect_eq(process_start(0), 0);
  cr_expect_eq(process_start(999999999), 0);
  pid_t child = fork();
  if (child == 0)
    _exit(0);
  siginfo_t info;
  cr_assert_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
  cr_expect_eq(process_start(child), 0);
  waitpid(child, NULL, 0);
}
