/**
 * The files of a message: pictures by their thumbnails, with room kept before they come; others by name.
 *
 * Bytes come with a token in a header, so a picture is fetched and shown from memory, never by its address.
 */
import DownloadIcon from "@mui/icons-material/Download";
import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import Typography from "@mui/material/Typography";
import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import type { ListedFile } from "../lib/rows";
import { formatBytes } from "../lib/text";

/** Pixels of a picture across and down, at most. */
const LARGEST = 320;

export interface FileActions {
  /** The bytes of a picture made small. */
  thumbnail: (file: ListedFile) => Promise<Blob>;
  /** The bytes of a picture that is small already. */
  picture: (id: string) => Promise<Blob>;
  /** Save one. */
  onSave: (file: ListedFile) => void;
}

export function Files({ files, actions }: { files: readonly ListedFile[]; actions: FileActions }) {
  return (
    <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "flex-start", gap: 1, py: 0.5 }}>
      {files.map((file) =>
        file.thumbnail ? (
          <Picture key={file.id} file={file} actions={actions} />
        ) : (
          <Named key={file.id} file={file} actions={actions} />
        ),
      )}
    </Box>
  );
}

interface FileProps {
  file: ListedFile;
  actions: FileActions;
}

/** The address of bytes in memory, once they came, and whether they did not. Give the same function each time. */
export function useBytes(load: () => Promise<Blob>): { url: string | undefined; failed: boolean } {
  const [url, setUrl] = useState<string>();
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    let made: string | undefined;
    let gone = false;
    load()
      .then((blob) => {
        if (gone) return;
        made = URL.createObjectURL(blob);
        setUrl(made);
      })
      .catch(() => {
        if (!gone) setFailed(true);
      });
    return () => {
      gone = true;
      if (made !== undefined) URL.revokeObjectURL(made);
    };
  }, [load]);

  return { url, failed };
}

function Picture({ file, actions }: FileProps) {
  const { t } = useTranslation();
  const { url, failed } = useBytes(useCallback(() => actions.thumbnail(file), [file, actions]));
  const { width = LARGEST, height = LARGEST } = file;
  const scale = Math.min(1, LARGEST / Math.max(width, height));

  if (failed) return <Named file={file} actions={actions} />;
  return (
    <ButtonBase
      onClick={() => actions.onSave(file)}
      aria-label={t("files.save", { name: file.name })}
      title={file.name}
      sx={{ borderRadius: 1, overflow: "hidden", bgcolor: "action.hover", maxWidth: "100%" }}
    >
      <Box
        component="img"
        src={url}
        alt={file.name}
        width={Math.round(width * scale)}
        height={Math.round(height * scale)}
        sx={{ display: "block", maxWidth: "100%", objectFit: "contain" }}
      />
    </ButtonBase>
  );
}

function Named({ file, actions }: FileProps) {
  const { t } = useTranslation();
  return (
    <ButtonBase
      onClick={() => actions.onSave(file)}
      aria-label={t("files.save", { name: file.name })}
      sx={{ border: 1, borderColor: "divider", borderRadius: 1, px: 1, py: 0.75, gap: 1, maxWidth: "100%" }}
    >
      <DownloadIcon fontSize="small" />
      <Typography component="span" noWrap sx={{ minWidth: 0 }}>
        {file.name}
      </Typography>
      <Typography component="span" variant="caption" color="textSecondary" sx={{ flex: "none" }}>
        {formatBytes(file.size)}
      </Typography>
    </ButtonBase>
  );
}
