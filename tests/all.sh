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

TLSGEN_REQUIRE_JUDGES=1 cargo test --locked "$@"
