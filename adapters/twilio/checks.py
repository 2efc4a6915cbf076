"""What `aside adapters check twilio` sees of the account: every set-up mistake that keeps answers from people."""

from collections.abc import AsyncIterator, Awaitable
from typing import Any, Final
from urllib.parse import urldefrag, urlsplit

from adapters.checking import Finding, Standing
from adapters.errors import AuthFailed, Gone, Rejected
from adapters.twilio.rest import Rest, understood
from adapters.twilio.settings import INSIST, MESSAGES_PATH, TwilioSettings

_CONSOLE: Final = "in Twilio's console"


class TwilioChecks:
    """A `Checks` over the REST API; it changes nothing there and sends nothing."""

    def __init__(self, settings: TwilioSettings, rest: Rest) -> None:
        self._settings = settings
        self._rest = rest

    async def check(self) -> tuple[Finding, ...]:
        """Look at credentials, webhooks, senders and the template. Raises an `AdapterError` where nobody answers."""
        return tuple([finding async for finding in self._findings()])

    async def _findings(self) -> AsyncIterator[Finding]:
        yield _public_url(self._settings.public_url)
        if await _is_refused(self._list_one(self._rest.client())):
            yield _fail(
                "credentials",
                "Twilio refuses the API key.",
                f"Compare twilio.account_sid, api_key and api_secret with those {_CONSOLE}, or make a new key.",
            )
            return
        yield _ok("credentials", "Twilio takes the API key.")
        yield await self._signatures()
        if self._settings.sms_from:
            yield await self._sms()
        if self._settings.whatsapp_from:
            yield await self._whatsapp()
        if self._settings.whatsapp_template:
            yield await self._template()
        if self._settings.messaging_service:
            yield _ok(
                "service",
                "SMS goes through the Messaging Service. Which webhook that calls cannot be seen from here: under its "
                f"Integration it must be {self._settings.messages_url}, with POST.",
            )
        elif not self._settings.sms_from and not self._settings.whatsapp_from:
            yield _fail(
                "senders",
                "There is no number to answer from.",
                "Set twilio.whatsapp_from or twilio.sms_from.",
            )

    async def _signatures(self) -> Finding:
        """Ask with each auth token: webhooks are signed by what Twilio takes as the account's primary token."""
        settings = self._settings
        refused = [
            await _is_refused(self._list_one(self._rest.client(settings.account_sid, token)))
            for token in settings.auth_tokens
        ]
        if all(refused):
            return _fail(
                "signatures",
                "Twilio takes none of the auth tokens, so that every webhook is refused as unsigned.",
                f"Copy the primary auth token {_CONSOLE} to twilio.auth_tokens.",
            )
        if any(refused):
            return _warn(
                "signatures",
                "One of the auth tokens is not the account's any more.",
                "Take the old one out of twilio.auth_tokens once the rotation is over.",
            )
        return _ok("signatures", "Twilio takes the auth tokens that webhooks are checked by.")

    async def _sms(self) -> Finding:
        number = self._settings.sms_from
        seen = await _seen(
            self._rest.client().incoming_phone_numbers.list_async(phone_number=number, limit=20)
        )
        if seen is None:
            return _warn(
                "sms",
                "The API key may not see the account's numbers.",
                "Use a standard API key for the check.",
            )
        found = next((each for each in seen if each.phone_number == number), None)
        if found is None:
            return _fail(
                "sms",
                "twilio.sms_from is no number of this account.",
                f"Compare it with the numbers {_CONSOLE}.",
            )
        return self._webhook("sms", found.sms_url, found.sms_method)

    async def _whatsapp(self) -> Finding:
        if not self._settings.has_whatsapp:
            return _warn(
                "whatsapp",
                "WhatsApp is off: its policy was not acknowledged.",
                "Read the policy in the README, then set twilio.whatsapp_policy_acknowledged = true.",
            )
        address = self._settings.whatsapp_address
        seen = await _seen(
            self._rest.client().messaging.v2.channels_senders.list_async(channel="whatsapp", limit=200)
        )
        if seen is None:
            return _warn(
                "whatsapp",
                "The API key may not see the WhatsApp senders.",
                "Use a standard API key for the check.",
            )
        found = next((each for each in seen if each.sender_id == address), None)
        if found is None:
            return _warn(
                "whatsapp",
                "twilio.whatsapp_from is not among the account's senders; Twilio's sandbox is never listed.",
                f"Compare it with the WhatsApp senders {_CONSOLE}, unless it is the sandbox.",
            )
        if "ONLINE" not in str(found.status).upper():
            return _fail(
                "whatsapp", f"The sender's state is {found.status}.", f"Finish its registration {_CONSOLE}."
            )
        webhook = found.webhook if isinstance(found.webhook, dict) else vars(found.webhook or object())
        return self._webhook("whatsapp", webhook.get("callback_url"), webhook.get("callback_method"))

    def _webhook(self, name: str, url: str | None, method: str | None) -> Finding:
        """Compare what Twilio calls with what is served here."""
        wanted = self._settings.messages_url
        remedy = f"Enter {wanted} as the webhook for incoming messages {_CONSOLE}, with POST."
        if not url:
            return _fail(name, "No webhook is configured, so that nothing arrives.", remedy)
        if urldefrag(url).url != urldefrag(wanted).url:
            return _fail(name, f"Twilio calls {_shown(url)}, and not the gateway.", remedy)
        if (method or "POST").upper() != "POST":
            return _fail(name, f"The webhook is called by {method}.", remedy)
        if urldefrag(url).fragment != INSIST.removeprefix("#"):
            return _warn(name, "Twilio does not try again while the gateway is away.", remedy)
        return _ok(name, "Twilio calls the gateway for incoming messages.")

    async def _template(self) -> Finding:
        content = self._rest.client().content.v1.contents(self._settings.whatsapp_template)
        seen = await _seen(content.fetch_async())
        if seen is None:
            return _fail(
                "template", "twilio.whatsapp_template is not there.", "Copy its Content SID (HX...)."
            )
        if set(seen.variables or {}) - {"1"}:
            return _fail(
                "template",
                "The template has other variables than {{1}}, which nothing would fill.",
                "Make one whose only variable is {{1}}: it becomes the answer.",
            )
        approval = await _seen(content.approval_fetch().fetch_async())
        status = (approval.whatsapp or {}).get("status", "unknown") if approval else "unknown"
        if status != "approved":
            return _fail("template", f"WhatsApp's approval is {status}.", f"Submit the template {_CONSOLE}.")
        return _ok("template", "WhatsApp has approved the template.")

    async def _list_one(self, client: Any) -> Any:
        return await client.messages.list_async(limit=1, page_size=1)


