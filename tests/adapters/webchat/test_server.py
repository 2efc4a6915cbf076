"""The HTTP side, over real connections."""

import gzip
import re

import aiohttp
import pytest

from adapters.webchat.settings import Create
from tests.fixtures.webchat import Chat, Refusal, guest

ROUTES = ["/", "/join/AAAAAAAAAAAAAAAAAAAAAA", "/static/x/main.js", "/healthz", "/ws", "/nothing-here"]


@pytest.fixture
async def browser(chat):
    async with guest(chat.address) as browser:
        yield browser


async def get(browser, path, **headers):
    async with browser.session.get(browser.address + path, headers=headers) as answer:
        return answer, await answer.read()


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8471", ""])
async def test_no_route_answers_under_somebody_elses_name(browser, path, host):
    answer, _ = await get(browser, path, Host=host)
    assert answer.status in (400, 421)


@pytest.mark.parametrize("path", [*ROUTES, "/enter", "/forget-me"])
async def test_every_answer_says_what_it_may_be_used_for(browser, path):
    answer, _ = await get(browser, path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Python" not in answer.headers["Server"]


@pytest.mark.parametrize("path", ["/enter", "/forget-me"])
@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=str,
)
async def test_nothing_is_changed_for_another_page(browser, path, headers):
    sent = (browser.headers if "Sec-Fetch-Site" in headers else {}) | headers
    body = {"name": "Ann", "colour": "blue"}
    async with browser.session.post(browser.address + path, json=body, headers=sent) as answer:
        assert answer.status == 403
        assert not answer.cookies


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}], ids=str)
async def test_no_stream_is_opened_for_another_page(browser, headers):
    await browser.enter("Ann")
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await browser.session.ws_connect(f"{browser.address}/ws", headers=headers)
    assert refused.value.status == 403


async def test_the_page_runs_only_the_script_with_its_nonce_and_never_the_same_one(browser):
    nonces = set()
    for _ in range(3):
        answer, body = await get(browser, "/")
        nonce = re.search(r"script-src 'nonce-([\w-]+)'", answer.headers["Content-Security-Policy"])[1]
        scripts = re.findall(r"<script\b[^>]*>", body.decode())
        assert scripts
        assert all(f'nonce="{nonce}"' in script for script in scripts)
        assert answer.headers["Cache-Control"] == "no-store"
        nonces.add(nonce)
    assert len(nonces) == 3


async def test_the_page_names_nothing_outside_and_no_style_or_handler_of_its_own(browser):
    await browser.enter("Ann")
    _, body = await get(browser, "/")
    page = body.decode()
    assert not re.findall(r"(?:src|href|action)=\"(?!/|#)", page)
    assert not re.findall(r"\bstyle=|\bon\w+=\"", page)


async def test_files_are_kept_for_good_compressed_and_of_one_version(browser):
    _, body = await get(browser, "/")
    path = re.search(r'<script[^>]*src="(/static/\w+/[\w.]+)"', body.decode())[1]
    async with browser.session.get(
        browser.address + path, headers={"Accept-Encoding": "gzip"}, auto_decompress=False
    ) as answer:
        zipped = await answer.read()
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Type"].startswith("text/javascript")
    plain, text = await get(browser, path, **{"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert gzip.decompress(zipped) == text
    older, _ = await get(browser, re.sub(r"/static/\w+/", "/static/0000000000000000/", path))
    assert older.status == 404


@pytest.mark.parametrize(
    "name", ["../adapter.py", "..%2fadapter.py", "%2e%2e/shell.html", "no.js", "/etc/passwd"]
)
async def test_no_other_file_is_given_out(browser, name):
    _, body = await get(browser, "/")
    root = re.search(r'"(/static/\w+)/', body.decode())[1]
    answer, _ = await get(browser, f"{root}/{name}")
    assert answer.status == 404


async def test_coming_in_gives_a_cookie_that_scripts_cannot_read(browser):
    body = {"name": "Ann", "colour": "blue"}
    async with browser.session.post(f"{browser.address}/enter", json=body, headers=browser.headers) as answer:
        cookie = answer.cookies["aside_guest"]
        assert (await answer.json())["me"]["name"] == "Ann"
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["secure"]


async def test_behind_tls_the_cookie_never_goes_without_it():
    settings = {"behind_proxy": True, "public_url": "https://chat.example.org", "create": Create.ANYONE}
    async with Chat(**settings).running() as chat, aiohttp.ClientSession() as session:
        headers = {"Host": "chat.example.org", "Origin": "https://chat.example.org"}
        body = {"name": "Ann", "colour": "blue"}
        async with session.post(f"{chat.address}/enter", json=body, headers=headers) as answer:
            assert answer.cookies["aside_guest"]["secure"]


async def test_coming_in_again_keeps_who_one_is(browser):
    first = (await browser.enter("Ann")).me
    second = (await browser.enter("Anna")).me
    assert (second["id"], second["name"]) == (first["id"], "Anna")


@pytest.mark.parametrize(
    "forged", ["", "x", "1.p" + "A" * 22 + ".1793534400." + "A" * 43], ids=["none", "x", "formed"]
)
async def test_a_forged_cookie_is_nobodys(browser, forged):
    await browser.enter("Ann")
    async with guest(browser.address) as other:
        other.session.cookie_jar.update_cookies({"aside_guest": forged})
        tab = await other.open(hello=False)
        assert await tab.closed() == 4401
        _, body = await get(other, "/")
        assert 'id="enter"' in body.decode()


async def test_going_takes_the_cookie_and_closes_every_tab(browser):
    await browser.enter("Ann")
    tabs = [await browser.open() for _ in range(2)]
    async with browser.session.post(f"{browser.address}/forget-me", headers=browser.headers) as answer:
        assert answer.status == 200
    assert [await tab.closed() for tab in tabs] == [4401, 4401]
    _, body = await get(browser, "/")
    assert 'id="enter"' in body.decode()


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b'{"name": 7}', "application/json", 400),
        (b'{"name": "Ann", "colour": "blue"}', "text/plain", 415),
        (b"name=Ann", "application/x-www-form-urlencoded", 415),
        (b"x" * 20_000, "application/json", 413),
        (b'{"name": "assistant", "colour": "blue"}', "application/json", 422),
        (b'{"name": "", "colour": "blue"}', "application/json", 422),
    ],
    ids=lambda value: str(value)[:24],
)
async def test_a_body_that_makes_no_sense_is_refused_and_not_repeated(browser, body, kind, status):
    headers = browser.headers | {"Content-Type": kind}
    async with browser.session.post(f"{browser.address}/enter", data=body, headers=headers) as answer:
        assert answer.status == status
        assert "xxxx" not in await answer.text()
        assert "Ann" not in await answer.text()


