"""Lines of the log: a line about an account with a name begins with that name."""

import logging

from igfeed.services import acting_account


class AccountFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the name that logging gives it
        if name := acting_account():
            record.message = f"{name}: {record.message}"
        return super().formatMessage(record)
