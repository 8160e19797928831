#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Somebody with root takes our hooks away: it is noticed, told, and undone.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a
server - tcp/127.0.0.1/7001 tcp/127.0.0.1/7002 udp/127.0.0.1/7001 udp/127.0.0.1/7002
daemon_must_start
doc a a <<'END' | put_force a || exit 1
network:
  egress:
    default: deny
    rules:
      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: 7001}, {protocol: UDP, port: 7001}]}
devices:
  default: deny
END
links=$tmp/bpf/links
attempt() { inside a "$net" "$@"; }
is_denied() { [ "$(attempt "$@")" = denied ]; }
repaired() { [ "$(status_row "$1" repairs)" -gt "$2" ]; }
attached() { bpftool cgroup show "$cgroup" | grep -q "$1"; }
all_pins() { [ "$(find "$links" -name 'rf_*' | wc -l)" = "$pins" ]; }
# It took about the second that passes between two looks.
in_time()
{
	in_time_ms=$((($(date +%s%N) - start) / 1000000))
	[ "$in_time_ms" -lt $((3000 * RF_SLOW)) ] || { echo "it took $in_time_ms ms"; return 1; }
}

tap_is "before: denied" denied attempt tcp 127.0.0.1 7002
tap_is "before: a quiet host has no repairs" 0 status_row skb_egress repairs

for hook in skb_egress skb_ingress connect4 connect6 device; do
	start=$(date +%s%N)
	before=$(status_row $hook repairs)
	bpftool link detach pinned "$links/rf_$hook" || echo "# bpftool could not detach rf_$hook"
	tap_ok "bpftool link detach of rf_$hook is undone" await 5 repaired $hook "$before"
	tap_ok "within about a second" in_time
	tap_ok "it is attached again" attached "rf_$hook"
	tap_ok "status says what happened to it" says "$hook .*was detached" "$ringfence" status
	tap_ok "so does the log" grep -q "tampering: hook rf_$hook was detached" "$tmp/log"
done
tap_is "packets are denied again" denied attempt udp 127.0.0.1 7002
tap_is "connections are denied again" denied attempt tcp 127.0.0.1 7002
tap_is "devices are denied again" denied inside a "$work" open r /dev/zero
tap_is "what is allowed passes" allowed attempt tcp 127.0.0.1 7001

for hook in skb_egress cgroup_mkdir sched_process_exec; do
	case $hook in
	sched_process_exec) pin=rf_exec ;;
	*) pin=rf_$hook ;;
	esac
	start=$(date +%s%N)
	before=$(status_row $hook repairs)
	rm "$links/$pin"
	tap_ok "a removed pin of $pin is put back" await 5 repaired $hook "$before"
	tap_ok "within about a second" in_time
	tap_ok "it is there" [ -e "$links/$pin" ]
	tap_ok "the log says so" grep -q "tampering: hook $pin its pin was removed" "$tmp/log"
done
tap_is "meanwhile it was denied all the time" denied attempt tcp 127.0.0.1 7002
start=$(date +%s%N)
before=$(status_row device repairs)
pins=$(find "$links" -name 'rf_*' | wc -l)
rm -r "$links"
tap_ok "so is the whole directory of links" await 5 repaired device "$before"
tap_ok "with all that was in it" await 2 all_pins

# Pins that were put back are good for the next daemon.
daemon_end KILL
tap_is "without a daemon it is denied" denied attempt tcp 127.0.0.1 7002
daemon_must_start
tap_is "the next daemon adopts what was put back" true status_value adopted
tap_is "and it is denied" denied attempt tcp 127.0.0.1 7002

# Taken away while nobody watches: the next daemon attaches again.
daemon_end KILL
bpftool link detach pinned "$links/rf_skb_egress"
bpftool link detach pinned "$links/rf_connect4"
daemon_must_start
tap_is "what was detached without a daemon is attached by the next" denied attempt udp 127.0.0.1 7002
tap_is "with connect()" denied attempt tcp 127.0.0.1 7002
daemon_end KILL
rm "$links/rf_skb_ingress" "$links/rf_exec"
daemon_must_start
tap_ok "so is what was unpinned" attached rf_skb_ingress

# Below a workload's cgroup nobody can put a program that overrides ours.
tap_ok "the attach point has each of our programs once" \
	[ "$(bpftool cgroup show "$cgroup" | grep -c ' rf_')" = 5 ]
tap_is "and it is denied" denied attempt tcp 127.0.0.1 7002
tap_done
