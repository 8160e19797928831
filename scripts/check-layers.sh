#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Proves that dependencies point one way:
#
#   lib <- model <- {policy, engine, collect, detect, respond, export, store} <- daemon
#
# The siblings never include each other; cli sees lib, model and policy; a
# helper is a process of its own and sees lib and model. And that each external
# library has one owner, so that it can be replaced or left out.
set -eu
cd "$(dirname "$0")/.."

find user include bpf kmod -name '*.[ch]' 2>/dev/null | sort | xargs awk '
BEGIN {
	# What a directory of user/ may include besides itself, include/ and the system.
	may["lib"] = ""
	may["model"] = "lib"
	siblings = split("policy engine collect detect respond export store", sibling)
	for (i = 1; i <= siblings; i++)
		may[sibling[i]] = "lib model"
	may["daemon"] = "lib model policy engine collect detect respond export store"
	may["cli"] = "lib model policy"
	may["helper"] = "lib model"
	# The one edge between siblings: the compiled image is what the engine writes into the maps.
	allow["engine", "user/policy/image.h"] = 1

	# Header -> the one place that may include it; a directory ends in "/".
	owner["yaml.h"] = "user/policy/yaml"
	owner["json-c/"] = "user/lib/json_in"
	owner["json.h"] = "user/lib/json_in"
	owner["microhttpd.h"] = "user/daemon/http"
	owner["bpf/"] = "user/engine/"
	owner["systemd/"] = "user/daemon/"
	owner["sqlite3.h"] = "user/store/"
	owner["curl/"] = "user/export/"
	owner["onnxruntime_c_api.h"] = "user/helper/"
	owner["libelf.h"] = "user/collect/elf_functions"
	owner["gelf.h"] = "user/collect/elf_functions"
	owner["maxminddb.h"] = "user/collect/geo"
	owner["nvml.h"] = "user/helper/"
}
function complain(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what
	bad++
}
!/^[ \t]*#[ \t]*include/ { next }
{
	name = $0
	sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", name)
	sub(/[">].*/, "", name)
	split(FILENAME, path, "/")
	top = path[1]
	layer = path[2]
}
top == "include" && $0 ~ /"(user|bpf|kmod)\// { complain("include/ stands alone, but includes " name); next }
(top == "bpf" || top == "kmod") && name ~ /^user\// { complain("the kernel side includes " name); next }
top != "user" { next }
name ~ /^(kmod|tests)\// { complain("user/ includes " name); next }
name ~ /^user\// {
	split(name, target, "/")
	if (!(layer in may))
		complain("unknown directory user/" layer "; give it a place in scripts/check-layers.sh")
	else if (target[2] != layer && index(" " may[layer] " ", " " target[2] " ") == 0 && !((layer, name) in allow))
		complain("user/" layer " may not include " name)
	next
}
name ~ /\.skel\.h$/ && layer != "engine" { complain("the skeletons belong to user/engine"); next }
/</ {
	for (header in owner) {
		mine = header ~ /\/$/ ? index(name, header) == 1 : name == header
		if (mine && index(FILENAME, owner[header]) != 1)
			complain("<" name "> belongs to " owner[header])
	}
}
END { exit bad > 0 }
'
