#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# NetworkPolicy manifests on live pods, without a cluster. Every denial beside what is still allowed.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/e2e/pods.sh
. "$(dirname "$0")/pods.sh"

# serve_in LOG COMMAND...: net_probe as COMMAND's arguments; await_servers waits for all of them.
started=
serve_in()
{
	serve_name=$1
	shift
	: >"$tmp/$serve_name"
	"$@" >"$tmp/$serve_name" 2>&1 &
	helpers="$helpers $!"
	started="$started $serve_name"
}
await_servers()
{
	for serve_name in $started; do
		await 10 grep -q ready "$tmp/$serve_name" && continue
		sed 's/^/# /' "$tmp/$serve_name"
		echo "Bail out! the server $serve_name does not start"
		exit 1
	done
	started=
}
serve_pod()
{
	# shellcheck disable=SC2086 # a list
	serve_in "server-$1-$2" enter_pod "$1" "$2" "$net" serve "$life" $all_ports
}
# from WHO COMMAND...: WHO is "node", a network outside of all pods, or a pod, whose container is "main", or POD.CONTAINER
from()
{
	from_who=$1
	shift
	case $from_who in
	node) "$@" ;;
	world | guest) nsenter --net="/run/netns/$from_who" "$@" ;;
	*.*) (enter_pod "${from_who%%.*}" "${from_who#*.}" "$@") ;;
	*) (enter_pod "$from_who" main "$@") ;;
	esac
}
# address_of WHO: "POD/6" is a pod's address of IPv6; what is no name is an address.
address_of()
{
	case $1 in
	*/6)
		address_four=$(address_of "${1%/6}")
		echo "fd00:244::${address_four##*.}"
		;;
	web) echo 10.244.0.11 ;;
	api) echo 10.244.0.12 ;;
	db) echo 10.244.0.13 ;;
	probe) echo 10.244.0.14 ;;
	twin) echo 10.244.0.15 ;;
	dns) echo 10.244.0.16 ;;
	late) echo 10.244.0.17 ;;
	old | heir | third) echo 10.244.0.18 ;;
	bare) echo 10.244.0.19 ;;
	node | agent) echo 10.244.0.1 ;;
	world) echo 172.17.4.4 ;;
	guest) echo 172.17.1.4 ;;
	*) echo "$1" ;;
	esac
}

# A namespace of the network for each pod, as CNI makes it before there is a sandbox.
for name in web api db probe twin dns late bare; do
	network $name 10.244.0.1 "$(address_of $name)/24" "$(address_of $name/6)" || tap_skip_all "network namespaces cannot be made here"
done
network world 172.17.0.1 172.17.4.4/16
network guest 172.17.0.1 172.17.1.4/16

all_ports=$(printf 'tcp/0.0.0.0/%s ' 53 80 443 7999 8000 8010 8011)$(printf 'udp/0.0.0.0/%s ' 53 80)tcp/::/80
pod shop web web "app=web role=frontend" main
pod shop api api "app=api role=backend" main side
pod shop db db "app=db role=store" main
pod ops probe probe "app=probe type=monitoring" main
pod ops twin twin "app=web role=frontend" main
pod kube-system dns dns "k8s-app=kube-dns" main
pod ops agent - "app=agent" main
for name in web api db probe twin dns; do
	serve_pod $name main
done
serve_in server-agent enter_pod agent main "$net" serve "$life" tcp/0.0.0.0/9100
serve_in server-side enter_pod api side "$net" serve "$life" tcp/0.0.0.0/81
serve_in server-node "$net" serve "$life" tcp/0.0.0.0/10250 udp/0.0.0.0/10250
for name in world guest; do
	# shellcheck disable=SC2086 # a list
	serve_in server-$name nsenter --net=/run/netns/$name "$net" serve "$life" $all_ports
done
await_servers
daemon_must_start

# ---- manifests ----

