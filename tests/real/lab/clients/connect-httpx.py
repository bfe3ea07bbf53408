"""connect-httpx.py URL: a verified request with httpx' defaults."""

import ssl
import sys

import httpx

try:
    httpx.get(sys.argv[1], timeout=20).raise_for_status()
    print("ok")
except (httpx.HTTPError, ssl.SSLError, OSError) as error:
    sys.exit(f"{error}")
