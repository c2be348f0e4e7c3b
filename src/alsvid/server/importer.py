"""From the text that names an application to the application, and what kind of application it is.

    "main:app"   "pkg.module:obj.attr"   "main:create_app()"   "main:create_app('production', debug=False)"
    "main"       is main:application, else main:app

Owns the texts that tell a user why it cannot be had. It knows no settings but its own arguments, and runs
nothing of the application but its import and its factory.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any, Literal

from alsvid.errors import ApplicationImportError
from alsvid.server.settings import ApplicationSettings

Interface = Literal["asgi3", "asgi2"]

# What "main" alone stands for, as in Gunicorn; "app" because that is what most people write.
_DEFAULT_ATTRIBUTES = ("application", "app")


def load_application(settings: ApplicationSettings) -> tuple[Callable[..., Any], Interface]:
    """Import the application and tell its kind; what `interface` says is believed.

    Raises: ApplicationImportError, with the application's own exception as its cause where there is one.
    """
    if settings.app is None:
        raise ApplicationImportError("no application is given: name it as MODULE:ATTRIBUTE, such as main:app")
    app = import_application(settings.app, factory=settings.factory, app_dir=settings.app_dir)
    if settings.interface == "asgi3":
        return app, "asgi3"
    if settings.interface == "asgi2":
        return app, "asgi2"
    return app, detect_interface(app)


def import_application(
    target: str | Callable[..., Any], *, factory: bool = False, app_dir: str = ""
) -> Callable[..., Any]:
    """Return the application that `target` names; a callable is taken as it is.

    factory  what `target` names is called without arguments, and returns the application
    app_dir  put first on sys.path; "" is the working directory

    Raises: ApplicationImportError, with the exception of the application's code as its cause.
    """
    if not isinstance(target, str):
        found, call = target, None
        name = getattr(target, "__qualname__", type(target).__name__)
    else:
        module_name, attribute, call = _parse(target)
        _put_first_on_path(app_dir)
        found = _attribute(_module(module_name), module_name, attribute)
        name = target
    if call is not None and factory:
        raise ApplicationImportError(f"{name}: give either the call in the text or --factory, not both")
    if call is not None or factory:
        found = _made_by(found, call or ((), {}), name)
    if not callable(found):
        raise ApplicationImportError(
            f"{name} is no application: it is {_kind(found)}, which cannot be called"
        )
    return found


# --- the text -----------------------------------------------------------------------------------------------

_Call = tuple[tuple[Any, ...], dict[str, Any]]


def _parse(target: str) -> tuple[str, str, _Call | None]:
    """Return module, dotted attribute ("" where none is given) and the arguments of a call."""
    module_name, _, expression = target.partition(":")
    if not all(part.isidentifier() for part in module_name.split(".")):
        hint = ""
        path = module_name.removesuffix(".py")
        if "/" in module_name or module_name.endswith(".py"):
            dotted = path.removeprefix("./").strip("/").replace("/", ".")
            hint = f"; a module is named with dots, such as {dotted}:{expression or 'app'}"
        raise ApplicationImportError(
            f"{target!r} does not name an application: expected MODULE:ATTRIBUTE{hint}"
        )
    # Python's own parser would also take "main.py:app", whose module is main with an attribute py.
    if module_name.endswith(".py") and os.path.isfile(module_name):
        stem = module_name.removesuffix(".py")
        raise ApplicationImportError(
            f"{target!r} names a file: expected a module, such as {stem}:{expression or 'app'}"
        )
    if not expression:
        return module_name, "", None
    try:
        node = ast.parse(expression, mode="eval").body
        call: _Call | None = None
        if isinstance(node, ast.Call):
            call = _literal_arguments(node)
            node = node.func
        return module_name, _dotted(node), call
    except (SyntaxError, ValueError) as error:
        raise ApplicationImportError(
            f"{target!r} does not name an application: expected MODULE:ATTRIBUTE, or "
            "MODULE:FACTORY(…) with literal arguments"
        ) from error


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    raise ValueError("neither a name nor an attribute")


def _literal_arguments(node: ast.Call) -> _Call:
    positional = tuple(ast.literal_eval(argument) for argument in node.args)
    keywords: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise ValueError("** is not literal")
        keywords[keyword.arg] = ast.literal_eval(keyword.value)
    return positional, keywords


# --- the module ---------------------------------------------------------------------------------------------


def _put_first_on_path(app_dir: str) -> None:
    directory = os.path.abspath(app_dir)
    if not sys.path or sys.path[0] != directory:
        sys.path.insert(0, directory)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (
            error.name is not None
            and _is_prefix(error.name, name)
            and _own_frames(error.__traceback__) is None
        ):
            raise ApplicationImportError(_not_there(error.name, name)) from None
        raise _failed(f"importing {name}", error) from error
    except (Exception, SystemExit) as error:
        raise _failed(f"importing {name}", error) from error


def _is_prefix(missing: str, name: str) -> bool:
    return name == missing or name.startswith(f"{missing}.")


def _not_there(missing: str, name: str) -> str:
    parent, _, last = missing.rpartition(".")
    if parent:
        directories = list(getattr(sys.modules.get(parent), "__path__", ()))
        if not directories:
            return f"cannot import {name}: {parent} is a module, not a package, and holds no module {last}"
        place = f"the package {parent}"
    else:
        directories = sys.path[:1]
        place = f"{sys.path[0]} or elsewhere on Python's path (--app-dir says where to look)"
    return (
        f"cannot import {name}: there is no module {last} in {place}{_near(last, _modules_in(directories))}"
    )


def _modules_in(directories: list[str]) -> list[str]:
    found: list[str] = []
    for directory in directories:
        try:
            entries = sorted(os.listdir(directory))
        except OSError:
            continue
        found += [entry.removesuffix(".py") for entry in entries if not entry.startswith((".", "_"))]
    return found


def _own_frames(frames: TracebackType | None) -> TracebackType | None:
    """Return the traceback from where the application's own code begins, or None if that never ran."""
    while frames is not None:
        module = frames.tb_frame.f_globals.get("__name__", "")
        if module != __name__ and module.partition(".")[0] != "importlib" and module != "_frozen_importlib":
            code = frames.tb_frame.f_code.co_filename
            if not code.startswith("<frozen importlib"):
                return frames
        frames = frames.tb_next
    return None


