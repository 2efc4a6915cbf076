// What was said in one room, folded from its entries: pure, no page and no network.
//
// An entry about an earlier message (an edit, a withdrawal, a reaction) may come before that message is loaded: it
// waits here until the page with the message arrives. Entries may come twice and in any order.

const ABOUT = new Set(["edit", "withdraw", "react"]);

export class RoomLog {
  /** Messages and events, oldest first. */
  messages = [];
  /** The newest position seen: where to go on after a lost connection. */
  cursor = 0;
  /** The oldest position loaded; null while nothing is. */
  floor = null;
  /** True while older entries are on the server. */
  hasMore = true;
  isLoaded = false;
  /** True while its newest page is asked for: what happens meanwhile belongs to it. */
  isLoading = false;
  #byRef = new Map();
  #waiting = new Map();

  /** Fold entries in. Returns what to draw: `added` messages and `changed` refs. */
  add(entries) {
    const added = [];
    const changed = new Set();
    for (const entry of entries) {
      this.cursor = Math.max(this.cursor, entry.pos);
      this.floor = this.floor === null ? entry.pos : Math.min(this.floor, entry.pos);
      if (ABOUT.has(entry.kind)) {
        if (this.#about(entry)) changed.add(entry.target);
      } else if (!this.#byRef.has(entry.ref)) {
        added.push(this.#message(entry));
      }
    }
    this.#place(added);
    const fresh = new Set(added.map((message) => message.ref));
    return { added, changed: [...changed].filter((ref) => !fresh.has(ref)) };
  }

  get(ref) {
    return this.#byRef.get(ref) ?? null;
  }

  indexOf(ref) {
    const message = this.#byRef.get(ref);
    return message ? this.#search(message.pos) : -1;
  }

  get newest() {
    return this.messages.at(-1) ?? null;
  }

  #message(entry) {
    const message = { edited: false, withdrawn: false, ...entry, reactions: standing(entry.reactions), changedAt: entry.pos };
    this.#byRef.set(entry.ref, message);
    for (const later of this.#waiting.get(entry.ref) ?? []) this.#apply(message, later);
    this.#waiting.delete(entry.ref);
    return message;
  }

  #about(entry) {
    const message = this.#byRef.get(entry.target);
    if (message) return this.#apply(message, entry);
    if (!this.#waiting.has(entry.target)) this.#waiting.set(entry.target, []);
    const queue = this.#waiting.get(entry.target);
    if (!queue.some((other) => other.ref === entry.ref && other.pos === entry.pos)) queue.push(entry);
    return false;
  }

  #apply(message, entry) {
    if (entry.kind === "react") return react(message, entry);
    if (message.withdrawn) return false;
    if (entry.kind === "withdraw") {
      Object.assign(message, { withdrawn: true, text: "", blocks: [], markdown: "" });
      return true;
    }
    if (entry.pos <= message.changedAt) return false;
    message.changedAt = entry.pos;
    // The assistant's placeholder becomes its reply: that is no edit a reader needs to be told of.
    message.edited = message.kind === "said" || message.purpose === "reply";
    for (const key of ["text", "blocks", "markdown", "purpose", "answers"]) {
      if (entry[key] !== undefined) message[key] = entry[key];
    }
    return true;
  }

  #place(added) {
    if (!added.length) return;
    const isLater = !this.messages.length || added.every((message) => message.pos > this.messages.at(-1).pos);
    this.messages.push(...added);
    if (!isLater || added.length > 1) this.messages.sort((one, other) => one.pos - other.pos);
  }

  #search(pos) {
    let low = 0;
    let high = this.messages.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.messages[middle].pos < pos) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What the server says stands when a message is loaded: person ids by emoji. */
function standing(reactions = {}) {
  const people = (ids) => new Map(ids.map((id) => [id, { pos: 0, on: true, name: "" }]));
  return new Map(Object.entries(reactions).map(([emoji, ids]) => [emoji, people(ids)]));
}

/** Keep the last word of each person about each emoji. */
function react(message, entry) {
  const people = message.reactions.get(entry.emoji) ?? new Map();
  const before = people.get(entry.by);
  if (before && before.pos >= entry.pos) return false;
  people.set(entry.by, { pos: entry.pos, on: entry.on !== false, name: entry.name ?? "" });
  message.reactions.set(entry.emoji, people);
  return true;
}

/** Who stands behind each emoji now: [[emoji, [{id, name}...]]...], in the order they were first used. */
export function standingReactions(message) {
  return [...message.reactions]
    .map(([emoji, people]) => [emoji, [...people].filter(([, word]) => word.on).map(([id, word]) => ({ id, name: word.name }))])
    .filter(([, people]) => people.length);
}
