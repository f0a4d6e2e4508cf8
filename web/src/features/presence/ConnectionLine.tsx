/** Says that there is no connection, why, and when the next try is; nothing while all is well. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { useSync } from "../../state/context";
import { useOutboxStore } from "../../state/outbox";
import { useConnectionStore } from "../../state/sync";

function everySecond(listener: () => void): () => void {
  const timer = setInterval(listener, 1_000);
  return () => clearInterval(timer);
}

function useSecond(): number {
  return useSyncExternalStore(everySecond, () => Math.floor(Date.now() / 1_000));
}

function Countdown({ until }: { until: number }) {
  const { t } = useTranslation();
  const left = Math.max(1, Math.ceil(until / 1_000 - useSecond()));
  // Each second read aloud would be too much.
  return <span aria-hidden>{t("connection.retryIn", { count: left })}</span>;
}

export function ConnectionLine() {
  const { t } = useTranslation();
  const { retryNow } = useSync();
  const status = useConnectionStore((connection) => connection.status);
  const waiting = useOutboxStore(({ entries }) => entries.filter(({ state }) => state === "waiting").length);

  // The first connection is not worth a word.
  const reason = "reason" in status ? status.reason : undefined;
  return (
    // Always there: what is put into it is then read aloud.
    <Box role="status" aria-live="polite">
      {reason !== undefined && (
        <Box
          sx={{
            display: "flex",
            flexWrap: "wrap",
            alignItems: "center",
            columnGap: 1,
            px: 2,
            py: 0.5,
            bgcolor: "warning.main",
            color: "warning.contrastText",
          }}
        >
          <Typography variant="body2" sx={{ fontWeight: 700 }}>
            {t(status.phase === "connecting" ? "connection.reconnecting" : "connection.offline")}
          </Typography>
          <Typography variant="body2" sx={{ flex: 1, minWidth: "12em" }}>
            {t(`connection.reason.${reason}`)}{" "}
            {status.phase === "waiting" && <Countdown until={status.nextTryAt} />}{" "}
            {waiting > 0 ? t("messages.waiting", { count: waiting }) : t("connection.kept")}
          </Typography>
          {status.phase !== "connecting" && (
            <Button size="small" color="inherit" variant="outlined" onClick={retryNow}>
              {t("connection.retryNow")}
            </Button>
          )}
        </Box>
      )}
    </Box>
  );
}
