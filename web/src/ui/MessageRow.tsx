/**
 * One message in the list, with the day and the line of the unread above it.
 *
 * Its actions show while the pointer or the keyboard is on it, and in a menu after a long press. They
 * are made only then: a list redraws many rows, and most are never acted on.
 */
import AddReactionOutlinedIcon from "@mui/icons-material/AddReactionOutlined";
import ContentCopyIcon from "@mui/icons-material/ContentCopy";
import DeleteOutlinedIcon from "@mui/icons-material/DeleteOutlined";
import EditOutlinedIcon from "@mui/icons-material/EditOutlined";
import MarkChatUnreadOutlinedIcon from "@mui/icons-material/MarkChatUnreadOutlined";
import ReplyIcon from "@mui/icons-material/Reply";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Divider from "@mui/material/Divider";
import IconButton from "@mui/material/IconButton";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import Typography from "@mui/material/Typography";
import { memo, useId, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { copyText } from "../lib/clipboard";
import { formatDay, formatFull, formatTime } from "../lib/dates";
import type { ListedMessage } from "../lib/rows";
import { Avatar } from "./Avatar";
import { Files, type FileActions } from "./Files";
import { Markdown } from "./Markdown";
import { Previews } from "./Previews";
import { ChooseButton, ReactionChoice, Reactions, type Point } from "./Reactions";
import { visuallyHidden } from "./visuallyHidden";

const LONG_PRESS_MS = 500;

/** What can be done with a message. Give the same object each time: rows redraw when it changes. */
export interface MessageActions {
  onEdit: (message: ListedMessage) => void;
  onDelete: (message: ListedMessage) => void;
  /** Send a failed one again. */
  onRetry: (message: ListedMessage) => void;
  /** Forget a failed one. */
  onDiscard: (message: ListedMessage) => void;
  /** Put an emoji there, or take one's own away. */
  onReact: (message: ListedMessage, emoji: string, add: boolean) => void;
  /** Show the replies to one. */
  onThread?: (message: ListedMessage) => void;
  /** Mark the channel as unread from one on. */
  onUnread?: (message: ListedMessage) => void;
  files?: FileActions;
  /** Take the previews of one's own away. */
  onRemovePreviews?: (message: ListedMessage) => void;
}

/** A message and how it shows; see `Row` for the marks. */
export interface MessageRowProps {
  message: ListedMessage;
  head: boolean;
  day: boolean;
  unread: boolean;
  /** Stands out: what a link pointed to. */
  marked: boolean;
  /** Whether the Tab key reaches it; one row in the list at a time. */
  reachable: boolean;
  actions: MessageActions;
  /** In place of the text, while it is edited. */
  editor?: ReactNode;
}

interface Action {
  label: string;
  icon: ReactNode;
  run: () => void;
}

/** One message. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const { message, head, day, unread, marked, reachable, actions, editor } = props;
  const { t, i18n } = useTranslation();
  const language = i18n.language;
  const nameId = useId();
  const [active, setActive] = useState(false);
  const [menuAt, setMenuAt] = useState<Point | null>(null);
  const [choiceAt, setChoiceAt] = useState<Point | null>(null);
  const row = useRef<HTMLElement>(null);
  const press = useRef<ReturnType<typeof setTimeout>>(undefined);

  const date = new Date(message.createdAt);
  const full = formatFull(date, language);
  const pending = message.state === "pending";
  const failed = message.state === "failed";

  const offered: Action[] = [];
  if (message.state !== "deleted" && editor === undefined) {
    const add = (label: string, icon: ReactNode, run: () => void) => offered.push({ label, icon, run });
    add(t("messages.copy"), <ContentCopyIcon fontSize="small" />, () => void copyText(message.content));
    const { onThread, onUnread } = actions;
    if (message.canReply === true && onThread !== undefined)
      add(t("messages.reply"), <ReplyIcon fontSize="small" />, () => onThread(message));
    if (message.state === "sent" && onUnread !== undefined)
      add(t("messages.markUnread"), <MarkChatUnreadOutlinedIcon fontSize="small" />, () => onUnread(message));
    if (message.canEdit)
      add(t("messages.edit"), <EditOutlinedIcon fontSize="small" />, () => actions.onEdit(message));
    if (message.canDelete) {
      add(t("messages.delete"), <DeleteOutlinedIcon fontSize="small" />, () => actions.onDelete(message));
    }
  }

  const onReact = message.canReact
    ? (emoji: string, add: boolean) => actions.onReact(message, emoji, add)
    : undefined;

  const { onRemovePreviews } = actions;

  const closeChoice = () => {
    setChoiceAt(null);
    row.current?.focus();
  };

  const cancelPress = () => clearTimeout(press.current);

  return (
    <>
      {day && (
        <Divider sx={{ px: 2, pt: 2, pb: 0.5 }}>
          <Typography component="h2" variant="caption" sx={{ fontWeight: 600, color: "text.secondary" }}>
            {formatDay(date, language, new Date())}
          </Typography>
        </Divider>
      )}
      {unread && (
        <Divider
          textAlign="right"
          sx={{ px: 2, py: 0.5, "&::before, &::after": { borderColor: "warning.main" } }}
        >
          <Typography variant="caption" sx={{ fontWeight: 700, color: "warning.main" }}>
            {t("messages.newLine")}
          </Typography>
        </Divider>
      )}
      <Box
        component="article"
        ref={row}
        aria-labelledby={nameId}
        aria-busy={pending}
        data-row={message.key}
        data-message-id={message.id ?? undefined}
        data-state={message.state}
        tabIndex={reachable ? 0 : -1}
        onMouseEnter={() => setActive(true)}
        onMouseLeave={() => setActive(false)}
        onFocus={() => setActive(true)}
        onBlur={(event) => {
          if (!event.currentTarget.contains(event.relatedTarget)) setActive(false);
        }}
        onPointerDown={(event) => {
          if (event.pointerType !== "touch" || offered.length === 0) return;
          const at = { top: event.clientY, left: event.clientX };
          cancelPress();
          press.current = setTimeout(() => setMenuAt(at), LONG_PRESS_MS);
        }}
        onPointerUp={cancelPress}
        onPointerMove={cancelPress}
        onPointerCancel={cancelPress}
        sx={{
          position: "relative",
          display: "grid",
          gridTemplateColumns: "36px minmax(0, 1fr)",
          columnGap: 1.5,
          px: 2,
          pt: head ? 1 : 0.25,
          pb: 0.25,
          bgcolor: marked || editor !== undefined ? "courtyard.chosen" : undefined,
          "&:hover, &:focus-within": {
            bgcolor: marked || editor !== undefined ? undefined : "courtyard.hover",
          },
          "&:focus-visible": { outlineOffset: -2 },
          "& .gutter": { visibility: active ? "visible" : "hidden" },
        }}
      >
        {head ? (
          <Avatar id={message.author.id} name={message.author.name} url={message.author.avatarUrl} />
        ) : (
          <Typography
            component="time"
            className="gutter"
            dateTime={message.createdAt}
            title={full}
            sx={{
              fontSize: "0.6875rem",
              lineHeight: "1.5rem",
              color: "text.secondary",
              whiteSpace: "nowrap",
              textAlign: "right",
              ml: -1.5,
            }}
          >
            {formatTime(date, language).replace(/\s?[AP]M$|^오[전후]\s/, "")}
          </Typography>
        )}
        <Box sx={{ minWidth: 0, opacity: pending ? 0.6 : 1, lineHeight: 1.5 }}>
          {head && (
            <Box sx={{ display: "flex", alignItems: "baseline", gap: 1, minWidth: 0 }}>
              <Typography
                component="span"
                sx={{ fontWeight: 700, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
              >
                {message.author.name}
              </Typography>
              <Typography
                component="time"
                variant="caption"
                color="textSecondary"
                dateTime={message.createdAt}
                title={full}
                noWrap
                sx={{ flex: "none" }}
              >
                {formatTime(date, language)}
              </Typography>
            </Box>
          )}
          <span id={nameId} hidden>
            {t("messages.byAt", { author: message.author.name, time: formatTime(date, language) })}
          </span>
          {editor ?? <Body message={message} language={language} />}
          {message.files !== undefined && message.files.length > 0 && actions.files !== undefined && (
            <Files files={message.files} actions={actions.files} />
          )}
          {message.previews !== undefined && message.previews.length > 0 && actions.files !== undefined && (
            <Previews
              previews={message.previews}
              picture={actions.files.picture}
              onRemove={message.own && onRemovePreviews ? () => onRemovePreviews(message) : undefined}
            />
          )}
          {message.reactions.length > 0 && (
            <Reactions reactions={message.reactions} onReact={onReact} onChoose={setChoiceAt} />
          )}
          {(message.replies ?? 0) > 0 && (
            <Button size="small" sx={{ px: 0.5, minWidth: 0 }} onClick={() => actions.onThread?.(message)}>
              {t("messages.replies", { count: message.replies ?? 0 })}
            </Button>
          )}
          {pending && <span style={visuallyHidden}>{t("messages.pending")}</span>}
          {failed && (
            <Box
              role="group"
              sx={{
                display: "flex",
                flexWrap: "wrap",
                alignItems: "center",
                columnGap: 0.5,
                "& button": { minWidth: 0 },
              }}
            >
              <Typography variant="caption" color="error">
                {message.failure === undefined
                  ? t("messages.failed")
                  : t("messages.failedWhy", { reason: message.failure })}
              </Typography>
              <Button size="small" onClick={() => actions.onRetry(message)}>
                {t("messages.retry")}
              </Button>
              <Button size="small" color="error" onClick={() => actions.onDiscard(message)}>
                {t("messages.discard")}
              </Button>
            </Box>
          )}
        </Box>
        {active && offered.length > 0 && (
          <Box
            role="toolbar"
            aria-label={t("messages.actions")}
            sx={{
              position: "absolute",
              top: head ? 0 : -14,
              right: 16,
              zIndex: 1,
              display: "flex",
              bgcolor: "background.paper",
              border: 1,
              borderColor: "divider",
              borderRadius: 1,
              "@media (hover: none)": { display: "none" }, // A long press gives the menu.
            }}
          >
            {onReact !== undefined && <ChooseButton onChoose={setChoiceAt} />}
            {offered.map(({ label, icon, run }) => (
              <IconButton
                key={label}
                size="small"
                aria-label={label}
                title={label}
                onClick={run}
                sx={{ color: "text.secondary", "& svg": { fontSize: 18 } }}
              >
                {icon}
              </IconButton>
            ))}
          </Box>
        )}
      </Box>
      {menuAt !== null && (
        <Menu open onClose={() => setMenuAt(null)} anchorReference="anchorPosition" anchorPosition={menuAt}>
          {onReact !== undefined && (
            <MenuItem
              onClick={() => {
                setMenuAt(null);
                setChoiceAt(menuAt);
              }}
              sx={{ gap: 1.5 }}
            >
              <AddReactionOutlinedIcon fontSize="small" />
              {t("reactions.add")}
            </MenuItem>
          )}
          {offered.map(({ label, icon, run }) => (
            <MenuItem
              key={label}
              onClick={() => {
                setMenuAt(null);
                run();
              }}
              sx={{ gap: 1.5 }}
            >
              {icon}
              {label}
            </MenuItem>
          ))}
        </Menu>
      )}
      {choiceAt !== null && (
        <ReactionChoice
          at={choiceAt}
          onClose={closeChoice}
          onPick={(emoji) => {
            closeChoice();
            onReact?.(emoji, true);
          }}
        />
      )}
    </>
  );
});

/** What a message says, or what is left of it. */
function Body({ message, language }: { message: ListedMessage; language: string }) {
  const { t } = useTranslation();
  if (message.state === "deleted") {
    return (
      <Typography sx={{ fontStyle: "italic", color: "text.secondary" }}>{t("messages.deleted")}</Typography>
    );
  }
  return (
    <>
      {message.content !== "" && <Markdown text={message.content} mentions={message.mentions} />}
      {message.editedAt !== undefined && (
        <Typography
          component="span"
          variant="caption"
          color="textSecondary"
          title={t("messages.editedAt", { time: formatFull(new Date(message.editedAt), language) })}
        >
          ({t("messages.edited")})
        </Typography>
      )}
    </>
  );
}
