/** Who types now. */

import Box from "@mui/material/Box";
import { useTranslation } from "react-i18next";

import { useTypingNames } from "./useTyping";

export function TypingLine({ channelId }: { channelId: string }) {
  const { t } = useTranslation();
  const [a, b, ...more] = useTypingNames(channelId);
  const text =
    a === undefined
      ? ""
      : b === undefined
        ? t("typing.one", { a })
        : more.length === 0
          ? t("typing.two", { a, b })
          : t("typing.many");
  return (
    <Box
      aria-live="polite"
      sx={{ flex: 1, minWidth: 0, color: "text.secondary", fontSize: "0.75rem", overflow: "hidden" }}
    >
      {text}
    </Box>
  );
}
