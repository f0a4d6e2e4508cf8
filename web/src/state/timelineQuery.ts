/** How a channel's messages are read: a first page, and more on both sides. */

import { queryOptions, type QueryClient } from "@tanstack/react-query";

import { keys } from "../api/keys";
import { listMessages, type Place } from "../api/requests";
import type { Message } from "../api/types";
import { beginPage, endPage, mergePage, unloaded, type Timeline } from "./timeline";

export const timelineQuery = (client: QueryClient, channelId: string) =>
  queryOptions({
    queryKey: keys.timeline(channelId),
    queryFn: async ({ signal }): Promise<Timeline> => {
      const page = await listMessages(channelId, {}, signal);
      // Events may have come while the page was under way.
      return mergePage(client.getQueryData<Timeline>(keys.timeline(channelId)) ?? unloaded, page.items);
    },
    staleTime: ({ state }) => (state.data?.loaded === true ? Infinity : 0),
    structuralSharing: false,
  });

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
