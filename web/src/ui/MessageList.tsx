/**
 * The messages of a channel: a virtual list that loads more at both ends.
 *
 * How it keeps its place is told in `useMessagePlace.ts`. A reader at the end of what is *loaded*, while
 * newer pages exist, must not be carried along with them: following is on only at the true end.
 *
 * Invariants:
 * - What the reader looks at does not move unless they are at the newest message or ask for it.
 * - The row with the keyboard's focus stays in the page however far the list is scrolled.
 */
import KeyboardArrowDownIcon from "@mui/icons-material/KeyboardArrowDown";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import {
  useEffect,
  useEffectEvent,
  useImperativeHandle,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
  type Ref,
} from "react";
import { useTranslation } from "react-i18next";

import type { ListedMessage, Row } from "../lib/rows";
import { EdgeNote, type Edge } from "./EdgeNote";
import { MessageRow, type MessageActions } from "./MessageRow";
import { END_PX, END_ROOM_PX, TOP_PX, useMessagePlace } from "./useMessagePlace";
import { visuallyHidden } from "./visuallyHidden";

export type { Edge } from "./EdgeNote";

/** How the parent moves the list. */
export interface MessageListHandle {
  /** Shows the newest loaded message. */
  scrollToNewest: () => void;
  /** Shows the message with this key or id; false when it is not loaded. */
  scrollTo: (keyOrId: string) => boolean;
  /** Puts the keyboard on the newest message. */
  focusNewest: () => void;
}

/** The messages and what to do with them. Give a list its own `key` for each channel. */
export interface MessageListProps {
  rows: readonly Row[];
  /** The accessible name: "Messages in #general". */
  label: string;
  older: Edge;
  newer: Edge;
  onLoadOlder: () => void;
  onLoadNewer: () => void;
  /** Asked for when the newest messages are wanted and `newer` is not `none`: load them anew. */
  onJumpToNewest: () => void;
  /** Called with the greatest place in the channel that came into view. */
  onSeen?: (seq: number) => void;
  actions: MessageActions;
  /** The key of the message that is edited, and what stands in place of its text. */
  editingKey?: string | undefined;
  renderEditor?: (message: ListedMessage) => ReactNode;
  /** The id of a message to show in the middle and mark: what a link points to. */
  targetId?: string | undefined;
  /** What stands above the very first message. */
  beginning?: ReactNode;
  ref?: Ref<MessageListHandle>;
}

