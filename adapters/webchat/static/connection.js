// The one WebSocket of this tab: questions and their answers, what the server tells, and coming back after a loss.

import { Emitter } from "./emitter.js";

const SILENCE_MS = 40_000;
const ANSWER_MS = 15_000;
const OPEN_MS = 10_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** What the server refused, or that it could not be asked. `code` is "offline" or "timeout" where it never answered. */
export class Refusal extends Error {
  constructor({ code, text, retry_s }) {
    super(text);
    this.code = code;
    this.retryS = retry_s ?? null;
  }

  /** True where the very same question may succeed later. */
  get isPassing() {
    return ["offline", "timeout", "slow_down", "try_again"].includes(this.code);
  }
}

/** Emits "open" (the socket stands), "event" (each server event) and "state" ("connecting", "open", "waiting"). */
export class Connection extends Emitter {
  #socket = null;
  #asked = new Map();
  #number = 0;
  #failures = 0;
  #retry = 0;
  #silence = 0;

  constructor(url) {
    super();
    this.url = url;
    this.state = "connecting";
  }

  start() {
    window.addEventListener("online", () => this.hurry());
    window.addEventListener("offline", () => this.#drop());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.hurry());
    window.addEventListener("pageshow", (event) => event.persisted && this.hurry());
    this.#open();
  }

  /** Try at once instead of at the end of the wait. */
  hurry() {
    if (this.state === "waiting") this.#open();
  }

  /** Ask the server; resolves with its `ok`, rejects with a `Refusal`. */
  ask(what, details = {}) {
    const socket = this.#socket;
    if (!socket || socket.readyState !== WebSocket.OPEN) {
      return Promise.reject(new Refusal({ code: "offline", text: "There is no connection just now. Please try again in a moment." }));
    }
    const id = ++this.#number;
    return new Promise((resolve, reject) => {
      const late = () => this.#settle(id, { error: { code: "timeout", text: "The server did not answer in time. Please try again." } });
      this.#asked.set(id, { resolve, reject, timer: setTimeout(late, ANSWER_MS) });
      socket.send(JSON.stringify({ ...details, id, do: what }));
    });
  }

  #open() {
    clearTimeout(this.#retry);
    this.#become("connecting");
    const socket = new WebSocket(this.url);
    this.#socket = socket;
    const isCurrent = () => this.#socket === socket;
    const slow = setTimeout(() => isCurrent() && socket.readyState !== WebSocket.OPEN && this.#drop(), OPEN_MS);
    socket.addEventListener("open", () => {
      clearTimeout(slow);
      if (!isCurrent()) return socket.close();
      this.#heard();
      this.emit("open");
    });
    socket.addEventListener("message", (message) => isCurrent() && this.#receive(message.data));
    socket.addEventListener("close", (event) => {
      clearTimeout(slow);
      if (isCurrent()) this.#lost(event.code);
    });
  }

  /** Called by whoever said hello: from now on all is well. */
  ready() {
    this.#failures = 0;
    this.#become("open");
  }

  /** Give this socket up and open another in a while. */
  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.close();
    this.#lost();
  }

  again() {
    this.#drop();
  }

  #lost(code) {
    this.#socket = null;
    clearTimeout(this.#silence);
    for (const id of [...this.#asked.keys()]) {
      this.#settle(id, { error: { code: "offline", text: "The connection was lost. Please try again." } });
    }
    this.emit("lost", code);
    const span = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures++);
    this.#become("waiting");
    // Between half and the whole of the span: a server that comes back is not met by everybody at once.
    this.#retry = setTimeout(() => this.#open(), span * (0.5 + Math.random() / 2));
  }

  #receive(data) {
    this.#heard();
    const frame = JSON.parse(data);
    if (frame.re !== undefined) this.#settle(frame.re, frame);
    else if (frame.event) this.emit("event", frame);
  }

  #settle(id, { ok, error }) {
    const asked = this.#asked.get(id);
    if (!asked) return;
    this.#asked.delete(id);
    clearTimeout(asked.timer);
    if (error) asked.reject(new Refusal(error));
    else asked.resolve(ok ?? {});
  }

  #heard() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#drop(), SILENCE_MS);
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", state);
  }
}
