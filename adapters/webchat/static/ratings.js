// Which answers this person found good or bad, as this browser remembers.

import { keep, recall } from "./storage.js";

const KEY = "aside.ratings";
const MOST = 500;

export class Ratings {
  of(ref) {
    return recall(KEY, {})[ref] ?? "none";
  }

  put(ref, value) {
    const all = Object.entries(recall(KEY, {})).filter(([other]) => other !== ref);
    if (value !== "none") all.push([ref, value]);
    keep(KEY, Object.fromEntries(all.slice(-MOST)));
  }
}
