"""Which addresses hooks may be sent to: public ones over HTTPS, unless the settings open this machine or its network.

The name is resolved here and the address that was looked at is the one that is called, so that a second answer of
the DNS opens no door.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple

import httpx2 as httpx

from discubot_pipeline.domain.errors import Permanent, Transient
from discubot_pipeline.settings import Settings

NAT64 = IPv6Network("64:ff9b::/96")
Address = IPv4Address | IPv6Address
LONGEST = 2000


class Reach(NamedTuple):
    """What the settings open: plain HTTP and this machine itself, and private networks."""

    to_loopback: bool = False
    to_private: bool = False

    def check(self, text: str) -> httpx.URL:
        """Read an address that somebody has entered; `address` when nothing may ever be sent there."""
        try:
            url = httpx.URL(text)
        except httpx.InvalidURL as error:
            raise refused("it cannot be read") from error
        if url.scheme not in ("https", "http") or not url.host or url.userinfo or url.fragment or len(text) > LONGEST:
            raise refused("enter it as https://host/path, without user, password and #")
        literal = literal_of(url.host)
        if url.scheme == "http" and not (self.to_loopback and is_here(url.host, literal)):
            raise refused("it must begin with https://")
        if literal is not None:
            self._allow(literal)
        return url

    def resolve(self, url: httpx.URL) -> list[str]:
        """Give the addresses behind a name, all of which may be called; Transient when there is none for now."""
        try:
            found = socket.getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise Transient("unreachable", "the name of the hook's host is not known") from error
        addresses = list(dict.fromkeys(ip_address(each[4][0]) for each in found))
        for address in addresses:
            self._allow(address)
            if url.scheme == "http" and not embedded(address).is_loopback:
                raise refused("it must begin with https://")
        return [str(address) for address in addresses]

    def _allow(self, address: Address) -> None:
        inner = embedded(address)
        if inner.is_loopback:
            allowed = self.to_loopback
        elif inner.is_multicast or inner.is_unspecified or inner.is_reserved or inner.is_link_local:
            allowed = False
        else:
            allowed = inner.is_global or self.to_private
        if not allowed:
            raise refused("it leads into a network that hooks must not reach")


def reach_of(settings: Settings) -> Reach:
    """Say where hooks may be sent to."""
    return Reach(settings.hooks_to_loopback, settings.hooks_to_private)


def literal_of(host: str) -> Address | None:
    """Read a host that is an address itself."""
    try:
        return ip_address(host)
    except ValueError:
        return None


def is_here(host: str, literal: Address | None) -> bool:
    """Tell this machine's own names."""
    return host == "localhost" or (literal is not None and literal.is_loopback)


def embedded(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address leads to, where it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def refused(why: str) -> Permanent:
    """Say what is wrong with an address."""
    return Permanent("address", f"the hook's address cannot be used: {why}")
