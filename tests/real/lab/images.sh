#!/bin/sh
# Builds what the containers run, unless it is there: `tlsgen-lab/clients` (every runtime, and /clients/connect),
# `tlsgen-lab/server` (an HTTPS server of /tls/chain.pem and /tls/key.pem on port 443) and `tlsgen-lab/nginx` (Debian
# 12's nginx, laid out as the official image). Needs install.sh and a started engine. Prints one line per image; exits 1
# with the step that failed.
#
# Each image's system store, its Java cacerts, PyPI's certifi and the official Node's compiled-in roots hold
# target/judges/pki/system-root.pem: it stands for the public roots, and its key is beside it.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
judges=$(CDPATH='' cd -- "$here/../../.." && pwd -P)/target/judges
log=$judges/images.log
stage=$judges/stage
DOCKER_HOST=$("$here/engine.sh" host)
DOCKER_BUILDKIT=0
export DOCKER_HOST DOCKER_BUILDKIT

suite=bookworm
packages=ca-certificates,ca-certificates-java,openjdk-17-jre-headless,openssl,python3,python3-requests,nodejs,curl
packages=$packages,git,ruby,php-cli,php-curl,wget,busybox
go=1.19
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

main() {
	docker version >/dev/null 2>&1 || fail 'the engine does not answer: engine.sh start'
	[ -f "$judges/installed" ] || fail 'the judges are not installed: install.sh'
	: >"$log"
	"$here/pki.sh" root "$judges/pki" system-root 'Lab System Root'
	image base "$(printf '%s\n' "$suite" "$packages" "$path" | digest)" base
	image clients "$( (label base && sources && cat "$judges/pki/system-root.pem" "$judges/installed") | digest)" clients
	image server "$( (label base && cat "$0" "$here/server/serve.py") | digest)" server
	image nginx "$( (label base && cat "$0" "$here/nginx/nginx.conf" "$here/nginx/default.conf") | digest)" nginx
	docker image prune --force >>"$log"
}

# image NAME DIGEST FUNCTION: the function makes the image unless one with that digest is there.
image() {
	if [ "$(label "$1")" = "$2" ]; then
		echo "image tlsgen-lab/$1: ready"
		return
	fi
	started=$(date +%s)
	set +e
	(
		set -eu
		"$3" "$2"
	) >>"$log" 2>&1
	code=$?
	set -e
	if [ "$code" -ne 0 ]; then
		tail -n 8 "$log" >&2
		fail "image $1 (the whole log: $log)"
	fi
	echo "image tlsgen-lab/$1: built ($(($(date +%s) - started)) s)"
}

label() {
	docker image inspect --format '{{index .Config.Labels "dev.tlsgen.lab"}}' "tlsgen-lab/$1" 2>/dev/null || :
}

digest() {
	sha256sum | cut -d ' ' -f 1
}

sources() {
	cat "$0" "$here/plant-root.py"
	find "$here/clients" -type f -print0 | sort -z | xargs -0 cat
}

fail() {
	echo "images: FAILED: $1" >&2
	exit 1
}

base() {
	root=$(mktemp -d "$(scratch_home)/tlsgen-lab.XXXXXX")
	trap 'rm -rf "$root"' EXIT
	# Java's and PHP's packages want the directory of manual pages that is otherwise left out.
	# shellcheck disable=SC2016 # the hook's own $1
	TMPDIR=$root mmdebstrap --quiet --variant=minbase --include="$packages" \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--setup-hook='mkdir -p "$1/usr/share/man/man1"' --essential-hook='mkdir -p "$1/usr/share/man/man1"' \
		"$suite" "$root/root.tar" "$("$here/unpack.sh" mirror)"
	docker import --change "ENV PATH=$path" --change "LABEL dev.tlsgen.lab=$1" "$root/root.tar" tlsgen-lab/base
}

# Half the time where memory holds it.
scratch_home() {
	free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)
	available=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
	if [ "${free:-0}" -gt 4000000 ] && [ "${available:-0}" -gt 6000000 ]; then
		echo /dev/shm
	else
		echo "$judges"
	fi
}

