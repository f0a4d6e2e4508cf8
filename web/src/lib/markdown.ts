/**
 * Message text to Markdown tokens, as people write it in a chat.
 *
 * How it works: markdown-it parses; `ui/Markdown.tsx` makes React elements of the tokens. No HTML is
 * made at any point, so there is none to clean: what a message holds can only become text, one of a
 * few elements, or the address of a link.
 *
 * Korean: emphasis ends before a particle (`**마당**은`), a particle after an address is not part of
 * it, and a date such as `2026. 8. 3.` is not a list.
 *
 * Invariants:
 * - Addresses are http, https or mailto.
 * - A text that is not blank never parses to nothing that shows.
 */
import createMarkdown, { type MarkdownIt } from "markdown-it";
import cjkFriendly from "markdown-it-cjk-friendly";

/** One step of the parsed text; see markdown-it. */
export type MarkdownToken = ReturnType<MarkdownIt["parse"]>[number];

const SAFE_ADDRESS = /^(?:https?:\/\/|mailto:)/i;

/** Whether a link may lead there. */
export function isSafeAddress(address: string): boolean {
  return SAFE_ADDRESS.test(address);
}

/** A date as Koreans write it, or other numbers that would become a list in a list. */
const NUMBERS = /^ {0,3}\d{1,4}\.[ \t]+\d{1,4}\./;

/** Hangul glued to the end of an address that is itself in Latin letters. */
const GLUED = /(?<=[\w=&#%)\-~])[\p{Script=Hangul}]+$/u;
/** Particles glued to an address that ends in a slash, where a Hangul name could stand as well. */
const GLUED_TO_SLASH = /(?<=\/)(?:은|는|이|가|을|를|에|에서|로|으로|와|과|도|의|만|부터|까지)$/u;

function withoutParticle(address: string): string {
  return address.replace(GLUED, "").replace(GLUED_TO_SLASH, "");
}

/** Keeps lines that begin with a date out of the list rule: they are a paragraph. */
function datesAreText(md: MarkdownIt): void {
  md.block.ruler.before("list", "date", (state, startLine, endLine, silent) => {
    const lineAt = (line: number) => {
      const begin = (state.bMarks[line] ?? 0) + (state.tShift[line] ?? 0);
      return state.src.slice(begin, state.eMarks[line]);
    };
    if (silent || !NUMBERS.test(lineAt(startLine))) return false;
    const enders = state.md.block.ruler.getRules("paragraph");
    let next = startLine + 1;
    while (next < endLine && !state.isEmpty(next)) {
      const line = next;
      if (enders.some((ends) => ends(state, line, endLine, true))) break;
      next += 1;
    }
    const open = state.push("paragraph_open", "p", 1);
    open.map = [startLine, next];
    const inline = state.push("inline", "", 0);
    inline.content = state.getLines(startLine, next, state.blkIndent, false).trim();
    inline.map = [startLine, next];
    inline.children = [];
    state.push("paragraph_close", "p", -1);
    state.line = next;
    return true;
  });
}

/** Addresses end where the Korean after them begins. */
function particlesAreText(md: MarkdownIt): void {
  const { linkify } = md;
  const match = linkify.match.bind(linkify);
  const matchAtStart = linkify.matchAtStart.bind(linkify);
  function shorten<Found extends { raw: string; text: string; url: string; lastIndex: number }>(
    found: Found,
  ): Found {
    const cut = found.raw.length - withoutParticle(found.raw).length;
    if (cut > 0) {
      found.raw = found.raw.slice(0, -cut);
      found.text = found.text.slice(0, -cut);
      found.url = found.url.slice(0, -cut);
      found.lastIndex -= cut;
    }
    return found;
  }
  linkify.match = (text) => match(text)?.map(shorten) ?? null;
  linkify.matchAtStart = (text) => {
    const found = matchAtStart(text);
    return found === null ? null : shorten(found);
  };
}

const markdown = createMarkdown({ html: false, linkify: true, breaks: true, maxNesting: 20 });
markdown.use(cjkFriendly).use(datesAreText).use(particlesAreText);
// Surprises in a chat: text that vanishes, an underline that makes a heading, indents that make code.
markdown.disable(["reference", "lheading", "code"]);
// `README.md` is a file and not a host in Moldova: only addresses with a scheme, and e-mail.
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: true });
markdown.validateLink = isSafeAddress;

/** Whether anything of it can be seen. */
function shows(token: MarkdownToken): boolean {
  if (token.type === "hr" || token.type === "image") return true;
  return token.content.trim() !== "" && (token.type !== "inline" || (token.children?.some(shows) ?? false));
}

/** The tokens of a message; undefined when its marks would show nothing, so it is to show as it is. */
export function parseMarkdown(text: string): MarkdownToken[] | undefined {
  const tokens = markdown.parse(text, {});
  return tokens.some(shows) ? tokens : undefined;
}
