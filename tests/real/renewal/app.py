"""What stands behind the server: answers at once, or slowly over some seconds."""

import http.server
import time


class Application(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        pieces = 120 if self.path == "/slow" else 1
        self.send_response(200)
        self.send_header("Content-Length", str(6 * pieces))
        self.end_headers()
        for _ in range(pieces):
            self.wfile.write(b"hello\n")
            self.wfile.flush()
            if pieces > 1:
                time.sleep(0.1)

    def log_message(self, *_):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Application).serve_forever()
