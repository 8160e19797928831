#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command line against canned replies: what it asks, how it shows the
# answer, what it makes of a refusal. Needs no root and no BPF.
# shellcheck disable=SC2317 # tap_ok calls the functions
# shellcheck disable=SC2028 # \n belongs to JSON
set -u

src=${RF_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${RF_BUILD:-${O:-$src/build}}
ringfence=$build/ringfence
fake=$build/tests/e2e/fake_daemon
# shellcheck source=tests/vm/tap.sh
. "$src/tests/vm/tap.sh"

if [ ! -x "$ringfence" ] || [ ! -x "$fake" ]; then
	echo "Bail out! $ringfence or $fake is not built"
	exit 1
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
export RINGFENCE_SOCKET=$dir/socket
unset NO_COLOR

coproc DAEMON { exec "$fake" "$dir/socket" "$dir"; }
ready=
read -r -t 10 ready <&"${DAEMON[0]}"
if [ "$ready" != ready ]; then
	echo "Bail out! the fake daemon did not start"
	exit 1
fi

reply() { # NAME: the reply to it is read from stdin
	cat >"$dir/$1"
}

# status N COMMAND...; says TEXT N COMMAND...; asked TEXT: the last request held it.
status() {
	local expected=$1 got
	shift
	timeout 20 "$@" >"$dir/out" 2>"$dir/err" </dev/null
	got=$?
	[ "$got" = "$expected" ] && return
	echo "exit $got, expected $expected"
	cat "$dir/out" "$dir/err"
	return 1
}
says() {
	local text=$1
	shift
	status "$@" || return
	grep -qF -e "$text" "$dir/out" "$dir/err" && return
	echo "does not say: $text"
	cat "$dir/out" "$dir/err"
	return 1
}
asked() {
	tail -n 1 "$dir/requests" | grep -qF -e "$1" && return
	echo "asked:"
	tail -n 1 "$dir/requests"
	return 1
}
shows() { # TEXT: the last output held it
	grep -qF -e "$1" "$dir/out" && return
	cat "$dir/out"
	return 1
}

reply status <<'END'
{"ok":true,"status":{"version":"0.1.0","pid":4242,"uptime_s":273600,"level":0,"root":"/sys/fs/cgroup","bpffs":"/sys/fs/bpf/ringfence","adopted":true,"generation":7,"policies":3,"workloads":2,"cgroups":40,"rulesets":5,"source":"confirm-pending","confirm_left_s":42,"last_error":{"time":"2026-11-21T04:30:48.123Z","text":"web.yaml:3:1: error: unknown key"},"features":[{"name":"network-egress","support":"enforced","why":"self-test passed","section":"spec.network.egress"},{"name":"bpf-lsm","support":"unavailable","why":"lsm= on the kernel command line lacks bpf, so that its programs never run","section":"level 1"}],"hooks":[{"name":"connect4","attached":true,"self_test":"ok","probe_hits":1,"errors":0,"why":null,"run_count":10,"run_ns":1230,"recursion_misses":0,"repairs":0},{"name":"lsm_probe","attached":false,"self_test":"not run","probe_hits":0,"errors":0,"why":"no BPF LSM","run_count":null,"run_ns":null,"recursion_misses":0,"repairs":0},{"name":"bpf","attached":false,"self_test":"not run","probe_hits":0,"errors":0,"why":"not loaded: needs level 1","run_count":null,"run_ns":null,"recursion_misses":0,"repairs":0},{"name":"lineage_io","attached":false,"self_test":"not run","probe_hits":0,"errors":0,"why":"not loaded: no traces","run_count":null,"run_ns":null,"recursion_misses":0,"repairs":0},{"name":"capable","attached":false,"self_test":"not run","probe_hits":0,"errors":0,"why":"not loaded: needs level 1","run_count":null,"run_ns":null,"recursion_misses":0,"repairs":0}],"lanes":[{"name":"telemetry","submitted":1000,"shed":5,"lost":0,"gaps":0}],"errors":[{"name":"cache_race","count":3,"help":"a verdict was not cached"},{"name":"path_read","count":0,"help":"x"}],"maps":[{"name":"rf_cgroup_map","entries":60000,"max_entries":65536,"bytes":5242880},{"name":"rf_stats_map","entries":null,"max_entries":16384,"bytes":2359296}],"cost":{"cpu_s":1.5,"rss_bytes":8388608,"bpf_bytes":7602176,"bpf_run_ns":null}}}
END
tap_ok "status shows the daemon" says "ringfenced 0.1.0, pid 4242, up 3d 4h" 0 "$ringfence" status
tap_ok "status asks in the protocol's words" asked '{"v":1,"cmd":"status"}'
tap_ok "status shows what cannot be enforced, and why" shows 'bpf-lsm         unavailable  level 1'
tap_ok "status shows a pending confirmation" shows 'the former policies come back in 42s'
tap_ok "status shows the last error" shows 'web.yaml:3:1: error: unknown key'
tap_ok "status shows what was shed" grep -Eq '^telemetry +1000 +5 +0 +0$' "$dir/out"
tap_ok "status shows errors that happened" grep -Eq '^cache_race +3 ' "$dir/out"
tap_ok "status leaves out errors that did not" bash -c "! grep -q path_read '$dir/out'"
tap_ok "status tells once why hooks are not loaded" shows '2 more: not loaded: needs level 1 (--hooks lists them)'
tap_ok "for each reason" shows '1 more: not loaded: no traces'
tap_ok "and does not list them" bash -c "! grep -Eq '^(bpf|capable|lineage_io) ' '$dir/out'"
tap_ok "but others" shows 'no BPF LSM'
tap_ok "status sums up the maps" shows '2 maps, 7.2 MiB'
tap_ok "status names a map that is nearly full" grep -Eq '^rf_cgroup_map +60000 +65536 +92%' "$dir/out"
tap_ok "status --hooks lists all hooks" says "capable  " 0 "$ringfence" status --hooks
tap_ok "status --maps names every map" says "rf_stats_map" 0 "$ringfence" status --maps
tap_ok "status to a pipe has no colour" bash -c "! grep -q $'\033' '$dir/out'"
tap_is "status --json is the reply" "$(cat "$dir/status")" "$ringfence" status --json

tty_status() { # COLUMNS: status on a terminal that wide
	timeout 20 script -qec "stty cols $1; $ringfence status" /dev/null </dev/null | tr -d '\r' >"$dir/tty"
}
if command -v script >/dev/null; then
	tty_status 80
	tap_ok "status on a terminal has colour" grep -q $'\033\\[32menforced' "$dir/tty"
	sed -i $'s/\033\\[[0-9]*m//g' "$dir/tty"
	tap_ok "the tables fit 80 columns" bash -c "! grep -E '^(FEATURE|network|bpf|  |connect|lsm|rf_).{80,}' '$dir/tty'"
	NO_COLOR=1 tty_status 80
	tap_ok "NO_COLOR is heard" bash -c "! grep -q $'\033' '$dir/tty'"
else
	tap_skip "status on a terminal" "script(1) is not installed"
fi

counters='"exec":1,"fork":1,"exit":1,"connect":%d,"accept":0,"tx_bytes":%d,"rx_bytes":0,"egress_deny":%d,"egress_would":0,"ingress_deny":0,"ingress_would":0,"device_deny":0,"device_would":0,"socket_deny":0,"socket_would":0,"file_deny":0,"file_would":0,"exec_deny":0,"exec_would":0'
workload() { # ID NAME CPU_USEC CONNECT TX DENY
	local c
	# shellcheck disable=SC2059 # the format is ours
	c=$(printf "$counters" "$4" "$5" "$6")
	printf '{"id":%d,"name":"%s","path":"/a","identity":{"manager":"systemd"},"mode":"enforce","policies":["a/b/c"],"tasks":3,"cpu_usec":%s,"memory_bytes":null,"counters":{%s}}' \
		"$1" "$2" "$3" "$c"
}
echo "{\"ok\":true,\"time_ns\":1000000000,\"workloads\":[$(workload 2 acme/prod/web 1000000 5 1000 1),$(workload 3 'acme/prod/\u001b[31mred\u202e' 0 0 0 0)]}" |
	reply workloads
tap_ok "workloads are listed" says "acme/prod/web" 0 "$ringfence" workloads
tap_ok "a name that a terminal would obey is escaped" shows 'acme/prod/\x1b[31mred\xe2\x80\xae'
tap_ok "workloads --json is escaped and still the reply" says 'red\u202e' 0 "$ringfence" workloads --json
echo '{"ok":true,"time_ns":1,"workloads":[]}' | reply workloads
tap_ok "no workload is said to be none" says "No workload" 0 "$ringfence" workloads

before="{\"ok\":true,\"time_ns\":1000000000,\"workloads\":[$(workload 2 acme/prod/web 1000000 5 1000 1),$(workload 3 acme/prod/idle null 0 0 0)]}"
after="{\"ok\":true,\"time_ns\":2000000000,\"workloads\":[$(workload 2 acme/prod/web 1250000 7 51000 4),$(workload 3 acme/prod/idle null 0 0 0)]}"
requests=$(wc -l <"$dir/requests")
echo "$before" | reply "workloads.$((requests + 1))"
echo "$after" | reply "workloads.$((requests + 2))"
tap_ok "top ends after N tables" status 0 "$ringfence" top --batch -n 1 -d 1
tap_ok "top computes rates" grep -Eq '^acme/prod/web +25 +- +50\.0k +0 +2 +3 +0 +3$' "$dir/out"
tap_ok "top says what the host does not tell" grep -Eq '^acme/prod/idle +- +- +0 +0 +0 +0 +0 +3$' "$dir/out"
tap_ok "top fits 80 columns" bash -c "! grep '.\{81\}' '$dir/out'"
echo '{"ok":true}' | reply workloads
tap_ok "top of a reply it does not know is an error" says "not understood" 1 "$ringfence" top --batch

use() { # DEVICE WORKLOAD BUSY_NS WAITED_NS JOBS SHARE
	printf '{"workload":"%s","device":"%s","opens":1,"files":1,"held_ns":0,"jobs":%d,"busy_ns":%d,"queued_ns":0,"bytes":1048576,"bytes_peak":1048576,"under_way":2,"waits":1,"waited_ns":%d,"over_quota":0,"quota":{"share":%d,"memory":0,"audit":false},"ioctls":{}}' \
		"$2" "$1" "$5" "$3" "$4" "$6"
}
before="{\"ok\":true,\"time_ns\":1000000000,\"accelerators\":[],\"uses\":[$(use accel/accel0 acme/prod/infer 0 0 0 100),$(use accel/accel0 acme/prod/train 1000000000 0 10 300)]}"
after="{\"ok\":true,\"time_ns\":3000000000,\"accelerators\":[],\"uses\":[$(use accel/accel0 acme/prod/infer 500000000 3000000000 100 100),$(use accel/accel0 acme/prod/train 2500000000 0 310 300),$(use dri/renderD128 acme/prod/new 0 0 0 0)]}"
requests=$(wc -l <"$dir/requests")
echo "$before" | reply "accelerators.$((requests + 1))"
echo "$after" | reply "accelerators.$((requests + 2))"
tap_ok "top --accel ends as well" status 0 "$ringfence" top --accel --batch -n 1 -d 1
tap_ok "it has the part of the device's time, and what waits" \
	grep -Eq '^accel/accel0 +acme/prod/infer +25 +100 +50 +2 +1\.5 +1\.0M$' "$dir/out"
tap_ok "sorted by the former" bash -c "sed -n 3p '$dir/out' | grep -Eq '^accel/accel0 +acme/prod/train +75 +300 +150 '"
tap_ok "who is new has no rate, nor a share" grep -Eq '^dri/renderD128 +acme/prod/new +- +- +- +2 +- +1\.0M$' "$dir/out"
tap_ok "it fits 80 columns" bash -c "! grep '.\{81\}' '$dir/out'"
tap_ok "what it cannot be sorted by is told" says "busy, wait, memory or name, not \"cpu\"" 2 "$ringfence" top -a -s cpu
echo '{"ok":true,"time_ns":1,"accelerators":[{"name":"nvidia0","driver":"nvidia","parent":"0000:3b:00.0","uuid":"GPU-1","health":{"temperature_celsius":71,"power_watts":412.3,"utilization_ratio":0.93,"memory_used_bytes":64424509440},"findings":["throttled-power","pcie-narrow"]},{"name":"nvidia1","driver":"nvidia","parent":"0000:86:00.0","health":{"temperature_celsius":30},"findings":[]},{"name":"accel/accel0","driver":"x","parent":"x.0"}],"uses":[]}' |
	reply accelerators
tap_ok "accel shows what devices say of themselves" status 0 "$ringfence" accel
tap_ok "with what somebody should look at" \
	grep -Eq '^nvidia0 +71 C +412 W +93% +60 GiB +throttled-power pcie-narrow$' "$dir/out"
tap_ok "and what they do not say" grep -Eq '^nvidia1 +30 C +- +- +- +-$' "$dir/out"
tap_ok "one that says nothing is no row of it" bash -c "[ \"\$(grep -c '^accel/accel0' '$dir/out')\" = 1 ]"
held=$(use accel/accel0 acme/prod/train 1000000000 0 10 300)
echo "{\"ok\":true,\"time_ns\":1,\"accelerators\":[{\"name\":\"accel/accel0\",\"driver\":\"x\",\"parent\":\"x.0\"}],\"uses\":[$(use accel/accel0 acme/prod/infer 500000000 0 5 100),$(use accel/accel1 acme/dev/try 250000000 0 5 100),${held%\}},\"idle_ns\":720000000000,\"finding\":\"idle\",\"finding_ns\":720000000000}]}" |
	reply accelerators
tap_ok "accel --by device sums up" status 0 "$ringfence" accel --by device
tap_ok "over all of one" grep -Eq '^accel/accel0 +15 +1\.500 +0\.000 +0\.000 +0\.000 +2\.0 MiB$' "$dir/out"
tap_ok "--by tenant as well" status 0 "$ringfence" accel --by tenant
tap_ok "over all of its workloads" grep -Eq '^acme +20 +1\.750 +0\.000 ' "$dir/out"
tap_ok "and fits 80 columns" bash -c "! grep '.\{81\}' '$dir/out'"
tap_ok "what it cannot sum up by is told" says "tenant, device or workload, not \"user\"" 2 "$ringfence" accel --by user
tap_ok "nor both at once" says "one of them" 2 "$ringfence" accel --by tenant --json
tap_ok "without, every row is shown" status 0 "$ringfence" accel
tap_ok "who holds one for nothing is told" grep -Eq '^accel/accel0 +acme/prod/train +idle +12m 0s$' "$dir/out"
tap_ok "it fits 80 columns" bash -c "! grep '.\{81\}' '$dir/out'"
echo '{"ok":true}' | reply accelerators
tap_ok "and of a reply it does not know" says "not understood" 1 "$ringfence" top --accel --batch

reply events <<'END'
{"line":"2026-11-21T04:30:48.123Z deny acme/prod/web tcp"}
{"line":"name \u001b[2J"}
{"ok":true}
END
tap_ok "events are lines" says "deny acme/prod/web tcp" 0 "$ringfence" events --kind flow-deny -k exec --verdict deny \
	--workload 'acme/*/web' -n 5
tap_ok "events asks for what was wanted" \
	asked '"follow":false,"format":"text","kinds":["flow-deny","exec"],"verdicts":["deny"],"workload":"acme/*/web","limit":5}'
tap_ok "events are escaped" shows 'name \x1b[2J'
reply events <<'END'
{"event":{"kind":"exec","path":"/bin/sh"}}
{"ok":true}
END
tap_is "events --json is one object a line" '{"kind":"exec","path":"/bin/sh"}' "$ringfence" events --json
echo '{"line":"one"}' | reply events
tap_ok "a follower says that the daemon went away" says "hung up" 1 "$ringfence" events -f
tap_ok "a follower shows what came before" shows one
tap_ok "a follower asks to follow" asked '"follow":true'

echo '{"ok":true,"policies":[{"name":"a/b/c","file":"web.yaml","line":3,"mode":"audit","priority":100,"workloads":2}]}' | reply policies
tap_ok "policy list shows the place" says "web.yaml:3" 0 "$ringfence" policy list
echo '{"ok":true,"text":"a/b/c\n  egress\tdeny\n","policies":[]}' | reply policy-show
tap_ok "policy show keeps its lines" says "$(printf '  egress\tdeny')" 0 "$ringfence" policy show a/b/c
echo '{"ok":true,"verdict":"deny","text":"deny: policy a/b/c, rule \"x\" (web.yaml:3)"}' | reply policy-test
tap_ok "policy test tells a denial by its exit status" \
	says 'deny: policy a/b/c, rule "x" (web.yaml:3)' 3 "$ringfence" policy test --workload a/b/c --to '[2001:db8::1]:53/udp'
tap_ok "policy test asks for the flow" \
	asked '"workload":"a/b/c","direction":"egress","address":"2001:db8::1","port":53,"protocol":"udp"}'
tap_ok "policy test --json tells it as well" says '"verdict":"deny"' 3 \
	"$ringfence" policy test --json --workload a --from 192.0.2.1/icmp
tap_ok "--from is ingress" asked '"direction":"ingress","address":"192.0.2.1","port":2048,"protocol":"icmp"}'
echo '{"ok":true,"verdict":"would-deny","text":"would-deny: x"}' | reply policy-test
tap_ok "what passes exits 0" says "would-deny: x" 0 "$ringfence" policy test --workload a --to 192.0.2.1:443/tcp

echo '{"ok":true,"applied":{"generation":8,"policies":3,"workloads":2,"confirm_s":60},"diags":"web.yaml:3:1: warning: x\n"}' | reply apply
cd "$dir" || exit 1
mkdir bundle
tap_ok "apply says what is in force" says "generation 8 is in force: 3 policies, 2 workloads" 0 \
	"$ringfence" apply --confirm 1m --replace ./bundle
tap_ok "apply makes paths absolute" asked "\"paths\":[\"$dir/bundle\"],\"confirm_s\":60,\"replace\":true,\"force\":false}"
tap_ok "apply says how to keep it" shows 'run "ringfence confirm" within 60s'
tap_ok "apply shows warnings" grep -qF 'web.yaml:3:1: warning: x' "$dir/err"
echo '{"ok":false,"errno":22,"error":"not applied","diags":"web.yaml:3:1: error: y\n    3 | x\n"}' | reply apply
tap_ok "a refused apply fails" says "ringfence: not applied" 1 "$ringfence" apply "$dir/bundle"
tap_ok "a refused apply shows its diagnostics" grep -qF 'web.yaml:3:1: error: y' "$dir/err"
echo '{"ok":true}' | reply confirm
tap_ok "confirm says so" says "confirmed" 0 "$ringfence" confirm
echo '{"ok":false,"errno":2,"error":"nothing waits for a confirmation\n"}' | reply confirm
tap_ok "nothing to confirm fails" says "ringfence: nothing waits for a confirmation" 1 "$ringfence" confirm
echo '{"ok":true,"applied":{"generation":9,"policies":2,"workloads":2,"confirm_s":null}}' | tee "$dir/rollback" | reply reload
tap_ok "rollback says what is in force" says "generation 9" 0 "$ringfence" rollback
tap_ok "reload says what is in force" says "generation 9" 0 "$ringfence" reload --force
tap_ok "reload asks by force" asked '{"v":1,"cmd":"reload","force":true}'
echo '{"ok":true,"removed":23}' | reply detach
tap_ok "detach says what it removed" says "23" 0 "$ringfence" detach --yes

echo 'garbage' | reply confirm
tap_ok "what is no JSON is said to be" says "no JSON" 1 "$ringfence" confirm
printf '{"ok":tr' | reply confirm
tap_ok "half a reply is said to be" says "hung up" 1 "$ringfence" confirm
: | reply confirm
tap_ok "no reply is said to be" says "hung up" 1 "$ringfence" confirm
tap_done
