// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of sockets: which side opened a connection, and whether it leads elsewhere. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>

#include "user/collect/socket_table.h"
#include "user/lib/util.h"

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
#define TAIL "00000000:00000000 00:00000000 00000000  1000        0 "

static const struct rf_port_range given = { 32768, 60999 };

static struct rf_span text(const char *s)
{
	return (struct rf_span){ s, strlen(s) };
}

/* The address as the host has its words in memory. */
static void address_print(char *to, size_t size, const char *address)
{
	uint32_t words[4];
	int n = strchr(address, ':') ? 4 : 1;

	assert_int_equal(inet_pton(n == 4 ? AF_INET6 : AF_INET, address, words), 1);
	for (int i = 0; i < n; i++)
		snprintf(to + 8 * i, size - 8 * i, "%08X", words[i]);
}

static void row_print(char *to, size_t size, const char *local, unsigned int lport, const char *remote,
		      unsigned int rport, unsigned int state, unsigned int inode)
{
	char l[40], r[40];

	address_print(l, sizeof(l), local);
	address_print(r, sizeof(r), remote);
	snprintf(to, size, "   0: %s:%04X %s:%04X %02X " TAIL "%u 1 0000000000000000 20 4 30 10 -1\n", l, lport, r,
		 rport, state, inode);
}

/* Of a table with this one and, where @listens, a listener on its port. */
static int opened(const char *local, unsigned int lport, const char *remote, unsigned int rport, bool listens)
{
	char line[256], listener[256] = "", table[1024];

	row_print(line, sizeof(line), local, lport, remote, rport, TCP_ESTABLISHED, 77);
	if (listens)
		row_print(listener, sizeof(listener), "0.0.0.0", lport, "0.0.0.0", 0, TCP_LISTEN, 78);
	snprintf(table, sizeof(table), HEAD "%s%s", listener, line);
	return rf_socket_table_opened(text(table), 77, &given);
}

static void a_row_is_told(void **state)
{
	char line[256];
	struct rf_socket_row row;
	struct rf_span rest;

	(void)state;
	row_print(line, sizeof(line), "192.0.2.1", 40000, "2001:db8::1", 443, TCP_SYN_SENT, 123456789);
	rest = text(line);
	assert_true(rf_socket_table_next(&rest, &row));
	assert_int_equal(row.local.family, AF_INET);
	assert_int_equal(row.local.addr[0], 192);
	assert_int_equal(row.local.addr[3], 1);
	assert_int_equal(row.local.port, 40000);
	assert_int_equal(row.remote.family, AF_INET6);
	assert_int_equal(row.remote.addr[0], 0x20);
	assert_int_equal(row.remote.addr[15], 1);
	assert_int_equal(row.remote.port, 443);
	assert_int_equal(row.state, TCP_SYN_SENT);
	assert_int_equal(row.inode, 123456789);
	assert_false(rf_socket_table_next(&rest, &row));
}

static void what_this_side_opened_to_elsewhere_is_told_from_what_it_did_not(void **state)
{
	(void)state;
	assert_int_equal(opened("192.0.2.1", 40000, "198.51.100.1", 443, false), 1);
	/* It was accepted, or is bound to a port of its own. */
	assert_int_equal(opened("192.0.2.1", 40000, "198.51.100.1", 443, true), 0);
	assert_int_equal(opened("192.0.2.1", 8000, "198.51.100.1", 50000, false), 0);
	/* No peer, as of a datagram socket that is not connected. */
	assert_int_equal(opened("0.0.0.0", 40000, "0.0.0.0", 0, false), 0);
	assert_int_equal(opened("2001:db8::1", 40000, "2001:db8::2", 443, false), 1);
}

static void loopback_is_not_elsewhere_in_any_of_its_forms(void **state)
{
	(void)state;
	assert_int_equal(opened("127.0.0.1", 40000, "127.0.0.1", 443, false), 0);
	assert_int_equal(opened("127.0.0.1", 40000, "127.8.9.1", 443, false), 0);
	assert_int_equal(opened("::1", 40000, "::1", 443, false), 0);
	assert_int_equal(opened("::ffff:127.0.0.1", 40000, "::ffff:127.0.0.1", 443, false), 0);
	assert_int_equal(opened("::ffff:192.0.2.1", 40000, "::ffff:192.0.2.2", 443, false), 1);
}

static void the_ports_are_those_that_the_kernel_gives(void **state)
{
	(void)state;
	assert_int_equal(opened("192.0.2.1", 32767, "198.51.100.1", 443, false), 0);
	assert_int_equal(opened("192.0.2.1", 32768, "198.51.100.1", 443, false), 1);
	assert_int_equal(opened("192.0.2.1", 60999, "198.51.100.1", 443, false), 1);
	assert_int_equal(opened("192.0.2.1", 61000, "198.51.100.1", 443, false), 0);
}

static void what_is_not_in_the_table_is_not_found(void **state)
{
	char line[256];

	(void)state;
	row_print(line, sizeof(line), "192.0.2.1", 40000, "198.51.100.1", 443, TCP_ESTABLISHED, 0);
	assert_int_equal(rf_socket_table_opened(text(line), 5, &given), -ENOENT);
	/* It is nobody's. */
	assert_int_equal(rf_socket_table_opened(text(line), 0, &given), -ENOENT);
	assert_int_equal(rf_socket_table_opened(text(""), 5, &given), -ENOENT);
}

static void what_is_no_row_is_passed_over(void **state)
{
	static const char *const bad[] = { "",
					   "\n",
					   HEAD,
					   "0:\n",
					   "0 0100007F:0CEA 00000000:0000 0A " TAIL "5\n",
					   "0: 0100007F:0CE 00000000:0000 0A " TAIL "5\n",
					   "0: 0100007F00CEA 00000000:0000 0A " TAIL "5\n",
					   "0: 0100007G:0CEA 00000000:0000 0A " TAIL "5\n",
					   "0: 0100007F:0CEA 00000000:0000 0A\n",
					   "0: 0100007F:0CEA 00000000:0000 xx " TAIL "5\n",
					   "0: 0100007F:0CEA 00000000:0000 0A " TAIL "\n",
					   "0: 0100007F:0CEA 00000000:0000 0A " TAIL "x\n",
					   "0: 0100007F:0CEA 00000000:0000 0A " TAIL "99999999999999999999\n" };
	struct rf_socket_row row;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct rf_span rest = text(bad[i]);

		assert_false(rf_socket_table_next(&rest, &row));
	}
}

static void a_range_of_ports_is_two_numbers(void **state)
{
	static const char *const bad[] = {
		"", "\n", "1", "32768 \n", "x 1\n", "5 4\n", "0 4\n", "1 65536\n", "1 2 3\n"
	};
	struct rf_port_range range = { 1, 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(rf_port_range_parse(text(bad[i]), &range), -EBADMSG);
	assert_int_equal(range.last, 2);
	assert_int_equal(rf_port_range_parse(text("32768\t60999\n"), &range), 0);
	assert_int_equal(range.first, 32768);
	assert_int_equal(range.last, 60999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_told),
		cmocka_unit_test(what_this_side_opened_to_elsewhere_is_told_from_what_it_did_not),
		cmocka_unit_test(loopback_is_not_elsewhere_in_any_of_its_forms),
		cmocka_unit_test(the_ports_are_those_that_the_kernel_gives),
		cmocka_unit_test(what_is_not_in_the_table_is_not_found),
		cmocka_unit_test(what_is_no_row_is_passed_over),
		cmocka_unit_test(a_range_of_ports_is_two_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
