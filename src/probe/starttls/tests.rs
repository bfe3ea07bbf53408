use std::io::{self, Cursor};

use proptest::prelude::*;

use super::*;

/// A server whose words are known beforehand.
struct Scripted {
    says: Cursor<Vec<u8>>,
    heard: Vec<u8>,
}

impl Read for Scripted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.says.read(buffer)
    }
}

impl Write for Scripted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.heard.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What comes of it, what was sent, and what is left for the handshake.
fn asked(protocol: Protocol, says: &[u8]) -> (String, Vec<u8>, Vec<u8>) {
    let mut server = Scripted {
        says: Cursor::new(says.to_vec()),
        heard: Vec::new(),
    };
    let said = match ask(protocol, &mut server) {
        Ok(()) => "TLS follows".to_owned(),
        Err(error) => error.to_string(),
    };
    let at = server.says.position() as usize;
    (said, server.heard, says[at..].to_vec())
}

fn mysql_greeting(capabilities: u16) -> Vec<u8> {
    let mut greeting = vec![10];
    greeting.extend(b"8.4.0\0");
    greeting.extend([1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
    greeting.extend(capabilities.to_le_bytes());
    greeting.extend([45, 2, 0, 0, 0]);
    let mut packet = vec![greeting.len() as u8, 0, 0, 0];
    packet.extend(greeting);
    packet
}

#[test]
fn tls_is_asked_for_and_no_byte_of_it_is_taken() {
    let smtp = b"220-mx\r\n220 ready\r\n250-mx\r\n250-SIZE 1\r\n250 starttls\r\n220 go\r\n\x16\x03";
    let imap = b"* OK [CAPABILITY IMAP4rev1] hi\r\n* CAPABILITY X\r\nA1 ok begin\r\n\x16\x03";
    let mysql = [mysql_greeting(0xffff), vec![0x16, 3]].concat();
    let cases: [(Protocol, &[u8], &[u8]); 4] = [
        (Protocol::Smtp, smtp, b"EHLO localhost\r\nSTARTTLS\r\n"),
        (Protocol::Imap, imap, b"a1 STARTTLS\r\n"),
        (Protocol::Postgres, b"S\x16\x03", b"\0\0\0\x08\x04\xd2\x16\x2f"),
        (Protocol::Mysql, &mysql, b"\x20\0\0\x01\x01\x8a\x08\0\0\0\0\x01\x2d\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"),
    ];
    for (protocol, says, sent) in cases {
        let (said, heard, left) = asked(protocol, says);
        assert_eq!(
            (said.as_str(), &heard[..], &left[..]),
            ("TLS follows", sent, &b"\x16\x03"[..])
        );
    }
}

#[test]
fn refusals_and_strangers_have_their_words() {
    let too_many = b"\x17\0\0\0\xff\x10\x04Too many connections".to_vec();
    let no_tls = mysql_greeting(0xf7ff);
    let endless = [b"* ".to_vec(), vec![b'x'; 5000]].concat();
    let cases: [(Protocol, &[u8], &str); 13] = [
        (
            Protocol::Smtp,
            b"220 mx\r\n250 mx\r\n",
            "it speaks SMTP and offers no TLS in it",
        ),
        (
            Protocol::Smtp,
            b"220 mx\r\n250 STARTTLS\r\n454 no \x1b[2Jkey\r\n",
            "it speaks SMTP and offers no TLS in it: `454 no \\u{1b}[2Jkey`",
        ),
        (
            Protocol::Smtp,
            b"554 go away\r\n",
            "it does not speak SMTP: it says `554 go away`",
        ),
        (
            Protocol::Smtp,
            b"HTTP/1.1 400 Bad Request\r\n",
            "it does not speak SMTP: it speaks HTTP",
        ),
        (
            Protocol::Imap,
            b"* OK hi\r\na1 BAD what\r\n",
            "it speaks IMAP and offers no TLS in it: `a1 BAD what`",
        ),
        (
            Protocol::Imap,
            b"* BYE full\r\n",
            "it does not speak IMAP: it says `* BYE full`",
        ),
        (
            Protocol::Imap,
            &endless,
            "it does not speak IMAP: it talks without end",
        ),
        (
            Protocol::Postgres,
            b"N",
            "it speaks PostgreSQL and offers no TLS in it",
        ),
        (
            Protocol::Postgres,
            b"\x15\x03\x01\0\x02\x02\x46",
            "it does not speak PostgreSQL: it speaks TLS from the first byte: leave `--starttls` out",
        ),
        (
            Protocol::Postgres,
            b"",
            "it closed the connection without showing a certificate",
        ),
        (
            Protocol::Mysql,
            &too_many,
            "it does not speak MySQL: it refuses the client: `Too many connections`",
        ),
        (
            Protocol::Mysql,
            &no_tls,
            "it speaks MySQL and offers no TLS in it",
        ),
        (
            Protocol::Mysql,
            b"\xff\xff\xff\0",
            "it does not speak MySQL: it says `\u{fffd}\u{fffd}\u{fffd}\\u{0}`",
        ),
    ];
    for (protocol, says, expected) in cases {
        assert_eq!(asked(protocol, says).0, expected);
    }
}

proptest! {
    #[test]
    fn whatever_is_said_ends_in_an_answer(
        protocol in prop::sample::select(vec![Protocol::Smtp, Protocol::Imap, Protocol::Postgres, Protocol::Mysql]),
        greeting in prop::sample::select(vec!["", "220 x\r\n", "250 STARTTLS\r\n", "* OK\r\n", "\u{20}\0\0\0\n"]),
        says in prop::collection::vec(any::<u8>(), 0..9000),
    ) {
        let says = [greeting.as_bytes(), &says].concat();
        let (said, heard, _) = asked(protocol, &says);
        prop_assert!(said.len() < 1000 && !said.chars().any(char::is_control), "{said}");
        prop_assert!(heard.len() < 100);
    }
}
