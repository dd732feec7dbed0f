#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers of a real dockerd, with a runtime entry for each policy beside runc.
bats_require_minimum_version 1.5.0
load ../integration/helper
load engines
ENGINE="docker"

setup_file() {
  oh_setup
  config_for_engine
  CGROUP=$(basename "$T")
  jq -n --arg t "$T" --arg oh "$OH" --arg cgroup "/$CGROUP" '{
    "data-root": ($t + "/d/root"), "exec-root": ($t + "/d/exec"), pidfile: ($t + "/d/pid"), hosts: ["unix://" + $t + "/d/s"],
    bridge: "none", iptables: false, "ip6tables": false, "ip-masq": false, "storage-driver": "overlay2",
    "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": $cgroup,
    runtimes: (["baseline", "restricted", "strict", "become"] | map({(.): {path: $oh, runtimeArgs: ["--policy", .]}}) | add)}' >"$T/daemon.json"
  mkdir -p "$T/d"
  own_network dockerd --config-file "$T/daemon.json" >"$T/dockerd.log" 2>&1 3>&- &
  DOCKERD=$!
  export T CGROUP DOCKERD
  wait_for 30 docker_ version >/dev/null 2>&1
  image_archive "$T/image.tar" busybox:test
  docker_ load -i "$T/image.tar" >/dev/null
}

docker_() { docker -H "unix://$T/d/s" "$@"; }

teardown() {
  docker_ ps -aq | xargs -r docker -H "unix://$T/d/s" rm -fv >/dev/null
  docker_ network prune -f >/dev/null
}

teardown_file() {
  if [ -n "${DOCKERD-}" ]; then
    kill "$DOCKERD"
    wait_for 20 sh -c "! kill -0 $DOCKERD 2>/dev/null"
  fi
  oh_unmount
  oh_remove_cgroups "$CGROUP"
  oh_teardown
}

# run_ POLICY ARGS...: docker run under that runtime entry, without a network (the daemon has none).
run_() {
  local runtime=$1
  shift
  docker_ run --network "${NET:-none}" --runtime "$runtime" "$@"
}
IMAGE=busybox:test
SELF='grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status'
ORDINARY="runc baseline restricted strict"

@test "run, exit codes, stdin and terminal are as under runc" {
  local r
  for r in $ORDINARY; do
    run --separate-stderr run_ "$r" --rm "$IMAGE" sh -c 'echo out; echo err >&2; exit 7'
    # shellcheck disable=SC2154 # bats sets it
    echo "$r: $output, $stderr"
    [ "$status" -eq 7 ]
    [ "$output" = out ]
    [ "$stderr" = err ]
    [ "$(echo words | run_ "$r" --rm -i "$IMAGE" cat)" = words ]
    run script -qec "docker -H unix://$T/d/s run --rm -t --network none --runtime $r $IMAGE sh -c 'test -t 1 && echo tty; tty; stty size'" /dev/null </dev/null
    echo "$r: $output"
    [[ "$output" == *tty*"/dev/"* ]]
    run -127 run_ "$r" --rm "$IMAGE" /nothing
    echo "$r: $output"
    run run_ "$r" --rm --init "$IMAGE" sh -c 'cat /proc/1/comm; exit 3'
    echo "$r: $output"
    [ "$status" -eq 3 ]
    [ "$output" = docker-init ]
    cell "$r" runs "run: streams, terminal, exit codes, --init"
  done
}

