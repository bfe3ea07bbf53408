"""echo.py ROOT URL: a verified WebSocket; each line of standard input is sent, and each answer printed."""

import asyncio
import ssl
import sys

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect


async def main(root, url):
    context = ssl.create_default_context(cafile=root)
    connection = await websocket_connect(HTTPRequest(url, ssl_options=context))
    while line := await asyncio.to_thread(sys.stdin.readline):
        await connection.write_message(line.strip())
        print(await connection.read_message(), flush=True)


asyncio.run(main(*sys.argv[1:]))