/** How many rows before an end more are asked for. */
const LOAD_ROWS = 12;
/** The messages of a channel. */
export function MessageList(props: MessageListProps) {
  const { rows, label, older, newer, onLoadOlder, onLoadNewer, onJumpToNewest, onSeen } = props;
  const { actions, editingKey, renderEditor, targetId, beginning, ref } = props;
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const lastKey = rows.at(-1)?.key;
  const [atEnd, setAtEnd] = useState(targetId === undefined);
  const [leftAt, setLeftAt] = useState<string>(); // The newest row when the reader left the end.
  const [activeKey, setActiveKey] = useState<string>();
  const [cameWith] = useState(lastKey);
  const seen = useRef(0);

  const activeIndex = activeKey === undefined ? -1 : rows.findIndex(({ key }) => key === activeKey);

  const follows = atEnd && newer === "none";
  const { virtualizer, settled } = useMessagePlace({
    rows,
    scroller,
    follows,
    keepIndex: activeIndex,
    targetId,
  });
  const items = virtualizer.getVirtualItems();

  const first = items[0]?.index ?? 0;
  const end = items.at(-1)?.index ?? 0;
  const loadOlder = useEffectEvent(onLoadOlder);
  const loadNewer = useEffectEvent(onLoadNewer);
  const still = settled && rows.length > 0;
  const wantsOlder = still && older === "more" && first < LOAD_ROWS;
  const wantsNewer = still && newer === "more" && end >= rows.length - LOAD_ROWS;
  useEffect(() => {
    if (wantsOlder) loadOlder();
  }, [wantsOlder, rows.length]);
  useEffect(() => {
    if (wantsNewer) loadNewer();
  }, [wantsNewer, rows.length]);

  /** Tells what came into view, and whether the reader is at the newest message. */
  function look() {
    const element = scroller.current;
    if (element === null || !settled) return;
    const bottom = element.scrollTop + element.clientHeight;
    const there = newer === "none" && element.scrollHeight - bottom <= END_PX;
    setAtEnd(there);
    setLeftAt((before) => (there ? undefined : (before ?? lastKey)));
    if (!document.hasFocus()) return; // A page nobody looks at has not been read.
    const inView = virtualizer
      .getVirtualItems()
      .filter(({ start, end: below }) => start < bottom && below <= bottom + END_PX);
    const greatest = Math.max(0, ...inView.map(({ index }) => rows[index]?.message.seq ?? 0));
    if (greatest > seen.current) {
      seen.current = greatest;
      onSeen?.(greatest);
    }
  }
  const lookAgain = useEffectEvent(look);
  useEffect(() => {
    const onFocus = () => lookAgain();
    window.addEventListener("focus", onFocus);
    return () => window.removeEventListener("focus", onFocus);
  }, []);
  useEffect(() => {
    // After the list has found its place for the new rows.
    const frame = requestAnimationFrame(() => lookAgain());
    return () => cancelAnimationFrame(frame);
  }, [rows, newer, settled]);

  function focusRow(index: number) {
    const key = rows[index]?.key;
    if (key === undefined) return;
    setActiveKey(key);
    virtualizer.scrollToIndex(index, { align: "auto" });
    // It may only now come into the page.
    requestAnimationFrame(() => rowElement(scroller.current, key)?.focus({ preventScroll: true }));
  }

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>) {
    const on = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-row]") : null;
    if (on === null) return;
    if (event.key === "Escape" && on !== event.target && on.dataset["row"] !== editingKey) {
      on.focus();
      return;
    }
    if (on !== event.target || event.altKey || event.ctrlKey || event.metaKey) return;
    const at = rows.findIndex(({ key }) => key === on.dataset["row"]);
    const steps: Record<string, number> = {
      ArrowUp: at - 1,
      ArrowDown: at + 1,
      Home: 0,
      End: rows.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    focusRow(Math.max(0, Math.min(rows.length - 1, to)));
  }

  function toNewest() {
    if (newer === "none") virtualizer.scrollToEnd();
    else onJumpToNewest();
  }

  useImperativeHandle(ref, () => ({
    scrollToNewest: () => virtualizer.scrollToEnd(),
    scrollTo: (keyOrId) => {
      const index = rows.findIndex(({ key, message }) => key === keyOrId || message.id === keyOrId);
      if (index >= 0) virtualizer.scrollToIndex(index, { align: "center" });
      return index >= 0;
    },
    focusNewest: () => focusRow(rows.length - 1),
  }));

  const newest = rows.at(-1)?.message;
  const announce =
    lastKey !== cameWith && newer === "none" && newest?.own === false && newest.state === "sent";
  const leftIndex = leftAt === undefined ? -1 : rows.findIndex(({ key }) => key === leftAt);
  const fresh = leftIndex < 0 ? 0 : rows.slice(leftIndex + 1).filter(({ message }) => !message.own).length;

  return (
    <Box sx={{ position: "relative", flex: 1, minHeight: 0, display: "flex", flexDirection: "column" }}>
      <Box
        ref={scroller}
        role="log"
        aria-label={label}
        aria-live="off" // Rows come and go with scrolling; what is new is told below.
        onScroll={look}
        onKeyDown={onKeyDown}
        onFocus={(event) => setActiveKey(event.target.closest<HTMLElement>("[data-row]")?.dataset["row"])}
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) setActiveKey(undefined);
        }}
        sx={{
          flex: 1,
          minHeight: 0,
          overflowY: "auto",
          overflowX: "hidden",
          overflowAnchor: "none", // The place is kept here, and by one of the two only.
          overscrollBehavior: "contain",
          display: "flex",
          flexDirection: "column",
        }}
      >
        <div
          style={{
            position: "relative",
            flex: "none",
            marginTop: "auto",
            height: virtualizer.getTotalSize(),
          }}
        >
          <Box
            sx={{ height: TOP_PX, px: 2, display: "flex", alignItems: "center", justifyContent: "center" }}
          >
            <EdgeNote edge={older} note={t("messages.loadingOlder")} onRetry={onLoadOlder} />
            {older === "none" && beginning}
          </Box>
          <Box
            sx={{ position: "absolute", bottom: 0, height: END_ROOM_PX, width: "100%", textAlign: "center" }}
          >
            <EdgeNote edge={newer} note={t("messages.loadingNewer")} onRetry={onLoadNewer} />
          </Box>
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            const editor = row.key === editingKey ? renderEditor?.(row.message) : undefined;
            return (
              <div
                key={item.key}
                ref={virtualizer.measureElement}
                data-index={item.index}
                style={{
                  position: "absolute",
                  top: 0,
                  left: 0,
                  width: "100%",
                  transform: `translateY(${item.start}px)`,
                }}
              >
                <MessageRow
                  message={row.message}
                  head={row.head}
                  day={row.day}
                  unread={row.unread}
                  marked={targetId !== undefined && row.message.id === targetId}
                  reachable={activeIndex < 0 ? item.index === rows.length - 1 : item.index === activeIndex}
                  actions={actions}
                  editor={editor}
                />
              </div>
            );
          })}
        </div>
        {newer !== "none" && (
          <Box
            sx={{
              flex: "none",
              height: TOP_PX,
              display: "flex",
              alignItems: "center",
              justifyContent: "center",
            }}
          >
            <EdgeNote edge={newer} note={t("messages.loadingNewer")} onRetry={onLoadNewer} />
          </Box>
        )}
      </Box>
      <span aria-live="polite" style={visuallyHidden}>
        {announce && `${newest.author.name}: ${newest.content}`}
      </span>
      {(leftAt !== undefined || newer !== "none") && (
        <Button
          variant="contained"
          size="small"
          onClick={toNewest}
          endIcon={<KeyboardArrowDownIcon />}
          sx={{
            position: "absolute",
            bottom: 12,
            left: "50%",
            transform: "translateX(-50%)",
            borderRadius: 4,
          }}
        >
          {fresh > 0 ? t("messages.jumpNew", { count: fresh }) : t("messages.jumpToNewest")}
        </Button>
      )}
    </Box>
  );
}

function rowElement(within: HTMLElement | null, key: string): HTMLElement | undefined {
  return [...(within?.querySelectorAll<HTMLElement>("[data-row]") ?? [])].find(
    (row) => row.dataset["row"] === key,
  );
}
