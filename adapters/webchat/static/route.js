// Which room is open, in the address: going back works as everywhere, and a link to a room can be kept.

import { Emitter } from "./emitter.js";

const FORM = /^#r\/([\w-]+)$/;

/** Emits: changed. */
export class Route extends Emitter {
  #hasOpened = false;

  constructor() {
    super();
    window.addEventListener("hashchange", () => {
      if (this.room) this.#hasOpened = true;
      this.emit("changed", this.room);
    });
  }

  get room() {
    return location.hash.match(FORM)?.[1] ?? null;
  }

  /** Where a room's link leads. */
  static hrefOf(room) {
    return `#r/${room}`;
  }

  open(room) {
    if (this.room !== room) location.hash = Route.hrefOf(room);
  }

  /** Show another room in the place of this one; the step back leads past it. */
  replace(room) {
    history.replaceState(null, "", room ? Route.hrefOf(room) : location.pathname + location.search);
    this.emit("changed", this.room);
  }

  /** Leave the room for the list. */
  back() {
    if (this.#hasOpened && history.length > 1) history.back();
    else this.replace(null);
    this.#hasOpened = false;
  }
}
