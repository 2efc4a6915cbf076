"""Saying once that something is away, and once that it is back."""

import logging


class OutageLog:
    """Logs the first of a row of failures and the first success after it."""

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger = logger
        self._what = what
        self._away = False

    def failed(self, reason: object) -> None:
        """Note a failure."""
        if not self._away:
            self._logger.warning("%s is interrupted: %s", self._what, reason)
        self._away = True

    def worked(self) -> None:
        """Note a success."""
        if self._away:
            self._logger.info("%s works again", self._what)
        self._away = False
