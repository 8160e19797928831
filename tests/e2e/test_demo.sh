#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `make demo` on this machine: it shows what it promises, says so, and leaves
# nothing; the same when it is interrupted.
set -u

here=$(cd "$(dirname "$0")/../.." && pwd)
export RF_BUILD=${RF_BUILD:-$(cd "$here/${O:-build}" && pwd)}
export NO_COLOR=1 KEEP='' VM=''
demo=$here/scripts/demo.sh

# shellcheck source=tests/vm/tap.sh
. "$here/tests/vm/tap.sh"

[ "$(id -u)" = 0 ] || tap_skip_all "it loads BPF programs, which needs root"
[ -z "${RF_IN_VM:-}" ] || tap_skip_all "an emulated guest is too slow for it; make demo VM=1 runs it there"
for program in nginx curl bpftool; do
	command -v "$program" >/dev/null || PATH=$PATH:/usr/sbin command -v "$program" >/dev/null ||
		tap_skip_all "$program is not installed"
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The demo's directory must be told from those of others.
export TMPDIR=$work
out=$work/out

no_trace()
{
	local cgroup
	cgroup=$(sed -n 's/^    cgroup      //p' "$out")
	[ -n "$cgroup" ] || { echo "the demo did not name its cgroup"; return 1; }
	[ ! -e "$cgroup" ] || { echo "$cgroup is there"; return 1; }
	! ls -d "$work"/ringfence-demo.* 2>/dev/null || return 1
	! grep -F "$work" /proc/mounts || return 1
	# shellcheck disable=SC2062 # a glob of files
	! grep -lsaF --file=- /proc/[0-9]*/cmdline <<<"$work/ringfence-demo" || return 1
}
says() { grep -qE -- "$1" "$out" || { tail -n 15 "$out"; return 1; }; }
never_says() { ! grep -E -- "$1" "$out"; }
narrow() { awk 'length > 80 { print; wide = 1 } END { exit wide }' "$out"; }
is() { [ "$1" -eq "$2" ] || { echo "status $1"; tail -n 30 "$out"; return 1; }; }

timeout -k 20 170 "$demo" </dev/null >"$out" 2>&1
tap_ok "the demo succeeds" is $? 0
tap_ok "nothing was unexpected" says '^demo: [1-9][0-9]* as expected, 0 not, level [012], '
tap_ok "the allowed client gets its page" says 'OK  acme may go to the shop, and gets the page'
tap_ok "the other one is denied" says 'OK  umbra is refused by connect\(\) itself'
tap_ok "with the reason" says 'OK  the event names the rule, its file and line'
tap_ok "the policy survives the daemon" says 'OK  umbra is still denied: the kernel decides alone'
tap_ok "a broken policy changes nothing" says 'OK  umbra is denied as before: what was in force stays'
tap_ok "top, events and metrics are shown" says 'OK  /metrics counts what the kernel denied'
tap_ok "every line fits 80 columns" narrow
tap_ok "nothing is coloured without a terminal" never_says $'\e'
tap_ok "no directory, cgroup, mount or process is left" no_trace

# Interrupted in the middle: as ctrl-C does it, by a signal to the whole group.
: >"$out" # what the other demo said is not to be taken for this one's
setsid "$demo" </dev/null >"$out" 2>&1 &
pid=$!
until grep -q 'acme gets the page' "$out" 2>/dev/null || ! kill -0 "$pid" 2>/dev/null; do
	sleep 0.1
done
# A background shell ignores SIGINT; SIGTERM takes the same way out.
kill -TERM -- "-$pid"
wait "$pid"
tap_ok "an interrupted demo says so by its status" is $? 143
tap_ok "it was interrupted before its end" says 'did not run to its end'
tap_ok "and leaves no directory, cgroup, mount or process either" no_trace
tap_done
