#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Peers by country: who is in it and who is next to it, and what becomes of policies without a good database.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

make_mmdb=$build/tests/e2e/mmdb_make
[ -x "$make_mmdb" ] || { echo "Bail out! $make_mmdb is not built"; exit 1; }
db=$tmp/country.mmdb
database() { "$make_mmdb" "$db.new" "$@" && mv "$db.new" "$db"; }
for address in 10.8.1.1 10.8.2.1 10.8.3.1 10.9.0.1; do
	ip address add $address/32 dev lo
done
ip -6 address add fd08::1/128 dev lo nodad
ip -6 address add fd09::1/128 dev lo nodad
make_cgroup home away skip
server - tcp/0.0.0.0/7001 tcp/::/7001 udp/0.0.0.0/7001

# ---- without a database ----

home()
{
	doc home home <<'END'
network: {egress: {default: deny, rules: [{name: home, to: [{country: [DE, FR]}]}]}}
END
}
daemon_must_start --geo-database "$db"
home | put home
tap_ok "without a database a policy by country is refused, with the reason" \
	await 5 grep -q "home.yaml:.*policy home chooses peers by country: .*country.mmdb" "$tmp/log"
tap_is "and nothing of it is in force" allowed inside home "$net" tcp 10.9.0.1 7001
drop_force home
doc skip skip <<'END' | put_force skip
network:
  geo: {ifUnavailable: skip}
  egress: {default: deny, rules: [{name: home, to: [{country: [DE]}]}, {name: six, to: [{cidr: "::/0"}]}]}
END
tap_is "one that skips it is in force: the country matches nobody" denied inside skip "$net" tcp 10.8.1.1 7001
tap_is "and its other rules match" allowed inside skip "$net" tcp fd08::1 7001
drop_force skip

# ---- with one ----

database 10.8.0.0/16=DE 10.8.2.0/24=FR 10.8.3.0/24=US 10.9.0.0/16=US fd08::/32=DE fd09::/32=US
{
	home
	doc away away <<'END'
network: {egress: {default: allow, rules: [{name: not there, action: deny, to: [{country: [US]}]}]}}
END
} | put_force home
tap_is "an address of the country is reached" allowed inside home "$net" tcp 10.8.1.1 7001
tap_is "and one of the other country of the list" allowed inside home "$net" tcp 10.8.2.1 7001
tap_is "a part of the prefix that is another country's is not" denied inside home "$net" tcp 10.8.3.1 7001
tap_is "nor another prefix" denied inside home "$net" tcp 10.9.0.1 7001
tap_is "nor what no country has" denied inside home "$net" tcp 127.0.0.1 7001
tap_is "UDP: the country is reached" allowed inside home "$net" udp 10.8.1.1 7001
tap_is "UDP: another one is not" denied inside home "$net" udp 10.9.0.1 7001
tap_is "IPv6: the country is reached" allowed inside home "$net" tcp fd08::1 7001
tap_is "IPv6: another one is not" denied inside home "$net" tcp fd09::1 7001
tap_is "mapped: the country is reached" allowed inside home "$net" tcp ::ffff:10.8.1.1 7001
tap_is "mapped: another one is not" denied inside home "$net" tcp ::ffff:10.9.0.1 7001
tap_is "deny by country: denied" denied inside away "$net" tcp 10.8.3.1 7001
tap_is "deny by country: everybody else is reached" allowed inside away "$net" tcp 10.8.1.1 7001

# ---- wrong, old and new ones ----

doc wrong away <<'END' | put wrong
network: {ingress: {default: deny, rules: [{from: [{country: [XX]}]}]}}
END
tap_ok "a country that the database does not have is an error" \
	await 5 grep -q "wrong.yaml:.*policy wrong chooses peers by country: .*has no country XX" "$tmp/log"
tap_is "and the old policies stay in force" denied inside home "$net" tcp 10.9.0.1 7001
drop_force wrong
database -t 1000000000 10.0.0.0/8=DE 2001:db8::/32=FR fd09::/32=US
doc old away <<'END' | put old
network: {geo: {maxAge: 30d}, ingress: {default: deny, rules: [{from: [{country: [DE]}]}]}}
END
tap_ok "one that is older than maxAge is an error" \
	await 5 grep -q "old.yaml:.*country.mmdb is [0-9]* days old, and maxAge is 30 days" "$tmp/log"
drop_force old
tap_is "the new file is in force with the next apply" allowed inside home "$net" tcp 10.9.0.1 7001
echo broken >"$db"
doc more skip <<'END' | put_force more
network: {egress: {default: deny, rules: [{to: [{country: [DE]}]}]}}
END
tap_is "a broken file leaves the one that was read before" allowed inside skip "$net" tcp 10.9.0.1 7001
tap_ok "and is told" grep -q "country.mmdb.*the database that was read before is still used" "$tmp/log"
database 10.8.0.0/16=DE 10.9.0.0/16=US fd09::/32=FR
followed() { [ "$(inside home "$net" tcp 10.9.0.1 7001)" = denied ]; }
tap_ok "a new file comes into force by itself" await 40 followed
tap_is "and still allows what it should" allowed inside home "$net" tcp 10.8.3.1 7001
tap_done
