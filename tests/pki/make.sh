#!/bin/sh
# Makes every certificate of this folder anew: openssl 3.0 or later, and keytool for the Java stores.
# The keys are thrown away, except the few that a test reads. Dates and serials are fixed, keys are
# not, so that fingerprints change with every run: run it only to add a case, and commit the whole.
set -eu
cd "$(dirname "$0")"
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

company="/C=DE/O=Corp Example GmbH"
echo 0 >count

cat >ca.cnf <<'CNF'
[ca]
default_ca = any
[any]
new_certs_dir = .
database = index.txt
serial = serial
unique_subject = no
policy = anything
preserve = yes
email_in_dn = yes
default_md = sha256
string_mask = utf8only
[anything]
domainComponent = optional
countryName = optional
organizationName = optional
organizationalUnitName = optional
commonName = optional
[req]
distinguished_name = empty
prompt = no
utf8 = yes
string_mask = utf8only
[empty]
CNF

key() { # name [algorithm]
  case ${2:-p256} in
    p256) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" ;;
    p384) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$1.key" ;;
    p521) openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out "$1.key" ;;
    rsa*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${2#rsa}" -out "$1.key" ;;
    ed25519) openssl genpkey -quiet -algorithm ed25519 -out "$1.key" ;;
  esac
}

# issue NAME SIGNER SUBJECT FROM UNTIL DIGEST, extensions on standard input (none: X.509 v1);
# makes NAME.pem for NAME.key, signed by SIGNER (which may be NAME itself)
issue() {
  cat >extensions
  count=$(($(cat count) + 1))
  echo "$count" >count
  printf '7e57000000000000000000000000%04x\n' "$count" >serial
  : >index.txt
  openssl req -new -config ca.cnf -utf8 -key "$1.key" -subj "$3" -out request.pem
  if [ "$1" = "$2" ]; then by="-selfsign"; else by="-cert $2.pem"; fi
  if [ -s extensions ]; then how="-extfile extensions"; else how=""; fi
  # shellcheck disable=SC2086
  openssl ca -config ca.cnf -batch -notext -md "$6" -keyfile "$2.key" $by $how \
    -startdate "$4" -enddate "$5" -in request.pem -out "$1.pem" 2>log || { cat log >&2; exit 1; }
}

good_root="basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash"
leaf="basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
authorityKeyIdentifier=keyid
subjectKeyIdentifier=hash"

root() { # NAME COMMON_NAME FROM UNTIL
  [ -e "$1.key" ] || key "$1"
  issue "$1" "$1" "$company/CN=$2" "$3" "$4" sha256
}

# --- roots
echo "$good_root" | root corp-root "Corp Root CA" 20260101000000Z 20460101000000Z
echo "$good_root" | root corp-root-2026 "Corp Root CA" 20261001000000Z 20461001000000Z
echo "$good_root" | root other-root "Other Lab Root CA" 20260101000000Z 20460101000000Z
echo "$good_root" | root expired-root "Expired Root CA" 20100101000000Z 20200101000000Z
echo "$good_root" | root expiring-soon-root "Expiring Root CA" 20161210000000Z 20261210000000Z
echo "$good_root" | root not-yet-root "Not Yet Root CA" 20280101000000Z 20480101000000Z
root no-keycertsign "No CertSign Root CA" 20260101000000Z 20460101000000Z <<'X'
basicConstraints=critical,CA:TRUE
keyUsage=critical,digitalSignature,cRLSign
subjectKeyIdentifier=hash
X
root noncritical-bc "Non-Critical Root CA" 20260101000000Z 20460101000000Z <<'X'
basicConstraints=CA:TRUE
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
X
root no-ku-root "No Usage Root CA" 20260101000000Z 20460101000000Z <<'X'
basicConstraints=critical,CA:TRUE
subjectKeyIdentifier=hash
X
key sha1-root rsa2048
echo "$good_root" | issue sha1-root sha1-root "$company/CN=Old SHA-1 Root CA" 20100101000000Z 20400101000000Z sha1
key rsa1024-root rsa1024
echo "$good_root" | issue rsa1024-root rsa1024-root "$company/CN=Short RSA Root CA" 20100101000000Z 20400101000000Z sha256
key rsa-root rsa2048
echo "$good_root" | issue rsa-root rsa-root "$company/CN=RSA Root CA" 20260101000000Z 20460101000000Z sha384
key ed25519-root ed25519
echo "$good_root" | issue ed25519-root ed25519-root "$company/CN=Ed25519 Root CA" 20260101000000Z 20460101000000Z null
key p521-root p521
echo "$good_root" | issue p521-root p521-root "$company/CN=P-521 Root CA" 20260101000000Z 20460101000000Z sha512
key v1-root rsa2048
issue v1-root v1-root "$company/CN=Version One Root CA" 20100101000000Z 20400101000000Z sha256 </dev/null
key two-ous
echo "$good_root" | issue two-ous two-ous "/DC=example/DC=corp/OU=Security/OU=PKI/CN=Two Units Root CA" 20260101000000Z 20460101000000Z sha256
key unicode-root
echo "$good_root" | issue unicode-root unicode-root "/C=DE/O=Prüfstelle Köln, Abt. 3/CN=Wurzel Süd" 20260101000000Z 20460101000000Z sha256
key control-root
echo "$good_root" | issue control-root control-root "$(printf '/CN=Odd\001Root\nCA')" 20260101000000Z 20460101000000Z sha256

