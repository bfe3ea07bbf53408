"""Answers over HTTP with the digest of each file that it was given: a value itself is never told."""

import hashlib
import http.server
import os
import sys

PATHS = ["/run/secrets/DB_PASSWORD", os.environ["API_TOKEN_FILE"], os.environ["SEALING_FILE"]]


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        digests = [hashlib.sha256(open(path, "rb").read()).hexdigest() for path in PATHS]
        body = "\n".join(digests).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
