#!/bin/sh
# Installs the real software that the tests judge with, and runs every test; nothing is skipped.
# Wants root on Debian 12, and Rust.
set -eu
cd "$(dirname "$0")/.."

sh tests/real/install.sh
sh tests/real/lab/engine.sh start
trap 'sh tests/real/lab/engine.sh stop' EXIT
sh tests/real/lab/images.sh
sh tests/real/lab/stand-ins.sh
sh tests/real/scripts/roots.sh

# More tests at a time than there are cores: they wait for cron, timers and containers most of the time.
RUST_TEST_THREADS=${RUST_TEST_THREADS:-6} TLSGEN_REQUIRE_JUDGES=1 cargo test --locked "$@"
