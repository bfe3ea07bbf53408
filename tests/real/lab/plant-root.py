"""plant-root.py PROGRAM ROOT.pem: exchanges one root certificate that is compiled into PROGRAM for another.

The official Node carries Mozilla's roots as PEM text. Nobody can make a server that one of those roots vouches for,
so whether they are still trusted is measured with a root of the lab in the place of one of them.
"""

import re
import sys

program, root = sys.argv[1:]
with open(root, "rb") as file:
    new = file.read()
with open(program, "rb") as file:
    code = file.read()
pem = rb"-----BEGIN CERTIFICATE-----\n(?:[A-Za-z0-9+/=]+\n)+-----END CERTIFICATE-----\n?"
roots = list(re.finditer(pem, code))
place = next((m for m in roots if m.end() - m.start() >= len(new)), None)
if len(roots) < 50 or place is None:
    sys.exit(f"{program}: {len(roots)} roots as PEM text, none with room for {len(new)} bytes")
padded = new + b"\n" * (place.end() - place.start() - len(new))
with open(program, "wb") as file:
    file.write(code[: place.start()] + padded + code[place.end() :])
