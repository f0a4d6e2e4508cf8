/** Shows the notices one after the other. */

import Alert from "@mui/material/Alert";
import Snackbar from "@mui/material/Snackbar";

import { dismissNotice, useNoticeStore } from "../state/notices";

export function Notices() {
  const notice = useNoticeStore(({ notices }) => notices[0]);
  if (notice === undefined) return null;
  const dismiss = () => dismissNotice(notice.id);
  return (
    <Snackbar
      key={notice.id}
      open
      autoHideDuration={notice.kind === "error" ? 8_000 : 4_000}
      onClose={(_event, reason) => {
        if (reason !== "clickaway") dismiss();
      }}
      anchorOrigin={{ vertical: "top", horizontal: "center" }}
    >
      <Alert severity={notice.kind} variant="filled" onClose={dismiss}>
        {notice.text}
      </Alert>
    </Snackbar>
  );
}
