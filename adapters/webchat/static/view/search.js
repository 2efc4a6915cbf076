// Searching in one's rooms, and going to what was found.

import { announce } from "../announce.js";
import { shortOf } from "../clock.js";
import { byId, el, fill } from "../dom.js";
import { avatar, roomFace } from "../faces.js";
import { oneLine, withoutMarks } from "../plain.js";

const WAIT_MS = 300;
const SHORTEST = 2;
const AROUND = 24;

export class Search {
  #timer = 0;
  #asked = "";

  constructor(chat, goTo) {
    Object.assign(this, { chat, store: chat.store, goTo });
    this.field = byId("search");
    this.hits = byId("hits");
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.hits.addEventListener("keydown", (event) => this.#move(event));
  }

  focus() {
    this.field.focus();
    this.field.select();
  }

  #changed() {
    clearTimeout(this.#timer);
    const text = this.field.value.trim();
    if (text.length < SHORTEST) return this.#show(null);
    this.#timer = setTimeout(() => this.#search(text), WAIT_MS);
  }

  async #search(text) {
    this.#asked = text;
    this.#note("Searching…");
    try {
      const { hits } = await this.chat.ask("search", { text });
      if (this.#asked === text && this.field.value.trim() === text) this.#show(hits, text);
    } catch (refusal) {
      this.#note(refusal.message);
    }
  }

  #show(hits, text) {
    byId("room-list").hidden = hits !== null;
    this.hits.hidden = hits === null;
    if (hits === null) return this.#note("");
    fill(this.hits, hits.filter((hit) => this.store.rooms.has(hit.room)).map((hit) => this.#hit(hit, text)));
    const count = this.hits.childElementCount;
    this.#note(count ? "" : "Nothing found.");
    announce(count === 1 ? "One message found" : `${count} messages found`);
  }

  #hit({ room: id, entry }, text) {
    const face = roomFace(this.store.rooms.get(id), this.store.me, this.store.assistant);
    const who = entry.kind === "sent" ? this.store.assistant.name : entry.by === this.store.me.id ? "You" : entry.name;
    const go = () => this.goTo(id, entry.ref, entry.pos);
    return el("li", {}, el("button", { type: "button", class: "room-link", on: { click: go } },
      avatar(face),
      el("span", { class: "room-text" },
        el("span", { class: "room-line" }, el("bdi", { class: "room-name" }, face.name), el("time", { datetime: entry.at }, shortOf(entry.at))),
        el("span", { class: "room-line" }, el("span", { class: "room-last", dir: "auto" }, `${who}: `, marked(entry, text))))));
  }

  #note(text) {
    byId("list-note").textContent = text;
    byId("list-note").hidden = !text;
  }

  #key(event) {
    if (event.key === "Escape" && this.field.value) {
      this.field.value = "";
      this.#show(null);
      event.stopPropagation();
    } else if (event.key === "ArrowDown") {
      (this.hits.hidden ? byId("room-list").querySelector("a") : this.hits.querySelector("button"))?.focus();
      event.preventDefault();
    }
  }

  #move(event) {
    const buttons = [...this.hits.querySelectorAll("button")];
    const to = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") return this.focus();
    if (!to) return;
    const at = buttons.indexOf(document.activeElement) + to;
    (at < 0 ? this.field : buttons[Math.min(at, buttons.length - 1)]).focus();
    event.preventDefault();
  }
}

/** The words around what was found, with it marked. */
function marked(entry, text) {
  const whole = (entry.kind === "sent" ? withoutMarks(entry.markdown ?? "") : entry.text ?? "").replace(/\s+/gu, " ");
  const at = whole.toLocaleLowerCase().indexOf(text.toLocaleLowerCase());
  if (at < 0) return [oneLine(whole)];
  const start = Math.max(0, at - AROUND);
  return [
    start ? "…" : "", whole.slice(start, at), el("mark", {}, whole.slice(at, at + text.length)),
    oneLine(whole.slice(at + text.length, at + text.length + 3 * AROUND), 2 * AROUND),
  ];
}
