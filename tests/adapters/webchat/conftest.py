"""A web chat in this process, and people in it."""

import contextlib

import pytest

from tests.fixtures.webchat import Chat


@pytest.fixture
async def chat():
    """Serve a web chat that anyone may enter."""
    async with Chat().running() as running:
        yield running


class People:
    """Lets people in, and sees them out."""

    def __init__(self, chat, stack):
        self.chat = chat
        self.stack = stack

    async def guest(self, name, code=""):
        """Let somebody in."""
        return await self.stack.enter_async_context(self.chat.guest(name, code))

    async def tab(self, guest, cursors=None):
        """Open a tab for somebody."""
        tab = await guest.open(cursors)
        self.stack.push_async_callback(tab.close)
        return tab

    async def group(self, *names):
        """Make a group; return its room and everybody's guest and tab, the owner's first."""
        owner = await self.guest(names[0])
        tab = await self.tab(owner)
        room = (await tab.ask("create", title="Team", client_id="c"))["id"]
        url = (await tab.ask("invite", room=room))["url"]
        guests, tabs = [owner], [tab]
        for name in names[1:]:
            guests.append(await self.guest(name, url.rpartition("/")[2]))
            tabs.append(await self.tab(guests[-1]))
        return room, guests, tabs


@pytest.fixture
async def people(chat):
    """People who all go when the test ends."""
    async with contextlib.AsyncExitStack() as stack:
        yield People(chat, stack)
