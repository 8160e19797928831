// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of names. Total: what has none is shown as a number. */
#include "user/model/sockets.h"

#include <assert.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "user/lib/util.h"

const char *const rf_socket_kind_names[] = {
	[RF_SOCKET_RAW] = "raw",     [RF_SOCKET_PACKET] = "packet",
	[RF_SOCKET_VSOCK] = "vsock", [RF_SOCKET_UNIX] = "unixOtherTenants",
	[RF_SOCKET_NETLINK] = NULL, /* has a list of its own */
};
static_assert(ARRAY_SIZE(rf_socket_kind_names) == RF_SOCKET_KINDS, "a kind of socket has no name");

/* Those that a kernel of today makes, or hands to a module. */
#define NETLINKS(X)       \
	X(ROUTE)          \
	X(USERSOCK)       \
	X(SOCK_DIAG)      \
	X(NFLOG)          \
	X(XFRM)           \
	X(SELINUX)        \
	X(ISCSI)          \
	X(AUDIT)          \
	X(FIB_LOOKUP)     \
	X(CONNECTOR)      \
	X(NETFILTER)      \
	X(KOBJECT_UEVENT) \
	X(GENERIC)        \
	X(SCSITRANSPORT)  \
	X(ECRYPTFS)       \
	X(RDMA)           \
	X(CRYPTO)         \
	X(SMC)

const char *const rf_netlink_names[] = {
#define X(name) "NETLINK_" #name,
	NETLINKS(X)
#undef X
		NULL,
};

static const unsigned int netlink_families[] = {
#define X(name) NETLINK_##name,
	NETLINKS(X)
#undef X
};
static_assert(MAX_LINKS == RF_NETLINK_FAMILIES, "a netlink family has no bit");

int rf_socket_kind_parse(const char *name)
{
	for (int i = 0; rf_socket_kind_names[i]; i++)
		if (strcasecmp(rf_socket_kind_names[i], name) == 0)
			return i;
	return -EINVAL;
}

int rf_netlink_parse(const char *name)
{
	for (size_t i = 0; rf_netlink_names[i]; i++)
		if (strcasecmp(rf_netlink_names[i], name) == 0)
			return (int)netlink_families[i];
	return -EINVAL;
}

const char *rf_netlink_name(unsigned int family)
{
	for (size_t i = 0; rf_netlink_names[i]; i++)
		if (netlink_families[i] == family)
			return rf_netlink_names[i];
	return NULL;
}

const char *rf_socket_rule_name(unsigned int rule, char buffer[static RF_SOCKET_RULE_NAME])
{
	if (rule < RF_SOCKET_NETLINK)
		snprintf(buffer, RF_SOCKET_RULE_NAME, "sockets.deny[%s]", rf_socket_kind_names[rule]);
	else
		snprintf(buffer, RF_SOCKET_RULE_NAME, "sockets.netlink");
	return buffer;
}

struct word {
	unsigned int value;
	const char *name;
};

static const char *word_name(const struct word *words, size_t n, unsigned int value, char *buffer)
{
	for (size_t i = 0; i < n; i++)
		if (words[i].value == value)
			return words[i].name;
	snprintf(buffer, RF_SOCKET_WORD, "%u", value);
	return buffer;
}

const char *rf_socket_family_name(unsigned int family, char buffer[static RF_SOCKET_WORD])
{
	static const struct word words[] = {
		{ AF_UNIX, "unix" },	 { AF_INET, "inet" },	{ AF_INET6, "inet6" }, { AF_NETLINK, "netlink" },
		{ AF_PACKET, "packet" }, { AF_VSOCK, "vsock" }, { AF_XDP, "xdp" },
	};

	return word_name(words, ARRAY_SIZE(words), family, buffer);
}

const char *rf_socket_type_name(unsigned int type, char buffer[static RF_SOCKET_WORD])
{
	static const struct word words[] = {
		{ SOCK_STREAM, "stream" }, { SOCK_DGRAM, "dgram" },	    { SOCK_RAW, "raw" },
		{ SOCK_RDM, "rdm" },	   { SOCK_SEQPACKET, "seqpacket" }, { SOCK_PACKET, "packet" },
	};

	return word_name(words, ARRAY_SIZE(words), type, buffer);
}