clients() {
	rm -rf "$stage"
	mkdir -p "$stage/opt/node/bin" "$stage/opt/deno"
	cp -R "$here/clients" "$stage/clients"
	cp "$judges/pki/system-root.pem" "$stage/system-root.crt"
	cp -L "$judges/bin/node-official" "$stage/opt/node/bin/node"
	cp -L "$judges/bin/deno" "$stage/opt/deno/deno"
	cp -R "$judges/pypi" "$stage/opt/pypi"
	javac -Xlint:-options --release 8 -d "$stage/clients" "$here/clients/Connect.java"
	go_client
	cp "$judges/go/connect-go" "$stage/clients/connect-go"
	python3 "$here/plant-root.py" "$stage/opt/node/bin/node" "$stage/system-root.crt"
	cat "$stage/system-root.crt" >>"$stage/opt/pypi/certifi/cacert.pem"
	cat >"$stage/Dockerfile" <<DOCKERFILE
FROM tlsgen-lab/base
COPY system-root.crt /usr/local/share/ca-certificates/lab-system-root.crt
RUN update-ca-certificates && keytool -list -cacerts -storepass changeit | grep -q 'debian:lab-system-root'
COPY opt /opt
COPY clients /clients
LABEL dev.tlsgen.lab=$1
STOPSIGNAL SIGKILL
DOCKERFILE
	docker build --quiet --network none --tag tlsgen-lab/clients "$stage"
	# Java's class is wanted by judges outside containers too.
	cp "$stage/clients/Connect.class" "$judges/jvm/Connect.class"
	rm -rf "$stage"
}

# The compiler is half a gigabyte and needed once: it is unpacked, used and removed.
go_client() {
	wanted=$(digest <"$here/clients/connect.go")
	[ "$(cat "$judges/go/source" 2>/dev/null)" != "$wanted" ] || return 0
	rm -rf "$judges/go"
	compiler=$(mktemp -d "$(scratch_home)/tlsgen-lab.XXXXXX")
	trap 'rm -rf "$compiler"' EXIT
	"$here/unpack.sh" "$suite" "$compiler" "golang-$go-go" "golang-$go-src"
	# The two packages link into each other.
	cp -al "$compiler/golang-$go-src/usr" "$compiler/golang-$go-go/"
	mkdir -p "$judges/go"
	GOROOT=$compiler/golang-$go-go/usr/lib/go-$go
	GOCACHE=$compiler/cache GOPATH=$compiler/path CGO_ENABLED=0 GOFLAGS=-trimpath GO111MODULE=off
	export GOROOT GOCACHE GOPATH CGO_ENABLED GOFLAGS GO111MODULE
	"$GOROOT/bin/go" build -ldflags '-s -w' -o "$judges/go/connect-go" "$here/clients/connect.go"
	echo "$wanted" >"$judges/go/source"
}

server() {
	rm -rf "$stage"
	mkdir -p "$stage"
	cp "$here/server/serve.py" "$stage/serve.py"
	cat >"$stage/Dockerfile" <<DOCKERFILE
FROM tlsgen-lab/base
COPY serve.py /serve.py
LABEL dev.tlsgen.lab=$1
CMD ["python3", "/serve.py"]
STOPSIGNAL SIGKILL
DOCKERFILE
	docker build --quiet --network none --tag tlsgen-lab/server "$stage"
	rm -rf "$stage"
}

# The official image's files, user and number, log, foreground and stop signal; the program is Debian's.
nginx() {
	rm -rf "$stage"
	mkdir -p "$stage/etc/nginx/conf.d" "$stage/usr/sbin"
	cp "$judges/nginx-bookworm/usr/sbin/nginx" "$stage/usr/sbin/nginx"
	cp "$judges/nginx-bookworm/etc/nginx/mime.types" "$here/nginx/nginx.conf" "$stage/etc/nginx/"
	cp "$here/nginx/default.conf" "$stage/etc/nginx/conf.d/"
	cat >"$stage/Dockerfile" <<DOCKERFILE
FROM tlsgen-lab/base
COPY usr /usr
COPY etc /etc
RUN groupadd --system --gid 101 nginx && useradd --system --uid 101 --gid nginx --no-create-home nginx \\
 && mkdir -p /var/log/nginx /var/lib/nginx /usr/share/nginx/html && echo welcome >/usr/share/nginx/html/index.html \\
 && ln -s /dev/stdout /var/log/nginx/access.log && ln -s /dev/stderr /var/log/nginx/error.log
LABEL dev.tlsgen.lab=$1
CMD ["nginx", "-g", "daemon off;"]
STOPSIGNAL SIGQUIT
DOCKERFILE
	docker build --quiet --network none --tag tlsgen-lab/nginx "$stage"
	rm -rf "$stage"
}

main
