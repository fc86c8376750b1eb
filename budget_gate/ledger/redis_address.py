"""Where Redis servers are: the ledger's URL read into values, without a client. Never repeats a secret in an error.

``redis://`` and ``rediss://`` are the client's own forms. Sentinel and Cluster name several servers::

    redis+sentinel://USER:PASSWORD@HOST:PORT,HOST:PORT/SERVICE/DATABASE?ssl=true
    redis+cluster://USER:PASSWORD@HOST:PORT,HOST:PORT?ssl=true&ssl_ca_certs=FILE

User and password are those of the data servers; sentinels with a password of their own have it in ``sentinel_username`` and
``sentinel_password``.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from budget_gate.core.errors import UsageError

SENTINEL_FORM = "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE"
CLUSTER_FORM = "redis+cluster://HOST:PORT"

_OPTIONS = ("ssl", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "sentinel_username", "sentinel_password")
_SERVER = re.compile(r"(?P<host>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?")
_DEFAULT_PORTS = {"redis+sentinel": 26379, "redis+cluster": 6379}
_PLAIN = ("redis", "rediss")


class Address(NamedTuple):
    """Several servers that are one ledger. ``service`` is what the sentinels call it; it and ``database`` are for Sentinel only."""

    scheme: str
    servers: tuple[tuple[str, int], ...]
    user: str = ""
    password: str = ""
    service: str = ""
    database: int = 0
    options: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return f"Address({self.scheme!r}, {self.servers!r})"


def parse_address(url: str) -> Address:
    """Return what a ``redis+sentinel://`` or ``redis+cluster://`` URL says. Raises ``UsageError`` with the form to write."""
    scheme = url.partition(":")[0].lower()
    form = SENTINEL_FORM if scheme == "redis+sentinel" else CLUSTER_FORM
    try:
        parts = urlsplit(url)
        user_info, _, hosts = parts.netloc.rpartition("@")
        user, _, password = user_info.partition(":")
        options = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
        service, database = _path(scheme, parts.path)
        servers = tuple(_server(text, _DEFAULT_PORTS[scheme]) for text in hosts.split(","))
    except ValueError:
        raise UsageError(f"{safe_url(url)} does not name the servers; write {form}") from None
    unknown = [name for name in options if name not in _OPTIONS]
    if unknown or options.get("ssl", "true") not in {"true", "false"}:
        raise UsageError(
            f"{safe_url(url)} has an option that is not known; write {form}?ssl=true, or one of: {', '.join(_OPTIONS)}"
        )
    return Address(scheme, servers, unquote(user), unquote(password), service, database, options)


def _path(scheme: str, path: str) -> tuple[str, int]:
    """Return the service and the database; a cluster has neither. Raises ``ValueError``."""
    words = [unquote(word) for word in path.split("/") if word]
    if scheme == "redis+cluster":
        if words not in ([], ["0"]):
            raise ValueError(path)
        return "", 0
    service, database = (*words, "0")[:2] if words else ("", "0")
    if len(words) > 2 or not database.isdecimal():  # noqa: PLR2004 (service and database)
        raise ValueError(path)
    return service, int(database)


def _server(text: str, default_port: int) -> tuple[str, int]:
    found = _SERVER.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return found["host"].strip("[]"), int(found["port"] or default_port)


def safe_url(url: str) -> str:
    """Return a URL without user, password, query and fragment: each of them can hold a secret."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in _PLAIN and parts.scheme not in _DEFAULT_PORTS:
            return f"{parts.scheme}://"
        servers = parts.netloc.rpartition("@")[2].split(",")
    except ValueError:
        return "redis://"
    if not all(_SERVER.fullmatch(server) for server in servers) or (parts.scheme in _PLAIN and len(servers) > 1):
        return f"{parts.scheme}://"
    return f"{parts.scheme}://{','.join(servers)}{parts.path}"
