"""Which proxy a request goes by: what HTTP_PROXY and its likes say, read as curl reads it. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field

from kakaocron.text.causes import usage_error

# Each also in lower case, which wins.
PROXY_NAMES = frozenset({"HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"})
# Which certificates are trusted: the first that is set.
CA_NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
DEFAULT_PORTS = {"http": 80, "https": 443}

# What a resolver takes for loopback without asking anybody; 0 leads to this machine too.
_LOOPBACK = re.compile(r"localhost|.*\.localhost|127(\.[0-9]+){0,3}|0(\.0){0,3}")


class Proxy(Struct, frozen=True):
    """Where a proxy listens, and what it wants to know first."""

    host: str
    port: int
    authorization: str | None = field(default=None)

    def __repr__(self) -> str:
        return f"Proxy({self})"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def proxy_for(url: str, variables: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for a URL; None to go directly, as always to this machine.

    Raises UsageError for a proxy that cannot be used, ValueError for a URL that cannot be read.
    """
    target = urlsplit(url)
    host, port = target.hostname or "", target.port or DEFAULT_PORTS.get(target.scheme, 0)
    if is_loopback(host) or _is_excepted(host, port, _value(variables, "NO_PROXY")):
        return None
    for name in (f"{target.scheme.upper()}_PROXY", "ALL_PROXY"):
        if address := _value(variables, name):
            return _proxy(name, address)
    return None


def is_loopback(host: str) -> bool:
    """Say whether a name or an address is this machine's own, whatever a resolver says."""
    name = host.lower().strip("[]").removesuffix(".")
    if _LOOPBACK.fullmatch(name):
        return True
    address = _address(name)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address is not None and (address.is_loopback or address.is_unspecified)


def _value(variables: Mapping[str, str], name: str) -> str:
    lower = variables.get(name.lower())
    return (variables.get(name, "") if lower is None else lower).strip()


def _proxy(name: str, address: str) -> Proxy:
    scheme, has_scheme, _ = address.partition("://")
    if has_scheme and scheme.lower() != "http":
        raise usage_error("proxy-kind", name=name, scheme=scheme)
    try:
        parts = urlsplit(address if has_scheme else f"http://{address}")
        host, port = parts.hostname, parts.port or DEFAULT_PORTS["http"]
    except ValueError:
        host, port = None, 0
    if not host:
        raise usage_error("bad-proxy", name=name)
    if parts.username is None:
        return Proxy(host, port)
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    import base64  # noqa: PLC0415 - few have one with a name and a password

    return Proxy(host, port, f"Basic {base64.b64encode(user.encode()).decode()}")


def _is_excepted(host: str, port: int, exceptions: str) -> bool:
    """Say whether NO_PROXY names a host: itself, a domain above it, its network, or all (`*`)."""
    host, address = host.removesuffix("."), _address(host)
    for entry in re.split(r"[,\s]+", exceptions.lower()):
        if entry == "*":
            return True
        if address is not None and _network_holds(entry, address):
            return True
        name, _, only_port = entry.partition(":") if entry.count(":") == 1 else (entry, "", "")
        name = name.removeprefix("*").strip(".[]")
        is_named = bool(name) and (host == name or host.endswith(f".{name}"))
        if is_named and only_port in {"", str(port)}:
            return True
    return False


def _network_holds(entry: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
