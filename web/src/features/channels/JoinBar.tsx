/** In place of the field for writing, in a channel that one only looks into. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useTranslation } from "react-i18next";

import type { Channel } from "../../api/types";
import { useJoinChannel } from "./actions";

export function JoinBar({ channel }: { channel: Channel }) {
  const { t } = useTranslation();
  const join = useJoinChannel();
  return (
    <Box
      sx={{
        display: "flex",
        flexWrap: "wrap",
        alignItems: "center",
        gap: 1,
        m: 2,
        p: 1.5,
        borderRadius: 2,
        bgcolor: "background.default",
      }}
    >
      <Typography sx={{ flex: 1, minWidth: "14em" }}>
        {t("channels.notJoined", { name: channel.name })}
      </Typography>
      <Button
        variant="contained"
        disabled={join.isPending}
        aria-label={t("channels.joinTitle", { name: channel.name })}
        onClick={() => join.mutate(channel.id)}
      >
        {t("channels.join")}
      </Button>
    </Box>
  );
}