@test "exec, cp, restart, pause, update, top, logs and stop are as under runc" {
  local r
  for r in $ORDINARY; do
    run_ "$r" -d --name job "$IMAGE" sh -c 'echo started; trap "exit 5" TERM; while :; do sleep 0.1; done' >/dev/null
    run docker_ exec -i -e A=1 -w /tmp job sh -c 'echo $A; pwd; cat; exit 4' <<<input
    echo "$r: $output"
    [ "$status" -eq 4 ]
    [ "$output" = $'1\n/tmp\ninput' ]
    [ "$(docker_ exec -u 1000 job id -u)" = 1000 ]
    docker_ exec -d job sh -c 'echo there > /dev/shm/x'
    echo file >"$T/file"
    docker_ cp "$T/file" job:/root/file # the daemon writes into the layer, beside the container's mounts
    [ "$(docker_ exec job cat /root/file)" = file ]
    docker_ cp job:/etc/passwd "$T/passwd"
    docker_ pause job
    docker_ unpause job
    docker_ update --memory 64m --memory-swap 64m job
    docker_ top job | grep -q 'while :'
    docker_ restart -t 5 job
    wait_for 5 sh -c "[ \$(docker -H unix://$T/d/s logs job | grep -c started) -eq 2 ]"
    docker_ stop -t 5 job
    [ "$(docker_ inspect -f '{{.State.ExitCode}}' job)" -eq 5 ]
    docker_ rm job
    cell "$r" runs "exec, cp, restart, pause, update, top, logs, stop"
  done
  run find "$T/state" -mindepth 1 -path '*/.cache' -prune -o -path '*/.leases*' -prune -o -print
  echo "$output"
  [ -z "$output" ]
}

@test "volumes, tmpfs, read-only, user, limits, devices and environment are as under runc" {
  local r unlimited
  mkdir -p "$T/host"
  for r in $ORDINARY; do
    rm -f "$T/host/x"
    run run_ "$r" --rm -v "$T/host:/host" -v named:/named -v /anonymous "$IMAGE" sh -c '
      echo 1 > /host/x && echo 2 > /named/x && echo 3 > /anonymous/x && cat /host/x /named/x /anonymous/x'
    echo "$r: $output"
    [ "$output" = $'1\n2\n3' ]
    [ "$(cat "$T/host/x")" = 1 ]
    run run_ "$r" --rm -v "$T/host:/host:ro" --read-only --tmpfs /scratch:size=1m --tmpfs /run "$IMAGE" sh -c '
      touch /host/y || echo no; touch /y || echo no; touch /scratch/y && touch /run/y && echo yes'
    echo "$r: $output"
    [ "$(grep -cx no <<<"$output")" -eq 2 ]
    grep -qx yes <<<"$output"
    run run_ "$r" --rm --user 1000:1000 --group-add 2000 -e HOME=/tmp "$IMAGE" sh -c 'id -u; id -G; cd; echo job > x && cat x'
    echo "$r: $output"
    [ "$output" = $'1000\n1000 2000\njob' ]
    run run_ "$r" --rm --ulimit nofile=1024 --memory 64m --pids-limit 50 --cpus 0.5 --shm-size 8m \
      --hostname h --sysctl net.ipv4.ping_group_range='0 0' "$IMAGE" sh -c '
      ulimit -n; hostname; cat /sys/fs/cgroup/memory/memory.limit_in_bytes'
    echo "$r: $output"
    [ "$output" = $'1024\nh\n67108864' ]
    # Unlimited is 2^64-1 in config.json. Where the kernel does not grant it, runc's own words must come through.
    run run_ "$r" --rm --ulimit memlock=-1:-1 "$IMAGE" sh -c 'ulimit -l'
    echo "$r: $output"
    [ "$r" != runc ] || unlimited=$output
    [ "$output" = "$unlimited" ]
    run run_ "$r" --rm --cap-drop ALL --security-opt no-new-privileges "$IMAGE" sh -c "$SELF"
    echo "$r: $output"
    [[ "$output" == *"CapBnd:"*"0000000000000000"*"NoNewPrivs:"*"1"* ]]
    cell "$r" runs "-v, --tmpfs, --read-only, --user, --ulimit, --memory, --cpus, --sysctl, --cap-drop"
  done
}

