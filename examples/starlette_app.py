"""What Starlette offers, each in a few lines: alsvid examples.starlette_app:app

    /               JSON                        /file        a file, sent by the kernel where it can be
    /form           a form, POSTed              /slow        until the client goes away
    /background     work after the answer       /inner/…     a mounted application
    /count          a stream                    /socket      a WebSocket

gzip is spoken, and a middleware adds the time that a request below /inner took.
"""

import asyncio
import itertools
import time
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute


class Timing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        began = time.perf_counter()
        response = await call_next(request)
        response.headers["server-timing"] = f"app;dur={(time.perf_counter() - began) * 1000:.2f}"
        return response


async def home(request):
    client = request.client and [request.client.host, request.client.port]
    return JSONResponse({"url": str(request.url), "client": client, "visits": next(request.state.visits)})


async def form(request):
    async with request.form() as fields:
        return JSONResponse({name: getattr(value, "filename", value) for name, value in fields.items()})


async def background(request):
    task = BackgroundTask(print, "background: a task has run", flush=True)
    return PlainTextResponse("answered\n", background=task)


async def count(request):
    async def numbers():
        for number in range(1, int(request.query_params.get("to", 10)) + 1):
            yield f"{number}\n"
            await asyncio.sleep(0)

    return StreamingResponse(numbers(), media_type="text/plain")


async def file(request):
    return FileResponse(__file__, media_type="text/x-python")


async def slow(request):
    while not await request.is_disconnected():
        await asyncio.sleep(0.02)
    print("slow: the client has gone", flush=True)
    return PlainTextResponse("nobody reads this\n")


async def inner(request):
    return JSONResponse(
        {
            "path": request.url.path,
            "root_path": request.scope["root_path"],
            "link": str(request.url_for("home")),
        }
    )


async def fail(request):
    raise RuntimeError("an error of the application")


async def socket(websocket):
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text)


@asynccontextmanager
async def lifespan(app):
    yield {"visits": itertools.count(1)}


app = Starlette(
    lifespan=lifespan,
    middleware=[Middleware(GZipMiddleware, minimum_size=500)],
    routes=[
        Route("/", home, name="home"),
        Route("/form", form, methods=["POST"]),
        Route("/background", background),
        Route("/count", count),
        Route("/file", file),
        Route("/slow", slow),
        Route("/fail", fail),
        # Not around /slow: below BaseHTTPMiddleware, Starlette's is_disconnected() never turns true.
        Mount("/inner", routes=[Route("/page", inner)], middleware=[Middleware(Timing)]),
        WebSocketRoute("/socket", socket),
    ],
)
