"""A very small HTTP server that stands in for a peer: called as stub_server.py PORT [BODY]."""

import asyncio
import sys


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(body)
    try:
        while True:
            request = await reader.readuntil(b"\r\n\r\n")
            writer.write(head + body)
            if b"connection: close" in request.lower():
                break
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


async def main(port: int, body: bytes) -> None:
    server = await asyncio.start_server(
        lambda reader, writer: serve(reader, writer, body), "127.0.0.1", port, backlog=512
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), (sys.argv[2] if len(sys.argv) > 2 else "Hello, World!").encode()))
