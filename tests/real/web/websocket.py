"""A WebSocket client: websocket.py PORT CA NAME MESSAGE prints what comes back."""

import base64
import os
import socket
import ssl
import sys

port, authority, name, message = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
stream = context.wrap_socket(socket.create_connection(("127.0.0.1", int(port)), timeout=5), server_hostname=name)
key = base64.b64encode(os.urandom(16)).decode()
stream.sendall(
    f"GET /echo HTTP/1.1\r\nHost: {name}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
)
answer = b""
while not answer.endswith(b"\r\n\r\n"):
    byte = stream.recv(1)
    if not byte:
        sys.exit(f"closed: {answer!r}")
    answer += byte
if not answer.startswith(b"HTTP/1.1 101 "):
    sys.exit(repr(answer))
text, mask = message.encode(), os.urandom(4)
masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(text))
stream.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)
head = stream.recv(2)
print(stream.recv(head[1]).decode())
