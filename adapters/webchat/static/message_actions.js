// What one can do with a message: by its buttons, by a menu (right button, long press, keyboard).

import { toast } from "./announce.js";
import { copyText } from "./clipboard.js";
import { confirmDialog } from "./dialogs/confirm.js";
import { byId, el } from "./dom.js";
import { AT_HAND, MORE } from "./emoji.js";
import { closeMenu, openMenu } from "./menu.js";
import { freshId } from "./storage.js";

const LONG_PRESS_MS = 450;

export class MessageActions {
  constructor(chat, conversation, composer, ratings) {
    Object.assign(this, { chat, conversation, composer, ratings });
    const list = byId("messages");
    list.addEventListener("click", (event) => this.#click(event));
    byId("under-way").addEventListener("click", (event) => this.#click(event));
    list.addEventListener("contextmenu", (event) => this.#contextMenu(event));
    list.addEventListener("dblclick", (event) => this.#doubleClick(event));
    this.#listenForLongPress(list);
  }

  /** Open a message's menu beside its item. */
  menu(ref, at) {
    const message = this.conversation.log.get(ref);
    if (!message || message.kind === "event" || message.withdrawn) return;
    openMenu(this.#items(message), at, { label: "What to do with this message", head: this.#emojiRow(message) });
  }

  #items(message) {
    const isOwn = message.by === this.chat.store.me.id;
    const item = (label, drawing, act, isDangerous = false) => ({ label, drawing, act: () => this.act(act, message), isDangerous });
    return [
      item("Reply", "reply", "reply"),
      item("Copy text", "copy", "copy"),
      message.kind === "sent" && this.#question(message) && item("Ask again", "retry", "retry"),
      message.kind === "sent" && message.purpose === "reply" && item("Good answer", "up", "up"),
      message.kind === "sent" && message.purpose === "reply" && item("Bad answer", "down", "down"),
      isOwn && item("Edit", "edit", "edit"),
      isOwn && item("Delete for everybody", "bin", "withdraw", true),
    ].filter(Boolean);
  }

  /** Do something with a message. */
  async act(what, message) {
    const room = this.chat.room;
    switch (what) {
      case "reply": return this.composer.reply(message);
      case "edit": return this.composer.edit(message);
      case "copy": return toast((await copyText(message.kind === "sent" ? message.markdown : message.text)) ? "Copied" : "The browser does not let this page copy.");
      case "retry": return this.chat.attempt("retry", { room, ref: this.#question(message), client_id: freshId() });
      case "up": case "down": return this.#rate(message, what);
      case "withdraw": return this.#withdraw(message);
      default: return undefined;
    }
  }

  async react(message, emoji) {
    const mine = message.reactions.get(emoji)?.get(this.chat.store.me.id);
    await this.chat.attempt("react", { room: this.chat.room, ref: message.ref, emoji, on: !mine?.on });
  }

  async #rate(message, value) {
    const next = this.ratings.of(message.ref) === value ? "none" : value;
    if (!(await this.chat.attempt("rate", { room: this.chat.room, ref: message.ref, value: next }))) return;
    this.ratings.put(message.ref, next);
    this.conversation.list.redo(message.ref);
    if (next !== "none") toast("Thank you. This helps to make the answers better.");
  }

  async #withdraw(message) {
    const isSure = await confirmDialog({ title: "Delete this message?", text: "It disappears for everybody in this chat.", yes: "Delete", isDangerous: true });
    if (isSure) await this.chat.attempt("withdraw", { room: this.chat.room, ref: message.ref });
  }

  #question(message) {
    return message.answers?.[0] ?? message.reply_to ?? null;
  }

  #emojiRow(message) {
    const one = (emoji) => el("button", { type: "button", class: "emoji", "aria-label": `React with ${emoji}`, on: { click: () => this.react(message, emoji) } }, emoji);
    const more = el("button", { type: "button", class: "emoji more", "aria-label": "More reactions", "aria-expanded": "false" }, "+");
    const row = el("div", { class: "emoji-row", role: "group", "aria-label": "Reactions" }, AT_HAND.map(one), more);
    more.addEventListener("click", (event) => {
      event.stopPropagation();
      row.classList.add("all");
      row.replaceChildren(...MORE.map(one));
      row.firstElementChild.focus();
    });
    return row;
  }

  #click(event) {
    const button = event.target.closest("[data-act]");
    const ref = button?.closest(".message")?.dataset.ref;
    if (!button) return;
    if (button.dataset.act === "jump") return void this.conversation.goTo(button.dataset.target);
    const message = this.conversation.log.get(ref);
    if (!message) return;
    if (button.dataset.act === "react") this.react(message, button.dataset.emoji);
    else if (button.dataset.act === "emoji" || button.dataset.act === "menu") this.menu(ref, button);
    else this.act(button.dataset.act, message);
  }

  #doubleClick(event) {
    const item = event.target.closest(".message");
    if (!item || event.target.closest("button, a, .content, pre")) return;
    const message = this.conversation.log.get(item.dataset.ref);
    if (message && message.kind !== "event" && !message.withdrawn) this.composer.reply(message);
  }

  #contextMenu(event) {
    const item = event.target.closest(".message");
    // A selection or a link has the browser's own menu.
    if (!item || event.target.closest("a") || String(getSelection())) return;
    event.preventDefault();
    this.menu(item.dataset.ref, { x: event.clientX, y: event.clientY });
  }

  #listenForLongPress(list) {
    let timer = 0;
    const give = () => clearTimeout(timer);
    list.addEventListener("touchstart", (event) => {
      const item = event.target.closest(".message");
      const [touch] = event.touches;
      give();
      if (!item || event.touches.length > 1) return;
      timer = setTimeout(() => {
        closeMenu();
        navigator.vibrate?.(10);
        this.menu(item.dataset.ref, { x: touch.clientX, y: touch.clientY });
      }, LONG_PRESS_MS);
    }, { passive: true });
    for (const kind of ["touchend", "touchmove", "touchcancel"]) list.addEventListener(kind, give, { passive: true });
  }
}
