#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Accelerators: who may open which, what may be asked of one that is open, what
# comes by other ways than opening, and devices that come and go. With the test
# accelerator, so only where its module can be loaded.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck source=tests/e2e/accel.sh
. "$src/tests/e2e/accel.sh"

make_cgroup one none submit noadmin audit both some pci late
daemon_must_start
level1=$(status_row accelerator-ioctls support)
[ "$level1" = enforced ]
level1=$?

{
	doc one one <<END
telemetry: {events: [acceleratorOpen]}
accelerators:
  rules:
    - {name: "the first", class: $class, index: 0}
END
	doc none none <<'END'
telemetry: {events: [acceleratorOpen]}
accelerators: {default: deny}
END
	doc audit audit <<'END'
mode: audit
accelerators: {default: deny}
END
	doc both both <<END
devices:
  default: allow
  rules:
    - {name: "not by path", action: deny, path: "$(node 0)"}
accelerators: {default: allow}
END
	doc pci pci <<'END'
accelerators:
  rules:
    - {name: "elsewhere", pci: "0000:03:00.0"}
END
	[ $level1 -ne 0 ] || doc submit submit <<END
accelerators:
  rules:
    - {name: "jobs only", class: $class, operations: [submit]}
END
	[ $level1 -ne 0 ] || doc noadmin noadmin <<'END'
accelerators:
  default: allow
  rules:
    - {name: "no resets", action: deny, operations: [admin, map]}
END
} | put_force base || exit 1

tap_is "the one that is allowed is opened and used" "open ok wait ok alloc ok map ok free ok" \
	at one "$(node 0)" wait:100 alloc:4096 map free
tap_is "the other is not opened" "open EPERM" at one "$(node 1)"
tap_is "without a rule none is" "open EPERM" at none "$(node 0)"
free_of() { "$probe" "$@" | tr '\n' ' ' | sed 's/ $//'; }
tap_is "who is in no workload uses it" "open ok wait ok" free_of "$(node 1)" wait:100
tap_is "in audit mode it is opened" "open ok wait ok" at audit "$(node 0)" wait:100
tap_ok "and reported" says 'device-deny would-deny default/default/audit .*accelerators: *default|default' \
	"$ringfence" events --verdict would-deny
tap_is "what spec.devices denies is denied" "open EPERM" at both "$(node 0)"
tap_is "what both allow is allowed" "open ok wait ok" at both "$(node 1)" wait:100
tap_is "a rule of another device allows nothing" "open EPERM" at pci "$(node 0)"
tap_ok "a denial names the device and the rule's policy" says "default/default/none .*$(name 0).*default/default/none" \
	"$ringfence" events --verdict deny
denied() { counter none accel_deny; }
tap_is "and is counted" 1 denied
opened() { "$ringfence" events --kind accelerator-open; }
opening() { says "accelerator-open allow default/default/one accel_probe.[0-9]*. [0-9]*:[0-9]* $(name 0) rw$" opened; }
tap_ok "an opening is told where a policy asks for it" await 5 opening
not_opened() { opened | grep -cvE "default/default/one .* $(name 0) rw"; }
tap_is "and no other, nor what is denied" 0 not_opened

# Nodes of one's own making, and of a major whose devices nobody has looked at.
major=$((0x$(stat -c %t "$(node 0)")))
minor=$((0x$(stat -c %T "$(node 0)")))
make_node() { inside "$1" "$work" mknod char "$major" "$2" "$tmp/made.$1.$2"; }
tap_is "a node of one that is allowed is made" allowed make_node one "$minor"
tap_is "and of one that is not, not" denied make_node none "$minor"
tap_is "a device that nobody knows is denied by the default" denied make_node one 190

# ---- what is open already ----

if [ $level1 -ne 0 ]; then
	for claim in "jobs alone are taken where that is all that is allowed" "a buffer is not" \
		"what is denied by name is denied" "and nothing else" "mmap() is class map" \
		"an open device that is passed on does not arrive" "and arrives where it is allowed" \
		"one that was inherited is not used" "one that was opened before there was a policy is not used"; do
		tap_skip "$claim" "level 1"
	done
	doc ops one <<END >"$tmp/ops.yaml"
accelerators:
  rules:
    - {class: $class, operations: [submit]}
END
	tap_ok "operations are refused without BPF LSM" says 'accelerator-ioctls.*not available' \
		"$ringfence" apply "$tmp/ops.yaml"
