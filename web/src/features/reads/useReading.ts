/**
 * Reading a channel: up to where one has read moves on with what comes into view; the line of the
 * unread stays where it was when one came, or when one last turned away.
 *
 * Marked as unread, here or on another device, a channel stays so until one comes to it anew.
 */

import { useEffect, useRef, useState } from "react";

import { asApiError } from "../../api/errors";
import type { Channel, Message } from "../../api/types";
import { useSync } from "../../state/context";
import { useFocused } from "../../state/focus";

export interface Reading {
  /** Where the line of the unread is; `undefined`: nowhere. */
  readSeq: number | undefined;
  /** The user has seen this message. */
  seen: (message: Message) => void;
}

/** Marks are sent at most this often, and again after this long when that failed. */
const PAUSE_MS = 400;
const RETRY_MS = 5_000;

/** Key the caller by channel. */
export function useReading(channel: Channel): Reading {
  const sync = useSync();
  const focused = useFocused();
  const unread = (channel.unread_count ?? 0) > 0;
  const [readSeq, setReadSeq] = useState(unread ? channel.last_read_seq : undefined);
  const [wasFocused, setWasFocused] = useState(focused);
  const version = channel.read_version ?? 0;
  const [cameIn] = useState(version);
  const [wasVersion, setWasVersion] = useState(version);
  const wanted = useRef<Message>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  // Whoever turns away has seen the line; what comes meanwhile is new, what comes afterwards is not.
  if (focused !== wasFocused) {
    setWasFocused(focused);
    if (!unread) setReadSeq(focused ? undefined : channel.last_read_seq);
  }

  if (version !== wasVersion) {
    setWasVersion(version);
    setReadSeq(channel.last_read_seq);
  }

  const send = () => {
    timer.current = undefined;
    const message = wanted.current;
    if (message === undefined) return;
    wanted.current = undefined;
    sync.markRead(message, cameIn).catch((error: unknown) => {
      if (!asApiError(error).temporary) return;
      wanted.current ??= message;
      timer.current ??= setTimeout(send, RETRY_MS);
    });
  };

  // Leaving the channel sends what is left to send.
  const flush = useRef(send);
  useEffect(() => {
    flush.current = send;
  });
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      flush.current();
    },
    [],
  );

  const seen = (message: Message) => {
    if (channel.joined !== true || version !== cameIn || message.seq <= (channel.last_read_seq ?? 0)) return;
    if (message.seq <= (wanted.current?.seq ?? 0)) return;
    wanted.current = message;
    timer.current ??= setTimeout(send, PAUSE_MS);
  };
  return { readSeq, seen };
}
