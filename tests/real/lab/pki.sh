#!/bin/sh
# Test certificates. Both write NAME.pem and NAME.key (ECDSA P-256) into DIRECTORY and keep what is there already.
#   pki.sh root DIRECTORY NAME COMMON-NAME
#   pki.sh leaf DIRECTORY ROOT NAME SAN...      a server certificate; a SAN is a DNS name or an IP address
set -eu

usage() {
	sed -n '2,4s/^# *//p' "$0" >&2
	exit 2
}

# A server in a container may run as anybody: these keys guard nothing.
finish() {
	chmod 644 "$1.key"
	mv -f "$1.pem.new" "$1.pem"
}

kind=${1-}
case $kind in
root)
	[ $# -eq 4 ] || usage
	mkdir -p "$2"
	file=$2/$3
	[ ! -f "$file.pem" ] || exit 0
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 3650 \
		-subj "/O=tlsgen lab/CN=$4" -keyout "$file.key" -out "$file.pem.new" \
		-addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' 2>/dev/null
	finish "$file"
	;;
leaf)
	[ $# -ge 5 ] || usage
	directory=$2 root=$2/$3 file=$2/$4
	shift 4
	[ ! -f "$file.pem" ] || exit 0
	names=
	for name in "$@"; do
		case $name in
		*:*) names="$names,IP:$name" ;;
		*[!0-9.]*) names="$names,DNS:$name" ;;
		*) names="$names,IP:$name" ;;
		esac
	done
	scratch=$(mktemp -d "$directory/.leaf.XXXXXX")
	trap 'rm -rf "$scratch"' EXIT
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -subj "/CN=$1" \
		-keyout "$file.key" -out "$scratch/csr" 2>/dev/null
	cat >"$scratch/extensions" <<EXTENSIONS
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = ${names#,}
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
EXTENSIONS
	openssl x509 -req -in "$scratch/csr" -CA "$root.pem" -CAkey "$root.key" -set_serial "0x$(openssl rand -hex 15)" \
		-sha256 -days 90 -extfile "$scratch/extensions" -out "$file.pem.new" 2>/dev/null
	finish "$file"
	;;
*) usage ;;
esac
