#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What an operation costs with 10 and with 10,000 workloads on the host, with 1 and with 1,000 rules in each direction
# of the one that is measured: scripts/bench.sh in one guest. More than 5 % above the least of the four is a failure for
# what a flow that is known costs, and for opening a connection. (udp_new, each to another address, is what is found
# before anything is remembered: the lookups themselves.)
set -eu
: "${O:=build}"
SUBJECTS="ringfence:10:1 ringfence:10:1000 ringfence:10000:1 ringfence:10000:1000"
BENCH_LIMIT=${BENCH_LIMIT:-5400}
export O SUBJECTS BENCH_LIMIT
scripts/bench.sh >"$O/growth.table" || { cat "$O/growth.table"; exit 1; }
awk -F'"' '
/"subject": "ringfence:/ {
	op = $4
	split($8, part, ":")
	corner = part[2] " x " part[3]
	split($0, tail, /"instructions": /)
	n = tail[2] + 0
	split($0, tail, /"added": /)
	added[op, corner] = tail[2] + 0
	cost[op, corner] = n
	if (!(op in least) || n < least[op])
		least[op] = n
	if (!(op in known)) {
		known[op] = 1
		ops[++n_ops] = op
	}
	if (!(corner in column)) {
		column[corner] = 1
		corners[++n_corners] = corner
	}
}
END {
	print "Instructions an operation by workloads x rules (what Ringfence adds), and how far the most is above the least.\n"
	printf "%-12s", "operation"
	for (c = 1; c <= n_corners; c++)
		printf " %18s", corners[c]
	printf " %8s\n", "growth"
	for (o = 1; o <= n_ops; o++) {
		most = 0
		printf "%-12s", ops[o]
		for (c = 1; c <= n_corners; c++) {
			n = cost[ops[o], corners[c]]
			printf " %18s", n " (" added[ops[o], corners[c]] ")"
			if (n > most)
				most = n
		}
		growth = (most - least[ops[o]]) * 100 / least[ops[o]]
		printf " %6.1f %%\n", growth
		if (ops[o] ~ /^(udp_64|tcp_connect|tcp_1000)$/ && growth > 5)
			failed = 1
	}
	if (n_corners != 4) {
		print "growth: not all of the four were measured"
		failed = 1
	}
	exit failed
}' "$O/bench.json"
