/**
 * What runs behind the pages as long as someone is signed in: the connection, the order of events,
 * the outbox. One per login.
 */

import type { QueryClient } from "@tanstack/react-query";
import { create } from "zustand";

import { asApiError } from "../api/errors";
import { keys } from "../api/keys";
import * as requests from "../api/requests";
import { accessToken, refresh, signOut, type Login } from "../api/session";
import { Socket, type Status } from "../api/socket";
import { fromServer } from "../api/trust";
import type { Channel, Message } from "../api/types";
import { applyChanges, applyEvent, forgetTimeline, leaveChannel, type Cache } from "./apply";
import { findChannel, putMessages, putReadMark } from "./cache";
import { Outbox } from "./outbox";
import { Profiles } from "./profiles";
import { lastSeq, type Timeline } from "./timeline";
import { forgetTyping } from "./typing";
import { Versions } from "./versions";
import { Watching } from "./watching";

interface Connection {
  status: Status;
  /** Whether a try has ended, well or not, or takes long: until then pages wait, so as not to load twice. */
  tried: boolean;
}

export const useConnectionStore = create<Connection>(() => ({
  status: { phase: "connecting" },
  tried: false,
}));

export interface Sync {
  userId: string;
  outbox: Outbox;
  watching: Watching;
  retryNow: () => void;
  sayTyping: (channelId: string, typing: boolean) => void;
  /** Marks as read what was read when the mark was of this version. */
  markRead: (message: Message, readVersion: number) => Promise<void>;
  /** Marks a channel as unread from a message on. */
  markUnread: (channelId: string, messageId: string) => Promise<void>;
  /** One is in this channel from now on, by one's own doing: no need to wait for the event. */
  joined: (channel: Channel) => void;
  /** One is out of this channel from now on, by one's own doing. */
  left: (channel: Channel) => void;
  /** It is there no more, by one's own doing. */
  deleted: (channel: Channel) => void;
  stop: () => void;
}

const PATIENCE_MS = 2_000;

function socketUrl(): string {
  const url = new URL("/api/v1/ws", window.location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}

function activeTimelines(client: QueryClient): string[] {
  const ids: string[] = [];
  for (const query of client.getQueryCache().findAll({ queryKey: keys.timelines })) {
    const id = query.queryKey[1];
    const begun = query.state.data !== undefined || query.state.fetchStatus === "fetching";
    if (typeof id === "string" && begun) ids.push(id);
  }
  return ids;
}

export function startSync(client: QueryClient, login: Login): Sync {
  const me = login.userId;
  const cache: Cache = {
    client,
    me: () => me,
    settled: (nonce) => outbox.settled(nonce),
    watchAnew: () => watching.anew(),
    profiles: new Profiles({ client, fetchChanges: requests.listUserChanges }),
  };
  const versions = new Versions({
    me: () => me,
    apply: (event) => applyEvent(cache, event),
    applyChanges: (changes) => applyChanges(cache, changes),
    forgetTimeline: (id) => forgetTimeline(cache, id),
    fetchChanges: (id, after) => requests.listChanges(id, after),
    fetchChannel: (id) => requests.getChannel(id),
    readVersion: (id) => findChannel(client, id)?.read_version ?? 0,
    timelines: () => activeTimelines(client),
  });
  const socket = new Socket({
    url: socketUrl(),
    token: accessToken,
    tokenRefused: refresh,
    resume: () => versions.resume(),
    onEvent: (event) => versions.deliver(event),
    onStatus: (status) => {
      useConnectionStore.setState(({ tried }) => ({
        status,
        tried: tried || status.phase !== "connecting",
      }));
      if (status.phase === "online") {
        watching.connected();
        outbox.online();
      }
      if (status.phase === "stopped" && status.reason === "session_ended") signOut();
    },
  });
  const watching = new Watching((user_ids) => socket.say({ type: "WATCH", payload: { user_ids } }));
  const outbox = new Outbox({
    userId: me,
    send: async ({ channelId, content, nonce, fileIds }) => {
      const carried = fileIds === undefined ? {} : { file_ids: [...fileIds] };
      const payload = { channel_id: channelId, content, nonce, ...carried };
      if (!socket.online) return requests.sendMessage(payload);
      const message = await socket.request({ type: "MESSAGE", payload });
      if (fromServer<Message>(message)) return message;
      throw asApiError(new Error("The acknowledgement carries no message"));
    },
    onSent: (message) => {
      // The answer may be faster than the events before it; then the event brings the message.
      const timeline = client.getQueryData<Timeline>(keys.timeline(message.channel_id));
      const next = timeline?.loaded === true && message.seq === lastSeq(timeline) + 1;
      if (next && !versions.busy(message.channel_id)) {
        putMessages(client, message.channel_id, me, [message]);
      }
    },
  });
  useConnectionStore.setState({ status: { phase: "connecting" }, tried: false });
  socket.start();
  const patience = setTimeout(() => useConnectionStore.setState({ tried: true }), PATIENCE_MS);
  return {
    userId: me,
    outbox,
    watching,
    retryNow: () => socket.retryNow(),
    sayTyping: (channelId, typing) => {
      socket.say({ type: "TYPING", payload: { channel_id: channelId, typing } });
    },
    markRead: async ({ channel_id, id: message_id, seq }, read_version) => {
      putReadMark(client, me, { channel_id, user_id: me, message_id, seq, read_version });
      const payload = { channel_id, message_id, read_version };
      if (socket.online) await socket.request({ type: "READ_RECEIPT", payload });
      else await requests.markRead(channel_id, message_id, read_version);
    },
    markUnread: async (channelId, messageId) => {
      versions.deliver({ type: "UNREAD", payload: await requests.markUnread(channelId, messageId) });
    },
    joined: (channel) => {
      versions.deliver({
        type: "CHANNEL",
        payload: { action: "created", channel: { ...channel, joined: true } },
      });
    },
    left: ({ id }) => {
      versions.left(id);
      leaveChannel(cache, id);
    },
    deleted: (channel) => {
      versions.deliver({ type: "CHANNEL", payload: { action: "deleted", channel } });
    },
    stop: () => {
      clearTimeout(patience);
      socket.stop();
      outbox.close();
      watching.stop();
      forgetTyping();
      client.clear();
    },
  };
}
