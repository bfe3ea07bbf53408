#!/bin/sh
# Makes a certificate and key for development, and first the CA that signs them unless it is there:
#   sh pki/make.sh
# Run it again, then `tlsgen build`, to renew. DAYS (90) and NAMES may be set. Finished files are put
# in place by renaming, key before certificate, so that nobody reads half a one.
set -eu
umask 077
cd "$(dirname "$0")"
days=${DAYS:-90}
names=${NAMES:-DNS:dev.lab.example,DNS:localhost}
new=$(mktemp -d ./new.XXXXXX)
trap 'rm -rf "$new"' EXIT
mkdir -p private
# Whoever runs containers may look through it to the one file that is theirs.
chmod 711 private

openssl_ec() { openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

if [ ! -f dev-ca.key ]; then
	openssl_ec "$new/dev-ca.key"
	openssl req -x509 -new -key "$new/dev-ca.key" -sha256 -days 3650 -subj '/O=Example Lab/CN=Development CA' \
		-addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$new/dev-ca.pem"
	chmod 644 "$new/dev-ca.pem"
	mv "$new/dev-ca.key" "$new/dev-ca.pem" .
fi

openssl_ec "$new/dev.key"
openssl req -new -key "$new/dev.key" -subj "/CN=dev.lab.example" -out "$new/request.pem"
# With extensions it is X.509 v3. Names are matched in subjectAltName alone.
cat >"$new/extensions" <<EXTENSIONS
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = $names
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
EXTENSIONS
openssl x509 -req -in "$new/request.pem" -CA dev-ca.pem -CAkey dev-ca.key -set_serial "0x$(openssl rand -hex 15)" \
	-sha256 -days "$days" -extfile "$new/extensions" -out "$new/dev.pem" 2>/dev/null
chmod 644 "$new/dev.pem"
mv "$new/dev.key" private/dev.key
mv "$new/dev.pem" dev.pem
