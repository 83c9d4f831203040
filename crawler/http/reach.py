"""Which addresses may be connected to, where somebody else says where to: not those of our own network.

What counts is the address that is connected to, not the name or how a number is written: a name is looked up
once, what it stands for is judged, and the connection goes to that very address. TLS still asks for the name.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct

from crawler.errors import NotPermitted, UsageError

# IPv6 prefixes with an IPv4 address within, and how far from the right it stands: mapped, compatible,
# NAT64 (RFC 6052), 6to4 (RFC 3056).
_CARRIERS = tuple(
    (IPv6Network(prefix), shift)
    for prefix, shift in (("::ffff:0:0/96", 0), ("::/96", 0), ("64:ff9b::/96", 0), ("2002::/16", 80))
)
# Not for everybody, though Python calls them global: NAT64 of one's own (RFC 8215), Teredo (RFC 4380).
_LOCAL = tuple(IPv6Network(prefix) for prefix in ("64:ff9b:1::/48", "2001::/32"))


class Reach(Struct, frozen=True):
    """Public addresses, and networks of our own that are allowed besides."""

    allowed: tuple[IPv4Network | IPv6Network, ...] = ()

    def permits(self, address: str) -> bool:
        """Tell whether a numeric address may be connected to."""
        number = _carried(ip_address(address))
        if any(number in network for network in self.allowed if network.version == number.version):
            return True
        if isinstance(number, IPv6Address) and (
            number.is_site_local or any(number in network for network in _LOCAL)
        ):
            return False
        return number.is_global and not number.is_multicast

    async def addresses(self, host: str, port: int) -> list[str]:
        """Look a host up.

        Args:
            host: a name, or an address in whatever notation.
            port: of the service.

        Returns:
            its numeric addresses that may be connected to, the preferred one first.

        Raises:
            NotPermitted: it has none.
            httpx.ConnectError: there is no such host.
        """
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            from crawler.http.library import httpx  # large, and who only starts a crawl asks for no name

            raise httpx.ConnectError("no such host") from error
        permitted = [address for *_, (address, *_) in found if self.permits(str(address))]
        if not permitted:
            raise NotPermitted(
                f"The worker does not connect to {host[:100]}, which is in a network of its own: "
                "whoever runs the worker can allow that with --allow-network."
            )
        return [str(address) for address in dict.fromkeys(permitted)]


def networks(texts: Iterable[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Read networks such as ``10.20.0.0/16``, ``192.168.7.5`` or ``fd00::/8``.

    Raises:
        UsageError: one is none.
    """
    try:
        return tuple(ip_network(text) for text in texts)
    except ValueError as error:
        raise UsageError(f"{error}: write a network such as 10.20.0.0/16.") from error


def _carried(number: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 one stands for, else the address itself."""
    if isinstance(number, IPv6Address):
        for prefix, shift in _CARRIERS:
            if number in prefix and int(number) > 1:  # :: and ::1 carry nothing
                return IPv4Address(int(number) >> shift & 0xFFFFFFFF)
    return number
