"""What no single setting can tell: combinations that contradict each other, and files that are not there.

Called once, with all values converted. Fail closed: what would quietly serve less safely than the user
asked for is a problem, not a notice.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# describe("port") -> "--port 80 (file alsvid.toml)"
Describe = Callable[[str], str]


def contradictions(values: Mapping[str, Any], given: Mapping[str, str], describe: Describe) -> Iterator[str]:
    """Yield a text for each contradiction; `given` holds the names that were set, with their sources."""
    yield from _tls(values, given, describe)
    yield from _places(values, given, describe)
    if values["write_low_water"] >= values["write_high_water"]:
        high = values["write_high_water"]
        yield f"{describe('write_low_water')}: expected less than --write-high-water, which is {high}"
    if values["proxy_protocol"] != "off" and not values["proxy_allow_from"]:
        yield f"{describe('proxy_protocol')}: expected at least one address in --proxy-allow-from"


def _tls(values: Mapping[str, Any], given: Mapping[str, str], describe: Describe) -> Iterator[str]:
    if values["ssl_certfile"] is None:
        for name in ("ssl_keyfile", "ssl_keyfile_password", "ssl_ca_certs", "ssl_ciphers"):
            if name in given:
                yield f"{describe(name)}: expected --ssl-certfile with it; without one there is no TLS"
        if values["ssl_cert_reqs"] != "none":
            yield f"{describe('ssl_cert_reqs')}: expected --ssl-certfile with it; without one there is no TLS"
    elif values["ssl_cert_reqs"] != "none" and values["ssl_ca_certs"] is None:
        yield f"{describe('ssl_cert_reqs')}: expected --ssl-ca-certs with it, to verify clients with"
    elif values["ssl_cert_reqs"] == "none" and values["ssl_ca_certs"] is not None:
        yield (
            f"{describe('ssl_ca_certs')}: expected --ssl-cert-reqs required (or optional) with it; "
            "without, no client certificate is asked for"
        )


def _places(values: Mapping[str, Any], given: Mapping[str, str], describe: Describe) -> Iterator[str]:
    base = values["chdir"]
    if "chdir" in given and not os.path.isdir(base):
        yield f"{describe('chdir')}: expected a directory that exists"
        return  # every other path would be looked for in the wrong place
    if "app_dir" in given and not os.path.isdir(os.path.join(base, values["app_dir"])):
        yield f"{describe('app_dir')}: expected a directory that exists"
    for name in ("ssl_certfile", "ssl_keyfile", "ssl_ca_certs", "log_config"):
        path = values[name]
        if isinstance(path, str) and not os.access(os.path.join(base, path), os.R_OK):
            yield f"{describe(name)}: expected a file that exists and may be read"