# manifest NAMESPACE NAME: what stands below "spec" is read from stdin. One more for the next in_force.
manifest()
{
	{
		printf -- '---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n'
		printf '  name: %s\n  namespace: %s\nspec:\n' "$2" "$1"
		sed 's/^/  /'
	} >>"$tmp/manifests"
}
# in_force RECIPE: the manifests since the last, and no others; the rows that follow are of that recipe.
in_force()
{
	recipe=$1
	put_force kubernetes <"$tmp/manifests" || exit 1
	rm "$tmp/manifests"
}
# row EXPECTED FROM TO PROTOCOL PORT CLAIM
row() { tap_is "$recipe: $6" "$1" from "$2" "$net" "$4" "$(address_of "$3")" "$5"; }

# ---- no policy, and the flows that it finds ----

# connect_in WHO TO PORT FIFO: a connection that answers on FIFO.out to each line on FIFO.in.
connect_in()
{
	mkfifo "$tmp/$4.in" "$tmp/$4.out"
	from "$1" "$net" stream "$(address_of "$2")" "$3" <"$tmp/$4.in" >"$tmp/$4.out" 2>&1 &
	helpers="$helpers $!"
}
exchange_cut()
{
	echo x >&5
	read -r answer <&6
	echo "$answer"
}
exchange_kept()
{
	echo x >&7
	read -r answer <&8
	echo "$answer"
}
recipe="no policy"
row allowed api web tcp 80 "pods reach one another"
row allowed twin db udp 53 "by UDP and across namespaces too"
row allowed world web tcp 80 "from outside"
row allowed db world tcp 80 "and outside"
connect_in api web 80 cut
exec 5>"$tmp/cut.in" 6<"$tmp/cut.out"
read -r answer <&6
tap_ok "established: a flow opens" equal "$answer" connected
connect_in web api 80 kept
exec 7>"$tmp/kept.in" 8<"$tmp/kept.out"
read -r answer <&8
tap_ok "established: its twin opens" equal "$answer" connected
tap_is "established: it carries data" allowed exchange_cut
manifest shop deny-web <<'END'
podSelector: {matchLabels: {app: web}}
ingress: []
END
in_force "deny all"
tap_is "established: a policy that denies it cuts it" timeout exchange_cut
tap_is "established: one that it does not concern stays" allowed exchange_kept
exec 5>&- 6<&- 7>&- 8<&-

# ---- the community's recipes ----

row timeout api web tcp 80 "a neighbour"
row timeout api web udp 53 "by UDP either"
row timeout probe web tcp 80 "another namespace"
row timeout world web tcp 80 "from outside"
row allowed web api tcp 80 "what it opens itself"
row allowed web dns udp 53 "and the answers to that"
row allowed api db tcp 80 "only who is selected is isolated"
row allowed api twin tcp 80 "not the label in another namespace"
row allowed node web tcp 80 "always: from its node"
tap_ok "a denial names the manifest, its rule, file and line" await 5 says \
	"shop/web.*main.* ingress tcp .*10.244.0.12:[0-9]+.* policy .*deny-web rule \"default\" .*kubernetes.yaml:9" \
	"$ringfence" events --kind flow-deny --verdict deny

manifest shop limit <<'END'
podSelector: {matchLabels: {app: api}}
ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]
END
in_force "limit to an application"
row allowed web api tcp 80 "who has the label"
row timeout db api tcp 80 "who has it not"
row timeout twin api tcp 80 "the label in another namespace"
row timeout world api tcp 80 "from outside"
row allowed web api udp 53 "UDP of who has the label"
row timeout db api udp 53 "UDP of who has it not"
row allowed web api/6 tcp 80 "IPv6 of who has the label"
row timeout db api/6 tcp 80 "IPv6 of who has it not"

