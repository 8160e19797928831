#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Calls of accelerators' libraries, counted for whoever makes them. With a
# library that stands in for CUDA's driver, on a device that is a clock.
#
# shellcheck disable=SC2317 # functions are called by tap_ok and tap_is
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# shellcheck source=tests/e2e/calls.sh
. "$src/tests/e2e/calls.sh"

make_cgroup counted other plain apart resolving runtime again late
daemon_must_start
echo "# $(status_row accelerator-calls why)"
{
	for w in counted apart resolving runtime again late; do
		echo 'accelerators: {userModeSubmission: true}' | doc $w $w
	done
	echo 'network: {egress: {default: allow}}' | doc plain plain
} | put_force base || exit 1

probed() { [ "$(log_count 'functions of .* are probed')" -gt "$1" ]; }
# run WORKLOAD LIBRARY STEP...: waits until the library is probed, which nobody had before, and does the steps then.
run()
{
	run_go=$(mktemp -u "$tmp/go.XXXXXX")
	run_cgroup=$1
	run_library=$2
	run_before=$(log_count 'functions of .* are probed')
	shift 2
	inside "$run_cgroup" "$probe" "$run_library" "wait:$run_go" "$@" >"$tmp/out" 2>&1 &
	run_pid=$!
	await 15 probed "$run_before" || echo "# no new library was probed"
	touch "$run_go"
	wait $run_pid
}

# ---- what is counted ----

tap_ok "a library is probed when a workload maps it" run counted "$library" times:100:launch:1000+sync bad graph:1000 \
	alloc:4096 alloc:99999999999 copy:1000 queue:2000 query
tap_is "launches" 101 calls counted launch calls
tap_is "one of which failed" 1 calls counted launch failures
tap_is "graph launches" 1 calls counted graph_launch calls
tap_is "copies" 2 calls counted copy calls
tap_is "of so many bytes" 3000 calls counted copy bytes
tap_is "allocations" 2 calls counted alloc calls
tap_is "of which one failed" 1 calls counted alloc failures
tap_is "and only the other has bytes" 4096 calls counted alloc bytes
tap_is "synchronisations, and the question whether all is done, once it is" 101 calls counted synchronize calls
buckets()
{
	"$ringfence" accel --json | sed 's/{"workload"/\n{"workload"/g' |
		grep -F "{\"workload\":\"default/default/$1\",\"call\":\"$2\"," |
		sed 's/.*"buckets":\[\([0-9,]*\)\].*/\1/' | tr ',' '\n' | awk '{ n += $1 } END { print n }'
}
tap_is "each is in one bucket of the histogram" 101 buckets counted launch
tap_is "its launches are jobs of a device that stands for libraries" 102 library_use counted jobs
tap_ok "they are shown" says 'default/default/counted +launch +101 +1 ' "$ringfence" accel --calls
tap_ok "and exported" says '"workload":"default/default/counted","device":"library"' "$ringfence" accel --json
tap_is "nothing is under way any more" 0 library_use counted under_way

# Somebody has it mapped from here on: seen for sure where it is probed anew.
let_go() { ! pinned; }
await 30 let_go
before=$(log_count 'functions of .*libcuda.so.1 are probed')
holds >"$tmp/out" 2>&1 &
holder=$!
helpers="$helpers $holder"
await 15 log_grew 'functions of .*libcuda.so.1 are probed' "$before"
inside counted "$probe" "$library" times:50:launch:1000+sync >"$tmp/out"
tap_is "another process is counted from its first call on" 151 calls counted launch calls
inside plain "$probe" "$library" launch:1000 sync >"$tmp/out"
tap_is "who has not asked for it is not counted" "" calls plain launch calls

# ---- where libraries hide ----

cat >"$tmp/apart.sh" <<'END'
mkdir "$2" && mount -t tmpfs none "$2" && cp "$1" "$2/libcuda.so.1" && shift && where=$1 && shift &&
	exec "$@" "$where/libcuda.so.1" "wait:$go" times:30:launch:1000+sync
END
go=$tmp/goapart unshare --mount true 2>/dev/null && {
	before=$(log_count 'functions of .* are probed')
	(
		go=$tmp/goapart
		export go
		enter apart unshare --mount --propagation private sh "$tmp/apart.sh" "$library" "$tmp/hidden" "$probe"
	) >"$tmp/out" 2>&1 &
	pid=$!
	await 15 probed "$before"
	touch "$tmp/goapart"
	wait $pid
	sed 's/^/# /' "$tmp/out"
	tap_is "in a mount namespace that has it alone" 30 calls apart launch calls
}

# reader: the daemon's child that reads what processes have mapped; one that is stopped answers as if it had to wait.
reader()
{
	for reader_pid in $(cat "/proc/$daemon/task/$daemon/children"); do
		grep -qx ringfence-maps "/proc/$reader_pid/comm" && echo "$reader_pid"
	done
}
cp "$library" "$tmp/libcuda.so.4"
tap_ok "what is mapped is read by a child" kill -STOP "$(reader)"
tap_ok "who cannot be read at first works" run again "$tmp/libcuda.so.4" times:10:launch:1000+sync
tap_is "and is read again, and counted" 10 calls again launch calls

