/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The control protocol between `ringfence` and `ringfenced`.
 *
 * A Unix stream socket, mode 0600. The client sends one line, a JSON object
 * {"v": RF_CONTROL_ABI, "cmd": NAME, ...}; the daemon answers with lines, each
 * a JSON object. The last line has "ok": true, or "ok": false with "error" (a
 * sentence) and "errno" (a positive number), and the daemon closes.
 *
 * cmd         members (all optional unless said)         last line besides "ok"
 * status      -                                          "status": STATUS
 * workloads   -                                          "time_ns", "workloads": [WORKLOAD]
 * events      "follow": bool, "format": "text"|"json",   lines {"line": "..."} (text) or {"event": {...}},
 *             "kinds": [names], "verdicts": [names],     history first, then live ones when following
 *             "workload": glob over the full name,
 *             "limit": n (of the history)
 * policies    -                                          "policies": [{"name","file","line","mode","priority",
 *                                                        "workloads"}], "labels": [{"name","tenant","kind",
 *                                                        "file","line"}]
 * policy-show "workload": name (required)                "text": what is in force and why, "policies": [names in order]
 * policy-test "workload": name, "direction":             "verdict", "tier", "policy", "rule", "file", "line", "rate",
 *             "egress"|"ingress", "address", "port",         "text"
 *             "protocol": "tcp"|...  (all required),   and "peer": whom the address was taken for
 *             "peer": workload, "name": DNS name
 * policy-test-program "workload": name, "program":       "verdict", "role", "policy", "rule", "file", "line", "text"
 *             absolute path (both required),
 *             "interpreter": bool
 * apply       "paths": [absolute files or directories]   "applied": {"generation","policies","workloads","confirm_s"},
 *             (required), "confirm_s": n,                on failure "diags": "text"
 *             "replace": bool, "force": bool
 * confirm     -                                          -
 * rollback    -                                          "applied" as above
 * reload      "force": bool                              "applied" as above; on failure "diags"
 * detach      -                                          "removed": n; the daemon then exits
 * unlock      "token": 64 hexadecimal digits (required), -
 *             "for_s": n
 * lock        -                                          -
 * policy-diff "old", "new": absolute file or directory,  lines FLOW, those that change first newly denied ones, by
 *             or "current" (required), "since_s": n,     how often they were seen; then "summary": {"since_s","flows",
 *             "workload": glob, "all": bool (those       "newly_denied","newly_allowed","newly_reported",
 *             that do not change, too), "overlay":       "no_longer_reported","unchanged","left_out",
 *             bool ("new" is laid over "old")            "policies_missing" (in "new"),"workloads","workloads_silent"
 *                                                        (report no flows),"dropped","stored"}; on failure "diags"
 * lineage     "subject": name of a label or a workload   lines {"edge": EDGE}, upstream first, of a side the
 *                                                        nearest first; then "lineage": {"label": LABEL or
 *                                                        "workload": name, or without a subject "labels": [LABEL],
 *                                                        "workloads": [names]; "edges","left_out","rows" (all that
 *                                                        are kept), "dropped" (that there was no room for),
 *                                                        "missing": why nothing is recorded, where that is so}
 *
 * accelerators -                                         "time_ns" (CLOCK_BOOTTIME), "accelerators": [{"name","driver",
 *                                                        "parent","uuid","health","findings"}], "uses": [USE],
 *                                                        "nvml": [{"workload","device","instance" (of MIG, "" none),
 *                                                        "busy_ns","energy_uj","bytes","bytes_peak","processes"}],
 *                                                        "calls": [{"workload","call","calls","failures","ns","bytes",
 *                                                        "buckets" (each below 1 us << 2 * its place)}],
 *                                                        "skips": events that accounting was not run for,
 *                                                        "clients": {"known": bool (is fdinfo read),"read","lost",
 *                                                        "full" (open files now),"unread","searches","looks","cpu_ns",
 *                                                        "reads","last_cpu_ns","last_reads"},
 *                                                        "memory_limits": [{"workload","device","method" (dmem, nvml,
 *                                                        ioctl, detect, none),"limit" (in force),"used" (where that is
 *                                                        told)}],"memory_limit_failures"
 *
 * "health": {"temperature_celsius": n, ...} what is known of RF_HEALTH_READINGS, user/model/accelerator_health.h;
 * "findings": ["throttled-power", ...] what of it somebody should look at; neither where nobody tells any
 * USE: {"workload","device","opens","files" (open now),"held_ns","jobs","busy_ns","queued_ns","bytes" (now),
 *       "bytes_peak","under_way" (jobs now),"energy_uj" (of what the device drew),"waits","waited_ns","over_quota",
 *       "fdinfo": {"clients" (files read),"engine_ns","cycles","resident"} as drivers tell it,
 *       "kfd": {"processes","vram","compute_units","sdma_ns","evicted_ns"} where amdkfd tells any,
 *       "idle_ns" (held without work),"finding","finding_ns" where it is held for nothing or waits for something else,
 *       "quota": {"share","memory","audit"} of the workload's own, where it has one,
 *       "ioctls": {"other","submit","alloc","map","admin"}}
 *
 * STATUS: {
 *   "version", "pid", "uptime_s", "level": 0|1|2, "root": "attach point", "bpffs": "dir", "adopted": bool,
 *   "generation", "policies", "workloads", "cgroups", "rulesets", "source": "directory"|"rollback"|"confirm-pending",
 *   "confirm_left_s": n or null,
 *   "last_error": {"time","text"} or null,              the last apply that failed; the old image is in force
 *   "features": [{"name","support","why","section"}],
 *   "hooks": [{"name","attached": bool,"self_test": "ok"|"failed"|"not run","probe_hits","errors","why",
 *              "run_count","run_ns","recursion_misses","repairs"}],
 *   "lanes": [{"name","submitted","shed","lost","gaps"}],
 *   "errors": [{"name","count","help"}],
 *   "maps": [{"name","entries","max_entries","bytes"}],
 *   "flow_history": {"rows","max_rows","dropped","lost","stored": bool,"bytes" on disk,"why" it is not stored or null},
 *   "lineage": the same of its rows,
 *   "gpu": {"state","why","restarts","refused","errors","unjoined","dropped"} of the helper that asks NVML, or null,
 *   "guard": {"locked": bool,"open_s": n,"refused": [{"name","count","help"}]},
 *   "cost": {"cpu_s","rss_bytes","bpf_bytes","bpf_run_ns" or null}
 * }
 * WORKLOAD: {"id","name","path","identity": {"manager",...}, "mode": "enforce"|"audit"|"mixed"|"none",
 *   "policies": [names],
 *   "tasks": n, "cpu_usec", "memory_bytes" (null where the controller is not there),
 *   "counters": {name: n} with the names of RF_COUNTERS in lower case ("tx_bytes", ...)}
 * FLOW: {"change": "newly-denied"|"newly-allowed"|"newly-reported"|"no-longer-reported"|"unchanged",
 *   "workload","below": path of the cgroup below the workload's,"direction","protocol","port" (of the service),
 *   "peer": {"address","place": "host"|"world"|"workload"|"unknown","workload","name" (null where not known)},
 *   "recorded": verdict, "old","new": {"verdict","policy","rule","file","line"} (null where no policy speaks of it),
 *   "times","tx_bytes","rx_bytes","first","last": times,"last_s": seconds ago}
 * LABEL: {"name","kind","tenant" or null}
 * EDGE: {"side": "upstream"|"downstream","depth": 1 for who touched the subject itself,"workload",
 *   "access": "read"|"write","label": LABEL or null (a file without one, the first of "files"),
 *   "bytes","mapped_bytes","renames" (names given to files in the tree),"first","last": times,
 *   "processes": [{"name","pid","uid"}] (some; pid and uid of the last), "process_count",
 *   "files": [paths written] (some), "file_count"}
 */
#ifndef RINGFENCE_CONTROL_H
#define RINGFENCE_CONTROL_H

#include "abi.h"
#include "limits.h"

#define RF_CONTROL_SOCKET     "/run/ringfence/control.sock"
#define RF_CONTROL_SOCKET_ENV "RINGFENCE_SOCKET"

/* Stands for the policies in force where policy-diff takes a path. */
#define RF_POLICY_CURRENT "current"

#endif
