#!/bin/sh
# Installs the real software that the tests judge with, and runs every test, or those that the arguments of
# `cargo test` ask for; nothing is skipped. Wants root on Debian 12, and Rust.
set -eu
cd "$(dirname "$0")/.."

# These wait most of the time, for cron, timers and containers: they run beside those that work.
waiting='killed real_compose_base real_five_servers real_frontend real_haproxy real_issued real_pods real_renewal real_units'

main() {
	trap 'wait; sh tests/real/lab/engine.sh stop' EXIT
	sh tests/real/prepare.sh &
	preparing=$!
	cargo test --locked --no-run "$@"
	wait "$preparing"

	# More tests at a time than there are cores, since all wait a little.
	export RUST_TEST_THREADS="${RUST_TEST_THREADS:-3}" TLSGEN_REQUIRE_JUDGES=1
	if [ $# -gt 0 ]; then
		cargo test --locked "$@"
	else
		every_suite
	fi
}

# What the waiting ones print is shown when the others are through.
every_suite() {
	log=target/judges/waiting.log
	# shellcheck disable=SC2046,SC2086 # lists of names
	suites $(chosen $waiting) >"$log" 2>&1 &
	waited=$!
	result=0
	# shellcheck disable=SC2046 # a list of names
	suites --lib --bins $(chosen $(working)) || result=$?
	suites --doc || result=$?
	wait "$waited" || result=$?
	cat "$log"
	return "$result"
}

# All of them run, whatever fails: one run tells everything.
suites() {
	cargo test --locked --no-fail-fast "$@"
}

chosen() {
	printf -- '--test %s\n' "$@"
}

working() {
	cargo metadata --locked --no-deps --format-version 1 |
		jq -r --arg waiting "$waiting" \
			'.packages[].targets[] | select(.kind == ["test"]).name | select(IN($waiting | split(" ")[]) | not)'
}

main "$@"
