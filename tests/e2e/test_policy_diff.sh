#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# policy diff: real traffic is recorded, outlives the daemon and its workload, and two policies are compared by what
# they say of it. Nothing of that is put in force.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

new=$tmp/new
mkdir -p "$new"
make_cgroup app in gone gone/deep quiet logged
server - tcp/127.0.0.1/7001 tcp/127.0.0.1/7003
server in tcp/127.0.0.1/7201

# egress_of DEFAULT RULE...: a section of rules that each name one port of TCP.
egress_of()
{
	echo "network: {egress: {default: $1, rules: ["
	shift
	for rule; do
		echo "  {name: to-$rule, to: [{cidr: 127.0.0.0/8}], ports: [{protocol: TCP, port: $rule}]},"
	done
	echo ']}}'
}
telling='telemetry: {events: [connect, accept]}'
base()
{
	{ egress_of deny "$@"; echo "$telling"; } | doc app app
	echo "$telling" | doc in in
	{ egress_of deny "$@"; echo "$telling"; } | doc gone gone
}
base 7001 7003 >"$tmp/old.yaml"
daemon_must_start
put_force base <"$tmp/old.yaml" || exit 1

diff_of() { "$ringfence" policy diff "$@"; }
# status N COMMAND...
status()
{
	status_expected=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err"
	status_got=$?
	[ "$status_got" = "$status_expected" ] && return
	echo "exit $status_got, expected $status_expected"
	cat "$tmp/out" "$tmp/err"
	return 1
}
flows() { diff_of "$@" 2>/dev/null | sed -n 's/^\([0-9]*\) flows\{0,1\} of .*/\1/p'; }
has_flows() { [ "$(flows current current)" = "$1" ]; }

# ---- what is recorded ----

for _ in 1 2 3; do inside app "$net" tcp 127.0.0.1 7001; done >"$tmp/traffic"
inside app "$net" tcp 127.0.0.1 7003 >>"$tmp/traffic"
inside app "$net" tcp 127.0.0.1 7002 >>"$tmp/traffic"
inside app "$net" tcp 127.0.0.1 7002 >>"$tmp/traffic"
"$net" tcp 127.0.0.1 7201 >>"$tmp/traffic"
inside gone/deep "$net" tcp 127.0.0.1 7001 >>"$tmp/traffic"
tap_is "the traffic was as expected" "allowed allowed allowed allowed denied denied allowed allowed" \
	sh -c "tr '\n' ' ' <'$tmp/traffic' | sed 's/ \$//'"
tap_ok "allowed and denied flows are recorded, merged" await 5 has_flows 5
tap_ok "the same policy changes none of them" status 0 diff_of current current
tap_is "and that is all it says" "5 flows of the last 24 h: 0 newly denied, 0 newly allowed, 5 unchanged" cat "$tmp/out"
tap_ok "nor does another file with the same in it" status 0 diff_of current "$tmp/old.yaml"

# ---- what would change ----

base 7002 7003 >"$new/new.yaml"
tap_ok "another policy: some change" status 1 diff_of current "$new/new.yaml"
cp "$tmp/out" "$tmp/changed"
tap_is "the summary counts them" "5 flows of the last 24 h: 2 newly denied, 1 newly allowed, 2 unchanged" \
	tail -n 1 "$tmp/changed"
tap_is "newly denied first, those seen most often at the top" \
	"allow deny default/default/app 7001/tcp 3|allow deny default/default/gone 7001/tcp 1|deny allow default/default/app 7002/tcp 2" \
	sh -c "awk '/^(allow|deny)/ { printf \"%s%s %s %s %s %s\", n++ ? \"|\" : \"\", \$1, \$2, \$3, \$6, \$7 }' '$tmp/changed'"
tap_ok "the rule that decided is named" grep -q "was: policy default/default/app, rule \"to-7001\" ($tmp/policies/base.yaml:[0-9]*)" \
	"$tmp/changed"
