// About the open room: who is in it, and what one can do with it.

import { toast } from "../announce.js";
import { confirmDialog } from "../dialogs/confirm.js";
import { titleDialog } from "../dialogs/group.js";
import { inviteDialog } from "../dialogs/invite.js";
import { byId, el, fill, icon, iconButton, unseen } from "../dom.js";
import { avatar, roomFace } from "../faces.js";

export class Panel {
  #more = [];
  #hasMore = null;
  #shownFor = null;

  constructor(chat, route) {
    Object.assign(this, { chat, store: chat.store, route });
    this.panel = byId("panel");
    for (const id of ["room-info", "room-face"]) byId(id).addEventListener("click", () => this.toggle());
    byId("room-invite").addEventListener("click", () => inviteDialog(chat, chat.here));
    chat.on("opened", () => this.close());
    for (const kind of ["room", "presence"]) this.store.on(kind, (id) => id === this.#shownFor && this.#draw());
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
      byId("room-info").focus();
    });
  }

  toggle() {
    if (this.#shownFor) return this.close();
    this.#shownFor = this.chat.room;
    this.#more = [];
    this.#hasMore = null;
    this.panel.hidden = false;
    byId("app").classList.add("with-panel");
    byId("room-info").setAttribute("aria-expanded", "true");
    this.#draw();
    this.panel.querySelector("button").focus({ preventScroll: true });
  }

  close() {
    this.#shownFor = null;
    this.panel.hidden = true;
    byId("app").classList.remove("with-panel");
    byId("room-info").setAttribute("aria-expanded", "false");
  }

  #draw() {
    const room = this.chat.here;
    if (!room) return this.close();
    const focused = this.panel.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const face = roomFace(room, this.store.me, this.store.assistant);
    fill(this.panel,
      el("header", { class: "pane-head" }, el("h2", { class: "pane-title" }, "About this chat"), iconButton("close", "Close", () => this.close(), { class: "round", data: { key: "close" } })),
      el("div", { class: "panel-body" },
        el("div", { class: "panel-face" }, avatar(face), el("h3", { dir: "auto" }, face.name)),
        el("div", { class: "panel-acts" }, this.#acts(room)),
        room.kind === "direct" ? null : this.#members(room),
        this.store.intro ? el("div", { class: "panel-note" }, el("h4", {}, `What @${this.store.assistant.name} sees and keeps`), el("p", {}, words(this.store.intro.sees)), el("p", {}, words(this.store.intro.keeps))) : null));
    if (focused) this.panel.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  #acts(room) {
    const act = (drawing, label, click, isDangerous = false) => el("button", { type: "button", class: isDangerous ? "act danger" : "act", data: { key: drawing }, on: { click } }, icon(drawing), el("span", {}, label));
    return [
      room.kind === "group" && act("invite", "Invite people", () => inviteDialog(this.chat, room)),
      room.kind === "group" && act("edit", "Name this chat", () => titleDialog(this.chat, room)),
      act(room.muted ? "bell" : "mute", room.muted ? "Unmute" : "Mute", () => this.#mute(room)),
      room.kind !== "direct" && act("leave", "Leave", () => this.#leave(room), true),
    ].filter(Boolean);
  }

  #members(room) {
    const known = new Set(room.members.map((member) => member.id));
    const people = [...room.members, ...this.#more.filter((member) => !known.has(member.id))];
    const isMore = this.#hasMore ?? room.member_count > room.members.length;
    const here = (person) => (room.online.has(person.id) || person.id === this.store.me.id ? 0 : 1);
    people.sort((one, other) => here(one) - here(other));
    return el("section", { class: "members", "aria-label": "Members" },
      el("h4", {}, `${room.member_count} ${room.member_count === 1 ? "person" : "people"}`),
      el("ul", {},
        el("li", { class: "member" }, avatar({ id: "", name: this.store.assistant.name, isAssistant: true }), el("span", { class: "member-name" }, this.store.assistant.name), el("span", { class: "badge" }, "AI")),
        people.map((person) => this.#member(room, person))),
      isMore ? el("button", { type: "button", class: "link", data: { key: "more" }, on: { click: () => this.#loadMore(room) } }, "Show more people") : null);
  }

  #member(room, person) {
    const isMe = person.id === this.store.me.id;
    const isOnline = isMe || room.online.has(person.id);
    return el("li", { class: "member" },
      avatar({ ...person, isOnline }),
      el("bdi", { class: "member-name" }, person.name),
      isMe ? el("span", { class: "member-note" }, "you") : isOnline ? unseen("online") : null,
      isMe || room.kind === "pair" ? null : iconButton("chat", `Write to ${person.name}`, () => this.#pair(person), { data: { key: `pair-${person.id}` } }));
  }

  async #loadMore(room) {
    // The pages go by id, the room's first members by when they came: so the pages begin at the beginning.
    const page = await this.chat.attempt("members", { room: room.id, after: this.#more.at(-1)?.id });
    if (!page || this.#shownFor !== room.id) return;
    this.#more.push(...page.members);
    this.#hasMore = Boolean(page.more);
    this.#draw();
  }

  async #pair(person) {
    const room = await this.chat.attempt("pair", { person: person.id });
    if (!room) return;
    this.store.putRoom(room);
    this.route.open(room.id);
  }

  async #mute(room) {
    const done = await this.chat.attempt("mute", { room: room.id, on: !room.muted });
    if (done) toast(room.muted ? "This chat counts its unread messages again." : "This chat is quiet now.");
  }

  async #leave(room) {
    const face = roomFace(room, this.store.me, this.store.assistant);
    const isSure = await confirmDialog({ title: `Leave ${face.name}?`, text: "You see nothing of it any more. To come back you need an invitation.", yes: "Leave", isDangerous: true });
    if (isSure && (await this.chat.attempt("leave", { room: room.id }))) this.store.forgetRoom(room.id);
  }
}

function words(text) {
  return Array.isArray(text) ? text.join(" ") : text;
}
