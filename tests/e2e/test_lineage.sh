#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lineage: every way to read and write is counted to the byte, whoever
# reads and writes is told, both ways and over several steps, and none of it is
# lost when the daemon dies. Needs a kernel whose functions can be traced.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/files.sh
. "$(dirname "$0")/files.sh"
probe=$build/tests/e2e/lineage_probe
make_cgroup load train serve apart gone

raw=$data/raw corpus=$data/corpus model=$data/model out=$data/out
mkdir -p "$raw/a/b" "$corpus" "$model" "$out"
head -c 70001 /dev/zero >"$raw/a/b/f"
head -c 1000 /dev/zero >"$out/plain"

labels()
{
	label raw "kind: dataset, paths: [$raw]"
	label corpus "kind: dataset, paths: [$corpus]"
	label net "kind: model, access: policy, paths: [$model]" red
}
policies()
{
	for one in work load train serve apart "$@"; do doc "$one" "$one" <"$tmp/none"; done
}
echo 'telemetry: {events: []}' >"$tmp/none"

lineage() { "$ringfence" lineage "$@"; }
# ask SUBJECT: what the next claims are about.
ask() { lineage "$1" --json >"$tmp/answer"; }
# value KEY SIDE WORKLOAD ACCESS NAME: of one edge; 0 where there is none. NAME is a label or a path.
value()
{
	awk -v key="\"$1\":" -v side="\"side\":\"$2\"" -v who="\"workload\":\"default/default/$3\"" \
		-v how="\"access\":\"$4\"" -v name="\"$5\"" '
		{
			sub(/,"ok":true.*/, "")
			n = split($0, edges, "{\"edge\"")
			for (i = 2; i <= n; i++) {
				e = edges[i]
				if (!index(e, side) || !index(e, who) || !index(e, how) || !index(e, name))
					continue
				rest = substr(e, index(e, key) + length(key))
				sub(/[^0-9].*/, "", rest)
				found = rest
			}
		}
		END { print found + 0 }' "$tmp/answer"
}
# As above without KEY.
has() { [ "$(value depth "$@")" -gt 0 ]; }
lacks() { ! has "$@"; }
# now KEY SUBJECT ARGUMENT...: asked for it alone.
now()
{
	now_key=$1
	ask "$2"
	shift 2
	value "$now_key" "$@"
}

# ---- without it ----

{ labels; policies; } | put_force base || exit 1
if [ "$(status_row lineage support)" != enforced ]; then
	tap_is "where functions cannot be traced status says so" unavailable status_row lineage support
	tap_ok "and why" says 'lineage +unavailable.*functions cannot be traced' "$ringfence" status
	tap_ok "what is asked of it says so, too" says 'nothing new is recorded on this host: .*traced' "$ringfence" \
		lineage
	tap_ok "who asks for what there is not is told" says \
		'there is no label and no workload "nobody" in the lineage \(ringfence lineage lists' \
		"$ringfence" lineage nobody
	tap_skip "lineage" "this kernel's functions cannot be traced"
	tap_done
fi
tap_is "attached while there is a label" true attached lineage_io
policies | put_force base || exit 1
tap_is "and not while there is none" false attached lineage_io
{ labels; policies; } | put_force base || exit 1

# ---- every way to read ----

# moves KEY SUBJECT ACCESS NAME WAY ARGUMENT...: by "work"; what the edge has grown by is what the kernel moved.
moves()
{
	moves_key=$1
	moves_subject=$2
	moves_access=$3
	moves_name=$4
	shift 4
	moves_side=downstream
	[ "$moves_access" = read ] || moves_side=upstream
	# What it was after the last one; nobody else touches it.
	moves_last=$tmp/last.$moves_key.$moves_name
	moves_before=$(cat "$moves_last" 2>/dev/null || echo 0)
	moves_real=$(inside work "$probe" "$@")
	[ "$moves_real" != cannot ] || { echo cannot; return; }
	moves_after=$(now "$moves_key" "$moves_subject" $moves_side work "$moves_access" "$moves_name")
	echo "$moves_after" >"$moves_last"
	[ "$((moves_after - moves_before))" = "$moves_real" ] && [ "$moves_real" -gt 0 ] && echo exact ||
		echo "$((moves_after - moves_before)) of $moves_real"
}
cp "$raw/a/b/f" "$tmp/f"
for way in read pread readv splice aio uring; do
	tap_is "$way: to the byte" exact moves bytes raw read raw $way "$raw/a/b/f"
done
tap_is "mmap: what was mapped" exact moves mapped_bytes raw read raw mmap "$raw/a/b/f"
for way in sendfile copy; do
	tap_is "$way: what was read" exact moves bytes raw read raw $way "$raw/a/b/f" "$out/copied"
	tap_is "$way: what was written" exact moves bytes net write net $way "$out/plain" "$model/$way"
done
result=$(moves bytes raw read raw clone "$raw/a/b/f" "$out/cloned")
if [ "$result" = cannot ]; then
	tap_skip "clone" "this file system shares no blocks"
else
	tap_is "clone: to the byte" exact echo "$result"
fi
for way in write append pwrite; do
	tap_is "$way: to the byte" exact moves bytes net write net $way "$model/w"
