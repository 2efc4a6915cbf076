// Replies that are under way in one room, folded from the server's live events: pure.

const ORDER = ["waiting", "warming", "thinking", "streaming", "ended"];

export class LiveReplies {
  /** turn -> {turn, reply_to, phase, ahead, text, blocks, from} */
  turns = new Map();
  #over = new Set();

  /** Fold an event. Returns the reply to draw, or null where there is nothing to draw. */
  apply(event) {
    if (this.#over.has(event.turn)) return null;
    const reply = this.turns.get(event.turn) ?? { turn: event.turn, blocks: [], phase: "waiting", at: Date.now() };
    if (!ORDER.includes(event.phase)) return null;
    if (event.phase === "ended" && !this.turns.has(event.turn)) {
      this.#over.add(event.turn);
      return null;
    }
    Object.assign(reply, { phase: event.phase, ahead: event.ahead ?? null, text: event.text ?? "" });
    if (event.reply_to) reply.reply_to = event.reply_to;
    reply.from = reply.blocks.length;
    if (event.blocks) {
      reply.from = Math.min(event.from ?? 0, reply.blocks.length);
      reply.blocks = [...reply.blocks.slice(0, reply.from), ...event.blocks];
    }
    this.turns.set(event.turn, reply);
    return reply;
  }

  /** Take away what a stored message of the assistant answers; returns the replies taken away. */
  settledBy(entry) {
    if (entry.purpose === "placeholder") return [];
    const answered = new Set([...(entry.answers ?? []), entry.reply_to].filter(Boolean));
    const settled = [...this.turns.values()].filter((reply) => answered.has(reply.reply_to));
    for (const reply of settled) this.end(reply.turn);
    return settled;
  }

  end(turn) {
    this.turns.delete(turn);
    this.#over.add(turn);
  }

  clear() {
    this.turns.clear();
  }

  get isWriting() {
    return [...this.turns.values()].some((reply) => reply.phase !== "ended");
  }
}
