// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of Kubernetes' NetworkPolicy: the fields of networking.k8s.io/v1
 * with upstream's defaults, and the metadata that an API server adds. Where
 * upstream takes null for a field that is not there, so does this.
 */
#include "user/policy/schema.h"

#define STRINGS(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define FIELDS(...)  ((const struct rf_field[]){ __VA_ARGS__, { .key = NULL } })
#define F(k, t, ...) { .key = (k), .type = RF_TYPE_##t, __VA_ARGS__ }
#define IGNORED(k)   F(k, STRING, .ignored = true, .text = "Accepted, and without a meaning here.")

/* "itself" and "its node" follow the rules of every manifest, and all of them together make one rule set. */
#define MAX_RULES (RF_MAX_RULES - 2)

#define LABEL_SELECTOR                                                                                               \
	FIELDS(F("matchLabels", LABELS, .nullable = true, .text = "Labels with these values; all must be there."),   \
	       F("matchExpressions", OBJECT, .list = true, .max = RF_MAX_KEYS, .nullable = true,                     \
		 .text = "Requirements; all must hold.",                                                             \
		 .children = FIELDS(F("key", STRING, .required = true, .text = "The label."),                        \
				    F("operator", ENUM, .required = true,                                            \
				      .values = STRINGS("In", "NotIn", "Exists", "DoesNotExist"),                    \
				      .text = "How it is compared. NotIn also holds where there is no such label."), \
				    F("values", STRING, .list = true, .max = RF_MAX_KEYS, .nullable = true,          \
				      .empty = true, .text = "Of In and NotIn: at least one."))))

#define PEER_FIELDS                                                                                                 \
	FIELDS(F("podSelector", OBJECT,                                                                             \
		 .text = "Pods with these labels, of the policy's own namespace or of those of namespaceSelector.", \
		 .children = LABEL_SELECTOR),                                                                       \
	       F("namespaceSelector", OBJECT, .example = "matchLabels: {kubernetes.io/metadata.name: prod}",        \
		 .text = "Pods of these namespaces. The one label that a host knows of a namespace is "             \
			 "kubernetes.io/metadata.name, its name; {} is all of them.",                               \
		 .children = LABEL_SELECTOR),                                                                       \
	       F("ipBlock", OBJECT, .text = "Addresses; such a peer has nothing else.",                             \
		 .children = FIELDS(F("cidr", CIDR, .required = true, .masked = true,                               \
				      .text = "IPv4 or IPv6 prefix; bits past it are cleared, with a warning."),    \
				    F("except", CIDR, .list = true, .max = RF_MAX_EXCEPTS, .nullable = true,        \
				      .masked = true,                                                               \
				      .text = "Parts of cidr that do not match. Each is smaller than it."))))

#define PORTS                                                                                                      \
	F("ports", OBJECT, .list = true, .max = RF_MAX_PORTS_PER_RULE, .nullable = true,                           \
	  .text = "Protocols and ports; none means any.",                                                          \
	  .children = FIELDS(                                                                                      \
		  F("protocol", ENUM, .dflt = "TCP", .values = STRINGS("TCP", "UDP", "SCTP"),                      \
		    .text = "The protocol."),                                                                      \
		  F("port", INTEGER, .min = 1, .max = 65535,                                                       \
		    .expected = "write the number: what a port's name stands for is in the specification of each " \
				"pod, which no file on the host tells",                                            \
		    .text = "A port of the selected pods for ingress, of the peer for egress; none means any. "    \
			    "A port's name cannot be resolved on a host."),                                        \
		  F("endPort", INTEGER, .min = 1, .max = 65535, .text = "Last port of a range that begins at port.")))

#define DIRECTION(k, peers_key, peers_text, text_)                                                              \
	F(k, OBJECT, .list = true, .max = MAX_RULES, .nullable = true, .text = text_,                           \
	  .children = FIELDS(F(peers_key, OBJECT, .list = true, .max = RF_MAX_PEERS_PER_RULE, .nullable = true, \
			       .text = peers_text, .children = PEER_FIELDS),                                    \
			     PORTS))

static const struct rf_field metadata_fields[] = {
	F("name", NAME, .required = true, .text = "The policy's name, unique in its namespace."),
	F("namespace", NAME, .dflt = "default", .text = "The namespace of the pods that it selects."),
	F("labels", LABELS, .nullable = true, .text = "For people and tools."),
	F("annotations", LABELS, .nullable = true, .example = "annotations: {ringfence.io/mode: audit}",
	  .text = "For people and tools; ringfence.io/mode is enforce, the default, or audit."),
	IGNORED("generateName"),
	IGNORED("creationTimestamp"),
	IGNORED("deletionTimestamp"),
	IGNORED("deletionGracePeriodSeconds"),
	IGNORED("finalizers"),
	IGNORED("generation"),
	IGNORED("managedFields"),
	IGNORED("ownerReferences"),
	IGNORED("resourceVersion"),
	IGNORED("selfLink"),
	IGNORED("uid"),
	{ .key = NULL },
};

static const struct rf_field spec_fields[] = {
	F("podSelector", OBJECT, .nullable = true,
	  .text = "The pods of the namespace that it applies to, as far as files on the host tell their labels; "
		  "{} is all of them.",
	  .children = LABEL_SELECTOR),
	F("policyTypes", ENUM, .list = true, .max = 2, .nullable = true, .values = STRINGS("Ingress", "Egress"),
	  .text = "The directions that are isolated. None means Ingress, and Egress as well where it has rules."),
	DIRECTION("ingress", "from", "Peers; none means any.",
		  "What is allowed to the pods, besides what they open to themselves and what their node opens."),
	DIRECTION("egress", "to", "Peers; none means any.",
		  "What is allowed from the pods, besides what they open to themselves and to their node."),
	{ .key = NULL },
};

const struct rf_field rf_schema_kubernetes =
	F("", OBJECT,
	  .text = "Kubernetes' NetworkPolicy (networking.k8s.io/v1), taken as it is. It becomes a policy of the tenant "
		  "\"default\" with priority 100. What an API server adds to metadata, and status, is accepted.",
	  .children =
		  FIELDS(F("apiVersion", ENUM, .required = true, .values = STRINGS("networking.k8s.io/v1"),
			   .expected = RF_DOCUMENT_KINDS, .text = "The version of the language."),
			 F("kind", ENUM, .required = true, .values = STRINGS("NetworkPolicy"),
			   .expected = RF_DOCUMENT_KINDS, .text = "The kind of document."),
			 F("metadata", OBJECT, .required = true, .text = "Names.", .children = metadata_fields),
			 F("spec", OBJECT, .required = true, .text = "What the policy says.", .children = spec_fields),
			 IGNORED("status")));

/* The items are documents, each by a table of its own. */
const struct rf_field rf_schema_kubernetes_list =
	F("", OBJECT, .text = "Several documents, as kubectl prints them.",
	  .children =
		  FIELDS(F("apiVersion", ENUM, .required = true, .values = STRINGS("v1"), .text = "Its version."),
			 F("kind", ENUM, .required = true, .values = STRINGS("List"), .text = "Its kind."),
			 F("items", OBJECT, .list = true, .required = true, .ignored = true, .text = "The documents."),
			 IGNORED("metadata")));
