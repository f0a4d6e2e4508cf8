/** A question before something that cannot, or not easily, be undone. */
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogContentText from "@mui/material/DialogContentText";
import DialogTitle from "@mui/material/DialogTitle";
import { useId } from "react";
import { useTranslation } from "react-i18next";

/** The question and what follows. */
export interface ConfirmDialogProps {
  open: boolean;
  title: string;
  /** What it means. */
  body?: string;
  /** What the button that goes on says: a verb. */
  confirmLabel: string;
  /** Whether something is lost; then the keyboard begins at the way back. */
  danger?: boolean;
  /** While it is being done. */
  busy?: boolean;
  onCancel: () => void;
  onConfirm: () => void;
}

/** A question with two answers. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { open, title, body, confirmLabel, danger = false, busy = false, onCancel, onConfirm } = props;
  const { t } = useTranslation();
  const id = useId();
  return (
    <Dialog
      open={open}
      onClose={onCancel}
      role="alertdialog"
      aria-labelledby={`${id}-title`}
      aria-describedby={body === undefined ? undefined : `${id}-body`}
      fullWidth
      maxWidth="xs"
      // Gone at once: what the question is about may be forgotten as soon as it is answered.
      transitionDuration={{ enter: 150, exit: 0 }}
    >
      <DialogTitle id={`${id}-title`}>{title}</DialogTitle>
      {body !== undefined && (
        <DialogContent>
          <DialogContentText id={`${id}-body`}>{body}</DialogContentText>
        </DialogContent>
      )}
      <DialogActions>
        <Button onClick={onCancel} autoFocus={danger}>
          {t("common.cancel")}
        </Button>
        <Button
          variant="contained"
          color={danger ? "error" : "primary"}
          disabled={busy}
          onClick={onConfirm}
          autoFocus={!danger}
        >
          {confirmLabel}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