manifest shop own <<'END'
podSelector: {}
ingress: [{from: [{podSelector: {}}]}]
END
in_force "deny from other namespaces"
row allowed api web tcp 80 "a neighbour"
row timeout twin web tcp 80 "another namespace"
row timeout world db tcp 80 "from outside"
row allowed db api udp 53 "UDP of a neighbour"
row timeout dns api udp 53 "UDP of another namespace"

manifest shop from-ops <<'END'
podSelector: {matchLabels: {app: web}}
ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}]}]
END
in_force "from one namespace"
row allowed probe web tcp 80 "a pod of it"
row timeout dns web tcp 80 "a pod of a third"
row timeout api web tcp 80 "a pod of its own"

manifest shop everywhere <<'END'
podSelector: {matchLabels: {app: web}}
ingress: [{from: [{namespaceSelector: {}}]}]
END
in_force "from all namespaces"
row allowed dns web tcp 80 "a pod of another"
row allowed db web tcp 80 "a pod of its own"
row timeout world web tcp 80 "from outside"

manifest shop both <<'END'
podSelector: {matchLabels: {app: web}}
ingress:
  - from:
      - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}
        podSelector: {matchLabels: {type: monitoring}}
END
in_force "both selectors in one item"
row allowed probe web tcp 80 "both hold"
row timeout twin web tcp 80 "the namespace alone"
row timeout api web tcp 80 "neither"

manifest shop either <<'END'
podSelector: {matchLabels: {app: web}}
ingress:
  - from:
      - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}
      - podSelector: {matchLabels: {role: backend}}
END
in_force "the selectors in two items"
row allowed twin web tcp 80 "the namespace alone"
row allowed api web tcp 80 "the pod alone"
row timeout db web tcp 80 "neither"

manifest shop external <<'END'
podSelector: {matchLabels: {app: web}}
ingress: [{ports: [{port: 80}, {port: 8000, endPort: 8010}]}]
END
in_force "external, a port and a range"
row allowed world web tcp 80 "that port"
row timeout world web tcp 443 "another"
row timeout world web udp 80 "TCP is meant"
row allowed world web tcp 8000 "the first of the range"
row allowed api web tcp 8010 "the last of it"
row timeout api web tcp 8011 "behind it"
row timeout world web tcp 7999 "before it"

manifest shop block <<'END'
podSelector: {matchLabels: {app: web}}
policyTypes: [Ingress, Egress]
ingress: [{from: [{ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}}]}]
egress: [{to: [{ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}}]}]
END
in_force "a block of addresses"
row allowed world web tcp 80 "in"
row timeout guest web tcp 80 "the exception"
row timeout api web tcp 80 "a pod out of it"
row allowed web world tcp 80 "egress in"
row denied web guest tcp 80 "egress to the exception"
row allowed web world udp 53 "egress by UDP"
row denied web guest udp 53 "egress by UDP to the exception"
tap_ok "a denial of egress names its rule" says "shop/web.*main.* egress tcp .*172.17.1.4:80 policy .*yaml:11$" \
	"$ringfence" events --kind flow-deny --verdict deny

manifest shop no-egress <<'END'
podSelector: {matchLabels: {app: web}}
policyTypes: [Egress]
END
in_force "no egress"
row denied web api tcp 80 "to a pod"
row denied web world tcp 80 "outside"
row denied web dns udp 53 "not for names either"
row allowed api web tcp 80 "what is opened to it"
row allowed api world tcp 80 "only who is selected"
row allowed web node tcp 10250 "always: to its node"

manifest shop names <<'END'
podSelector: {}
policyTypes: [Egress]
egress:
  - to:
      - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
        podSelector: {matchLabels: {k8s-app: kube-dns}}
    ports: [{port: 53, protocol: UDP}]
END
in_force "no egress but for names"
row allowed web dns udp 53 "names are resolved"
row denied web probe udp 53 "but not by others"
row denied db dns udp 80 "another port"
row denied db dns tcp 53 "another protocol"

