#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The command line without a daemon: what it checks and explains by itself, and
# what it says when it is used wrongly or nobody answers. Needs no root.
# shellcheck disable=SC2317 # tap_ok calls the functions
set -u

src=${RF_SRC:-$(cd "$(dirname "$0")/../.." && pwd)}
ringfence=${RF_BUILD:-${O:-$src/build}}/ringfence
# shellcheck source=tests/vm/tap.sh
. "$src/tests/vm/tap.sh"

if [ ! -x "$ringfence" ]; then
	echo "Bail out! $ringfence is not built"
	exit 1
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
unset RINGFENCE_SOCKET NO_COLOR

mkdir "$dir/good" "$dir/bad" "$dir/empty"
cat >"$dir/good/web.yaml" <<'END'
apiVersion: ringfence/v1
kind: WorkloadPolicy
metadata:
  name: web
spec:
  select:
    - systemd: web.service
  mode: enforce
  network:
    egress:
      default: deny
      rules:
        - name: dns
          action: allow
          to:
            - cidr: 192.0.2.0/24
          ports:
            - protocol: udp
              port: 53
END
sed 's/name: web/name: other/' "$dir/good/web.yaml" >"$dir/good/other.yml"
echo 'not a policy' >"$dir/good/README"
sed 's/protocol: udp/prot: udp/' "$dir/good/web.yaml" >"$dir/bad/web.yaml"
sed 's/default: deny/default: maybe/' "$dir/good/other.yml" >"$dir/bad/other.yaml"

# status N COMMAND...: it exits N; says TEXT N COMMAND...: and says TEXT; one_line: and nothing else, on stderr.
status() {
	local expected=$1 got
	shift
	"$@" >"$dir/out" 2>"$dir/err"
	got=$?
	[ "$got" = "$expected" ] && return
	echo "exit $got, expected $expected"
	cat "$dir/out" "$dir/err"
	return 1
}
says() {
	local text=$1
	shift
	status "$@" || return
	grep -qF -e "$text" "$dir/out" "$dir/err" && return
	echo "does not say: $text"
	cat "$dir/out" "$dir/err"
	return 1
}
one_line() {
	says "$@" && [ ! -s "$dir/out" ] && [ "$(wc -l <"$dir/err")" = 1 ] && grep -q '^ringfence: ' "$dir/err"
}

tap_ok "a good file passes" says "1 policy in 1 file: no errors" 0 "$ringfence" policy check "$dir/good/web.yaml"
tap_ok "a directory stands for its .yaml and .yml files" \
	says "2 policies in 2 files: no errors" 0 "$ringfence" policy check "$dir/good/"
tap_ok "an empty directory holds no error" says "0 policies in 0 files" 0 "$ringfence" policy check "$dir/empty"
tap_ok "a bad file fails with its place" says "$dir/bad/web.yaml:18:" 1 "$ringfence" policy check "$dir/bad/web.yaml"
tap_ok "every bad file of a directory is named" says "$dir/bad/other.yaml:11:" 1 "$ringfence" policy check "$dir/bad"
tap_ok "a bad file does not hide another" grep -q "$dir/bad/web.yaml:18:" "$dir/err"
tap_ok "diagnostics to a file have no colour" sh -c "! grep -q '$(printf '\033')' '$dir/err'"
tap_ok "--json of a good file says so" \
	says '"ok":true,"files":1,"policies":1,"errors":0,"warnings":0' 0 "$ringfence" policy check --json "$dir/good/web.yaml"
tap_ok "--json of a bad file holds its diagnostics" says '"ok":false' 1 "$ringfence" policy check --json "$dir/bad"
tap_ok "--json of a bad file is all there is" test ! -s "$dir/err"
tap_ok "the same policy twice is an error" status 1 "$ringfence" policy check "$dir/good/web.yaml" "$dir/good/web.yaml"
tap_ok "a missing file is an error" one_line "cannot read $dir/none.yaml: No such file" 1 \
	"$ringfence" policy check "$dir/none.yaml"
