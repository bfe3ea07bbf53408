"""upstream.py [CHAIN KEY [CAS]]: prints its port, then answers with what it was asked, as JSON; echoes after an upgrade.

With CAS, it takes only clients whose certificates one of them issued, and says the last part of their subject.
"""

import http.server
import json
import ssl
import sys


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.send_response_only(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.end_headers()
            self.wfile.write(self.connection.recv(64))
            self.close_connection = True
            return
        asked = {"path": self.path, "headers": dict(self.headers)}
        if sys.argv[3:]:
            ((_, asked["client"]),) = self.connection.getpeercert()["subject"][-1]
        body = json.dumps(asked).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
if sys.argv[1:]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*sys.argv[1:3])
    if sys.argv[3:]:
        context.load_verify_locations(sys.argv[3])
        context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
