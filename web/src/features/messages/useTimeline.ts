/** The messages of a channel as they show: loaded ones, then those on their way. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";

import { keys } from "../../api/keys";
import type { Place } from "../../api/requests";
import type { Channel, Message } from "../../api/types";
import type { ListedMessage } from "../../lib/rows";
import { useMyId } from "../../state/context";
import { useOutboxStore } from "../../state/outbox";
import { mayModerate } from "../../state/permissions";
import { useMe, useRole } from "../../state/places";
import { useConnectionStore } from "../../state/sync";
import { hasNewer, hasOlder, lastSeq, trim, type Timeline } from "../../state/timeline";
import { loadPage, timelineQuery } from "../../state/timelineQuery";
import type { Edge } from "../../ui/MessageList";
import { listedEntry, lister } from "./listed";

export interface LoadedMessages {
  messages: ListedMessage[];
  loading: boolean;
  failed: boolean;
  older: Edge;
  newer: Edge;
  loadOlder: () => void;
  loadNewer: () => void;
  /** Moves the window to the newest messages. */
  loadNewest: () => Promise<void>;
  /** Moves the window to a message, by its id. */
  loadAround: (id: string) => Promise<void>;
  retry: () => void;
  /** The loaded message at this place. */
  at: (seq: number) => Message | undefined;
  /** The newest message is in view: what is far above may go. */
  atNewest: () => void;
}

/** More messages than this are not kept above a reader who follows the newest ones. */
const MOST = 1_000;
const KEPT = 500;

function edge(more: boolean, { isPending, isError }: { isPending: boolean; isError: boolean }): Edge {
  if (!more) return "none";
  return isPending ? "loading" : isError ? "failed" : "more";
}

export function useTimeline(channel: Channel): LoadedMessages {
  const client = useQueryClient();
  const myId = useMyId();
  const me = useMe();
  const moderator = mayModerate(useRole(channel.workspace_id), channel);
  const tried = useConnectionStore((connection) => connection.tried);
  const query = useQuery({ ...timelineQuery(client, channel.id), enabled: tried });
  const entries = useOutboxStore((outbox) => outbox.entries);
  const load = (place: Place) => loadPage(client, channel.id, place);
  const older = useMutation({ mutationFn: load });
  const newer = useMutation({ mutationFn: load });

  const timeline = query.data?.loaded === true ? query.data : undefined;
  const member = channel.joined === true;
  const list = useMemo(() => lister(myId, moderator, member), [myId, moderator, member]);
  const more = timeline !== undefined && hasNewer(timeline, channel.last_seq);

  const messages = useMemo(() => {
    if (timeline === undefined) return [];
    const author = { id: myId, name: me?.display_name ?? "", avatarUrl: me?.avatar_url };
    const shown = new Set(timeline.items.map((message) => message.nonce));
    const underWay = entries.filter(
      ({ channelId, nonce, seq }) =>
        channelId === channel.id && !shown.has(nonce) && (seq === undefined || seq > lastSeq(timeline)),
    );
    // Far from the newest message one's own new ones have no place yet.
    return [
      ...timeline.items.map(list),
      ...(more ? [] : underWay.map((entry) => listedEntry(entry, author))),
    ];
  }, [timeline, list, entries, more, channel.id, myId, me]);

  const items = timeline?.items ?? [];
  return {
    messages,
    loading: timeline === undefined && query.error === null,
    failed: timeline === undefined && query.error !== null,
    older: edge(timeline !== undefined && hasOlder(timeline), older),
    newer: edge(more, newer),
    loadOlder: () => {
      const first = items[0];
      if (!older.isPending && first !== undefined) older.mutate({ before: first.id });
    },
    loadNewer: () => {
      const last = items.at(-1);
      if (!newer.isPending) newer.mutate(last === undefined ? {} : { after: last.id });
    },
    loadNewest: () => load({}),
    loadAround: (id) => load({ around: id }),
    retry: () => void query.refetch(),
    at: (seq) => items[seq - (items[0]?.seq ?? 0)],
    atNewest: () => {
      if (items.length <= MOST || older.isPending) return;
      client.setQueryData<Timeline>(
        keys.timeline(channel.id),
        (loaded) => loaded && trim(loaded, MOST, KEPT),
      );
    },
  };
}
