#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# From a file to force: what is good comes into force at once, what is not
# changes nothing and is told, and what was a mistake can be taken back.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_cgroup a guard
server - tcp/127.0.0.1/7001 tcp/127.0.0.1/7002
port=19642
daemon_must_start --listen 127.0.0.1:$port

only() # PORT: a policy that allows this port alone
{
	printf 'network:\n  egress:\n    default: deny\n    rules:\n'
	printf '      - {to: [{cidr: 127.0.0.1/32}], ports: [{protocol: TCP, port: %d}]}\n' "$1"
}
reaches() { [ "$(inside a "$net" tcp 127.0.0.1 "$1")" = allowed ]; }
denies() { [ "$(inside a "$net" tcp 127.0.0.1 "$1")" = denied ]; }
# in_force PORT: it alone is allowed.
in_force()
{
	denies $((14003 - $1)) && reaches "$1" && return
	echo "not in force; the log ends with:"
	tail -n 4 "$tmp/log"
	return 1
}
last_error() { status_json | sed -n 's/.*"last_error":\(null\|{.*}\),"features".*/\1/p'; }
no_error() { [ "$(last_error)" = null ]; }
metric() { # NAME-WITH-LABELS: by a request of our own, where there is no curl
	if command -v curl >/dev/null; then
		curl -s "http://127.0.0.1:$port/metrics"
	else
		printf 'GET /metrics HTTP/1.0\r\n\r\n' | busybox nc 127.0.0.1 $port
	fi | grep -F -- "$1" | tail -n 1 | sed 's/.* //'
}

# ---- the directory ----

start=$(date +%s%N)
only 7001 | doc a a | put a
tap_ok "a policy file comes into force" await 5 in_force 7001
ms=$((($(date +%s%N) - start) / 1000000))
tap_ok "within a second of being written" above $((1000 * RF_SLOW)) $ms
only 7002 | doc a a | put a
tap_ok "so does a changed one" await 5 in_force 7002
only 7001 | doc a a >"$tmp/policies/a.yaml"
tap_ok "also when it is written in place" await 5 in_force 7001
tap_is "nothing is told as wrong" null last_error
generation=$(status_value generation)

before=$(applies)
doc a a <<'END' | put a
network:
  egress:
    defualt: deny
END
tap_ok "a broken file is noticed" await 5 applied_more "$before"
tap_ok "the old one stays in force" in_force 7001
tap_is "in its generation" "$generation" status_value generation
tap_ok "status says what is wrong, where, and what was meant" says 'a.yaml:[0-9]+:[0-9]+: error: .*defualt' last_error
tap_ok "the text of status as well" says 'defualt' "$ringfence" status
tap_ok "metrics count the failure" says '^[1-9]' metric 'applies_total{result="failure"}'
only 7002 | doc b a | put b
before=$(applies)
tap_ok "a good file beside a broken one waits" await 5 applied_more $((before - 1))
tap_ok "all or nothing: the old ones stay" in_force 7001
rm "$tmp/policies/b.yaml"
only 7001 | doc a a | put a
tap_ok "mending the file clears the error" await 5 no_error
tap_is "and nothing is told as wrong any more" null last_error
doc c a <<'END' | put c
network:
  egress:
    default: deny
END
doc c guard <<'END' | put c2
network:
  egress:
    default: deny
END
tap_ok "two policies of one name are refused" await 5 says 'c2?.yaml' last_error
tap_ok "and change nothing" in_force 7001
rm "$tmp/policies/c.yaml" "$tmp/policies/c2.yaml"
await 5 no_error
echo "not a policy" >"$tmp/policies/README.txt"
echo "broken: [" >"$tmp/policies/.hidden.yaml"
tap_ok "other files are not policies" in_force 7001
tap_is "nor wrong" null last_error
rm -f "$tmp/policies/.hidden.yaml" "$tmp/policies/README.txt"

mv "$tmp/policies" "$tmp/away"
tap_ok "a removed directory is told" await 5 says 'directory is gone|cannot read policy directory' last_error
tap_ok "and changes nothing" in_force 7001
only 7002 | doc a a >"$tmp/away/a.yaml"
mv "$tmp/away" "$tmp/policies"
tap_ok "when it is back, it is read" await 5 in_force 7002
only 7001 | doc a a | put a
tap_ok "and watched again" await 5 in_force 7001
rm "$tmp/policies/a.yaml"
tap_ok "a removed file ends its policy" await 5 reaches 7002
only 7001 | doc a a | put_force a || exit 1

# ---- commit-confirm ----

