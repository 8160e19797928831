#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Build inside a guest root, so that what a guest runs is linked to what it
# has. Usage: scripts/vm/build.sh ROOT SOURCE OUTPUT COMMAND...
#
# The command runs in the root with the source at /mnt/src (read-only), the
# output at /mnt/build, and a /proc (objtool of 7.x needs it). All mounts are
# in a namespace of their own and go with it; the root itself is not written.
set -euo pipefail

if [ "${RF_BUILD_STAGE:-}" != inside ]; then
	RF_BUILD_STAGE=inside exec unshare --mount --propagation private "$0" "$@"
fi
unset RF_BUILD_STAGE

root=$1 source=$2 output=$3
shift 3
mkdir -p "$output"
view=$(mktemp -d)
mount --bind "$root" "$view"
mount -t tmpfs tmpfs "$view/mnt"
mkdir "$view/mnt/src" "$view/mnt/build"
mount --bind "$source" "$view/mnt/src"
mount -o remount,bind,ro "$view/mnt/src"
mount --bind "$output" "$view/mnt/build"
mount -o remount,bind,ro "$view"
mount -t proc proc "$view/proc"
mount -t tmpfs tmpfs "$view/tmp"
mount --bind /dev "$view/dev"

# A clean environment: the host's compilers and flags are not the root's.
status=0
chroot "$view" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp \
	LANG=C.UTF-8 "$@" || status=$?
umount -R "$view"
rmdir "$view"
exit "$status"
