/** A colour and the letters that stand for someone without a picture. */

/** Earth colours on which white can be read (WCAG AA), far enough apart to tell people apart. */
export const personColours = [
  "#8A4A26",
  "#3A6350",
  "#7A3B52",
  "#3F5A7A",
  "#6B5A1F",
  "#5B4A86",
  "#A3432A",
  "#2F6A70",
  "#6A5F52",
  "#4F6B2C",
] as const;

/** The colour of an id: always the same one. */
export function colourOf(id: string): string {
  let hash = 0x811c9dc5; // FNV-1a: ids differ in their last digits, and those must count.
  for (let at = 0; at < id.length; at += 1) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193) >>> 0;
  return personColours[hash % personColours.length] ?? personColours[0];
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

function graphemes(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/**
 * One or two letters for a name. A Korean name is known by its given name: the last two syllables
 * of 김지민. Other names give the first letters of their first and last word.
 */
export function initialsOf(name: string): string {
  const words = name
    .normalize("NFC")
    .split(/[\s._-]+/u)
    .filter((word) => word !== "");
  const first = graphemes(words[0] ?? "");
  if (/^\p{Script=Hangul}+$/u.test(words[0] ?? "")) return first.slice(-2).join("");
  const last = words.length > 1 ? (graphemes(words.at(-1) ?? "")[0] ?? "") : "";
  return ((first[0] ?? "?") + last).toUpperCase();
}
