"""From the text that names an application to the application and its kind."""

from __future__ import annotations

import functools
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from alsvid.errors import ApplicationImportError
from alsvid.server.importer import detect_interface, import_application, load_application
from alsvid.server.settings import ApplicationSettings


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An application directory that is the working directory; its modules are forgotten afterwards."""
    write(tmp_path / "main.py", MAIN)
    write(tmp_path / "broken.py", "def load():\n    import no_such_module\nload()\n")
    write(tmp_path / "syntax.py", "def (:\n")
    write(tmp_path / "leaving.py", "raise SystemExit(3)\n")
    write(tmp_path / "lonely.py", "def only(): ...\n")
    write(tmp_path / "asgi.py", "def app(scope): ...\ndef application(scope): ...\n")
    write(tmp_path / "shop/__init__.py", "")
    write(tmp_path / "shop/web.py", "async def app(scope, receive, send): ...\n")
    write(tmp_path / "shop/late.py", "import shop.gone\n")
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), sys.path.copy()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


MAIN = """
    async def app(scope, receive, send): ...
    class Holder: pass
    holder = Holder()
    holder.inner = Holder()
    holder.inner.app = app
    def create(name="x", *rest, debug=False):
        async def made(scope, receive, send): ...
        made.arguments = (name, rest, debug)
        return made
    def create_none(): ...
    def create_number(): return 3
    async def create_later(): return app
    def create_badly(): return 1 / 0
    def create_leaving(): raise SystemExit
    number = 3
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text))


def refused(target: Any, **more: Any) -> ApplicationImportError:
    with pytest.raises(ApplicationImportError) as error:
        import_application(target, **more)
    return error.value


# --- what is found ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("main:app", "app"),
        ("main:holder.inner.app", "app"),
        ("main", "app"),
        ("asgi", "application"),
        ("shop.web:app", "app"),
        ("shop.web", "app"),
        ("main:create", "create"),
    ],
)
def test_a_name_leads_to_its_object(target: str, name: str) -> None:
    """Requirement: "module:attr", "module:obj.attr"; a module alone as Gunicorn has it."""
    assert import_application(target).__name__ == name


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("main:create()", ("x", (), False)),
        ("main:create('shop')", ("shop", (), False)),
        ("main:create('shop', 1, [2.5, None], debug=True)", ("shop", (1, [2.5, None]), True)),
        ("main:create(debug={'a': (1, 2)}, name=b'x')", (b"x", (), {"a": (1, 2)})),
        ("main:create(-1)", (-1, (), False)),
    ],
)
def test_a_factory_in_the_text_is_called_with_literals(target: str, arguments: Any) -> None:
    """Requirement: "module:factory()", with literal arguments."""
    assert import_application(target).arguments == arguments  # type: ignore[attr-defined]


def test_a_factory_may_be_said_apart() -> None:
    """Requirement: --factory."""
    assert import_application("main:create", factory=True).arguments == ("x", (), False)  # type: ignore[attr-defined]


def test_a_callable_is_taken_as_it_is() -> None:
    """Requirement: alsvid.run(app), also with a factory."""
    assert import_application(print) is print
    assert import_application(lambda: print, factory=True) is print


def test_the_directory_comes_first_on_the_path(site: Path) -> None:
    """Requirement: app_dir, by default the working directory, stands first on sys.path, once."""
    write(site / "other/main.py", "async def app(scope, receive, send): ...\nwhere = 'other'\n")
    app = import_application("main:app", app_dir="other")
    assert app.__globals__["where"] == "other"  # type: ignore[attr-defined]
    assert sys.path[0] == str(site / "other")
    import_application("main:app", app_dir="other")
    assert sys.path.count(str(site / "other")) == 1


