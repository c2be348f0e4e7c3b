"""The server inside a program of one's own: python -m examples.embedded

`serve()` takes a free port, is ready when the block is entered and has drained when it is left. Made for
tests, and for programs that do other things too.
"""

import asyncio
import urllib.request

import alsvid
from examples.hello import app


async def main():
    async with alsvid.serve(app) as server:
        print("serving", server.url)
        body = await asyncio.to_thread(fetch, server.url)
        print("fetched", body.decode())


def fetch(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


if __name__ == "__main__":
    asyncio.run(main())
