"""The shop: says who asks, as nginx tells it."""

import http.server


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        who = self.headers.get("X-SSL-Client-S-DN") or "a visitor"
        body = f"hello, {who}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("", 8080), Shop).serve_forever()
