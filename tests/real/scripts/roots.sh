#!/bin/sh
# Builds the scratch roots in which generated scripts are run: roots.sh [DIRECTORY]
#
#   debian  Debian 12, minimal, with ca-certificates, openssl and a headless JRE 17: all real.
#   redhat  The same programs in the layout of the Red Hat family. Real: p11-kit's `trust`, which
#           makes the extracted files there too, and the JRE. Stand-ins: `update-ca-trust` (the
#           `trust extract` calls of Fedora's script), the directories and links below /etc/pki,
#           os-release.
#   suse    Likewise, with the directories of SUSE and an `update-ca-certificates` of that kind.
#   alpine  busybox as the only userland. Real: busybox, the bundle of ca-certificates. Stand-ins:
#           Debian's `update-ca-certificates` run by busybox sh (Alpine's is a C program with the
#           same directories), Debian's openssl with its libraries, os-release.
#
# Needs root and mmdebstrap. Idempotent: a root that is complete is left alone.
set -eu

here=$(cd -- "$(dirname -- "$0")" && pwd)
roots=${1:-$here/../../../target/judges/roots}
# A root of another layout is built anew.
layout=1
packages=ca-certificates,openssl,openjdk-17-jre-headless,p11-kit,p11-kit-modules,busybox-static

is_built() { # kind
  [ "$(cat -- "$roots/$1/.complete" 2>/dev/null)" = "$layout" ]
}

begin() { # kind
  rm -rf -- "${roots:?}/$1" "${roots:?}/$1.part"
  part=$roots/$1.part
}

finish() { # kind
  printf '%s\n' "$layout" >"$part/.complete"
  mv -- "$part" "$roots/$1"
  printf 'roots: built %s\n' "$roots/$1"
}

build_debian() {
  begin debian
  mmdebstrap --variant=essential --include="$packages" \
    --aptopt='APT::Install-Recommends "false"' \
    --aptopt='Acquire::Check-Valid-Until "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$part" >"$roots/debian.log" 2>&1 || {
    tail -n 30 -- "$roots/debian.log" >&2
    exit 1
  }
  finish debian
}

# A copy of the Debian root without Debian's way of keeping its store.
foreign() { # kind
  begin "$1"
  cp -a -- "$roots/debian" "$part"
  rm -rf -- "$part/.complete" "$part/usr/sbin/update-ca-certificates" \
    "$part/usr/local/share/ca-certificates" "$part/etc/ca-certificates" \
    "$part/etc/ca-certificates.conf" "$part/etc/ssl/certs" "$part/usr/lib/ssl/certs"
  printf '%s\n' "$2" >"$part/etc/os-release.new"
  rm -f -- "$part/etc/os-release"
  mv -- "$part/etc/os-release.new" "$part/etc/os-release"
}

# Where p11-kit looks, which Fedora and SUSE decide when they compile it.
look_in() { # paths
  printf 'module: p11-kit-trust.so\ntrust-policy: yes\nx-trust-lookup: pkcs11:library-description=PKCS%%2311%%20Kit%%20Trust%%20Module\nx-init-reserved: paths=%s\n' "$1" \
    >"$part/usr/share/p11-kit/modules/p11-kit-trust.module"
}

build_redhat() {
  foreign redhat 'NAME="Fedora Linux (stand-in)"
ID=fedora
VERSION_ID=43'
  source=/usr/share/pki/ca-trust-source
  extracted=/etc/pki/ca-trust/extracted
  mkdir -p "$part$source/anchors" "$part$extracted/pem" "$part$extracted/java" \
    "$part$extracted/openssl" "$part/etc/pki/ca-trust/source/anchors" \
    "$part/etc/pki/ca-trust/source/blocklist" "$part/etc/pki/tls/certs" "$part/etc/pki/java"
  cat -- "$roots/debian/etc/ssl/certs/ca-certificates.crt" >"$part$source/anchors/mozilla.pem"
  look_in "/etc/pki/ca-trust/source:$source"
  ln -s "$extracted/pem/tls-ca-bundle.pem" "$part/etc/pki/tls/certs/ca-bundle.crt"
  ln -s "$extracted/pem/tls-ca-bundle.pem" "$part/etc/pki/tls/cert.pem"
  ln -s "$extracted/java/cacerts" "$part/etc/pki/java/cacerts"
  ln -s /etc/pki/tls/certs "$part/etc/ssl/certs"
  # Red Hat's OpenSSL is built with /etc/pki/tls as its directory.
  ln -sfn /etc/pki/tls/certs "$part/usr/lib/ssl/certs"
  ln -sfn /etc/pki/tls/cert.pem "$part/usr/lib/ssl/cert.pem"
  cacerts=$(find "$part/usr/lib/jvm" -path '*/lib/security/cacerts' | head -n 1)
  ln -sfn /etc/pki/java/cacerts "$cacerts"
  cat >"$part/usr/bin/update-ca-trust" <<'SCRIPT'
#!/bin/sh
# Stand-in for Fedora's update-ca-trust: the same extractions by the same program.
set -eu
case ${1-extract} in
extract) ;;
*) echo "update-ca-trust: unknown command $1" >&2; exit 1 ;;
esac
to=/etc/pki/ca-trust/extracted
trust extract --format=openssl-bundle --filter=certificates --overwrite --comment $to/openssl/ca-bundle.trust.crt
trust extract --format=pem-bundle --filter=ca-anchors --overwrite --comment --purpose server-auth $to/pem/tls-ca-bundle.pem
trust extract --format=java-cacerts --filter=ca-anchors --overwrite --purpose server-auth $to/java/cacerts
SCRIPT
  chmod 0755 "$part/usr/bin/update-ca-trust"
  chroot "$part" update-ca-trust
  finish redhat
}

