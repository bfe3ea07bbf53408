#!/bin/sh
# Somebody else's authority, for transcripts: `sign.sh new DIR` makes a root and an issuing CA in DIR,
# `sign.sh DIR REQUEST [DAYS-FROM] [UNTIL] [EXTENSION…]` prints a certificate. Dates are fixed.
set -eu
if [ "$1" = new ]; then
  mkdir -p "$2"
  cd "$2"
  cat >ca.cnf <<'CNF'
[ca]
default_ca = any
[any]
new_certs_dir = .
database = index.txt
rand_serial = yes
unique_subject = no
policy = anything
default_md = sha256
[anything]
commonName = optional
[req]
distinguished_name = empty
prompt = no
[empty]
CNF
  : >index.txt
  for name in root issuing; do
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $name.key
    openssl req -new -config ca.cnf -key $name.key -subj "/CN=Corp $name" -out $name.csr
    printf '%s\n' basicConstraints=critical,CA:true keyUsage=critical,keyCertSign,cRLSign \
      subjectKeyIdentifier=hash authorityKeyIdentifier=keyid >extensions
    signer='-keyfile root.key -cert root.pem'
    [ $name = issuing ] || signer='-selfsign -keyfile root.key'
    openssl ca -batch -notext -config ca.cnf $signer -startdate 20260101000000Z -enddate 20400101000000Z \
      -extfile extensions -in $name.csr -out $name.pem 2>/dev/null
  done
  exit
fi
request=$PWD/$2
cd "$1"
from=${3:-20261101000000Z}
until=${4:-20270130000000Z}
if [ $# -gt 4 ]; then
  shift 4
else
  names=$(openssl req -in "$request" -noout -text | sed -n '/Alternative Name/{n;s/IP Address/IP/g;s/^ *//;p;}')
  set -- "subjectAltName=$names" extendedKeyUsage=serverAuth
fi
printf '%s\n' "$@" basicConstraints=CA:false keyUsage=critical,digitalSignature authorityKeyIdentifier=keyid >extensions
openssl ca -batch -notext -config ca.cnf -keyfile issuing.key -cert issuing.pem -startdate "$from" -enddate "$until" \
  -extfile extensions -in "$request" 2>/dev/null
