"""Writes the arguments and the variables that it was started with."""

import json
import os
import sys

with open(sys.argv[1], "w") as out:
    json.dump({"arguments": sys.argv[2:], "variables": dict(os.environ)}, out)
