"""Serves TLS with what two variables name, and reads it again on SIGHUP."""

import os
import signal
import socket
import ssl

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


def read(*_):
    context.load_cert_chain(os.environ["CERTIFICATE"], os.environ["KEY"])


read()
signal.signal(signal.SIGHUP, read)
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    client, _ = server.accept()
    try:
        with context.wrap_socket(client, server_side=True) as connection:
            connection.sendall(os.environ["CERTIFICATE"].encode())
    except OSError:
        pass
