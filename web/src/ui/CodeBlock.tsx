/** A block of code, in colours when its language is known, with a button that copies it. */
import ContentCopyIcon from "@mui/icons-material/ContentCopy";
import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import { useMemo, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";

import { copyText } from "../lib/clipboard";
import { currentHighlighter, piecesOf, whenHighlighter } from "../lib/highlight";
import { codeFontFamily } from "./theme";

const never = () => () => undefined;

/** The code and the name of its language, which may be empty. */
export interface CodeBlockProps {
  code: string;
  language: string;
}

/** A block of code. */
export function CodeBlock({ code, language }: CodeBlockProps) {
  const { t } = useTranslation();
  const highlighter = useSyncExternalStore(language === "" ? never : whenHighlighter, currentHighlighter);
  const pieces = useMemo(() => {
    const html = language === "" ? undefined : highlighter?.(code, language);
    return html === undefined ? undefined : piecesOf(html);
  }, [code, language, highlighter]);

  return (
    <Box sx={{ position: "relative", my: 0.5, "&:hover button, &:focus-within button": { opacity: 1 } }}>
      <Box
        component="pre"
        tabIndex={0} // A scrolling region is reached by the keyboard.
        sx={{
          m: 0,
          p: 1.5,
          pr: 5,
          overflowX: "auto",
          borderRadius: 1,
          bgcolor: "courtyard.inset",
          border: 1,
          borderColor: "divider",
          fontFamily: codeFontFamily,
          fontSize: "0.875em",
          lineHeight: 1.5,
          wordBreak: "normal",
          overflowWrap: "normal",
          "& .hljs-comment, & .hljs-quote, & .hljs-meta": { color: "text.secondary", fontStyle: "italic" },
          "& .hljs-keyword, & .hljs-selector-tag, & .hljs-built_in, & .hljs-tag, & .hljs-name": {
            color: "primary.main",
          },
          "& .hljs-string, & .hljs-regexp, & .hljs-addition, & .hljs-attr": { color: "secondary.main" },
          "& .hljs-number, & .hljs-literal, & .hljs-symbol, & .hljs-bullet": { color: "warning.main" },
          "& .hljs-title, & .hljs-section, & .hljs-type": { fontWeight: 600 },
          "& .hljs-deletion": { color: "error.main" },
        }}
      >
        <code>
          {pieces?.map(({ text, className }, at) =>
            className === "" ? (
              text
            ) : (
              <span key={at} className={className}>
                {text}
              </span>
            ),
          ) ?? code}
        </code>
      </Box>
      <IconButton
        size="small"
        aria-label={t("messages.codeCopy")}
        onClick={() => void copyText(code)}
        sx={{ position: "absolute", top: 4, right: 4, opacity: 0, "@media (hover: none)": { opacity: 1 } }}
      >
        <ContentCopyIcon sx={{ fontSize: 16 }} />
      </IconButton>
    </Box>
  );
}
