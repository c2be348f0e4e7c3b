"""One process serving one application: lifespan -> listen -> serve -> drain -> lifespan.

Owns the order of these steps and nothing of their insides. Usable inside any running event loop; signals,
exit statuses and the choice of the loop belong to alsvid.server.main.
"""

from __future__ import annotations

import asyncio
import errno
import os
import resource
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alsvid.asgi.forwarded import ForwardedRules
from alsvid.asgi.lifespan import Lifespan
from alsvid.asgi.service import Service
from alsvid.asgi.types import Application
from alsvid.interfaces.asgi2 import asgi2_to_asgi3
from alsvid.net.context import ConnectionContext
from alsvid.net.deadlines import TICK_S, Deadlines
from alsvid.net.listener import Acceptor
from alsvid.net.port import Port
from alsvid.net.sockets import Listener, open_listeners
from alsvid.net.tls import TlsContexts, wants_tls
from alsvid.observability.telemetry import Telemetry
from alsvid.protocol.http1.limits import Limits
from alsvid.protocol.http1.writer import HeadWriter
from alsvid.server.importer import load_application

if TYPE_CHECKING:
    from alsvid.config.settings import Settings
    from alsvid.net.proxied import ProxiedAcceptor
    from alsvid.net.proxy_protocol import ProxyProtocolRules

