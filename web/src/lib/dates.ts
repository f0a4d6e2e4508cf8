/** Times as people read them, in their language and their own time zone. */

const formats = new Map<string, Intl.DateTimeFormat>();

function format(date: Date, language: string, kind: string, options: Intl.DateTimeFormatOptions): string {
  const key = `${language} ${kind}`;
  let made = formats.get(key);
  if (made === undefined) {
    // Making one takes far longer than using it, and a list of messages uses hundreds.
    made = new Intl.DateTimeFormat(language, options);
    formats.set(key, made);
  }
  const text = made.format(date);
  // Some releases of the locale data say "PM 3:04" in Korean, which nobody does.
  return language === "ko" ? text.replace("AM", "오전").replace("PM", "오후") : text;
}

/** Which day it is here: the same for two times of one day. */
export function dayOf(date: Date): string {
  return `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
}

/** `3:04 PM`, `오후 3:04` */
export function formatTime(date: Date, language: string): string {
  return format(date, language, "time", { hour: "numeric", minute: "2-digit" });
}

/** In full: `Monday, August 3, 2026 at 3:04:05 PM` */
export function formatFull(date: Date, language: string): string {
  return format(date, language, "full", { dateStyle: "full", timeStyle: "medium" });
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `Today`, `Yesterday`, `Monday, August 3`, and the year when it is another one. */
export function formatDay(date: Date, language: string, now: Date): string {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  const ago = dayOf(date) === dayOf(now) ? 0 : dayOf(date) === dayOf(yesterday) ? -1 : null;
  if (ago !== null) {
    return capitalise(new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(ago, "day"));
  }
  return date.getFullYear() === now.getFullYear()
    ? format(date, language, "day", { weekday: "long", month: "long", day: "numeric" })
    : format(date, language, "dayOfYear", {
        weekday: "long",
        year: "numeric",
        month: "long",
        day: "numeric",
      });
}
