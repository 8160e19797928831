#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Which programs may run: 1,000 rules on the loop's cgroup, at all depths, of
# which the last allows the loop's program (what is not named may run, lest "stop" may not). Another workload asks for drift, so
# that the hooks of libraries are attached, too. In a copy of this file called
# subject_programs_one.sh there is one rule, in subject_programs_other.sh none:
# the loop is not managed then.
set -eu

daemon=$RF_BUILD/ringfenced
client=$RF_BUILD/ringfence
policies=/run/rf-bench-policies
other=/sys/fs/cgroup/rf-bench-other

rules()
{
	case $0 in
	*_one.sh) ;;
	*) awk 'BEGIN {
		for (i = 0; i < 999; i++) {
			path = ""
			for (k = 0; k <= i % 5; k++)
				path = path "/d" k
			printf "      - {action: deny, path: \"%s/p%d%s\"}\n", path, i, i % 3 == 0 ? "/**" : i % 3 == 1 ? "*" : ""
		}
	}' ;;
	esac
	echo '      - {path: "/dev/shm/**"}'
}

# policy NAME CGROUP: the section is read from stdin.
policy()
{
	printf -- '---\napiVersion: ringfence/v1\nkind: WorkloadPolicy\nmetadata:\n  name: %s\nspec:\n' "$1"
	printf '  workload: %s\n  telemetry: {events: []}\n  select:\n    - cgroup: %s\n  process:\n' "$1" "$2"
	cat
}

missing()
{
	echo "$1" >/run/rf-subject-missing
	exit 4
}

in_force()
{
	"$client" status --json 2>/dev/null | sed 's/{"name"/\n{"name"/g' | grep '"bprm_check_security"' | grep -q '"attached":true'
}

case $1 in
start)
	[ -x "$daemon" ] || missing "ringfenced is not built"
	mkdir -p "$policies" "$other"
	{
		echo '    drift: deny' | policy other /rf-bench-other
		case $0 in
		*_other.sh) ;;
		*) { echo '    memfd: deny'; echo '    exec:'; rules; } | policy bench "$RF_BENCH_CGROUP" ;;
		esac
	} >"$policies/bench.yaml"
	# A service of its own: what ExecStartPre= leaves behind in the loop's would be killed.
	systemd-run --quiet --unit=rf-subject "$daemon" --cgroup-root /sys/fs/cgroup --policy-dir "$policies" --force
	tries=100
	until in_force; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || missing "the policy did not come into force"
		sleep 0.2
	done
	;;
stop)
	"$client" detach >/dev/null 2>&1 || true
	systemctl stop rf-subject 2>/dev/null || true
	rmdir "$other" 2>/dev/null || true
	;;
esac
