/**
 * How each thing is read by REST. What the gateway keeps fresh is read once; the rest is read again
 * whenever it is shown.
 */

import {
  infiniteQueryOptions,
  keepPreviousData,
  QueryClient,
  queryOptions,
  type QueryKey,
} from "@tanstack/react-query";

import { asApiError } from "./errors";
import { keys } from "./keys";
import * as requests from "./requests";
import type { Member, Message, NotificationCount, Online, Page, Presence } from "./types";

export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // The browser's word on being online is not worth much; a try is.
        networkMode: "always",
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
        retry: (count, error) => {
          const { code, temporary } = asApiError(error);
          return temporary && code !== "unauthenticated" && count < 3;
        },
      },
      mutations: { networkMode: "always" },
    },
  });
}

export const meQuery = queryOptions({
  queryKey: keys.me,
  queryFn: ({ signal }) => requests.getMe(signal),
  staleTime: Infinity,
});

export const sessionsQuery = queryOptions({
  queryKey: keys.sessions,
  queryFn: ({ signal }) => requests.listSessions(signal),
});

export const workspacesQuery = queryOptions({
  queryKey: keys.workspaces,
  queryFn: ({ signal }) => requests.listWorkspaces(signal),
  staleTime: Infinity,
});

export const channelsQuery = queryOptions({
  queryKey: keys.channels,
  queryFn: ({ signal }) => requests.listChannels(signal),
  staleTime: Infinity,
});

export const browseQuery = (workspaceId: string) =>
  queryOptions({
    queryKey: keys.browse(workspaceId),
    queryFn: ({ signal }) => requests.browseChannels(workspaceId, signal),
  });

/** One channel that may not be among one's own. */
export const channelQuery = (id: string) =>
  queryOptions({
    queryKey: keys.channel(id),
    queryFn: ({ signal }) => requests.getChannel(id, signal),
  });

/** What the code of an invite opens; asked again each time: it may be used up meanwhile. */
export const inviteQuery = (code: string) =>
  queryOptions({
    queryKey: keys.invite(code),
    queryFn: ({ signal }) => requests.previewInvite(code, signal),
  });

export const guestLinksQuery = (workspaceId: string, channelId: string) =>
  queryOptions({
    queryKey: keys.guestLinks(channelId),
    queryFn: ({ signal }) => requests.listGuestLinks(workspaceId, channelId, signal),
  });

/** A workspace's own emoji; the gateway keeps them fresh. */
export const emojiQuery = (workspaceId: string) =>
  queryOptions({
    queryKey: keys.emoji(workspaceId),
    queryFn: ({ signal }) => requests.listEmoji(workspaceId, signal),
    staleTime: Infinity,
  });

export const userQuery = (id: string) =>
  queryOptions({
    queryKey: keys.user(id),
    queryFn: ({ signal }) => requests.getUser(id, signal),
    staleTime: 10 * 60_000,
  });

/** The newest notifications. */
export const notificationsQuery = queryOptions({
  queryKey: keys.notifications,
  queryFn: ({ signal }) => requests.listNotifications(signal),
  staleTime: Infinity,
});

export const notificationSettingsQuery = queryOptions({
  queryKey: keys.notificationSettings,
  queryFn: ({ signal }) => requests.getNotificationSettings(signal),
  staleTime: Infinity,
});

/** Only ever told by the gateway. */
export const notificationCountQuery = queryOptions({
  queryKey: keys.notificationCount,
  queryFn: (): NotificationCount => ({ unread: 0, version: 0 }),
  staleTime: Infinity,
  gcTime: Infinity,
});

/** Only ever told by the gateway. */
export const presenceQuery = queryOptions({
  queryKey: keys.presence,
  queryFn: (): Record<string, Presence> => ({}),
  staleTime: Infinity,
  gcTime: Infinity,
});

/** How many are there, by workspace; only ever told by the gateway. */
export const onlineQuery = queryOptions({
  queryKey: keys.online,
  queryFn: (): Record<string, Online> => ({}),
  staleTime: Infinity,
  gcTime: Infinity,
});

/** What the user has chosen; the gateway tells changes. */
export const settingsQuery = queryOptions({
  queryKey: keys.settings,
  queryFn: ({ signal }) => requests.getSettings(signal),
  staleTime: Infinity,
});

/** Others' read marks; only ever told by the gateway. */
export const readsQuery = (channelId: string) =>
  queryOptions({
    queryKey: keys.reads(channelId),
    queryFn: (): Record<string, number> => ({}),
    staleTime: Infinity,
  });

function members<Key extends QueryKey>(
  queryKey: Key,
  read: (after: string | undefined, signal: AbortSignal) => Promise<Page<Member>>,
) {
  const first: string | undefined = undefined;
  return infiniteQueryOptions({
    queryKey,
    queryFn: ({ pageParam, signal }: { pageParam: string | undefined; signal: AbortSignal }) =>
      read(pageParam, signal),
    initialPageParam: first,
    getNextPageParam: (page: Page<Member>) => page.next_cursor ?? undefined,
    select: (data) => data.pages.flatMap((page) => page.items),
  });
}

export const workspaceMembersQuery = (id: string) =>
  members(keys.workspaceMembers(id), (after, signal) => requests.listWorkspaceMembers(id, after, signal));

export const channelMembersQuery = (id: string) =>
  members(keys.channelMembers(id), (after, signal) => requests.listChannelMembers(id, after, signal));

/** The replies to a message, oldest first; the next page is the one before. */
export function repliesQuery({ id, version }: Message) {
  const first: string | undefined = undefined;
  return infiniteQueryOptions({
    queryKey: [...keys.replies(id), version],
    queryFn: ({ pageParam, signal }: { pageParam: string | undefined; signal: AbortSignal }) =>
      requests.listReplies(id, pageParam, signal),
    initialPageParam: first,
    getNextPageParam: (page: Page<Message>) => page.next_cursor ?? undefined,
    select: (data) => data.pages.toReversed().flatMap((page) => page.items),
    placeholderData: keepPreviousData,
  });
}
