"""The client of AWS, `aws`, without starting Python anew for each call.

A line of standard input is a call, {"words", "environment"}; a line of standard output what came of it.
"""

import io
import json
import os
import sys

from awscli.clidriver import create_clidriver

out = sys.stdout
before = dict(os.environ)
for line in sys.stdin:
    call = json.loads(line)
    os.environ.clear()
    os.environ.update(before, **call["environment"])
    sys.stdout, sys.stderr = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    try:
        code = create_clidriver().main(call["words"])
    except SystemExit as end:
        code = end.code or 0
    said = []
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        said.append(stream.buffer.getvalue().decode())
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    print(json.dumps({"code": code, "out": said[0], "err": said[1]}), file=out, flush=True)
