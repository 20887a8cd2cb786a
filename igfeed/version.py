"""The version. It is shown in the status and sent to Instagram in the User-Agent."""

VERSION = "1.0.0"
