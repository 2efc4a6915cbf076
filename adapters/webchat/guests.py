"""Who sends a request: a guest by their cookie, or somebody whom the organisation's sign-on names."""

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from adapters.webchat.cookie import MAX_AGE_S, NAME, GuestCookie
from adapters.webchat.house import House
from adapters.webchat.people import Profile
from adapters.webchat.settings import WebchatSettings

_COLOURS = ("blue", "teal", "green", "amber", "orange", "red", "pink", "violet")
#: A longer name from the sign-on is cut.
_LONGEST_NAME = 32


class Guests:
    """Knows the people behind requests."""

    def __init__(
        self, settings: WebchatSettings, house: House, cookie: GuestCookie, now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._house = house
        self._cookie = cookie
        self._now = now

    @property
    def by_sign_on(self) -> bool:
        """Whether the organisation's sign-on says who people are."""
        return bool(self._settings.sso_header)

    async def of(self, request: web.Request) -> Profile | None:
        """Return who sends a request; None for who has not come in. Raises `Refused` and `RecordsUnavailable`."""
        if self.by_sign_on:
            return await self._signed_on(request)
        person = self._cookie.person(request.cookies.get(NAME, ""), self._now())
        return None if person is None else await self._house.person(person)

    def remember(self, response: web.StreamResponse, person: str) -> None:
        """Give a browser its guest's cookie."""
        response.set_cookie(
            NAME,
            self._cookie.value(person, self._now()),
            max_age=MAX_AGE_S,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self._settings.is_public_https,
        )

    def forget(self, response: web.StreamResponse) -> None:
        """Take the cookie from a browser."""
        response.del_cookie(
            NAME, path="/", httponly=True, samesite="Lax", secure=self._settings.is_public_https
        )

    async def _signed_on(self, request: web.Request) -> Profile | None:
        subject = request.headers.get(self._settings.sso_header, "").strip()
        if not subject:
            return None
        person = self._cookie.person_of(subject)
        if known := await self._house.person(person):
            return known
        header = self._settings.sso_name_header
        name = (request.headers.get(header, "") if header else "").strip() or subject.partition("@")[0]
        colour = _COLOURS[sum(person.encode()) % len(_COLOURS)]
        return await self._house.enter(person, name[:_LONGEST_NAME], colour, vouched=True)
