// All that this tab knows of the chats, folded from hello and the server's events. No page here; views listen.

import { Emitter } from "./emitter.js";
import { LiveReplies } from "./live.js";
import { RoomLog } from "./log.js";

const TYPING_MS = 6_000;

/** Emits: me, rooms, room (id), gone (id), entries ({room, added, changed, settled}), live ({room, reply}), typing (room),
 *  presence (room), engine, reset (room), bye (text). */
export class Store extends Emitter {
  me = null;
  assistant = { name: "", names: [] };
  rooms = new Map();
  engine = { ready: true, text: "", share: null };
  limits = { text: 20_000, title: 64, name: 32 };
  mayCreate = false;
  intro = null;
  #logs = new Map();
  #lives = new Map();
  #typing = new Map();

  /** Begin, or begin again after a lost connection: what is loaded stays. */
  hello(ok) {
    Object.assign(this, { me: ok.me, assistant: ok.assistant, engine: ok.engine, limits: { ...this.limits, ...ok.limits } });
    this.mayCreate = Boolean(ok.may_create);
    this.intro = ok.intro ?? null;
    const before = new Set(this.rooms.keys());
    this.rooms = new Map(ok.rooms.map((room) => [room.id, withPresence(room)]));
    for (const live of this.#lives.values()) live.clear();
    this.emit("me");
    this.emit("rooms");
    for (const id of this.rooms.keys()) this.emit("room", id);
    for (const id of before) if (!this.rooms.has(id)) this.#gone(id);
    for (const id of this.rooms.keys()) this.emit("live", { room: id, reply: null });
    this.emit("engine");
  }

  /** Fold one server event; one of a kind that this page does not know is left alone. */
  apply(event) {
    const fold = {
      entries: () => this.entries(event.room, event.entries),
      room: () => this.putRoom(event.room),
      gone: () => this.#gone(event.room),
      live: () => this.#live(event),
      typing: () => this.#someoneTypes(event),
      presence: () => this.#presence(event),
      read: () => this.readUpTo(event.room, event.pos),
      engine: () => this.#engine(event),
      reset: () => this.#reset(event.room),
      bye: () => this.emit("bye", event.text ?? ""),
    }[event.event];
    if (fold) fold();
  }

  log(id) {
    if (!this.#logs.has(id)) this.#logs.set(id, new RoomLog());
    return this.#logs.get(id);
  }

  live(id) {
    if (!this.#lives.has(id)) this.#lives.set(id, new LiveReplies());
    return this.#lives.get(id);
  }

  /** Where to go on in each room whose entries are loaded. */
  get cursors() {
    const loaded = [...this.#logs].filter(([, log]) => log.isLoaded);
    return Object.fromEntries(loaded.map(([id, log]) => [id, log.cursor]));
  }

  /** Fold entries that happened just now. */
  entries(id, entries) {
    const settled = entries.filter((entry) => entry.kind === "sent" || entry.kind === "edit").flatMap((entry) => this.#settle(id, entry));
    const log = this.log(id);
    // A log that is not loaded keeps nothing: what would be missed before the next entry would be a hole in it.
    const drawn = log.isLoaded || log.isLoading ? log.add(entries) : { added: [], changed: [] };
    for (const entry of entries) if (entry.by) this.#typing.get(id)?.delete(entry.by);
    this.#preview(id, entries);
    this.emit("entries", { room: id, ...drawn, settled });
    this.emit("typing", id);
  }

  /** Fold a page of history. */
  page(id, { entries, more }) {
    const log = this.log(id);
    log.hasMore = Boolean(more);
    log.isLoaded = true;
    log.isLoading = false;
    return log.add(entries);
  }

  /** A first page is asked for, or could not be had. */
  loading(id, isLoading) {
    if (!isLoading) this.#logs.delete(id);
    else this.log(id).isLoading = true;
  }

  putRoom(room) {
    this.rooms.set(room.id, withPresence(room));
    this.emit("room", room.id);
    this.emit("rooms");
  }

  readUpTo(id, pos) {
    const room = this.rooms.get(id);
    if (!room || pos <= room.read_pos) return;
    room.read_pos = pos;
    room.unread = pos >= room.last_pos ? 0 : this.#unreadBehind(id, pos);
    this.emit("rooms");
  }

  /** Names of the people who type in a room now. */
  typists(id) {
    const now = Date.now();
    return [...(this.#typing.get(id) ?? [])].filter(([, typist]) => typist.until > now).map(([, typist]) => typist.name);
  }

  forgetRoom(id) {
    this.#gone(id);
  }

  #settle(id, entry) {
    const target = entry.kind === "edit" ? this.log(id).get(entry.target) : null;
    return this.live(id).settledBy(target ? { ...target, ...entry } : entry);
  }

  #preview(id, entries) {
    const room = this.rooms.get(id);
    if (!room || !entries.length) return;
    const isNew = (entry) => entry.pos > room.last_pos;
    const told = entries.filter((entry) => ["said", "sent"].includes(entry.kind) && entry.purpose !== "placeholder" && isNew(entry));
    const foreign = told.filter((entry) => entry.by !== this.me.id && entry.pos > room.read_pos);
    room.unread = Math.min(100, room.unread + foreign.length);
    const shown = entries.filter((entry) => ["said", "sent", "event"].includes(entry.kind) && isNew(entry)).at(-1);
    if (shown) room.last = shown;
    for (const entry of entries) {
      if (room.last && entry.target === room.last.ref) room.last = { ...room.last, ...previewOf(entry) };
    }
    room.last_pos = Math.max(room.last_pos, ...entries.map((entry) => entry.pos));
    this.emit("rooms");
  }

  #unreadBehind(id, pos) {
    const isUnread = (message) => message.pos > pos && message.by !== this.me.id && message.kind !== "event";
    return this.log(id).messages.filter(isUnread).length;
  }

  #gone(id) {
    this.rooms.delete(id);
    this.#logs.delete(id);
    this.#lives.delete(id);
    this.emit("gone", id);
    this.emit("rooms");
  }

  #live(event) {
    const reply = this.live(event.room).apply(event);
    if (reply) this.emit("live", { room: event.room, reply });
    this.emit("typing", event.room);
  }

  #someoneTypes({ room, person }) {
    const id = typeof person === "string" ? person : person.id;
    if (id === this.me.id) return;
    const name = person.name ?? this.rooms.get(room)?.members.find((member) => member.id === id)?.name ?? "Somebody";
    if (!this.#typing.has(room)) this.#typing.set(room, new Map());
    this.#typing.get(room).set(id, { name, until: Date.now() + TYPING_MS });
    setTimeout(() => this.emit("typing", room), TYPING_MS + 50);
    this.emit("typing", room);
  }

  #presence({ room: id, online = [], offline = [] }) {
    const room = this.rooms.get(id);
    if (!room) return;
    for (const person of online) room.online.add(person);
    for (const person of offline) room.online.delete(person);
    this.emit("presence", id);
  }

  #engine({ ready, text, share }) {
    this.engine = { ready, text, share };
    this.emit("engine");
  }

  #reset(id) {
    this.#logs.delete(id);
    this.emit("reset", id);
  }
}

function withPresence(room) {
  return { ...room, members: room.members ?? [], online: new Set(room.online ?? []), last: room.last ?? null };
}

function previewOf(entry) {
  if (entry.kind === "withdraw") return { withdrawn: true, text: "", markdown: "", blocks: [] };
  if (entry.kind !== "edit") return {};
  return Object.fromEntries(["text", "markdown", "blocks", "purpose"].filter((key) => entry[key] !== undefined).map((key) => [key, entry[key]]));
}
