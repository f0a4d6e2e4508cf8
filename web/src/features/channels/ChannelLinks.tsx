/** One's channels of a workspace, with what is unread in each; Alt and the arrows go through them. */

import { useEffect, useEffectEvent } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";

import { paths } from "../../paths";
import { useChannels } from "../../state/places";
import { ChannelList } from "../../ui/ChannelList";

export interface ChannelLinksProps {
  workspaceId: string;
  /** The one that is shown. */
  currentId: string | undefined;
}

export function ChannelLinks({ workspaceId, currentId }: ChannelLinksProps) {
  const { i18n } = useTranslation();
  const navigate = useNavigate();
  const { channels = [] } = useChannels();
  // Default channel first, then by name; private ones after public ones, as they are shown.
  const listed = channels
    .filter((channel) => channel.workspace_id === workspaceId)
    .toSorted(
      (a, b) =>
        Number(b.is_default) - Number(a.is_default) ||
        Number(a.kind === "private") - Number(b.kind === "private") ||
        a.name.localeCompare(b.name, i18n.language, { numeric: true }),
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
        name: channel.name,
        kind: channel.kind,
        unread: channel.unread_count ?? 0,
      }))}
      currentId={currentId}
      addressOf={paths.channel}
      onOpen={(id) => void navigate(paths.channel(id))}
    />
  );
}
