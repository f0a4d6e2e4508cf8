/**
 * Colours for code. highlight.js and its common languages are fetched when the first code with a
 * known language shows, once, and not before.
 *
 * Its answer is HTML; here it becomes pieces of text with a class each, so that nobody has to trust
 * HTML. It holds nothing but `<span class="…">`, `</span>` and escaped text.
 */

/** A piece of code: its text and the classes of what it is. */
export interface CodePiece {
  text: string;
  className: string;
}

type Highlighter = (code: string, language: string) => string | undefined;

let highlighter: Highlighter | undefined;
let loading = false;
const waiting = new Set<() => void>();

/** The highlighter, once it is there. */
export function currentHighlighter(): Highlighter | undefined {
  return highlighter;
}

/** Calls back when the highlighter is there, and has it fetched. Gives what stops the calling. */
export function whenHighlighter(call: () => void): () => void {
  waiting.add(call);
  if (!loading) {
    loading = true;
    import("highlight.js/lib/common").then(
      ({ default: hljs }) => {
        highlighter = (code, language) =>
          hljs.getLanguage(language) === undefined
            ? undefined
            : hljs.highlight(code, { language, ignoreIllegals: true }).value;
        for (const each of [...waiting]) each();
      },
      () => {
        loading = false; // No colours without a connection; the next code block asks again.
      },
    );
  }
  return () => waiting.delete(call);
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#x27": "'" };

/** The pieces of highlight.js's HTML. */
export function piecesOf(html: string): CodePiece[] {
  const pieces: CodePiece[] = [];
  const classes: string[] = [];
  for (const part of html.split(/(<span class="[^"<>]*">|<\/span>)/)) {
    const opens = /^<span class="([^"<>]*)">$/.exec(part);
    if (opens?.[1] !== undefined) classes.push(opens[1]);
    else if (part === "</span>") classes.pop();
    else if (part !== "") {
      const text = part.replace(/&(amp|lt|gt|quot|#x27);/g, (whole, name: string) => ENTITIES[name] ?? whole);
      pieces.push({ text, className: classes.join(" ") });
    }
  }
  return pieces;
}
