/**
 * Messages to rows: which begin a day, which begin an author's turn, and where the unread ones begin.
 *
 * Each row is a message; the day and the line of the unread ones belong to the row below them. So a
 * row's key is its message's, and the list keeps its place by it when older rows come before it.
 *
 * Invariants:
 * - Rows come in the order of the messages, one each.
 * - While older messages are to be loaded, the first row shows no day: it may not be the day's first.
 */
import { dayOf } from "./dates";
import type { NamedMention } from "./mentions";

/** How far a message is on its way. */
export type MessageState = "sent" | "pending" | "failed" | "deleted";

/** A message as the list shows it. */
export interface ListedMessage {
  /** Stable from the pending row to the sent one: the nonce of own messages, the id of others. */
  key: string;
  /** The id, once the server gave one. */
  id: string | null;
  /** The place in the channel, once the server gave one. */
  seq: number | null;
  author: { id: string; name: string; avatarUrl?: string | undefined };
  /** Markdown; empty when deleted. */
  content: string;
  /** Whom it mentions. */
  mentions?: readonly NamedMention[];
  /** RFC 3339. */
  createdAt: string;
  /** RFC 3339. */
  editedAt?: string | undefined;
  state: MessageState;
  /** Why sending failed, for people. */
  failure?: string | undefined;
  /** Whether the reader wrote it. */
  own: boolean;
  canEdit: boolean;
  canDelete: boolean;
  /** What it carries. */
  files?: readonly ListedFile[];
  /** What its links lead to. */
  previews?: readonly ListedPreview[] | undefined;
  /** What people put on it, in the order of first use. */
  reactions: readonly ListedReaction[];
  canReact: boolean;
  /** How many replies its thread has. */
  replies?: number | undefined;
  /** Whether it can have a thread. */
  canReply?: boolean;
}

/** A file of a message. */
export interface ListedFile {
  id: string;
  name: string;
  /** Bytes. */
  size: number;
  /** Pixels, of a picture. */
  width?: number | undefined;
  height?: number | undefined;
  /** Whether there is a small picture of it. */
  thumbnail: boolean;
}

/** What a link leads to; all of it is text of others. */
export interface ListedPreview {
  url: string;
  title: string;
  description?: string | undefined;
  site_name?: string | undefined;
  /** A small picture: a file of the server. */
  image?: { id: string; width: number; height: number } | undefined;
}

/** An emoji on a message. */
export interface ListedReaction {
  emoji: string;
  count: number;
  /** Whether the reader put it there too. */
  own: boolean;
}

/** A message and what stands above it. */
export interface Row {
  key: string;
  message: ListedMessage;
  /** Whether name and picture show: the first of an author's turn. */
  head: boolean;
  /** Whether the day shows above. */
  day: boolean;
  /** Whether the line above says that the unread messages begin here. */
  unread: boolean;
}

/** What the rows depend on besides the messages. */
export interface RowsOptions {
  /** The place up to which the reader had read when coming here; without it there is no line. */
  readSeq?: number | undefined;
  /** Whether older messages are to be loaded. */
  hasOlder: boolean;
}

/** Messages of one author within this time stand together. */
const TURN_MS = 5 * 60 * 1000;

interface Before {
  message: ListedMessage;
  /** When the turn began. */
  time: number;
  day: string;
}

/** The rows of messages, which are in order. */
export function rowsOf(messages: readonly ListedMessage[], { readSeq, hasOlder }: RowsOptions): Row[] {
  const rows: Row[] = [];
  let before: Before | undefined;
  // With the line's place not loaded yet, a line here would be wrong.
  const firstSeq = messages.find(({ seq }) => seq !== null)?.seq ?? 0;
  let lineOpen = readSeq !== undefined && (!hasOlder || firstSeq <= readSeq + 1);
  for (const message of messages) {
    const date = new Date(message.createdAt);
    const time = date.getTime();
    const day = dayOf(date);
    const unread =
      lineOpen && readSeq !== undefined && message.seq !== null && message.seq > readSeq && !message.own;
    if (unread) lineOpen = false;
    const newDay = before === undefined ? !hasOlder : before.day !== day;
    const head =
      before === undefined ||
      newDay ||
      unread ||
      before.message.author.id !== message.author.id ||
      time - before.time >= TURN_MS;
    rows.push({ key: message.key, message, head, day: newDay, unread });
    // The five minutes run from the head, so that a long turn still tells its times.
    before = { message, time: head || before === undefined ? time : before.time, day };
  }
  return rows;
}