else
	tap_is "jobs alone are taken where that is all that is allowed" "open ok wait ok alloc EPERM" \
		at submit "$(node 0)" wait:100 alloc:4096
	tap_ok "a denial names what was asked for" says 'alloc.*jobs only|alloc.*default' "$ringfence" events --verdict deny
	tap_is "what only asks is let through" "open ok raw EINVAL" at submit "$(node 0)" raw:0x647f
	tap_is "what is denied by name is denied, and nothing else" "open ok wait ok alloc ok map EPERM reset EPERM free ok" \
		at noadmin "$(node 0)" wait:100 alloc:4096 map reset free
	submits() { use submit submit 0; }
	tap_is "ioctls are counted by class" 1 submits
	allocs() { use noadmin alloc 0; }
	tap_is "those of others are theirs" 1 allocs

	# passed FROM TO NODE: what came of it at the other end.
	passed()
	{
		inside "$2" "$probe" "take:$tmp/pass" wait:100 >"$tmp/taken" 2>&1 &
		await 5 test -S "$tmp/pass"
		inside "$1" "$probe" "$3" "give:$tmp/pass" >/dev/null
		wait $!
		tr '\n' ' ' <"$tmp/taken" | sed 's/ $//'
		rm -f "$tmp/pass"
	}
	tap_is "an open device that is passed on does not arrive" "open EPERM" passed one none "$(node 0)"
	tap_is "and arrives where it is allowed" "open ok wait ok" passed audit one "$(node 0)"

	# In one cgroup when it is opened, in another when it is used.
	mkfifo "$tmp/steps"
	moved()
	{
		inside audit "$probe" "$(node 0)" pause wait:100 alloc:4096 <"$tmp/steps" >"$tmp/moved" 2>&1 &
		moved_pid=$!
		exec 7>"$tmp/steps"
		await 5 grep -q pause "$tmp/moved"
		pgrep -f "accel_probe $(node 0) pause" | while read -r pid; do
			echo "$pid" >"$cgroup/$1/cgroup.procs" 2>/dev/null
		done
		echo >&7
		exec 7>&-
		wait $moved_pid
		tr '\n' ' ' <"$tmp/moved" | sed 's/ $//'
	}
	tap_is "what was opened elsewhere is not used where it is denied" "open ok pause ok wait EPERM alloc EPERM" moved none
	tap_is "and is where it is allowed" "open ok pause ok wait ok alloc ok" moved one

	before()
	{
		inside some "$probe" "$(node 0)" pause wait:100 <"$tmp/steps" >"$tmp/before" 2>&1 &
		before_pid=$!
		exec 7>"$tmp/steps"
		await 5 grep -q pause "$tmp/before"
		echo 'accelerators: {default: deny}' | doc some some | put_force some
		echo >&7
		exec 7>&-
		wait $before_pid
		tr '\n' ' ' <"$tmp/before" | sed 's/ $//'
	}
	tap_is "what was opened before there was a policy is not used" "open ok pause ok wait EPERM" before
	rm "$tmp/steps"
fi

# ---- accounting ----

accounts=$(status_row accelerator-accounting support)
echo "# accounting: $accounts"
# within_1_percent GOT OWN: of what the device itself has counted.
within_1_percent()
{
	[ $(($1 * 100)) -ge $(($2 * 99)) ] && [ $(($1 * 100)) -le $(($2 * 101)) ] && return
	echo "got $1, the device $2"
	return 1
}
if [ "$accounts" = unavailable ]; then
	tap_skip "what workloads take of a device is accounted for" "$(status_row accelerator-accounting why)"
