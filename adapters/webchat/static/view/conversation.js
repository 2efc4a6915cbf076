// The open room: its messages, what is under way, and how one moves through them.

import { announce } from "../announce.js";
import { byId, el, fill } from "../dom.js";
import { introCard } from "./intro.js";
import { nameOf, preview } from "./message.js";
import { MessageList } from "./message_list.js";
import { Scroller } from "./scroller.js";
import { UnderWay } from "./under_way.js";

const NEAR_EDGE_PX = 700;

export class Conversation {
  #unseen = 0;

  constructor(chat, ratings) {
    Object.assign(this, { chat, store: chat.store, ratings });
    this.frame = byId("log");
    this.list = new MessageList(byId("messages"));
    this.scroller = new Scroller(this.frame, byId("log-inner"));
    this.scroller.onScroll = () => this.#moved();
    this.underWay = new UnderWay(chat, this.scroller, () => this.world, (text) => this.onTakenBack?.(text));
    byId("jump").addEventListener("click", () => this.toNewest());
    chat.on("opened", (id) => this.#open(id));
    chat.on("paged", (id) => id === chat.room && this.#paged());
    chat.on("outbox", (id) => id === chat.room && this.underWay.draw());
    chat.connection.on("state", () => chat.room && this.underWay.draw());
    this.store.on("entries", (news) => news.room === chat.room && this.#entries(news));
    this.store.on("live", (news) => news.room === chat.room && this.#live(news.reply));
    this.store.on("engine", () => this.underWay.drawReplies());
    this.store.on("reset", (id) => id === chat.room && this.#begin());
    for (const kind of ["visibilitychange", "focus"]) {
      (kind === "focus" ? window : document).addEventListener(kind, () => this.#see());
    }
  }

  get log() {
    return this.store.log(this.chat.room);
  }

  /** What drawing a message needs to know. */
  get world() {
    const { me, assistant } = this.store;
    const room = this.chat.here;
    const names = [...new Set([assistant.name, ...assistant.names, ...room.members.map((member) => member.name)])].filter(Boolean);
    return { me, assistant, room, log: this.log, names, unreadRef: this.unreadRef, rating: (ref) => this.ratings.of(ref) };
  }

  toNewest() {
    if (!this.list.showsNewest) this.list.open(this.log, this.world);
    this.#unseen = 0;
    this.scroller.glideToEnd();
    this.#moved();
  }

  /** Go to a message, loading back to it where need be. */
  async goTo(ref, pos = 0) {
    const id = this.chat.room;
    if (!this.log.get(ref)) {
      byId("log-top").replaceChildren(el("p", { class: "loading" }, "Looking for it further up…"));
      await this.chat.loadBackTo(id, pos);
    }
    if (this.chat.room !== id) return;
    const item = this.list.reveal(ref);
    this.#drawTop();
    if (!item) return announce("That message is not here any more.");
    this.scroller.show(item, { block: "center" });
    item.classList.add("found");
    setTimeout(() => item.classList.remove("found"), 2500);
    this.#moved();
  }

  #open(id) {
    byId("conversation").hidden = !id;
    byId("nothing").hidden = Boolean(id);
    if (id) this.#begin();
  }

  #begin() {
    this.arrivedIn = null;
    const room = this.chat.here;
    this.unreadRef = null;
    this.readAtOpening = room.unread > 0 ? room.read_pos : null;
    this.#unseen = 0;
    this.underWay.clear();
    this.list.open(this.log, this.world);
    this.#drawTop();
    this.underWay.draw();
    this.scroller.toEnd();
    if (this.log.isLoaded) this.#arrive();
  }

  /** The room's messages are there for the first time: go to where reading ended. */
  #arrive() {
    this.unreadRef = this.#firstUnread();
    this.readAtOpening = null;
    this.list.open(this.log, this.world);
    const line = this.unreadRef && this.list.reveal(this.unreadRef);
    if (line) this.scroller.show(line, { block: "start" });
    if (!line || this.scroller.isAtEnd) this.scroller.toEnd();
    this.arrivedIn = this.chat.room;
    this.#moved();
  }

  #firstUnread() {
    if (this.readAtOpening === null) return null;
    const isUnread = (message) => message.pos > this.readAtOpening && message.by !== this.store.me.id && message.kind !== "event";
    return this.log.messages.find(isUnread)?.ref ?? null;
  }

  #paged() {
    if (this.arrivedIn !== this.chat.room || !this.list.list.childElementCount) {
      this.list.open(this.log, this.world);
      this.#arrive();
    } else {
      const known = this.list.start < this.log.messages.length ? this.list.list.firstElementChild?.dataset.ref : null;
      const shift = known ? this.log.indexOf(known) - this.list.start : 0;
      if (shift > 0) this.list.prepended(shift);
      this.scroller.hold(() => this.list.growUp());
      // Where nothing came (too many questions, no connection) the page tries again, but not at once.
      setTimeout(() => this.#page(), shift > 0 ? 0 : 1500);
    }
    this.#drawTop();
    this.underWay.draw();
  }

  #entries({ added, changed, settled }) {
    const wasPinned = this.scroller.isPinned;
    const shown = added.filter((message) => message.purpose !== "placeholder");
    const foreign = shown.filter((message) => message.by !== this.store.me.id && message.kind !== "event");
    if (foreign.length && !this.unreadRef && !this.#isLooking) this.unreadRef = foreign[0].ref;
    this.scroller.hold(() => {
      for (const reply of settled) this.underWay.drop(reply.turn);
      this.list.world = this.world;
      this.list.appended(added.length);
      if (wasPinned) this.list.trimStart();
      this.list.changed(changed);
      this.underWay.draw();
    });
    for (const message of foreign) announce(`${nameOf(message, this.world)}: ${preview(message)}`);
    if (!wasPinned) this.#unseen += foreign.length;
    this.#moved();
  }

  #live(reply) {
    this.scroller.hold(() => (reply ? this.underWay.drawReply(reply) : this.underWay.drawReplies()));
  }

  #drawTop() {
    const top = byId("log-top");
    if (!this.log.isLoaded || this.log.hasMore || !this.list.showsOldest) {
      fill(top, el("p", { class: "loading" }, "Loading earlier messages…"));
    } else {
      fill(top, introCard(this.store, this.chat.here));
    }
  }

