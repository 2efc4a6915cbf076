// Writing: the field that grows, drafts that stay, replying, editing, and what is too long.

import { byId, el, fill, icon, iconButton } from "./dom.js";
import { Completion } from "./completion.js";
import { tooLong } from "./limit.js";
import { nameOf, preview } from "./view/message.js";
import { forget, keep, recall } from "./storage.js";

const DRAFT_MS = 300;

export class Composer {
  replyTo = null;
  editing = null;
  #draftTimer = 0;

  constructor(chat, conversation) {
    Object.assign(this, { chat, conversation });
    this.field = byId("composer-text");
    this.completion = new Completion(this.field, chat);
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.field.addEventListener("input", () => this.#changed());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    chat.on("opened", (id) => id && this.#open());
    conversation.onTakenBack = (text) => this.insert(text);
  }

  get text() {
    return this.field.value;
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Reply to a message. */
  reply(message) {
    this.editing = null;
    this.replyTo = message.ref;
    this.#showQuoting(message, `Replying to ${message.by === this.chat.store.me.id ? "yourself" : nameOf(message, this.conversation.world)}`);
    this.focus();
  }

  /** Edit one's own message in the field. */
  edit(message) {
    this.#keepDraft();
    this.replyTo = null;
    this.editing = message.ref;
    this.#showQuoting(message, "Editing your message");
    this.#put(message.text);
    this.focus();
  }

  /** Leave replying or editing. Returns whether there was anything to leave. */
  cancel() {
    if (!this.replyTo && !this.editing) return false;
    const wasEditing = this.editing;
    this.replyTo = this.editing = null;
    fill(byId("quoting"));
    byId("quoting").hidden = true;
    if (wasEditing) this.#put(recall(this.#draftKey, ""));
    return true;
  }

  /** Put a text back, behind what is written already. */
  insert(text) {
    this.#put(this.text ? `${this.text}\n${text}` : text);
    this.focus();
  }

  async submit() {
    const text = this.text.trim();
    if (!text || this.#isTooLong()) return this.focus();
    if (this.editing) return this.#saveEdit(text);
    const replyTo = this.replyTo;
    this.cancel();
    this.#put("");
    forget(this.#draftKey);
    this.conversation.answered();
    this.chat.say(text, replyTo);
    this.conversation.toNewest();
    this.focus();
  }

  async #saveEdit(text) {
    const { ref } = this.conversation.log.get(this.editing) ?? {};
    const clientId = this.editId ??= crypto.getRandomValues(new Uint32Array(3)).join("-");
    const done = ref && (await this.chat.attempt("edit", { room: this.chat.room, ref, client_id: clientId, text }));
    if (!done) return;
    this.editId = null;
    this.cancel();
  }

  #open() {
    this.replyTo = this.editing = null;
    byId("quoting").hidden = true;
    this.#put(recall(this.#draftKey, ""));
    const face = this.chat.here;
    const name = this.chat.store.assistant.name;
    this.field.placeholder = face.kind === "direct" ? `Ask ${name}` : `Message, or @${name}`;
  }

  get #draftKey() {
    return `aside.draft.${this.chat.store.me.id}.${this.chat.room}`;
  }

  #put(text) {
    this.field.value = text;
    this.#fit();
    this.#warn();
  }

  #changed() {
    this.#fit();
    this.#warn();
    if (this.text.trim() && !this.editing) this.chat.typing();
    clearTimeout(this.#draftTimer);
    this.#draftTimer = setTimeout(() => this.#keepDraft(), DRAFT_MS);
  }

  #keepDraft() {
    if (this.editing || !this.chat.room) return;
    if (this.text) keep(this.#draftKey, this.text);
    else forget(this.#draftKey);
  }

  #fit() {
    this.field.style.setProperty("height", "auto");
    // A field that is not on the screen has no height yet: it keeps its one line.
    if (this.field.scrollHeight) this.field.style.setProperty("height", `${this.field.scrollHeight}px`);
    byId("send").classList.toggle("ready", Boolean(this.text.trim()));
  }

  #isTooLong() {
    return tooLong(this.text.trim(), this.chat.store.limits.text) !== null;
  }

  #warn() {
    const problem = tooLong(this.text, this.chat.store.limits.text);
    byId("composer-problem").hidden = !problem;
    if (byId("composer-problem").textContent !== (problem ?? "")) byId("composer-problem").textContent = problem ?? "";
    byId("send").disabled = Boolean(problem);
    if (problem) this.field.setAttribute("aria-invalid", "true");
    else this.field.removeAttribute("aria-invalid");
  }

  #showQuoting(message, title) {
    fill(byId("quoting"),
      icon(this.editing ? "edit" : "reply"),
      el("div", { class: "quoting-what" }, el("b", {}, title), el("span", { dir: "auto" }, preview(message))),
      iconButton("close", "Leave this", () => { this.cancel(); this.focus(); }));
    byId("quoting").hidden = false;
  }

  #key(event) {
    if (event.isComposing || this.completion.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && !isTouch()) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape" && this.cancel()) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "ArrowUp" && !this.text) {
      const own = this.conversation.log.messages.findLast((message) => message.kind === "said" && message.by === this.chat.store.me.id && !message.withdrawn);
      if (!own) return;
      event.preventDefault();
      this.edit(own);
    }
  }
}

/** On a phone's keyboard Enter makes a new line, as in every messenger: the button sends. */
function isTouch() {
  return matchMedia("(hover: none) and (pointer: coarse)").matches;
}
