# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the demo makes on this machine, and how it goes away again: a directory
# $D, a cgroup $C, the daemon, the web server. All of it is found again from $D
# alone, so that any end of the demo removes all of it. Sourced.
#
# shellcheck disable=SC2154,SC2034 # demo.sh has $build; steps.sh reads the rest

D=
C=
name=
slice=
port=
metrics_port=
daemon=
our_ids=
links_before=

die() {
	echo "demo: $*" >&2
	exit 1
}

# The programs that the workloads are made of; a guest has them already.
machine_require() {
	local program

	[ -x "$build/ringfenced" ] && [ -x "$build/ringfence" ] || die "$build/ringfenced is not there: run make first"
	for program in nginx curl bpftool; do
		command -v "$program" >/dev/null || { scripts/deps.sh demo; break; }
	done
	for program in nginx curl bpftool; do
		command -v "$program" >/dev/null || die "$program is missing"
	done
}

# Of several, the one that programs attach to: alone, or beside v1.
cgroup2_mount() {
	awk '$3 == "cgroup2" { rank = $2 == "/sys/fs/cgroup" ? 3 : $2 == "/sys/fs/cgroup/unified" ? 2 : 1
		if (rank > best) { best = rank; point = $2 } } END { print point }' /proc/mounts
}

# A port of FIRST..LAST where nobody listens.
free_port() {
	local candidate
	for ((candidate = $1; candidate <= $2; candidate++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$candidate") 2>/dev/null || { echo "$candidate"; return; }
	done
	return 1
}

state_write() { printf '%s\n' "C=$C" "slice=$slice" "daemon=$daemon" >"$D/state"; }

demo_make() {
	local mount

	# What the user's shell has for curl is not ours.
	unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY all_proxy ALL_PROXY RINGFENCE_SOCKET
	D=$(mktemp -d "${TMPDIR:-/tmp}/ringfence-demo.XXXXXX") || die "cannot make a temporary directory"
	export CURL_HOME=$D RINGFENCE_SOCKET=$D/control.sock
	mount=$(cgroup2_mount)
	if [ -z "$mount" ]; then
		mount=$D/cgroup
		mkdir "$mount" && mount -t cgroup2 none "$mount" || die "this kernel has no cgroup v2"
	fi
	name=ringfence_demo_$$
	C=$mount/$name
	# Where systemd runs the host the cgroup is a slice, so that units can be put there.
	if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
		slice=$name.slice
		C=$mount/$slice
	fi
	state_write
	if [ -n "$slice" ]; then
		systemctl start "$slice" && within 5 test -d "$C" || die "systemd did not make the slice $slice"
	else
		mkdir "$C" || die "cannot make the cgroup $C (in a container, give it a writable cgroup v2)"
	fi
	# For `top`; where these controllers belong to v1, it shows "-".
	for controller in cpu memory pids; do
		{ echo "+$controller" >"$C/cgroup.subtree_control"; } 2>/dev/null
	done
	mkdir "$C/web" "$C/acme" "$C/umbra" "$C/ops" "$C/stranger" || die "cannot make cgroups below $C"
	mkdir "$D/policies"
	printf '%s\n' silent show-error connect-timeout=2 max-time=5 >"$D/.curlrc"
	links_before=$(count_of link)
	port=$(free_port 18080 18099) && metrics_port=$(free_port 19642 19699) || die "no free port on 127.0.0.1"
}

# inside WORKLOAD COMMAND...: runs it in the workload's cgroup, not longer than 20 s.
inside() {
	# shellcheck disable=SC2016 # for the inner shell
	timeout -k 1 20 sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$C/$1" "${@:2}"
}

daemon_start() {
	# A session of its own: ctrl-C is for the demo, which then ends it in order.
	setsid ringfenced --policy-dir "$D/policies" --state-dir "$D/state.d" --socket "$RINGFENCE_SOCKET" \
		--bpffs "$D/bpf" --cgroup-root "$C" --listen "127.0.0.1:$metrics_port" >>"$D/log" 2>&1 </dev/null {screen}>&- &
	daemon=$!
	disown
	state_write
	within 60 daemon_settled && daemon_answers
}

daemon_answers() { ringfence status >/dev/null 2>&1; }
daemon_settled() { daemon_answers || ! kill -0 "$daemon" 2>/dev/null; }
daemon_gone() { ! kill -0 "$daemon" 2>/dev/null; }

nginx_start() {
	local ipv6=
	! ip6_works || ipv6="listen [::1]:$port;"
	cat >"$D/nginx.conf" <<-END
		daemon off;
		worker_processes 1;
		user nobody nogroup;
		pid $D/nginx.pid;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path $D/nginx.1; proxy_temp_path $D/nginx.2; fastcgi_temp_path $D/nginx.3;
			uwsgi_temp_path $D/nginx.4; scgi_temp_path $D/nginx.5;
			default_type text/plain;
			server { listen 127.0.0.1:$port; $ipv6 location / { return 200 "Welcome to the shop.\n"; } }
		}
	END
	# shellcheck disable=SC2016 # for the inner shell
	setsid sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$C/web" nginx -p "$D" -e "$D/nginx.log" \
		-c "$D/nginx.conf" >>"$D/nginx.log" 2>&1 </dev/null {screen}>&- &
	disown
	within 10 nginx_listens
}

nginx_listens() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
ip6_works() { [ -r /proc/net/if_inet6 ] && grep -q '^0*1 ' /proc/net/if_inet6; }

# The ids of what our daemon pinned, by its links: "link 12", "prog 7", "map 9". By what bpftool prints, because its
# exit status says other things in some versions.
ids_of_pins() {
	local pin link prog
	for pin in "$D"/bpf/links/*; do
		link=$(bpftool -j link show pinned "$pin" 2>/dev/null)
		prog=$(sed -n 's/.*"prog_id":\([0-9]*\).*/\1/p' <<<"$link")
		[ -n "$prog" ] || continue
		printf '%s\n' "link $(sed -n 's/^{"id":\([0-9]*\).*/\1/p' <<<"$link")" "prog $prog"
		bpftool -j prog show id "$prog" 2>/dev/null | sed -n 's/.*"map_ids":\[\([0-9,]*\)\].*/\1/p' | tr ',' '\n' |
			sed 's/^/map /'
	done | sort -u
}

bpf_objects_gone() {
	local kind id
	while read -r kind id; do
		! bpftool "$kind" show id "$id" 2>/dev/null | has "^$id:" || return 1
	done <<<"$our_ids"
}

count_of() { bpftool "$1" show 2>/dev/null | grep -c '^[0-9]*:'; }

demo_load() { # DIR
	[ -f "$1/state" ] || die "$1 holds no demo"
	D=$(cd "$1" && pwd)
	C=$(sed -n 's/^C=//p' "$D/state")
	slice=$(sed -n 's/^slice=//p' "$D/state")
	daemon=$(sed -n 's/^daemon=//p' "$D/state")
	export RINGFENCE_SOCKET=$D/control.sock
}

# A process id is believed only while it runs our program on our directory.
daemon_is_ours() {
	[ -n "$daemon" ] && tr '\0' ' ' <"/proc/$daemon/cmdline" 2>/dev/null | grep -qF -- "--socket $D/control.sock"
}

cgroup_empty() {
	local procs
	for procs in "$C"/cgroup.procs "$C"/*/cgroup.procs; do
		[ ! -e "$procs" ] || [ -z "$(cat "$procs" 2>/dev/null)" ] || return 1
	done
}

cgroup_kill() {
	echo 1 >"$C/cgroup.kill"
	cgroup_empty
}

cgroup_remove() {
	local tries
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		find "$C" -depth -type d -exec rmdir {} + 2>/dev/null
		[ -d "$C" ] || return 0
		sleep "0.$tries"
	done
	return 1
}

# Enforcement first, then what was enforced on, then the directory.
demo_remove() {
	local left=0

	[ -n "$D" ] && [ -d "$D" ] || return 0
	if daemon_is_ours; then
		timeout 10 ringfence detach --yes >/dev/null 2>&1 </dev/null
		within 5 daemon_gone || kill -9 "$daemon" 2>/dev/null
		within 5 daemon_gone
	fi
	# Without a daemon the pins hold everything; they go with their file system.
	while grep -qF " $D/bpf bpf " /proc/mounts; do
		umount "$D/bpf" || { left=1; break; }
	done
	if [ -n "$C" ] && [ -d "$C" ]; then
		within 5 cgroup_kill
		[ -z "$slice" ] || systemctl stop "$slice"
		cgroup_remove || left=1
	fi
	case $C in
	"$D"/*) umount "$D/cgroup" || left=1 ;;
	esac
	rm -rf --one-file-system "$D" || left=1
	return $left
}
