// Times as people say them, in the language of their browser.

const TIME = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const WEEKDAY = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export function timeOf(at) {
  return TIME.format(new Date(at));
}

/** The whole instant, for a title that shows when one points at it. */
export function wholeTime(at) {
  return WHOLE.format(new Date(at));
}

export function isSameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

/** "Today", "Yesterday", or the date. */
export function dayOf(at, now = new Date()) {
  const age = daysBetween(new Date(at), now);
  if (age <= 1) return capital(RELATIVE.format(-age, "day"));
  return age < 300 ? DAY.format(new Date(at)) : DAY_AND_YEAR.format(new Date(at));
}

/** The time today, the weekday this week, the date before. */
export function shortOf(at, now = new Date()) {
  const age = daysBetween(new Date(at), now);
  if (age <= 0) return timeOf(at);
  return age < 7 ? WEEKDAY.format(new Date(at)) : SHORT_DAY.format(new Date(at));
}

/** How long until an instant: "in 3 hours". */
export function untilOf(at, now = Date.now()) {
  const hours = (new Date(at) - now) / 3_600_000;
  if (hours >= 36) return RELATIVE.format(Math.round(hours / 24), "day");
  if (hours >= 1) return RELATIVE.format(Math.round(hours), "hour");
  return RELATIVE.format(Math.max(1, Math.round(hours * 60)), "minute");
}

function daysBetween(then, now) {
  const midnight = (day) => new Date(day.getFullYear(), day.getMonth(), day.getDate());
  return Math.round((midnight(now) - midnight(then)) / 86_400_000);
}

function capital(text) {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
