"""connect-requests.py URL: a verified request with requests' defaults."""

import sys

import requests

try:
    requests.get(sys.argv[1], timeout=20).raise_for_status()
    print("ok")
except (requests.RequestException, OSError) as error:
    sys.exit(f"{error}")
