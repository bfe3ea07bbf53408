"""connect.py HOST PORT: a verified handshake with the standard library's default context."""

import socket
import ssl
import sys

host, port = sys.argv[1], int(sys.argv[2])
try:
    with socket.create_connection((host, port), timeout=20) as plain:
        with ssl.create_default_context().wrap_socket(plain, server_hostname=host):
            print("ok")
except OSError as error:
    sys.exit(f"{error}")
