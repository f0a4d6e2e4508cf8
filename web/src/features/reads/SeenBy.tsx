/** How many have read one's own newest message, as far as their marks were told while this page was open. */

import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { readsQuery } from "../../api/queries";

export function SeenBy({ channelId, seq }: { channelId: string; seq: number }) {
  const { t } = useTranslation();
  const { data = {} } = useQuery({ ...readsQuery(channelId), enabled: false });
  const count = Object.values(data).filter((read) => read >= seq).length;
  if (count === 0) return null;
  return (
    <Typography variant="caption" color="textSecondary" noWrap sx={{ flex: "none" }}>
      {t("messages.seenBy", { count })}
    </Typography>
  );
}
