#!/bin/sh
# enter.sh DIRECTORY TREE CERTBOT plain|systemd: becomes a machine of its own. To be run by `unshare` in new namespaces of
# mounts, network, processes, names, messages and control groups; everything is gone with the process.
set -eu

directory=$1 tree=$2 certbot=$3 kind=$4

# What is mounted here is seen by nobody else, and gone with the machine.
mount --make-rprivate /
mount -t tmpfs -o mode=0755 machine "$directory"
mkdir "$directory/upper" "$directory/work" "$directory/root"
mount -t overlay -o "lowerdir=$tree,upperdir=$directory/upper,workdir=$directory/work" machine "$directory/root"
root=$directory/root

mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=0755 run "$root/run"
mkdir "$root/run/lock"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mount -t tmpfs -o mode=0755 dev "$root/dev"
for device in null zero full random urandom tty; do
	: >"$root/dev/$device"
	mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs shm "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
if [ -d "$certbot" ]; then
	mkdir -p "$root/opt/certbot"
	mount --bind "$certbot" "$root/opt/certbot"
fi

ip link set lo up
hostname machine
printf 'machine\n' >"$root/etc/hostname"
printf '127.0.0.1 localhost machine\n::1 localhost\n' >"$root/etc/hosts"
# Nothing runs but what a test starts, and no unit that is not for containers.
rm -f "$root"/etc/systemd/system/*.wants/*
for unit in dev-hugepages.mount dev-mqueue.mount sys-fs-fuse-connections.mount sys-kernel-debug.mount \
	sys-kernel-tracing.mount systemd-networkd-wait-online.service; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
: >"$directory/ready"
case $kind in
systemd)
	exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$root" \
		/lib/systemd/systemd --unit=multi-user.target --log-target=null
	;;
*) exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/sbin/chroot "$root" sleep 1000000 ;;
esac
