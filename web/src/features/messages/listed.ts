/** Messages of the server and of the outbox as the list shows them. */

import type { Message } from "../../api/types";
import type { ListedMessage } from "../../lib/rows";
import { errorText } from "../../state/errorText";
import { ApiError } from "../../api/errors";
import type { Entry } from "../../state/outbox";

export interface Author {
  id: string;
  name: string;
  avatarUrl?: string | undefined;
}

/** Gives the same object for the same message each time, so that its row is not drawn again. */
export function lister(me: string, moderator: boolean, member: boolean): (message: Message) => ListedMessage {
  const made = new WeakMap<Message, ListedMessage>();
  return (message) => {
    const known = made.get(message);
    if (known !== undefined) return known;
    const listed = listedMessage(message, me, moderator, member);
    made.set(message, listed);
    return listed;
  };
}

function listedMessage(message: Message, me: string, moderator: boolean, member: boolean): ListedMessage {
  const own = message.author.id === me;
  const deleted = message.deleted_at !== undefined;
  return {
    key: own && message.nonce !== undefined ? message.nonce : message.id,
    id: message.id,
    seq: message.seq,
    author: {
      id: message.author.id,
      name: message.author.display_name,
      avatarUrl: message.author.avatar_url,
    },
    content: message.content,
    mentions: message.mentions.map(({ user_id, name }) => ({
      name,
      own: user_id === undefined || user_id === me,
    })),
    createdAt: message.created_at,
    editedAt: message.edited_at,
    state: deleted ? "deleted" : "sent",
    own,
    canEdit: own && !deleted,
    canDelete: (own || moderator) && !deleted,
    files: message.files,
    previews: message.previews,
    reactions: message.reactions.map(({ emoji, count, me }) => ({ emoji, count, own: me === true })),
    canReact: member && !deleted,
    replies: message.thread?.reply_count,
    canReply: message.thread?.root_id === undefined && (!deleted || message.thread !== undefined),
  };
}

export function listedEntry(entry: Entry, author: Author): ListedMessage {
  return {
    key: entry.nonce,
    id: null,
    seq: null,
    author,
    content: entry.content,
    createdAt: new Date(entry.at).toISOString(),
    state: entry.state === "waiting" ? "pending" : entry.state,
    failure:
      entry.refusal === undefined
        ? undefined
        : errorText(new ApiError(entry.refusal.code, entry.refusal.detail)),
    own: true,
    canEdit: false,
    canDelete: false,
    reactions: [],
    canReact: false,
  };
}
