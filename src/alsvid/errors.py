"""Base errors of every layer.

Two parties can break a protocol: the peer (RemoteProtocolError: expected, logged in one line, never with a
traceback) or the application and we ourselves (LocalProtocolError: a defect, always with a traceback).
"""

from __future__ import annotations


class AlsvidError(Exception):
    """Base of every error that Alsvid raises on purpose."""


class RemoteProtocolError(AlsvidError):
    """The peer broke a rule.

    `status` is the HTTP status to answer with (400, 413, 414, 431, 501 …); the text ends in the citation
    of the rule, for example "Host is missing (RFC 9112 section 3.2)". `limit` names the option of the
    limit that was exceeded, or is "" where no limit is concerned.
    """

    def __init__(self, message: str, status: int = 400, limit: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.limit = limit


class LocalProtocolError(AlsvidError):
    """The application, or Alsvid itself, asked for something that the protocol forbids."""


class ConfigError(AlsvidError):
    """Settings cannot be used; each text names flag, value, source and what would be right (exit status 2).

    `problems` holds one text for each thing that is wrong, so that a user mends all of them in one go.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ApplicationImportError(AlsvidError):
    """The application could not be imported (exit status 4)."""


class StartupError(AlsvidError):
    """The server could not start: bind, lifespan, certificate (exit status 3)."""