# --- what is not --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("", "expected MODULE:ATTRIBUTE"),
        (":app", "expected MODULE:ATTRIBUTE"),
        ("main-app:app", "expected MODULE:ATTRIBUTE"),
        ("shop/web.py:app", "such as shop.web:app"),
        ("./shop/web.py", "such as shop.web:app"),
        ("main.py:app", "such as main:app"),
        ("main.py", "such as main:app"),
        ("main:app:x", "expected MODULE:ATTRIBUTE"),
        ("main:app app", "expected MODULE:ATTRIBUTE"),
        ("main:app[0]", "expected MODULE:ATTRIBUTE"),
        ("main:create(x)", "literal arguments"),
        ("main:create(*[1])", "literal arguments"),
        ("main:create(**{})", "literal arguments"),
        ("main:create()()", "expected MODULE:ATTRIBUTE"),
        ("main:__import__('os').getcwd()", "expected MODULE:ATTRIBUTE"),
        ("main:create(__import__('os'))", "literal arguments"),
        ("mian:app", "there is no module mian in"),
        ("mian:app", "did you mean main?"),
        ("nowhere:app", "--app-dir"),
        ("shop.wep:app", "there is no module wep in the package shop; did you mean web?"),
        ("main.web:app", "main is a module, not a package"),
        ("nowhere.web:app", "there is no module nowhere"),
        ("main:ap", "module main has no attribute ap; did you mean app?"),
        ("main:holder.iner.app", "holder of module main has no attribute iner; did you mean inner?"),
        ("main:zzzzz", "module main has no attribute zzzzz"),
        ("lonely", "neither an attribute application nor app"),
        ("lonely", "callable there: only"),
        ("main:number", "an object of type int, which cannot be called"),
        ("main:number()", "main:number() is no factory"),
        ("main:create_none()", "returned None"),
        ("main:create_number()", "an object of type int, which cannot be called"),
        ("main:create_later()", "is a coroutine function"),
    ],
)
def test_what_names_no_application_is_told_clearly(target: str, expected: str) -> None:
    """Requirement: a clear text, with near matches, and no traceback of ours."""
    error = refused(target)
    assert expected in str(error)
    assert error.__cause__ is None or isinstance(error.__cause__, (SyntaxError, ValueError))


@pytest.mark.parametrize(
    ("target", "cause", "expected"),
    [
        ("broken:app", ModuleNotFoundError, "importing broken failed: ModuleNotFoundError"),
        ("shop.late:app", ModuleNotFoundError, "importing shop.late failed: ModuleNotFoundError"),
        ("syntax:app", SyntaxError, "importing syntax failed: SyntaxError"),
        ("leaving:app", SystemExit, "importing leaving failed: SystemExit"),
        ("main:create_badly()", ZeroDivisionError, "calling the factory main:create_badly() failed"),
        ("main:create_leaving()", SystemExit, "calling the factory main:create_leaving() failed"),
        ("main:create(no=1)", TypeError, "calling the factory main:create(no=1) failed: TypeError"),
    ],
)
def test_what_fails_in_the_application_keeps_its_exception(
    target: str, cause: type[BaseException], expected: str
) -> None:
    """Requirement: a missing import inside the module is another matter than a missing module."""
    error = refused(target)
    assert expected in str(error)
    assert type(error.__cause__) is cause


def test_the_traceback_begins_in_the_application(site: Path) -> None:
    """Requirement: a user sees the frames of the application, not those of the import system."""
    frames = refused("broken:app").__cause__.__traceback__  # type: ignore[union-attr]
    assert frames is not None
    assert frames.tb_frame.f_code.co_filename == str(site / "broken.py")


def test_a_call_and_the_option_contradict() -> None:
    """Requirement: a factory is not called twice."""
    assert "not both" in str(refused("main:create()", factory=True))


