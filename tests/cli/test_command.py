"""The command: what is typed, what is told, with which status it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alsvid import __version__
from alsvid.cli.command import run
from alsvid.config.catalogue import DECLARED
from alsvid.config.peers import ABSENT
from alsvid.config.settings import Settings
from alsvid.errors import AlsvidError, ApplicationImportError, ConfigError, StartupError

Served = list[Settings]


@pytest.fixture
def served() -> Served:
    return []


@pytest.fixture
def command(served: Served) -> Callable[..., int]:
    """Return the command with a server that keeps the settings it was given, and ends cleanly."""

    def serve(settings: Settings) -> int:
        served.append(settings)
        return 0

    return lambda *arguments: run(arguments, serve)


VALUES: list[tuple[list[str], str, Any, str]] = [
    (["--port", "9000"], "port", 9000, "--port"),
    (["--port=9000"], "port", 9000, "--port"),
    (["-b", ":80"], "bind", (":80",), "-b"),
    (["-b:80"], "bind", (":80",), "-b"),
    (["-b", ":80", "--bind", "[::]:81", "-b", "fd://3"], "bind", (":80", "fd://3", "[::]:81"), "--bind"),
    (["--uds", "/run/a"], "uds", "/run/a", "--uds"),
    (["--keep-alive", "5"], "keep_alive", 5.0, "--keep-alive"),
    (["--timeout-keep-alive", "5"], "keep_alive", 5.0, "--timeout-keep-alive"),
    (["--keep-alive", "5", "--timeout-keep-alive", "6"], "keep_alive", 6.0, "--timeout-keep-alive"),
    (["--timeout-keep-alive", "6", "--keep-alive", "5"], "keep_alive", 5.0, "--keep-alive"),
    (["--port", "1", "--port", "2"], "port", 2, "--port"),
    (["--factory"], "factory", True, "--factory"),
    (["--no-access-log"], "access_log", False, "--no-access-log"),
    (["--access-log"], "access_log", True, "--access-log"),
    (["--no-access-log", "--access-log"], "access_log", True, "--access-log"),
    (["--no-use-colors"], "use_colors", False, "--no-use-colors"),
    (["--no-proxy-headers"], "proxy_headers", False, "--no-proxy-headers"),
    (["--server-header"], "server_header", True, "--server-header"),
    (["--access-logfile", "-"], "access_logfile", "-", "--access-logfile"),
    (["--header", "a: b", "--header", "a: c"], "headers", ((b"a", b"b"), (b"a", b"c")), "--header"),
    (["-e", "A=1", "--env", "B=2"], "env", ("A=1", "B=2"), "--env"),
    (["--forwarded-allow-ips=*"], "forwarded_allow_ips", ("*",), "--forwarded-allow-ips"),
    (["--limit-request-field_size", "9000"], "limit_request_field_size", 9000, "--limit-request-field_size"),
    (["-p", "x.pid"], "pid", "x.pid", "-p"),
    (["-u", "www", "-g", "33"], "group", "33", "-g"),
    (["-m", "022"], "umask", 0o22, "-m"),
    ([], "app", "main:app", "command line"),
    ([], "port", 8000, "default"),
]


@pytest.mark.parametrize(("typed", "name", "value", "source"), VALUES)
def test_a_flag_becomes_a_setting_that_knows_its_spelling(
    command: Callable[..., int], served: Served, typed: list[str], name: str, value: Any, source: str
) -> None:
    """Requirement: every spelling of the compatibility list; the value's source is what was typed."""
    for arguments in (["main:app", *typed], [*typed, "main:app"]):
        assert command(*arguments) == 0
        assert served[-1].get(name) == value
        assert served[-1].source(name) == source


@pytest.mark.parametrize(
    ("flag", "name"),
    [(flag, name) for name, each in DECLARED.items() for flag in each.option.flags],
)
def test_every_declared_flag_is_an_option_of_the_command(
    command: Callable[..., int], served: Served, flag: str, name: str
) -> None:
    """Requirement: the command line is generated from the declarations, all of them."""
    declared = DECLARED[name]
    value = [] if declared.is_bool else ["\n"]
    status = command("main:app", flag, *value)
    # A line end is a value that few settings accept: what counts is that the setting saw it.
    assert status in (0, 2)
    if status == 0:
        assert served[-1].source(name) == flag


# --- what is wrong ------------------------------------------------------------------------------------------

