"""A server that speaks a protocol until TLS is asked for: PROTOCOL PORT CHAIN KEY."""

import socket
import ssl
import struct
import sys


def exactly(peer, length):
    got = b""
    while len(got) < length:
        more = peer.recv(length - len(got))
        if not more:
            raise ConnectionError
        got += more
    return got


def line(peer):
    got = b""
    while not got.endswith(b"\r\n"):
        got += exactly(peer, 1)
    return got


def smtp(peer):
    peer.sendall(b"220-mx.lab.example\r\n220 ESMTP\r\n")
    assert line(peer).startswith(b"EHLO ")
    peer.sendall(b"250-mx.lab.example\r\n250-STARTTLS\r\n250 SIZE 1000\r\n")
    assert line(peer) == b"STARTTLS\r\n"
    peer.sendall(b"220 go ahead\r\n")


def imap(peer):
    peer.sendall(b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")
    tag, command = line(peer).split()
    assert command == b"STARTTLS"
    peer.sendall(tag + b" OK begin\r\n")


def postgres(peer):
    assert struct.unpack(">II", exactly(peer, 8)) == (8, 80877103)
    peer.sendall(b"S")


def mysql(peer):
    greeting = b"\x0a8.4.0\0" + struct.pack("<I", 7) + b"12345678\0"
    greeting += struct.pack("<HBHH", 0xFFFF, 45, 2, 0xDFFF) + b"\x15" + bytes(10)
    greeting += b"123456789012\0caching_sha2_password\0"
    peer.sendall(struct.pack("<I", len(greeting)) + greeting)
    header = exactly(peer, 4)
    assert header == b"\x20\0\0\x01"
    capabilities = struct.unpack("<I", exactly(peer, 32)[:4])[0]
    assert capabilities & 0x0800 and capabilities & 0x0200


protocol, port, chain, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
listener = socket.create_server(("127.0.0.1", int(port)))
while True:
    peer, _ = listener.accept()
    try:
        globals()[protocol](peer)
        context.wrap_socket(peer, server_side=True).recv(1)
    except (OSError, AssertionError):
        pass
    peer.close()
