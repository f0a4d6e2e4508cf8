/**
 * A workspace's own emoji in a text: `:name:`.
 *
 * Invariant: what is given back is the text, in order and whole.
 */

/** Small letters, digits, `_`, `+`, `-` and Hangul syllables, as the server takes them. */
const NAMED = /:([a-z0-9_+\-\uAC00-\uD7A3]{2,32}):/gu;

/** A piece of a text; with a name where it is an emoji. */
export interface EmojiPiece {
  text: string;
  name?: string;
}

/** The name in a reaction such as `:name:`. */
export function customName(reaction: string): string | undefined {
  return reaction.length > 2 && reaction.startsWith(":") && reaction.endsWith(":")
    ? reaction.slice(1, -1)
    : undefined;
}

/** Cuts a text at the emoji that are known. */
export function cutAtEmoji(text: string, isKnown: (name: string) => boolean): EmojiPiece[] {
  const pieces: EmojiPiece[] = [];
  let at = 0;
  NAMED.lastIndex = 0;
  for (let found = NAMED.exec(text); found !== null; found = NAMED.exec(text)) {
    const name = found[1] ?? "";
    if (!isKnown(name)) {
      // Its end may be the beginning of the next one.
      NAMED.lastIndex -= 1;
      continue;
    }
    if (found.index > at) pieces.push({ text: text.slice(at, found.index) });
    pieces.push({ text: found[0], name });
    at = NAMED.lastIndex;
  }
  if (at < text.length) pieces.push({ text: text.slice(at) });
  return pieces;
}
