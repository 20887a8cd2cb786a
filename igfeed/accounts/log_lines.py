"""Lines of the log: what is said about an account that has a name begins with the name."""

import logging

from igfeed.services import acting_account


class AccountFormatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  the name that logging gives it
        if name := acting_account():
            record.message = f"{name}: {record.message}"
        return super().formatMessage(record)
