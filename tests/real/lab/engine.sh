#!/bin/sh
# A Docker engine of its own, so that no other one is disturbed: data, socket and pid below target/judges/engine.
#   engine.sh start    starts it unless it runs, waits until it answers; prints `engine: ready unix://…`
#   engine.sh stop     removes its containers and networks, ends it by its pid, unmounts; the images stay
#   engine.sh host     prints what DOCKER_HOST must be, whether it runs or not
# Exits 0 when that is so, else 1 with the reason and the end of the engine's log.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
checkout=$(CDPATH='' cd -- "$here/../../.." && pwd -P)
state=$checkout/target/judges/engine
log=$state/log

# A Unix socket's path holds 107 bytes and containerd adds some: deep checkouts go through a short link.
run=$state
if [ "${#state}" -gt 60 ]; then
	run=/run/tlsgen-lab-$(printf '%s' "$state" | cksum | cut -d ' ' -f 1)
fi
socket=unix://$run/sock

main() {
	case ${1-} in
	start) locked start ;;
	stop) locked stop ;;
	host) echo "$socket" ;;
	*)
		sed -n '3,5s/^# *//p' "$0" >&2
		exit 2
		;;
	esac
}

locked() {
	mkdir -p "$state"
	exec 9>"$state/lock"
	flock 9
	"$1"
}

start() {
	if answers; then
		echo "engine: ready $socket (was running)"
		return
	fi
	end_process
	for driver in overlay2 vfs; do
		launch "$driver"
		if wait_for_answer; then
			echo "engine: ready $socket ($driver)"
			return
		fi
		end_process
	done
	tail -n 8 "$log" >&2
	fail "it does not start (the whole log: $log)"
}

# No bridge of its own and an address range that others hardly use: a second engine on the machine keeps both.
launch() {
	[ "$run" = "$state" ] || ln -sfn "$state" "$run"
	rm -f "$state/sock"
	setsid dockerd --host "$socket" --data-root "$state/data" --exec-root "$run/exec" --pidfile "$state/pid" \
		--storage-driver "$1" --iptables=false --ip6tables=false --bridge none \
		--default-address-pool base=10.213.0.0/16,size=24 </dev/null >"$log" 2>&1 9>&- &
	launched=$!
}

wait_for_answer() {
	waited=0
	while [ "$waited" -lt 300 ]; do
		answers && return 0
		kill -0 "$launched" 2>/dev/null || return 1
		sleep 0.1
		waited=$((waited + 1))
	done
	return 1
}

answers() {
	[ -S "$state/sock" ] && docker --host "$socket" version >/dev/null 2>&1
}

stop() {
	if answers; then
		containers=$(docker --host "$socket" ps --all --quiet)
		# shellcheck disable=SC2086 # a list of ids
		[ -z "$containers" ] || docker --host "$socket" rm --force --volumes $containers >/dev/null
		docker --host "$socket" network prune --force >/dev/null
	fi
	end_process
	unmount
	[ "$run" = "$state" ] || rm -f "$run"
	echo 'engine: stopped'
}

end_process() {
	pid=$(cat "$state/pid" 2>/dev/null || :)
	# A pid may have been given to somebody else since.
	if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = dockerd ]; then
		kill "$pid"
		waited=0
		while [ -d "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do
			[ "$waited" -lt 200 ] || fail "process $pid does not end"
			sleep 0.1
			waited=$((waited + 1))
		done
	fi
	rm -f "$state/pid" "$state/sock"
}

unmount() {
	awk -v below="$state/" 'index($2, below) == 1 { print $2 }' /proc/self/mounts | sort -r |
		while IFS= read -r mount; do
			umount "$mount" || umount --lazy "$mount"
		done
}

fail() {
	echo "engine: FAILED: $1" >&2
	exit 1
}

main "$@"
