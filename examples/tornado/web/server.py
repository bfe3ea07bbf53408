"""HTTPS and WSS in Tornado: a page, an echo that counts, and a certificate that can be renewed."""

import asyncio
import logging
import os
import signal
import ssl

import redis.asyncio
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

PORT = 8443


class Page(RequestHandler):
    def get(self):
        self.write("served over TLS\n")


class Echo(WebSocketHandler):
    """Answers each message with its number and the message."""

    async def on_message(self, message):
        number = await self.settings["redis"].incr("messages")
        await self.write_message(f"{number}: {message}")


def load_certificate(context):
    """The pair as it is now; one that is of no use is refused."""
    pair = os.environ["SSL_CERTFILE"], os.environ["SSL_KEYFILE"]
    # Tried elsewhere first: a certificate without its key would leave the context with neither.
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*pair)
    context.load_cert_chain(*pair)


def reload_certificate(context):
    try:
        load_certificate(context)
    except OSError:  # which ssl.SSLError is
        logging.exception("the certificate stays as it was")
    else:
        logging.info("serving the renewed certificate")


async def main():
    logging.basicConfig(level=logging.INFO)
    # One context for good: with a dict as `ssl_options` Tornado would make a new one, and read the
    # files again, at every connection.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload_certificate, context)
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)

    application = Application(
        [("/", Page), ("/echo", Echo)], redis=redis.asyncio.from_url(os.environ["REDIS_URL"])
    )
    HTTPServer(application, ssl_options=context).listen(PORT)
    logging.info("listening on port %s", PORT)
    await stopped.wait()


asyncio.run(main())
