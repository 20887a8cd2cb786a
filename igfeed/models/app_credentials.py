"""The id and the secret of the owner's app at Meta."""

import re
from dataclasses import dataclass, field

from igfeed.models.record import Name, Record

APP_ID = re.compile(r"[0-9]{5,32}")
APP_SECRET = re.compile(r"[A-Za-z0-9]{8,128}")
"""Meta's are 32 hex digits."""


@dataclass(frozen=True)
class AppCredentials(Record):
    """The Instagram app's, not the Facebook app's. Meta shows them under `API setup with Instagram login`."""

    id: Name
    secret: Name = field(repr=False)