else
	before_busy=$(use one busy_ns 0)
	before_jobs=$(use one jobs 0)
	# Where a guest stands still for some milliseconds, jobs take longer by what is measured: little of seconds.
	job=$((RF_SLOW > 1 ? 50000 : 5000))
	info=$(inside one "$probe" "$(node 0)" wait:$job:40 submit:$((job / 2)):20 until:60 alloc:1048576 info |
		sed -n 's/^info //p')
	device_busy=$(echo "$info" | sed -n 's/^jobs=[0-9]* busy_ns=\([0-9]*\).*/\1/p')
	jobs() { echo $(($(use one jobs 0) - before_jobs)); }
	all_told() { [ "$(jobs)" = 60 ]; }
	# The device signals a job before the scheduler has told of its end.
	await 5 all_told
	tap_is "every job that ended is counted" 60 jobs
	tap_ok "device time is the device's own within 1 %" within_1_percent $(($(use one busy_ns 0) - before_busy)) "$device_busy"
	tap_ok "what waited in the queue is told" above "$(use one queued_ns 0)" 0
	tap_is "who did nothing has taken nothing" "" use pci busy_ns 0
	if [ "$accounts" = enforced ]; then
		tap_is "buffers are gone with their file" 0 use one bytes 0
		tap_ok "and were told at their most" above "$(use one bytes_peak 0)" 1048575
		tap_is "no file is open" 0 use one files 0
		tap_ok "those that were are counted" above "$(use one opens 0)" 1
		mkfifo "$tmp/held"
		inside one "$probe" "$(node 0)" alloc:65536 pause <"$tmp/held" >"$tmp/holding" 2>&1 &
		holding=$!
		exec 7>"$tmp/held"
		await 5 grep -q pause "$tmp/holding"
		tap_is "a file that is open is told" 1 use one files 0
		tap_is "and its buffer" 65536 use one bytes 0
		exec 7>&-
		wait $holding
		left() { echo "$(use one files 0) $(use one bytes 0)"; }
		tap_is "a client that has ended has left nothing behind" "0 0" left
	fi
	tap_ok "accel shows it" says "$(name 0) +default/default/one " "$ringfence" accel
fi

# ---- pods ----

container=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
pod=kubepods.slice/kubepods-pod0cc1b1e2_1f4a_4c7b_9d3e_5a6b7c8d9e0f.slice/cri-containerd-$container.scope
make_cgroup "$pod"
tap_is "a pod that no policy selects opens none" "open EPERM" at "$pod" "$(node 0)"
tap_ok "which is told" says "device-deny deny .pods-without-a-policy. .*$(name 0)" "$ringfence" events --verdict deny
zero() { inside "$pod" cat /dev/null; }
tap_ok "and everything else" zero
doc pod "$pod" <<'END' | put_force pod
telemetry: {events: [exec]}
END
tap_is "one that a policy selects does, unless it is denied there" "open ok wait ok" at "$pod" "$(node 0)" wait:100
drop_force pod
tap_is "and no longer without it" "open EPERM" at "$pod" "$(node 0)"

# ---- devices that come and go ----

warned() { grep -c "warning: rule \"$1\" of policy .* matches no accelerator of this host" "$tmp/log"; }
tap_ok "a rule that matches none of this host was warned of" above "$(warned elsewhere)" 0
tap_is "one that does was not" 0 warned "the first"
all_warned() { echo "$(warned elsewhere) $(warned 'the first')"; }
before=$(all_warned)
driver=/sys/bus/platform/drivers/rf-testaccel
put_before=$(applies)
echo rf-testaccel.1 >"$driver/unbind"
tap_ok "a device that goes is noticed" await 10 applied_more "$put_before"
put_before=$(applies)
echo rf-testaccel.1 >"$driver/bind"
tap_ok "and one that comes" await 10 applied_more "$put_before"
await 5 test -c "$(node 1)"
tap_is "it is under the same rules" "open EPERM" at one "$(node 1)"
tap_is "as is the other" "open ok wait ok" at one "$(node 0)" wait:100
put_before=$(applies)
unload
await 10 applied_more "$put_before"
tap_is "no rule is warned of when devices come or go" "$before" all_warned
doc late late <<END | put_force late
accelerators:
  rules:
    - {class: $class, index: 0}
END
tap_is "but when policies are, of what is gone" 1 warned "the first"
before=$(all_warned)
put_before=$(applies)
insmod "$module" devices=2
tap_ok "a module that comes later is noticed" await 10 applied_more "$put_before"
await 5 test -c "$(node 1)"
tap_is "its devices are allowed by rules that were there before" "open ok wait ok" at late "$(node 0)" wait:100
tap_is "and denied" "open EPERM" at late "$(node 1)"
tap_is "which warns of nothing again" "$before" all_warned
daemon_end KILL
tap_is "a denial outlives the daemon" "open EPERM" at late "$(node 1)"
tap_is "and what is allowed is" "open ok wait ok" at late "$(node 0)" wait:100
tap_is "and so does that of pods" "open EPERM" at "$pod" "$(node 0)"
daemon_must_start
tap_is "the next daemon keeps to it" "open EPERM" at late "$(node 1)"
tap_is "in both ways" "open ok wait ok" at late "$(node 0)" wait:100
daemon_end TERM
daemon_must_start --pods-accelerators allow
tap_is "pods are let use them where the daemon is told so" "open ok wait ok" at "$pod" "$(node 0)" wait:100
tap_done
