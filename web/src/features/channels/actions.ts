/** What can be done with channels. The events of the gateway tell everyone else. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { keys } from "../../api/keys";
import * as requests from "../../api/requests";
import type {
  Channel,
  CreateChannel,
  UpdateChannel,
  UpdateChannelNotifications,
  UserSummary,
} from "../../api/types";
import { editChannel, mergeChannel, putMember } from "../../state/cache";
import { useSync } from "../../state/context";
import { errorText } from "../../state/errorText";
import { putNotificationSettings } from "../../state/notifications";
import { notify } from "../../state/notices";

const tell = (error: Error) => notify(errorText(error), "error");

/** Its errors belong to the form. */
export function useCreateChannel(onDone: (channel: Channel) => void) {
  const sync = useSync();
  return useMutation({
    mutationFn: (body: CreateChannel) => requests.createChannel(body),
    onSuccess: (channel) => {
      sync.joined(channel);
      onDone(channel);
    },
  });
}

/** Its errors belong to the form. */
export function useUpdateChannel(channelId: string, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: UpdateChannel) => requests.updateChannel(channelId, body),
    onSuccess: (state) => {
      editChannel(client, channelId, (channel) => mergeChannel(channel, state));
      onDone();
    },
  });
}

/** The direct message with someone. */
export function useOpenDirect(workspaceId: string, onDone: (channel: Channel) => void) {
  const sync = useSync();
  return useMutation({
    mutationFn: (userId: string) => requests.openDirect({ workspace_id: workspaceId, user_ids: [userId] }),
    onSuccess: (channel) => {
      sync.joined(channel);
      onDone(channel);
    },
    onError: tell,
  });
}

export function useJoinChannel(onDone?: (channel: Channel) => void) {
  const sync = useSync();
  return useMutation({
    mutationFn: requests.joinChannel,
    onSuccess: (channel) => {
      sync.joined(channel);
      onDone?.(channel);
    },
    onError: tell,
  });
}

export function useLeaveChannel(channel: Channel, onDone: () => void) {
  const sync = useSync();
  return useMutation({
    mutationFn: () => requests.leaveChannel(channel.id),
    onSuccess: () => {
      sync.left(channel);
      onDone();
    },
    onError: tell,
  });
}

export function useDeleteChannel(channel: Channel, onDone: () => void) {
  const sync = useSync();
  return useMutation({
    mutationFn: () => requests.deleteChannel(channel.id),
    onSuccess: () => {
      sync.deleted(channel);
      onDone();
    },
    onError: tell,
  });
}

export function useInvite(channelId: string, onDone: (user: UserSummary) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (user: UserSummary) => requests.addChannelMember(channelId, user.id),
    onSuccess: (member) => {
      putMember(client, keys.channelMembers(channelId), member);
      onDone(member.user);
    },
    onError: tell,
  });
}

/** Makes a guest link that gives access for so long, so often. Its errors belong to the dialog. */
export function useCreateGuestLink({ id, workspace_id }: Channel) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ ms, uses }: { ms: number; uses: number | undefined }) =>
      requests.createInvite(workspace_id, {
        channel_id: id,
        access_until: new Date(Date.now() + ms).toISOString(),
        ...(uses === undefined ? {} : { max_uses: uses }),
      }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.guestLinks(id) }),
  });
}

export function useEndGuestLink({ id, workspace_id }: Channel) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (link: string) => requests.revokeInvite(workspace_id, link),
    onError: tell,
    onSettled: () => client.invalidateQueries({ queryKey: keys.guestLinks(id) }),
  });
}

export function useRemoveFromChannel(channelId: string, onDone: () => void) {
  return useMutation({
    mutationFn: (userId: string) => requests.removeChannelMember(channelId, userId),
    onSuccess: onDone,
    onError: tell,
  });
}

/** Says what of a channel one wants to be notified of. */
export function useNotifyOfChannel(channelId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: UpdateChannelNotifications) => requests.updateChannelNotifications(channelId, body),
    onSuccess: (settings) => putNotificationSettings(client, settings),
    onError: tell,
  });
}
