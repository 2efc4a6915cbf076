"""The test's side of a fake Telegram over HTTP, for those who run it as a process of its own.

    POST /control/VERB        a JSON object of arguments -> a JSON object
    GET  /control/record      ?after=SEQ&limit=N&wait_s=S: what is seen and was said, as tests/platforms/seen.py has it
    GET  /control/documents   ?after=SEQ&limit=N&wait_s=S: the same as it is kept
    GET  /control/violations  what no correct bot would have asked for
    GET  /control/calls       ?method=NAME&chat=ID: the calls of this run

People and chats are named by id, messages by {"chat_id", "message_id"}, queries by id.
"""

import base64
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from tests.adapters.telegram_bot.control import Control
from tests.adapters.telegram_bot.files import Upload
from tests.adapters.telegram_bot.record_page import page_of
from tests.adapters.telegram_bot.seen import Chat, Message, User
from tests.adapters.telegram_bot.store import Store

Asked = dict[str, Any]
_PAGE = 1000


class ControlHttp:
    """The routes under /control."""

    def __init__(self, control: Control, store: Store) -> None:
        self._control = control
        self._store = store
        self._people, self._talk, self._asking = control.people, control.talk, control.asking

    def routes(self) -> list[web.RouteDef]:
        """List the routes."""
        verbs: dict[str, Callable[[Asked], Any]] = {
            "user": lambda asked: self._people.user(**asked),
            "private": lambda asked: self._people.private(self._user(asked.pop("user")), **asked),
            "group": self._group,
            "channel": lambda asked: self._people.channel(**asked),
            "between": lambda asked: self._people.between(*map(self._user, asked["users"])),
            "topic": lambda asked: {"id": self._people.topic(self._chat(asked["chat"]), asked["name"])},
            "move": self._move,
            "block": lambda asked: self._people.block(self._user(asked["user"])),
            "unblock": lambda asked: self._people.unblock(self._user(asked["user"])),
            "migrate": lambda asked: self._people.migrate(self._chat(asked["chat"])),
            "say": self._say,
            "edit": lambda asked: self._talk.edit(self._message(asked["message"]), asked.get("text")),
            "unsay": lambda asked: self._talk.unsay(self._message(asked["message"])),
            "react": self._react,
            "press": self._press,
            "press_newest": self._press_newest,
            "guest": self._guest,
            "inline": lambda asked: self._asking.ask_inline(self._user(asked.pop("user")), **asked),
            "choose": self._choose,
            "stop_draft": lambda asked: self._asking.stop_draft(self._chat(asked["chat"]), asked["draft_id"]),
            "faults": self._fail,
            "flood": self._flood,
            "calm": lambda _: self._control.faults.clear(),
            "again": self._again,
            "advance": lambda asked: self._control.advance(asked["seconds"]),
            "rules": self._rule,
        }
        gets = {
            "record": self._record,
            "documents": self._documents,
            "violations": self._violations,
            "calls": self._calls,
        }
        posts = [web.post(f"/control/{name}", self._as_json(act)) for name, act in verbs.items()]
        return [*posts, *(web.get(f"/control/{name}", get, allow_head=False) for name, get in gets.items())]

    def _as_json(self, act: Callable[[Asked], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> web.Response:
            outcome = act(await request.json())
            self._control.news.tell()
            return web.json_response(outcome.to_doc() if hasattr(outcome, "to_doc") else outcome or {})

        return handle

    def _group(self, asked: Asked) -> Chat:
        return self._people.group(members=[self._user(user) for user in asked.pop("members", [])], **asked)

    def _move(self, asked: Asked) -> Any:
        chat, who, by = self._chat(asked["chat"]), self._user(asked["user"]), self._user(asked["by"])
        return self._people.move(chat, who, asked["standing"], by=by)

    def _say(self, asked: Asked) -> Message:
        chat, user = self._chat(asked.pop("chat")), asked.pop("user", None)
        for name in ("reply_to", "external_reply"):
            if name in asked:
                asked[name] = self._message(asked[name])
        if "as_chat" in asked:
            asked["as_chat"] = self._chat(asked["as_chat"])
        if "upload" in asked:
            body = base64.b64decode(asked["upload"].pop("base64"))
            asked["upload"] = Upload(body=body, **asked["upload"])
        return self._talk.say(chat, self._user(user) if user else None, **asked)

    def _react(self, asked: Asked) -> Any:
        return self._talk.react(
            self._message(asked["message"]), self._user(asked["user"]), asked.get("emoji")
        )

    def _press(self, asked: Asked) -> Any:
        return self._asking.press(self._message(asked["message"]), self._user(asked["user"]), asked["label"])

    def _press_newest(self, asked: Asked) -> Any:
        newest = self._control.answers(self._chat(asked["chat"]))[-1]
        return self._asking.press(newest, self._user(asked["user"]), asked["label"])

    def _guest(self, asked: Asked) -> Any:
        reply = self._message(asked["reply_to"]) if "reply_to" in asked else None
        chat, user = self._chat(asked["chat"]), self._user(asked["user"])
        return self._asking.call_guest(chat, user, asked["text"], reply_to=reply)

    def _choose(self, asked: Asked) -> Message:
        query = self._control.world.queries[asked["query"]]
        return self._asking.choose(query, asked["result"], self._chat(asked["chat"]))

    def _fail(self, asked: Asked) -> None:
        chat = asked.pop("chat", None)
        self._control.fail(asked.pop("fault"), chat=self._chat(chat) if chat else None, **asked)

    def _flood(self, asked: Asked) -> None:
        chat = self._chat(asked["chat"]) if "chat" in asked else None
        self._control.flood(asked["seconds"], chat, asked.get("methods", ()))

    def _again(self, asked: Asked) -> None:
        told = reversed(self._control.mailbox.told())
        self._control.again(
            next(each for each in told if each.id == asked.get("update") or each.about == asked.get("about"))
        )

    def _rule(self, asked: Asked) -> None:
        for name, value in asked.items():
            setattr(self._control.rules, name, value)

    async def _record(self, request: web.Request) -> web.Response:
        after, limit = await self._news_after(request)
        page = page_of(self._control, self._store, after, limit)
        return web.json_response(page.to_wire() | {"under_way": len(self._control.mailbox.pending())})

    async def _documents(self, request: web.Request) -> web.Response:
        after, limit = await self._news_after(request)
        return web.json_response([asdict(change) for change in self._store.page(after, limit)])

    async def _news_after(self, request: web.Request) -> tuple[int, int]:
        after = int(request.query.get("after", "0"))
        wait_s = float(request.query.get("wait_s", "0"))
        if after >= self._store.seq and wait_s:
            await self._control.news.wait(wait_s)
        return after, int(request.query.get("limit", _PAGE))

    async def _violations(self, request: web.Request) -> web.Response:
        return web.json_response(self._control.violations)

    async def _calls(self, request: web.Request) -> web.Response:
        methods = [request.query["method"]] if "method" in request.query else []
        chat_id = int(request.query["chat"]) if "chat" in request.query else None
        return web.json_response(
            [asdict(call) for call in self._control.journal.made(*methods, chat_id=chat_id)]
        )

    def _user(self, user_id: int) -> User:
        return self._control.world.users[user_id]

    def _chat(self, chat_id: int) -> Chat:
        return self._control.world.chats[chat_id]

    def _message(self, place: Asked) -> Message:
        return self._control.world.messages[f"{place['chat_id']}/{place['message_id']}"]
