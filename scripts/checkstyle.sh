#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The house rules that a line can break and clang-format does not see: SPDX
# lines and the right licence, tabs, width, trailing space, typedef struct,
# kernel versions outside kmod/compat.h. Files past 500 lines are named; that
# alone is no error.
set -eu
cd "$(dirname "$0")/.."

c_files() {
	find include bpf kmod user tests -name '*.[ch]' 2>/dev/null
}
text_files() {
	c_files
	find scripts packaging tests .ci -type f \( -name '*.sh' -o -name 'run' -o -name '*.service' \) 2>/dev/null
	find tests -name Makefile 2>/dev/null
	echo Makefile configure
}

# shellcheck disable=SC2046 # our own file names: no spaces
awk '
function complain(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what
	bad++
}
function expected_licence() {
	if (FILENAME ~ /^include\//)
		return "GPL-2.0-only OR BSD-2-Clause"
	if (FILENAME ~ /^(bpf|kmod)\//)
		return "GPL-2.0-only"
	if (FILENAME ~ /^user\//)
		return "GPL-2.0-or-later"
	return "GPL-2.0"
}
FNR == 1 {
	if (file != "" && lines > 500)
		printf "note: %s has %d lines, which asks to be two files\n", file, lines
	file = FILENAME
	c = file ~ /\.[ch]$/
	spdx = 0
}
{ lines = FNR }
FNR <= 2 && /SPDX-License-Identifier: / {
	spdx = 1
	want = expected_licence()
	have = $0
	sub(/.*SPDX-License-Identifier: /, "", have)
	sub(/ *\*\/$/, "", have)
	if (want == "GPL-2.0" ? have !~ /^GPL-2\.0-(only|or-later)/ : have != want)
		complain("licence " have ", here it is " want)
}
FNR == 2 && !spdx { complain("no SPDX-License-Identifier in the first two lines") }
/[ \t]$/ { complain("space at the end of the line") }
/\r/ { complain("carriage return") }
c {
	line = $0
	# Tab stops of eight columns.
	width = 0
	if (index(line, "\t")) {
		n = split(line, part, "\t")
		for (i = 1; i < n; i++) {
			width += length(part[i])
			width += 8 - width % 8
		}
		width += length(part[n])
	} else {
		width = length(line)
	}
	if (width > 120)
		complain("wider than 120 columns (" width ")")
}
c && /^        / { complain("indented with spaces") }
c && /^[ \t]*typedef[ \t]+(struct|union|enum)/ { complain("typedef of a struct") }
c && FILENAME != "kmod/compat.h" && /^[ \t]*#.*(LINUX_VERSION_CODE|KERNEL_VERSION)/ {
	complain("kernel versions are compared in kmod/compat.h alone")
}
END {
	if (lines > 500)
		printf "note: %s has %d lines, which asks to be two files\n", file, lines
	exit bad > 0
}
' $(text_files | sort)
