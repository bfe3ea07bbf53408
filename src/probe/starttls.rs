//! What is said before TLS, where a protocol asks for it: to the byte, so that no byte of the
//! handshake is taken for an answer, nor the other way round.

use std::io::{Read, Write};

use super::Protocol;
use super::fault::{ProbeError, words};

/// The longest line that is read (RFC 5321 has 512; some greet at length).
const LONGEST_LINE: usize = 2048;
/// So many lines an answer may have.
const MOST_LINES: usize = 100;
/// The longest greeting or error of a MySQL server.
const LONGEST_PACKET: usize = 4096;

/// Asks for TLS; afterwards the next byte is the handshake's.
///
/// # Errors
/// [`ProbeError`] when TLS is refused, or something else is spoken.
pub(super) fn ask(protocol: Protocol, stream: &mut (impl Read + Write)) -> Result<(), ProbeError> {
    match protocol {
        Protocol::Smtp => smtp(stream),
        Protocol::Imap => imap(stream),
        Protocol::Postgres => postgres(stream),
        Protocol::Mysql => mysql(stream),
    }
}

fn smtp(stream: &mut (impl Read + Write)) -> Result<(), ProbeError> {
    const SMTP: Protocol = Protocol::Smtp;
    smtp_answer(stream, "220")?.map_err(|said| stranger(SMTP, &said))?;
    send(stream, b"EHLO localhost\r\n")?;
    let offers =
        smtp_answer(stream, "250")?.map_err(|said| ProbeError::NoStarttls(SMTP, words(&said)))?;
    let starttls = |line: &Vec<u8>| {
        let word = line.get(4..).unwrap_or_default().trim_ascii();
        word.eq_ignore_ascii_case(b"STARTTLS")
    };
    if !offers.iter().any(starttls) {
        return Err(ProbeError::NoStarttls(SMTP, String::new()));
    }
    send(stream, b"STARTTLS\r\n")?;
    smtp_answer(stream, "220")?
        .map(|_| ())
        .map_err(|said| ProbeError::NoStarttls(SMTP, words(&said)))
}

type Answer = Result<Vec<Vec<u8>>, Vec<u8>>;

/// The lines of an answer with this code, or the line that has another.
fn smtp_answer(stream: &mut impl Read, code: &str) -> Result<Answer, ProbeError> {
    let mut lines = Vec::new();
    while lines.len() < MOST_LINES {
        let line = line(stream, Protocol::Smtp)?;
        if !line.starts_with(code.as_bytes()) {
            return Ok(Err(line));
        }
        let more = line.get(3) == Some(&b'-');
        lines.push(line);
        if !more {
            return Ok(Ok(lines));
        }
    }
    Err(endless(Protocol::Smtp))
}

fn imap(stream: &mut (impl Read + Write)) -> Result<(), ProbeError> {
    const IMAP: Protocol = Protocol::Imap;
    let greeting = line(stream, IMAP)?;
    if !starts(&greeting, b"* OK") && !starts(&greeting, b"* PREAUTH") {
        return Err(stranger(IMAP, &greeting));
    }
    send(stream, b"a1 STARTTLS\r\n")?;
    for _ in 0..MOST_LINES {
        let line = line(stream, IMAP)?;
        if starts(&line, b"a1 OK") {
            return Ok(());
        }
        if starts(&line, b"a1 ") {
            return Err(ProbeError::NoStarttls(IMAP, words(&line)));
        }
        if !starts(&line, b"* ") {
            return Err(stranger(IMAP, &line));
        }
    }
    Err(endless(IMAP))
}

