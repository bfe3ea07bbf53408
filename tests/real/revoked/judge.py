"""judge.py CAS CRLS SERVER-CHAIN SERVER-KEY CHAIN KEY: whether a server that looks at lists lets this client in."""

import ssl
import sys


def main(cas, crls, server_chain, server_key, chain, key):
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(server_chain, server_key)
    server.load_verify_locations(cas)
    server.load_verify_locations(crls)
    server.verify_mode = ssl.CERT_REQUIRED
    server.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cas)
    client.load_cert_chain(chain, key)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    other = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(8):
        for side in (one, other):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLError as error:
                print(getattr(error, "verify_message", error.reason))
                return
    print("good")


main(*sys.argv[1:])
