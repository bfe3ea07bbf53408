#!/bin/sh
# Brings all that the tests judge with: the software, a Docker engine that runs, its images, and the roots in which
# scripts are run. A second run only starts the engine. Prints one line per step; exits 1 with the step that failed.
set -eu
cd "$(dirname "$0")"

sh install.sh
sh lab/engine.sh start
sh lab/images.sh
sh lab/stand-ins.sh
sh scripts/roots.sh
