/** The emoji on a message, and the choice of one to put there. */
import AddReactionOutlinedIcon from "@mui/icons-material/AddReactionOutlined";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import IconButton from "@mui/material/IconButton";
import Popover from "@mui/material/Popover";
import TextField from "@mui/material/TextField";
import { use, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import type { ListedReaction } from "../lib/rows";
import { CustomEmoji, Emoji, EmojiContext } from "./CustomEmoji";

/** The ones that are used most. */
const COMMON = ["👍", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👏", "🔥", "👀", "✅", "👎"];

/** How many of the workspace's own are shown at once; of more, those that are looked for. */
const LISTED = 36;

/** A place on the screen. */
export interface Point {
  top: number;
  left: number;
}

export interface ReactionsProps {
  reactions: readonly ListedReaction[];
  /** Without it nothing can be changed. */
  onReact?: ((emoji: string, add: boolean) => void) | undefined;
  /** Another one is wanted. */
  onChoose: (at: Point) => void;
}

/** Each emoji with its number; pressing one puts one's own there or takes it away. */
export function Reactions({ reactions, onReact, onChoose }: ReactionsProps) {
  const { t } = useTranslation();
  return (
    <Box
      role="group"
      aria-label={t("reactions.list")}
      sx={{ display: "flex", flexWrap: "wrap", gap: 0.5, mt: 0.25, mb: 0.5 }}
    >
      {reactions.map(({ emoji, count, own }) => (
        <ButtonBase
          key={emoji}
          disabled={onReact === undefined}
          aria-pressed={own}
          aria-label={t("reactions.chip", { emoji, count })}
          onClick={() => onReact?.(emoji, !own)}
          sx={{
            gap: 0.5,
            px: 0.75,
            height: 24,
            border: 1,
            borderRadius: 3,
            borderColor: own ? "primary.main" : "divider",
            bgcolor: own ? "courtyard.chosen" : undefined,
            fontSize: "0.875rem",
            "&:focus-visible": { outline: 2, outlineOffset: 1 },
          }}
        >
          <span>
            <Emoji emoji={emoji} />
          </span>
          <Box component="span" sx={{ fontSize: "0.75rem", fontWeight: own ? 700 : 400 }}>
            {count}
          </Box>
        </ButtonBase>
      ))}
      {onReact !== undefined && <ChooseButton onChoose={onChoose} />}
    </Box>
  );
}

/** Opens the choice below itself. */
export function ChooseButton({ onChoose }: { onChoose: (at: Point) => void }) {
  const { t } = useTranslation();
  return (
    <IconButton
      size="small"
      aria-label={t("reactions.add")}
      aria-haspopup="dialog"
      title={t("reactions.add")}
      onClick={(event) => {
        const { bottom, left } = event.currentTarget.getBoundingClientRect();
        onChoose({ top: bottom, left });
      }}
      sx={{ color: "text.secondary", "& svg": { fontSize: 18 } }}
    >
      <AddReactionOutlinedIcon fontSize="small" />
    </IconButton>
  );
}

export interface ReactionChoiceProps {
  at: Point;
  onClose: () => void;
  onPick: (emoji: string) => void;
}

/** The common emoji and those of the workspace as buttons; Tab goes through them, Escape closes. */
export function ReactionChoice({ at, onClose, onPick }: ReactionChoiceProps) {
  const { t } = useTranslation();
  const { ids } = use(EmojiContext);
  const [wanted, setWanted] = useState("");
  const names = [...ids.keys()].filter((name) => name.includes(wanted.toLowerCase().normalize("NFC")));
  return (
    <Popover
      open
      onClose={onClose}
      disableRestoreFocus // What opened it may be gone: whoever shows this puts the focus back.
      anchorReference="anchorPosition"
      anchorPosition={at}
      slotProps={{ paper: { role: "dialog", "aria-label": t("reactions.choose") } }}
    >
      <Box sx={{ display: "grid", gridTemplateColumns: "repeat(6, 36px)", p: 0.5 }}>
        {COMMON.map((emoji, place) => (
          <Choice key={emoji} autoFocus={place === 0} onPick={() => onPick(emoji)}>
            {emoji}
          </Choice>
        ))}
      </Box>
      {ids.size > LISTED && (
        <TextField
          size="small"
          label={t("reactions.find")}
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
          sx={{ display: "block", mx: 0.5, mt: 0.5 }}
        />
      )}
      {ids.size > 0 && (
        <Box
          role="group"
          aria-label={t("reactions.ofWorkspace")}
          sx={{ display: "grid", gridTemplateColumns: "repeat(6, 36px)", p: 0.5 }}
        >
          {names.slice(0, LISTED).map((name) => (
            <Choice key={name} onPick={() => onPick(`:${name}:`)}>
              <CustomEmoji name={name} />
            </Choice>
          ))}
        </Box>
      )}
    </Popover>
  );
}

interface ChoiceProps {
  autoFocus?: boolean;
  onPick: () => void;
  children: ReactNode;
}

function Choice({ autoFocus = false, onPick, children }: ChoiceProps) {
  return (
    <ButtonBase
      autoFocus={autoFocus}
      onClick={onPick}
      sx={{
        height: 36,
        minWidth: 0,
        overflow: "hidden",
        borderRadius: 1,
        fontSize: "1.25rem",
        "&:hover, &:focus-visible": { bgcolor: "courtyard.hover" },
        "&:focus-visible": { outline: 2, outlineOffset: -2 },
      }}
    >
      {children}
    </ButtonBase>
  );
}
