// Completing a mention after "@": the assistant first, then the people of the room.

import { byId, el, fill, unseen } from "./dom.js";
import { avatar } from "./faces.js";

const MOST = 8;
const BEFORE_CURSOR = /(?:^|[\s([{"'])@([\p{L}\p{N}_.'-]*)$/u;

export class Completion {
  #options = [];
  #chosen = 0;
  #people = new Map();

  constructor(field, chat) {
    Object.assign(this, { field, chat });
    this.list = byId("completion");
    field.addEventListener("input", () => this.#look());
    field.addEventListener("click", () => this.#look());
    // A press on the list takes the focus for a moment.
    field.addEventListener("blur", () => setTimeout(() => document.activeElement !== field && this.close(), 150));
    chat.on("opened", () => this.close());
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** Use a key for the list. Returns whether it was used. */
  key(event) {
    if (!this.isOpen) return false;
    const steps = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key in steps) this.#choose((this.#chosen + steps[event.key] + this.#options.length) % this.#options.length);
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") this.#take(this.#options[this.#chosen]);
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  close() {
    this.list.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }

  #look() {
    const asked = this.#asked();
    if (asked === null) return this.close();
    this.#loadAll();
    this.#options = this.#matching(asked);
    if (!this.#options.length) return this.close();
    fill(this.list, this.#options.map((person, index) => this.#option(person, index)));
    this.list.hidden = false;
    this.#choose(0);
  }

  /** What stands between the "@" and the cursor, or null. */
  #asked() {
    const { room, here } = this.chat;
    if (!room || !here || this.field.selectionStart !== this.field.selectionEnd) return null;
    const before = this.field.value.slice(Math.max(0, this.field.selectionStart - 64), this.field.selectionStart);
    return before.match(BEFORE_CURSOR)?.[1] ?? null;
  }

  #matching(asked) {
    const { me, assistant } = this.chat.store;
    const here = this.chat.here;
    const others = [...(this.#people.get(here.id) ?? here.members)].filter((member) => member.id !== me.id);
    const all = [{ id: "", name: assistant.name, isAssistant: true }, ...others];
    const folded = fold(asked);
    const words = (name) => [fold(name), ...fold(name).split(/\s+/u)];
    return all.filter((person) => words(person.name).some((word) => word.startsWith(folded))).slice(0, MOST);
  }

  #option(person, index) {
    const take = (event) => {
      event.preventDefault();
      this.#take(person);
    };
    return el("li", { role: "option", id: `option-${index}`, on: { mousedown: take } },
      avatar(person), el("bdi", {}, person.name), person.isAssistant ? [el("span", { class: "badge" }, "AI"), unseen("the assistant")] : null);
  }

  #choose(index) {
    this.#chosen = index;
    [...this.list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    this.list.children[index].scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", `option-${index}`);
  }

  #take(person) {
    const end = this.field.selectionStart;
    const start = end - this.#asked().length - 1;
    this.field.setRangeText(`@${person.name} `, start, end, "end");
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
    this.close();
  }

  /** A large room tells its first members only: ask once for the rest. */
  async #loadAll() {
    const here = this.chat.here;
    if (here.member_count <= here.members.length || this.#people.has(here.id)) return;
    this.#people.set(here.id, here.members);
    const people = [];
    for (let after, more = true; more; after = people.at(-1)?.id) {
      const page = await this.chat.ask("members", { room: here.id, after }).catch(() => ({ members: [], more: false }));
      people.push(...page.members);
      more = page.more && page.members.length > 0;
    }
    if (people.length) this.#people.set(here.id, people);
    if (this.chat.room === here.id && document.activeElement === this.field) this.#look();
  }
}

function fold(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();
}
