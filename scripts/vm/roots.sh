# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The guest roots: which distribution gives which kernel, and what is installed
# in it. Sourced by the scripts beside it, never run.
#
# A root is cached under $RF_CACHE by a hash of everything that decides its
# contents; raise rf_root_recipe when scripts/vm-root.sh changes what it makes.

rf_cache=${RF_CACHE:-/var/cache/ringfence}
rf_root_recipe=1
rf_kernels="6.1 6.12 7.2"

rf_root_packages_common="linux-image-amd64 linux-headers-amd64 systemd-sysv dbus kmod busybox-static
 iproute2 nftables auditd dnsmasq-base curl nginx-light ca-certificates procps gcc make pkgconf pahole clang-19 llvm-19
 bpftool libbpf-dev libelf-dev zlib1g-dev libsystemd-dev libyaml-dev libjson-c-dev libmicrohttpd-dev
 libmaxminddb-dev libsqlite3-dev libcmocka-dev python3-minimal openssl jq netcat-openbsd socat iputils-ping xz-utils iperf3 crun"

# The suite that ships kernel $1.
rf_root_suite()
{
	case $1 in
	6.1) echo bookworm ;;
	6.12|7.2) echo trixie ;;
	*) echo "no suite has kernel '$1'; there are: $rf_kernels" >&2; return 1 ;;
	esac
}

# What comes from SUITE-backports on top: a second kernel for Debian 13, and for
# Debian 12 the resolve_btfids that its own kernel build tools lack. A name with
# '*' is the newest of that version: the backport moves on to the next kernel
# while the archive still has the last of this one.
rf_root_backports()
{
	case $1 in
	bookworm) echo linux-kbuild-6.12 ;;
	trixie) echo 'linux-image-7.2.*-amd64 linux-headers-7.2.*-amd64' ;;
	esac
}

rf_root_key()
{
	# One word a line: how the lists are broken must not matter.
	{ echo "$rf_root_recipe $1 $rf_root_packages_common :"; rf_root_backports "$1"; } | xargs -n 1 |
		sha256sum | cut -c1-12
}

rf_root_dir()
{
	echo "$rf_cache/$1-$(rf_root_key "$1")"
}

# The full version of kernel $2 (6.12) in the root $1 (6.12.107+deb13-amd64); the newest, should there be several.
rf_root_kernel()
{
	local found

	found=$(cd "$1/lib/modules" && printf '%s\n' "$2".[0-9]* | sort -V | tail -n 1)
	[ -d "$1/lib/modules/$found" ] || found=
	[ -n "$found" ] || { echo "$1 holds no kernel $2" >&2; return 1; }
	echo "$found"
}
