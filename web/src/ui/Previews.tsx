/**
 * What the links of a message lead to, as cards below it: site, title, description and a small picture.
 *
 * The picture comes from the server like any file, so the site never hears of who reads.
 */
import CloseIcon from "@mui/icons-material/Close";
import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import Link from "@mui/material/Link";
import Typography from "@mui/material/Typography";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";

import { isSafeAddress } from "../lib/markdown";
import type { ListedPreview } from "../lib/rows";
import { useBytes } from "./Files";

/** Pixels of a picture across and down, at most. */
const LARGEST = 96;

export interface PreviewsProps {
  previews: readonly ListedPreview[];
  /** The bytes of a picture. */
  picture: (id: string) => Promise<Blob>;
  /** Take all of them away; only for whoever may. */
  onRemove?: (() => void) | undefined;
}

export function Previews({ previews, picture, onRemove }: PreviewsProps) {
  const { t } = useTranslation();
  return (
    <Box
      role="group"
      aria-label={t("previews.list")}
      sx={{ display: "flex", alignItems: "flex-start", gap: 0.5, py: 0.5 }}
    >
      <Box sx={{ display: "flex", flexDirection: "column", gap: 0.5, minWidth: 0, maxWidth: 520 }}>
        {previews.map((preview) => (
          <Card key={preview.url} preview={preview} picture={picture} />
        ))}
      </Box>
      {onRemove !== undefined && (
        <IconButton
          size="small"
          aria-label={t("previews.remove")}
          title={t("previews.remove")}
          onClick={onRemove}
        >
          <CloseIcon sx={{ fontSize: 16 }} />
        </IconButton>
      )}
    </Box>
  );
}

function Card({ preview, picture }: { preview: ListedPreview; picture: PreviewsProps["picture"] }) {
  const { url, title, description, image } = preview;
  return (
    <Box
      sx={{
        display: "flex",
        gap: 1,
        borderLeft: 3,
        borderColor: "divider",
        pl: 1,
        minWidth: 0,
        overflowWrap: "anywhere",
      }}
    >
      <Box sx={{ minWidth: 0, flex: 1 }}>
        <Typography variant="caption" component="div" color="textSecondary" noWrap>
          {preview.site_name ?? hostOf(url)}
        </Typography>
        {isSafeAddress(url) ? (
          <Link href={url} target="_blank" rel="noopener noreferrer" sx={{ fontWeight: 600 }}>
            {title}
          </Link>
        ) : (
          <span>{title}</span>
        )}
        {description !== undefined && (
          <Typography
            variant="body2"
            color="textSecondary"
            sx={{
              display: "-webkit-box",
              WebkitLineClamp: 3,
              WebkitBoxOrient: "vertical",
              overflow: "hidden",
            }}
          >
            {description}
          </Typography>
        )}
      </Box>
      {image !== undefined && <Picture image={image} picture={picture} />}
    </Box>
  );
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}

function Picture({
  image,
  picture,
}: {
  image: NonNullable<ListedPreview["image"]>;
  picture: PreviewsProps["picture"];
}) {
  const { id, width, height } = image;
  const { url, failed } = useBytes(useCallback(() => picture(id), [picture, id]));
  const scale = Math.min(1, LARGEST / Math.max(width, height));
  if (failed) return null;
  return (
    <Box
      component="img"
      src={url}
      alt=""
      width={Math.round(width * scale)}
      height={Math.round(height * scale)}
      sx={{ flex: "none", borderRadius: 1, bgcolor: "action.hover", objectFit: "contain" }}
    />
  );
}