async def test_an_address_comes_in_only_so_often(browser):
    for number in range(20):
        await browser.enter(f"Ann{number}")
    with pytest.raises(Refusal) as refused:
        await browser.enter("Ann")
    assert refused.value.code == "slow_down"
    assert refused.value.error["retry_s"] > 0


async def test_an_invitation_shows_where_it_leads_and_a_wrong_one_why_not(people):
    room, guests, tabs = await people.group("Ann")
    code = (await tabs[0].ask("invite", room=room))["url"].rpartition("/")[2]
    async with guest(guests[0].address) as stranger:
        _, page = await get(stranger, f"/join/{code}")
        assert "<bdi>Team</bdi>" in page.decode()
        _, page = await get(stranger, f"/join/{code[:-1]}")
        assert "leads nowhere" in page.decode()
        assert "Team" not in page.decode()


async def test_where_only_members_make_rooms_one_needs_an_invitation():
    async with Chat(create=Create.MEMBERS).running() as chat, guest(chat.address) as stranger:
        _, page = await get(stranger, "/")
        assert 'id="enter"' not in page.decode()
        with pytest.raises(Refusal) as refused:
            await stranger.enter("Ann")
        assert refused.value.code == "forbidden"


async def test_the_sign_on_says_who_people_are_and_nobody_else_does():
    settings = {
        "behind_proxy": True,
        "public_url": "http://127.0.0.1",
        "sso_header": "X-User",
        "sso_name_header": "X-Name",
    }
    async with Chat(**settings).running() as chat, aiohttp.ClientSession() as session:
        page = {"Host": "127.0.0.1", "Origin": "http://127.0.0.1"}
        signed_on = page | {"X-User": "ann@example.org", "X-Name": "Ann"}
        for _ in range(2):
            async with session.ws_connect(f"{chat.address}/ws", headers=signed_on) as socket:
                await socket.send_str('{"id":1,"do":"hello","v":1}')
                hello = (await socket.receive_json())["ok"]
                assert hello["me"]["name"] == "Ann"
                assert hello["may_create"]
        async with session.ws_connect(f"{chat.address}/ws", headers=page) as socket:
            await socket.receive()
            assert socket.close_code == 4401
        body = {"name": "Bob", "colour": "blue"}
        async with session.post(f"{chat.address}/enter", json=body, headers=page) as answer:
            assert answer.status == 403


async def test_an_open_page_learns_which_version_is_served():
    """The version in the page and the one a connection is told are the same; another one means that it is old."""
    async with Chat().running() as chat, aiohttp.ClientSession() as session:
        async with session.post(
            f"{chat.address}/enter", json={"name": "Ann", "colour": "blue"}, headers={"Origin": chat.address}
        ) as entered:
            cookie = entered.cookies["aside_guest"].value
        headers = {"Cookie": f"aside_guest={cookie}", "Origin": chat.address}
        async with session.get(f"{chat.address}/", headers=headers) as page:
            shown = re.search(r'data-version="([^"]+)"', await page.text())
        async with session.ws_connect(f"{chat.address}/ws", headers=headers) as socket:
            await socket.send_str('{"id":1,"do":"hello","v":1}')
            assert shown
            assert (await socket.receive_json())["ok"]["version"] == shown[1]


async def test_it_says_that_it_lives(browser):
    answer, body = await get(browser, "/healthz")
    assert (answer.status, body) == (200, b'{"live": true}')
