#!/bin/sh
# pebble.sh SECONDS: starts a test ACME server on a machine, whose certificates are valid for so long. Names resolve to
# the machine itself; challenges are validated for real, over port 80.
set -eu
mkdir -p /opt/pebble
cd /opt/pebble
openssl req -x509 -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=pebble root' \
	-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
	-keyout root.key -out root.pem 2>/dev/null
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=acme.test' \
	-keyout server.key -out server.csr 2>/dev/null
printf 'subjectAltName=DNS:acme.test,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' >server.ext
openssl x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile server.ext \
	-out server.pem 2>/dev/null
cat >pebble.json <<-END
	{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
	"certificate": "/opt/pebble/server.pem", "privateKey": "/opt/pebble/server.key", "httpPort": 80, "tlsPort": 443,
	"ocspResponderURL": "", "externalAccountBindingRequired": false, "certificateValidityPeriod": $1}}
END
grep -q acme.test /etc/hosts || echo '127.0.0.1 acme.test' >>/etc/hosts
setsid pebble-challtestsrv -defaultIPv4 127.0.0.1 -defaultIPv6 '' -http01 '' -https01 '' -tlsalpn01 '' \
	-dns01 127.0.0.1:8053 -management 127.0.0.1:8055 >challtestsrv.log 2>&1 </dev/null &
PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 PEBBLE_AUTHZREUSE=0 \
	setsid pebble -config pebble.json -dnsserver 127.0.0.1:8053 >pebble.log 2>&1 </dev/null &
tries=0
until curl -s --cacert root.pem https://acme.test:14000/dir >/dev/null; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || { cat pebble.log challtestsrv.log >&2 && exit 1; }
	sleep 0.1
done
