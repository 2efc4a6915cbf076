"""The kinds of value a setting can have, each with the words that say what is allowed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints


@dataclass(frozen=True, slots=True)
class Allowed:
    """What may be written there, to end the sentence 'it must be ...'."""

    words: str


@dataclass(frozen=True, slots=True)
class Secret:
    """Marks a setting that is never printed whole and may be given as a file."""

    #: Show where a URL leads, without its user and password.
    is_url: bool = False


def _empty_is_unset(value: Any) -> Any:
    return None if value == "" else value


def _postgres_by_asyncpg(url: str) -> str:
    for scheme in ("postgres://", "postgresql://"):
        if url.startswith(scheme):
            return "postgresql+asyncpg://" + url.removeprefix(scheme)
    return url


def _sqlite_by_aiosqlite(url: str) -> str:
    return "sqlite+aiosqlite://" + url.removeprefix("sqlite://") if url.startswith("sqlite://") else url


def _check_scheme(url: str, *schemes: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not (parts.netloc or parts.path.strip("/")):
        raise ValueError("not such a URL")


def _redis_url(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    if url:
        _check_scheme(url, "redis", "rediss", "unix")
    return secret


def _database_url(secret: SecretStr) -> SecretStr:
    url = _sqlite_by_aiosqlite(_postgres_by_asyncpg(secret.get_secret_value()))
    if url:
        _check_scheme(url, "postgresql+asyncpg", "sqlite+aiosqlite")
    return SecretStr(url)


def _engine_url(url: str) -> str:
    if url:
        _check_scheme(url, "http", "https")
        if "@" in urlsplit(url).netloc:
            raise ValueError("the key belongs into engine.api_key")
    return url.rstrip("/")


def _public_url(url: str) -> str:
    url = url.rstrip("/")
    if url:
        _check_scheme(url, "http", "https")
        parts = urlsplit(url)
        if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("only a scheme, a host and a port")
    return url


def _server_url(url: str) -> str:
    if not url:
        raise ValueError("not empty")
    return _public_url(url)


Seconds = Annotated[
    float, Field(gt=0, le=86_400, allow_inf_nan=False), Allowed("a number of seconds above 0, at most 86400")
]
Count = Annotated[int, Field(ge=1, le=1_000_000), Allowed("a whole number from 1 to 1000000")]
Weight = Annotated[float, Field(ge=0.01, le=100, allow_inf_nan=False), Allowed("a number from 0.01 to 100")]
Quota = Annotated[
    int, Field(ge=0, le=1_000_000), Allowed("a whole number up to 1000000, or 0 for any number of messages")
]
Port = Annotated[int, Field(ge=0, le=65_535), Allowed("a port from 1 to 65535, or 0 for any free one")]
Switch = Annotated[bool, Allowed("true or false")]
Words = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    Allowed("a text of 1 to 200 characters"),
]
#: A name people can write behind an @.
MentionName = Annotated[
    str,
    StringConstraints(pattern=r"^\w(?:[\w-]{0,30}\w)?$"),
    Allowed("1 to 32 letters, digits, _ or -, without spaces and without @"),
]
MentionNames = Annotated[
    tuple[MentionName, ...],
    Allowed("a list of names, each of 1 to 32 letters, digits, _ or -, without spaces and without @"),
]
#: A host, or with a leading dot everything below it.
LinkHosts = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^\.?[\w-]+(\.[\w-]+)*$", max_length=255)], ...],
    Allowed('a list of hosts, such as ["wiki.example.org", ".intranet.example.org"]'),
]
Languages = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=40, strip_whitespace=True)], ...],
    Allowed('a list of languages, such as ["en", "de"]'),
]
Directory = Annotated[Path, Allowed("the path of a directory")]
OptionalPath = Annotated[Path | None, BeforeValidator(_empty_is_unset), Allowed("the path of a file")]
OptionalCount = Annotated[
    Annotated[int, Field(ge=256, le=100_000_000)] | None,
    BeforeValidator(_empty_is_unset),
    Allowed("a whole number of at least 256, or empty"),
]
RedisUrl = Annotated[
    SecretStr,
    Secret(is_url=True),
    AfterValidator(_redis_url),
    Allowed("redis://HOST:PORT/0, rediss://HOST:PORT/0, unix:///SOCKET, or empty for the embedded one"),
]
DatabaseUrl = Annotated[
    SecretStr,
    Secret(is_url=True),
    AfterValidator(_database_url),
    Allowed(
        "postgresql://USER:PASSWORD@HOST/NAME, sqlite:////FILE, or empty for SQLite in the data directory"
    ),
]
EngineUrl = Annotated[
    str,
    AfterValidator(_engine_url),
    Allowed(
        "http://HOST:PORT/v1 or https://HOST/v1 without a user or password, or empty for the embedded one"
    ),
]
ApiKey = Annotated[SecretStr, Secret(), Allowed("a text")]
Password = Annotated[SecretStr, Secret(), Allowed("a text")]
KeyRingText = Annotated[SecretStr, Secret(), Allowed("what a key file holds, or empty for the key file")]
PublicUrl = Annotated[
    str,
    AfterValidator(_public_url),
    Allowed("https://HOST or http://HOST:PORT without a path, or empty where no proxy serves it"),
]
BotToken = Annotated[
    SecretStr,
    Secret(),
    Allowed("a token from @BotFather, such as 123456789:ABC..., or empty to leave Telegram out"),
]
#: What Telegram proves itself with when it calls.
SecretToken = Annotated[
    SecretStr,
    Secret(),
    Allowed("16 to 256 letters, digits, _ or -, or empty where Telegram is asked for updates"),
]
ServerUrl = Annotated[
    str,
    AfterValidator(_server_url),
    Allowed("https://HOST or http://HOST:PORT without a path, such as https://api.telegram.org"),
]
#: What belongs to a Twilio account, by the letters it begins with.
AccountSid = Annotated[
    str,
    StringConstraints(pattern=r"^(AC[0-9a-f]{32})?$"),
    Allowed("AC and 32 signs, from Twilio's console, or empty to leave Twilio out"),
]
ApiKeySid = Annotated[
    str, StringConstraints(pattern=r"^(SK[0-9a-f]{32})?$"), Allowed("SK and 32 signs: an API key's SID")
]
ServiceSid = Annotated[
    str,
    StringConstraints(pattern=r"^(MG[0-9a-f]{32})?$"),
    Allowed("MG and 32 signs: a Messaging Service's SID, or empty"),
]
ContentSid = Annotated[
    str,
    StringConstraints(pattern=r"^(HX[0-9a-f]{32})?$"),
    Allowed("HX and 32 signs: a content template's SID, or empty"),
]
#: One secret, or several with commas between them while one takes the other's place.
Tokens = Annotated[
    SecretStr, Secret(), Allowed("the auth token, or during rotation both with a comma between them")
]
PhoneNumber = Annotated[
    str,
    StringConstraints(pattern=r"^(\+[1-9][0-9]{5,14})?$"),
    Allowed("a number such as +14155238886, or empty"),
]
Countries = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=r"^(\+[1-9][0-9]{0,8}|[A-Za-z]{2})$")], ...],
    Allowed('a list of calling codes and countries, such as ["+49", "DE"], or empty for everybody'),
]
PerSecond = Annotated[
    int, Field(ge=0, le=1_000), Allowed("messages a second up to 1000, or 0 for what Twilio gives everybody")
]
HeaderName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9-]{0,100}$"),
    Allowed("the name of an HTTP header, such as X-Forwarded-User, or empty"),
]
Days = Annotated[
    int,
    Field(ge=0, le=36_500),
    Allowed("a whole number of days up to 36500, or 0 for as long as retention.days"),
]
#: How often something happens by itself.
Hours = Annotated[
    int, Field(ge=0, le=8_760), Allowed("a whole number of hours up to 8760, or 0 for never by itself")
]
KeptDays = Annotated[
    int,
    Field(ge=0, le=36_500),
    Allowed("a whole number of days up to 36500, or 0 for nothing beyond the running turn"),
]
