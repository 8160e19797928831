#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The module as a package of sources, $O/ringfence-dkms_VERSION_all.deb: what is
# installed is /usr/src/ringfence-VERSION, which DKMS builds for each kernel.
# Made anew from the tree alone: the same tree gives the same package.
set -eu
cd "$(dirname "$0")/.."
: "${O:=build}"

command -v dpkg-deb >/dev/null || { echo "dkms-deb: no dpkg-deb: this makes a package of Debian's" >&2; exit 1; }
version=$(cat VERSION)
tree=$O/dkms
target=$tree/usr/src/ringfence-$version

rm -rf "$tree"
mkdir -p "$target/include/ringfence" "$tree/DEBIAN"
install -m 0644 kmod/*.c kmod/*.h kmod/Kbuild VERSION "$target"
install -m 0755 kmod/build.sh "$target"
install -m 0644 include/ringfence/*.h "$target/include/ringfence"
sed "s/@VERSION@/$version/" kmod/dkms.conf >"$target/dkms.conf"
sed "s/@VERSION@/$version/" packaging/dkms/control >"$tree/DEBIAN/control"
for script in postinst prerm; do
	sed "s/@VERSION@/$version/g" "packaging/dkms/$script" >"$tree/DEBIAN/$script"
	chmod 0755 "$tree/DEBIAN/$script"
done
# Not the umask of whoever calls.
find "$tree" -type d -exec chmod 0755 {} +
chmod 0644 "$target/dkms.conf" "$tree/DEBIAN/control"
# The time of the last commit, where there is one to know of.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH
find "$tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
dpkg-deb --root-owner-group --build "$tree" "$O/ringfence-dkms_${version}_all.deb"
