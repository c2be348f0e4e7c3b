"""nginx as the control: what the machine does without Python. Its prefix is in the run's folder."""

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from bench.duel.model import Protocol

if TYPE_CHECKING:
    from bench.duel.peers import Launch

CONFIGURATION = """\
daemon off;
{user}worker_processes {workers};
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
worker_rlimit_nofile {files};
events {{ worker_connections {files}; }}
http {{
  client_body_temp_path {folder}/client;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  access_log {access_log};
  sendfile on;
  tcp_nodelay on;
  keepalive_timeout 75;
  keepalive_requests 1000000000;
  open_file_cache max=100;
  ssl_protocols TLSv1.3;
  server {{
    listen 127.0.0.1:{port} backlog=4096{listen};
    {tls}
    default_type text/plain;
    root {root};
    location = / {{ return 200 "Hello, World!"; }}
    location / {{ }}
  }}
}}
"""

# Above the 10,000 connections of the largest workload.
OPEN_FILES = 20_000


def executable() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def version() -> str:
    path = executable()
    if path is None:
        return "?"
    answer = subprocess.run([path, "-v"], capture_output=True, text=True, check=False)
    found = re.search(r"nginx/(\S+)", answer.stderr)
    return found.group(1) if found else "?"


def command(launch: "Launch") -> list[str]:
    """Write the configuration and return the command."""
    # Each start has its own prefix: the control and the contestant run side by side.
    folder = launch.folder / f"nginx-{launch.port}"
    folder.mkdir(exist_ok=True)
    tls = ""
    if launch.is_encrypted:
        tls = f"ssl_certificate {launch.certificate}; ssl_certificate_key {launch.key};"
    listen = " ssl" if launch.is_encrypted else ""
    if launch.protocol is not Protocol.HTTP1:
        listen += " http2"
    text = CONFIGURATION.format(
        # Started as root, the workers would change to a user who cannot read the run's folder.
        user="user root;\n" if os.getuid() == 0 else "",
        workers=launch.workers,
        folder=folder,
        files=OPEN_FILES,
        access_log=f"{launch.access_log} combined" if launch.access_log else "off",
        port=launch.port,
        listen=listen,
        tls=tls,
        root=launch.folder / "files",
    )
    path = folder / "nginx.conf"
    path.write_text(text)
    return [executable() or "nginx", "-p", str(folder), "-c", str(path)]
