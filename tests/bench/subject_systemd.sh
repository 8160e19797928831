#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# systemd's own address filter: an allow list of four prefixes, the rest denied.
case $1 in
properties)
	for prefix in 127.0.0.0/8 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16; do
		echo "IPAddressAllow=$prefix"
	done
	echo IPAddressDeny=any
	;;
esac
