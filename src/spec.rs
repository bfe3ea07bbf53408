//! The language: what a user may write, one file per section.
//!
//! The types here are plain serde structs; the JSON Schema is derived from them, and everything
//! that is said about a field there is its documentation comment.

mod authorities;
mod defaults;
mod file;
mod hosts;
mod iam;
mod identity;
mod keys;
mod kubernetes;
mod lint;
mod load;
mod machine;
mod managed;
mod nethserver;
mod nextflow;
mod schema;
mod secrets;
mod services;
mod serving;
mod shape;
mod targets;
mod withheld;
mod words;

pub use authorities::{Acme, AcmeDirectory, Authority, Challenge, EmailAddress, External};
pub use defaults::{Defaults, GuidelineLevel, KeyType};
pub use file::{Fragment, LanguageVersion, Spec};
pub use hosts::{CertificateFiles, Host, Usage};
pub use iam::{
    AttachedTo, AwsAccount, ClusterName, Grants, Iam, IamFormat, KmsKeyArn, Merge, MergedDocuments,
    OidcProvider, Pods, PolicyForm, PolicyName, Role, RoleName, SecretPrefix, TagKey, TagValue,
};
pub use identity::{Identity, ToldIdentity};
pub use keys::{AgeRecipient, KeyStore, Keys};
pub use kubernetes::{
    AuthoritiesVia, BundlesVia, ClusterIssued, ClusterVersion, Entrance, ExternalSecrets, Gateway,
    IssuerReference, KindName, Kubernetes, ObjectName, SecretStore, SecretStoreKind, SecretsVia,
    Workload, WorkloadKind, WorkloadName,
};
pub use lint::{Allowance, Lint};
pub(crate) use load::OUTSIDE;
pub use load::{Loaded, Place, load};
pub use machine::{
    AccountName, AcmeClient, AcmeProgram, HandOver, Machine, MachineService, Renewals, Scheduler,
    UnitName,
};
pub use managed::{Crl, Managed, NameSpace, Subject};
pub use nethserver::{
    Authorization, BackendUrl, FurtherAction, HeaderValue, ModuleName, NethServer, NodeAuthority,
    NodeCertificate, OnChange, Reason, Route, RouteHeaders, ServiceUnit, StateDirectory,
    UnitCommand,
};
pub use nextflow::{Nextflow, NextflowService, ProcessName, Seqera, SeqeraWorkspace};
pub use schema::{fragment_schema, spec_schema};
pub use secrets::{
    GivenAs, GivenSecret, KmsKey, Region, Scope, Secret, SecretDefinition, SecretName,
    SecretSource, SecretUse, Store, StoredName, UserName,
};
pub use services::{Protocol, RUNTIMES, RuntimeVersion, Service, TlsVersions, Trust};
pub use serving::{
    AbsolutePath, Behind, ClientAuth, ClientAuthMode, EnvironmentName, HeaderName, LibraryVersion,
    Network, PortKey, Reload, SERVERS, ServeAs, ServerVersion, Serves, Signal, UpstreamUrl,
    UrlPath, Version,
};
pub use targets::{
    BalancedService, BalancerProvider, Compose, ComposeService, LoadBalancer, OperatingSystem,
    Script, ScriptService, Target,
};
pub use words::{
    ComposeVersion, Duration, Fingerprint, HostName, Name, OneOrMany, Pattern, RelativePath,
    RenewBefore,
};

/// What this room can find.
pub fn codes() -> impl Iterator<Item = &'static crate::diagnostic::Code> {
    [load::CODES, shape::CODES].into_iter().flatten().copied()
}