# --- intermediates
key corp-issuing
issue corp-issuing corp-root "$company/CN=Corp Issuing CA 1" 20260101000000Z 20360101000000Z sha256 <<'X'
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
X
key constrained-issuing
issue constrained-issuing corp-root "$company/CN=Corp Constrained CA" 20260101000000Z 20360101000000Z sha256 <<'X'
basicConstraints=critical,CA:TRUE,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
extendedKeyUsage=serverAuth
nameConstraints=critical,permitted;DNS:lab.example,permitted;IP:10.20.0.0/255.255.0.0,excluded;DNS:secret.lab.example
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
X

# --- leaves
key leaf
{ echo "$leaf"; echo "subjectAltName=DNS:git.lab.example,IP:10.20.0.5"; } |
  issue leaf corp-issuing "/CN=git.lab.example" 20260601000000Z 20351231000000Z sha256
key wildcard-leaf
{ echo "$leaf"; echo "subjectAltName=DNS:*.lab.example,DNS:xn--bcher-kva.example"; } |
  issue wildcard-leaf corp-issuing "/CN=*.lab.example" 20260601000000Z 20351231000000Z sha256
key no-san-leaf
echo "$leaf" | issue no-san-leaf corp-issuing "/CN=old.lab.example" 20260601000000Z 20351231000000Z sha256
key expired-leaf
{ echo "$leaf"; echo "subjectAltName=DNS:git.lab.example"; } |
  issue expired-leaf corp-issuing "/CN=git.lab.example" 20260101000000Z 20260401000000Z sha256
key client-leaf
issue client-leaf corp-issuing "/CN=robot" 20260601000000Z 20351231000000Z sha256 <<'X'
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth
authorityKeyIdentifier=keyid
subjectAltName=URI:spiffe://lab.example/robot,email:robot@lab.example
X
key constrained-leaf
{ echo "$leaf"; echo "subjectAltName=DNS:app.lab.example"; } |
  issue constrained-leaf constrained-issuing "/CN=app.lab.example" 20260601000000Z 20351231000000Z sha256
key outside-leaf
{ echo "$leaf"; echo "subjectAltName=DNS:www.corp.example"; } |
  issue outside-leaf constrained-issuing "/CN=www.corp.example" 20260601000000Z 20351231000000Z sha256
key sha1-leaf rsa2048
{ echo "$leaf"; echo "subjectAltName=DNS:old.lab.example"; } |
  issue sha1-leaf sha1-root "/CN=old.lab.example" 20160101000000Z 20391231000000Z sha1
key rsa1024-leaf rsa1024
{ echo "$leaf"; echo "subjectAltName=DNS:short.lab.example"; } |
  issue rsa1024-leaf corp-issuing "/CN=short.lab.example" 20260601000000Z 20351231000000Z sha256
key rsa-leaf rsa2048
{ echo "$leaf"; echo "subjectAltName=DNS:rsa.lab.example"; } |
  issue rsa-leaf rsa-root "/CN=rsa.lab.example" 20260601000000Z 20351231000000Z sha256
key ed25519-leaf ed25519
{ echo "$leaf"; echo "subjectAltName=DNS:ed.lab.example"; } |
  issue ed25519-leaf ed25519-root "/CN=ed.lab.example" 20260601000000Z 20351231000000Z null
key selfsigned-leaf
issue selfsigned-leaf selfsigned-leaf "/CN=nas.lab.example" 20260101000000Z 20351231000000Z sha256 <<'X'
basicConstraints=critical,CA:FALSE
extendedKeyUsage=serverAuth
subjectAltName=DNS:nas.lab.example
X

# --- a leaf without authority key identifier, which openssl adds unless told not to
echo "$good_root" | root no-aki-root "No AKI Root CA" 20260101000000Z 20460101000000Z
key no-aki-leaf
issue no-aki-leaf no-aki-root "/CN=db.lab.example" 20260601000000Z 20351231000000Z sha256 <<'X'
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=DNS:db.lab.example
authorityKeyIdentifier=none
subjectKeyIdentifier=none
X

