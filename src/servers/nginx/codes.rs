//! The findings of this server.

use crate::diagnostic::{Code, Severity};

/// All of them.
pub static CODES: &[&Code] = &[
    &TOO_OLD,
    &NO_TLS13,
    &MIXED,
    &ADDRESSES,
    &NAME_TWICE,
    &NO_UPSTREAM,
    &UNTRUSTED,
    &SEVERAL,
    &OVER_HTTP,
    &BEHIND,
    &NO_CERTIFICATE,
    &UNCARRIED,
    &HEADER,
];

pub static TOO_OLD: Code = error(
    "nginx-too-old",
    "this release of nginx is older than what is written for it",
    include_str!("../manual/nginx-too-old.md"),
);
pub static NO_TLS13: Code = error(
    "nginx-without-tls13",
    "`tls: modern` is TLS 1.3 alone, which the server's OpenSSL does not speak",
    include_str!("../manual/nginx-without-tls13.md"),
);
pub static MIXED: Code = error(
    "nginx-guidelines-mixed",
    "hosts of one port follow different guidelines, and this nginx takes one for all",
    include_str!("../manual/nginx-guidelines-mixed.md"),
);
pub static ADDRESSES: Code = error(
    "nginx-addresses-shared",
    "two hosts of one port have IP addresses, and a client that asks for one names none",
    include_str!("../manual/nginx-addresses-shared.md"),
);
pub static NAME_TWICE: Code = error(
    "nginx-name-twice",
    "two hosts of one port have the same name",
    include_str!("../manual/nginx-name-twice.md"),
);
pub static NO_UPSTREAM: Code = error(
    "nginx-without-upstream",
    "a host has no upstream, so nginx would have nothing to answer with",
    include_str!("../manual/nginx-without-upstream.md"),
);
pub static UNTRUSTED: Code = error(
    "nginx-upstream-unverified",
    "an upstream is reached over TLS and could not be verified",
    include_str!("../manual/nginx-upstream-unverified.md"),
);
pub static SEVERAL: Code = error(
    "nginx-include-several",
    "lines for one server block, and several hosts",
    include_str!("../manual/nginx-include-several.md"),
);
pub static OVER_HTTP: Code = error(
    "nginx-client-auth-over-http",
    "a block that may listen for plain HTTP is to demand certificates",
    include_str!("../manual/nginx-client-auth-over-http.md"),
);
pub static BEHIND: Code = error(
    "nginx-behind-client-auth",
    "TLS ends at the load balancer, and nginx is to ask for client certificates",
    include_str!("../manual/nginx-behind-client-auth.md"),
);
pub static NO_CERTIFICATE: Code = error(
    "nginx-without-certificate",
    "nginx is to serve a host whose certificate nothing hands to it",
    include_str!("../manual/nginx-without-certificate.md"),
);
pub static UNCARRIED: Code = error(
    "nginx-value-uncarried",
    "a text cannot be carried by nginx's configuration",
    include_str!("../manual/nginx-value-uncarried.md"),
);
pub static HEADER: Code = error(
    "nginx-header-taken",
    "a header is one that nginx or another field of the spec sets",
    include_str!("../manual/nginx-header-taken.md"),
);

const fn error(name: &'static str, summary: &'static str, manual: &'static str) -> Code {
    Code {
        name,
        severity: Severity::Error,
        summary,
        manual,
    }
}
