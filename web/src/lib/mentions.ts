/**
 * Mentions in a text: where the names stand that the server found in it.
 *
 * Invariant: what is given back is the text, in order and whole.
 */

/** Someone, or everyone, as a text calls them. */
export interface NamedMention {
  /** What stands behind the `@`. */
  name: string;
  /** Whether the reader is meant. */
  own: boolean;
}

/** A piece of a text; with a mention where it is one. */
export interface Piece {
  text: string;
  mention?: NamedMention;
}

/** A name has letters, digits, `.`, `_` and `-`: of these only the dot means something in a pattern. */
function escaped(name: string): string {
  return name.replaceAll(".", String.raw`\.`);
}

/** Cuts a text at its mentions. The longest name wins, as on the server. */
export function cutAtMentions(text: string, mentions: readonly NamedMention[]): Piece[] {
  if (mentions.length === 0 || !text.includes("@")) return [{ text }];
  const byName = new Map(mentions.map((mention) => [mention.name, mention]));
  const names = [...byName.keys()].toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])@(?:${names.map((name) => escaped(name)).join("|")})`, "gu");
  const pieces: Piece[] = [];
  let at = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (index > at) pieces.push({ text: text.slice(at, index) });
    const mention = byName.get(found.slice(1));
    pieces.push(mention === undefined ? { text: found } : { text: found, mention });
    at = index + found.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}
