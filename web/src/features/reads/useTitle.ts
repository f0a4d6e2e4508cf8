/** The page's title: how much is unread, and where one is. */

import { useEffect } from "react";

import { useChannels } from "../../state/places";

export function useTitle(place: string | undefined): void {
  const { channels } = useChannels();
  const unread = (channels ?? []).reduce((sum, channel) => sum + (channel.unread_count ?? 0), 0);
  const parts = [unread > 0 ? `(${unread > 99 ? "99+" : unread})` : "", place ?? "", "Madang"];
  const title = `${parts[0] ?? ""} ${parts[1] === "" ? "" : `${parts[1] ?? ""} · `}${parts[2] ?? ""}`.trim();
  useEffect(() => {
    document.title = title;
  }, [title]);
}
