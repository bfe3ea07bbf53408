"""echo.py PORT ROOT NAME: a verified WebSocket; each line of standard input is sent, and each answer printed."""

import base64
import os
import socket
import ssl
import sys

port, root, name = sys.argv[1:]
context = ssl.create_default_context(cafile=root)
stream = context.wrap_socket(socket.create_connection(("127.0.0.1", int(port)), timeout=20), server_hostname=name)
key = base64.b64encode(os.urandom(16)).decode()
stream.sendall(
    f"GET /echo HTTP/1.1\r\nHost: {name}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
)
file = stream.makefile("rb")
status = file.readline()
if b" 101 " not in status:
    sys.exit(repr(status))
while file.readline().strip():
    pass
for line in sys.stdin:
    text, mask = line.strip().encode(), os.urandom(4)
    masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
    stream.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
    head = file.read(2)
    print(file.read(head[1]).decode() if len(head) == 2 else "closed", flush=True)
