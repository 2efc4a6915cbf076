// Where the messages are scrolled to: pinned to the end while the person is there, and still in place otherwise.

const NEAR_END_PX = 60;

export class Scroller {
  isPinned = true;

  constructor(frame, inner) {
    Object.assign(this, { frame, inner });
    frame.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // Whatever grows (an answer, the keyboard of a phone, another width): who is at the end stays at the end.
    const grown = new ResizeObserver(() => this.isPinned && this.toEnd());
    grown.observe(inner);
    grown.observe(frame);
  }

  get isAtEnd() {
    return this.frame.scrollHeight - this.frame.scrollTop - this.frame.clientHeight < NEAR_END_PX;
  }

  toEnd() {
    this.isPinned = true;
    this.frame.scrollTop = this.frame.scrollHeight;
  }

  glideToEnd() {
    this.isPinned = true;
    this.frame.scrollTo({ top: this.frame.scrollHeight, behavior: gentle() });
  }

  /** Change the page while what is on the screen stays where it is. */
  hold(change) {
    if (this.isPinned) {
      change();
      this.toEnd();
      return;
    }
    const anchor = this.#firstVisible();
    const top = anchor?.getBoundingClientRect().top;
    const ref = anchor?.dataset.ref;
    change();
    const stays = anchor?.isConnected ? anchor : ref ? this.inner.querySelector(`[data-ref="${CSS.escape(ref)}"]`) : null;
    if (stays) this.frame.scrollTop += stays.getBoundingClientRect().top - top;
  }

  show(item, { block = "center", smooth = false } = {}) {
    this.isPinned = false;
    item.scrollIntoView({ block, behavior: smooth ? gentle() : "instant" });
  }

  #firstVisible() {
    const { top } = this.frame.getBoundingClientRect();
    for (const item of this.inner.querySelectorAll(".message")) {
      if (item.getBoundingClientRect().bottom > top) return item;
    }
    return null;
  }

  #scrolled() {
    this.isPinned = this.isAtEnd;
    this.onScroll?.();
  }
}

function gentle() {
  return matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
}
