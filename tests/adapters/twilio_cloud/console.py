"""What Twilio's console shows of an account, by the API: what an operator's check reads.

The account (https://www.twilio.com/docs/iam/api/account), its numbers (/docs/phone-numbers/api/
incomingphonenumber-resource), its WhatsApp senders (/docs/whatsapp/api/senders), its templates (/docs/content).
"""

from typing import Any, Final

from aiohttp import web

from tests.adapters.twilio_cloud.account import Account, Sender, Template
from tests.adapters.twilio_cloud.addresses import channel_of
from tests.adapters.twilio_cloud.api import Answer, Api, Call
from tests.adapters.twilio_cloud.errors import Refused
from tests.adapters.twilio_cloud.parameters import once
from tests.adapters.twilio_cloud.shown import Channel, Endpoint

_PAGED: Final = frozenset({"PageSize", "Page", "PageToken"})


class Console:
    """The resources over an account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def routes(self, api: Api) -> list[web.RouteDef]:
        """List the routes."""
        here = "/2010-04-01/Accounts/{account}"
        acts = {
            f"{here}.json": self._show_account,
            f"{here}/IncomingPhoneNumbers.json": self._list_numbers,
            "/v2/Channels/Senders": self._list_senders,
            "/v1/Content/{sid}": self._show_template,
            "/v1/Content/{sid}/ApprovalRequests": self._show_approval,
        }
        return [api.route("GET", path, Endpoint.ACCOUNT, act) for path, act in acts.items()]

    async def _show_account(self, call: Call) -> Answer:
        # A standard key has no part in accounts; what it is answered is not documented.
        if call.by_key:
            raise Refused(20003)
        sid = self._account.sid
        return Answer(
            wire={
                "sid": sid,
                "friendly_name": "Example organisation",
                "status": "active",
                "type": "Full",
                "uri": f"/2010-04-01/Accounts/{sid}.json",
            }
        )

    async def _list_numbers(self, call: Call) -> Answer:
        asked = once(call.fields, _PAGED | {"PhoneNumber"})
        numbers = [
            self._number(sender)
            for sender in self._senders(Channel.SMS)
            if asked.get("PhoneNumber", "") in sender.address
        ]
        return Answer(
            wire={
                "incoming_phone_numbers": numbers,
                "page": 0,
                "page_size": 50,
                "start": 0,
                "end": len(numbers) - 1,
                "uri": f"/2010-04-01/Accounts/{self._account.sid}/IncomingPhoneNumbers.json",
                "first_page_uri": None,
                "next_page_uri": None,
                "previous_page_uri": None,
            }
        )

    async def _list_senders(self, call: Call) -> Answer:
        asked = once(call.fields, _PAGED | {"Channel"})
        senders = [_shown(sender) for sender in self._senders(Channel.WHATSAPP)]
        meta = {
            "key": "senders",
            "page": 0,
            "page_size": 50,
            "next_page_url": None,
            "previous_page_url": None,
        }
        return Answer(wire={"senders": senders if asked.get("Channel") == "whatsapp" else [], "meta": meta})

    async def _show_template(self, call: Call) -> Answer:
        template = self._template(call)
        return Answer(
            wire={
                "sid": template.sid,
                "account_sid": self._account.sid,
                "friendly_name": "template",
                "language": "en",
                "variables": template.defaults,
                "types": {"twilio/text": {"body": template.body}},
            }
        )

    async def _show_approval(self, call: Call) -> Answer:
        template = self._template(call)
        status = "approved" if template.approved else "unsubmitted"
        return Answer(wire={"sid": template.sid, "whatsapp": {"type": "whatsapp", "status": status}})

    def _template(self, call: Call) -> Template:
        template = self._account.templates.get(call.names["sid"])
        if template is None:
            raise Refused(20404)
        return template

    def _senders(self, channel: Channel) -> list[Sender]:
        return [sender for sender in self._account.senders.values() if channel_of(sender.address) is channel]

    def _number(self, sender: Sender) -> dict[str, Any]:
        return {
            "sid": sender.sid,
            "account_sid": self._account.sid,
            "phone_number": sender.address,
            "friendly_name": sender.address,
            "capabilities": {"sms": True, "mms": True, "voice": False},
            "sms_url": sender.webhook or "",
            "sms_method": "POST",
            "sms_fallback_url": sender.fallback or "",
            "sms_fallback_method": "POST",
            "status_callback": sender.status_callback or "",
            "status": "in-use",
        }


def _shown(sender: Sender) -> dict[str, Any]:
    return {
        "sid": "XE" + sender.sid[2:],
        "sender_id": sender.address,
        "status": "ONLINE",
        "webhook": {
            "callback_url": sender.webhook or "",
            "callback_method": "POST",
            "fallback_url": sender.fallback or "",
            "fallback_method": "POST",
            "status_callback_url": sender.status_callback or "",
            "status_callback_method": "POST",
        },
        "configuration": {"waba_id": "123456789012345"},
        "profile": {"name": "Example organisation"},
    }
