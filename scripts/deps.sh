#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deps.sh [build|demo|all]: installs on Debian 12 or 13 what building needs, and
# with "demo" or "all" what the demonstration or the tests need too. Names the packages first, asks nothing, and does not
# start apt-get when nothing is missing.
set -eu

# A name with | is whichever of the two this release has.
build='gcc libc6-dev make pkgconf clang-19 bpftool libbpf-dev libelf-dev zlib1g-dev libsystemd-dev libyaml-dev
	libjson-c-dev libmicrohttpd-dev libmaxminddb-dev libsqlite3-dev'
demo='nginx-light|nginx curl'
tests='libcmocka-dev libclang-rt-19-dev llvm-19 clang-format-19 clang-tidy-19 shellcheck sparse libasan8 libubsan1
	qemu-system-x86 mmdebstrap busybox-static cpio kmod zstd xz-utils ca-certificates
	prometheus iproute2 procps python3-minimal socat valgrind dnsmasq-base iperf3 unbound
	pocl-opencl-icd ocl-icd-libopencl1'
# For sparse, whatever kernel runs.
tests="$tests linux-headers-$(dpkg --print-architecture 2>/dev/null || echo amd64)"

case ${1:-all} in
build) wanted=$build ;;
demo) wanted="$build $demo" ;;
all) wanted="$build $demo $tests" ;;
*)
	echo "usage: deps.sh [build|demo|all]" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	# shellcheck disable=SC2086 # on one line
	echo "deps: not a Debian system; install the counterparts of:" $wanted >&2
	exit 0
fi

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for package in $wanted; do
	first=${package%%|*}
	second=${package##*|}
	if installed "$first" || installed "$second"; then
		continue
	fi
	missing="$missing $package"
done
if [ -z "$missing" ]; then
	exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
	if ! sudo -n true 2>/dev/null; then
		echo "deps: missing:$missing; run as root: apt-get install --no-install-recommends$missing" >&2
		exit 1
	fi
	as_root='sudo -n'
fi

echo "Installing:$missing"
apt() {
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@"
}
apt update
names=
for package in $missing; do
	first=${package%%|*}
	if [ "$first" != "$package" ] && ! apt-cache show "$first" >/dev/null 2>&1; then
		first=${package##*|}
	fi
	names="$names $first"
done
# shellcheck disable=SC2086 # a list of names
apt install -y --no-install-recommends $names >/dev/null
# The tests want the programs; services that came with them would only hold ports.
if [ -d /run/systemd/system ]; then
	for service in prometheus nginx unbound; do
		case " $names" in
		*" $service"*) $as_root systemctl disable --now --quiet "$service" ;;
		esac
	done
fi
echo "Installed."
