/** How a channel's messages are read: a first page, and more on both sides. */

import { queryOptions, type QueryClient } from "@tanstack/react-query";

import { keys } from "../api/keys";
import { listMessages, type Place } from "../api/requests";
import type { Message } from "../api/types";
import { findChannel, firstUnreadSeq } from "./cache";
import { beginPage, endPage, mergePage, rise, unloaded, type Timeline } from "./timeline";

export const timelineQuery = (client: QueryClient, channelId: string) =>
  queryOptions({
    queryKey: keys.timeline(channelId),
    queryFn: async ({ signal }): Promise<Timeline> => {
      const page = await listMessages(channelId, beginning(client, channelId), signal);
      // Events may have come while the page was under way.
      const known = client.getQueryData<Timeline>(keys.timeline(channelId)) ?? unloaded;
      return mergePage(rise(known, findChannel(client, channelId)?.first_seq ?? 1), page.items);
    },
    staleTime: ({ state }) => (state.data?.loaded === true ? Infinity : 0),
    structuralSharing: false,
  });

/** More unread messages than this may not be on the newest page. */
const MANY_UNREAD = 25;

/** One begins at the newest messages, or where the many begin that one has not read. */
function beginning(client: QueryClient, channelId: string): Place {
  const channel = findChannel(client, channelId);
  const first = channel === undefined ? undefined : firstUnreadSeq(channel);
  const many = (channel?.unread_count ?? 0) > MANY_UNREAD;
  return first !== undefined && many ? { around_seq: first } : {};
}

/** Widens the window, or moves it to another place. */
export async function loadPage(client: QueryClient, channelId: string, place: Place): Promise<void> {
  const edit = (change: (timeline: Timeline) => Timeline) =>
    client.setQueryData<Timeline>(keys.timeline(channelId), (timeline) => timeline && change(timeline));
  let items: readonly Message[] | undefined;
  edit(beginPage);
  try {
    items = (await listMessages(channelId, place)).items;
  } finally {
    edit((timeline) => endPage(timeline, items));
  }
}