manifest shop deny <<'END'
podSelector: {}
END
manifest shop web-to-api <<'END'
podSelector: {matchLabels: {app: api}}
ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]
END
manifest shop probes <<'END'
podSelector: {matchLabels: {app: api}}
ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ops}}}], ports: [{port: 8000}]}]
END
in_force "several policies add up"
row allowed web api tcp 80 "the first"
row allowed probe api tcp 8000 "the second"
row timeout probe api tcp 80 "neither"
row timeout web db tcp 80 "selected by the deny alone"

manifest shop out <<'END'
podSelector: {matchLabels: {app: web}}
policyTypes: [Egress]
egress: [{to: [{podSelector: {matchLabels: {app: api}}}]}]
END
manifest shop in <<'END'
podSelector: {matchLabels: {app: api}}
ingress: [{ports: [{port: 443}]}]
END
in_force "both ends must allow"
row allowed web api tcp 443 "they do"
row denied web db tcp 443 "not the one that connects"
row timeout web api tcp 80 "not the one that listens"

# ---- itself, its node, and pods in the node's network ----

manifest shop isolate <<'END'
podSelector: {}
policyTypes: [Ingress, Egress]
END
in_force "isolated in both directions"
row denied api db tcp 80 "to another pod"
row timeout probe api tcp 80 "from another pod"
row allowed api.side 127.0.0.1 tcp 80 "one container to the other by loopback"
row allowed api.main 127.0.0.1 tcp 81 "and back"
row allowed api.side api tcp 80 "by the pod's own address"
row allowed api.side 127.0.0.1 udp 53 "by UDP and loopback"
row allowed api.side api udp 53 "by UDP and the pod's own address"
row allowed api.side api/6 tcp 80 "by IPv6 and the pod's own address"
row denied api.side web/6 tcp 80 "to another pod by IPv6"
row allowed node api tcp 80 "from its node"
row allowed node api udp 53 "from its node by UDP"
row allowed api node tcp 10250 "to its node"
row allowed api node udp 10250 "to its node by UDP"
row allowed agent api tcp 80 "from a pod in its node's network"
row allowed api agent tcp 9100 "to a pod in its node's network"

manifest ops agent <<'END'
podSelector: {matchLabels: {app: agent}}
END
in_force "a pod in its node's network is selected"
row timeout world agent tcp 9100 "from outside"
row timeout api agent tcp 9100 "from a pod"
row allowed node agent tcp 9100 "from its node"
row allowed world node tcp 10250 "its node is not isolated with it"

# ---- pods that come and go ----

allowed_now() { [ "$(from "$1" "$net" tcp "$(address_of "$2")" 80 2>&1)" = allowed ]; }

manifest shop isolate <<'END'
podSelector: {}
policyTypes: [Ingress, Egress]
END
manifest shop late <<'END'
podSelector: {matchLabels: {app: late}}
ingress: [{from: [{podSelector: {matchLabels: {app: web}}}]}]
egress: [{to: [{podSelector: {matchLabels: {app: web}}}]}]
END
manifest shop web <<'END'
podSelector: {matchLabels: {app: web}}
ingress: [{from: [{podSelector: {matchLabels: {app: late}}}]}]
egress: [{to: [{podSelector: {matchLabels: {app: late}}}]}]
END
in_force "a pod that comes later"
enter_pod probe main "$net" -l tcp "$(address_of late)" 80 >"$tmp/prober" 2>&1 &
prober=$!
helpers="$helpers $prober"
pod shop late late "app=late" main
# As a runtime does it: the first process is in the cgroup, and held until the kubelet's next request starts it.
mkfifo "$tmp/exec.fifo"
# shellcheck disable=SC2016,SC2086 # expanded by the inner shell; a list
serve_in server-late enter_pod late main sh -c 'read -r _ <"$0"; "$1" tcp "$2" 80; n=$1; shift 2; exec "$n" serve "$@"' \
	"$tmp/exec.fifo" "$net" "$(address_of db)" "$life" $all_ports
