# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2154 # what lib.sh sets
#
# What a node with CRI-O, or containerd, has of each pod: a network namespace with an address on a bridge, the bundles
# of its sandbox and containers, and their cgroups. Sourced after lib.sh; below its cgroup is a tree as the kubelet's.

# Before anything else writes there: the runtime's files, and the names of network namespaces, are this test's own.
mount -t tmpfs -o mode=0755 tmpfs /run || tap_skip_all "a tmpfs cannot be mounted here"
crio=/run/containers/storage/overlay-containers
containerd=/run/containerd/io.containerd.runtime.v2.task/k8s.io
kubepods=kubepods.slice/kubepods-burstable.slice
life=$((110 * RF_SLOW))

# ---- the node ----

# network NAME GATEWAY ADDRESS/LENGTH [IPV6-ADDRESS]: a namespace with that address, on the bridge of that gateway.
network()
{
	# As the bridge plugin of CNI does it: an address that moves keeps its hardware address, and no neighbour is stale.
	network_hardware=$(echo "${3%/*}" | awk -F. '{ printf "0a:58:%02x:%02x:%02x:%02x", $1, $2, $3, $4 }')
	ip -batch - <<-END || return 1
		netns add $1
		link add rf-$1 type veth peer name eth0 address $network_hardware netns $1
		link set rf-$1 master rf-${2%%.*} up
	END
	ip -n "$1" -batch - <<-END
		link set lo up
		link set eth0 up
		address add $3 dev eth0
		route add default via $2
		${4:+address add $4/64 dev eth0 nodad}
	END
}
# bridge ADDRESS/LENGTH
bridge()
{
	ip -batch - <<-END
		link add rf-${1%%.*} type bridge
		address add $1 dev rf-${1%%.*}
		link set rf-${1%%.*} up
	END
}
if ! bridge 10.244.0.1/24 || ! bridge 172.17.0.1/16; then
	tap_skip_all "bridges cannot be made here"
fi
echo 1 >/proc/sys/net/ipv4/ip_forward

# ---- pods ----

# labels KEY=VALUE...: an object, as it stands in a string of JSON.
labels()
{
	labels_text=
	for label; do
		labels_text="$labels_text${labels_text:+,}\\\"${label%%=*}\\\":\\\"${label#*=}\\\""
	done
	printf '{%s}' "$labels_text"
}
# bundle FILE CGROUPS-PATH: what the runtime was told to run; annotations "KEY VALUE" are read from stdin.
bundle()
{
	mkdir -p "${1%/*}"
	{
		printf '{"ociVersion":"1.1.0","linux":{"cgroupsPath":"%s"},"annotations":{' "$2"
		sed 's/ /":"/; s/.*/"&"/; $!s/$/,/'
		printf '}}\n'
	} >"$1"
}

# pod NAMESPACE NAME NETWORK|- LABELS CONTAINER...: in that network namespace, "-" in the host's, made by $runtime. The
# container NAME is in the cgroup $in_POD_NAME then, and the pod's directory is $in_POD.
runtime=crio
pods=0
containers=0
pod()
{
	pods=$((pods + 1))
	pod_namespace=$1 pod_name=$2 pod_labels=$4
	pod_uid=$(printf '8a2f1c34-5b6d-4e7f-9a01-%012x' $pods)
	pod_slice=kubepods-burstable-pod$(echo "$pod_uid" | tr - _).slice
	eval "in_$2=$kubepods/$pod_slice network_$2=$3"
	shift 4
	make_cgroup "$kubepods/$pod_slice"
	sandbox=
	for container in POD "$@"; do
		container "$container"
	done
	enter_pod "$pod_name" POD "$net" serve "$life" tcp/127.0.0.1/1 >/dev/null 2>&1 &
	helpers="$helpers $!"
}
# container NAME: of the pod that is being made; the first is its sandbox. The files are there before the cgroup is.
container()
{
	containers=$((containers + 1))
	container_id=$(printf 'c0de%060x' $containers)
	: "${sandbox:=$container_id}"
	"${runtime}_bundle" "$1"
	make_cgroup "$kubepods/$pod_slice/$runtime_scope-$container_id.scope"
	eval "in_${pod_name}_$1=$kubepods/$pod_slice/$runtime_scope-$container_id.scope"
}
# The labels of a pod are told by its sandbox.
crio_bundle()
{
	runtime_scope=crio
	bundle_labels="io.kubernetes.container.name=$1 $pod_labels"
	[ "$1" = POD ] || bundle_labels="io.kubernetes.container.name=$1 io.kubernetes.pod.name=$pod_name"
	# shellcheck disable=SC2086 # a list
	bundle "$crio/$container_id/userdata/config.json" "$pod_slice:crio:$container_id" <<-END
		io.kubernetes.container.name $1
		io.kubernetes.pod.name $pod_name
		io.kubernetes.pod.namespace $pod_namespace
		io.kubernetes.pod.uid $pod_uid
		io.kubernetes.cri-o.SandboxID $sandbox
		io.kubernetes.cri-o.Labels $(labels $bundle_labels)
	END
}
containerd_bundle()
{
	runtime_scope=cri-containerd
	bundle_type=container
	[ "$1" != POD ] || bundle_type=sandbox
	bundle "$containerd/$container_id/config.json" "$pod_slice:cri-containerd:$container_id" <<-END
		io.kubernetes.cri.container-type $bundle_type
		io.kubernetes.cri.container-name $1
		io.kubernetes.cri.sandbox-id $sandbox
		io.kubernetes.cri.sandbox-name $pod_name
		io.kubernetes.cri.sandbox-namespace $pod_namespace
		io.kubernetes.cri.sandbox-uid $pod_uid
	END
}
# enter_pod POD CONTAINER COMMAND...: as enter() of the library.
enter_pod()
{
	enter_cgroup='' enter_network=''
	eval "enter_cgroup=\$in_$1_$2 enter_network=\$network_$1"
	shift 2
	if [ "$enter_network" = - ]; then
		enter "$enter_cgroup" "$@"
	else
		enter "$enter_cgroup" nsenter --net="/run/netns/$enter_network" "$@"
	fi
}
# delete_pod NAME: its processes, its cgroups and its network, whose namespace something still holds.
delete_pod()
{
	delete_slice=''
	eval "delete_slice=\$cgroup/\$in_$1"
	echo 1 >"$delete_slice/cgroup.kill"
	# shellcheck disable=SC2016 # expanded by the inner shell
	await 10 sh -c 'find "$0" -depth -type d -exec rmdir {} +; ! [ -d "$0" ]' "$delete_slice"
	ip link del "rf-$1"
}