# --- files with several blocks, and other forms
cat leaf.pem corp-issuing.pem >leaf-chain.pem
cat corp-issuing.pem leaf.pem >leaf-chain-wrong-order.pem
cat leaf.pem corp-issuing.pem corp-root.pem >leaf-chain-with-root.pem
cat leaf.pem other-root.pem corp-issuing.pem corp-issuing.pem >leaf-chain-unrelated.pem
cat leaf.pem leaf.key >leaf-and-key.pem
openssl req -new -config ca.cnf -key leaf.key -subj "/CN=git.lab.example" -addext subjectAltName=DNS:git.lab.example -out leaf.csr
openssl x509 -in corp-root.pem -outform DER -out corp-root.der
openssl x509 -in corp-root.pem -trustout -addtrust serverAuth -setalias corp -out trusted-certificate.pem
openssl x509 -in corp-root.pem -text -out with-text.pem
openssl crl2pkcs7 -nocrl -certfile leaf-chain-with-root.pem -out chain.p7b
openssl crl2pkcs7 -nocrl -certfile leaf-chain-with-root.pem -outform DER -out chain.p7b.der
{ printf '\357\273\277'; sed 's/$/\r/' corp-root.pem; } >bom-crlf.pem
sed 's/^/    /' corp-root.pem >indented.pem
{ printf '\377\376'; iconv -t UTF-16LE corp-root.pem; } >utf16.pem
base64 -w 0 corp-root.pem >base64-of-pem.txt
awk '{printf "%s\\n", $0}' corp-root.pem >escaped-newlines.txt
head -n 5 corp-root.pem >cut-off.pem
printf 'keytool error: java.lang.Exception: No certificate from the SSL server\n' >failed-download.pem
cat >html-page.pem <<'X'
<!DOCTYPE html>
<html><head><title>Sign in - Corp Example</title></head>
<body>Your session has expired.</body></html>
X

# --- keys that tests read
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.key
openssl pkcs8 -topk8 -v2 aes-256-cbc -in leaf.key -passout pass:changeit -out leaf-encrypted.key
openssl ec -in leaf.key -out leaf-sec1-bare.key 2>/dev/null
{ openssl ecparam -name prime256v1; cat leaf-sec1-bare.key; } >leaf-sec1.key
openssl ec -in leaf.key -aes128 -passout pass:changeit -out leaf-legacy-encrypted.key 2>/dev/null
openssl pkey -in leaf.key -outform DER -out leaf.key.der
openssl rsa -in rsa-leaf.key -traditional -out rsa-leaf-pkcs1.key 2>/dev/null

# --- stores, password changeit
cat corp-issuing.pem corp-root.pem >ca-chain.pem
openssl pkcs12 -export -in leaf.pem -inkey leaf.key -certfile ca-chain.pem -name git -passout pass:changeit -out modern.p12
openssl pkcs12 -export -in leaf.pem -inkey leaf.key -certfile ca-chain.pem -name git -passout pass:changeit \
  -certpbe PBE-SHA1-3DES -keypbe PBE-SHA1-3DES -macalg sha1 -out legacy-3des.p12
openssl pkcs12 -export -legacy -in leaf.pem -inkey leaf.key -certfile ca-chain.pem -name git -passout pass:changeit -out legacy-rc2.p12
openssl pkcs12 -export -nokeys -in ca-chain.pem -passout pass:changeit -out nokeys.p12
openssl pkcs12 -export -nokeys -in corp-root.pem -certpbe NONE -nomac -passout pass: -out passwordless.p12
rm -f trust.jks trust.p12 keystore.jks
for store in JKS:trust.jks PKCS12:trust.p12; do
  keytool -importcert -noprompt -storetype "${store%%:*}" -keystore "${store#*:}" -storepass changeit -alias corp-root -file corp-root.pem
  keytool -importcert -noprompt -storetype "${store%%:*}" -keystore "${store#*:}" -storepass changeit -alias other-root -file other-root.pem
done 2>/dev/null
keytool -importkeystore -noprompt -srckeystore modern.p12 -srcstorepass changeit -srcstoretype PKCS12 \
  -destkeystore keystore.jks -deststorepass changeit -deststoretype JKS 2>/dev/null

for kept in leaf rsa-leaf ed25519-leaf other; do mv "$kept.key" "$kept.kept"; done
for kept in leaf-encrypted leaf-sec1 leaf-legacy-encrypted rsa-leaf-pkcs1; do mv "$kept.key" "$kept.kept"; done
rm -f ./*.key request.pem ca-chain.pem 7E57*.pem
for kept in *.kept; do mv "$kept" "${kept%.kept}.key"; done
rm -f "$here"/*.pem "$here"/*.key "$here"/*.der "$here"/*.p12 "$here"/*.jks "$here"/*.p7b "$here"/*.csr "$here"/*.txt
cp ./*.pem ./*.key ./*.der ./*.p12 ./*.jks ./*.p7b ./*.csr ./escaped-newlines.txt ./base64-of-pem.txt "$here"