done
tap_is "mapped to be written" exact moves mapped_bytes net write net mapwrite "$model/m"
tap_is "renamed into it" exact moves renames net write net rename "$out/copied" "$model/renamed"
tap_is "linked into it" exact moves renames net write net link "$out/plain" "$model/linked"
mkdir "$out/bind"
mount --bind "$raw" "$out/bind"
tap_is "through a bind mount it is the same tree" exact moves bytes raw read raw read "$out/bind/a/b/f"
umount "$out/bind"
tap_ok "the program is named, with pid and uid" says '"name":"lineage_probe","pid":[1-9][0-9]*,"uid":0' lineage raw --json
tap_ok "the files written are" says "\"$model/sendfile\"" lineage net --json

# ---- who ----

inside apart "$probe" write "$out/apart" >/dev/null
ask default/default/apart
tap_ok "who read nothing of a label writes unseen" lacks downstream apart write "$out/apart"
edges_before=$(lineage raw --json | grep -o '"edges":[0-9]*')
"$probe" read "$raw/a/b/f" >/dev/null
tap_is "what is not managed is not followed" "$edges_before" sh -c "'$ringfence' lineage raw --json | grep -o '\"edges\":[0-9]*'"

# raw -> load -> corpus -> train -> net -> serve -> a file
inside load "$probe" read "$raw/a/b/f" >/dev/null
inside load "$probe" write "$corpus/one" >/dev/null
inside train "$probe" write "$out/before" >/dev/null
inside train "$probe" read "$corpus/one" >/dev/null
inside train "$probe" write "$model/weights" >/dev/null
inside serve "$probe" mmap "$model/weights" >/dev/null
inside serve "$probe" write "$out/answers" >/dev/null
ask raw
tap_ok "a data set tells who read it" has downstream load read raw
tap_ok "and what came of it: what they wrote" has downstream load write corpus
tap_ok "who read that" has downstream train read corpus
tap_ok "the model" has downstream train write net
tap_ok "who uses that" has downstream serve read net
tap_ok "and the last file" has downstream serve write "$out/answers"
tap_ok "what was written before anything was read is no part of it" lacks downstream train write "$out/before"
ask corpus
tap_is "depth counts the steps" 4 value depth downstream serve write "$out/answers"
ask net
tap_ok "a model tells what it was made of" has upstream load read raw
tap_ok "a workload tells both" sh -c "'$ringfence' lineage default/default/train --json | grep -q '\"upstream\".*\"downstream\"'"
tap_ok "who had nothing to do with it is not told" lacks upstream apart read raw

tap_ok "as text: the steps" says '^ +wrote model net$' lineage raw
tap_ok "as text: sizes, times, processes" says \
	'[0-9.]+ KiB read; 20[0-9]{2}-[0-9-]+ [0-9:]+.*lineage_probe \(pid [0-9]+, uid 0\)' lineage corpus
tap_ok "as DOT" says '^  "dataset:raw" -> "workload:default/default/load" \[label="[0-9.]+ KiB read"\];$' \
	lineage raw --output dot
if command -v dot >/dev/null; then
	tap_ok "which Graphviz reads" sh -c "'$ringfence' lineage raw -o dot | dot -Tsvg >/dev/null"
else
	tap_skip "which Graphviz reads" "it is not installed"
fi
tap_ok "without a name: what there is" says '^model +net +red$' lineage
tap_ok "workloads, too" says '^workload +default/default/train' lineage
tap_ok "who asks for what there is not is told" says 'there is no label and no workload "nobody" in the lineage' \
	lineage nobody

# ---- a reload, an end, a death ----

touched=$(now bytes raw downstream load read raw)
{ label a "paths: [$data/out]"; labels; policies; } | put_force base
tap_is "a reload that numbers the trees anew changes nothing" "$touched" now bytes raw downstream load read raw
inside load "$probe" read "$raw/a/b/f" >/dev/null
tap_is "what comes after it is added" $((touched + 70001)) now bytes raw downstream load read raw
daemon_end TERM
inside load "$probe" read "$raw/a/b/f" >/dev/null
daemon_must_start
tap_is "what was done without a daemon is told by the next" $((touched + 140002)) now bytes raw downstream load read raw
inside load "$probe" read "$raw/a/b/f" >/dev/null
daemon_end KILL
inside load "$probe" read "$raw/a/b/f" >/dev/null
daemon_must_start
tap_is "and what one that was killed had not taken" $((touched + 280004)) now bytes raw downstream load read raw

{ labels; policies gone; } | put_force base || exit 1
inside gone "$probe" read "$raw/a/b/f" >/dev/null
rmdir "$cgroup/gone"
ask raw
tap_ok "what a workload did that is gone stays" has downstream gone read raw

# ---- more than there is room for ----

inside load "$probe" many "$model" 3000 >/dev/null
tap_ok "files that there is no room for are counted" above "$(counter load lineage_merged)" 1
tap_is "their bytes are not lost" 3000 now bytes net upstream load write net
tap_ok "nor are those of others" has upstream train write net
tap_is "nothing went unseen" 0 status_row lineage_full count

# ---- a file that cannot be used ----

daemon_end TERM
printf 'no database at all, but long enough for one to be looked for' >"$tmp/state/lineage.db"
daemon_must_start
tap_ok "a broken file: who asks is told what to do" says 'lineage.db: it is broken; remove it, and the lineage begins anew' \
	lineage raw
inside load "$probe" read "$raw/a/b/f" >/dev/null
rm "$tmp/state/lineage.db"
tap_is "when it is gone, what was done in between is there" 70001 now bytes raw downstream load read raw
tap_done
