"""An application behind a proxy: answers with what it was asked, echoes WebSocket messages.

upstream.py [CERTIFICATE KEY]: listens on a free port of 127.0.0.1, over TLS if given a certificate; prints the port.
A request for /status/N is answered with N; one with ?location=URL gets it as Location.
"""

import base64
import hashlib
import http.server
import json
import ssl
import sys
import urllib.parse

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Application(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.echo()
        parts = self.path.partition("?")[0].split("/")
        status = int(parts[parts.index("status") + 1]) if "status" in parts else 200
        headers = [[name, value] for name, value in self.headers.items()]
        body = json.dumps({"request": self.requestline, "headers": headers}).encode()
        self.send_response(status)
        self.send_header("Strict-Transport-Security", "max-age=1")
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        for location in query.get("location", []):
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def echo(self):
        key = self.headers["Sec-WebSocket-Key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        while True:
            head = self.rfile.read(2)
            if len(head) < 2 or head[0] & 15 == 8:
                break
            length, mask = head[1] & 127, self.rfile.read(4)
            text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(self.rfile.read(length)))
            self.wfile.write(bytes([0x81, len(text)]) + text)
        self.close_connection = True

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
server.daemon_threads = True
if len(sys.argv) > 1:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
