"""All settings as one frozen value, and the catalogue of their names."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import Field
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.settings.data_directory import DataDirectory
from bot.settings.kinds import Allowed, Directory, Secret
from bot.settings.passwords import with_password
from bot.settings.sections import (
    ContextSection,
    DatabaseSection,
    EngineSection,
    GatewaySection,
    LinksSection,
    LogSection,
    PersonaSection,
    PrivacySection,
    QuotaSection,
    RedisSection,
    RetentionSection,
    Section,
    TelegramSection,
    TerminalSection,
    TurnsSection,
    TwilioSection,
    VaultSection,
    WebchatSection,
    WorkerSection,
)

ENVIRONMENT_PREFIX = "ASIDE_"


class Settings(BaseSettings):
    """What a role is started with.

    Made by `load.load_settings`; made directly it holds what it is given and defaults, and reads nothing.
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True
    )

    data_dir: Directory = Path("var")
    persona: PersonaSection = Field(default_factory=PersonaSection)
    redis: RedisSection = Field(default_factory=RedisSection)
    database: DatabaseSection = Field(default_factory=DatabaseSection)
    engine: EngineSection = Field(default_factory=EngineSection)
    worker: WorkerSection = Field(default_factory=WorkerSection)
    turns: TurnsSection = Field(default_factory=TurnsSection)
    quota: QuotaSection = Field(default_factory=QuotaSection)
    gateway: GatewaySection = Field(default_factory=GatewaySection)
    context: ContextSection = Field(default_factory=ContextSection)
    vault: VaultSection = Field(default_factory=VaultSection)
    privacy: PrivacySection = Field(default_factory=PrivacySection)
    links: LinksSection = Field(default_factory=LinksSection)
    retention: RetentionSection = Field(default_factory=RetentionSection)
    terminal: TerminalSection = Field(default_factory=TerminalSection)
    webchat: WebchatSection = Field(default_factory=WebchatSection)
    telegram: TelegramSection = Field(default_factory=TelegramSection)
    twilio: TwilioSection = Field(default_factory=TwilioSection)
    log: LogSection = Field(default_factory=LogSection)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic-settings passes it by name
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing by itself: the layers are named where they are read."""
        return (init_settings,)

    @property
    def data(self) -> DataDirectory:
        """Where files lie."""
        return DataDirectory(self.data_dir.absolute())

    @property
    def vault_key_file(self) -> Path:
        """The vault's key file: as set, or the data directory's own."""
        return self.vault.key_file or self.data.vault_key

    @property
    def terminal_socket(self) -> Path:
        """Where `aside chat` connects: as set, or in the data directory."""
        return self.terminal.socket or self.data.terminal_socket

    @property
    def embedded_model_answers(self) -> bool:
        """Whether it is the bundled model that answers, and not a real one."""
        engine = self.engine
        return not engine.url and not engine.weights and engine.profile == "embedded"

    @property
    def redis_url(self) -> str:
        """The URL of Redis with its password, or empty where none is set."""
        return with_password(self.redis.url.get_secret_value(), self.redis.password.get_secret_value())

    @property
    def database_url(self) -> str:
        """SQLAlchemy's URL of the record with its password, or SQLite in the data directory."""
        url = with_password(self.database.url.get_secret_value(), self.database.password.get_secret_value())
        return url or f"sqlite+aiosqlite:///{self.data.database}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One setting: where it stands, and what it takes."""

    #: Empty for a setting outside every section.
    section: str
    key: str
    field: FieldInfo

    @property
    def name(self) -> str:
        """Its name as people say it: `engine.url`."""
        return f"{self.section}.{self.key}" if self.section else self.key

    @property
    def variable(self) -> str:
        """Its environment variable: `ASIDE_ENGINE_URL`."""
        return ENVIRONMENT_PREFIX + self.name.replace(".", "_").upper()

    @property
    def allowed(self) -> str:
        """What may be written there, in words."""
        return next(mark.words for mark in self.field.metadata if isinstance(mark, Allowed))

    @property
    def secret(self) -> Secret | None:
        """How it is kept from being printed, if it is a secret."""
        return next((mark for mark in self.field.metadata if isinstance(mark, Secret)), None)

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return get_origin(self.field.annotation) is tuple

    @property
    def is_path(self) -> bool:
        """Whether it names a file or directory."""
        kind = self.field.annotation
        return kind is Path or Path in get_args(kind)

    def of(self, settings: Settings) -> Any:
        """Read its value."""
        holder = getattr(settings, self.section) if self.section else settings
        return getattr(holder, self.key)


def catalogue() -> tuple[Known, ...]:
    """List every setting, in the order of the classes."""
    return tuple(_walk())


def _walk() -> Iterator[Known]:
    for name, field in Settings.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            for key, inner in kind.model_fields.items():
                yield Known(section=name, key=key, field=inner)
        else:
            yield Known(section="", key=name, field=field)
