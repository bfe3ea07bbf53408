"""serve.py [CHAIN KEY [PORT]]: an HTTPS server for the clients, with a Git repository that `git ls-remote` can read."""

import http.server
import ssl
import sys

chain, key, port = (sys.argv[1:] + ["/tls/chain.pem", "/tls/key.pem", "443"][len(sys.argv) - 1 :])[:3]
GIT = {
    "/repository.git/info/refs": b"1111111111111111111111111111111111111111\trefs/heads/main\n",
    "/repository.git/HEAD": b"ref: refs/heads/main\n",
}


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = GIT.get(self.path.split("?")[0], b"tlsgen-lab\n")
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET


class Server(http.server.ThreadingHTTPServer):
    def get_request(self):
        # The handshake happens in the connection's own thread, so that a client that stalls stalls nobody else.
        connection, peer = super().get_request()
        connection.settimeout(20)
        return context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), peer

    def handle_error(self, request, client_address):
        print(f"{client_address[0]}: {sys.exc_info()[1]}", flush=True)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
print(f"serving on {port}", flush=True)
Server(("", int(port)), Answer).serve_forever()
