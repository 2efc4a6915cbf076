"""Every setting there is, with its default; one frozen class a section of `aside.toml`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from bot.settings.kinds import (
    AccountSid,
    Allowed,
    ApiKey,
    ApiKeySid,
    BotToken,
    ContentSid,
    Count,
    Countries,
    DatabaseUrl,
    Days,
    EngineUrl,
    HeaderName,
    Hours,
    KeptDays,
    KeyRingText,
    Languages,
    LinkHosts,
    MentionName,
    MentionNames,
    OptionalCount,
    OptionalPath,
    Password,
    PerSecond,
    PhoneNumber,
    Port,
    PublicUrl,
    Quota,
    RedisUrl,
    Seconds,
    SecretToken,
    ServerUrl,
    ServiceSid,
    Switch,
    Tokens,
    Weight,
    Words,
)


class Section(BaseModel):
    """One table of `aside.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, validate_default=True)


class PersonaSection(Section):
    """Who the assistant is."""

    #: What people write behind the @, and what stands over its replies.
    name: MentionName = "assistant"
    #: More names it answers to.
    aliases: MentionNames = ()
    #: A few sentences the model is told about how it behaves.
    character: Annotated[
        str, StringConstraints(max_length=4_000), Allowed("a text of at most 4000 characters")
    ] = "You are helpful, friendly and brief."
    #: Languages it prefers; empty answers in the language it is asked in.
    languages: Languages = ()


class RedisSection(Section):
    """Where chats are scheduled and contexts cached."""

    #: Empty starts the embedded Valkey.
    url: RedisUrl = SecretStr("")
    #: For a URL that has none, so that it can come as a file of its own.
    password: Password = SecretStr("")


class DatabaseSection(Section):
    """Where the record is."""

    #: Empty is SQLite in the data directory.
    url: DatabaseUrl = SecretStr("")
    #: For a URL that has none, so that it can come as a file of its own.
    password: Password = SecretStr("")


class EngineSection(Section):
    """Which engine answers, and how long it may take."""

    #: An OpenAI-compatible server; empty starts the embedded one.
    url: EngineUrl = ""
    api_key: ApiKey = SecretStr("")
    #: The served model's name; empty takes what the engine serves.
    model: Annotated[str, StringConstraints(max_length=400), Allowed("a model's name, or empty")] = ""
    first_token_s: Seconds = 300.0
    stall_s: Seconds = 120.0
    max_reply_tokens: Count = 512
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False), Allowed("a number from 0 to 2")] = (
        0.7
    )
    #: How an engine is started here; `aside profiles` lists what there is.
    profile: Words = "embedded"
    #: Loaded instead of the profile's own model.
    weights: Annotated[
        str,
        StringConstraints(max_length=4_000),
        Allowed("the path of a folder with config.json, a Hugging Face id, or empty for the profile's model"),
    ] = ""
    #: The interpreter that has vLLM; empty is the profile's environment in the data directory.
    python: OptionalPath = None


class WorkerSection(Section):
    """How turns are worked on."""

    #: Turns one worker answers at a time, at most: fewer while vLLM says that requests wait inside it.
    slots: Annotated[int, Field(ge=1, le=1_024), Allowed("a whole number from 1 to 1024")] = 8
    #: How long a silent worker keeps its chats.
    lease_s: Annotated[
        float, Field(ge=1, le=600, allow_inf_nan=False), Allowed("a number of seconds from 1 to 600")
    ] = 15.0
    #: How long running turns may take to end when the worker is stopped.
    drain_s: Annotated[
        float, Field(ge=0, le=3_600, allow_inf_nan=False), Allowed("a number of seconds from 0 to 3600")
    ] = 20.0


class TurnsSection(Section):
    """What is accepted, and for how long it is worth answering."""

    deadline_s: Seconds = 600.0
    #: Longer messages are refused with a notice.
    max_text_chars: Count = 200_000
    #: Turns that may wait: in one group, in one direct chat, of one person in all chats, and in all.
    per_chat_waiting: Count = 5
    direct_waiting: Count = 3
    person_waiting: Count = 3
    total_waiting: Count = 10_000
    #: A chat's share of the slots while there are too few for all.
    direct_weight: Weight = 2.0
    group_weight: Weight = 1.0
    #: Failed attempts after which a turn is given up.
    attempts: Annotated[int, Field(ge=1, le=20), Allowed("a whole number from 1 to 20")] = 3
    #: Where a platform cannot tell whether a message arrived (Telegram, WhatsApp, SMS): `resend` sends it again,
    #: labelled as a possible duplicate; `give_up` never sends anything twice and may lose it. Notices and first
    #: signs keep to it too.
    send_policy: Annotated[Literal["resend", "give_up"], Allowed("resend or give_up")] = "resend"


class QuotaSection(Section):
    """How many messages are taken in an hour and in a day (of UTC); 0 takes any number."""

    person_hourly: Quota = 0
    person_daily: Quota = 0
    chat_hourly: Quota = 0
    chat_daily: Quota = 0


class GatewaySection(Section):
    """Where the gateway listens."""

    host: Words = "127.0.0.1"
    port: Port = 8470
    #: The operator's word that nothing but a proxy with TLS, or a port published on loopback, reaches `host`.
    behind_proxy: Switch = False


class ContextSection(Section):
    """How much of a chat the model is shown."""

    #: Prompt tokens; empty derives it from the model's own limit.
    budget_tokens: OptionalCount = None
    #: Who shares what the engine has computed of prompts: `chat` keeps every chat to itself; `organisation`
    #: computes persona and rules once for all, and lets members measure whether somebody sent a text before.
    cache_salt: Annotated[Literal["chat", "organisation"], Allowed("chat or organisation")] = "chat"
    #: How long an idle chat's context stays in Redis; SQL can always rebuild it.
    ttl_s: Annotated[
        float,
        Field(ge=1, le=31_536_000, allow_inf_nan=False),
        Allowed("a number of seconds from 1 to 31536000"),
    ] = 86_400.0


class VaultSection(Section):
    """How what people write is sealed."""

    #: Empty is `keys/vault.key` in the data directory.
    key_file: OptionalPath = None
    #: The content of a key file, in its place: for keys that come by the environment or as a mounted secret. They
    #: change epochs by hand, step by step as `docs/privacy.md` says, and need a `root`, which never changes.
    keys: KeyRingText = SecretStr("")
    #: Bound into every sealed value; it cannot be changed later.
    organisation: Words = "default"
    #: How old the key-encryption key becomes before another takes its place and it is destroyed.
    epoch_hours: Hours = 24


class PrivacySection(Section):
    """What the assistant sees of the groups it is asked in."""

    #: The mode in which a new group begins: `mentions` shows it only messages that address it, `quoted` also the
    #: messages they reply to. Groups that stand keep their mode; each may change its own with `/privacy`.
    mode: Annotated[Literal["mentions", "quoted"], Allowed("mentions or quoted")] = "mentions"


class LinksSection(Section):
    """Which addresses in replies people can click."""

    #: Hosts whose addresses are always live links, a leading dot meaning all below it; every other address is one only
    #: where somebody wrote it in that chat, and plain text otherwise.
    allow: LinkHosts = ()


class RetentionSection(Section):
    """How long what people write and the model answers is kept."""

    #: Words go that many days after their turn; a chat may have fewer.
    days: KeptDays = 30


class TerminalSection(Section):
    """The chat in the terminal, `aside chat`."""

    enabled: Switch = True
    #: Empty is `run/terminal.sock` in the data directory.
    socket: OptionalPath = None


class WebchatSection(Section):
    """The chat on a page of its own."""

    enabled: Switch = True
    host: Words = "127.0.0.1"
    port: Port = 8471
    #: What people type where a proxy serves the page; invitation links begin with it.
    public_url: PublicUrl = ""
    #: The operator's word that nothing but a proxy with TLS, or a port published on loopback, reaches `host`.
    behind_proxy: Switch = False
    #: Who comes in without an invitation and makes groups; `auto` is anyone on loopback, members otherwise.
    create: Annotated[Literal["auto", "anyone", "members"], Allowed("auto, anyone or members")] = "auto"
    #: The header in which the proxy's single sign-on names the person; empty asks people for a name.
    sso_header: HeaderName = ""
    sso_name_header: HeaderName = ""
    #: Days after which messages are dropped from the page's own history; 0 is `retention.days`, which bounds it.
    retention_days: Days = 0


class TelegramSection(Section):
    """Telegram, by a bot of your own; its token switches it on."""

    token: BotToken = SecretStr("")
    #: The Bot API server: Telegram's, or one of your own (without its option --local).
    api_url: ServerUrl = "https://api.telegram.org"
    #: Where Telegram calls the gateway; empty asks Telegram for updates, which needs no address of ours.
    public_url: PublicUrl = ""
    #: What Telegram proves itself with when it calls.
    secret_token: SecretToken = SecretStr("")
    #: Growing replies in direct chats are drafts; else messages that are edited, as in groups.
    drafts: Switch = True
    #: Questions from the input line of any chat (`@bot question`), and mentions in chats the bot is no member of.
    inline: Switch = True
    guest: Switch = True


class TwilioSection(Section):
    """WhatsApp and SMS through Twilio; the account's SID switches it on."""

    account_sid: AccountSid = ""
    #: What calls are made with: an API key, which unlike the auth token can be replaced at any time.
    api_key: ApiKeySid = ""
    api_secret: Password = SecretStr("")
    #: What Twilio signs webhooks with: the account's primary auth token, and during rotation the next one as well.
    auth_tokens: Tokens = SecretStr("")
    #: Where Twilio calls the gateway, as the world sees it: signatures are checked by this address.
    public_url: PublicUrl = ""
    #: Our numbers; at least one.
    whatsapp_from: PhoneNumber = ""
    sms_from: PhoneNumber = ""
    #: Sends SMS through a Messaging Service, and answers from each of its numbers.
    messaging_service: ServiceSid = ""
    #: WhatsApp stays off until this is true: `adapters/twilio/README.md` quotes the policy that is acknowledged.
    whatsapp_policy_acknowledged: Switch = False
    #: What alone it may be asked about here, in words that end "you help only with this: ..."; empty is anything.
    scope: Annotated[str, StringConstraints(max_length=400), Allowed("a text of at most 400 characters")] = ""
    #: An approved template whose only variable {{1}} becomes an answer that is ready after WhatsApp's 24 hours.
    whatsapp_template: ContentSid = ""
    #: Who is answered, by calling code and, where WhatsApp hides the number, by country.
    countries: Countries = ()
    whatsapp_per_s: PerSecond = 0
    sms_per_s: PerSecond = 0
    #: Another place for Twilio's API: a relay of your own, or a local cloud in tests.
    api_url: PublicUrl = ""


class LogSection(Section):
    """What is written to the log."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Allowed("debug, info, warning or error")
    ] = "info"
