// The keyboard: through messages and chats, and to the places one needs often.

import { byId } from "./dom.js";
import { shortcutsDialog } from "./dialogs/shortcuts.js";

export class Keys {
  constructor({ chat, conversation, composer, actions, search, rooms, route }) {
    Object.assign(this, { chat, conversation, composer, actions, search, rooms, route });
    document.addEventListener("keydown", (event) => this.#anywhere(event));
    byId("messages").addEventListener("keydown", (event) => this.#onMessage(event));
    byId("messages").addEventListener("focusin", (event) => this.#rove(event.target.closest(".message")));
    byId("log").addEventListener("focus", () => this.toMessages());
  }

  /** Put the focus on the newest message, or on the one that had it. */
  toMessages() {
    const items = this.#items;
    (items.find((item) => item.tabIndex === 0) ?? items.at(-1))?.focus();
  }

  get #items() {
    return [...byId("messages").querySelectorAll(".message")];
  }

  #anywhere(event) {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const isWriting = event.target.matches?.("input, textarea, select");
    if (event.key === "?" && !isWriting) shortcutsDialog();
    else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) this.#toSearch();
    else if (event.altKey && event.key.toLowerCase() === "m") this.#swap();
    else if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) this.#step(event.key === "ArrowUp" ? -1 : 1);
    else if (event.key === "Escape" && this.chat.room) this.composer.cancel() || this.composer.focus();
    else if (isWriting || event.ctrlKey || event.metaKey || event.altKey || !this.#isTyped(event)) return;
    // Typing on the page is writing, as in every messenger.
    else return this.composer.focus();
    event.preventDefault();
  }

  #isTyped(event) {
    return this.chat.room && event.key.length === 1 && event.key !== " " && !event.target.closest?.(".message, .menu, .panel, button, a");
  }

  #toSearch() {
    if (byId("app").dataset.pane === "room" && matchMedia("(max-width: 47.99rem)").matches) this.route.back();
    this.search.focus();
  }

  #swap() {
    if (byId("messages").contains(document.activeElement)) this.composer.focus();
    else this.toMessages();
  }

  #step(by) {
    const rooms = this.rooms.order;
    const at = rooms.findIndex((room) => room.id === this.chat.room);
    const next = rooms[Math.max(0, Math.min(rooms.length - 1, at + by))];
    if (next) this.route.open(next.id);
  }

  #onMessage(event) {
    const item = event.target.closest(".message");
    if (!item || event.target !== item) return;
    const items = this.#items;
    const at = items.indexOf(item);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0 }[event.key];
    if (to !== undefined && !event.altKey) (items[Math.max(0, to)] ?? this.composer).focus();
    else if (event.key === "End") this.#newest();
    else if (event.key === "Enter" || event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) this.actions.menu(item.dataset.ref, item.querySelector(".bubble") ?? item);
    else if (event.key === "r") this.#reply(item);
    else return;
    event.preventDefault();
  }

  #newest() {
    this.conversation.toNewest();
    this.#items.at(-1)?.focus();
  }

  #reply(item) {
    const message = this.conversation.log.get(item.dataset.ref);
    if (message && message.kind !== "event" && !message.withdrawn) this.composer.reply(message);
  }

  /** One message at a time is in the order of the Tab key. */
  #rove(item) {
    if (!item) return;
    for (const other of byId("messages").querySelectorAll('.message[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
  }
}