def test_an_interrupt_is_not_an_import_error(site: Path) -> None:
    """Requirement: CTRL+C during a slow import stops."""
    write(site / "slow.py", "raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        import_application("slow:app")


# --- the kind -----------------------------------------------------------------------------------------------

Receive = Callable[[], Awaitable[Any]]


async def asgi3(scope: Any, receive: Any, send: Any) -> None: ...


async def asgi3_with_more(
    scope: Any, receive: Any, send: Any, extra: Any = None, *, debug: bool = False
) -> None: ...


async def asgi3_hidden(*args: Any, **kwargs: Any) -> None: ...


def asgi3_plain(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    return asgi3(scope, receive, send)


def asgi2(scope: Any) -> Callable[[Any, Any], Awaitable[None]]:
    async def instance(receive: Any, send: Any) -> None: ...

    return instance


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    return []


def hidden(*args: Any) -> Any: ...


def either(scope: Any, receive: Any = None, send: Any = None) -> Any: ...


def decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return wrapper


class Asgi3Instance:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


class Asgi3PlainInstance:
    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        return asgi3(scope, receive, send)


class Asgi3Class:
    def __init__(self, scope: Any, receive: Any, send: Any) -> None: ...

    def __await__(self) -> Iterator[None]:
        return iter(())


class Asgi2Class:
    def __init__(self, scope: Any) -> None: ...

    async def __call__(self, receive: Any, send: Any) -> None: ...


class Asgi2Instance:
    def __call__(self, scope: Any) -> Any: ...


class WsgiInstance:
    def __call__(self, environ: Any, start_response: Any) -> Any: ...


class WsgiClass:
    def __init__(self, environ: Any, start_response: Any) -> None: ...


class Framework:
    """As FastAPI or Starlette: everything by keyword, the instance is the application."""

    def __init__(self, *, debug: bool = False) -> None: ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...

    async def method(self, scope: Any, receive: Any, send: Any) -> None: ...

    @classmethod
    async def of_class(cls, scope: Any, receive: Any, send: Any) -> None: ...

    @staticmethod
    async def of_none(scope: Any, receive: Any, send: Any) -> None: ...


def takes_nothing() -> Any: ...


def needs_a_keyword(scope: Any, receive: Any, send: Any, *, database: Any) -> Any: ...


async def takes_two(receive: Any, send: Any) -> None: ...


async def takes_four(a: Any, b: Any, c: Any, d: Any) -> None: ...


@pytest.mark.parametrize(
    "app",
    [
        asgi3,
        asgi3_with_more,
        asgi3_hidden,
        asgi3_plain,
        hidden,
        either,
        decorated(asgi3),
        decorated(decorated(asgi3)),
        functools.partial(asgi3),
        functools.partial(takes_four, 1),
        functools.partial(needs_a_keyword, database=1),
        functools.partial(asgi3_with_more, extra=1),
        functools.partial(Framework()),
        Asgi3Instance(),
        Asgi3PlainInstance(),
        Asgi3Class,
        Framework(),
        Framework().method,
        Framework.of_class,
        Framework.of_none,
        lambda scope, receive, send: asgi3(scope, receive, send),
        max,
    ],
)
def test_what_takes_scope_receive_and_send_is_asgi3(app: Any) -> None:
    """Requirement: functions, instances, methods, partials, decorated callables."""
    assert detect_interface(app) == "asgi3"


@pytest.mark.parametrize(
    "app",
    [
        asgi2,
        Asgi2Class,
        Asgi2Instance(),
        decorated(asgi2),
        functools.partial(asgi2),
        functools.partial(wsgi, {}),
        lambda scope: None,
    ],
)
def test_what_takes_scope_alone_is_asgi2(app: Any) -> None:
    """Requirement: double callables (ASGI section "Legacy Applications")."""
    assert detect_interface(app) == "asgi2"


@pytest.mark.parametrize("app", [wsgi, WsgiInstance(), WsgiClass, decorated(wsgi), functools.partial(wsgi)])
def test_wsgi_is_recognised_and_refused(app: Any) -> None:
    """Requirement: a clear error where WSGI is not supported."""
    with pytest.raises(ApplicationImportError, match=r"WSGI application .* does not support"):
        detect_interface(app)


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (takes_nothing, "add --factory"),
        (Framework, "such as app = Framework()"),
        (needs_a_keyword, "(scope, receive, send)"),
        (takes_two, "(scope, receive, send)"),
        (takes_four, "its arguments are (a"),
    ],
)
def test_what_can_be_neither_is_told_with_what_would_help(app: Any, expected: str) -> None:
    """Requirement: the first request is too late to learn that the application is none."""
    with pytest.raises(ApplicationImportError) as error:
        detect_interface(app)
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("starlette.applications", "Starlette"),
        ("fastapi", "FastAPI"),
        ("django.core.handlers.asgi", "ASGIHandler"),
    ],
)
def test_the_applications_of_frameworks_are_asgi3(module: str, name: str) -> None:
    """Requirement: Starlette and FastAPI instances, Django's ASGIHandler."""
    made_by = getattr(pytest.importorskip(module), name)
    # Not initialised: Django would want its settings, and nothing is called anyway.
    assert detect_interface(made_by.__new__(made_by)) == "asgi3"


@pytest.mark.parametrize(("interface", "kind"), [("auto", "asgi3"), ("asgi3", "asgi3"), ("asgi2", "asgi2")])
def test_what_the_user_says_of_the_kind_is_believed(interface: str, kind: str) -> None:
    """Requirement: --interface."""
    app, found = load_application(ApplicationSettings(app=asgi3, interface=interface))
    assert (app, found) == (asgi3, kind)


def test_without_a_name_there_is_no_application() -> None:
    """Requirement: a clear error."""
    with pytest.raises(ApplicationImportError, match="no application is given"):
        load_application(ApplicationSettings())
