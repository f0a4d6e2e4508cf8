/** Saying that one types, and who else does. */

import { useQueries } from "@tanstack/react-query";
import { useEffect, useRef } from "react";

import { userQuery } from "../../api/queries";
import { useSync } from "../../state/context";
import { useTypingStore } from "../../state/typing";

/** The server forgets after six seconds. */
const REPEAT_MS = 3_000;
const nobody: readonly string[] = [];

/** Call the first with each change of the text, the second when it was sent. */
export function useSayTyping(channelId: string): { typed: (text: string) => void; stopped: () => void } {
  const sync = useSync();
  const saidAt = useRef(0);

  const stopped = () => {
    if (saidAt.current === 0) return;
    saidAt.current = 0;
    sync.sayTyping(channelId, false);
  };
  const typed = (text: string) => {
    if (text.trim() === "") {
      stopped();
      return;
    }
    if (Date.now() - saidAt.current < REPEAT_MS) return;
    saidAt.current = Date.now();
    sync.sayTyping(channelId, true);
  };

  // Going elsewhere ends it.
  useEffect(
    () => () => {
      if (saidAt.current !== 0) sync.sayTyping(channelId, false);
      saidAt.current = 0;
    },
    [sync, channelId],
  );
  return { typed, stopped };
}

/** The names of those who type now. */
export function useTypingNames(channelId: string): string[] {
  const ids = useTypingStore(({ channels }) => channels[channelId] ?? nobody);
  return useQueries({
    // More than three are "several people": their names do not matter.
    queries: ids.slice(0, 3).map((id) => userQuery(id)),
    combine: (results) => results.map(({ data }) => data?.display_name ?? "…"),
  });
}
