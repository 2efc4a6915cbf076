// What is not in the log yet: the assistant's growing replies, and one's own messages on their way.

import { byId } from "../dom.js";
import { LiveReply } from "./live_reply.js";
import { pendingItem } from "./pending.js";

const LINGER_MS = 8000;

export class UnderWay {
  #lives = new Map();

  /** `world` tells what drawing needs; `takenBack` gets the text of a message that is taken back. */
  constructor(chat, scroller, world, takenBack) {
    Object.assign(this, { chat, store: chat.store, scroller, world, takenBack });
    this.list = byId("under-way");
  }

  /** Forget what another room showed. */
  clear() {
    this.#lives.clear();
    this.list.replaceChildren();
  }

  draw() {
    const actions = { again: (id) => this.chat.sendAgain(id), discard: (id) => this.#discard(id) };
    const isOnline = this.chat.connection.state === "open";
    const world = this.world();
    const pending = this.chat.outbox.in(this.chat.room).map((item) => pendingItem(item, world, actions, isOnline));
    this.scroller.hold(() => {
      this.drawReplies();
      for (const old of this.list.querySelectorAll(".pending")) old.remove();
      this.list.append(...pending);
    });
  }

  /** Show every reply that is under way, and no other. */
  drawReplies() {
    if (!this.chat.room) return;
    const current = this.store.live(this.chat.room).turns;
    for (const turn of [...this.#lives.keys()]) if (!current.has(turn)) this.drop(turn);
    for (const reply of current.values()) this.drawReply(reply);
  }

  drawReply(reply) {
    if (!this.#lives.has(reply.turn)) {
      const live = new LiveReply(reply, this.world(), () => this.chat.attempt("stop", { room: this.chat.room }));
      this.#lives.set(reply.turn, live);
      this.list.insertBefore(live.element, this.list.querySelector(".pending"));
    }
    this.#lives.get(reply.turn).update(reply, this.store.engine);
    if (reply.phase === "ended") this.#letLinger(this.chat.room, reply.turn);
  }

  drop(turn) {
    this.#lives.get(turn)?.element.remove();
    this.#lives.delete(turn);
  }

  /** The stored reply follows at once, as a rule; where it does not, what was shown goes after a while. */
  #letLinger(room, turn) {
    setTimeout(() => {
      this.store.live(room).end(turn);
      if (this.chat.room === room) this.scroller.hold(() => this.drop(turn));
    }, LINGER_MS);
  }

  #discard(clientId) {
    const item = this.chat.discard(clientId);
    if (item) this.takenBack(item.text);
  }
}
