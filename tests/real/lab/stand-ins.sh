#!/bin/sh
# Makes the images that the examples name, for an engine that reaches no registry: real programs of Debian and PyPI
# under the names of the official images. Needs install.sh, images.sh and a started engine; again, nothing is done.
#   python:3.13-slim   Debian 12's Python as `python`, pip, and what examples/tornado/web/requirements.txt asks for,
#                      so that its `pip install` finds everything there
#   redis:7.4          Debian 12's Redis
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
checkout=$(CDPATH='' cd -- "$here/../../.." && pwd -P)
judges=$checkout/target/judges
requirements=$checkout/examples/tornado/web/requirements.txt
log=$judges/stand-ins.log
DOCKER_HOST=$("$here/engine.sh" host)
DOCKER_BUILDKIT=0
export DOCKER_HOST DOCKER_BUILDKIT

main() {
	mkdir -p "$judges"
	exec 9>"$judges/stand-ins.lock"
	flock 9
	base=$(docker image inspect --format '{{.Id}}' tlsgen-lab/base 2>/dev/null) ||
		fail 'the base is not there: engine.sh start, images.sh'
	wanted=$( (echo "$base" && cat "$0" "$requirements") | sha256sum | cut -d ' ' -f 1)
	: >"$log"
	image python:3.13-slim python
	image redis:7.4 redis
}

# image NAME FUNCTION: the function fills a directory with a Dockerfile and its context.
image() {
	found=$(docker image inspect --format '{{index .Config.Labels "dev.tlsgen.lab"}}' "$1" 2>/dev/null || :)
	if [ "$found" = "$wanted" ]; then
		echo "image $1: ready"
		return
	fi
	stage=$(mktemp -d "$judges/stage.XXXXXX")
	trap 'rm -rf "$stage"' EXIT
	set +e
	(
		set -eu
		"$2"
		docker build --quiet --network none --label "dev.tlsgen.lab=$wanted" --tag "$1" "$stage"
	) >>"$log" 2>&1
	code=$?
	set -e
	rm -rf "$stage"
	if [ "$code" -ne 0 ]; then
		tail -n 8 "$log" >&2
		fail "image $1 (the whole log: $log)"
	fi
	echo "image $1: built"
}

fail() {
	echo "stand-ins: FAILED: $1" >&2
	exit 1
}

# async-timeout is what redis needs on a Python before 3.11.3, which is not that of the machine.
python() {
	"$judges/venv/bin/pip" install -q --disable-pip-version-check --no-input --no-compile \
		--platform manylinux2014_x86_64 --python-version 3.11 --only-binary :all: --target "$stage/packages" \
		pip async-timeout --requirement "$requirements"
	cat >"$stage/Dockerfile" <<'DOCKERFILE'
FROM tlsgen-lab/base
COPY packages /usr/local/lib/python3.11/dist-packages
RUN rm /usr/lib/python3.11/EXTERNALLY-MANAGED && ln -s python3 /usr/bin/python \
 && printf '#!/bin/sh\nexec python3 -m pip "$@"\n' >/usr/local/bin/pip && chmod 755 /usr/local/bin/pip
CMD ["python3"]
DOCKERFILE
}

redis() {
	"$here/unpack.sh" bookworm "$stage/packages" redis-server redis-tools libjemalloc2 liblua5.1-0 lua-bitop lua-cjson \
		liblzf1 libatomic1
	mkdir "$stage/usr"
	for package in "$stage"/packages/*; do
		cp -a "$package/usr/." "$stage/usr/"
	done
	cat >"$stage/Dockerfile" <<'DOCKERFILE'
FROM tlsgen-lab/base
COPY usr/bin /usr/bin
COPY usr/lib /usr/lib
WORKDIR /data
CMD ["redis-server", "--bind", "0.0.0.0", "--protected-mode", "no"]
DOCKERFILE
}

main
