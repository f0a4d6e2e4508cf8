/** One's channels of a workspace, with what is unread in each; Alt and the arrows go through them. */

import { useEffect, useEffectEvent } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import type { Channel } from "../../api/types";
import { paths } from "../../paths";
import { useMyId } from "../../state/context";
import { isDirect, nameOf } from "../../state/names";
import { useChannels } from "../../state/places";
import { ChannelList } from "../../ui/ChannelList";

const sections = ["public", "private", "direct"] as const;

function section(channel: Channel): 0 | 1 | 2 {
  if (isDirect(channel)) return 2;
  return channel.kind === "private" ? 1 : 0;
}

export interface ChannelLinksProps {
  workspaceId: string;
  /** The one that is shown. */
  currentId: string | undefined;
}

export function ChannelLinks({ workspaceId, currentId }: ChannelLinksProps) {
  const { i18n } = useTranslation();
  const navigate = useNavigate();
  const { channels = [] } = useChannels();
  const myId = useMyId();
  // Default channel first, then by name; public, private, direct messages, as they are shown.
  const listed = channels
    .filter(({ workspace_id, archived_at }) => workspace_id === workspaceId && archived_at === undefined)
    .toSorted(
      (a, b) =>
        Number(b.is_default) - Number(a.is_default) ||
        section(a) - section(b) ||
        nameOf(a, myId).localeCompare(nameOf(b, myId), i18n.language, { numeric: true }),
    );

  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || !event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const at = listed.findIndex((channel) => channel.id === currentId);
    const next = listed[(at + step + listed.length) % listed.length];
    if (next !== undefined) void navigate(paths.channel(next.id));
  });
  useEffect(() => {
    const hear = (event: KeyboardEvent) => onKey(event);
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
  }, []);

  return (
    <ChannelList
      channels={listed.map((channel) => ({
        id: channel.id,
        name: nameOf(channel, myId),
        kind: sections[section(channel)],
        unread: channel.unread_count ?? 0,
        mentions: channel.mention_count ?? 0,
      }))}
      currentId={currentId}
      addressOf={paths.channel}
      onOpen={(id) => void navigate(paths.channel(id))}
    />
  );
}
