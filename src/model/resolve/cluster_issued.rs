//! Certificates that an issuer of a cluster signs: nobody outside has them, and its root is known only
//! where the spec names it.

use super::Resolver;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::model::{Authority, Host, HostId, Service, ServiceId, Target, TargetKind};
use crate::source::Span;
use crate::spec;

pub(super) static ROOT: Code = Code {
    name: "root-missing",
    severity: Severity::Error,
    summary: "an issuer of the cluster is trusted or pinned, and the spec does not have its root",
    manual: include_str!("../manual/root-missing.md"),
};
pub(super) static OUTSIDE_CLUSTERS: Code = Code {
    name: "issued-in-cluster",
    severity: Severity::Error,
    summary: "a service outside the cluster presents a certificate that is issued inside",
    manual: include_str!("../manual/issued-in-cluster.md"),
};

impl Resolver<'_> {
    /// Whether a host's issuer is one of a cluster.
    pub(super) fn issued_in_cluster(&self, host: &spec::Host) -> bool {
        let authorities = &self.loaded.spec.authorities;
        let issuer = host.issuer.as_ref();
        let issuer = issuer.and_then(|issuer| authorities.get(issuer.as_str()));
        matches!(issuer, Some(spec::Authority::CertManager(_)))
    }

    /// Fingerprints of certificates that no file holds.
    pub(super) fn pins_of_nothing(&mut self, name: &str, authority: &spec::Authority) {
        let spec::Authority::CertManager(issued) = authority else {
            return;
        };
        if issued.root.is_none() && issued.sha256.is_some() {
            let span = self.loaded.place(&["authorities", name, "sha256"]).key;
            let message = format!("`{name}` has fingerprints, and no file of certificates");
            self.found.push(
                Diagnostic::new(&ROOT, span, message)
                    .help("name its root, `root: pki/….pem`, or remove `sha256`"),
            );
        }
    }

    /// An entry of a trust list that stands for certificates that are not here.
    pub(super) fn rootless(&mut self, path: &[&str], index: usize, name: &str) {
        let Some(spec::Authority::CertManager(issued)) = self.loaded.spec.authorities.get(name)
        else {
            return;
        };
        if issued.root.is_some() {
            return;
        }
        let index = index.to_string();
        let span = self.value(&[path, &[&index]].concat());
        let place = self.loaded.place(&["authorities", name]);
        let message = format!("the root of `{name}` is in the cluster, and not in the spec");
        self.found.push(
            Diagnostic::new(&ROOT, span, message)
                .also(place.key, "the issuer")
                .help(format!(
                    "save its root in a file and write `root: pki/{name}.pem` in `authorities.{name}`; if it is a public authority, trust `public`"
                )),
        );
    }

    /// Hosts whose certificates are issued in a cluster, where something else deploys a service that
    /// presents them.
    pub(super) fn outside_clusters(
        &mut self,
        authorities: &[Authority],
        hosts: &[Host],
        services: &[Service],
        targets: &[Target],
    ) {
        let in_cluster = |host: HostId| {
            let host = hosts.get(host.0)?;
            let (issuer, _) = host.issuer?;
            let issuer = authorities.get(issuer.0)?;
            issuer.cluster.as_ref().map(|_| host)
        };
        for target in targets {
            for (service, span) in outside(&target.kind) {
                let Some(service) = services.get(service.0) else {
                    continue;
                };
                let first = presented(service).find_map(|(host, at)| Some((in_cluster(host)?, at)));
                let Some((host, presented_at)) = first else {
                    continue;
                };
                let message = format!(
                    "the certificate of `{}` is issued in a cluster, and `{}` is deployed outside",
                    host.name, service.name
                );
                self.found.push(
                    Diagnostic::new(&OUTSIDE_CLUSTERS, span, message)
                        .also(presented_at, "it is presented here")
                        .help("give what runs outside a host of its own, with an issuer of `kind: managed` or `acme`"),
                );
            }
        }
    }
}

/// The services of a target that is no cluster, each with the place that names it.
fn outside(target: &TargetKind) -> Vec<(ServiceId, Span)> {
    match target {
        TargetKind::Compose(compose) => {
            let services = compose.services.iter();
            services.map(|one| (one.service, one.place.key)).collect()
        }
        TargetKind::Script(script) => script.services.clone(),
        TargetKind::Machine(machine) => {
            let services = machine.services.iter();
            services.map(|one| (one.service, one.place.key)).collect()
        }
        // In front of the load balancer there is a certificate of the provider's.
        TargetKind::LoadBalancer(_) | TargetKind::Kubernetes(_) | TargetKind::NethServer(_) => {
            Vec::new()
        }
        // No service runs in a role, and no process presents a certificate.
        TargetKind::Iam(_) | TargetKind::Nextflow(_) => Vec::new(),
    }
}

/// The hosts whose certificates a service presents, on whichever side.
fn presented(service: &Service) -> impl Iterator<Item = (HostId, Span)> {
    let served = service.serves().iter().filter(|one| one.behind.is_none());
    let served = served.map(|serve| (serve.host, serve.place.value));
    served.chain(service.identity.iter().map(|one| (one.host, one.span)))
}
