// The list of chats: the assistant first, then whoever spoke last.

import { shortOf, wholeTime } from "../clock.js";
import { byId, el, icon, unseen } from "../dom.js";
import { apart, avatar, roomFace } from "../faces.js";
import { Route } from "../route.js";
import { preview } from "./message.js";

export class RoomList {
  #items = new Map();
  #isDue = false;

  constructor(chat) {
    Object.assign(this, { chat, store: chat.store });
    this.list = byId("room-list");
    for (const kind of ["rooms", "presence", "typing"]) this.store.on(kind, () => this.#drawSoon());
    this.store.on("live", () => this.#drawSoon());
    chat.on("opened", () => this.#drawSoon());
    this.list.addEventListener("keydown", (event) => this.#key(event));
  }

  /** The rooms in the order they are shown. */
  get order() {
    const rank = (room) => (room.kind === "direct" ? 1 : 0);
    const at = (room) => room.last?.at ?? room.created_at ?? "";
    return [...this.store.rooms.values()].sort((one, other) => rank(other) - rank(one) || (at(one) < at(other) ? 1 : at(one) > at(other) ? -1 : 0));
  }

  #drawSoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#draw();
    });
  }

  #draw() {
    const rooms = this.order;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.closest("li")?.dataset.room : null;
    for (const id of [...this.#items.keys()]) if (!this.store.rooms.has(id)) this.#items.delete(id);
    const items = rooms.map((room) => this.#item(room));
    const isSame = items.length === this.list.children.length && items.every((item, index) => item === this.list.children[index]);
    if (!isSame) this.list.replaceChildren(...items);
    if (focused) this.#items.get(focused)?.item.firstChild.focus({ preventScroll: true });
  }

  #item(room) {
    const facts = this.#facts(room);
    const print = JSON.stringify(facts);
    const kept = this.#items.get(room.id);
    if (kept?.print === print) return kept.item;
    const item = el("li", { data: { room: room.id } }, this.#link(room, facts));
    if (kept) kept.item.replaceWith(item);
    this.#items.set(room.id, { item, print });
    return item;
  }

  #facts(room) {
    const face = roomFace(room, this.store.me, this.store.assistant);
    const typists = this.store.typists(room.id);
    const isWriting = this.store.live(room.id).isWriting;
    return {
      face,
      isOpen: this.chat.room === room.id,
      at: room.last?.at ?? null,
      now: isWriting ? `${this.store.assistant.name} is answering` : typists.length ? `${apart(typists[0])} is typing` : null,
      line: room.last ? preview(room.last) : "No messages yet",
      from: this.#speaker(room),
      unread: room.unread,
      muted: room.muted,
      kind: room.kind,
    };
  }

  #speaker(room) {
    const last = room.last;
    if (!last || last.kind === "event" || last.withdrawn) return "";
    if (last.by === this.store.me.id) return "You";
    if (room.kind !== "group") return "";
    return last.kind === "sent" ? this.store.assistant.name : last.name;
  }

  #link(room, { face, isOpen, at, now, line, from, unread, muted }) {
    const count = unread > 99 ? "99+" : String(unread);
    return el("a", { class: "room-link", href: Route.hrefOf(room.id), "aria-current": isOpen ? "page" : null },
      avatar(face),
      el("span", { class: "room-text" },
        el("span", { class: "room-line" },
          el("bdi", { class: "room-name" }, face.name),
          face.isAssistant ? el("span", { class: "badge" }, "AI") : null,
          muted ? el("span", { class: "muted-mark" }, icon("mute"), unseen("muted")) : null,
          face.isOnline ? unseen("online") : null,
          at ? el("time", { datetime: at, title: wholeTime(at) }, shortOf(at)) : null),
        el("span", { class: "room-line" },
          now ? el("span", { class: "room-now", dir: "auto" }, now) : el("span", { class: "room-last" }, from ? `${apart(from)}: ` : "", el("bdi", {}, line)),
          unread ? el("span", { class: `count${muted ? " quiet" : ""}` }, count, unseen(" unread")) : null)));
  }

  #key(event) {
    const links = [...this.list.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (to === undefined || at < 0 || event.altKey) return;
    links[Math.max(0, Math.min(links.length - 1, to))].focus();
    event.preventDefault();
  }
}
