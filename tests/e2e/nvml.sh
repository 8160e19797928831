# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2034,SC2154 # what lib.sh sets, and what tests use
#
# A library in NVML's place, which answers from a file beside it. Sourced after lib.sh.

library=$tmp/lib/libnvidia-ml.so.1
# nvml_install NAME...: those of the build; the helper that looks is nobody, who must be able to read them.
nvml_install()
{
	for file in "$build/ringfence-gpu" "$build/tests/e2e/nvml/libnvidia-ml.so.1"; do
		[ -e "$file" ] && continue
		echo "Bail out! $file is not built"
		exit 1
	done
	chmod 711 "$tmp"
	mkdir -m 755 "$tmp/lib"
	for file; do
		install -m 755 "$build/tests/e2e/nvml/$file" "$tmp/lib"
	done
}
# conf_write LIBRARY: what it says from here on, from stdin.
conf_write()
{
	cat >"$tmp/lib/.new"
	chmod 644 "$tmp/lib/.new"
	mv "$tmp/lib/.new" "$1.conf"
}
