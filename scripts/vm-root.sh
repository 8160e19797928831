#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Make the root that guests of one Debian suite boot from, and print where it
# is. Usage: scripts/vm-root.sh bookworm|trixie
#
# Takes a few minutes the first time and nothing after that. A root appears
# under its final name only when it is complete, so an interrupted build is
# never mistaken for one. Packages come from wherever this machine's apt gets
# its own.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=scripts/vm/roots.sh
. "$here/vm/roots.sh"

suite=${1:?usage: vm-root.sh bookworm|trixie}
root=$(rf_root_dir "$suite")

say() { echo "vm-root: $*" >&2; }

if [ -e "$root/.ringfence-root" ]; then
	echo "$root"
	exit 0
fi

[ "$(id -u)" = 0 ] || { say "making $root needs root"; exit 1; }
command -v mmdebstrap >/dev/null || { say "mmdebstrap is missing: apt-get install mmdebstrap"; exit 1; }

mkdir -p "$rf_cache"
exec 9>"$rf_cache/.lock-$suite"
flock 9
if [ -e "$root/.ringfence-root" ]; then
	echo "$root"
	exit 0
fi

# The site of this machine's own sources whose release ends in $1, or $2.
site_of()
{
	local site

	# shellcheck disable=SC2016 # apt expands these
	site=$(apt-get indextargets --format '$(ORIGIN) $(RELEASE) $(SITE)' 'Created-By: Packages' 2>/dev/null |
		awk -v end="$1" '$1 == "Debian" && ($2 ~ end "$") { print $3; exit }')
	echo "${site:-$2}"
}

mirror=$(site_of '^[a-z]+' http://deb.debian.org/debian)
security=$(site_of -security http://deb.debian.org/debian-security)

work=$(mktemp -d "$rf_cache/.build-$suite-XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
apt-config dump | grep -E '^Acquire::(.*Proxy|Check-|Languages|.*::Verify-|Retries)' >"$work/apt.conf" || true

cat >"$work/sources.list" <<SOURCES
deb $mirror $suite main
deb $mirror $suite-updates main
deb $security $suite-security main
deb $mirror $suite-backports main
SOURCES

cat >"$work/backports" <<BACKPORTS
set -e
set -f # a name may be a pattern
for package in $(rf_root_backports "$suite"); do
	case \$package in
	*\**)
		pattern=\$(echo "\$package" | sed 's/[.+]/\\\\&/g; s/\*/[0-9]+[+]deb[0-9]+/')
		found=\$(apt-cache pkgnames "\${package%%\**}" | grep -xE "\$pattern" | sort -V | tail -n 1)
		[ -n "\$found" ] || { echo "the archive has no \$package"; exit 1; }
		package=\$found
		;;
	esac
	list="\$list \$package/$suite-backports"
done
INITRD=No DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \$list
BACKPORTS

# No initramfs: guests bring their own. No documentation, no locales: a third
# of the size.
say "making $root (a few minutes, about 2 GB)"
start=$SECONDS
# shellcheck disable=SC2086,SC2016 # the list is words; $1 is for the hook's shell
if ! INITRD=No mmdebstrap --mode=root --variant=minbase --format=directory \
	--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
	--aptopt="$work/apt.conf" --aptopt='Apt::Install-Recommends "false"' \
	--dpkgopt=path-exclude=/usr/share/doc/* --dpkgopt=path-exclude=/usr/share/man/* \
	--dpkgopt=path-exclude=/usr/share/locale/* --dpkgopt=path-exclude=/usr/share/info/* \
	--include="$(echo $rf_root_packages_common | tr ' ' ',')" \
	--customize-hook="chroot \"\$1\" sh -s <'$work/backports'" \
	"$suite" "$work/root" "$work/sources.list" >"$work/log" 2>&1 </dev/null; then
	tail -n 40 "$work/log" >&2
	say "mmdebstrap failed; the end of its log is above"
	exit 1
fi

date -u +%Y-%m-%dT%H:%M:%SZ >"$work/root/.ringfence-root"
mv -T "$work/root" "$root"
say "$root made in $((SECONDS - start)) s"
echo "$root"
