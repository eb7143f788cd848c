"""How servers are reached."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Dict, List, Optional


@dataclass
class Network:
    """How servers are reached. What is ``None`` is as in the command."""

    headers: Dict[str, str] = field(default_factory=dict, repr=False)
    """More headers, which go to the origin of the first URL only, as user and password do."""
    user: Optional[str] = None
    password: Optional[str] = field(default=None, repr=False)
    bearer_token: Optional[str] = field(default=None, repr=False)
    """Goes before user and password."""
    proxy: Optional[str] = field(default=None, repr=False)
    """A URL; without it what the environment says."""
    ca_certificates: List[str] = field(default_factory=list)
    """PEM files of more authorities and servers to trust."""
    connections: Optional[int] = None
    """To one server at once."""
    connect_timeout: Optional[float] = None
    """In seconds, as the other two."""
    read_timeout: Optional[float] = None
    total_timeout: Optional[float] = None
    """For all requests of a call, retries and mirrors included."""
    retries: Optional[int] = None
    """In a row, of what fails in a way that may pass."""
    limit_rate: Optional[int] = None
    """Bytes in a second."""
    ssh: List[str] = field(default_factory=lambda: ["ssh"])
    """The program for ``ssh`` URLs, and its arguments."""
    environment: Dict[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    """Where settings of proxies and object stores are looked for."""