async def _is_refused(asked: Awaitable[Any]) -> bool:
    """Tell whether Twilio refuses the credentials."""
    try:
        with understood():
            await asked
    except AuthFailed:
        return True
    return False


async def _seen(asked: Awaitable[Any]) -> Any:
    """Return what was asked for; None where it is not there or may not be seen."""
    try:
        with understood():
            return await asked
    except (AuthFailed, Gone, Rejected):
        return None


def _public_url(url: str) -> Finding:
    if urlsplit(url).scheme == "https":
        return _ok("public URL", f"Webhooks are checked as requests to {url}{MESSAGES_PATH}.")
    return _warn(
        "public URL",
        "The public URL has no TLS: everybody on the way reads what people write.",
        "Put a proxy with TLS in front of the gateway and set twilio.public_url to its https:// address.",
    )


def _shown(url: str) -> str:
    """Show a foreign URL without what could be a secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"


def _ok(name: str, found: str) -> Finding:
    return Finding(name=name, standing=Standing.OK, found=found)


def _warn(name: str, found: str, remedy: str) -> Finding:
    return Finding(name=name, standing=Standing.WARN, found=found, remedy=remedy)


def _fail(name: str, found: str, remedy: str) -> Finding:
    return Finding(name=name, standing=Standing.FAIL, found=found, remedy=remedy)