WRONG: list[tuple[list[str], list[str]]] = [
    ([], ["APP (default): expected the application to serve, such as main:app"]),
    (["a:b", "--port", "x"], ["--port 'x' (command line): expected a whole number from 0 to 65535"]),
    (["a:b", "--no-such"], ["--no-such"]),
    (["a:b", "--prot", "1"], ["--prot", "--port"]),
    (["a:b", "c:d"], ["c:d"]),
    (["a:b", "--port"], ["--port"]),
    (["a:b", "-k", "gevent"], ["-k 'gevent' (command line): expected nothing, or one of"]),
    (["a:b", "--http", "zzz"], ["--http 'zzz' (command line): expected nothing, or one of"]),
    (["a:b", "-c", "gone.toml"], ["--config 'gone.toml': No such file or directory"]),
    (["a:b", "--ssl-keyfile-password", "sesame"], ["--ssl-keyfile-password *** (command line)"]),
    (
        ["--port", "x", "--workers", "3", "--keep-alive", "-1", "--lifespan", "no", "--header", "x"],
        ["APP", "--port 'x'", "--workers is not", "--keep-alive '-1'", "--lifespan 'no'", "--header ('x',)"],
    ),
]


@pytest.mark.parametrize(("typed", "expected"), WRONG)
def test_usage_errors_are_told_at_once_and_end_with_2(
    command: Callable[..., int],
    served: Served,
    capsys: pytest.CaptureFixture[str],
    typed: list[str],
    expected: list[str],
) -> None:
    """Requirement: all errors at once, each with flag, value and what would be right; exit status 2."""
    assert command(*typed) == 2
    told = capsys.readouterr().err
    assert all(text in told for text in expected)
    assert "sesame" not in told
    assert served == []


@pytest.mark.parametrize(
    ("flag", "takes_value"), [(flag, absent.takes_value) for absent in ABSENT for flag in absent.flags]
)
def test_an_option_that_is_not_built_says_so(
    command: Callable[..., int], capsys: pytest.CaptureFixture[str], flag: str, takes_value: bool
) -> None:
    """Requirement: an option that has not been built yet is absent, not ignored; the error is clear."""
    assert command("a:b", flag, *(["4"] if takes_value else [])) == 2
    assert f"{flag} is not available in this version" in capsys.readouterr().err


@pytest.mark.parametrize(
    "typed",
    [
        ["-w", "1"],
        ["--workers=1"],
        ["--max-requests", "0"],
        ["--ws", "none"],
        ["--no-reload"],
        ["--no-http2"],
    ],
)
def test_an_option_that_asks_for_nothing_that_is_missing_is_taken(
    command: Callable[..., int], served: Served, typed: list[str]
) -> None:
    """Requirement: a user types the command they know; one worker is what there is."""
    assert command("a:b", *typed) == 0
    assert len(served) == 1


@pytest.mark.parametrize(
    "typed",
    [
        ["-k", "uvicorn.workers.UvicornWorker"],
        ["--worker-class", "asgi"],
        ["-k", "sync"],
        ["-k", "gthread"],
        ["--http", "auto"],
        ["--http", "httptools"],
    ],
)
def test_what_has_no_effect_is_accepted_with_a_notice(
    command: Callable[..., int], served: Served, capsys: pytest.CaptureFixture[str], typed: list[str]
) -> None:
    """Requirement: -k with the known values is accepted with a notice that it has no effect."""
    assert command("a:b", *typed) == 0
    assert len(served) == 1
    assert f"alsvid: notice: {' '.join(typed)} has no effect" in capsys.readouterr().err


# --- exit statuses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1, 3, 130])
def test_the_status_of_the_server_is_the_status_of_the_command(status: int) -> None:
    """Requirement: the server says how it ended."""
    assert run(["a:b"], lambda settings: status) == status


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AlsvidError("boom"), 1),
        (ConfigError("one", "two"), 2),
        (StartupError("boom"), 3),
        (ApplicationImportError("boom"), 4),
    ],
)
def test_an_error_of_the_server_has_its_status(
    capsys: pytest.CaptureFixture[str], error: AlsvidError, status: int
) -> None:
    """Requirement: 1 crash, 2 configuration, 3 could not start, 4 application not imported; no traceback."""

    def serve(settings: Settings) -> int:
        raise error

    assert run(["a:b"], serve) == status
    assert capsys.readouterr().err == "".join(f"alsvid: error: {line}\n" for line in str(error).splitlines())


def test_a_defect_of_the_server_is_not_hidden() -> None:
    """Requirement: what is no error of ours on purpose keeps its traceback."""

    def serve(settings: Settings) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(["a:b"], serve)


# --- --check-config, --print-config, --version, --help ------------------------------------------------------


