/**
 * A message's text, written in Markdown, as elements.
 *
 * Invariants:
 * - Nothing is loaded by showing a message but the workspace's own emoji: pictures become links.
 * - Links open in a new place and do not tell where the reader came from.
 * - Elements and attributes are made here one by one; no HTML of a message is ever put into the page.
 */
import Box from "@mui/material/Box";
import { Fragment, createElement, memo, use, type ReactNode } from "react";

import { cutAtEmoji } from "../lib/emoji";
import { cutAtMentions, type NamedMention } from "../lib/mentions";
import { isSafeAddress, parseMarkdown, type MarkdownToken } from "../lib/markdown";
import { CodeBlock } from "./CodeBlock";
import { CustomEmoji, EmojiContext } from "./CustomEmoji";
import { codeFontFamily } from "./theme";

/** Elements that a token may become as they are. */
const PLAIN = new Set(["p", "strong", "em", "s", "blockquote", "ul", "li", "table", "thead", "tbody", "tr"]);

function link(address: string, children: ReactNode): ReactNode {
  if (!isSafeAddress(address)) return children;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function attribute(token: MarkdownToken, name: string): string {
  return String(token.attrGet(name) ?? "");
}

/** An element around others. */
function around(token: MarkdownToken, children: ReactNode): ReactNode {
  if (token.hidden) return children; // The paragraph of an item in a tight list.
  // A heading in a message is emphasis: it takes no part in the outline of the page.
  if (/^h[1-6]$/.test(token.tag)) return <p className="heading">{children}</p>;
  if (token.tag === "a") return link(attribute(token, "href"), children);
  if (token.tag === "ol") return <ol start={Number(token.attrGet("start") ?? 1)}>{children}</ol>;
  if (token.tag === "th" || token.tag === "td") {
    const side = /^text-align:(left|center|right)$/.exec(attribute(token, "style"))?.[1];
    return createElement(token.tag, side === undefined ? null : { className: side }, children);
  }
  return PLAIN.has(token.tag) ? createElement(token.tag, null, children) : children;
}

const NOBODY: readonly NamedMention[] = [];

/** Something that may stand in a message besides Markdown. */
interface Named {
  mentions: readonly NamedMention[];
  /** Whether the workspace has an emoji of its own of this name. */
  hasEmoji: (name: string) => boolean;
}

/** A text with the emoji in it. */
function withEmoji(text: string, hasEmoji: Named["hasEmoji"]): ReactNode {
  return cutAtEmoji(text, hasEmoji).map(({ text: piece, name }, at) => (
    <Fragment key={at}>{name === undefined ? piece : <CustomEmoji name={name} />}</Fragment>
  ));
}

/** A text with the mentions and emoji in it; mentions of the reader stand out. */
function named(text: string, { mentions, hasEmoji }: Named): ReactNode {
  return cutAtMentions(text, mentions).map(({ text: piece, mention }, at) =>
    mention === undefined ? (
      <Fragment key={at}>{withEmoji(piece, hasEmoji)}</Fragment>
    ) : (
      <span key={at} className={mention.own ? "mention own" : "mention"}>
        {piece}
      </span>
    ),
  );
}

/** An element by itself. */
function single(token: MarkdownToken, within: Named): ReactNode {
  switch (token.type) {
    case "inline":
      return elements(token.children ?? [], within);
    case "softbreak":
    case "hardbreak":
      return <br />;
    case "hr":
      return <hr />;
    case "code_inline":
      return <code>{token.content}</code>;
    case "fence":
    case "code_block":
      return (
        <CodeBlock
          code={token.content.replace(/\n$/, "")}
          language={/^[\w+#.-]+/.exec(token.info.trim())?.[0] ?? ""}
        />
      );
    case "image": {
      const address = attribute(token, "src");
      return link(address, token.content === "" ? address : token.content);
    }
    case "text":
      return named(token.content, within);
    default:
      return token.content;
  }
}

/** Tokens open and close elements in turn; this makes the tree of them. */
function elements(tokens: readonly MarkdownToken[], within: Named): ReactNode {
  const open: { token: MarkdownToken; children: ReactNode[] }[] = [];
  const top: ReactNode[] = [];
  const put = (node: ReactNode) => {
    const into = open.at(-1)?.children ?? top;
    into.push(<Fragment key={into.length}>{node}</Fragment>);
  };
  for (const token of tokens) {
    if (token.nesting === 1) open.push({ token, children: [] });
    else if (token.nesting === -1) {
      const closed = open.pop();
      if (closed !== undefined) put(around(closed.token, closed.children));
    } else {
      // The address that is shown must be the one that it leads to.
      const inLink = open.some(({ token: around }) => around.tag === "a");
      put(single(token, inLink ? { ...within, hasEmoji: () => false } : within));
    }
  }
  return top;
}

/** A message's text. */
export interface MarkdownProps {
  text: string;
  /** Whom it mentions. */
  mentions?: readonly NamedMention[] | undefined;
}

/** A message's text as elements. */
export const Markdown = memo(function Markdown({ text, mentions = NOBODY }: MarkdownProps) {
  const tokens = parseMarkdown(text);
  const { ids } = use(EmojiContext);
  const within: Named = { mentions, hasEmoji: (name) => ids.has(name) };
  return (
    <Box
      sx={{
        overflowWrap: "anywhere",
        "& p, & ul, & ol, & blockquote, & table": { my: 0 },
        "& > * + *": { mt: 0.75 },
        "& .heading": { fontWeight: 700 },
        "& ul, & ol": { pl: 3 },
        "& a": { color: "primary.main" },
        "& blockquote": { mx: 0, pl: 1.5, borderLeft: 3, borderColor: "divider", color: "text.secondary" },
        "& .mention": { color: "primary.main", fontWeight: 600 },
        "& .mention.own": { px: 0.25, borderRadius: 0.5, bgcolor: "courtyard.chosen" },
        "& hr": { border: 0, borderTop: 1, borderColor: "divider" },
        "& :not(pre) > code": {
          px: 0.5,
          py: 0.125,
          borderRadius: 0.5,
          bgcolor: "courtyard.inset",
          fontFamily: codeFontFamily,
          fontSize: "0.875em",
        },
        "& table": { display: "block", overflowX: "auto", borderCollapse: "collapse" },
        "& th, & td": { px: 1, py: 0.5, border: 1, borderColor: "divider", textAlign: "left" },
        "& .center": { textAlign: "center" },
        "& .right": { textAlign: "right" },
      }}
    >
      {tokens === undefined ? <p>{named(text, within)}</p> : elements(tokens, within)}
    </Box>
  );
});
