"""serve.py CHAIN KEY [CLIENT-CAS]: prints its port, then answers over TLS: 200 at /well, 503 elsewhere."""

import http.server
import ssl
import sys


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/well?a=[1]" else 503)
        self.send_header("Content-Length", "0")
        self.send_header("X-Host", self.headers["Host"])
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    def get_request(self):
        # The handshake happens in the connection's own thread.
        connection, peer = super().get_request()
        connection.settimeout(20)
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), peer

    def handle_error(self, *_):
        pass


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:3])
if sys.argv[3:]:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(sys.argv[3])
server = Server(("127.0.0.1", 0), Answer)
print(server.server_port, flush=True)
server.serve_forever()
