//! A port for a server that is told on which to listen.

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

/// A port that no socket has, below those that the system itself gives to whoever asks for any:
/// nobody takes it between now and the start of the server.
///
/// It is looked up, not tried: a socket that listens here for a moment is copied into each process
/// that another test starts in that moment, and answers there, as if the server were up.
pub fn free() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let taken = taken();
    loop {
        let number = std::process::id().wrapping_mul(193) + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(10_000 + number % 20_000).unwrap();
        if !taken.contains(&port) {
            return port;
        }
    }
}

/// The local ports of all sockets, as the system lists them: `sl  local_address rem_address ...`.
fn taken() -> HashSet<u16> {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|list| fs::read_to_string(list).ok())
        .flat_map(|list| list.lines().skip(1).map(local_port).collect::<Vec<_>>())
        .collect()
}

fn local_port(socket: &str) -> u16 {
    let local = socket.split_whitespace().nth(1).unwrap();
    let (_, port) = local.rsplit_once(':').unwrap();
    u16::from_str_radix(port, 16).unwrap()
}