  #moved() {
    this.#page();
    const isAtEnd = this.list.showsNewest && this.scroller.isAtEnd;
    if (isAtEnd) this.#unseen = 0;
    byId("jump").hidden = isAtEnd;
    byId("jump-count").hidden = !this.#unseen;
    byId("jump-count").textContent = String(this.#unseen);
    this.#see();
  }

  #page() {
    if (!this.chat.room || this.arrivedIn !== this.chat.room || this.isPaging) return;
    this.isPaging = true;
    if (this.frame.scrollTop < NEAR_EDGE_PX) this.#pageUp();
    else if (this.frame.scrollHeight - this.frame.scrollTop - this.frame.clientHeight < NEAR_EDGE_PX) {
      if (!this.list.showsNewest) this.scroller.hold(() => this.list.growDown());
    }
    this.isPaging = false;
  }

  #pageUp() {
    if (!this.list.showsOldest) {
      const isPinned = this.scroller.isPinned;
      if (isPinned && this.list.end - this.list.start > 200) return;
      this.scroller.hold(() => this.list.growUp());
      this.#drawTop();
    } else if (this.log.hasMore) {
      this.chat.loadOlder(this.chat.room);
    }
  }

  /** What one wrote oneself was written with everything above it read. */
  answered() {
    const ref = this.unreadRef;
    this.unreadRef = null;
    this.list.world = this.world;
    if (ref) this.scroller.hold(() => this.list.redo(ref));
  }

  get #isLooking() {
    return document.visibilityState === "visible" && document.hasFocus();
  }

  /** What is at the end of the screen, with the person looking at it, is read. */
  #see() {
    const newest = this.chat.room && this.log.newest;
    if (!newest || !this.#isLooking) return;
    if (this.arrivedIn === this.chat.room && this.list.showsNewest && this.scroller.isAtEnd) this.chat.read(this.chat.room, this.log.cursor);
  }
}
