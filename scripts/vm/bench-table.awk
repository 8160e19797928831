# SPDX-License-Identifier: GPL-2.0-or-later
#
# The driver's JSON lines -> a table on stdout and the file named by -v json=.

function member(name) {
	if (!match($0, "\"" name "\": \"?[^\",}]*"))
		return ""
	value = substr($0, RSTART, RLENGTH)
	sub(/^"[a-z]*": "?/, "", value)
	return value
}

function thousands(n,   text, out) {
	text = sprintf("%d", n < 0 ? -n : n)
	while (length(text) > 3) {
		out = "," substr(text, length(text) - 2) out
		text = substr(text, 1, length(text) - 3)
	}
	return (n < 0 ? "-" : "") text out
}

!/^\{/ { next }

{
	subject = member("subject")
	if (!(subject in seen)) {
		seen[subject] = 1
		subjects[++n_subjects] = subject
	}
	if ((why = member("error")) != "") {
		error[subject] = why
		next
	}
	op = member("op")
	n = member("instructions") + 0
	if (!(op in lowest)) {
		ops[++n_ops] = op
		lowest[op] = highest[op] = n
	}
	if (member("phase") == "base") {
		base[subject, op] = n
		if (n < lowest[op])
			lowest[op] = n
		if (n > highest[op])
			highest[op] = n
	} else {
		with[subject, op] = n
	}
}

END {
	first = subjects[1]
	print "Instructions an operation; the columns on the right are what a subject adds.\n"
	printf "%-12s %11s", "operation", "nothing"
	for (s = 1; s <= n_subjects; s++) {
		column[s] = " %" (length(subjects[s]) > 11 ? length(subjects[s]) : 11) "s"
		if (subjects[s] != "none")
			printf column[s], subjects[s]
	}
	printf " %9s\n", "base +-"
	print "[" > json
	for (o = 1; o <= n_ops; o++) {
		op = ops[o]
		printf "%-12s %11s", op, thousands(base[first, op])
		entry(op, "none", base[first, op], 0)
		for (s = 1; s <= n_subjects; s++) {
			subject = subjects[s]
			if (subject == "none")
				continue
			if (!((subject, op) in with)) {
				printf column[s], "-"
				continue
			}
			added = with[subject, op] - base[subject, op]
			printf column[s], (added < 0 ? "" : "+") thousands(added)
			entry(op, subject, with[subject, op], added)
		}
		printf " %8.2f%%\n", lowest[op] ? (highest[op] - lowest[op]) * 100 / lowest[op] : 0
	}
	print "\n]" > json
	for (s = 1; s <= n_subjects; s++)
		if (subjects[s] in error) {
			printf "%s: %s\n", subjects[s], error[subjects[s]]
			failed = subjects[s] != "ringfence" || error[subjects[s]] !~ /not built/
		}
	exit failed
}

function entry(op, subject, instructions, added) {
	printf "%s  {\"op\": \"%s\", \"subject\": \"%s\", \"instructions\": %d, \"added\": %d}", \
		separator, op, subject, instructions, added > json
	separator = ",\n"
}
