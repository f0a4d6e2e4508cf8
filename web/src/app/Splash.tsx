/** While there is nothing to show yet. */

import Box from "@mui/material/Box";
import CircularProgress from "@mui/material/CircularProgress";
import { useTranslation } from "react-i18next";

export function Splash() {
  const { t } = useTranslation();
  return (
    <Box component="main" sx={{ height: "100%", display: "grid", placeItems: "center" }}>
      <CircularProgress aria-label={t("app.loading")} />
    </Box>
  );
}
