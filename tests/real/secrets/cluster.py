"""A stand-in of the Kubernetes API: namespaces, and Secrets in them, with the refusals of the real one.

Started with a port, a certificate and its key. `PUT /test` sets what it does otherwise: `deny` (verbs that RBAC refuses), `terminating`
(namespaces), `race` (a Secret that somebody else makes before the next POST), `silent` (no answer at all), `token`
(the one it takes). `GET /test` shows all Secrets and the requests, without their bodies.
"""

import base64
import binascii
import json
import re
import ssl
import sys
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST = 1048576
lock = threading.Lock()
secrets = {}
requests = []
told = {"deny": [], "terminating": [], "race": None, "silent": False, "token": "a-token"}
namespaces = {"default", "tower", "closing"}
version = 100


class Refused(Exception):
    def __init__(self, code, reason, message):
        super().__init__(message)
        self.status = {
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": message, "reason": reason, "code": code,
        }


def not_found(kind, name):
    return Refused(404, "NotFound", f'{kind} "{name}" not found')


def invalid(name, cause):
    return Refused(422, "Invalid", f'Secret "{name}" is invalid: {cause}')


def stamped(secret):
    global version
    version += 1
    secret["metadata"]["resourceVersion"] = str(version)
    return secret


def judged(secret):
    """What validation of a Secret says (pkg/apis/core/validation)."""
    name = secret["metadata"]["name"]
    if "stringData" in secret:
        plain = secret.pop("stringData")
        secret.setdefault("data", {}).update({k: base64.b64encode(v.encode()).decode() for k, v in plain.items()})
    total = 0
    for key, text in secret.get("data", {}).items():
        if not re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key):
            raise invalid(name, f'data[{key}]: Invalid value: "{key}": a valid config key must consist of ...')
        try:
            total += len(base64.b64decode(text, validate=True))
        except binascii.Error:
            raise Refused(400, "BadRequest", f"Secret in version v1 cannot be handled as a Secret: illegal base64 {text}")
    if total > LONGEST:
        raise invalid(name, f'data: Too long: may not be more than {LONGEST} bytes')
    return secret


def merged(old, patch):
    """JSON merge patch (RFC 7396); of a Secret, a strategic one is the same."""
    if not isinstance(patch, dict):
        return patch
    new = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merged(new.get(key), value)
    return new


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body, code=200):
        text = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def handled(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/test":
            if self.command == "PUT":
                told.update(body)
            elif self.command == "POST":
                secrets[(body["metadata"]["namespace"], body["metadata"]["name"])] = stamped(body)
            every = [secret for _, secret in sorted(secrets.items())]
            return self.answer({"secrets": every, "requests": requests})
        while told["silent"]:
            time.sleep(0.1)
        requests.append(f"{self.command} {url.path} {self.headers.get('Content-Type', '')}".strip())
        try:
            if self.headers.get("Authorization") != f"Bearer {told['token']}":
                raise Refused(401, "Unauthorized", "Unauthorized")
            with lock:
                self.answer(*self.asked(url, body))
        except Refused as refused:
            self.answer(refused.status, refused.status["code"])

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handled

    def asked(self, url, body):
        query = dict(urllib.parse.parse_qsl(url.query))
        parts = url.path.strip("/").split("/")
        if parts == ["api"]:
            return ({"kind": "APIVersions", "versions": ["v1"]},)
        if parts == ["apis"]:
            return ({"kind": "APIGroupList", "apiVersion": "v1", "groups": []},)
        if parts == ["api", "v1"]:
            verbs = ["create", "delete", "get", "list", "patch", "update"]
            kinds = [("namespaces", "Namespace", False), ("secrets", "Secret", True)]
            every = [
                {"name": name, "singularName": kind.lower(), "namespaced": within, "kind": kind, "verbs": verbs}
                for name, kind, within in kinds
            ]
            return ({"kind": "APIResourceList", "groupVersion": "v1", "resources": every},)
        if parts[:3] != ["api", "v1", "namespaces"] or len(parts) not in (4, 5, 6):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        namespace = parts[3]
        if len(parts) == 4:
            self.may("get", "namespaces", namespace, namespace)
            if namespace not in namespaces:
                raise not_found("namespaces", namespace)
            return ({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": namespace}},)
        if len(parts) == 5:
            return self.all_of(namespace, query, body)
        return self.one(namespace, parts[5], query, body)

    def may(self, verb, kind, namespace, name=None):
        if f"{verb} {kind}" in told["deny"]:
            what = f'{kind} "{name}"' if name else kind
            words = f'User "tester" cannot {verb} resource "{kind}" in API group "" in the namespace "{namespace}"'
            raise Refused(403, "Forbidden", f"{what} is forbidden: {words}")

    def all_of(self, namespace, query, body):
        if self.command == "GET":
            self.may("list", "secrets", namespace)
            wanted = dict(pair.split("=", 1) for pair in query.get("labelSelector", "").split(",") if pair)
            items = [
                secret for (own, _), secret in sorted(secrets.items())
                if own == namespace and wanted.items() <= secret["metadata"].get("labels", {}).items()
            ]
            return ({"kind": "SecretList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": items},)
        name = body["metadata"]["name"]
        self.may("create", "secrets", namespace)
        if namespace not in namespaces:
            raise not_found("namespaces", namespace)
        if namespace in told["terminating"]:
            words = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise Refused(403, "Forbidden", f'secrets "{name}" is forbidden: {words}')
        if told["race"]:
            other, told["race"] = told["race"], None
            secrets[(namespace, name)] = stamped(other)
        if (namespace, name) in secrets:
            raise Refused(409, "AlreadyExists", f'secrets "{name}" already exists')
        made = judged(body)
        made["metadata"]["namespace"] = namespace
        if query.get("dryRun") != "All":
            secrets[(namespace, name)] = stamped(made)
        return made, 201

    def one(self, namespace, name, query, body):
        verb = {"GET": "get", "PATCH": "patch", "DELETE": "delete", "PUT": "update"}[self.command]
        self.may(verb, "secrets", namespace, name)
        standing = secrets.get((namespace, name))
        if standing is None:
            raise not_found("secrets", name)
        if self.command == "GET":
            return (standing,)
        if self.command == "DELETE":
            return (secrets.pop((namespace, name)),)
        if self.command == "PATCH":
            kinds = ("application/merge-patch+json", "application/strategic-merge-patch+json")
            if self.headers["Content-Type"] not in kinds:
                raise Refused(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
            body = merged(json.loads(json.dumps(standing)), body)
        wanted = body["metadata"].get("resourceVersion")
        if wanted and wanted != standing["metadata"]["resourceVersion"]:
            words = f'Operation cannot be fulfilled on secrets "{name}": the object has been modified'
            raise Refused(409, "Conflict", words)
        if standing.get("immutable") and body.get("data") != standing.get("data"):
            raise invalid(name, "data: Forbidden: field is immutable when `immutable` is set")
        if query.get("dryRun") != "All":
            secrets[(namespace, name)] = stamped(judged(body))
        return (body,)


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Api)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
# The handshake is a matter of each connection's own thread.
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
server.serve_forever()