/// PostgreSQL's SSLRequest: length 8, code 80877103; `S` or `N` is the answer.
fn postgres(stream: &mut (impl Read + Write)) -> Result<(), ProbeError> {
    const POSTGRES: Protocol = Protocol::Postgres;
    send(stream, &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
    match byte(stream)? {
        b'S' => Ok(()),
        b'N' => Err(ProbeError::NoStarttls(POSTGRES, String::new())),
        other => {
            // The rest of a line of whatever this is; it need not come.
            let mut said = vec![other];
            while said.len() < 80 && said.last() != Some(&b'\n') {
                match byte(stream) {
                    Ok(next) => said.push(next),
                    Err(_) => break,
                }
            }
            Err(stranger(POSTGRES, &said))
        }
    }
}

/// The capabilities of a client that speaks 4.1 over TLS: LONG_PASSWORD, PROTOCOL_41, SSL,
/// SECURE_CONNECTION, PLUGIN_AUTH.
const CAPABILITIES: u32 = 0x0008_8a01;
const SERVER_HAS_TLS: u16 = 0x0800;

/// The server greets first; SSLRequest is the first half of an answer to that.
fn mysql(stream: &mut (impl Read + Write)) -> Result<(), ProbeError> {
    const MYSQL: Protocol = Protocol::Mysql;
    let mut header = [0; 4];
    exactly(stream, &mut header)?;
    let [a, b, c, sequence] = header;
    let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
    if !(1..=LONGEST_PACKET).contains(&length) {
        return Err(stranger(MYSQL, &header));
    }
    let mut greeting = vec![0; length];
    exactly(stream, &mut greeting)?;
    match greeting.first() {
        Some(10) => {}
        Some(0xff) => {
            let said = words(greeting.get(3..).unwrap_or_default());
            let said = format!("it refuses the client: `{said}`");
            return Err(ProbeError::OtherProtocol(MYSQL, said));
        }
        _ => return Err(stranger(MYSQL, &[&header[..], &greeting].concat())),
    }
    // Version up to a zero, then 4 bytes of thread, 8 of salt, 1 of filler.
    let after_version = greeting.iter().position(|byte| *byte == 0);
    let capabilities = after_version.and_then(|end| greeting.get(end + 14..end + 16));
    let Some(&[low, high]) = capabilities else {
        return Err(stranger(MYSQL, &greeting));
    };
    if u16::from_le_bytes([low, high]) & SERVER_HAS_TLS == 0 {
        return Err(ProbeError::NoStarttls(MYSQL, String::new()));
    }
    let mut request = vec![32, 0, 0, sequence.wrapping_add(1)];
    request.extend(CAPABILITIES.to_le_bytes());
    request.extend(0x0100_0000_u32.to_le_bytes());
    // The character set utf8mb4, and 23 bytes of nothing.
    request.push(45);
    request.extend([0; 23]);
    send(stream, &request)
}

fn starts(line: &[u8], start: &[u8]) -> bool {
    line.get(..start.len())
        .is_some_and(|found| found.eq_ignore_ascii_case(start))
}

fn send(stream: &mut impl Write, bytes: &[u8]) -> Result<(), ProbeError> {
    let sent = stream.write_all(bytes).and_then(|()| stream.flush());
    sent.map_err(ProbeError::of_io)
}

/// A line without its end; read byte by byte, since what follows it may be TLS.
fn line(stream: &mut impl Read, protocol: Protocol) -> Result<Vec<u8>, ProbeError> {
    let mut line = Vec::new();
    loop {
        match byte(stream)? {
            b'\n' => break,
            _ if line.len() == LONGEST_LINE => return Err(endless(protocol)),
            byte => line.push(byte),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}

fn byte(stream: &mut impl Read) -> Result<u8, ProbeError> {
    let mut byte = [0];
    exactly(stream, &mut byte)?;
    Ok(byte[0])
}

fn exactly(stream: &mut impl Read, buffer: &mut [u8]) -> Result<(), ProbeError> {
    stream.read_exact(buffer).map_err(ProbeError::of_io)
}

fn stranger(protocol: Protocol, said: &[u8]) -> ProbeError {
    let said = match said {
        // A record of TLS: an alert, or a handshake that nobody asked for.
        [0x15 | 0x16, 3, ..] => {
            "it speaks TLS from the first byte: leave `--starttls` out".to_owned()
        }
        said if said.starts_with(b"HTTP/") => "it speaks HTTP".to_owned(),
        said => format!("it says `{}`", words(said)),
    };
    ProbeError::OtherProtocol(protocol, said)
}

fn endless(protocol: Protocol) -> ProbeError {
    ProbeError::OtherProtocol(protocol, "it talks without end".to_owned())
}

#[cfg(test)]
mod tests;
