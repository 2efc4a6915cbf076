"""Every failure of this package, by what the caller must do next.

AsideError
├── SettingsError            a setting is unknown, ill-typed or missing: the sentence names it
├── StartupError             this role cannot start here: the sentence says why and what to do
│   ├── SchemaMismatch       the database is older or newer than the program
│   └── UnsuitableServer     a Redis or database that cannot keep the promises
├── StoreUnavailable         the database cannot commit now: acknowledge nothing, try again
├── ScheduleUnavailable      Redis cannot be reached now: what is committed stays safe, try again
├── ScheduleErased           Redis has lost its schedule: put every unfinished chat again
├── Fenced                   another worker has this turn: start nothing more
├── Outranked                the row carries a higher token than ours: lift the counter, take again
├── PlatformMissing          a turn belongs to a platform that is not configured here: an operator must act
├── WrittenByNewer           a newer version of Aside wrote a value: leave it to a process of that version
├── ContextUnavailable       Redis cannot give or keep a chat's context: build it from SQL
└── VaultError               a sealed value cannot be opened
    ├── KeyMissing           the key that sealed it is not here: names the key id
    └── SealBroken           the value was changed, cut or moved: names where
"""


class AsideError(Exception):
    """Anything this package raises on purpose."""


class SettingsError(AsideError):
    """A setting is unknown, ill-typed or missing."""


class StartupError(AsideError):
    """A role cannot start on this machine as it is."""


class SchemaMismatch(StartupError):
    """The database's schema is not the one this program was written for."""


class UnsuitableServer(StartupError):
    """A server we were pointed at cannot keep the promises."""


class StoreUnavailable(AsideError):
    """The database cannot commit now."""


class ScheduleUnavailable(AsideError):
    """Redis cannot be reached now."""


class ScheduleErased(AsideError):
    """Redis answers, but holds no schedule."""


class Fenced(AsideError):
    """A newer token stands on the turn; whoever holds ours must start nothing more."""


class Outranked(AsideError):
    """A row carries a higher token than the schedule's counter knows."""

    def __init__(self, fence: int) -> None:
        """Keep the row's token."""
        super().__init__(f"the row's token {fence} is higher than ours")
        self.fence = fence


class PlatformMissing(AsideError):
    """A turn belongs to a platform that this process has no adapter for."""


class WrittenByNewer(AsideError):
    """A value is of a later version than this program knows, as happens while a new version is rolled out."""


class ContextUnavailable(AsideError):
    """The context cache cannot be used now; SQL has everything."""


class VaultError(AsideError):
    """A sealed value cannot be opened."""


class KeyMissing(VaultError):
    """The key that sealed a value is not available."""

    def __init__(self, key_id: str) -> None:
        """Keep the missing key's id."""
        super().__init__(f"key {key_id} is not available: restore it to the key file")
        self.key_id = key_id


class SealBroken(VaultError):
    """A sealed value does not open at the place it was found."""
