"""client.py NAME REPORT: asks again and again until the file REPORT.stop is there: by a new connection each time, by one
that is kept as long as the server keeps it, and by one slow request after another. Writes which certificates it saw, in
order, and everything that failed."""

import hashlib
import http.client
import json
import os
import socket
import ssl
import sys
import threading
import time

name, report = sys.argv[1:]
context = ssl._create_unverified_context()
seen, failed, answers = [], [], {"new": 0, "kept": 0, "slow": 0}


class Connection(http.client.HTTPSConnection):
    def connect(self):
        plain = socket.create_connection(("127.0.0.1", 443), timeout=30)
        self.sock = context.wrap_socket(plain, server_hostname=name)


def stopped():
    return os.path.exists(report + ".stop")


def ask(connection, path, expected):
    connection.request("GET", path, headers={"Host": name})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200 or len(body) != expected:
        raise ValueError(f"{answer.status}, {len(body)} bytes")
    return answer


def new():
    connection = Connection(name)
    ask(connection, "/", 6)
    certificate = hashlib.sha256(connection.sock.getpeercert(True)).hexdigest() if connection.sock else None
    if certificate and (not seen or seen[-1] != certificate):
        seen.append(certificate)
    connection.close()


kept = None


def keep():
    """A server may close a connection between two answers; then the next request takes a new one."""
    global kept
    reused = kept is not None
    kept = kept or Connection(name)
    try:
        ask(kept, "/", 6)
    except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
        kept = None
        if not reused:
            raise
        keep()


def slow():
    connection = Connection(name)
    ask(connection, "/slow", 720)
    connection.close()


def again(kind, what, pause):
    while not stopped():
        try:
            what()
            answers[kind] += 1
        except Exception as error:
            failed.append(f"{kind}: {error!r}")
        time.sleep(pause)


threads = [threading.Thread(target=again, args=one) for one in (("new", new, 0.02), ("kept", keep, 0.02), ("slow", slow, 0))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
with open(report, "w") as file:
    json.dump({"seen": seen, "failed": failed, "answers": answers}, file)