def test_print_config_prints_a_file_that_leads_to_the_same_settings(
    command: Callable[..., int], served: Served, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Requirement: each value with its source, as TOML."""
    (directory / "cert.pem").touch()
    typed = ["a:b", "-b", "[::]:81", "--header", "x: y", "--uds-mode", "600", "--ssl-certfile", "cert.pem"]
    typed += ["--keep-alive", "2.5", "--no-access-log", "--ssl-keyfile-password", "sesame"]
    assert command(*typed) == 0
    assert command(*typed, "--print-config") == 0
    printed = capsys.readouterr().out
    assert "sesame" not in printed
    assert 'bind = ["[::]:81"]  # -b\n' in printed
    assert "access_log = false  # --no-access-log\n" in printed
    assert "# port = 8000  # default\n" in printed
    (directory / "alsvid.toml").write_text(printed, encoding="utf-8")
    assert command("--ssl-keyfile-password", "sesame") == 0
    assert dict(served[0]) == dict(served[1])


@pytest.mark.parametrize("name", DECLARED)
def test_print_config_prints_every_setting(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Requirement: nothing is left out, an application is not needed."""
    assert run(["--print-config"]) == 0
    printed = capsys.readouterr().out
    assert f"\n# {name}" in printed
    assert tomllib.loads(printed) == {}


APPLICATIONS = [
    ("async def app(scope, receive, send): ...", 0, "ASGI 3"),
    ("class app:\n def __init__(self, scope): ...", 0, "ASGI 2"),
    ("import os\nasync def app(scope, receive, send): ...\nassert os.environ['A'] == '1'", 0, "ASGI 3"),
    ("", 4, "has no attribute app"),
    ("app = 3", 4, "cannot be called"),
    ("def app(environ, start_response): ...", 4, "WSGI"),
    ("import no_such_module", 4, "no_such_module"),
    ("1/0", 4, "ZeroDivisionError"),
]


@pytest.mark.parametrize(("source", "status", "told"), APPLICATIONS)
def test_check_config_imports_the_application(
    directory: Path, capsys: pytest.CaptureFixture[str], source: str, status: int, told: str
) -> None:
    """Requirement: --check-config does all but serve; status 4 where the application cannot be had."""
    name = f"checked_{APPLICATIONS.index((source, status, told))}"
    (directory / f"{name}.py").write_text(source)
    path = sys.path.copy()
    try:
        assert run([f"{name}:app", "--check-config", "-e", "A=1"]) == status
    finally:
        sys.path[:] = path
    written = capsys.readouterr()
    assert told in (written.err if status else written.out)


def test_check_config_loads_certificates(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Requirement: what TLS refuses stops the start."""
    (directory / "cert.pem").write_text("none")
    assert run(["a:b", "--check-config", "--ssl-certfile", "cert.pem"]) in (2, 3)
    assert "cert.pem" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["-v", "--version"])
def test_the_version_is_printed(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    """Requirement: --version."""
    assert run([flag]) == 0
    assert capsys.readouterr().out.startswith(f"alsvid {__version__} (")


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_explains_every_setting(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    """Requirement: --help grouped by layer, readable: lines fit, flags are not broken, defaults shown."""
    assert run([flag]) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    assert max(map(len, lines)) <= 110
    assert {"Listening:", "HTTP/1.1:", "TLS:", "Logs:"} <= set(lines)
    words = set(text.replace(",", " ").replace(".", " ").split())
    for declared in DECLARED.values():
        assert {each for each in declared.option.flags if each.startswith("--")} <= words


# --- as a process -------------------------------------------------------------------------------------------


def process(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=directory, env=environ, capture_output=True, text=True, check=False
    )


def test_the_module_runs_as_the_command(directory: Path) -> None:
    """Requirement: python -m alsvid."""
    done = process("-m", "alsvid", "--version", directory=directory)
    assert (done.returncode, done.stdout.startswith("alsvid ")) == (0, True)
    done = process("-m", "alsvid", "--port", "x", directory=directory)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_is_no_traceback(directory: Path) -> None:
    """Requirement: `alsvid --help | head` ends quietly."""
    reading, writing = os.pipe()
    os.close(reading)
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-m", "alsvid", "--help"],
        env=environ,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_failing_import_shows_the_traceback_of_the_application_alone(directory: Path) -> None:
    """Requirement: a missing import inside the module keeps its traceback; frames of ours are not in it."""
    (directory / "main.py").write_text("def load():\n    import no_such_module\nload()\n")
    done = process("-m", "alsvid", "main:app", "--check-config", directory=directory)
    assert done.returncode == 4
    assert 'main.py", line 2, in load' in done.stderr
    assert "importlib" not in done.stderr
    assert "importer.py" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(
        "alsvid: error: importing main failed: ModuleNotFoundError"
    )


def test_the_command_loads_nothing_that_it_does_not_need(directory: Path) -> None:
    """Requirement: a start is fast; the event loop, TLS and logging are loaded to serve, not to parse."""
    code = (
        "import sys; from alsvid.cli.command import run; run(['a:b'], lambda settings: 0);"
        "print([name for name in ('asyncio', 'ssl', 'logging', 'tomllib', 'json') if name in sys.modules])"
    )
    assert process("-c", code, directory=directory).stdout == "[]\n"
