"""judge.py [--sockets SOCKETS] CASES: real handshakes with the default context of this Python.

CASES has lines of tab-separated fields, see issued.rs. Without SOCKETS both sides are in memory, and whoever verifies
is asked. With SOCKETS a server listens at SOCKETS/ID.sock, and this is its client: of a client's certificate the
server's answer over HTTP says what it thinks.
"""

import socket
import ssl
import sys


def main():
    for line in open(sys.argv[-1], encoding="utf-8"):
        case = dict(zip(FIELDS, line.rstrip("\n").split("\t")))
        try:
            if len(sys.argv) > 2:
                connect(case, f"{sys.argv[2]}/{case['id']}.sock")
            else:
                shake_hands(case)
            print(case["id"], "ok", "", sep="\t")
        except (ssl.SSLError, Refused) as refusal:
            print(case["id"], "no", str(refusal).replace("\n", " "), sep="\t")


FIELDS = ["id", "usage", "name", "chain", "key", "anchors", "peer_chain", "peer_key", "peer_name"]


class Refused(Exception):
    pass


def contexts(case):
    """Whoever presents the case's certificate, and whoever verifies it."""
    of_server = case["usage"] == "server"
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    client = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    for context in (server, client):
        assert context.verify_flags & ssl.VERIFY_X509_STRICT, "this Python does not verify strictly"
    if of_server:
        server.load_cert_chain(case["chain"], case["key"])
        client.load_verify_locations(case["anchors"])
    else:
        server.load_cert_chain(case["peer_chain"], case["peer_key"])
        server.load_verify_locations(case["anchors"])
        server.verify_mode = ssl.CERT_REQUIRED
        client.load_verify_locations(case["anchors"])
        client.load_cert_chain(case["chain"], case["key"])
    name = case["name"] if of_server else case["peer_name"]
    return server, client, name


def shake_hands(case):
    server_context, client_context, name = contexts(case)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    waiting = [client, server]
    for _ in range(20):
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.remove(side)
            except ssl.SSLWantReadError:
                pass
        if not waiting:
            return
    raise Refused("the handshake does not end")


def connect(case, path):
    _, context, name = contexts(case)
    plain = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    plain.settimeout(20)
    plain.connect(path)
    with context.wrap_socket(plain, server_hostname=name) as tls:
        tls.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while more := tls.recv(65536):
            answer += more
    said = answer.partition(b"\r\n\r\n")[2].decode()
    if said.strip() not in ("NONE", "SUCCESS"):
        raise Refused(said)


main()
