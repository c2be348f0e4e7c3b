"""Start FastPySGI as its own command does, with a limit of the content above the largest upload.

Called as: launch_fastpysgi.py APP PORT WORKERS [CERTIFICATE KEY]. Runs in the peer's environment.
"""

import sys

import fastpysgi  # type: ignore[import-not-found]

MAX_CONTENT_OCTETS = 200_000_000


def main(argv: list[str]) -> None:
    server = fastpysgi.server
    server.max_content_length = MAX_CONTENT_OCTETS
    # The other servers set TCP_NODELAY as well.
    server.tcp_nodelay = 1
    server.backlog = 4096
    if len(argv) > 3:
        server.tls_list = [(argv[3], argv[4], None)]
    app = fastpysgi.import_from_string(argv[0])
    server.init(app, "127.0.0.1", int(argv[1]), workers=int(argv[2]))
    server.run()


if __name__ == "__main__":
    # The folder of this file leaves the path: its modules are not top-level ones.
    del sys.path[0]
    main(sys.argv[1:])
