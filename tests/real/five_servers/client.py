"""A client that believes one CA: client.py CA NAME PORT PATH [CERTIFICATE KEY]: prints status and body; 1 if refused."""

import http.client
import ssl
import sys

authority, name, port, path, *pair = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
if pair:
    context.load_cert_chain(*pair)


class Connection(http.client.HTTPSConnection):
    """To this machine, whatever the name says."""

    def connect(self):
        self.host = "127.0.0.1"
        http.client.HTTPConnection.connect(self)
        self.sock = context.wrap_socket(self.sock, server_hostname=name)


connection = Connection(name, int(port), timeout=5)
try:
    connection.request("GET", path, headers={"Host": name})
    response = connection.getresponse()
    print(response.status, response.read().decode())
except (OSError, http.client.HTTPException) as error:
    sys.exit(f"refused: {error!r}")
