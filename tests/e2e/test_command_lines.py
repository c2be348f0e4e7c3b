"""What is in people's fingers: the command lines of other servers, with our name, against a real process."""

from __future__ import annotations

import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest
from processes import ROOT, Curl, ServerProcess, Start, run_once

HELLO = "examples.hello:app"

# Lines of other servers' documentations and deployments, with alsvid in the place of their name.
LINES = [
    f"{HELLO} --host 127.0.0.1 --port 0 --timeout-keep-alive 5 --log-level info",
    f"{HELLO} --port 0 --proxy-headers --forwarded-allow-ips=* --no-server-header --no-access-log",
    f"--port 0 --loop uvloop --http httptools --lifespan off --interface asgi3 --ws none {HELLO}",
    f"{HELLO} --port 0 --backlog 512 --limit-concurrency 100 --timeout-graceful-shutdown 10 --no-use-colors",
    f"-b 127.0.0.1:0 -w 1 -k uvicorn.workers.UvicornWorker {HELLO}",
    f"-k uvicorn_worker.UvicornWorker --bind=127.0.0.1:0 --graceful-timeout 10 --keep-alive 5 {HELLO}",
    f"{HELLO} -b 127.0.0.1:0 --access-logfile - --error-logfile - --log-level debug --limit-request-line 99",
    f"{HELLO} -b 127.0.0.1:0 -e A=1 --env B=2 --chdir {ROOT} --umask 022 --forwarded-allow-ips 10.0.0.1",
]


def get(server: ServerProcess, path: str = "/") -> httpx.Response:
    """Fetch a page of a server."""
    return httpx.get(server.url + path, trust_env=False, timeout=20)


@pytest.mark.parametrize("line", LINES)
def test_an_old_command_line_works_with_the_new_name(start: Start, line: str) -> None:
    """compatibility.md: the command they know, with `alsvid` in place of the old name, works."""
    if "uvloop" in line:
        pytest.importorskip("uvloop")
    server = start(*line.split())
    assert get(server).text == "Hello, World!"
    assert server.end() == 0


def test_the_installed_command_is_the_module(start: Start) -> None:
    """`alsvid` and `python -m alsvid` are one."""
    command = Path(sys.executable).with_name("alsvid")
    if not command.exists():
        pytest.skip("the package is not installed here, so there is no command `alsvid`")
    server = start(HELLO, "--port", "0", program=[str(command)])
    assert get(server).text == "Hello, World!"


def test_the_log_says_what_people_look_for(start: Start) -> None:
    """Address, how to quit, process id, start-up and shutdown complete, in this order."""
    server = start(HELLO, "--port", "0")
    assert server.urls
    assert server.end(signal.SIGINT) == 0
    log = "\n".join(server.lines())
    pid = server.process.pid
    expected = [
        f"Started server process [{pid}]",
        f"Alsvid running on http://127.0.0.1:{server.address[1]} (press CTRL+C to quit)",
        "Stopping (SIGINT)",
        f"Finished server process [{pid}]",
    ]
    places = [log.find(text) for text in expected]
    assert -1 not in places
    assert places == sorted(places)


# --- addresses ----------------------------------------------------------------------------------------------


