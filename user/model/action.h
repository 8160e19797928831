/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few enums that policies, verdicts and reports share, and their names. */
#ifndef RF_MODEL_ACTION_H
#define RF_MODEL_ACTION_H

enum rf_action { RF_ACTION_ALLOW, RF_ACTION_DENY, RF_ACTIONS };
enum rf_mode { RF_MODE_ENFORCE, RF_MODE_AUDIT, RF_MODES };

/* What a host can do with a feature. Ordered: higher is better. */
enum rf_support { RF_SUPPORT_UNAVAILABLE, RF_SUPPORT_BEST_EFFORT, RF_SUPPORT_ENFORCED };

/*
 * Everything that a policy can ask of a host, probed at start.
 * X(enum suffix, name as shown, section of the policy that needs it)
 */
#define RF_FEATURES(X)                                                                    \
	X(IDENTITY, "identity", "spec.select")                                            \
	X(NETWORK_EGRESS, "network-egress", "spec.network.egress")                        \
	X(NETWORK_INGRESS, "network-ingress", "spec.network.ingress")                     \
	X(NETWORK_CONNECT, "network-connect-errno", "spec.network.egress")                \
	X(DEVICES, "devices", "spec.devices")                                             \
	X(EVENTS_PROCESS, "events-process", "spec.telemetry")                             \
	X(EVENTS_NETWORK, "events-network", "spec.telemetry")                             \
	X(PROCESS, "process", "spec.process")                                             \
	X(FILES, "files", "spec.files")                                                   \
	X(KERNEL, "kernel-surface", "spec.kernel")                                        \
	X(ACCELERATORS, "accelerators", "spec.accelerators")                              \
	X(RESOURCES, "resources", "spec.resources")                                       \
	X(ANOMALY, "anomaly", "spec.anomaly")                                             \
	X(RESPOND, "respond", "spec.respond")                                             \
	X(NETWORK_PEERS, "network-peers", "spec.network peers by workload, host, world")  \
	X(NETWORK_NAMES, "network-names", "spec.network peers by dns")                    \
	X(NETWORK_COUNTRIES, "network-countries", "spec.network peers by country")        \
	X(NETWORK_RATES, "network-rates", "spec.network.rates")                           \
	X(NETWORK_RULE_RATES, "network-rule-rates", "spec.network rates of rules")        \
	X(NETWORK_SOCKETS, "network-sockets", "spec.network.sockets, all but raw")        \
	X(BPF_LSM, "bpf-lsm", "level 1")                                                  \
	X(MODULE, "module", "level 2")                                                    \
	X(NETWORK_RAW, "network-raw-sockets", "spec.network.sockets, raw")                \
	X(GUARD, "guard", "ringfenced --lock")                                            \
	X(ISOLATION, "isolation", "spec.isolation")                                       \
	X(KERNEL_SYSCTL, "kernel-sysctl", "spec.kernel, sysctl and corePattern")          \
	X(LINEAGE, "lineage", "kind: Label")                                              \
	X(ACCELERATOR_IOCTLS, "accelerator-ioctls", "spec.accelerators operations")       \
	X(ACCELERATOR_ACCOUNTING, "accelerator-accounting", "ringfence accel")            \
	X(ACCELERATOR_QUOTAS, "accelerator-quotas", "spec.accelerators.quota")            \
	X(ACCELERATOR_CALLS, "accelerator-calls", "spec.accelerators.userModeSubmission") \
	X(ACCELERATOR_MEMORY, "accelerator-memory", "spec.accelerators.quota.memory")

enum rf_feature {
#define X(id, name, section) RF_FEATURE_##id,
	RF_FEATURES(X)
#undef X
		RF_FEATURE_COUNT
};

const char *rf_action_name(enum rf_action a);	/* "allow", "deny" */
const char *rf_mode_name(enum rf_mode m);	/* "enforce", "audit" */
const char *rf_support_name(enum rf_support s); /* "unavailable", "best effort", "enforced" */
const char *rf_feature_name(enum rf_feature f);
const char *rf_feature_section(enum rf_feature f);

#endif
