/* SPDX-License-Identifier: Apache-2.0 */
/* Unified diffs, by Myers' greedy algorithm (An O(ND) Difference Algorithm, 1986). */
#include "install/edit.h"

#include <string.h>

struct line {
  const char *text;
  size_t len; /* with its newline, where it has one */
};
struct lines {
  struct line *items;
  size_t len;
};
static void lines_free(struct lines *l) {
  free(l->items);
}

static struct lines split(const char *text) {
  struct lines l = { 0 };
  for (const char *p = text ? text : ""; *p;) {
    const char *newline = strchr(p, '\n');
    const size_t len = newline ? (size_t)(newline - p) + 1 : strlen(p);
    l.items = xrealloc(l.items, l.len + 1, sizeof *l.items);
    l.items[l.len++] = (struct line){ p, len };
    p += len;
  }
  return l;
}

static bool equal(const struct line *a, const struct line *b) {
  return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

/* What becomes of the lines: ' ' kept, '-' taken out, '+' put in. */
struct script {
  char *ops;
  size_t len;
};

static void push(struct script *s, char op, size_t n) {
  s->ops = xrealloc(s->ops, s->len + n + 1, 1);
  memset(s->ops + s->len, op, n);
  s->len += n;
}

/*
 * The shortest script for what stands between the common head and tail, which are kept. v[k] is how far on
 * the diagonal k = x - y the furthest path of d edits reaches; each d's v is kept to walk back. Beyond
 * EDITS_MAX all of it is taken out and put in anew: that is a diff too.
 */
enum { EDITS_MAX = 2000 };

static void walk_back(long **traces, long d, long x, long y, struct script *reversed) {
  for (; d > 0; d--) {
    const long *v = traces[d - 1] + d; /* indices -d .. d */
    const long k = x - y;
    const bool down = k == -d || (k != d && v[k - 1] < v[k + 1]);
    const long from = down ? k + 1 : k - 1;
    const long px = v[from], py = px - from;
    const long sx = down ? px : px + 1;
    push(reversed, ' ', (size_t)(x - sx));
    push(reversed, down ? '+' : '-', 1);
    x = px;
    y = py;
  }
  push(reversed, ' ', (size_t)x);
}

static void solve(const struct line *a, long n, const struct line *b, long m, struct script *reversed) {
  const long max = n + m < EDITS_MAX ? n + m : EDITS_MAX;
  long **traces = xcalloc((size_t)max + 2, sizeof *traces);
  long *v = xcalloc(2 * (size_t)max + 5, sizeof *v);
  long *at = v + max + 2;
  long found = -1;
  for (long d = 0; d <= max && found < 0; d++) {
    for (long k = -d; k <= d && found < 0; k += 2) {
      long x = d == 0 ? 0 : k == -d || (k != d && at[k - 1] < at[k + 1]) ? at[k + 1] : at[k - 1] + 1;
      while (x < n && x - k < m && equal(&a[x], &b[x - k]))
        x++;
      at[k] = x;
      if (x >= n && x - k >= m)
        found = d;
    }
    traces[d] = xcalloc(2 * (size_t)d + 3, sizeof **traces); /* indices -(d+1) .. d+1 */
    memcpy(traces[d], at - d - 1, (2 * (size_t)d + 3) * sizeof **traces);
  }
  if (found >= 0) {
    walk_back(traces, found, n, m, reversed);
  } else {
    push(reversed, '+', (size_t)m);
    push(reversed, '-', (size_t)n);
  }
  for (long d = 0; d <= max; d++)
    free(traces[d]);
  free(traces);
  free(v);
}

static void make_script(const struct lines *a, const struct lines *b, struct script *ret) {
  size_t head = 0, tail = 0;
  while (head < a->len && head < b->len && equal(&a->items[head], &b->items[head]))
    head++;
  while (tail < a->len - head && tail < b->len - head &&
         equal(&a->items[a->len - 1 - tail], &b->items[b->len - 1 - tail]))
    tail++;
  struct script reversed = { 0 };
  solve(a->items + head, (long)(a->len - head - tail), b->items + head, (long)(b->len - head - tail),
        &reversed);
  push(ret, ' ', head);
  for (size_t i = reversed.len; i-- > 0;)
    push(ret, reversed.ops[i], 1);
  push(ret, ' ', tail);
  free(reversed.ops);
}

static void print_line(struct str *out, char op, const struct lines *of, size_t at) {
  if (!of->items || at >= of->len)
    return;
  const struct line *line = &of->items[at];
  str_add_mem(out, &op, 1);
  str_add_mem(out, line->text, line->len);
  if (out->data[out->len - 1] != '\n')
    str_add(out, "\n\\ No newline at end of file\n");
}

/* A range as diff(1) has it: from 1, and the line before when there is none. */
static void print_range(struct str *out, char sign, size_t start, size_t len) {
  str_addf(out, "%c%zu", sign, len ? start + 1 : start);
  if (len != 1)
    str_addf(out, ",%zu", len);
}

enum { CONTEXT = 3 };

/* Prints the hunk that begins at op i, line x of a and y of b; returns the op behind it. */
static size_t print_hunk(const struct script *s, size_t i, size_t *x, size_t *y, const struct lines *a,
                         const struct lines *b, struct str *out) {
  size_t end = i, kept = 0, minus = 0, plus = 0;
  for (; end < s->len && kept <= (size_t)2 * CONTEXT; end++)
    kept = s->ops[end] == ' ' ? kept + 1 : 0;
  if (kept > CONTEXT)
    end -= kept - CONTEXT;
  for (size_t j = i; j < end; j++) {
    minus += s->ops[j] != '+';
    plus += s->ops[j] != '-';
  }
  str_add(out, "@@ ");
  print_range(out, '-', *x, minus);
  str_add(out, " ");
  print_range(out, '+', *y, plus);
  str_add(out, " @@\n");
  for (size_t j = i; j < end; j++) {
    print_line(out, s->ops[j], s->ops[j] == '+' ? b : a, s->ops[j] == '+' ? *y : *x);
    *x += s->ops[j] != '+';
    *y += s->ops[j] != '-';
  }
  return end;
}

void text_diff(const char *name, const char *before, const char *after, struct str *out) {
  CLEANUP(lines_free) struct lines a = split(before);
  CLEANUP(lines_free) struct lines b = split(after);
  struct script s = { 0 };
  make_script(&a, &b, &s);
  size_t x = 0, y = 0, changed = 0;
  for (size_t i = 0; i < s.len; i++)
    changed += s.ops[i] != ' ';
  if (changed)
    str_addf(out, "--- %s\n+++ %s\n", before ? name : "/dev/null", after ? name : "/dev/null");
  for (size_t i = 0; changed && i < s.len;) {
    size_t next = i;
    while (next < s.len && s.ops[next] == ' ')
      next++;
    if (next == s.len)
      break;
    const size_t skip = next - i > CONTEXT ? next - i - CONTEXT : 0;
    x += skip;
    y += skip;
    i = print_hunk(&s, i + skip, &x, &y, &a, &b, out);
  }
  free(s.ops);
}