tap_ok "a missing file does not hide a bad one" says "web.yaml:18:" 1 \
	"$ringfence" policy check "$dir/none.yaml" "$dir/bad/web.yaml"
tap_ok "a device is no policy file" status 1 timeout 10 "$ringfence" policy check /dev/zero

tap_ok "a field is explained" says "egress" 0 "$ringfence" policy explain spec.network.egress
tap_ok "the whole document is explained" says "spec" 0 "$ringfence" policy explain
tap_ok "a misspelt field is answered with what is near" says 'did you mean "egress"?' 1 \
	"$ringfence" policy explain spec.network.egres
tap_ok "the reference is markdown" says "# " 0 "$ringfence" policy reference

tap_ok "no daemon is one line with the remedy" one_line "systemctl start ringfenced" 1 \
	"$ringfence" status --socket "$dir/none.sock"
tap_ok "no daemon names the socket that was tried" grep -qF "$dir/none.sock" "$dir/err"
tap_ok "the socket may come from the environment" one_line "$dir/env.sock" 1 \
	env RINGFENCE_SOCKET="$dir/env.sock" "$ringfence" workloads
tap_ok "--socket goes before the environment" one_line "$dir/none.sock" 1 \
	env RINGFENCE_SOCKET="$dir/env.sock" "$ringfence" --socket "$dir/none.sock" top --batch
tap_ok "a path too long for a socket is said to be" one_line "too long" 1 \
	"$ringfence" reload --socket "/$(printf '%0120d' 0)"
tap_ok "apply of a missing file needs no daemon to fail" one_line "cannot read" 1 "$ringfence" apply "$dir/none.yaml"

tap_ok "no command is a wrong use" one_line "ringfence help" 2 "$ringfence"
tap_ok "an unknown command is answered with what is near" one_line 'did you mean "status"?' 2 "$ringfence" stauts
tap_ok "so is one of policy" one_line 'did you mean "policy check"?' 2 "$ringfence" policy chekc
tap_ok "an unknown option is answered with what is near" one_line 'did you mean "--json"?' 2 "$ringfence" status --jsn
tap_ok "what a terminal would obey is escaped" one_line '\x1b[2J' 2 "$ringfence" "$(printf '\033[2J')"
tap_ok "an unexpected argument is a wrong use" one_line 'unexpected argument "x"' 2 "$ringfence" confirm x
tap_ok "a missing argument is a wrong use" one_line 'PATH... is missing' 2 "$ringfence" policy check
tap_ok "a time without a unit is a wrong use" one_line '--confirm takes a time' 2 "$ringfence" apply --confirm 60 /
tap_ok "a time beyond the limit is a wrong use" one_line '--confirm takes a time' 2 \
	"$ringfence" apply --confirm 86401s /
tap_ok "policy test wants --to or --from" one_line 'either --to or --from' 2 "$ringfence" policy test --workload a
tap_ok "policy test wants an address" one_line 'no IPv4 or IPv6 address' 2 \
	"$ringfence" policy test --workload a --to example.org:443

# shellcheck disable=SC2016 # expanded by the inner shell
help_of_all='for c in status workloads top events apply confirm rollback reload detach version help policy \
	"policy check" "policy explain" "policy reference" "policy list" "policy show" "policy test"; do
	"$0" $c --help >"$1" && grep -q "^usage: ringfence $c" "$1" && "$0" help $c | cmp -s - "$1" || { echo "$c"; exit 1; }
done'
tap_ok "every command has its help, by option and by word" sh -c "$help_of_all" "$ringfence" "$dir/help"
tap_ok "the version is printed" says "ringfence $(cat "$src/VERSION")" 0 "$ringfence" version
tap_ok "so it is by option" says "ringfence $(cat "$src/VERSION")" 0 "$ringfence" --version
tap_ok "a full device is an error" sh -c "! '$ringfence' help >/dev/full"
tap_ok "a reader that leaves is no error to speak of" \
	sh -c "'$ringfence' policy reference 2>'$dir/err' | head -n 1 >/dev/null; test ! -s '$dir/err'"
tap_done
