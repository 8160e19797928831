#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Device nodes: who may open and make which.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup path number order wild audit none
daemon_must_start
# open HOW PATH, mknod TYPE MAJOR MINOR: outcome from inside $at.
open() { inside "$at" "$work" open "$1" "$2"; }
nodes=0
mknod()
{
	nodes=$((nodes + 1))
	inside "$at" "$work" mknod "$1" "$2" "$3" "$tmp/node$$.$nodes"
	rm -f "$tmp/node$$.$nodes"
}
# Only a char device with these numbers, somewhere else: a path is not what is judged.
command mknod "$tmp/zero" c 1 5 && command mknod "$tmp/null" c 1 3 || {
	echo "Bail out! cannot make device nodes in $tmp"
	exit 1
}
# A node in a file system without devices could not be opened by anybody.
claim="nodes of our own can be opened"
own=yes
(: <"$tmp/zero") 2>/dev/null || own=

{
	doc path path <<'END'
devices:
  default: deny
  rules:
    - {name: "null", path: /dev/null}
    - {name: "read zero", path: /dev/zero, access: r}
    - {name: "write full", path: /dev/full, access: w}
END
	doc number number <<'END'
devices:
  default: deny
  rules:
    - {type: char, major: 1, minor: 3, access: rwm}
    - {type: char, major: 1, minor: 5, access: rw}
END
	doc order order <<'END'
devices:
  default: deny
  rules:
    - {name: "no writing", action: deny, type: char, major: 1, minor: 3, access: w}
    - {name: "memory", type: char, major: 1}
    - {name: "too late", action: deny, type: char, major: 1, minor: 5}
END
	doc wild wild <<'END'
devices:
  default: allow
  rules:
    - {name: "not these", action: deny, type: char, major: 1}
    - {name: "no blocks", action: deny, type: block, major: "*"}
END
	doc audit audit <<'END'
mode: audit
devices:
  default: deny
END
} | put_force base || exit 1

at=path
tap_is "by path: what a rule allows can be opened" allowed open rw /dev/null
tap_is "by path: reading where reading is allowed" allowed open r /dev/zero
tap_is "by path: not writing there" denied open w /dev/zero
tap_is "by path: nor both" denied open rw /dev/zero
tap_is "by path: writing where writing is allowed" allowed open w /dev/full
tap_is "by path: not reading there" denied open r /dev/full
tap_is "by path: what no rule names is denied" denied open r /dev/random
tap_is "by path: nodes can be made where mknod is allowed" allowed mknod c 1 3
tap_is "by path: and not elsewhere" denied mknod c 1 5
if [ -n "$own" ]; then
	tap_is "the numbers are judged, not the name: allowed" allowed open rw "$tmp/null"
	tap_is "the numbers are judged, not the name: denied" denied open w "$tmp/zero"
else
	tap_skip "$claim" "$tmp is mounted without devices"
fi

at=number
tap_is "by number: what a rule allows can be opened" allowed open rw /dev/null
tap_is "by number: and made" allowed mknod c 1 3
tap_is "by number: access without m is no mknod" denied mknod c 1 5
tap_is "by number: but to open" allowed open rw /dev/zero
tap_is "by number: another minor is denied" denied open r /dev/full
tap_is "by number: another type is denied" denied mknod b 1 3

at=order
tap_is "in order: an earlier deny wins" denied open w /dev/null
tap_is "in order: what it does not speak of goes on to the next" allowed open r /dev/null
tap_is "in order: an earlier allow wins" allowed open rw /dev/zero
tap_is "in order: any minor" allowed open r /dev/random
tap_is "in order: another major falls to the default" denied mknod c 5 0

at=wild
tap_is "wildcards: any minor is denied" denied open r /dev/zero
tap_is "wildcards: another major is not" allowed mknod c 5 0
tap_is "wildcards: any block device is denied" denied mknod b 7 0
tap_is "wildcards: the same numbers as a char device are not" allowed mknod c 7 0

at=audit
tap_is "audit: what would be denied can be opened" allowed open rw /dev/zero
tap_is "audit: and made" allowed mknod c 1 5
tap_ok "audit: it is counted" above "$(counter audit device_would)" 1
tap_is "audit: not as denied" 0 counter audit device_deny
tap_ok "audit: it is reported" says 'device-deny would-deny default/default/audit work_probe.* char 1:5' \
	"$ringfence" events --kind device-deny

at=none
tap_is "an unmanaged cgroup opens what it likes" allowed open rw /dev/zero
tap_is "and makes what it likes" allowed mknod b 7 0

line='device-deny deny default/default/path work_probe.* char 1:8 r policy default/default/path rule "default" .*base.yaml'
tap_ok "a denial names its rule" says "$line" "$ringfence" events --kind device-deny --verdict deny --workload '*/path'
before=$(counter path device_deny)
at=path
for _ in 1 2 3 4 5; do
	open r /dev/random >/dev/null
done
tap_is "denials are counted exactly" $((before + 5)) counter path device_deny
tap_done
