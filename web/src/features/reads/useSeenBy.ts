/** Who has read up to a message, as far as their marks were told while this page was open. */

import { useQuery } from "@tanstack/react-query";

import { readsQuery } from "../../api/queries";

export function useSeenBy(channelId: string, seq: number | undefined): number {
  const { data } = useQuery({ ...readsQuery(channelId), enabled: false });
  if (seq === undefined || data === undefined) return 0;
  return Object.values(data).filter((read) => read >= seq).length;
}
