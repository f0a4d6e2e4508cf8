/** There is nothing at this address, or a page failed. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useTranslation } from "react-i18next";
import { useRouteError } from "react-router";

import { paths } from "../paths";

export function NotFound() {
  const { t } = useTranslation();
  return (
    <Box component="main" sx={{ height: "100%", display: "grid", placeContent: "center", gap: 2 }}>
      <Typography component="h1">{t("errors.pageNotFound")}</Typography>
      <Button href={paths.home}>{t("errors.home")}</Button>
    </Box>
  );
}

/** A fault of the client: nothing that was written is lost by reloading. */
export function Crashed() {
  const { t } = useTranslation();
  const error: unknown = useRouteError();
  return (
    <Box component="main" sx={{ height: "100%", display: "grid", placeContent: "center", gap: 2, p: 2 }}>
      <Typography component="h1" variant="h2">
        {t("errors.crashTitle")}
      </Typography>
      <Typography role="alert">{t("errors.crashBody")}</Typography>
      <Button variant="contained" onClick={() => window.location.reload()}>
        {t("common.reload")}
      </Button>
      <Box component="details" sx={{ color: "text.secondary" }}>
        <summary>{t("errors.crashDetails")}</summary>
        <pre>{error instanceof Error ? error.message : String(error)}</pre>
      </Box>
    </Box>
  );
}
