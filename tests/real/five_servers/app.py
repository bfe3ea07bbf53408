"""An application that ends TLS itself, with the files that two variables name."""

import http.server
import os
import ssl

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(os.environ["SSL_CERTFILE"], os.environ["SSL_KEYFILE"])


class Application(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"user {os.getuid()}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("0.0.0.0", 8443), Application)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