def _failed(doing: str, error: BaseException) -> ApplicationImportError:
    """Return the error for an exception of the application, whose traceback is cut to its own frames."""
    error.__traceback__ = _own_frames(error.__traceback__)
    return ApplicationImportError(f"{doing} failed: {type(error).__name__}: {error}")


# --- the attribute ------------------------------------------------------------------------------------------


def _attribute(module: ModuleType, module_name: str, dotted: str) -> Any:
    if not dotted:
        for name in _DEFAULT_ATTRIBUTES:
            if hasattr(module, name):
                return getattr(module, name)
        raise ApplicationImportError(
            f"{module_name} has neither an attribute application nor app; name it as {module_name}:ATTRIBUTE"
            f"{_callables(module)}"
        )
    found: Any = module
    owner = f"module {module_name}"
    for name in dotted.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            near = _near(name, [each for each in dir(found) if not each.startswith("__")])
            raise ApplicationImportError(f"{owner} has no attribute {name}{near}") from None
        owner = f"{name} of {owner}"
    return found


def _callables(module: ModuleType) -> str:
    """Return "; callable there: …" for what the module itself made, or ""."""
    names = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and not isinstance(value, type)
    ]
    return f"; callable there: {', '.join(names[:5])}" if names else ""


def _near(word: str, known: list[str]) -> str:
    import difflib  # only on the way to an error text

    close = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _made_by(factory: Any, call: _Call, name: str) -> Any:
    if not callable(factory):
        raise ApplicationImportError(f"{name} is no factory: it is {_kind(factory)}, which cannot be called")
    try:
        made = factory(*call[0], **call[1])
    except (Exception, SystemExit) as error:
        raise _failed(f"calling the factory {name}", error) from error
    if inspect.iscoroutine(made):
        made.close()
        raise ApplicationImportError(f"the factory {name} is a coroutine function; expected a plain function")
    if made is None:
        raise ApplicationImportError(f"the factory {name} returned None; expected the application")
    return made


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, ModuleType):
        return f"the module {value.__name__}"
    return f"an object of type {type(value).__name__}"


# --- the kind of application --------------------------------------------------------------------------------


def detect_interface(app: Callable[..., Any]) -> Interface:
    """Tell by its signature how an application wants to be called.

    asgi3   app(scope, receive, send), a coroutine function or a plain one that returns an awaitable
    asgi2   app(scope), which returns what is called with (receive, send); also a class with such an __init__

    Nothing is called. A callable that hides its signature behind *args is taken for asgi3.
    Raises: ApplicationImportError for WSGI, and for what can be neither.
    """
    if isinstance(app, type):
        if hasattr(app, "__await__"):
            return "asgi3"  # class App: __init__(self, scope, receive, send), __await__(self)
        order: tuple[int, ...] = (1, 2)
    elif _is_coroutine_function(app):
        order = (3,)
    else:
        order = (3, 1, 2)
    least, most = _positional(app)
    fitting = next((count for count in order if least <= count <= most), None)
    if fitting == 3:
        return "asgi3"
    if fitting == 1:
        return "asgi2"
    name = getattr(app, "__qualname__", None) or f"an object of type {type(app).__name__}"
    if fitting == 2:
        raise ApplicationImportError(
            f"{name} is a WSGI application (environ, start_response), which this version does not support"
        )
    raise ApplicationImportError(f"{name} is no ASGI application: {_misfit(app, least, most)}")


def _misfit(app: Callable[..., Any], least: int, most: float) -> str:
    if isinstance(app, type):
        return f"it is a class; expected an instance of it, such as app = {app.__name__}()"
    if least == most == 0:
        return "it takes no arguments; if it returns the application, add --factory"
    return f"its arguments are {inspect.signature(app)}; expected (scope, receive, send)"


def _is_coroutine_function(app: Callable[..., Any]) -> bool:
    # inspect looks through functools.partial, but not at the __call__ of an object.
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)


def _positional(app: Callable[..., Any]) -> tuple[int, float]:
    """Return how many positional arguments it needs, and takes at most."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return 0, float("inf")  # made in C, without a signature
    least, most = 0, 0.0
    for parameter in parameters:
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            most += 1
            least += parameter.default is parameter.empty
        elif parameter.kind is parameter.VAR_POSITIONAL:
            most = float("inf")
        elif parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty:
            return 1, 0.0  # a server gives none: nothing fits
    return least, most
