/**
 * Where the list of messages stands: where it begins, and how it keeps its place.
 *
 * TanStack Virtual anchors to the end: the row at the top of the view is found again by its key when
 * rows come before it, and a reader at the newest message stays there when more come. Two things it
 * cannot know are added here. The row that was the first loses or gains what stands above it (name,
 * day) once older ones are there: it changes its size at its top, so the view moves by as much. And
 * above the first row there is room, in which rows that come before it are first measured.
 */
import { defaultRangeExtractor, useVirtualizer } from "@tanstack/react-virtual";
import {
  useEffect,
  useEffectEvent,
  useInsertionEffect,
  useLayoutEffect,
  useRef,
  useState,
  type RefObject,
} from "react";

import type { Row } from "../lib/rows";

/** Within how many pixels of the end the reader counts as being there. */
export const END_PX = 48;
/** Frames until the list has measured its rows and found its place among them. */
const SETTLING_FRAMES = 4;
/** How long rows that came before others may take until they are measured. */
const MEASURING_MS = 500;
/** Room above the first row, for what tells about older ones; always the same, so nothing jumps. */
export const TOP_PX = 64;
/** Room below the last row, likewise. */
export const END_ROOM_PX = 24;

/** What the place depends on. */
export interface MessagePlaceOptions {
  rows: readonly Row[];
  scroller: RefObject<HTMLElement | null>;
  /** Whether the reader is at the newest message there is, and so stays with it. */
  follows: boolean;
  /** A row that stays in the page wherever the list stands; -1 for none. */
  keepIndex: number;
  /** The id of the message to begin at, or to go to. */
  targetId: string | undefined;
}

/** The virtual list, and whether it has found its place, so that more may be loaded. */
export function useMessagePlace({ rows, scroller, follows, keepIndex, targetId }: MessagePlaceOptions) {
  const placedFor = useRef<string>(undefined);
  const [settled, setSettled] = useState(false);
  const former = useRef({ first: "", until: 0 });
  const firstKey = useRef<string>(undefined);
  const lastKey = rows.at(-1)?.key;

  // eslint-disable-next-line react-hooks/incompatible-library -- Its answers are read in this very render only.
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (rows[index]?.head === true ? 64 : 30),
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 8,
    paddingStart: TOP_PX,
    paddingEnd: END_ROOM_PX,
    scrollPaddingStart: TOP_PX,
    anchorTo: "end",
    followOnAppend: follows,
    scrollEndThreshold: follows ? END_PX : 1,
    rangeExtractor: (range) => {
      const indexes = defaultRangeExtractor(range);
      if (keepIndex < 0 || indexes.includes(keepIndex)) return indexes;
      return [...indexes, keepIndex].sort((a, b) => a - b);
    },
  });

  // Rows are measured while they come into the page, before layout effects run: so this runs before.
  useInsertionEffect(() => {
    const first = rows[0]?.key;
    if (firstKey.current !== undefined && firstKey.current !== first) {
      former.current = { first: firstKey.current, until: performance.now() + MEASURING_MS };
    }
    firstKey.current = first;
  }, [rows]);
  useInsertionEffect(() => {
    virtualizer.shouldAdjustScrollPositionOnItemSizeChange = (item, _delta, list) => {
      const offset = list.scrollOffset ?? 0;
      if (performance.now() < former.current.until) {
        const first = list.measurementsCache.find(({ key }) => key === former.current.first);
        // It is at the top of the view, or above: what grows or shrinks up to it moves the view.
        if (first !== undefined && first.start <= offset + TOP_PX + 1) {
          if (item.index <= first.index) return true;
        }
      }
      const measured = list.itemSizeCache.has(item.key);
      return measured ? item.end <= offset && list.scrollDirection !== "backward" : item.start < offset;
    };
  }, [virtualizer]);

  // Where to begin, and where a link points to.
  useLayoutEffect(() => {
    if (rows.length === 0) return;
    const target = targetId === undefined ? -1 : rows.findIndex(({ message }) => message.id === targetId);
    const began = placedFor.current === undefined;
    // A target that is not loaded may come with a page on its way, and is gone to then.
    const place = target >= 0 ? targetId : "";
    if (!began && (place === "" || place === placedFor.current)) {
      if (targetId === undefined) placedFor.current = "";
      return;
    }
    placedFor.current = place;
    const unread = rows.findIndex((row) => row.unread);
    const goThere = () => {
      if (target >= 0) virtualizer.scrollToIndex(target, { align: "center" });
      else if (unread >= 0) virtualizer.scrollToIndex(unread, { align: "start" });
      else virtualizer.scrollToEnd();
    };
    goThere();
    setSettled(false);
    // Rows are counted until the place is found, so none may come before them meanwhile. Going there
    // again, once they are measured, also ends what the list still meant to correct on the way.
    let frames = SETTLING_FRAMES;
    const wait = () => {
      frames -= 1;
      if (frames > 0) {
        requestAnimationFrame(wait);
        return;
      }
      goThere();
      setSettled(true);
    };
    requestAnimationFrame(wait);
  }, [rows, targetId, virtualizer]);

  // What one writes oneself is to be seen.
  const last = rows.at(-1);
  const toOwn = useEffectEvent(() => {
    if (last?.message.own === true && last.message.state === "pending") virtualizer.scrollToEnd();
  });
  useLayoutEffect(() => toOwn(), [lastKey]);

  // A list that did not fill the view stood at its end, which is where the reader was.
  const wasShort = useRef(false);
  const first = rows[0]?.key;
  useLayoutEffect(() => {
    if (wasShort.current) virtualizer.scrollToEnd();
  }, [first, virtualizer]);
  useEffect(() => {
    const element = scroller.current;
    wasShort.current = element !== null && element.scrollHeight <= element.clientHeight;
  });

  // Who is at the newest message stays there when the view changes its size: a keyboard on the screen,
  // a longer draft, a line that tells of a lost connection.
  const stay = useEffectEvent(() => {
    if (follows && settled) virtualizer.scrollToEnd();
  });
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => stay());
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller]);

  return { virtualizer, settled };
}
