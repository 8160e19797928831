# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The steps, in the order they are shown. Each says what it is about, runs real
# commands, and states what had to come of them. Sourced.
#
# shellcheck disable=SC2154 # print.sh and machine.sh have the variables

# fetch WORKLOAD [CURL-OPTION...]: the page, as that workload.
fetch() {
	local workload=$1
	shift
	show "$workload\$" inside "$workload" curl "$@" "http://127.0.0.1:$port/"
}

# The latest denial of a workload, or what would have been one.
last_verdict() { # WORKLOAD KIND
	show '$' ringfence events -n 1 -w "$1" -k "$2"
}

# counter WORKLOAD NAME: one counter of `ringfence workloads`.
counter() {
	ringfence workloads --json | tr '{' '\n' | awk -v workload="\"name\":\"$1\"" -v key="\"$2\":" '
		index($0, workload) { ours = 1 }
		ours && (at = index($0, key)) { print substr($0, at + length(key)) + 0; exit }'
}

level_of() { ringfence status | sed -n 's/^Level  *\([0-9]\).*/\1/p'; }
feature_is() { ringfence status --json | tr '{' '\n' | has "\"name\":\"$1\",\"support\":\"$2\""; }

step_machine() {
	local lsm modules

	lsm=$(cat /sys/kernel/security/lsm 2>/dev/null) || lsm='not told (no securityfs)'
	if grep -q '^ringfence ' /proc/modules 2>/dev/null; then
		modules='loaded'
	elif [ -e /proc/modules ]; then
		modules='not loaded'
	else
		modules='none, this kernel takes no modules'
	fi
	printf '%s\n' "${bold}Ringfence $(ringfence version | sed 's/^ringfence //'), a demonstration$plain"
	cat <<-END

		    kernel      $(uname -r)
		    cgroup v2   ${C%/*}
		    lsm=        $lsm
		    module      $modules
		    cgroup      $C
		    directory   D=$D

		    Nothing outside that cgroup and that directory is touched.
	END
}

step_daemon() {
	local started=${EPOCHREALTIME/[.,]/}

	step "The daemon starts"
	printf '    %s\n' "# ${bold}ringfenced --cgroup-root .../$name --bpffs \$D/bpf$plain"
	printf '    %s\n' "        ${bold}--policy-dir \$D/policies --listen 127.0.0.1:$metrics_port ...$plain"
	if ! daemon_start; then
		quote <"$D/log"
		die "ringfenced did not start; what it said is above (see Documentation/troubleshooting.md)"
	fi
	say "It answers after $(((${EPOCHREALTIME/[.,]/} - started) / 1000)) ms. What it can do here, tried at its start:"
	our_ids=$(ids_of_pins)
	ringfence status | features_short | quote
	level=$(level_of)
	expect "network policy is enforced on this host" network_enforced
	expect "device policy is enforced on this host" feature_is devices enforced
}

# What is of this version, and without the reasons, which are long: `ringfence status` has all of it.
features_short() {
	awk '/^Level/ { print }
		/^FEATURE/ { cut = index($0, "SECTION"); print substr($0, 1, cut - 1); next }
		/^$/ { cut = 0 }
		cut && (/^(bpf-lsm|module) / || !/ unavailable /) { print substr($0, 1, cut - 1); next }
		cut { others++ }
		END { if (others) print "(" others " more features of the policy language are not in this version)" }'
}

network_enforced() { feature_is network-egress enforced && feature_is network-ingress enforced; }

step_workloads() {
	step "The workloads start; no policy is in force yet"
	say "web runs nginx on 127.0.0.1:$port. acme, umbra, ops and stranger run one command after the other."
	nginx_start || { quote <"$D/nginx.log"; die "nginx did not start; what it said is above"; }
	fetch acme
	expect "without a policy acme gets the page" gave_page
	fetch umbra
	expect "and so does umbra" gave_page
}

step_policies() {
	step "Policies are checked and put in force"
	show '$' ringfence policy check examples/demo
	expect "they have no errors" succeeded
	show '#' ringfence apply examples/demo
	expect "they are in force" succeeded
	show '$' ringfence policy list
	show '$' ringfence workloads
	expect "each workload has its policy" printed 'umbra/prod/curl'
	our_ids=$(ids_of_pins)
}

step_egress() {
	step "Egress: who may open a connection to where"
	fetch acme
	expect "acme may go to the shop, and gets the page" gave_page
	fetch umbra
	expect "umbra is refused by connect() itself, at once" refused_at_once
	last_verdict 'umbra/*' flow-deny
	expect "the event names the rule, its file and line" printed 'not.this.host.*umbra.yaml:[0-9]+'
	say "The same question, without a packet:"
	show '$' ringfence policy test -w umbra/prod/curl --to "127.0.0.1:$port"
	expect "the daemon gives the same answer" printed '^deny'
}

step_ipv6() {
	step "The same over IPv6"
	if ! ip6_works; then
		say "Skipped: this machine has no ::1."
		return
	fi
	show 'acme$' inside acme curl "http://[::1]:$port/"
	expect "acme gets the page" gave_page
	show 'umbra$' inside umbra curl "http://[::1]:$port/"
	expect "umbra does not" refused_at_once
}

step_ingress() {
	step "Ingress: whom a server lets in"
	say "stranger has no policy of its own. From 127.0.0.1 it is a customer; from 127.0.66.6 it is nobody the shop knows."
	fetch stranger
	expect "as a customer it is let in" gave_page
	fetch stranger --interface 127.0.66.6
	expect "as nobody its SYN is dropped at the shop, and it waits in vain" timed_out
	last_verdict 'shop/*' flow-deny
	expect "the event is the shop's, with the reason" printed 'ingress tcp .*127\.0\.66\.6'
}

step_devices() {
	local device=/dev/kmsg

	# A container may have no /dev/kmsg; /dev/full is everywhere.
	[ -c $device ] || device=/dev/full
	step "Devices: which nodes may be opened"
	show 'acme$' inside acme sh -c ': </dev/zero && echo opened'
	expect "acme may open what its policy lists" printed '^opened'
	show 'acme$' inside acme sh -c ": <$device && echo opened"
	expect "acme may not open $device, which it does not list" printed 'Operation not permitted'
	last_verdict 'acme/*' device-deny
	expect "the event names the device and the rule" printed 'char 1:[0-9]+ r .*acme.yaml:[0-9]+'
	show 'umbra$' inside umbra sh -c ": <$device && echo opened"
	expect "umbra, whose policy says nothing of devices, may" printed '^opened'
}

# Where the test accelerator is, as in the guests of VM=1: its node.
test_accelerator() {
	local device

	for device in /sys/class/accel/accel0 /sys/class/drm/renderD128; do
		[ "$(basename "$(readlink -f $device/device/driver)")" = rf-testaccel ] || continue
		awk -F= '$1 == "DEVNAME" { print "/dev/" $2 }' $device/uevent
		return
	done
	return 1
}

# What train has taken is three times as much, give or take a sixth: where the machine is slow to let train run, infer is
# given what train leaves.
three_to_one() {
	awk '$2 ~ /train$/ { train = $4 } $2 ~ /infer$/ { infer = $4 }
		END { exit !(infer > 0 && train / infer > 2.5 && train / infer < 3.5) }' <<<"$output"
}

step_accelerators() {
	local node probe=$build/tests/e2e/accel_probe

	node=$(test_accelerator) && [ -x "$probe" ] || return 0
	step "An accelerator: who may use it, and how much of it"
	say "$node is a test accelerator: it takes jobs and buffers, and computes nothing."
	mkdir "$C/train" "$C/infer" "$C/guest"
	show '#' ringfence apply examples/demo-accelerators/access.yaml
	expect "the policies are in force" succeeded
	show 'guest$' inside guest "$probe" "$node" wait:1000
	expect "guest may not open it" printed '^open EPERM'
	if [ "$level" -eq 0 ]; then
		show 'train$' inside train "$probe" "$node" wait:1000
		expect "train may, and runs a job" printed '^wait ok'
		show '#' ringfence apply examples/demo-accelerators/shares.yaml
		expect "shares are refused: they take BPF LSM" failed
		return
	fi
	show '#' ringfence apply examples/demo-accelerators/shares.yaml
	expect "shares are in force" succeeded
	say "train and infer keep it busy for six seconds, with jobs of 2 ms."
	inside infer "$probe" "$node" keep:2000:6000 >/dev/null 2>&1 &
	show 'train$' inside train "$probe" "$node" keep:2000:6000
	wait $!
	show '$' ringfence accel
	expect "train has had about three times as much of it as infer" three_to_one
	show 'train$' inside train "$probe" "$node" alloc:16777216 alloc:4096
	expect "and no more memory than it may" printed '^alloc EDQUOT'
}

step_audit() {
	step "A policy on trial (mode: audit) reports and lets pass"
	fetch ops
	expect "ops gets the page" gave_page
	last_verdict 'ops/*' flow-deny
	expect "what would have been denied is reported" printed 'would-deny'
}

# A unit that systemd itself puts into a cgroup of ours.
step_systemd() {
	[ -n "$slice" ] || return 0
	step "A systemd service, found by the name of its unit"
	say "It waits a second: a new cgroup has its parent's policy until the daemon has seen it."
	show '#' systemd-run --quiet --wait --pipe --collect --slice="$slice" --unit="${name}_job" \
		sh -c "sleep 1; curl -sS http://127.0.0.1:$port/"
	expect "the unit is refused" refused_at_once
	show '$' ringfence events -n 1 -k flow-deny -w 'batch/*'
	expect "by the policy that selects it" printed 'systemd.yaml:[0-9]+'
}

step_broken() {
	step "A broken policy file is dropped in"
	printf '    %s\n' "# ${bold}sed 's/action: deny/action: denny/' umbra.yaml >\$D/policies/umbra.yaml$plain"
	cp "$D/policies/umbra.yaml" "$D/umbra.good"
	sed 's/action: deny/action: denny/' examples/demo/umbra.yaml >"$D/policies/umbra.yaml"
	within 10 says_failed
	output=$(ringfence status | sed -n '/^Failed/,/^$/p')
	printf '    %s\n' "\$ ${bold}ringfence status | sed -n '/^Failed/,/^\$/p'$plain"
	quote <<<"$output"
	expect "the error is shown with its line and a caret" printed '\^'
	fetch umbra
	expect "umbra is denied as before: what was in force stays" refused_at_once
	fetch acme
	expect "and acme gets its page as before" gave_page
	cp "$D/umbra.good" "$D/policies/umbra.yaml"
	expect "with the file as it was, the error is gone" within 10 says_well
}

says_failed() { ringfence status | has '^Failed'; }
says_well() { daemon_answers && ! says_failed; }

step_crash() {
	local before

	step "The daemon is killed; the policy stays"
	before=$(counter umbra/prod/curl egress_deny)
	show '#' kill -9 "$daemon"
	within 5 daemon_gone
	show '$' ringfence workloads
	expect "there is no daemon" failed
	fetch umbra
	expect "umbra is still denied: the kernel decides alone" refused_at_once
	fetch acme
	expect "acme still gets its page" gave_page
	printf '    %s\n' "# ${bold}ringfenced ...$plain"
	daemon_start || { tail -n 20 "$D/log" | quote; die "ringfenced did not start again; what it said is above"; }
	output=$(ringfence status | grep '^Attached')
	quote <<<"$output"
	expect "the new daemon took over what was in force" printed 'adopted'
	expect "the denial that no daemon saw was counted" test "$(counter umbra/prod/curl egress_deny)" -gt "${before:-0}"
	last_verdict 'umbra/*' flow-deny
	expect "and its event was waiting in the kernel" printed 'flow-deny deny umbra/prod/curl curl'
	our_ids=$(ids_of_pins)
}

traffic() {
	local i
	for ((i = 0; i < 12; i++)); do
		inside acme curl "http://127.0.0.1:$port/"
		inside umbra curl "http://127.0.0.1:$port/"
		inside ops curl "http://127.0.0.1:$port/"
		sleep 0.15
	done >/dev/null 2>&1
}

step_live() {
	step "Live: who takes and is denied what"
	traffic &
	show '$' ringfence top --batch --delay 2 --iterations 1 --sort denies
	wait $!
	expect "top shows the tenants" printed 'acme/prod/curl'
	show '$' ringfence events -n 3 --verdict deny
	expect "events shows the denials" printed 'flow-deny deny'
	say "acme's policy asks for its programs and connections as well:"
	show '$' ringfence events -n 3 -w 'acme/*' -k exec -k connect
	expect "events shows what acme runs and opens" printed 'connect allow acme/prod/curl curl'
	show '$' curl -o "$D/metrics" "http://127.0.0.1:$metrics_port/metrics"
	output=$(grep -E '^ringfence_(level|policies|adopted) |^ringfence_workload_verdicts_total.* [1-9]' "$D/metrics")
	quote <<<"$output"
	expect "/metrics counts what the kernel denied" printed 'tenant="umbra".*verdict="deny"} [1-9]'
	expect "and what it would have denied" printed 'tenant="ops".*verdict="would-deny"} [1-9]'
}

summary() {
	local missing

	step "What was shown"
	missing=$(ringfence status --json | tr '{' '\n' | sed -nE \
		's/^"name":"(bpf-lsm|module)","support":"unavailable","why":"(.*)","section":.*/\1: \2/; T; s/\\"/"/g; p')
	say "At level $level, the kernel of this machine enforced: egress and ingress by address, protocol and port; device nodes. Policies on trial reported."
	if [ -n "$missing" ]; then
		say "Missing for the next levels:"
		quote <<<"$missing"
	fi
	shown=yes
}

# The end, whatever led to it.
demo_end() {
	local result=$?

	exec >&"$screen"
	trap '' INT TERM HUP
	trap - EXIT
	if [ -n "${KEEP:-}" ] && [ "${KEEP}" != 0 ] && [ "$shown" = yes ]; then
		keep
		exit "$result"
	fi
	if [ -n "$D" ]; then
		step "All of it is removed"
		expect "the daemon, its hooks, the cgroups and the directory are gone" demo_remove
		expect "no directory" test ! -e "$D"
		expect "no cgroup" test ! -e "$C"
		expect "no mount" not grep -qF "$D" /proc/mounts
		expect "no process" not processes_of_ours
		[ -z "$our_ids" ] || expect "none of its $(grep -c . <<<"$our_ids") BPF links, programs and maps" within 10 bpf_objects_gone
		say "BPF links on this machine: $links_before before, $(count_of link) after."
	fi
	verdict "$result"
}

not() { ! "$@"; }
# The pattern by a pipe, lest grep finds itself.
# shellcheck disable=SC2062 # a glob of files
processes_of_ours() { grep -lsaF --file=- /proc/[1-9]*/cmdline <<<"$D/"; }

verdict() { # RESULT
	local result=$1

	echo
	if [ ${#unexpected[@]} -gt 0 ]; then
		printf '%s\n' "${red}Not as expected:$plain"
		printf '    %s\n' "${unexpected[@]}"
		result=1
	elif [ "$shown" != yes ]; then
		printf '%s\n' "${red}The demonstration did not run to its end.$plain"
		[ "$result" -ne 0 ] || result=1
	fi
	printf '%s\n' "${bold}demo: $held as expected, ${#unexpected[@]} not, level ${level:-unknown}, $SECONDS s$plain"
	exit "$result"
}

keep() {
	cat <<-END

		    It goes on running. Look around with
		        export RINGFENCE_SOCKET=$RINGFENCE_SOCKET
		        $build/ringfence top
		        sh -c 'echo \$\$ >$C/umbra/cgroup.procs; curl http://127.0.0.1:$port/'
		    and remove it with
		        $source/scripts/demo.sh --remove $D
	END
}

level=
shown=no
