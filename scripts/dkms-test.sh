#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The package of scripts/dkms-deb.sh on Debian 13: installed in a copy-on-write
# view of the guest root, where DKMS builds and signs the module for both of its
# kernels; then loaded in guests, and refused where signatures are asked for and
# the key is not known. Not part of `make check`: DKMS comes from the archive.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/vm/roots.sh
. scripts/vm/roots.sh
: "${O:=build}"

die() { echo "dkms-test: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "installing in a guest root needs root"

# All mounts are in a namespace of their own and go with it.
if [ "${RF_DKMS_STAGE:-}" != inside ]; then
	RF_DKMS_STAGE=inside exec unshare --mount --propagation private "$0" "$@"
fi
unset RF_DKMS_STAGE

version=$(cat VERSION)
package=ringfence-dkms_${version}_all.deb
[ -e "$O/$package" ] || die "$O/$package is not made: make dkms-deb"
root=$(scripts/vm-root.sh trixie)
tmp=$(mktemp -d "$rf_cache/.dkms-XXXXXX")
view=$tmp/view
cleanup()
{
	set +e
	umount -R "$view" 2>/dev/null
	rm -rf --one-file-system "$tmp"
}
trap cleanup EXIT
mkdir "$view" "$tmp/upper" "$tmp/work"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$tmp/upper,workdir=$tmp/work" "$view"
mount -t proc proc "$view/proc"
mount --bind /dev "$view/dev"
in_view()
{
	chroot "$view" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
		LANG=C.UTF-8 INITRD=No DEBIAN_FRONTEND=noninteractive "$@"
}
# quietly WHAT COMMAND...
quietly()
{
	local what=$1
	shift
	"$@" >"$tmp/log" 2>&1 && return
	tail -n 40 "$tmp/log" >&2
	die "$what failed; the end of its log is above"
}

# shellcheck source=tests/vm/tap.sh
. tests/vm/tap.sh
set +u
cp /etc/resolv.conf "$view/etc/resolv.conf"
cp "$O/$package" "$view/tmp"
quietly "apt-get update" in_view apt-get -qq update
quietly "getting DKMS" in_view apt-get install -qq -y --no-install-recommends dkms
tap_ok "the package installs, and DKMS builds the module" in_view dpkg -i "/tmp/$package"
field() { in_view modinfo -k "$1" -F "$2" ringfence; }
status() { in_view dkms status -m ringfence -v "$version" -k "$1" | sed 's/.*: //'; }
for kernel in 6.12 7.2; do
	release=$(rf_root_kernel "$root" $kernel)
	tap_is "it is installed for $release" installed status "$release"
	tap_is "modinfo has its version" "$version" field "$release" version
	tap_is "and that DKMS has signed it" "DKMS module signing key" field "$release" signer
done

# As the documentation says, with a key of one's own.
release=$(rf_root_kernel "$root" 6.12)
module=/tmp/ringfence.ko
sign()
{
	in_view sh -ec "
		xz -dc /lib/modules/$release/updates/dkms/ringfence.ko.xz >$module
		openssl req -new -x509 -newkey rsa:2048 -nodes -days 36500 -subj '/CN=a key of our own/' \
			-addext extendedKeyUsage=codeSigning -outform DER -keyout /tmp/key -out /tmp/certificate
		/lib/modules/$release/build/scripts/sign-file sha256 /tmp/key /tmp/certificate $module"
}
tap_ok "the kernel's sign-file signs it with another key" sign
signer() { in_view modinfo -F signer $module; }
tap_is "which modinfo shows then" "a key of our own" signer

# guest NAME WORDS: what a guest of 6.12 with these on its command line says.
guest()
{
	scripts/vm-run.sh --root "$view" --kernel "$release" --init /mnt/src/tests/vm/dkms-init --share "src=$PWD" \
		--append "$2" --limit 300 </dev/null | sed -n 's/\r$//; /^RINGFENCE-BEGIN$/,/^RINGFENCE-END$/p' >"$tmp/$1"
	sed '/^RINGFENCE-/d; s/^/# /' "$tmp/$1"
}
umount -l "$view/dev" "$view/proc"
guest plain ""
guest enforced module.sig_enforce=1
guest lockdown lockdown=integrity
tap_ok "the module loads" grep -qx loaded "$tmp/plain"
tap_ok "of that version" grep -qx "version $version" "$tmp/plain"
tap_ok "with its device" grep -qx device "$tmp/plain"
tap_ok "and BTF" grep -qx btf "$tmp/plain"
tap_ok "and unloads" grep -qx unloaded "$tmp/plain"
for how in enforced lockdown; do
	tap_ok "with a key that is not enrolled it is refused ($how)" grep -q 'modprobe: ERROR' "$tmp/$how"
	tap_ok "and not there ($how)" sh -c "! grep -qx loaded '$tmp/$how'"
done
tap_done
