// What a person can do, and keeping in touch with the server: joins the connection, the store and the outbox.

import { Emitter } from "./emitter.js";

/** The server closes so where the cookie names nobody any more. */
const NOT_IN = 4401;
const PAGE = 60;
const LONG_PAGE = 100;
const READ_MS = 1000;
const TYPING_EVERY_MS = 3000;

/** Emits: opened (room id or null), outbox (room id), paged (room id), problem (sentence), barred. */
export class Chat extends Emitter {
  room = null;
  #loading = new Map();
  #isSending = false;
  #readAt = new Map();
  #readTimer = 0;
  #typedAt = 0;

  constructor({ connection, store, outbox }) {
    super();
    Object.assign(this, { connection, store, outbox });
    connection.on("open", () => this.#hello());
    connection.on("event", (event) => this.#event(event));
    connection.on("lost", (code) => code === NOT_IN && this.emit("barred"));
    store.on("reset", (id) => id === this.room && this.loadLatest(id));
    store.on("gone", (id) => id === this.room && this.open(null));
  }

  get here() {
    return this.room ? this.store.rooms.get(this.room) ?? null : null;
  }

  /** Show a room, or none. */
  open(id) {
    const known = id && this.store.rooms.has(id) ? id : null;
    if (known === this.room) return;
    this.room = known;
    this.emit("opened", known);
    if (known) this.loadLatest(known);
  }

  ask(what, details) {
    return this.connection.ask(what, details);
  }

  /** Ask, and tell the person where that fails; answers null then. */
  async attempt(what, details) {
    try {
      return await this.ask(what, details);
    } catch (refusal) {
      this.emit("problem", refusal.message);
      return null;
    }
  }

  async loadLatest(id) {
    if (this.store.log(id).isLoaded) return;
    const unread = this.store.rooms.get(id)?.unread ?? 0;
    await this.#page(id, { limit: Math.min(LONG_PAGE, Math.max(PAGE, unread + 20)) });
  }

  /** Load the page before what is loaded. Resolves when it is folded in. */
  async loadOlder(id, limit = PAGE) {
    const log = this.store.log(id);
    if (log.isLoaded && log.hasMore) await this.#page(id, { before: log.floor ?? undefined, limit });
  }

  /** Load back until a position is there; for a hit of a search or a quote far above. */
  async loadBackTo(id, pos) {
    const log = this.store.log(id);
    await this.loadLatest(id);
    while (log.hasMore && log.floor !== null && log.floor > pos) {
      const floor = log.floor;
      await this.loadOlder(id, LONG_PAGE);
      if (log.floor === floor) return;
    }
  }

  say(text, replyTo) {
    const item = this.outbox.put(this.room, text, replyTo, this.store.me.id);
    this.emit("outbox", item.room);
    this.sendOwed();
  }

  sendAgain(clientId) {
    const item = this.outbox.get(clientId);
    if (!item) return;
    Object.assign(item, { state: "sending", problem: "" });
    this.emit("outbox", item.room);
    this.connection.hurry();
    this.sendOwed();
  }

  discard(clientId) {
    const item = this.outbox.take(clientId);
    if (item) this.emit("outbox", item.room);
    return item;
  }

  /** Send what is owed, one after the other so that the order stays. */
  async sendOwed() {
    if (this.#isSending) return;
    this.#isSending = true;
    try {
      for (let item = this.#nextOwed(); item; item = this.#nextOwed()) {
        if (!(await this.#send(item))) break;
      }
    } finally {
      this.#isSending = false;
    }
  }

  /** Everything up to a position was seen; the server is told of the last of several. */
  read(id, pos) {
    const room = this.store.rooms.get(id);
    if (!room || pos <= room.read_pos) return;
    this.store.readUpTo(id, pos);
    this.#readAt.set(id, pos);
    this.#readTimer ||= setTimeout(() => this.#tellRead(), READ_MS);
  }

  typing() {
    if (Date.now() - this.#typedAt < TYPING_EVERY_MS || this.connection.state !== "open" || !this.room) return;
    this.#typedAt = Date.now();
    this.ask("typing", { room: this.room }).catch(() => {});
  }

  async #hello() {
    try {
      const ok = await this.ask("hello", { v: 1, cursors: this.store.cursors });
      this.store.hello(ok);
      this.connection.ready();
      this.emit("hello", ok);
      if (this.room) this.loadLatest(this.room);
      this.sendOwed();
    } catch (refusal) {
      if (refusal.code === "forbidden" || refusal.code === "not_found") this.emit("barred");
      else this.connection.again();
    }
  }

  #event(event) {
    this.store.apply(event);
    if (event.event === "entries" && this.outbox.in(event.room).length) this.#landed(event.room);
  }

  async #page(id, details) {
    if (this.#loading.has(id)) return this.#loading.get(id);
    const work = this.#fetch(id, details).finally(() => this.#loading.delete(id));
    this.#loading.set(id, work);
    return work;
  }

  async #fetch(id, details) {
    const isFirst = !this.store.log(id).isLoaded;
    if (isFirst) this.store.loading(id, true);
    try {
      const page = await this.ask("history", { room: id, ...details });
      if (this.store.rooms.has(id)) this.store.page(id, page);
    } catch (refusal) {
      if (isFirst) this.store.loading(id, false);
      if (refusal.code === "slow_down") await pause(refusal.retryS);
      else if (!refusal.isPassing) this.emit("problem", refusal.message);
    }
    this.emit("paged", id);
  }

  #nextOwed() {
    return this.outbox.owed.find((item) => item.state === "sending");
  }

  /** Send one message. Returns false where there is no use in sending the next one now. */
  async #send(item) {
    try {
      const { ref } = await this.ask("say", {
        room: item.room, client_id: item.client_id, text: item.text, reply_to: item.reply_to ?? undefined,
      });
      Object.assign(item, { state: "sent", ref });
      this.#landed(item.room);
      return true;
    } catch (refusal) {
      if (refusal.code === "slow_down") {
        await pause(refusal.retryS);
        return true;
      }
      if (refusal.code === "offline") return false;
      Object.assign(item, { state: "failed", problem: refusal.message });
      this.emit("outbox", item.room);
      return true;
    }
  }

  /** Let go of what the log shows by now. */
  #landed(id) {
    const log = this.store.log(id);
    // The entry may come before the answer that names it; the server names it so.
    const named = (item) => item.ref ?? `said:${item.by}:${item.client_id}`;
    const isThere = (item) => log.get(named(item)) || (item.state === "sent" && !log.isLoaded);
    for (const item of this.outbox.in(id)) if (isThere(item)) this.outbox.take(item.client_id);
    this.emit("outbox", id);
  }

  #tellRead() {
    this.#readTimer = 0;
    for (const [room, pos] of this.#readAt) {
      this.ask("read", { room, pos }).catch(() => {});
    }
    this.#readAt.clear();
  }
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, Math.min(60, Math.max(0.5, seconds ?? 2)) * 1000));
}
