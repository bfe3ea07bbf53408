#!/bin/sh
# nginx.sh TREE DIRECTORY HOSTS ARGUMENT...: the nginx of a tree (see install.sh), with DIRECTORY as its /etc/nginx and
# HOSTS as its /etc/hosts, in a mount namespace of its own. Names that HOSTS does not hold are not resolved.
set -eu

[ $# -ge 3 ] || {
	echo 'usage: nginx.sh TREE DIRECTORY HOSTS ARGUMENT...' >&2
	exit 2
}
# shellcheck disable=SC2016 # the inner shell expands these
exec unshare --mount sh -euc '
	tree=$1
	for file in hosts resolv.conf; do
		[ -e "$tree/etc/$file" ] || : >"$tree/etc/$file"
	done
	mount --bind "$2" "$tree/etc/nginx"
	mount --bind "$3" "$tree/etc/hosts"
	mount --bind /dev/null "$tree/etc/resolv.conf"
	shift 3
	exec chroot "$tree" /usr/sbin/nginx "$@"
' sh "$@"