tap_ok "and the one that would" grep -q "now: policy default/default/app, rule \"default\" ($new/new.yaml:[0-9]*)" "$tmp/changed"
applied=$(applies)
tap_is "nothing of it is in force" "allowed denied" sh -c \
	"for port in 7001 7002; do (echo 0 >'$cgroup/app/cgroup.procs'; exec '$net' tcp 127.0.0.1 \$port); done | tr '\n' ' ' | sed 's/ \$//'"
tap_ok "a file against a directory" status 1 diff_of "$tmp/old.yaml" "$new"
tap_is "says the same" "2 newly denied, 1 newly allowed" sh -c "sed -n 's/.*h: \(.*\), [0-9]* unchanged/\1/p' '$tmp/out'"
tap_ok "the other way round" status 1 diff_of "$new" -
tap_is "says the opposite" "1 newly denied, 2 newly allowed" sh -c "sed -n 's/.*h: \(.*\), [0-9]* unchanged/\1/p' '$tmp/out'"
tap_ok "of one workload" status 1 diff_of current "$new" --workload '*/gone'
tap_is "only its flows" "1 flow of the last 24 h: 1 newly denied, 0 newly allowed, 0 unchanged" tail -n 1 "$tmp/out"
tap_ok "of a workload without flows" status 0 diff_of current "$new" --workload '*/nobody'
tap_ok "--all shows the others, too" says '^allow +allow +default/default/in +from 127.0.0.1 +7201/tcp' \
	diff_of current current --all
tap_ok "JSON: one object" status 1 diff_of current "$new" -o json
tap_ok "with the flows" grep -qE '^\{"flows":\[\{"change":"newly-denied","workload":"default/default/app","below":"",' "$tmp/out"
tap_ok "and the summary" grep -qE '\],"ok":true,"summary":\{.*"newly_denied":2,"newly_allowed":1,' "$tmp/out"
tap_is "the cgroup that a flow was of is told" /deep sh -c "sed -n 's/.*default\/gone\",\"below\":\"\([^\"]*\)\".*/\1/p' '$tmp/out'"
tap_ok "80 columns on a terminal, where no path is longer" sh -c "script -qec 'stty cols 80; $ringfence policy diff current $new' /dev/null |
	tr -d '\r' | sed 's/\x1b\[[0-9;]*m//g' | awk 'length(\$0) > 80 && !/yaml:/ { print; bad = 1 } /^allow/ { n++ } END { exit bad || n != 2 }'"

# ---- modes and selection ----

base 7001 | sed 's/^spec:/&\n  mode: audit/' >"$new/new.yaml"
tap_ok "mode audit: what was denied would pass" status 1 diff_of "$tmp/old.yaml" "$new"
tap_is "and what is reported is counted apart" \
	"0 newly denied, 1 newly allowed, 1 newly reported by mode audit" sh -c "sed -n 's/.*h: \(.*\), [0-9]* unchanged/\1/p' '$tmp/out'"
{ base 7001 7003; egress_of deny | doc deep gone/deep; } >"$new/new.yaml"
tap_ok "a policy that selects a cgroup below a workload" status 0 diff_of current "$new"
{ base 7001 7003; { echo 'priority: 1'; egress_of deny; } | doc deep gone/deep; } |
	sed 's/default: deny, rules: \[$/&/' >"$new/new.yaml"
sed -i '/name: deep/,$ s/rules: \[/rules: [{name: none, action: deny}, /' "$new/new.yaml"
tap_ok "and denies what it does" status 1 diff_of current "$new"
tap_ok "is found to" grep -qE '^allow +deny +default/default/gone ' "$tmp/out"
egress_of deny | doc more quiet >"$new/new.yaml"
tap_ok "a file that has other policies than those in force" status 1 diff_of current "$new"
tap_ok "is told that they are missing" grep -q '^note: 3 policies of OLD are not in NEW (--overlay' "$tmp/err"
tap_ok "laid over what is in force it changes nothing" status 0 diff_of --overlay current "$new"
tap_ok "and nothing is missing" sh -c "! grep -q 'not in NEW' '$tmp/err'"

# ---- what is wrong ----