mkdir "$tmp/new"
only 7002 | doc a a >"$tmp/new/a.yaml"
tap_ok "apply --confirm says how to keep it" says 'ringfence confirm" within' "$ringfence" apply --confirm 1s "$tmp/new/a.yaml"
tap_ok "it is in force meanwhile" in_force 7002
tap_is "status says that it waits" confirm-pending status_value source
tap_ok "unconfirmed, the former policy comes back" await 10 in_force 7001
tap_ok "the directory was not changed" grep -q 'port: 7001' "$tmp/policies/a.yaml"
tap_is "status says where it came from" directory status_value source
tap_ok "applied again" "$ringfence" apply --confirm 60s "$tmp/new/a.yaml"
tap_ok "another apply is refused meanwhile" sh -c "! '$ringfence' apply '$tmp/new/a.yaml'"
tap_ok "confirm keeps it" "$ringfence" confirm
tap_ok "it is in force" in_force 7002
tap_ok "and in the directory" grep -q 'port: 7002' "$tmp/policies/a.yaml"
tap_ok "nothing waits after that" sh -c "! '$ringfence' confirm"
only 7001 | doc a a >"$tmp/new/a.yaml"
tap_ok "applied once more" "$ringfence" apply --confirm 60s "$tmp/new/a.yaml"
tap_ok "rollback takes an unconfirmed apply back" "$ringfence" rollback
tap_ok "at once" in_force 7002

# ---- rollback ----

tap_ok "apply without --confirm" "$ringfence" apply "$tmp/new/a.yaml"
tap_ok "is in force" in_force 7001
tap_ok "and in the directory" grep -q 'port: 7001' "$tmp/policies/a.yaml"
tap_ok "rollback" "$ringfence" rollback
tap_ok "puts the policies before in force" in_force 7002
tap_is "status says so" rollback status_value source
"$ringfence" reload >/dev/null 2>&1
tap_ok "the directory, unchanged, is held back" in_force 7002
daemon_end TERM
daemon_must_start --listen 127.0.0.1:$port
tap_ok "after a restart as well" in_force 7002
tap_is "and status still says so" rollback status_value source
{ only 7001 | doc a a; echo "# changed"; } | put a
tap_ok "a change of the directory ends the hold" await 5 in_force 7001
tap_is "and status says so" directory status_value source

# A broken directory at start: the last good policy.
daemon_end TERM
echo "broken: [" >"$tmp/policies/a.yaml"
daemon_must_start --listen 127.0.0.1:$port
tap_ok "a daemon that starts on a broken directory keeps the last good policy" in_force 7001
tap_ok "and says what is wrong" says 'a.yaml' last_error
only 7001 | doc a a | put_force a

# ---- plans that are refused ----

cp "$(command -v sleep)" "$tmp/sshd"
enter guard "$tmp/sshd" $((110 * RF_SLOW)) &
sshd=$!
helpers="$helpers $sshd"
await 5 grep -q "^sshd$" "/proc/$sshd/comm"
only 7001 | doc guard guard >"$tmp/new/guard.yaml"
tap_ok "a policy that covers sshd is refused" says "enforced on sshd \(pid $sshd, cgroup $root/guard\)" \
	"$ringfence" apply "$tmp/new/guard.yaml"
tap_is "nothing of it is in force" allowed inside guard "$net" tcp 127.0.0.1 7002
sed 's/^spec:/spec:\n  mode: audit/' "$tmp/new/guard.yaml" >"$tmp/new/guard-audit.yaml"
tap_ok "in mode audit it is not" "$ringfence" apply "$tmp/new/guard-audit.yaml"
tap_is "which denies nothing" allowed inside guard "$net" tcp 127.0.0.1 7002
rm "$tmp/policies/guard-audit.yaml"
await 5 sh -c "! '$ringfence' workloads | grep -q guard"
tap_ok "with --force it is applied" "$ringfence" apply --force "$tmp/new/guard.yaml"
tap_is "and enforced" denied inside guard "$net" tcp 127.0.0.1 7002
drop_force guard

unsupported='resources: {pids: 1}'
{ only 7001; echo "$unsupported"; } | doc gpus guard >"$tmp/new/gpus.yaml"
tap_ok "a section that this host cannot enforce is refused by name" says 'resources.*not available on this host' \
	"$ringfence" apply "$tmp/new/gpus.yaml"
tap_is "nothing of that policy is in force" allowed inside guard "$net" tcp 127.0.0.1 7002
tap_ok "the others still are" in_force 7001
sed 's/^spec:/spec:\n  ifUnsupported: audit/' "$tmp/new/gpus.yaml" >"$tmp/new/gpus2.yaml"
tap_ok "with ifUnsupported: audit it loads" "$ringfence" apply "$tmp/new/gpus2.yaml"
tap_is "and only reports" allowed inside guard "$net" tcp 127.0.0.1 7002
tap_ok "what it would deny" says 'would-deny default/default/guard' "$ringfence" events --verdict would-deny

make_cgroup idle
doc idle idle <<'END' >"$tmp/new/idle.yaml"
accelerators:
  rules:
    - {name: "elsewhere", class: drm, pci: "ffff:1f:00.7"}
END
line='idle.yaml:11:9: warning: rule "elsewhere" of policy idle matches no accelerator of this host \(class drm, pci ffff:1f:00.7\)'
tap_ok "a rule of accelerators that matches none of this host is warned of" says "$line" \
	"$ringfence" apply "$tmp/new/idle.yaml"
tap_ok "and is in force" says "default/default/idle" "$ringfence" policy list
tap_ok "a comparison warns of it as well" says "$line" "$ringfence" policy diff "$tmp/policies" "$tmp/new/idle.yaml"
tap_ok "the daemon's log has it" grep -qE "$line" "$tmp/log"
tap_done