build_suse() {
  foreign suse 'NAME="SLES (stand-in)"
ID=sles
ID_LIKE=suse
VERSION_ID=15.7'
  mkdir -p "$part/etc/pki/trust/anchors" "$part/etc/pki/trust/blocklist" \
    "$part/usr/share/pki/trust/anchors" "$part/var/lib/ca-certificates" "$part/etc/ssl"
  cat -- "$roots/debian/etc/ssl/certs/ca-certificates.crt" >"$part/usr/share/pki/trust/anchors/mozilla.pem"
  look_in /etc/pki/trust:/usr/share/pki/trust
  ln -s /var/lib/ca-certificates/ca-bundle.pem "$part/etc/ssl/ca-bundle.pem"
  ln -s /var/lib/ca-certificates/pem "$part/etc/ssl/certs"
  ln -sfn /var/lib/ca-certificates/pem "$part/usr/lib/ssl/certs"
  ln -sfn /var/lib/ca-certificates/ca-bundle.pem "$part/usr/lib/ssl/cert.pem"
  cacerts=$(find "$part/usr/lib/jvm" -path '*/lib/security/cacerts' | head -n 1)
  ln -sfn /var/lib/ca-certificates/java-cacerts "$cacerts"
  cat >"$part/usr/sbin/update-ca-certificates" <<'SCRIPT'
#!/bin/sh
# Stand-in for SUSE's update-ca-certificates: the extractions of its hooks, by the same program.
set -eu
for option; do
  case $option in
  -v | --verbose | -f | --fresh) ;;
  *) echo "update-ca-certificates: unknown option $option" >&2; exit 1 ;;
  esac
done
to=/var/lib/ca-certificates
trust extract --format=pem-directory-hash --filter=ca-anchors --overwrite --purpose server-auth $to/pem
trust extract --format=pem-bundle --filter=ca-anchors --overwrite --comment --purpose server-auth $to/ca-bundle.pem
trust extract --format=java-cacerts --filter=ca-anchors --overwrite --purpose server-auth $to/java-cacerts
SCRIPT
  chmod 0755 "$part/usr/sbin/update-ca-certificates"
  chroot "$part" update-ca-certificates
  finish suse
}

build_alpine() {
  begin alpine
  from=$roots/debian
  mkdir -p "$part/bin" "$part/sbin" "$part/usr/bin" "$part/usr/sbin" "$part/etc/ssl/certs" \
    "$part/etc/ca-certificates/update.d" "$part/usr/local/share/ca-certificates" \
    "$part/usr/share/ca-certificates" "$part/usr/lib/ssl" "$part/tmp" "$part/proc" "$part/dev"
  chmod 1777 "$part/tmp"
  busybox=$(find "$from/bin/busybox" "$from/usr/bin/busybox" -type f 2>/dev/null | head -n 1)
  cp -- "$busybox" "$part/bin/busybox"
  chroot "$part" /bin/busybox --install -s /bin
  cp -- "$from/usr/sbin/update-ca-certificates" "$part/usr/sbin/update-ca-certificates"
  cp -- "$from/etc/ssl/certs/ca-certificates.crt" "$part/etc/ssl/certs/ca-certificates.crt"
  cp -- "$from/etc/ssl/certs/ca-certificates.crt" "$part/usr/share/ca-certificates/all.crt"
  printf '# nothing of Mozilla, one by one: the bundle is kept whole by a hook\n' >"$part/etc/ca-certificates.conf"
  # With the list empty, Debian's script would drop the public roots from the bundle; this stands
  # for Alpine's /usr/share/ca-certificates/mozilla/*.crt.
  awk -v to="$part/usr/share/ca-certificates/" '
    /BEGIN CERT/ { n++; file = sprintf("%smozilla-%03d.crt", to, n) }
    { print > file }
    /END CERT/ { close(file) }' "$from/etc/ssl/certs/ca-certificates.crt"
  rm -- "$part/usr/share/ca-certificates/all.crt"
  (cd "$part/usr/share/ca-certificates" && ls) >"$part/etc/ca-certificates.conf"
  printf 'NAME="Alpine Linux (stand-in)"\nID=alpine\nVERSION_ID=3.22.0\n' >"$part/etc/os-release"
  printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$part/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$part/etc/group"
  chroot "$from" ldd /usr/bin/openssl | while read -r name arrow path _; do
    case $name in
    /*) path=$name arrow='=>' ;;
    esac
    [ "$arrow" = '=>' ] || continue
    mkdir -p "$part${path%/*}"
    cp -L -- "$from$path" "$part$path"
  done
  cp -- "$from/usr/bin/openssl" "$part/usr/bin/openssl"
  cp -L -- "$from/etc/ssl/openssl.cnf" "$part/etc/ssl/openssl.cnf"
  ln -s /etc/ssl/certs "$part/usr/lib/ssl/certs"
  ln -s /etc/ssl/certs/ca-certificates.crt "$part/usr/lib/ssl/cert.pem"
  ln -s /etc/ssl/openssl.cnf "$part/usr/lib/ssl/openssl.cnf"
  chroot "$part" /bin/sh /usr/sbin/update-ca-certificates >/dev/null 2>&1
  finish alpine
}

mkdir -p -- "$roots"
for kind in debian redhat suse alpine; do
  is_built "$kind" || "build_$kind"
done
