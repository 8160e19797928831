#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Each access to files by itself: denied where a rule denies it, allowed outside
# of the tree and to a workload without the rule. Needs BPF LSM.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/files.sh
. "$(dirname "$0")/files.sh"

[ "$(status_row bpf-lsm support)" = enforced ] || {
	tap_skip "each access to files" "needs BPF LSM"
	tap_done
}
# deny ACCESS...: alone, in the tree.
deny()
{
	deny_all=$(echo "$*" | sed 's/ /, /g')
	{
		label weights "paths: [$data/tree]"
		rules "action: deny, label: weights, access: [$deny_all]" | doc work work
		printf 'telemetry: {events: []}\n' | doc twin twin
	} | put_force base || exit 1
}
# both ACCESS WHAT PATH: denied in the tree, and allowed outside and to who has no rule. % in PATH is the directory.
both()
{
	at=work
	tap_is "$1: $2 in the tree is denied" denied try "$2" "$data/tree${3#%}"
	tap_is "$1: $2 outside is allowed" allowed try "$2" "$data/out${3#%}"
	at=twin
	tap_is "$1: $2 by another workload is allowed" allowed try "$2" "$data/tree${3#%}"
}
deny write
both write write %/f
both write truncate %/f
both write tmpfile %
at=work
tap_is "write: read is allowed" allowed try read "$data/tree/f"
tap_is "what nobody asks for is not attached" false attached files_mount
tap_is "write: times are no content" allowed try utimes "$data/tree/f"
deny exec
both exec exec %/prog
at=work
tap_is "exec: read is allowed" allowed try read "$data/tree/prog"
tap_is "exec: to map it is allowed" allowed try mmap "$data/tree/prog"
printf '#!%s\n' "$data/tree/prog" >"$data/out/script"
chmod +x "$data/out/script"
tap_is "exec: as an interpreter it is denied" denied try exec "$data/out/script"
deny create
both create create %/new
both create mkdir %/newdir
both create fifo %/newfifo
both create symlink %/newlink
at=work
tap_is "create: by rename into the tree is denied" denied try rename "$data/out/new" "$data/tree/a/new"
tap_is "create: by link into the tree is denied" denied try link "$data/out/new" "$data/tree/a/new"
tap_is "create: by a name for a file without one is denied" denied try tmplink "$data/out" "$data/tree/a/new"
tap_is "create: outside that is allowed" allowed try tmplink "$data/out" "$data/out/new2"
tap_is "create: what is there is written" allowed try write "$data/tree/f"
deny delete
at=work
touch "$data/tree/a/x" "$data/out/x"
both delete unlink %/new
both delete rmdir %/newdir
tap_is "delete: what a rename would replace is denied" denied inside work "$probe" rename "$data/out/x" "$data/tree/a/x"
tap_is "delete: outside it is replaced" allowed inside work "$probe" rename "$data/out/x" "$data/out/new2"
deny rename
touch "$data/tree/old" "$data/out/old"
at=work
tap_is "rename: in the tree is denied" denied try rename "$data/tree/old" "$data/tree/fresh"
tap_is "rename: outside is allowed" allowed try rename "$data/out/old" "$data/out/fresh"
tap_is "rename: of the tree itself is denied" denied try rename "$data/tree" "$data/treetree"
at=twin
tap_is "rename: by another workload is allowed" allowed try rename "$data/tree/old" "$data/tree/fresh"
deny link
at=work
tap_is "link: in the tree is denied" denied try link "$data/tree/f" "$data/tree/hard"
tap_is "link: outside is allowed" allowed try link "$data/out/f" "$data/out/hard"
at=twin
tap_is "link: by another workload is allowed" allowed try link "$data/tree/f" "$data/tree/hard"
deny mmap-exec
both mmap-exec mmap %/prog
both mmap-exec mprotect %/prog
tap_is "mmap-exec: of what was open before is denied" denied "$probe" mapped "$data/tree/prog" "$cgroup/work"
tap_is "mmap-exec: of what was open before, outside, is allowed" allowed "$probe" mapped "$data/out/prog" "$cgroup/work"
at=work
tap_is "mmap-exec: what exec maps is exec's" allowed try exec "$data/tree/prog"
mkdir -p "$data/upper" "$data/workdir"
if [ "$(status_row files_mmap_backing wanted)" = true ] || [ "$(status_row files_mmap_backing attached)" = true ]; then
	tap_is "mmap-exec: below an overlay is denied" denied overlay "$data/tree" "$data/upper" "$data/workdir" mmap prog
	tap_is "mmap-exec: below an overlay, outside, is allowed" allowed overlay "$data/out" "$data/upper" "$data/workdir" mmap prog
else
	tap_skip "mmap-exec: below an overlay" "this kernel does not ask"
fi
deny chmod
both chmod chmod %/f
deny chown
both chown chown %/f
deny xattr
both xattr setxattr %/f
both xattr acl %/f
at=work
tap_is "xattr: to remove one in the tree is denied" denied try rmxattr "$data/tree/f"
tap_is "xattr: to remove one outside is allowed" allowed try rmxattr "$data/out/f"
tap_is "xattr: chmod is allowed" allowed try chmod "$data/tree/f"
deny mount
mkdir -p "$data/out/a"
both mount mount %/a
both mount move %/a

drop_force base
tap_done