# Applications learn that the server stops this long before they are cut, so that they can say good-bye.
_NOTICE_S = 5.0
# A kept connection on which a request arrives in the last moment is still answered: idle ones close this
# long after the listeners.
_IDLE_GRACE_S = 0.2
# Descriptors kept free of connections, for the application's files and our own.
_RESERVED_DESCRIPTORS = 64
_SPARE_DESCRIPTORS = 4
_ACCEPT_PAUSE_S = 1.0
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Server:
    """A server of one application.

        server = Server(Settings(app="main:app", port=8000))
        await server.serve()            # until stop() is called

    or step by step: `open()` binds, `start()` runs the lifespan and accepts, `stop()` drains.
    """

    def __init__(self, settings: Settings, telemetry: Telemetry | None = None) -> None:
        self.settings = settings
        self.telemetry = telemetry or Telemetry()
        self.listeners: list[Listener] = []
        self._tls: TlsContexts | None = None
        self._acceptors: list[Acceptor | ProxiedAcceptor] = []
        self._forwarded: ForwardedRules | None = None
        self._proxy_protocol: ProxyProtocolRules | None = None
        self._application: Application | None = None
        self._context: ConnectionContext | None = None
        self._deadlines: Deadlines | None = None
        self._lifespan: Lifespan | None = None
        self._service: Service | None = None
        self._stop_asked = asyncio.Event()
        self._quiet: asyncio.Future[None] | None = None
        self._hurry = False
        self._reason = ""
        self._ticks = 0
        self._pause_ticks = 0
        self._background: set[asyncio.Task[Any]] = set()
        self.every_tick: list[Callable[[], None]] = []  # called about every 0.25 s; must not block

    # --- before the loop ----------------------------------------------------------------------------------

    def load(self) -> None:
        """Import the application. Raises ApplicationImportError."""
        if self._application is None:
            application, interface = load_application(self.settings.application)
            self._application = asgi2_to_asgi3(application) if interface == "asgi2" else application

    def open(self) -> None:
        """Read the certificates and bind the listeners. Raises ConfigError, StartupError."""
        if self.listeners:
            return
        if wants_tls(self.settings.tls):
            self._tls = TlsContexts(self.settings.tls, ("http/1.1",), self.telemetry)
        if self.settings.forwarded.proxy_headers:
            self._forwarded = ForwardedRules(self.settings.forwarded)
        if self.settings.proxy_protocol.proxy_protocol != "off":
            from alsvid.net.proxy_protocol import (
                ProxyProtocolRules,
            )  # a start-up without it need not pay for it

            self._proxy_protocol = ProxyProtocolRules(self.settings.proxy_protocol)
        scheme = "https" if self._tls is not None else "http"
        self.listeners = open_listeners(self.settings.listen, os.environ, scheme)

    @property
    def urls(self) -> list[str]:
        """What can be opened or given to a client, one for each listener."""
        return [listener.url_hint for listener in self.listeners]

    @property
    def url(self) -> str:
        """The first of `urls`."""
        return self.urls[0]

    # --- life ---------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Load, bind, run the application's start-up, accept. Raises AlsvidError; then nothing is left
        open.
        """
        try:
            self.load()
            self.open()
            await self._start()
        except BaseException:
            for acceptor in self._acceptors:
                acceptor.close()
            self._close_listeners()
            if self._deadlines is not None:
                self._deadlines.stop()
            if self._lifespan is not None:
                await self._lifespan.shutdown()
            raise

    async def _start(self) -> None:
        settings = self.settings
        assert self._application is not None
        loop = asyncio.get_running_loop()
        service = self._service = Service(self._application, loop, self.telemetry)
        service.refresh()
        self.telemetry.emit("process_started", pid=os.getpid())
        self._lifespan = Lifespan(
            service,
            settings.asgi.lifespan,
            startup_timeout_s=settings.asgi.timeout_lifespan_startup,
            shutdown_timeout_s=settings.asgi.timeout_lifespan_shutdown,
        )
        await self._lifespan.startup()
        service.state = self._lifespan.state
        service.refresh()  # the application may have set a task factory
        context = self._context = ConnectionContext(
            settings.connection, service, _limits(settings), _writer(settings), self._forwarded
        )
        self._fit_descriptors(context)
        self._deadlines = Deadlines(context, date_header=settings.http.date_header)
        self._deadlines.every_tick = [self._tick, *self.every_tick]
        self._deadlines.start()
        for listener in self.listeners:
            acceptor = self._acceptor(context, Port(listener, settings.asgi.root_path, self._tls))
            await acceptor.open()
            self._acceptors.append(acceptor)
        self.telemetry.emit("started", addresses=", ".join(self.urls))

    def _acceptor(self, context: ConnectionContext, port: Port) -> Acceptor | ProxiedAcceptor:
        handshake_timeout_s = self.settings.tls.timeout_tls_handshake
        if self._proxy_protocol is not None:
            from alsvid.net.proxied import ProxiedAcceptor

            return ProxiedAcceptor(
                context,
                port,
                self._proxy_protocol,
                header_timeout_s=self.settings.connection.timeout_request_head,
                handshake_timeout_s=handshake_timeout_s,
            )
        return Acceptor(
            context, port, backlog=self.settings.listen.backlog, handshake_timeout_s=handshake_timeout_s
        )

    async def serve(self) -> None:
        """Start, serve until `ask_to_stop`, stop."""
        await self.start()
        await self.stop_asked()
        await self.stop()

    async def stop_asked(self) -> None:
        """Wait until `ask_to_stop` has been called."""
        await self._stop_asked.wait()

    def ask_to_stop(self, reason: str = "asked to", *, at_once: bool = False) -> None:
        """Begin the graceful stop; a second time, or `at_once`, cut what is under way. Callable at any
        time.
        """
        if self._reason or at_once:
            self._hurry = True
            if self._lifespan is not None:
                self._lifespan.abandon()
            if self._quiet is not None and not self._quiet.done():
                self._quiet.set_result(None)
        self._reason = self._reason or reason
        self._stop_asked.set()

    async def stop(self) -> bool:
        """Drain and end. Listeners close first; returns False when something had to be cut or failed."""
        context, service, lifespan = self._context, self._service, self._lifespan
        if context is None or service is None or lifespan is None or self._deadlines is None:
            return True
        for acceptor in self._acceptors:
            acceptor.close()
        self._close_listeners()
        context.is_stopping = True
        timeout_s = self.settings.process.graceful_timeout
        self.telemetry.emit(
            "stopping", reason=self._reason or "asked to", requests=len(service.cycles), timeout_s=timeout_s
        )
        for connection in list(context.connections):
            connection.begin_stop()
        clean = await self._drain(context, service, timeout_s)
        self._deadlines.stop()
        for task in list(self._background):
            task.cancel()
        clean = await lifespan.shutdown() and clean
        self.telemetry.emit("stopped", pid=os.getpid())
        self._context = None
        return clean

    def _close_listeners(self) -> None:
        for listener in self.listeners:
            listener.close()

    # --- draining -----------------------------------------------------------------------------------------

    async def _drain(self, context: ConnectionContext, service: Service, timeout_s: float) -> bool:
        """Let the requests under way finish; True when nothing had to be cut."""
        loop = context.loop
        end = loop.time() + timeout_s
        self._end_endless()
        if context.connections:
            await self._settle(min(_IDLE_GRACE_S, timeout_s))
        for connection in list(context.connections):
            connection.end_stop()
        await self._settle(max(0.0, end - _NOTICE_S - loop.time()))
        if self._is_busy():
            for cycle in list(service.cycles):
                cycle.ask_to_stop()
            await self._settle(max(0.0, end - loop.time()))
        if not self._is_busy():
            return True
        clean = not service.cycles
        if not clean:
            await self._cut(service, timeout_s)
        for connection in list(context.connections):
            connection.abort()
        await asyncio.sleep(0)
        return clean

    def _end_endless(self) -> None:
        """Server-Sent Events never end by themselves: their applications are told at once."""
        assert self._service is not None
        for cycle in list(self._service.cycles):
            if cycle.is_endless():
                cycle.ask_to_stop()

    async def _cut(self, service: Service, timeout_s: float) -> None:
        cycles = list(service.cycles)
        names = [f"{cycle.scope['method']} {cycle.scope['path']}" for cycle in cycles]
        self.telemetry.emit("shutdown_cut", timeout_s=timeout_s, count=len(names), names=names)
        tasks = [cycle.task for cycle in cycles if cycle.task is not None]
        for cycle in cycles:
            cycle.ask_to_stop()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)

    def _is_busy(self) -> bool:
        assert self._context is not None
        assert self._service is not None
        return bool(self._context.connections or self._service.cycles)

    async def _settle(self, timeout_s: float) -> None:
        """Wait until nothing is under way, at most timeout_s; at once when the stop is urgent."""
        if timeout_s <= 0 or self._hurry or not self._is_busy():
            return
        assert self._context is not None
        self._quiet = self._context.loop.create_future()
        self._context.when_lost(self._look_if_quiet)
        self._context.service.when_idle = self._look_if_quiet
        try:
            await asyncio.wait_for(self._quiet, timeout_s)
        except TimeoutError:
            pass
        finally:
            self._quiet = None
            self._context.when_lost(None)
            self._context.service.when_idle = None

    def _look_if_quiet(self) -> None:
        if self._quiet is not None and not self._quiet.done() and not self._is_busy():
            self._quiet.set_result(None)

    # --- the tick -----------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._look_if_quiet()
        if self._context is not None and self._context.is_stopping:
            self._end_endless()
            return
        self._ticks += 1
        if self._pause_ticks:
            self._pause_ticks -= 1
            if not self._pause_ticks:
                self._spawn(self._resume_accepting())
        elif not _has_descriptors():
            self._pause_accepting()
        if self._tls is not None and self._ticks % 4 == 0:
            reload = self._tls.refresh()
            if reload is not None and reload.ok:
                self._spawn(self._renew())

    def handle_loop_error(self, context: dict[str, Any]) -> bool:
        """Deal with what the loop's exception handler was told; False when it is not the server's affair."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in _EXHAUSTED and "socket" in context:
            if not self._pause_ticks and self._context is not None:
                self._pause_ticks = 1
                self._context.loop.call_soon(self._pause_accepting)  # asyncio still needs the socket
            return True
        # asyncio means to accept again a second later, on a socket that is closed by then.
        return isinstance(error, ValueError) and "_start_serving" in str(context.get("message"))

    def _pause_accepting(self) -> None:
        """File descriptors have run out: serve who is there, evict who is idle, look again in a second."""
        assert self._context is not None
        for acceptor in self._acceptors:
            acceptor.close()
        self._pause_ticks = int(_ACCEPT_PAUSE_S / TICK_S)
        for _ in range(_RESERVED_DESCRIPTORS):
            if not self._context.evict(None, _ACCEPT_PAUSE_S):
                break
        error = "too many open files (ulimit -n)"
        self.telemetry.emit(
            "accept_error", listener=", ".join(self.urls), exception=error, pause_s=_ACCEPT_PAUSE_S
        )

    async def _resume_accepting(self) -> None:
        assert self._context is not None
        if not _has_descriptors():
            self._pause_accepting()
            return
        try:
            for acceptor in self._acceptors:
                if not self._context.is_stopping:
                    await acceptor.open()
        except OSError:
            self._pause_accepting()

    async def _renew(self) -> None:
        try:
            for acceptor in self._acceptors:
                await acceptor.renew()
        except OSError:
            self._pause_accepting()

    def _spawn(self, coroutine: Any) -> None:
        assert self._context is not None
        task = self._context.loop.create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _fit_descriptors(self, context: ConnectionContext) -> None:
        """Connections never take all descriptors: the application needs some to answer those that are
        there.
        """
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft == resource.RLIM_INFINITY:
            return
        room = max(1, soft - _RESERVED_DESCRIPTORS)
        if context.limit_connections > room:
            self.telemetry.emit(
                "warning",
                message=f"--limit-connections {context.limit_connections} needs more file descriptors than"
                f" ulimit -n {soft} allows: {room} connections are the limit",
            )
            context.limit_connections = room

    async def __aenter__(self) -> Server:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()


def _has_descriptors() -> bool:
    """True while there are some to spare: when they are gone, uvloop resets the clients that wait."""
    spare: list[int] = []
    try:
        for _ in range(_SPARE_DESCRIPTORS):
            spare.append(os.dup(0))
    except OSError as error:
        return error.errno not in _EXHAUSTED
    finally:
        for descriptor in spare:
            os.close(descriptor)
    return True


def _limits(settings: Settings) -> Limits:
    http1 = settings.http1
    return Limits(
        request_line=http1.limit_request_line,
        head=http1.limit_request_head,
        fields=http1.limit_request_fields,
        field_size=http1.limit_request_field_size,
        chunk_extension=http1.limit_chunk_extension,
        chunk_extensions=http1.limit_chunk_extensions,
        body=settings.http.limit_request_body,
        unread_body=settings.connection.limit_unread_body,
    )


def _writer(settings: Settings) -> HeadWriter:
    extra = b"server: alsvid\r\n" if settings.http.server_header else b""
    for name, value in settings.http.headers:
        extra += name + b": " + value + b"\r\n"
    return HeadWriter(extra)
