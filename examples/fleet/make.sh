#!/bin/sh
# Makes what a fleet has before tlsgen: twenty teams with ten services each, the manifests of three clusters, and the
# part of the spec that each team and each cluster keeps. It stands for as many repositories:
#   sh make.sh
set -eu
cd "$(dirname "$0")"

# cluster: its teams
teams='
east: accounts billing cart catalog checkout consent delivery
west: identity inventory invoices ledger loyalty mail orders
edge: payments pricing returns reviews search stores
'
# component, runtime and kind
components='
admin ruby Deployment
api java@21 Deployment
gateway go Deployment
importer [curl,git] CronJob
mailer php Deployment
migrator java@17 Job
report dotnet Deployment
state openssl StatefulSet
web node Deployment
worker python Deployment
'

main() {
	rm -rf teams
	mkdir -p teams
	echo "$teams" | while read -r cluster members; do
		[ -n "$cluster" ] || continue
		cluster=${cluster%:}
		mkdir -p "clusters/$cluster"
		: >"clusters/$cluster/workloads.yaml"
		cluster_of "$cluster" >"clusters/$cluster/tlsgen.yaml"
		for team in $members; do
			team_of "$team" >"teams/$team.yaml"
			echo "$components" | while read -r component runtime kind; do
				[ -n "$component" ] || continue
				echo "      $team-$component: {}" >>"clusters/$cluster/tlsgen.yaml"
				workload "$team-$component" "$runtime" "$kind" >>"clusters/$cluster/workloads.yaml"
			done
			service "$team-web" >>"clusters/$cluster/workloads.yaml"
		done
		cat >"clusters/$cluster/kustomization.yaml" <<-END
			apiVersion: kustomize.config.k8s.io/v1beta1
			kind: Kustomization
			namespace: shop
			resources: [workloads.yaml]
			components: [tls]
		END
	done
}

team_of() {
	echo "services:"
	echo "$components" | while read -r component runtime kind; do
		[ -n "$component" ] || continue
		echo "  $1-$component: {runtime: $runtime, trust: [fleet], connects: [vault]}"
	done
}

# How certificates and bundles come into each cluster; its services follow.
cluster_of() {
	case $1 in
	east) cat <<-'END' ;;
		# Certificates are issued and renewed by cert-manager, bundles handed out by trust-manager.
		hosts:
		  accounts: {names: [accounts.east.shop.example], issuer: fleet}
		  checkout: {names: [checkout.east.shop.example], issuer: fleet}
		targets:
		  east:
		    kind: kubernetes
		    namespace: shop
		    files: [workloads.yaml]
		    output: tls
		    bundles_via: trust-manager
		    entrances:
		      accounts: {gateway: {class: istio}, service: accounts-web, port: 80, redirect_http: true}
		      checkout: {gateway: {class: istio}, service: checkout-web, port: 80, redirect_http: true}
		    services:
	END
	west) cat <<-'END' ;;
		# Somebody else's certificate, whose key the External Secrets Operator takes from a vault.
		hosts:
		  west:
		    names: ["*.west.shop.example"]
		    certificate: {chain: ../../pki/west.pem, key: ../../pki/private/west.key}
		targets:
		  west:
		    kind: kubernetes
		    namespace: shop
		    files: [workloads.yaml]
		    output: tls
		    secrets_via: external-secrets
		    external_secrets: {store: {kind: ClusterSecretStore, name: vault}, prefix: tls/west/, refresh: 1h}
		    entrances:
		      west: {ingress: traefik, service: orders-web, port: 80, redirect_http: true, hsts: 1y}
		    services:
	END
	edge) cat <<-'END' ;;
		# cert-manager issues in the name of an authority of the fleet's own; bundles are the cluster's.
		hosts:
		  payments: {names: [payments.edge.shop.example], issuer: fleet}
		  stores: {names: [stores.edge.shop.example], issuer: fleet}
		targets:
		  edge:
		    kind: kubernetes
		    namespace: shop
		    kubernetes: "1.37"
		    files: [workloads.yaml]
		    output: tls
		    bundles_via: cluster-trust-bundle
		    entrances:
		      payments: {ingress: traefik, service: payments-web, port: 80, redirect_http: true}
		      stores: {ingress: traefik, service: stores-web, port: 80, redirect_http: true}
		    services:
	END
	esac
}

# workload NAME RUNTIME KIND
workload() {
	pod="automountServiceAccountToken: false, securityContext: {runAsNonRoot: true, runAsUser: 10001}"
	variables='{name: LOG_LEVEL, value: info}'
	case $2 in
	java*) variables="$variables, {name: JAVA_TOOL_OPTIONS, value: '-XX:MaxRAMPercentage=75'}" ;;
	node*) variables="$variables, {name: NODE_OPTIONS, value: --max-old-space-size=256}" ;;
	esac
	container="{name: app, image: 'registry.shop.example/$1:1.4.2', env: [$variables],"
	container="$container resources: {limits: {memory: 512Mi}}, securityContext: {readOnlyRootFilesystem: true}}"
	template="template: {metadata: {labels: {app: $1}}, spec: {$pod, containers: [$container]}}"
	selector="selector: {matchLabels: {app: $1}}"
	case $3 in
	CronJob)
		version=batch/v1
		template="template: {spec: {restartPolicy: Never, $pod, containers: [$container]}}"
		spec="schedule: '17 * * * *', jobTemplate: {spec: {$template}}"
		;;
	Job)
		version=batch/v1
		spec="template: {spec: {restartPolicy: Never, $pod, containers: [$container]}}"
		;;
	StatefulSet)
		version=apps/v1
		spec="serviceName: $1, $selector, $template"
		;;
	*)
		version=apps/v1
		spec="replicas: 2, $selector, $template"
		;;
	esac
	printf -- '---\n{apiVersion: %s, kind: %s, metadata: {name: %s}, spec: {%s}}\n' "$version" "$3" "$1" "$spec"
}

service() {
	printf -- '---\n{apiVersion: v1, kind: Service, metadata: {name: %s}, spec: {selector: {app: %s}, ports: [{port: 80, targetPort: 8080}]}}\n' \
		"$1" "$1"
}

main
