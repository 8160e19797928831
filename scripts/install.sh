#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install.sh install|uninstall, below DESTDIR/PREFIX, from $O. Called by make.
# Policies in /etc and state in /var are an admin's: they are neither
# overwritten nor removed.
set -eu
cd "$(dirname "$0")/.."
: "${O:=build}" "${DESTDIR:=}" "${PREFIX:=/usr/local}" "${SYSTEMD_VERSION:=252}"
root=$DESTDIR$PREFIX
units=$root/lib/systemd/system
policies=$DESTDIR/etc/ringfence/policies.d

pages() {
	for section in 1 5 8; do
		for page in Documentation/man/*."$section"; do
			[ -e "$page" ] && echo "$page"
		done
	done
}

case ${1:-} in
install)
	for program in "$O/ringfenced" "$O/ringfence" "$O/ringfence-gpu"; do
		if ! [ -x "$program" ]; then
			echo "install: $program has not been built" >&2
			exit 1
		fi
	done
	install -D -m 0755 "$O/ringfenced" "$root/sbin/ringfenced"
	install -D -m 0755 "$O/ringfence" "$root/bin/ringfence"
	install -D -m 0755 "$O/ringfence-gpu" "$root/libexec/ringfence/ringfence-gpu"
	mkdir -p "$units"
	sed "s|/usr/sbin/ringfenced|$PREFIX/sbin/ringfenced|" packaging/systemd/ringfenced.service >"$units/ringfenced.service"
	if [ "${SYSTEMD_VERSION%%.*}" -lt 253 ]; then
		# shellcheck disable=SC2016 # $MAINPID is systemd's
		sed -i -e 's|^Type=notify-reload|Type=notify|' -e '/^# notify-reload came/d' \
			-e 's|^ExecStart=.*|&\nExecReload=/bin/kill -HUP $MAINPID|' "$units/ringfenced.service"
	fi
	chmod 0644 "$units/ringfenced.service"
	install -d -m 0755 "$DESTDIR/etc/ringfence" "$policies"
	for page in $(pages); do
		install -D -m 0644 "$page" "$root/share/man/man${page##*.}/${page##*/}"
	done
	if [ -e packaging/bash-completion/ringfence ]; then
		install -D -m 0644 packaging/bash-completion/ringfence "$root/share/bash-completion/completions/ringfence"
	fi
	# On the machine itself, not in a package's build root.
	if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ] && [ "$(id -u)" -eq 0 ]; then
		systemctl daemon-reload
	fi
	echo "Installed below $root; policies go to $policies; start with: systemctl enable --now ringfenced"
	;;
uninstall)
	rm -f "$root/sbin/ringfenced" "$root/bin/ringfence" "$root/libexec/ringfence/ringfence-gpu" "$units/ringfenced.service" \
		"$root/share/bash-completion/completions/ringfence"
	for page in $(pages); do
		rm -f "$root/share/man/man${page##*.}/${page##*/}"
	done
	rmdir --ignore-fail-on-non-empty "$root/libexec/ringfence" "$policies" "$DESTDIR/etc/ringfence" 2>/dev/null || true
	if [ -z "$DESTDIR" ] && [ -d /run/systemd/system ] && [ "$(id -u)" -eq 0 ]; then
		systemctl daemon-reload
	fi
	echo "Uninstalled; /etc/ringfence, /var/lib/ringfence and the pinned policy (ringfence detach) stay."
	;;
*)
	echo "usage: install.sh install|uninstall" >&2
	exit 2
	;;
esac
