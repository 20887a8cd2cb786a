"""Checks the addresses of IGFEED_ON_NEW_POST, and names them without repeating them."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

NAMES_OF_THIS_MACHINE = re.compile(r"(.+\.)?localhost", re.IGNORECASE)


def is_hook_address(text: str) -> bool:
    """Whether it is an https address. http is allowed on this machine only, as everybody on the way could read it."""
    if not re.fullmatch(r"[!-~]+", text) or "\\" in text:
        return False
    try:
        parts = urlsplit(text)
        host, has_port = parts.hostname or "", parts.port != 0  # Reading the port checks that it is a number.
    except ValueError:
        return False
    if not re.fullmatch(r"[\w.:-]*\w", host, re.ASCII) or not has_port:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return NAMES_OF_THIS_MACHINE.fullmatch(host) is not None
