/** Someone's picture, or their initials on their colour; with a dot that tells whether they are there. */
import Box from "@mui/material/Box";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { colourOf, initialsOf } from "../lib/colour";
import { visuallyHidden } from "./visuallyHidden";

/** Whether someone is there. */
export type Status = "online" | "away" | "dnd" | "offline";

/** Whose picture, and how. */
export interface AvatarProps {
  /** The user's id; it decides the colour. */
  id: string;
  /** The name to show. */
  name: string;
  /** Where the picture is. */
  url?: string | undefined;
  /** The side in pixels. */
  size?: number;
  /** Shows the dot, with words for who cannot see it. */
  status?: Status | undefined;
}

/** Someone's picture. The name stands beside it, so the picture itself says nothing. */
export function Avatar({ id, name, url, size = 36, status }: AvatarProps) {
  const { t } = useTranslation();
  const [brokenUrl, setBrokenUrl] = useState<string>();
  const initials = initialsOf(name);
  return (
    <Box
      component="span"
      sx={{ position: "relative", display: "inline-flex", flex: "none", width: size, height: size }}
    >
      <Box
        component="span"
        aria-hidden
        style={{ backgroundColor: colourOf(id), fontSize: size * (initials.length > 1 ? 0.36 : 0.46) }}
        sx={{
          width: "100%",
          height: "100%",
          display: "grid",
          placeItems: "center",
          overflow: "hidden",
          borderRadius: "30%",
          color: "#FFFFFF",
          fontWeight: 600,
          lineHeight: 1,
          letterSpacing: "-0.02em",
          userSelect: "none",
          whiteSpace: "nowrap",
        }}
      >
        {url !== undefined && url !== brokenUrl ? (
          <img
            src={url}
            alt=""
            referrerPolicy="no-referrer"
            onError={() => setBrokenUrl(url)}
            style={{ width: "100%", height: "100%", objectFit: "cover" }}
          />
        ) : (
          initials
        )}
      </Box>
      {status !== undefined && (
        <>
          <StatusDot status={status} />
          <span style={visuallyHidden}>{t(`presence.${status}`)}</span>
        </>
      )}
    </Box>
  );
}

const dotColours = {
  online: "success.main",
  away: "warning.main",
  dnd: "error.main",
  offline: "text.secondary",
} as const;

/** Online is a full dot, away a half one, not to be disturbed one with a bar, offline a ring: without colours too. */
function StatusDot({ status }: { status: Status }) {
  return (
    <Box
      component="span"
      aria-hidden
      data-status={status}
      sx={{
        position: "absolute",
        right: -2,
        bottom: -2,
        width: 10,
        height: 10,
        borderRadius: "50%",
        border: 2,
        borderColor: dotColours[status],
        bgcolor: status === "online" || status === "dnd" ? dotColours[status] : "background.default",
        boxShadow: "0 0 0 2px var(--mui-palette-background-default)",
        boxSizing: "border-box",
        ...(status === "away" && {
          backgroundImage: "linear-gradient(90deg, var(--mui-palette-warning-main) 50%, transparent 50%)",
        }),
        ...(status === "dnd" && {
          backgroundImage:
            "linear-gradient(transparent 33%, var(--mui-palette-background-default) 33% 67%, transparent 67%)",
        }),
      }}
    />
  );
}
