/**
 * One's channels as links, public ones, private ones and direct messages apart, with what is unread in each.
 *
 * They are true links: they can be opened elsewhere and copied. A plain click is given to `onOpen`.
 */
import LockOutlinedIcon from "@mui/icons-material/LockOutlined";
import PersonOutlineIcon from "@mui/icons-material/PersonOutlineOutlined";
import TagIcon from "@mui/icons-material/Tag";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { useId, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

/** A channel in the list. */
export interface ListedChannel {
  id: string;
  name: string;
  kind: "public" | "private" | "direct";
  /** How many messages are unread. */
  unread: number;
  /** How many of them mention one. */
  mentions?: number;
}

/** The channels, in the order to show them. */
export interface ChannelListProps {
  channels: readonly ListedChannel[];
  /** The one that is open. */
  currentId?: string | undefined;
  /** Where a channel's link leads. */
  addressOf: (id: string) => string;
  /** A plain click, or Enter, on a channel. */
  onOpen: (id: string) => void;
}

/** More than this many unread messages are not counted out. */
const COUNT_TO = 99;

const icons = { public: TagIcon, private: LockOutlinedIcon, direct: PersonOutlineIcon };

/** One's channels. */
export function ChannelList({ channels, currentId, addressOf, onOpen }: ChannelListProps) {
  const { t } = useTranslation();
  const id = useId();
  const sections = [
    { kind: "public", title: t("channels.channels") },
    { kind: "private", title: t("channels.private") },
    { kind: "direct", title: t("channels.direct") },
  ] as const;

  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const links = [...event.currentTarget.querySelectorAll<HTMLElement>("a")];
    const at = links.findIndex((link) => link === document.activeElement);
    event.preventDefault();
    links[(at + step + links.length) % links.length]?.focus();
  }

  if (channels.length === 0) {
    return (
      <Typography variant="body2" color="textSecondary" sx={{ px: 2, py: 1 }}>
        {t("channels.none")}
      </Typography>
    );
  }
  return (
    <div onKeyDown={onKeyDown}>
      {sections.map(({ kind, title }) => {
        const listed = channels.filter((channel) => channel.kind === kind);
        if (listed.length === 0) return null;
        return (
          <Box key={kind} sx={{ px: 1, pb: 1.5 }}>
            <Typography
              id={`${id}-${kind}`}
              component="h2"
              variant="overline"
              color="textSecondary"
              sx={{ display: "block", px: 1 }}
            >
              {title}
            </Typography>
            <Box component="ul" aria-labelledby={`${id}-${kind}`} sx={{ m: 0, p: 0, listStyle: "none" }}>
              {listed.map((channel) => (
                <li key={channel.id}>
                  <ChannelLink
                    channel={channel}
                    current={channel.id === currentId}
                    address={addressOf(channel.id)}
                    onOpen={onOpen}
                  />
                </li>
              ))}
            </Box>
          </Box>
        );
      })}
    </div>
  );
}

interface ChannelLinkProps {
  channel: ListedChannel;
  current: boolean;
  address: string;
  onOpen: (id: string) => void;
}

function ChannelLink({ channel, current, address, onOpen }: ChannelLinkProps) {
  const { t } = useTranslation();
  const { id, name, kind, unread, mentions = 0 } = channel;
  const marks = [
    ...(kind === "private" ? [t("channels.isPrivate")] : []),
    ...(unread > 0 ? [t("channels.unread", { count: unread })] : []),
    ...(mentions > 0 ? [t("channels.mentions", { count: mentions })] : []),
  ];
  const Icon = icons[kind];
  return (
    <Box
      component="a"
      href={address}
      aria-label={[name, ...marks].join(", ")}
      aria-current={current ? "page" : undefined}
      data-unread={unread > 0 || undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        onOpen(id);
      }}
      sx={{
        display: "flex",
        alignItems: "center",
        gap: 1,
        minHeight: 34,
        px: 1,
        borderRadius: 1,
        textDecoration: "none",
        color: unread > 0 || current ? "text.primary" : "text.secondary",
        fontWeight: unread > 0 ? 700 : 400,
        bgcolor: current ? "courtyard.chosen" : undefined,
        "&:hover": { bgcolor: current ? undefined : "courtyard.hover" },
        "&:focus-visible": { outlineOffset: -2 },
      }}
    >
      <Icon aria-hidden sx={{ flex: "none", fontSize: 16, opacity: 0.8 }} />
      <Box
        component="span"
        sx={{ flex: 1, minWidth: 0, overflow: "hidden", textOverflow: "ellipsis", whiteSpace: "nowrap" }}
      >
        {name}
      </Box>
      {unread > 0 && (
        <Box
          component="span"
          aria-hidden
          sx={{
            flex: "none",
            minWidth: 20,
            px: 0.75,
            borderRadius: 5,
            bgcolor: "courtyard.persimmon",
            color: "courtyard.onPersimmon",
            fontSize: "0.75rem",
            lineHeight: "20px",
            textAlign: "center",
          }}
        >
          {mentions > 0 && "@ "}
          {unread > COUNT_TO ? `${COUNT_TO}+` : unread}
        </Box>
      )}
    </Box>
  );
}
