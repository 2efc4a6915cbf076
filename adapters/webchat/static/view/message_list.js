// The messages of one room on the page: a window of some hundreds onto however many are loaded.

import { el } from "../dom.js";
import { messageItem } from "./message.js";

const STEP = 60;
const MOST = 240;

export class MessageList {
  #items = new Map();

  /** `world` answers what messages look like here; `log` holds them. */
  constructor(list) {
    this.list = list;
  }

  /** Show the newest messages of a log. */
  open(log, world) {
    Object.assign(this, { log, world });
    this.end = log.messages.length;
    this.start = Math.max(0, this.end - STEP);
    this.redraw();
  }

  redraw() {
    this.#items.clear();
    this.list.replaceChildren(...this.#made(this.start, this.end));
    this.#rove();
  }

  /** True while the newest message is on the page. */
  get showsNewest() {
    return this.end === this.log.messages.length || !this.log.messages.length;
  }

  get showsOldest() {
    return this.start === 0;
  }

  /** New messages were folded in at the end; show them where the end is on the page. Returns whether it was. */
  appended(count) {
    const isAtEnd = this.end >= this.log.messages.length - count;
    if (!isAtEnd) return false;
    const items = this.#made(this.end, this.log.messages.length);
    this.end = this.log.messages.length;
    this.list.append(...items);
    this.#rove();
    return true;
  }

  /** So many messages were folded in before the first: the window keeps showing the same ones. */
  prepended(count) {
    this.start += count;
    this.end += count;
  }

  /** Show more before the first one, and let go of the last ones where that makes too many. */
  growUp() {
    if (this.start === 0) return false;
    const from = Math.max(0, this.start - STEP);
    const items = this.#made(from, this.start);
    this.start = from;
    this.list.prepend(...items);
    this.redo(this.log.messages[from + items.length]?.ref);
    this.#trimEnd();
    return true;
  }

  growDown() {
    if (this.showsNewest) return false;
    const to = Math.min(this.log.messages.length, this.end + STEP);
    this.list.append(...this.#made(this.end, to));
    this.end = to;
    while (this.end - this.start > MOST) this.#dropAt(this.start++);
    return true;
  }

  /** Keep the page small while one stays at the end. */
  trimStart() {
    while (this.end - this.start > MOST) this.#dropAt(this.start++);
  }

  /** Draw one message anew, if it is on the page. */
  redo(ref) {
    const item = this.#items.get(ref);
    if (!item) return;
    const index = this.log.indexOf(ref);
    const fresh = this.#make(index);
    const isFocused = item.contains(document.activeElement);
    fresh.tabIndex = item.tabIndex;
    item.replaceWith(fresh);
    if (isFocused) fresh.focus({ preventScroll: true });
  }

  /** Draw a message anew and all that quote it. */
  changed(refs) {
    const names = new Set(refs);
    for (const message of this.log.messages.slice(this.start, this.end)) {
      if (names.has(message.ref) || names.has(message.reply_to)) this.redo(message.ref);
    }
  }

  /** Bring a loaded message onto the page. Returns its item, or null. */
  reveal(ref) {
    const index = this.log.indexOf(ref);
    if (index < 0) return null;
    if (index < this.start || index >= this.end) {
      this.start = Math.max(0, index - STEP / 2);
      this.end = Math.min(this.log.messages.length, index + STEP);
      this.redraw();
    }
    return this.#items.get(ref) ?? null;
  }

  item(ref) {
    return this.#items.get(ref) ?? null;
  }

  #made(from, to) {
    const made = [];
    for (let index = from; index < to; index += 1) made.push(this.#make(index));
    return made;
  }

  #make(index) {
    const message = this.log.messages[index];
    let item;
    try {
      item = messageItem(message, this.log.messages[index - 1] ?? null, this.world);
    } catch {
      // One message that cannot be drawn must not take the others with it.
      item = el("li", { class: "message event", data: { ref: message.ref }, tabindex: "-1" }, el("p", { class: "happened" }, "This message cannot be shown here"));
    }
    this.#items.set(message.ref, item);
    return item;
  }

  /** The Tab key reaches one message: the newest, unless the focus is on another. */
  #rove() {
    const current = this.list.querySelector('.message[tabindex="0"]');
    if (current?.contains(document.activeElement)) return;
    if (current) current.tabIndex = -1;
    if (this.list.lastElementChild) this.list.lastElementChild.tabIndex = 0;
  }

  #trimEnd() {
    while (this.end - this.start > MOST) this.#dropAt(--this.end);
  }

  #dropAt(index) {
    const { ref } = this.log.messages[index];
    this.#items.get(ref)?.remove();
    this.#items.delete(ref);
  }
}
