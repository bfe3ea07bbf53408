"""read.py PASSWORD-FILE STORE: what `cryptography` finds in a PKCS#12 file."""
import sys
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

password, store = (open(path, "rb").read() for path in sys.argv[1:])
found = load_pkcs12(store, password)


def spki(key):
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


if found.key is not None:
    fits = spki(found.key.public_key()) == spki(found.cert.certificate.public_key())
    print("key", found.cert.friendly_name.decode(), "fits" if fits else "DOES NOT FIT")
    print("leaf", found.cert.certificate.subject.rfc4514_string())
for other in found.additional_certs:
    name = (other.friendly_name or b"-").decode()
    print("other", name, other.certificate.subject.rfc4514_string())
