"""Addresses that messages are posted to: https, or plain http to this very machine. A wrong one is named by its variable only.

The address of a webhook is a secret, so no error here repeats any of it.
"""

from budget_gate.core.errors import UsageError


def checked_address(address: str, variable: str) -> str:
    """Return an address that may be posted to. Raises ``UsageError`` naming the variable it came from."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(address)
        host, has_port = parts.hostname or "", parts.port != 0  # reading an impossible port raises
    except ValueError:
        host, has_port = "", False
    is_clean = address.isascii() and address.isprintable() and " " not in address
    if host and has_port and is_clean and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        return address
    raise UsageError(f"{variable} is not an address to post to; write https://HOST/PATH (http only to this machine)")


def is_loopback(host: str) -> bool:
    """Return True if ``host`` is this machine and cannot be another."""
    from ipaddress import ip_address

    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def retry_after_seconds(text: str | None) -> float:
    """Return what a ``Retry-After`` header of whole seconds says, at most an hour; 0 where there is none to be read."""
    if text is None or not text.strip().isascii() or not text.strip().isdigit() or len(text) > 9:  # noqa: PLR2004 (longer is no wait)
        return 0.0
    return min(float(text), 3600.0)
