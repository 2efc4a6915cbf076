// Puts the page together: every part is made here, and told of the others it needs.

import { toast } from "./announce.js";
import { Chat } from "./chat.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { joinDialog, newGroupDialog } from "./dialogs/group.js";
import { inviteDialog } from "./dialogs/invite.js";
import { profileDialog } from "./dialogs/profile.js";
import { shortcutsDialog } from "./dialogs/shortcuts.js";
import { byId, fill } from "./dom.js";
import { initials, tintOf } from "./faces.js";
import { Keys } from "./keys.js";
import { openMenu } from "./menu.js";
import { MessageActions } from "./message_actions.js";
import { Outbox } from "./outbox.js";
import { Ratings } from "./ratings.js";
import { Route } from "./route.js";
import { Store } from "./store.js";
import { TabTitle } from "./tab_title.js";
import { Conversation } from "./view/conversation.js";
import { Panel } from "./view/panel.js";
import { RoomHead } from "./view/room_head.js";
import { RoomList } from "./view/room_list.js";
import { Search } from "./view/search.js";

const shell = document.body.dataset;
const isNarrow = matchMedia("(max-width: 47.99rem)");

const store = new Store();
store.me = { id: shell.me, name: shell.myName, colour: shell.myColour };
store.assistant = { name: shell.assistant, names: [shell.assistant] };
const connection = new Connection(new URL("/ws", location.href.replace(/^http/, "ws")).href);
const chat = new Chat({ connection, store, outbox: new Outbox(shell.me) });
const route = new Route();
const ratings = new Ratings();
const rooms = new RoomList(chat);
const head = new RoomHead(chat);
const conversation = new Conversation(chat, ratings);
const composer = new Composer(chat, conversation);
const actions = new MessageActions(chat, conversation, composer, ratings);
const panel = new Panel(chat, route);
const search = new Search(chat, goTo);
new Keys({ chat, conversation, composer, actions, search, rooms, route });
new TabTitle(store);

let hasArrived = false;

/** Open a room and go to a message of it. */
async function goTo(room, ref, pos) {
  route.open(room);
  chat.open(room);
  await chat.loadLatest(room);
  await conversation.goTo(ref, pos);
}

function follow() {
  const room = store.rooms.has(route.room) ? route.room : null;
  chat.open(room);
  byId("app").dataset.pane = room ? "room" : "rooms";
  if (room && !isNarrow.matches) composer.focus();
}

async function arrive() {
  if (hasArrived) return follow();
  hasArrived = true;
  const isNewcomer = sessionStorage.getItem("aside.arriving") !== null;
  sessionStorage.removeItem("aside.arriving");
  if (!route.room && (isNewcomer || !isNarrow.matches) && !shell.code) route.replace(firstRoom());
  follow();
  if (shell.code) await acceptInvitation();
}

/** Where a newcomer begins: the room they were invited to, else the chat with the assistant. */
function firstRoom() {
  const order = rooms.order;
  return (order.find((room) => room.kind === "group") ?? order[0])?.id ?? null;
}

async function acceptInvitation() {
  history.replaceState(null, "", "/");
  if (shell.refusal) return toast(shell.refusal, { isProblem: true });
  show(await joinDialog(chat, shell.code, shell.previewTitle));
  if (!chat.room) follow();
}

function show(room) {
  if (!room) return;
  store.putRoom(room);
  route.open(room.id);
  follow();
}

async function newGroup() {
  const room = await newGroupDialog(chat);
  show(room);
  if (room) inviteDialog(chat, store.rooms.get(room.id));
}

function drawMe() {
  byId("me").dataset.tint = tintOf(store.me.id, store.me.colour);
  fill(byId("me"), initials(store.me.name));
}

function toDirect() {
  const direct = rooms.order.find((room) => room.kind === "direct");
  if (direct) route.open(direct.id);
}

byId("me").addEventListener("click", () => profileDialog(chat));
byId("back").addEventListener("click", () => route.back());
byId("new-chat").addEventListener("click", () => openMenu([
  ...(store.mayCreate ? [{ label: "New group", drawing: "people", act: newGroup }] : []),
  { label: `Chat with ${store.assistant.name}`, drawing: "spark", act: toDirect },
  { label: "Keys", drawing: "help", act: shortcutsDialog },
], byId("new-chat"), { label: "New chat" }));

route.on("changed", follow);
chat.on("hello", (ok) => {
  if (ok.version && ok.version !== document.documentElement.dataset.version) toast("There is a newer version of this page. Reload it when it suits you.");
  arrive();
});
chat.on("problem", (text) => toast(text, { isProblem: true }));
chat.on("barred", () => location.reload());
store.on("me", drawMe);
store.on("gone", (id) => route.room === id && route.replace(null));
drawMe();
connection.start();
