"""Hooks reach public addresses over HTTPS; this machine and its network only where the settings say so."""

import socket

import httpx2 as httpx
import pytest

from discubot_pipeline.adapters.reach import Reach
from discubot_pipeline.domain.errors import Permanent, Transient

PUBLIC, HERE, WITHIN = Reach(), Reach(to_loopback=True), Reach(to_private=True)
PRIVATE = ("10.1.2.3", "172.16.0.9", "192.168.1.1", "100.64.0.1", "[fd00::1]")
NEVER = ("169.254.169.254", "0.0.0.0", "224.0.0.1", "255.255.255.255", "[fe80::1]", "[::]", "[ff02::1]")
LOOPBACK = ("127.0.0.1", "127.8.9.1", "[::1]")
HIDDEN = ("[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[2002:a00:1::]")


@pytest.mark.parametrize("url", ["https://hooks.example/x?y=1", "https://8.8.8.8/", "https://[2606:4700::1111]:8443/x"])
def test_public_addresses_are_taken(url: str) -> None:
    """With a path, a query and a port of their own."""
    assert PUBLIC.check(url) == httpx.URL(url)


@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.example/", "ftp://hooks.example/", "hooks.example/x", "https://", "https://[::1", "", "\0"),
        *("https://user:secret@hooks.example/", "https://hooks.example/#part", "https://x.example/" + "x" * 2000),
    ],
)
def test_other_forms_are_refused(url: str) -> None:
    """Without TLS, with a password, or unreadable."""
    with pytest.raises(Permanent, match="cannot be used"):
        HERE.check(url)


@pytest.mark.parametrize("host", [*PRIVATE, *NEVER, *LOOPBACK, *HIDDEN])
def test_inner_networks_are_refused(host: str) -> None:
    """However they are written: also inside an IPv6 address."""
    with pytest.raises(Permanent, match="must not reach"):
        PUBLIC.check(f"https://{host}/")


@pytest.mark.parametrize("host", [*PRIVATE, *HIDDEN])
def test_a_setting_opens_private_networks(host: str) -> None:
    """And nothing else."""
    assert WITHIN.check(f"https://{host}/")
    with pytest.raises(Permanent):
        HERE.check(f"https://{host}/")
    with pytest.raises(Permanent):
        WITHIN.check(f"http://{host}/")


@pytest.mark.parametrize("host", NEVER)
def test_no_setting_opens_what_is_no_host(host: str) -> None:
    """Link-local addresses are where clouds keep their credentials."""
    with pytest.raises(Permanent):
        Reach(to_loopback=True, to_private=True).check(f"https://{host}/")


@pytest.mark.parametrize("host", [*LOOPBACK, "localhost"])
def test_a_setting_opens_this_machine(host: str) -> None:
    """With and without TLS."""
    assert HERE.check(f"http://{host}:8080/x")
    assert HERE.check(f"https://{host}/x")


def test_a_name_is_judged_by_where_it_leads() -> None:
    """What has a harmless name may still lead inside."""
    url = httpx.URL("https://localhost/")
    assert set(HERE.resolve(url)) <= {"127.0.0.1", "::1"}
    with pytest.raises(Permanent, match="must not reach"):
        PUBLIC.resolve(url)


@pytest.mark.parametrize("found", [["93.184.216.34", "10.0.0.1"], ["169.254.169.254"]])
def test_all_that_a_name_leads_to_must_be_allowed(found: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One private address among public ones is enough to refuse it."""
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in found]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answer)
    with pytest.raises(Permanent, match="must not reach"):
        PUBLIC.resolve(httpx.URL("https://rebound.example/"))


def test_a_name_that_is_not_known_may_be_known_later() -> None:
    """The DNS may be down."""
    with pytest.raises(Transient, match="not known"):
        PUBLIC.resolve(httpx.URL("https://nobody.invalid/"))
