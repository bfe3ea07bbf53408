//! What is written for Apache, by Apache: tested in silence, started, and used.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

#[allow(dead_code, reason = "nginx takes more of it")]
#[path = "web/answer.rs"]
mod answer;
#[path = "apache/behind.rs"]
mod behind;
#[path = "web/clients.rs"]
mod clients;
#[path = "apache/forged.rs"]
mod forged;
#[path = "web/injection.rs"]
mod injection;
#[path = "web/lab.rs"]
mod lab;
#[allow(dead_code, reason = "Apache is given no name server")]
#[path = "web/listener.rs"]
mod listener;
#[path = "web/names.rs"]
mod names;
#[path = "web/probe.rs"]
mod probe;
#[path = "web/running.rs"]
mod running;
#[path = "apache/server.rs"]
mod server;
#[path = "web/site.rs"]
mod site;
#[path = "apache/strangers.rs"]
mod strangers;
#[path = "apache/upstreams.rs"]
mod upstreams;