tap_ok "$recipe: it is known before it starts" await 2 has_workload default/shop/late/main
echo start >"$tmp/exec.fifo"
await_servers
tap_is "$recipe: its first connection is judged" denied head -n 1 "$tmp/server-late"
tap_ok "$recipe: who may reach it does in a few seconds" await 15 allowed_now web late
tap_ok "$recipe: whom it may reach knows it" await 15 allowed_now late web
row denied late db tcp 80 "others it does not reach"
row timeout probe late tcp 80 "others do not reach it"
kill -TERM "$prober"
wait "$prober"
tap_is "$recipe: nor ever did" 0 count_of allowed "$(cat "$tmp/prober")"
tap_ok "$recipe: though they tried" above "$(count_of timeout "$(cat "$tmp/prober")")" 0

network old 10.244.0.1 "$(address_of old)/24"
manifest shop web <<'END'
podSelector: {matchLabels: {app: web}}
ingress: [{from: [{podSelector: {matchLabels: {app: late}}}]}]
END
in_force "an address that goes to another pod"
pod shop old old "app=late" main
tap_ok "$recipe: the first, by its labels" await 15 allowed_now old web
delete_pod old
network heir 10.244.0.1 "$(address_of heir)/24"
pod shop heir heir "app=heir" main
tap_ok "$recipe: the second, not by those" says "allowed=0 denied=0 timeout=[1-9]" \
	from heir "$net" -n $((2000 / RF_WAIT_MS)) tcp "$(address_of web)" 80
row allowed heir api tcp 80 "it is reached where nobody is isolated"
delete_pod heir
network third 10.244.0.1 "$(address_of third)/24"
pod shop third third "app=late" main
tap_ok "$recipe: the third, by its own labels" await 15 allowed_now third web
disputed="address $(address_of third) is in two network namespaces"
tap_is "$recipe: who is gone has no claim to it" 0 log_count "$disputed"
# Found with the next pod, below.
ip -n dns address add "$(address_of third)/32" dev lo

# ---- a runtime that leaves no labels ----

unknown="no file tells the labels of"
tap_is "labels are unknown: not of pods of CRI-O" 0 log_count "$unknown"
runtime=containerd
pod shop bare bare "" main
serve_pod bare main
await_servers
tap_ok "an address that two pods have is told of" await 15 log_grew "$disputed" 0
manifest shop by-label <<'END'
podSelector: {matchLabels: {app: bare}}
END
manifest shop web <<'END'
podSelector: {matchLabels: {app: web}}
ingress: [{from: [{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [other]}]}}]}]
END
in_force "labels are unknown"
row allowed probe bare tcp 80 "a selector of labels does not isolate"
tap_ok "$recipe: the log says so" says "$unknown 2 containers.*/cri-containerd-c0de.*do not apply to them" cat "$tmp/log"
row timeout bare web tcp 80 "a selector of labels does not let in, not even NotIn"
network later 10.244.0.1 10.244.0.250/24
network latest 10.244.0.1 10.244.0.251/24
told=$(log_count "$unknown a new container")
pod shop later later "" main
tap_ok "labels are unknown: a pod that comes later is told of" await 15 log_grew "$unknown a new container.*/cri-containerd-" "$told"
pod shop latest latest "" main
manifest shop all <<'END'
podSelector: {}
ingress: [{from: [{podSelector: {}}]}]
END
in_force "labels are unknown, nor asked for"
row timeout probe bare tcp 80 "a selector of all isolates"
row allowed api bare tcp 80 "and lets in its namespace"
row allowed bare web tcp 80 "and it into its namespace"
row allowed node bare tcp 80 "always: from its node"
sees_pod() { workloads_lines | grep -q "/$1"; }
tap_ok "labels are unknown: the next is seen" await 15 sees_pod latest
tap_is "labels are unknown: and not told of again" $((told + 1)) log_count "$unknown a new container"
tap_done