def test_several_addresses_are_served_at_once(
    start: Start, curl: Curl, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """-b is repeatable, and mixes TCP and Unix sockets; every real address is in the log."""
    paths = [tmp_path_factory.mktemp("s") / name for name in "ab"]
    server = start(HELLO, "-b", f"unix:{paths[0]}", "--bind", "127.0.0.1:0", "-b", f"unix:{paths[1]}")
    assert len(server.urls) == 3
    (url,) = [url for url in server.urls if url.startswith("http://127.0.0.1:")]
    assert curl(url) == "Hello, World!"
    for path in paths:
        assert str(path) in server.wait_for("running on")
        assert curl("--unix-socket", str(path), "http://localhost/") == "Hello, World!"


def test_a_unix_socket_is_made_and_removed(
    start: Start, curl: Curl, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """--uds: mode 0660 (safety.md section 1), gone after the stop."""
    path = tmp_path_factory.mktemp("s") / "socket"
    server = start(HELLO, "--uds", str(path))
    assert server.urls
    assert path.stat().st_mode & 0o777 == 0o660
    assert curl("--unix-socket", str(path), "http://localhost/") == "Hello, World!"
    assert server.end() == 0
    assert not path.exists()


def test_an_inherited_descriptor_is_served(start: Start) -> None:
    """--fd N: the socket was bound by somebody else, such as a service manager."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        server = start(HELLO, "--fd", str(number), descriptors=[number])
        assert server.address == listener.getsockname()
        assert get(server).text == "Hello, World!"


def test_ipv6_is_served(start: Start) -> None:
    """An address of IPv6 is written in brackets with -b and without with --host."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    for arguments in (["--host", "::1", "--port", "0"], ["-b", "[::1]:0"]):
        server = start(HELLO, *arguments)
        assert server.url.startswith("http://[::1]:")
        assert get(server).text == "Hello, World!"


def test_an_address_in_use_ends_with_3(start: Start) -> None:
    """Exit status 3: the server could not start; the message names the address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        server = start(HELLO, "-b", address)
        assert server.wait() == 3
    assert address in server.transcript()
    assert "Traceback" not in server.transcript()


# --- the application ----------------------------------------------------------------------------------------

SHOWN = """
import os

async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError
    text = " ".join([scope["root_path"], scope["path"], os.environ.get("WORD", "-"), scope["client"][0]])
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": text.encode()})

def make():
    return app
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an application that shows its scope, and a factory of it."""
    (tmp_path / "shown.py").write_text(SHOWN)
    return tmp_path


def test_an_application_is_found_in_the_working_directory(start: Start, folder: Path) -> None:
    """The working directory is on the import path."""
    assert get(start("shown:app", "--port", "0", cwd=folder), "/a").text == " /a - 127.0.0.1"


@pytest.mark.parametrize("application", [["shown:make", "--factory"], ["shown:make()"]])
def test_a_factory_makes_the_application(start: Start, folder: Path, application: list[str]) -> None:
    """--factory, and the parentheses that mean the same, found in --app-dir."""
    server = start(*application, "--app-dir", str(folder), "--port", "0")
    assert get(server, "/b").text == " /b - 127.0.0.1"


def test_an_application_that_cannot_be_imported_ends_with_4(start: Start) -> None:
    """Exit status 4; a missing attribute is named."""
    server = start("examples.hello:nothing", "--port", "0")
    assert server.wait() == 4
    assert "nothing" in server.transcript()


# --- settings -----------------------------------------------------------------------------------------------


def test_root_path_headers_and_env_file_reach_application_and_client(start: Start, folder: Path) -> None:
    """--root-path, --header (repeatable), --env-file, --server-header."""
    (folder / "variables").write_text("# of the application\nWORD='two words'\n")
    more = ["--root-path", "/api", "--header", "x-one: 1", "--header", "X-Two:2", "--server-header"]
    server = start("shown:app", "--port", "0", "--env-file", "variables", *more, cwd=folder)
    answer = get(server, "/c")
    assert answer.text == "/api /api/c two words 127.0.0.1"
    assert answer.headers["x-one"] == "1"
    assert answer.headers["x-two"] == "2"
    assert answer.headers["server"] == "alsvid"


def test_flags_are_stronger_than_the_environment_and_that_than_the_file(start: Start, folder: Path) -> None:
    """Precedence: flags > ALSVID_* > file > defaults."""
    (folder / "alsvid.toml").write_text(
        'app = "shown:app"\nport = 0\nroot_path = "/file"\nheaders = ["from: file"]\nserver_header = true\n'
    )
    variables = {"ALSVID_ROOT_PATH": "/environment", "ALSVID_HEADERS": "from: environment"}
    server = start("-c", "alsvid.toml", "--header", "from: flag", cwd=folder, variables=variables)
    answer = get(server, "/")
    assert answer.text.startswith("/environment ")
    assert answer.headers["from"] == "flag"
    assert answer.headers["server"] == "alsvid"


def test_the_client_comes_from_a_trusted_proxy(start: Start, folder: Path) -> None:
    """X-Forwarded-For is believed from loopback by default, and not with --no-proxy-headers."""
    forwarded = {"x-forwarded-for": "203.0.113.7"}
    for arguments, client in (([], "203.0.113.7"), (["--no-proxy-headers"], "127.0.0.1")):
        server = start("shown:app", "--port", "0", *arguments, cwd=folder)
        assert httpx.get(server.url, headers=forwarded, trust_env=False).text.endswith(client)


def test_check_config_serves_nothing(folder: Path) -> None:
    """--check-config: 0 for a good configuration, 2 with every error at once for a bad one."""
    good = run_once("shown:app", "--check-config", cwd=folder)
    assert (good.returncode, "good" in good.stdout + good.stderr) == (0, True)
    bad = run_once("shown:app", "--port", "99999", "--lifespan", "maybe", "--check-config", cwd=folder)
    assert bad.returncode == 2
    assert "--port" in bad.stderr
    assert "--lifespan" in bad.stderr


def test_print_config_names_the_source_of_each_value(folder: Path) -> None:
    """--print-config: every setting with where its value comes from."""
    (folder / "alsvid.toml").write_text("keep_alive = 7\n")
    done = run_once("shown:app", "--port", "9", "--print-config", cwd=folder, ALSVID_LOG_LEVEL="debug")
    assert done.returncode == 0
    lines = {line.lstrip("# ").split(" ")[0]: line for line in done.stdout.splitlines()}
    assert lines["port"].endswith("# --port")
    assert "alsvid.toml" in lines["keep_alive"]
    assert "ALSVID_LOG_LEVEL" in lines["log_level"]
    assert lines["backlog"].endswith("# default")


def test_what_is_not_built_yet_is_said_and_ends_with_2() -> None:
    """An option that has not been built is absent, not ignored."""
    for option in (["--workers", "4"], ["--reload"], ["--ws-max-size", "1"], ["--http2"]):
        done = run_once(HELLO, *option)
        assert done.returncode == 2
        assert option[0] in done.stderr


def test_help_and_version_end_with_0() -> None:
    """--help names every group of options; --version is one line."""
    shown = run_once("--help")
    assert shown.returncode == 0
    assert "--timeout-keep-alive" in shown.stdout or "--keep-alive" in shown.stdout
    version = run_once("--version")
    assert (version.returncode, len(version.stdout.splitlines())) == (0, 1)


def test_the_pid_file_lives_as_long_as_the_server(start: Start, tmp_path: Path) -> None:
    """-p FILE: the process id while it runs, no file afterwards."""
    path = tmp_path / "server.pid"
    server = start(HELLO, "--port", "0", "-p", str(path))
    assert server.urls
    assert int(path.read_text()) == server.process.pid
    assert server.end() == 0
    assert not path.exists()


def test_the_port_of_the_environment_means_every_interface() -> None:
    """PORT is what platforms set; it counts where no address is given."""
    done = run_once(HELLO, "--print-config", PORT="5000")
    assert 'host = "0.0.0.0"  # environment PORT' in done.stdout
    assert "port = 5000  # environment PORT" in done.stdout


def test_a_second_interrupt_stops_at_once(start: Start) -> None:
    """First INT graceful, second INT at once: a request that never ends is cut."""
    server = start("examples.starlette_app:app", "--port", "0", "--graceful-timeout", "600")
    with socket.create_connection(server.address, timeout=20) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert get(server).status_code == 200
        server.process.send_signal(signal.SIGINT)
        server.wait_for("Stopping (SIGINT)")
        assert server.end(signal.SIGINT) == 0
