// What was written and is not known to have arrived. One stored item a message, so that five tabs never overwrite
// each other's; sending one twice is harmless, because the server knows its client id.

import { forget, freshId, keep, keysOf, recall } from "./storage.js";

const STALE_MS = 7 * 24 * 3600 * 1000;

export class Outbox {
  #items = new Map();

  constructor(person) {
    this.prefix = `aside.out.${person}.`;
    for (const key of keysOf(this.prefix)) this.#restore(key);
  }

  /** Write a message down before it is sent. */
  put(room, text, replyTo, by) {
    const item = { room, text, reply_to: replyTo, client_id: freshId(), at: Date.now(), by };
    keep(this.prefix + item.client_id, item);
    const held = { ...item, state: "sending", problem: "" };
    this.#items.set(item.client_id, held);
    return held;
  }

  take(clientId) {
    forget(this.prefix + clientId);
    const item = this.#items.get(clientId);
    this.#items.delete(clientId);
    return item ?? null;
  }

  get(clientId) {
    return this.#items.get(clientId) ?? null;
  }

  in(room) {
    return [...this.#items.values()].filter((item) => item.room === room);
  }

  /** What to send as soon as there is a connection, oldest first. */
  get owed() {
    return [...this.#items.values()].filter((item) => item.state !== "failed").sort((one, other) => one.at - other.at);
  }

  #restore(key) {
    const item = recall(key);
    if (!item || typeof item.text !== "string" || Date.now() - item.at > STALE_MS) return forget(key);
    this.#items.set(item.client_id, { ...item, state: "sending", problem: "" });
  }
}
