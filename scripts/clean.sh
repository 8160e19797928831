#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# clean.sh DIR: removes a build directory, which is one that holds our
# config.mk or flags; O=/ or O=$HOME is not.
set -eu
cd "$(dirname "$0")/.."
dir=${1:?usage: clean.sh DIR}
if ! [ -e "$dir" ]; then
	exit 0
fi
case $(cd "$dir" && pwd) in
/ | "$PWD" | "$HOME")
	echo "clean: $dir is not a build directory" >&2
	exit 1
	;;
"$PWD/build") ;;
*)
	if ! [ -e "$dir/config.mk" ] && ! [ -e "$dir/flags" ]; then
		echo "clean: $dir holds neither config.mk nor flags, so it is not a build directory" >&2
		exit 1
	fi
	;;
esac
rm -rf "$dir"
