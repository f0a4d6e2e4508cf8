/** Where one is and what one is there: me, workspaces, channels. */

import { useQuery } from "@tanstack/react-query";

import { keys } from "../api/keys";
import { channelQuery, channelsQuery, meQuery, workspacesQuery } from "../api/queries";
import type { Channel, Role, Sanction, User, Workspace } from "../api/types";
import { mayLookAround } from "./permissions";
import { useConnectionStore } from "./sync";

/** The gateway tells most things at once; without it they are read by REST. */
function useTried(): boolean {
  return useConnectionStore((connection) => connection.tried);
}

export function useMe(): User | undefined {
  return useQuery({ ...meQuery, enabled: useTried() }).data;
}

export function useWorkspaces(): Workspace[] | undefined {
  return useQuery({ ...workspacesQuery, enabled: useTried() }).data;
}

/** The channels one is a member of. */
export function useChannels(): { channels: Channel[] | undefined; error: Error | null } {
  const { data, error } = useQuery({ ...channelsQuery, enabled: useTried() });
  return { channels: data, error };
}

/** The channel in which one begins in a workspace: visitors are not in the default one. */
export function entranceOf(workspace: Workspace, channels: readonly Channel[] | undefined): string {
  const first = channels?.find(({ workspace_id }) => workspace_id === workspace.id);
  return mayLookAround(workspace.role) || first === undefined ? workspace.default_channel_id : first.id;
}

/** A channel one is in, or can look into. */
export function useChannel(id: string): { channel: Channel | undefined; error: Error | null } {
  const { channels, error } = useChannels();
  const joined = channels?.find((channel) => channel.id === id);
  const other = useQuery({ ...channelQuery(id), enabled: channels !== undefined && joined === undefined });
  if (joined !== undefined) return { channel: joined, error: null };
  return { channel: other.data, error: channels === undefined ? error : other.error };
}

export function useWorkspace(id: string | undefined): Workspace | undefined {
  return useWorkspaces()?.find((workspace) => workspace.id === id);
}

/** Why the user has to be silent in a channel, where they have to. */
export function useMute({ id, workspace_id }: Channel): Sanction | undefined {
  const { data } = useQuery<Sanction[]>({ queryKey: keys.sanctions, enabled: false });
  return data?.find(
    ({ kind, ...where }) =>
      kind === "mute" &&
      where.workspace_id === workspace_id &&
      (where.channel_id === undefined || where.channel_id === id),
  );
}

export function useRole(workspaceId: string | undefined): Role | undefined {
  return useWorkspace(workspaceId)?.role;
}
