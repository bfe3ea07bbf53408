"""Asks for the orders every minute, and shows its certificate; SSL_CERT_FILE says whom it trusts."""

import os
import ssl
import time
import urllib.request


def ask(url="https://orders.lab.example/"):
    context = ssl.create_default_context()
    # Both are one thing: a new certificate comes with a new key.
    context.load_cert_chain(os.environ["CLIENT_CERTIFICATE"], os.environ["CLIENT_KEY"])
    with urllib.request.urlopen(url, context=context, timeout=20) as answer:
        return answer.read().decode()


while __name__ == "__main__":
    try:
        print(ask(), end="")
    except OSError as error:
        print(error)
    time.sleep(60)
