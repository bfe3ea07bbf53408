"""moto's server, which enforces policies on real calls, and in which a policy's resources count.

moto itself asks every policy about the resource `*` and reads patterns as regular expressions; here the
resource is that of the call, and patterns are those of IAM. Prints its port, and serves until its standard
input ends.
"""

import json
import re
import sys

from moto.core.authorization import ActionAuthenticatorMixin
from moto.iam.access_control import IAMPolicyStatement, IAMRequest
from moto.iam.models import Group, Role, User
from moto.secretsmanager.models import secretsmanager_backends
from moto.server import ThreadedMotoServer
from moto.utilities.utils import get_partition


def match(pattern, text):
    parts = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL)


def asked(response):
    body = response.raw_body
    text = body.decode() if isinstance(body, bytes) else body or ""
    if text.startswith("{"):
        return json.loads(text)
    # A form was read already.
    return {key: values[0] for key, values in (response.querystring or {}).items()}


def resource(response):
    words, account, region = asked(response), response.current_account, response.region
    partition = get_partition(region)
    action = response._get_action()
    if "SecretId" in words:
        secrets = secretsmanager_backends[account][region].secrets
        return secrets[words["SecretId"]].arn if words["SecretId"] in secrets else words["SecretId"]
    if action == "CreateSecret":
        return f"arn:{partition}:secretsmanager:{region}:{account}:secret:{words['Name']}-a1B2c3"
    if "RoleName" in words:
        return f"arn:{partition}:iam::{account}:role/{words['RoleName']}"
    return "*"


def authorize(self, _resource="*"):
    self._authenticate_and_authorize_action(IAMRequest, resource(self))


def in_text(kind):
    """A template's documents are objects: as a text, moto would keep what Python prints of them."""
    put = kind.put_policy

    def put_policy(self, name, document):
        put(self, name, document if isinstance(document, str) else json.dumps(document))

    kind.put_policy = put_policy


for kind in (Role, Group, User):
    in_text(kind)
IAMPolicyStatement._match = staticmethod(match)
ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = authorize

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
