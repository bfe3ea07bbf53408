#!/bin/sh
# unpack.sh SUITE DIRECTORY PACKAGE...: unpacks packages of a Debian suite, each to DIRECTORY/PACKAGE, without installing.
# `unpack.sh mirror` prints the Debian mirror that the machine's own apt sources name.
set -eu

mirror() {
	# shellcheck disable=SC2016 # apt expands these, not the shell
	found=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' |
		sed -n '/security/d; s/^Debian //p' | sort -u | head -n 1)
	if [ -z "$found" ]; then
		echo "apt's sources name no Debian mirror, or apt-get update has not run" >&2
		return 1
	fi
	printf '%s\n' "$found"
}

if [ "${1-}" = mirror ]; then
	mirror
	exit
fi
[ $# -ge 3 ] || {
	echo 'usage: unpack.sh SUITE DIRECTORY PACKAGE...' >&2
	exit 2
}
suite=$1
directory=$2
shift 2

mkdir -p "$directory"
directory=$(CDPATH='' cd -- "$directory" && pwd -P)
apt=$directory/.apt
rm -rf "$apt"
trap 'rm -rf "$apt"' EXIT
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/etc/preferences.d" "$apt/debs"
: >"$apt/status"
source=$(mirror)
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' "$source" "$suite" \
	>"$apt/etc/sources.list"
# A state of its own: the machine's package lists stay as they are. Signatures are checked; only the age of a
# mirror's index is not, which a machine with a clock ahead of it would refuse.
cat >"$apt/apt.conf" <<CONF
Dir::State "$apt";
Dir::State::status "$apt/status";
Dir::State::lists "$apt/lists";
Dir::Cache "$apt/cache";
Dir::Etc "$apt/etc";
Dir::Etc::sourcelist "$apt/etc/sources.list";
Dir::Etc::sourceparts "-";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "root";
CONF
APT_CONFIG=$apt/apt.conf apt-get update -q
(cd "$apt/debs" && APT_CONFIG=$apt/apt.conf apt-get download -q "$@")
for deb in "$apt"/debs/*.deb; do
	package=$(dpkg-deb -f "$deb" Package)
	rm -rf "${directory:?}/$package"
	dpkg-deb -x "$deb" "$directory/$package"
	echo "$package $(dpkg-deb -f "$deb" Version)"
done
