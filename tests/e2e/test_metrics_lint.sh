#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What Prometheus itself says of the metrics: promtool lints them, and a real
# server scrapes them in both formats.
#
# Needs promtool and prometheus (Debian: prometheus) and curl; skips without.
set -u

build=${RF_BUILD:-${O:-build}}
sample=$build/tests/e2e/metrics_sample
plan=8
n=0

echo "TAP version 13"
echo "1..$plan"

ok() { # STATUS CLAIM
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
	fi
}

skip_rest() { # REASON
	while [ "$n" -lt "$plan" ]; do
		n=$((n + 1))
		echo "ok $n - metrics # SKIP $1"
	done
	exit 0
}

for program in promtool prometheus curl; do
	command -v "$program" >/dev/null || skip_rest "$program is not installed"
done
if [ ! -x "$sample" ]; then
	echo "Bail out! $sample is not built"
	exit 1
fi

dir=$(mktemp -d)
pids=()
cleanup() {
	for pid in "${pids[@]}"; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

# within SECONDS COMMAND...: until it succeeds.
within() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

get() { # CURL ARGUMENTS...
	curl --silent --show-error --fail --max-time 5 --noproxy '*' "$@"
}

mkfifo "$dir/ports"
"$sample" >"$dir/ports" &
pids+=($!)
read -r -t 10 port text_port <"$dir/ports" || {
	echo "Bail out! $sample did not start"
	exit 1
}

get "http://127.0.0.1:$port/metrics" >"$dir/text" && promtool check metrics <"$dir/text" >"$dir/lint" 2>&1
ok $? "promtool has no complaint about the text format"
sed 's/^/# /' "$dir/lint"

get -D "$dir/header" -H 'Accept: application/openmetrics-text;version=1.0.0' "http://127.0.0.1:$port/metrics" \
	>"$dir/openmetrics" &&
	grep -qi '^Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8' "$dir/header" &&
	[ "$(tail -n 1 "$dir/openmetrics")" = "# EOF" ]
ok $? "OpenMetrics is served when asked for, to its end"

cat >"$dir/prometheus.yml" <<END
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: openmetrics
    static_configs:
      - targets: ['127.0.0.1:$port']
  - job_name: text
    static_configs:
      - targets: ['127.0.0.1:$text_port']
END

# The port is free when asked for; if another program takes it first, the next one is tried.
for attempt in 1 2 3; do
	web=$((20000 + (RANDOM + attempt) % 12000))
	prometheus --config.file="$dir/prometheus.yml" --storage.tsdb.path="$dir/tsdb" \
		--web.listen-address="127.0.0.1:$web" >"$dir/log" 2>&1 &
	server=$!
	if within 30 get -o /dev/null "http://127.0.0.1:$web/-/ready" 2>/dev/null && kill -0 "$server" 2>/dev/null; then
		pids+=("$server")
		break
	fi
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	server=
done
if [ -z "$server" ]; then
	sed 's/^/# /' "$dir/log"
	echo "Bail out! prometheus did not start"
	exit 1
fi

# The value of a query that has one result is VALUE.
answers() { # QUERY VALUE
	get -G --data-urlencode "query=$1" "http://127.0.0.1:$web/api/v1/query" >"$dir/answer" &&
		grep -q '"value":\[[0-9.]*,"'"$2"'"\]' "$dir/answer"
}

metadata() { # JOB METRIC PATTERN
	get -G --data-urlencode "match_target={job=\"$1\"}" --data-urlencode "metric=$2" \
		"http://127.0.0.1:$web/api/v1/targets/metadata" >"$dir/answer" &&
		grep -q "$3" "$dir/answer"
}

for job in openmetrics text; do
	within 30 answers "up{job=\"$job\"}" 1
	ok $? "prometheus scrapes $job"
	within 10 answers \
		"ringfence_workload_network_packets_total{job=\"$job\",tenant=\"acme\",namespace=\"prod\",workload=\"web\",direction=\"egress\",peer=\"public\",verdict=\"allow\"}" \
		2001
	status=$?
	ok $status "a workload's counter has its value by $job"
	[ $status -eq 0 ] || sed 's/^/# /' "$dir/answer"
done

# The format that was used shows in the names: a family of OpenMetrics is named without _total, and has a unit.
within 10 metadata openmetrics ringfence_workload_network_bytes '"type":"counter".*"unit":"bytes"'
ok $? "the first job was scraped as OpenMetrics, with units"
within 10 metadata text ringfence_workload_network_bytes_total '"type":"counter".*"unit":""'
ok $? "the second job was scraped as text"
[ "$n" -eq "$plan" ]
