/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delete: what we keep of the container goes with it, before the runtime's own. The one delete that leaves a
 * container behind is refused by the runtime: of a running one without --force. Its state must stay.
 */
#include "runtime/call.h"
#include "runtime/lease.h"
#include "runtime/record.h"

int call_delete(struct call *c, struct error *err) {
  if (!c->command.id)
    return call_pass(c, err);
  CLEANUP_RECORD struct record record = { 0 };
  struct error kept = { 0 };
  const bool unknown = record_read(&record, c->root, c->command.id, c->target.kind, &kept) < 0;
  const bool refused = unknown || (record.alive && !record.created && !command_has(&c->command, "force"));
  /* A failing delete leaves a pod terminating for ever: leftovers are for `hardenctl gc`. */
  if (!refused) {
    const bool lives = record.exists && (record.alive || !record.readable);
    bool leased;
    (void)!lease_free_all(c->config.state_dir, c->root, c->command.id, lives, &leased, &kept);
    if (leased)
      usermap_forget(&c->config, c->root, c->command.id);
    (void)!state_remove(c->config.state_dir, c->root, c->command.id, &kept);
  }
  return call_pass(c, err);
}
