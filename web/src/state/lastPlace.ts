/** How one left the client, to begin there the next time: the channel, and whether its people show. */

import { useState } from "react";

import { read, write } from "../api/storage";

export function readLastPlace(userId: string): string | null {
  return read(`madang.place.${userId}`);
}

export function writeLastPlace(userId: string, channelId: string): void {
  write(`madang.place.${userId}`, channelId);
}

const MEMBERS = "madang.members";

/** Whether the members stand beside the channel: where there is room, unless they were closed. */
export function useMembersOpen(): [boolean, (open: boolean) => void] {
  const [open, setOpen] = useState(
    () => matchMedia("(min-width: 1200px)").matches && read(MEMBERS) !== "closed",
  );
  const choose = (wanted: boolean) => {
    setOpen(wanted);
    write(MEMBERS, wanted ? "open" : "closed");
  };
  return [open, choose];
}
