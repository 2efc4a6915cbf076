// The head of the open room, who types in it, and how the engine and the connection fare.

import { byId, fill } from "../dom.js";
import { apart, avatar, otherOf, roomFace } from "../faces.js";

const SLOW_TO_TELL_MS = 1200;

export class RoomHead {
  #linkTimer = 0;

  constructor(chat) {
    Object.assign(this, { chat, store: chat.store });
    chat.on("opened", () => this.draw());
    for (const kind of ["room", "presence"]) this.store.on(kind, (id) => id === chat.room && this.draw());
    this.store.on("typing", (id) => id === chat.room && this.#drawTyping());
    this.store.on("live", ({ room }) => room === chat.room && this.#drawTyping());
    this.store.on("engine", () => this.#drawEngine());
    this.store.on("bye", (text) => { this.bye = text; });
    chat.connection.on("state", (state) => this.#drawLink(state));
    window.addEventListener("offline", () => this.#drawLink("waiting"));
  }

  draw() {
    const room = this.chat.here;
    if (!room) return;
    const face = roomFace(room, this.store.me, this.store.assistant);
    fill(byId("room-title"), face.name);
    byId("room-avatar").replaceWith(Object.assign(avatar(face), { id: "room-avatar" }));
    byId("room-sub").textContent = this.#about(room);
    byId("room-invite").hidden = room.kind !== "group";
    byId("room-face").setAttribute("aria-label", `${face.name}: about this chat`);
    this.#drawTyping();
    this.#drawEngine();
  }

  #about(room) {
    if (room.kind === "direct") return this.store.engine.ready ? "Your AI assistant" : "Your AI assistant, getting ready";
    if (room.kind === "pair") {
      const other = otherOf(room, this.store.me);
      return other && room.online.has(other.id) ? "online" : "not here now";
    }
    const people = `${room.member_count} ${room.member_count === 1 ? "person" : "people"}`;
    return room.online.size > 1 ? `${people}, ${room.online.size} online` : people;
  }

  #drawTyping() {
    const names = this.store.typists(this.chat.room);
    byId("typing").textContent = typingSentence(names);
  }

  #drawEngine() {
    const { ready, text, share } = this.store.engine;
    byId("engine").hidden = ready;
    if (ready) return;
    const sentence = `${this.store.assistant.name} is getting ready${text ? `: ${text}` : ""}. Ask now, and it answers as soon as it can.`;
    if (byId("engine-text").textContent !== sentence) byId("engine-text").textContent = sentence;
    const isKnown = typeof share === "number";
    byId("engine-share").hidden = !isKnown;
    if (isKnown) byId("engine-share").value = share;
  }

  /** A blink of the connection is nobody's concern; a longer loss is told. */
  #drawLink(state) {
    const line = byId("link-state");
    if (state === "open") {
      clearTimeout(this.#linkTimer);
      this.#linkTimer = 0;
      line.hidden = true;
      this.bye = "";
    } else if (!line.hidden) this.#tellLink();
    // The tries come and go; the loss began with the first of them.
    else this.#linkTimer ||= setTimeout(() => this.#tellLink(), SLOW_TO_TELL_MS);
  }

  #tellLink() {
    const text = navigator.onLine ? this.bye || "Connecting…" : "You are offline. What you write is kept, and sent when you are back.";
    const line = byId("link-state");
    if (line.textContent !== text) line.textContent = text;
    line.hidden = false;
  }
}

function typingSentence(names) {
  if (!names.length) return "";
  if (names.length === 1) return `${apart(names[0])} is typing…`;
  if (names.length === 2) return `${apart(names[0])} and ${apart(names[1])} are typing…`;
  return "Several people are typing…";
}
