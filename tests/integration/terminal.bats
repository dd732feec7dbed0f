#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Terminals of containers in a user namespace of ours, and of the same without one: by exec, by run, and by create with a
# console socket. The container's root owns its terminal, opens it by name and as /dev/tty, and its size goes both ways.
load helper

setup() {
  oh_setup
  : >"$T/empty" # not /dev/null, which crun would hand to the container's user
  mkfifo "$T/nothing" # to read, and no end of it, which script would hand on
  for mode in off require; do
    jq -n --arg m "$mode" '{extends: "restricted", "user-namespace": {mode: $m}}' >"$T/policies/users-$mode.json"
  done
}
teardown() { oh_teardown; }

# What a program finds. The sizes: as the terminal outside has it, which runtimes hand on when the program runs already
# (crun's run does not: there it is the config's), and as a program inside sets it.
LOOK='t=$(busybox tty); case $t in /dev/pts/[0-9]*) echo "terminal of its own" ;; *) echo "tty: $t" ;; esac
  stat -c "owner %u" $t; echo "by name" >/dev/tty; echo "again" >$t; [ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo "all three"
  until size=$(busybox stty size 2>/dev/null); [ "$size" ] || [ $((n += 1)) = 50 ]; do sleep 0.1; done; echo $size; busybox stty rows 10 cols 20 </dev/tty; busybox stty size'
FOUND=$'terminal of its own\nowner 0\nby name\nagain\nall three\n33 77\n10 20'

# on_terminal COMMAND...: on one of 33 by 77 characters; what is written there, without its carriage returns.
on_terminal() {
  printf '%q ' "$@" >"$T/command"
  SHELL=/bin/bash script -qefc "stty rows 33 cols 77; . $T/command" /dev/null <>"$T/nothing" >"$T/written" || return
  tr -d '\r' <"$T/written"
}

through() { on_terminal "$OH" --config "$T/config.json" --policy "$POLICY" --root "$T/root" "$@"; }

mapped() { # mapped MODE FILE: as the mode has it
  if [ "$1" = require ]; then grep -q ' 65536$' "$2"; else grep -q ' 4294967295$' "$2"; fi
}

@test "exec -t has a terminal of the container's own, whose owner is its root" {
  for runtime in runc crun; do
    oh_config "$runtime"
    for mode in require off; do
      POLICY=users-$mode id=$runtime-$mode
      b=$(CMD='sleep 600' bundle "$id")
      oh create --bundle "$b" --pid-file "$T/pid" "$id" <"$T/empty" >"$T/out" 2>&1 || { cat "$T/out"; false; }
      oh start "$id"
      mapped "$mode" "/proc/$(cat "$T/pid")/uid_map"
      run through exec -t "$id" /bin/sh -c "$LOOK"
      echo "$id: $output"
      [ "$status" -eq 0 ]
      [ "$output" = "$FOUND" ]
      oh delete --force "$id"
    done
  done
}

@test "run of a container with a terminal has one, whose owner is its root" {
  for runtime in runc crun; do
    oh_config "$runtime"
    for mode in require off; do
      POLICY=users-$mode id=$runtime-$mode
      b=$(CMD="cat /proc/self/uid_map >/tmp/map; $LOOK; cat /tmp/map" bundle "$id" '.process |= (.terminal = true | .consoleSize = {height: 33, width: 77})')
      run through run --bundle "$b" "$id"
      echo "$id: $output"
      [ "$status" -eq 0 ]
      [ "$(sed '$d' <<<"$output")" = "$FOUND" ]
      mapped "$mode" <(tail -n 1 <<<"$output")
    done
  done
}

# An engine's part (in Python, which the machines of tests/vm lack): it listens, takes the terminal's other side from the runtime, gives it its size, and reads.
ENGINE='import fcntl, os, socket, struct, subprocess, sys, termios
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
listener.settimeout(20)
create = subprocess.Popen(sys.argv[3:], stdin=subprocess.DEVNULL)
peer, _ = listener.accept()
terminal = socket.recv_fds(peer, 4096, 1)[1][0]
if create.wait():
    sys.exit("create failed")
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 33, 77, 0, 0))
subprocess.run(["sh", "-c", sys.argv[2]], check=True)
try:
    while data := os.read(terminal, 4096):
        sys.stdout.buffer.write(data.replace(b"\r", b""))
except OSError:
    pass  # the last of the other side has closed it'

# bats test_tags=not-in-vm
@test "create with a console socket hands over a terminal, whose owner is the container's root" {
  for runtime in runc crun; do
    oh_config "$runtime"
    for mode in require off; do
      POLICY=users-$mode id=$runtime-$mode
      b=$(CMD=$LOOK bundle "$id" '.process.terminal = true | del(.process.consoleSize)')
      line=("$OH" --config "$T/config.json" --policy "$POLICY" --root "$T/root")
      # A socket's name has an end, at 107 characters.
      run timeout 60 python3 -c "$ENGINE" "$T/s-$id" "$(printf '%q ' "${line[@]}" start "$id")" \
        "${line[@]}" create --bundle "$b" --console-socket "$T/s-$id" --pid-file "$T/pid" "$id"
      echo "$id: $output"
      [ "$status" -eq 0 ]
      [ "$output" = "$FOUND" ]
      oh delete --force "$id"
    done
  done
}
