"""The same control over HTTP: POST /control/NAME with a method's keyword arguments as JSON.

say webhook proxy press choose again introduce habits template rotate fault fail calm advance move join_service suspend
manner {by_itself, shuffled, copies, before_answer, window_closed_as}
    style {as_json, port_signed, extra, forged_with, time_scale, pause_s}
GET /control/record?after=&limit=&wait_s=                what changed after a number, see `shown.Page`
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.adapters.twilio_cloud.cloud import Cloud
from tests.adapters.twilio_cloud.people import Picture

_PAGE = 1000


class Control:
    """The routes under /control."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        cloud = self._cloud
        plain: dict[str, Callable[..., Any]] = {
            method.__name__: method
            for method in (
                *(
                    cloud.press,
                    cloud.choose,
                    cloud.again,
                    cloud.introduce,
                    cloud.habits,
                    cloud.webhook,
                    cloud.proxy,
                ),
                *(
                    cloud.template,
                    cloud.rotate,
                    cloud.fault,
                    cloud.fail,
                    cloud.calm,
                    cloud.advance,
                    cloud.move,
                ),
                cloud.join_service,
                cloud.suspend,
            )
        }
        acts = plain | {"say": self._say, "manner": self._manner, "style": self._style}
        routes = [web.post(f"/control/{name}", _as_json(act)) for name, act in acts.items()]
        return [*routes, web.get("/control/record", self._page, allow_head=False)]

    def _say(self, pictures: tuple[dict[str, Any], ...] = (), **asked: Any) -> str:
        for name in ("button", "chosen", "place"):
            if asked.get(name) is not None:
                asked[name] = tuple(asked[name])
        return self._cloud.say(pictures=[Picture.from_wire(wire) for wire in pictures], **asked)

    def _manner(self, **values: Any) -> None:
        _set(self._cloud.carrier.manner, values)

    def _style(self, **values: Any) -> None:
        _set(self._cloud.webhooks.style, values)

    async def _page(self, request: web.Request) -> web.Response:
        after = int(request.query.get("after", "0"))
        if after >= self._cloud.record.seq and (wait_s := float(request.query.get("wait_s", "0"))):
            await self._cloud.news.wait(wait_s)
        page = self._cloud.record.page(after, int(request.query.get("limit", _PAGE)))
        return web.json_response(page.to_wire() | {"under_way": self._cloud.webhooks.under_way})


def _set(target: object, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if not hasattr(target, name):
            raise web.HTTPBadRequest(text=f"there is no {name}")
        setattr(target, name, value)


def _as_json(act: Callable[..., Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        asked = await request.json() if request.can_read_body else {}
        return web.json_response({"answer": act(**asked)})

    return handle