@test "asking for more gains nothing: --cap-add, unconfined, exec --privileged, --device, writable kernel paths" {
  local r set
  for r in baseline:00000000a80405fb restricted:0000000000000400; do
    set=${r#*:} r=${r%:*}
    run_ "$r" -d --name job --cap-add ALL --security-opt seccomp=unconfined --security-opt systempaths=unconfined \
      --device /dev/null:/dev/sda "$IMAGE" sleep 600 >/dev/null
    for call in "exec job" "exec --privileged job" "exec --privileged -u 0 job"; do
      # shellcheck disable=SC2086
      run docker_ $call sh -c "$SELF; echo x > /proc/sys/kernel/core_pattern"
      echo "$r: $call: $output"
      [[ "$output" == *"CapEff:"*"$set"* ]]
      [[ "$output" == *"CapBnd:"*"$set"* ]]
      [[ "$output" == *"Seccomp:"*"2"* ]]
      [[ "$output" == *"Read-only file system"* ]]
    done
    docker_ rm -f job
    cell "$r" less "--cap-add ALL, unconfined, --device, exec --privileged"
  done
}

@test "hardenctl inspect finds docker's containers by the id that docker prints, hardened or not" {
  for runtime in runc restricted; do
    id=$(run_ "$runtime" -d --user 1000 --ulimit core=0 "$IMAGE" sleep 600)
    run "$CTL" inspect --policy restricted --root "$T/d/exec/runtime-runc/moby" "${id:0:12}"
    echo "$output"
    [[ "$output" == "$id in $T/d/exec/runtime-runc/moby, pid "*": policy restricted: "* ]]
    if [ "$runtime" = runc ]; then [ "$status" -eq 1 ]; else [ "$status" -eq 0 ]; fi
  done
}

@test "what cannot be taken away is refused, and docker's user reads why" {
  local r
  for r in baseline restricted strict; do
    NET=host run run_ "$r" --rm --user 1000 "$IMAGE" true
    echo "$r: $output"
    [[ "$output" == *"OH-NSP-"* ]]
    run run_ "$r" --rm --user 1000 -v /etc:/host "$IMAGE" true
    echo "$r: $output"
    [[ "$output" == *"OH-MNT-"* ]]
    [ "$status" -ne 0 ]
    run run_ "$r" --rm --user 1000 --ipc host "$IMAGE" true
    echo "$r: $output"
    [[ "$output" == *"OH-MNT-"* ]]
    run run_ "$r" --rm --user 1000 -v "$T/d:/var/run/docker:ro" -v "/run:/host" "$IMAGE" true
    echo "$r: $output"
    [[ "$output" == *"OH-MNT-"* ]]
    run run_ "$r" --rm -v /sys/fs/cgroup:/sys/fs/cgroup --tmpfs /run "$IMAGE" /sbin/init
    echo "$r: $output"
    [ "$status" -ne 0 ]
    [[ "$output" == *"OH-MNT-"* ]]
    cell "$r" refused "--network host" "-v /etc" "--ipc host" "-v /run, with the engine's socket" \
      "an init system with the host's cgroups"
  done
  jq -n '{extends: "strict", "user-namespace": {mode: "off"}}' >"$T/policies/strict.json"
  run run_ strict --rm "$IMAGE" true
  rm "$T/policies/strict.json"
  echo "$output"
  [[ "$output" == *"OH-USR-002"* ]]
}

@test "strict runs what asks for nothing: a user's job" {
  local r
  for r in runc strict; do
    run run_ "$r" --rm --user 1000:1000 --cap-drop ALL "$IMAGE" sh -c "echo job > /tmp/x && cat /tmp/x; $SELF"
    echo "$r: $output"
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = job ]
    cell "$r" runs "a user's job"
  done
}

@test "root with NET_BIND_SERVICE serves port 80, and a container may join its network" {
  local r
  for r in runc baseline restricted; do # which all run a container without a user namespace, as joining asks for
    run_ "$r" -d --name web --ipc shareable "$IMAGE" sh -c 'mkdir /tmp/w && echo page > /tmp/w/x && exec busybox httpd -f -p 80 -h /tmp/w' >/dev/null
    run docker_ run --rm --network container:web --ipc container:web --pid container:web --runtime "$r" "$IMAGE" sh -c '
      for i in 1 2 3 4 5; do busybox wget -q -O - http://127.0.0.1/x && break; sleep 1; done; cat /proc/1/comm'
    echo "$r: $output"
    [ "${lines[0]}" = page ]
    docker_ rm -f web
    cell "$r" runs "port 80 as root, --network, --ipc and --pid container:"
  done
}

@test "the host's pid namespace becomes a private one, --privileged is tightened" {
  local r
  for r in baseline restricted; do
    [ "$(run_ "$r" --rm --pid host "$IMAGE" cat /proc/1/comm)" = cat ]
    run run_ "$r" --rm --privileged "$IMAGE" sh -c "$SELF; ls /dev"
    echo "$r: privileged: $output"
    [[ "$output" != *vda* ]]
    cell "$r" less "--pid host" "--privileged"
  done
}

