//! What is written for nginx, by nginx: tested in silence, started, and used.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic and touch the disk"
)]

mod support;

#[path = "web/answer.rs"]
mod answer;
#[path = "nginx/behind.rs"]
mod behind;
#[path = "web/clients.rs"]
mod clients;
#[path = "nginx/include.rs"]
mod include;
#[path = "web/injection.rs"]
mod injection;
#[path = "nginx/judges.rs"]
mod judges;
#[path = "web/lab.rs"]
mod lab;
#[path = "web/listener.rs"]
mod listener;
#[path = "nginx/many_names.rs"]
mod many_names;
#[path = "web/names.rs"]
mod names;
#[path = "web/probe.rs"]
mod probe;
#[path = "web/running.rs"]
mod running;
#[path = "nginx/server.rs"]
mod server;
#[path = "web/site.rs"]
mod site;
#[path = "nginx/strangers.rs"]
mod strangers;
#[path = "nginx/upstreams.rs"]
mod upstreams;