printf 'apiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata: {name: x}\nspec: {selekt: []}\n' >"$tmp/wrong.yaml"
tap_ok "an error in NEW is trouble" status 2 diff_of current "$tmp/wrong.yaml"
tap_ok "told as check tells it" sh -c "'$ringfence' policy check '$tmp/wrong.yaml' 2>&1 | head -n 3 | grep -qxF -f - '$tmp/err'"
tap_ok "with whose it is" grep -q 'ringfence: NEW has [0-9]* error' "$tmp/err"
tap_ok "one in OLD, too" status 2 diff_of "$tmp/wrong.yaml" current
tap_ok "a file that is not there" status 2 diff_of current "$tmp/nothing.yaml"
tap_ok "is named" grep -q "cannot read $tmp/nothing.yaml: No such file" "$tmp/err"
tap_ok "one operand is a wrong use" status 2 diff_of current
tap_ok "more than a day is a wrong use" status 2 diff_of current current --since 25h
tap_ok "the policy in force is what it was" equal "$(applies)" "$applied"

# ---- it outlives the daemon, and its workload ----

base 7002 7003 >"$new/new.yaml"
diff_of current "$new" >"$tmp/before" 2>/dev/null
daemon_end TERM
rmdir "$cgroup/gone/deep" "$cgroup/gone"
daemon_must_start
tap_ok "the next daemon knows the flows" status 1 diff_of current "$new"
# Times and addresses are the same; how long ago is not.
tap_is "all of them, also of a workload that is gone" "" sh -c \
	"sed 's/ [0-9]*[smh]\$//' '$tmp/before' >'$tmp/a'; sed 's/ [0-9]*[smh]\$//' '$tmp/out' | diff -b '$tmp/a' - "
tap_ok "status shows what it costs" says '^Recorded  5 of at most 65536 flows, [0-9.]+ KiB on disk' "$ringfence" status
tap_is "the file is the owner's alone" 600 stat -c %a "$tmp/state/flows.db"

# ---- the file ----

daemon_end TERM
printf 'this is no database, but it is long enough to be taken for one%4000s' x >"$tmp/state/flows.db"
rm -f "$tmp/state/flows.db-wal"
daemon_start
tap_is "a broken file: the daemon runs" 0 sh -c "'$ringfence' status >/dev/null 2>&1; echo \$?"
tap_is "says so once" 1 log_count 'flows are recorded in memory alone .* broken; remove it'
tap_ok "and in status" says 'in memory alone: .*flows.db: it is broken' "$ringfence" status
tap_ok "enforcement is what it was" equal "$(inside app "$net" tcp 127.0.0.1 7002)" denied
tap_ok "new flows are recorded" await 5 has_flows 1
tap_ok "and diff says from when on" says 'note: the history is not kept on disk' diff_of current current
daemon_end TERM
tap_ok "the broken file is left as it is" grep -q 'this is no database' "$tmp/state/flows.db"
rm -f "$tmp/state/flows.db"
daemon_start
tap_ok "without it the history begins anew" says '^0 flows ' diff_of current current
# ---- flows from the flow log ----

echo 'telemetry: {events: [], flows: {idle: 1s}}' | doc logged logged | put_force base || exit 1
inside logged "$net" tcp 127.0.0.1 7003 >/dev/null
# sent_and_received: what is recorded of the one connection; the end of it tells the bytes.
sent_and_received()
{
	diff_of current current --all --workload '*/logged' -o json |
		grep -q '"port":7003.*"times":1,"tx_bytes":[1-9][0-9]*,"rx_bytes":[1-9]'
}
tap_ok "a logged connection is counted once, with its bytes" await 10 sent_and_received
notes()
{
	diff_of current current >/dev/null 2>"$tmp/err"
	cat "$tmp/err"
}
never_notes() { ! notes | grep "report no flows"; }
tap_ok "its workload does report flows" never_notes
echo 'telemetry: {events: []}' | doc logged logged | put_force base || exit 1
tap_ok "one that logs none does not" says '1 of 1 workloads report no flows' notes
tap_done