@test "a bridge network works: docker's own hook passes and names resolve" {
  local r
  docker_ network create --subnet 10.252.0.0/24 bridge_ >/dev/null
  for r in $ORDINARY; do
    NET=bridge_ run_ "$r" -d --name web "$IMAGE" sh -c 'mkdir /tmp/w && echo page > /tmp/w/x && exec busybox httpd -f -p 80 -h /tmp/w' >/dev/null
    run docker_ run --rm --network bridge_ --runtime "$r" "$IMAGE" sh -c '
      for i in 1 2 3 4 5; do busybox wget -q -O - http://web/x && break; sleep 1; done'
    echo "$r: $output"
    [ "$output" = page ]
    docker_ rm -f web
    cell "$r" runs "a bridge network and its names"
  done
  docker_ network rm bridge_
}

# The policy that docs/policies.md gives for images that start as root and become another user.
become_policy() {
  jq -n '{extends: "restricted", capabilities: {allow: ["...", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETGID",
    "CAP_SETUID"]}}' >"$T/policies/become.json"
  chmod 600 "$T/policies/become.json"
}

# asked COMMAND...: in the container `service`, until it succeeds; prints the last attempt, or the service's log.
asked() {
  local answer
  for _ in $(seq 50); do
    answer=$(docker_ exec service "$@" 2>&1) && { echo "$answer"; return 0; }
    docker_ ps -q --filter name=service | grep -q . || break
    sleep 0.2
  done
  echo "$answer"
  docker_ logs service
  return 1
}

@test "nginx, redis and PostgreSQL of Debian serve under every policy" {
  local r pg=/usr/lib/postgresql/current/bin
  become_policy
  docker_ import "$BUILD/services.tar" services >/dev/null
  for r in runc baseline become; do # root opens port 80 and the logs, www-data serves
    run_ "$r" -d --name service -v /var/lib/nginx services nginx -g 'daemon off;' >/dev/null
    run asked wget -q -O - http://127.0.0.1/
    echo "$r: $output"
    [[ "$output" == *welcome* ]]
    docker_ exec service sh -c 'cat /proc/[0-9]*/status' | grep -q '^Uid:.*33'
    docker_ rm -fv service
  done
  run run_ restricted --rm -v /var/lib/nginx services nginx -g 'daemon off;'
  echo "restricted, as root: $output"
  [ "$status" -ne 0 ]

  for r in $ORDINARY; do
    run_ "$r" -d --name service --user 33:33 -v /var/lib/nginx services nginx -c /etc/nginx/unprivileged.conf \
      -g 'daemon off;' >/dev/null
    run asked wget -q -O - http://127.0.0.1/
    echo "$r: nginx: $output"
    [[ "$output" == *welcome* ]]
    docker_ rm -fv service

    run_ "$r" -d --name service --user 100:100 -v /var/lib/redis -w /var/lib/redis services redis-server --appendonly yes >/dev/null
    run asked redis-cli set key value
    echo "$r: redis: $output"
    [[ "$output" == *OK ]]
    [ "$(docker_ exec service redis-cli bgsave)" = "Background saving started" ]
    asked test -e /var/lib/redis/dump.rdb
    docker_ stop service
    [ "$(docker_ inspect -f '{{.State.ExitCode}}' service)" -eq 0 ]
    docker_ rm -fv service

    run_ "$r" -d --name service --user 101:101 -v /var/lib/postgresql services sh -c "
      $pg/initdb -D /var/lib/postgresql/data --locale=C >/tmp/log && exec $pg/postgres -D /var/lib/postgresql/data -k /tmp" >/dev/null
    run asked $pg/psql -h /tmp -Atc "create table t as select generate_series(1, 1000) n; select sum(n) from t" postgres
    echo "$r: postgres: $output"
    [[ "$output" == *500500 ]]
    docker_ stop -t 20 service
    [ "$(docker_ inspect -f '{{.State.ExitCode}}' service)" -eq 0 ]
    docker_ rm -fv service
    cell "$r" runs "nginx, redis and PostgreSQL as their users"
  done
}
