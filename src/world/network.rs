//! The door to the network: one connection, and a time by which all that is done with it must end.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A connection on which nothing lasts longer than was agreed, however slowly the other side talks.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    address: SocketAddr,
    until: Instant,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum Unreachable {
    /// The name has no address.
    NoAddress(io::Error),
    /// Nobody said what address the name has, in time.
    NameTimeout,
    /// No address answered; what the last one that was tried said.
    Refused(SocketAddr, io::Error),
}

/// Connects to the first address of a host that answers; `timeout` is for all that follows, too.
///
/// `host` is a DNS name in A-labels or an address, of IPv6 with or without brackets.
///
/// # Errors
/// [`Unreachable`].
pub fn connect(host: &str, port: u16, timeout: Duration) -> Result<Connection, Unreachable> {
    let until = Instant::now() + timeout;
    let addresses = addresses(host, port, timeout)?;
    let mut refused = None;
    for (tried, address) in addresses.iter().enumerate() {
        // An address that never answers must leave time for those after it.
        let share = left(until) / u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
            Ok(stream) => {
                return Ok(Connection {
                    stream,
                    address: *address,
                    until,
                });
            }
            Err(error) => refused = Some((*address, error)),
        }
    }
    Err(match refused {
        Some((address, error)) => Unreachable::Refused(address, error),
        None => Unreachable::NoAddress(io::ErrorKind::NotFound.into()),
    })
}

/// The addresses of a host. The system's resolver knows no time limit, so it works beside.
fn addresses(host: &str, port: u16, timeout: Duration) -> Result<Vec<SocketAddr>, Unreachable> {
    let inside = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let asked = (inside.unwrap_or(host).to_owned(), port);
    let (answer, answered) = mpsc::channel();
    thread::spawn(move || {
        let found = asked.to_socket_addrs().map(Iterator::collect);
        let _ = answer.send(found);
    });
    match answered.recv_timeout(timeout) {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(Unreachable::NoAddress(error)),
        Err(_) => Err(Unreachable::NameTimeout),
    }
}

fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

impl Connection {
    /// The address that answered.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn time_left(&self) -> io::Result<Option<Duration>> {
        let left = left(self.until);
        match left.is_zero() {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(Some(left)),
        }
    }
}

/// What the system says when a wait ends depends on the system.
fn timed(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.time_left()?)?;
        self.stream.read(buffer).map_err(timed)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.time_left()?)?;
        self.stream.write(bytes).map_err(timed)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress(_) => f.write_str("its name has no address, or no DNS server says one"),
            Self::NameTimeout => f.write_str("no DNS server answered in time"),
            Self::Refused(address, error) => match error.kind() {
                io::ErrorKind::ConnectionRefused => write!(f, "nothing listens at {address}"),
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                    write!(
                        f,
                        "{address} did not answer in time: it is off, or a firewall is between"
                    )
                }
                _ => write!(f, "{address} cannot be reached: {error}"),
            },
        }
    }
}

impl std::error::Error for Unreachable {}
