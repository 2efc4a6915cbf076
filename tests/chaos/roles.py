"""The project's roles on the platforms of a run: nobody's, and the shipped adapters on a local Telegram and Twilio.

    FAKE_TELEGRAM='{"url": "http://127.0.0.1:1", "token": "42:..."}'
    FAKE_TWILIO='{"url": "http://127.0.0.1:2", "public_url": "https://bot.example.org"}'

beside what tests/platforms/roles.py reads. Every send of theirs is marked for the platform's record.
"""

import json
import sys
from collections.abc import Mapping
from typing import Final

from adapters.base import Platform
from adapters.telegram.settings import TelegramSettings
from adapters.twilio.settings import TwilioSettings
from bot.additions import Additions, Ground
from tests.adapters.telegram.marked import marked as marked_telegram
from tests.adapters.twilio.marked import marked as marked_twilio
from tests.adapters.twilio_cloud.account import WHATSAPP_SENDER, standard_account
from tests.chaos.plan import Vendor
from tests.platforms import roles
from tests.platforms.adapter import platform

TELEGRAM: Final = "FAKE_TELEGRAM"
TWILIO: Final = "FAKE_TWILIO"
#: Seconds for one call, for holding a question for updates open, and before asking again after an outage.
CALL_S, _POLL_S, _AGAIN_S = 2.0, 2, 0.2
#: A sender whose rate was raised, so that a run is not about waiting.
_WHATSAPP_PER_S = 80


def bring(environ: Mapping[str, str]) -> Additions:
    """Bring along every platform that the environment names."""

    def platforms(ground: Ground) -> list[Platform]:
        made = [platform(cloud) for cloud in roles.clouds(environ)]
        if TELEGRAM in environ:
            made.append(_telegram(json.loads(environ[TELEGRAM]), ground))
        if TWILIO in environ:
            made.append(_twilio(json.loads(environ[TWILIO]), ground))
        return made

    return Additions(platforms=platforms)


def _telegram(told: Mapping[str, str], ground: Ground) -> Platform:
    settings = TelegramSettings(
        token=told["token"],
        base_url=f"{told['url']}/bot",
        base_file_url=f"{told['url']}/file/bot",
        call_s=CALL_S,
        connect_s=CALL_S,
        poll_s=_POLL_S,
        again_s=_AGAIN_S,
        again_most_s=CALL_S,
    )
    return marked_telegram(settings, ground.lease(Vendor.TELEGRAM), ground.clock.now)


def _twilio(told: Mapping[str, str], ground: Ground) -> Platform:
    account = standard_account()
    key, secret = next(iter(account.keys.items()))
    settings = TwilioSettings(
        account_sid=account.sid,
        api_key=key,
        api_secret=secret,
        auth_tokens=(account.token,),
        public_url=told["public_url"],
        whatsapp_from=WHATSAPP_SENDER.removeprefix("whatsapp:"),
        whatsapp_policy_acknowledged=True,
        whatsapp_per_s=_WHATSAPP_PER_S,
        api_base=told["url"],
        call_s=CALL_S,
        connect_s=CALL_S,
    )
    return marked_twilio(settings, ground.records(Vendor.TWILIO), ground.clock.now)


def main() -> int | str:
    """Run one role until it is told to stop; return its exit status, or what a person must know."""
    return roles.main(bring)


if __name__ == "__main__":
    sys.exit(main())