cp "$library" "$tmp/libcuda.so.2"
sites() { find "$tmp/bpf/links" -path '*calls_*' -name '*_begin' | wc -l; }
before=$(log_count 'functions of .* are probed')
inside resolving "$probe" "$tmp/libcuda.so.2" "wait:$tmp/first" resolve "wait:$tmp/second" times:40:launch:1000+sync \
	>"$tmp/out" 2>&1 &
pid=$!
await 15 probed "$before"
known=$(pins "$tmp/libcuda.so.2")
touch "$tmp/first"
more() { [ "$(pins "$tmp/libcuda.so.2")" -gt "$known" ]; }
tap_ok "what cuGetProcAddress() gives is found" await 10 more
touch "$tmp/second"
wait $pid
tap_is "and counted" 40 calls resolving launch calls

# Who has asked once does not ask again: neither of the next daemon, nor when others have let the library go.
inside resolving "$probe" "$tmp/libcuda.so.2" resolve "wait:$tmp/third" times:20:launch:1000+sync >"$tmp/out" 2>&1 &
pid=$!
again() { [ "$(pins "$tmp/libcuda.so.2")" -gt "$known" ]; }
await 15 again
before=$(log_count 'functions of .*libcuda.so.2 are probed')
daemon_end KILL
daemon_must_start
await 15 log_grew 'functions of .*libcuda.so.2 are probed' "$before"
own() { [ "$(find "$tmp/bpf/links" -maxdepth 1 -name 'calls_*' | wc -l)" = 1 ]; }
await 10 own
touch "$tmp/third"
wait $pid
tap_is "another daemon knows it, too" 60 calls resolving launch calls
gone() { [ "$(pins "$tmp/libcuda.so.2")" = 0 ]; }
await 30 gone
before=$(log_count 'functions of .*libcuda.so.2 are probed')
inside resolving "$probe" "$tmp/libcuda.so.2" "wait:$tmp/fourth" resolve "wait:$tmp/fifth" times:20:launch:1000+sync \
	>"$tmp/out" 2>&1 &
pid=$!
await 15 log_grew 'functions of .*libcuda.so.2 are probed' "$before"
touch "$tmp/fourth"
tap_ok "where it was let go, who asks then is found" await 15 again
touch "$tmp/fifth"
wait $pid
tap_is "and counted again" 80 calls resolving launch calls

# ---- who lies about where functions are ----

make_cgroup liar victim
for w in liar victim; do
	echo 'accelerators: {userModeSubmission: true}' | doc $w $w
done | put_force lies || exit 1
cp "$library" "$tmp/libcuda.so.6"
# It has the library all the time.
inside victim "$probe" "$tmp/libcuda.so.6" "wait:$tmp/later" times:7:version >"$tmp/victim" 2>&1 &
victim=$!
await 15 log_grew 'functions of .*libcuda.so.6 are probed' 0
known=$(pins "$tmp/libcuda.so.6")
# What the daemon has found wrong is forgotten.
looked() { ! bpftool map dump pinned "$(ls "$tmp"/bpf/maps_*/rf_call_site_map)" | grep -q '"seen": 0'; }
# lies WHAT: until the daemon has looked at what was told.
lies()
{
	RF_CUDA_LIES=$1 inside liar "$probe" "$tmp/libcuda.so.6" ask "wait:$tmp/lied.$1" times:5:version >"$tmp/out" 2>&1 &
	lies_pid=$!
	sleep $((3 + 2 * (RF_SLOW > 1)))
	await 15 looked
	told=$(pins "$tmp/libcuda.so.6")
	touch "$tmp/lied.$1"
	wait $lies_pid
}
libc=$(ldd "$probe" | sed -n 's/.*libc\.so\.6 => \(.*\) (.*/\1/p')
lies libc
tap_is "no probe is put into another file" 0 pins "$(readlink -f "$libc")"
tap_is "and none where that would be in the library" "$known" echo "$told"
lies middle
tap_is "nor where no function begins" "$known" echo "$told"
lies version
tap_is "at a function it is" $((known + 1)) echo "$told"
tap_is "and counts for who was told so" 5 calls liar launch calls
touch "$tmp/later"
wait $victim
tap_is "and for nobody else" "" calls victim launch calls
tap_ok "who is well all the same" grep -q '^launches 0' "$tmp/victim"

cp "$library" "$tmp/libcuda.so.3"
run runtime "$tmp/libcuda.so.3" runtime times:20:launch:1000+sync
tap_is "a runtime that is part of the program, and the driver that it calls, are one" 20 calls runtime launch calls

# ---- without the daemon, and after it ----

daemon_end KILL
before=$(log_count 'functions of .*libcuda.so.1 are probed')
inside counted "$probe" "$library" times:10:launch:1000+sync >"$tmp/out"
daemon_must_start
await 5 has_workload default/default/counted
tap_is "what is called without a daemon is counted" 161 calls counted launch calls
await 15 log_grew 'functions of .*libcuda.so.1 are probed' "$before"
inside counted "$probe" "$library" times:10:launch:1000+sync >"$tmp/out"
tap_is "what two daemons probe is counted once" 171 calls counted launch calls
tap_ok "the earlier daemon's probes go" await 10 own
touch "$tmp/stop"
wait $holder
none() { [ "$(sites)" = 0 ]; }
tap_ok "probes go when nobody has the library any more" await 30 none
tap_done
