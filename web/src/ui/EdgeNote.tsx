/** What happens at an end of the loaded messages: more are coming, or they could not be had. */
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useTranslation } from "react-i18next";

/** What is at an end of the loaded messages. */
export type Edge = "none" | "more" | "loading" | "failed";

/** The end, what to say while loading, and how to try again. */
export interface EdgeNoteProps {
  edge: Edge;
  note: string;
  onRetry: () => void;
}

/** What happens at an end of the loaded messages. */
export function EdgeNote({ edge, note, onRetry }: EdgeNoteProps) {
  const { t } = useTranslation();
  if (edge === "none") return null;
  if (edge !== "failed") {
    return (
      <Typography variant="caption" color="textSecondary">
        {note}
      </Typography>
    );
  }
  return (
    <Typography variant="caption" color="error" role="alert">
      {t("messages.loadFailed")}{" "}
      <Button size="small" onClick={onRetry}>
        {t("common.retry")}
      </Button>
    </Typography>
  );
}
