"""The id and the secret of the owner's app at Meta."""

import re
from dataclasses import dataclass, field

from igfeed.models.record import Name, Record

APP_ID = re.compile(r"[0-9]{5,32}")


@dataclass(frozen=True)
class AppCredentials(Record):
    """Those of the Instagram app, not of the Facebook app: Meta shows them under `API setup with Instagram login`."""

    id: Name
    secret: Name = field(repr=False)
