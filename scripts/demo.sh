#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What Ringfence does, shown on this machine with workloads of the demo's own:
# nginx, and curl on behalf of several tenants, each in a cgroup below
# <cgroup v2>/ringfence_demo_PID. Programs attach to that cgroup alone.
# Everything else is below one temporary directory, the bpffs included. Ends by
# itself, says what held and what did not (exit 1), and leaves nothing behind.
#
#   scripts/demo.sh                what `make demo` runs, after the build
#   KEEP=1 scripts/demo.sh         leaves it running
#   scripts/demo.sh --remove DIR   removes what KEEP=1 left
#   VM=1 scripts/demo.sh           in guests, at every level (LEVELS="0 1 2", KERNEL=6.12)
#
# The programs are taken from RF_BUILD, or O (build).
set -uo pipefail

source=$(cd "$(dirname "$0")/.." && pwd)
cd "$source" || exit 1
build=${RF_BUILD:-$(cd "${O:-build}" 2>/dev/null && pwd)}
export PATH=$build:$PATH:/usr/sbin:/sbin LC_ALL=C

if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "demo: loading BPF programs needs root, and there is no sudo here; run it as root" >&2
		exit 1
	fi
	echo "demo: loading BPF programs needs root; going through sudo"
	exec sudo -- env RF_BUILD="$build" KEEP="${KEEP:-}" VM="${VM:-}" LEVELS="${LEVELS:-}" KERNEL="${KERNEL:-}" \
		NO_COLOR="${NO_COLOR:-}" TERM="${TERM:-dumb}" "$0" "$@"
fi

# shellcheck source=scripts/demo/print.sh
. scripts/demo/print.sh
# shellcheck source=scripts/demo/machine.sh
. scripts/demo/machine.sh
# shellcheck source=scripts/demo/steps.sh
. scripts/demo/steps.sh

if [ "${1:-}" = --remove ]; then
	demo_load "${2:?usage: demo.sh --remove DIR}"
	demo_remove
	exit
fi
if [ -n "${VM:-}" ] && [ "${VM}" != 0 ]; then
	exec scripts/demo/vm.sh
fi
[ $# -eq 0 ] || { echo "usage: demo.sh [--remove DIR]" >&2; exit 2; }

machine_require
# A signal may find us with the output sent elsewhere; what is said at the end belongs here.
exec {screen}>&1
trap 'demo_end' EXIT
trap 'say "Interrupted."; exit 130' INT
trap 'exit 143' TERM HUP
demo_make

step_machine
step_daemon
step_workloads
step_policies
step_egress
step_ipv6
step_ingress
step_devices
step_accelerators
step_audit
step_systemd
step_broken
step_crash
step_live
summary
