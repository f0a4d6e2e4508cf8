/**
 * Where messages are written, and edited.
 *
 * Enter sends and Shift+Enter breaks the line. While Hangul (or any script with an input method) is
 * being composed, the Enter that ends the composition belongs to the input method. Browsers then
 * differ: Chrome tells a composing Enter (`isComposing`, key code 229) and afterwards a plain one;
 * Safari ends the composition first and tells a 229 that is not composing; others tell no second key
 * but break the line. So a composing Enter does nothing, and what follows it, a plain Enter or a line
 * break about to be put in, sends. A plain Enter is cancelled and so never breaks the line as well.
 *
 * Invariants:
 * - One press of Enter sends at most once.
 * - Nothing is sent while a composition is open: the last syllable would be left behind in the field.
 */
import AttachFileIcon from "@mui/icons-material/AttachFile";
import CheckIcon from "@mui/icons-material/Check";
import CloseIcon from "@mui/icons-material/Close";
import SendIcon from "@mui/icons-material/Send";
import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import InputBase from "@mui/material/InputBase";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import {
  useEffect,
  useEffectEvent,
  useId,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from "react";
import { useTranslation } from "react-i18next";

import { lengthOf, nfc } from "../lib/text";

/** The key code of a key that an input method has taken. */
const TAKEN_BY_INPUT_METHOD = 229;
/** From how many characters before the limit the counter shows. */
const COUNTER_FROM = 500;

/** How the field for writing is set up. */
export interface ComposerProps {
  /** The text, when the parent keeps it; then `onChange` must be given too. */
  value?: string;
  /** The text to begin with, when the field keeps it itself: a draft. */
  defaultValue?: string;
  /** Called with the text at each change, and with nothing after sending. */
  onChange?: (text: string) => void;
  /** Called with what is to be sent or saved: in NFC, not blank, within the limit. */
  onSend: (text: string) => void;
  /** The accessible name, such as "Message to #general". */
  label: string;
  /** Shown while the field is empty. */
  placeholder?: string;
  /** Whether a new message is written or an old one edited; `edit` keeps the text after saving. */
  mode?: "send" | "edit";
  /** Esc and the cancel button, in `edit` mode. */
  onCancel?: () => void;
  /** Called with files that were chosen, pasted or dropped. */
  onFiles?: (files: readonly File[]) => void;
  /** The files that go with the text; with some of them it may be empty. */
  attached?: ReactNode;
  /** Whether a file is still on its way: nothing is sent before. */
  waiting?: boolean;
  /** Arrow up in the empty field. */
  onEditLast?: () => void;
  /** Why nothing can be written now; the field is then disabled and says so. */
  disabledReason?: string;
  /** Takes the focus when it appears. */
  autoFocus?: boolean;
  /** The most characters. */
  maxLength?: number;
}

/** The field for writing. */
export function Composer(props: ComposerProps) {
  const { onChange, onSend, label, placeholder, mode = "send", onCancel, onEditLast } = props;
  const { disabledReason, autoFocus = false, maxLength = 8000 } = props;
  const { onFiles, attached, waiting = false } = props;
  const { t } = useTranslation();
  const hintId = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const composing = useRef(false);
  const shift = useRef(false);
  const [own, setOwn] = useState(props.defaultValue ?? "");
  const text = props.value ?? own;

  // UTF-16 units are never fewer than scalar values, so most texts need no counting.
  const left = text.length > maxLength - COUNTER_FROM ? maxLength - lengthOf(text) : null;
  const over = left !== null && left < 0;
  const disabled = disabledReason !== undefined;
  const carries = attached !== undefined && attached !== false;
  const sendable = !disabled && !over && !waiting && (carries || text.trim() !== "");

  function change(next: string) {
    setOwn(next);
    onChange?.(next);
  }

  function send() {
    // The field itself is asked: state may be one input event behind.
    const written = nfc(field.current?.value ?? text);
    const content = written.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
    if (disabled || waiting || (content === "" && !carries) || lengthOf(content) > maxLength) return;
    onSend(content);
    if (mode === "send") change("");
    field.current?.focus();
  }

  const onBeforeInput = useEffectEvent((event: InputEvent) => {
    const breaksLine = event.inputType === "insertLineBreak" || event.inputType === "insertParagraph";
    if (!breaksLine || shift.current || composing.current || event.isComposing) return;
    event.preventDefault();
    send();
  });

  // React's own onBeforeInput is another, older event.
  useEffect(() => {
    const element = field.current;
    if (element === null) return;
    const listen = (event: InputEvent) => onBeforeInput(event);
    element.addEventListener("beforeinput", listen);
    return () => element.removeEventListener("beforeinput", listen);
  }, []);

  // The caret stands at the end of what was there, ready to go on.
  useEffect(() => {
    const element = field.current;
    if (autoFocus && element !== null) {
      element.focus();
      element.setSelectionRange(element.value.length, element.value.length);
    }
  }, [autoFocus]);

  function onKeyDown(event: KeyboardEvent) {
    shift.current = event.shiftKey;
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- Safari tells it by nothing else.
    const { isComposing, keyCode } = event.nativeEvent;
    if (isComposing || composing.current || keyCode === TAKEN_BY_INPUT_METHOD) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      if (!event.repeat) send();
    } else if (event.key === "Escape" && mode === "edit") {
      event.preventDefault();
      event.stopPropagation();
      onCancel?.();
    } else if (event.key === "ArrowUp" && text === "" && mode === "send" && onEditLast !== undefined) {
      event.preventDefault();
      onEditLast();
    }
  }

  return (
    <Box
      sx={{ display: "flex", flexDirection: "column", gap: 0.5 }}
      onDragOver={(event) => {
        if (onFiles !== undefined && event.dataTransfer.types.includes("Files")) event.preventDefault();
      }}
      onDrop={(event) => {
        if (onFiles === undefined || disabled || event.dataTransfer.files.length === 0) return;
        event.preventDefault();
        onFiles([...event.dataTransfer.files]);
      }}
      onPaste={(event) => {
        if (onFiles === undefined || disabled || event.clipboardData.files.length === 0) return;
        event.preventDefault();
        onFiles([...event.clipboardData.files]);
      }}
    >
      {attached}
      <Box
        sx={{
          display: "flex",
          alignItems: "flex-end",
          border: 1,
          borderColor: over ? "error.main" : "divider",
          borderRadius: 2,
          bgcolor: "background.paper",
          pl: 1.5,
          pr: 0.5,
          py: 0.5,
          "&:focus-within": { borderColor: over ? "error.main" : "primary.main" },
        }}
      >
        <InputBase
          multiline
          fullWidth
          maxRows={12}
          inputRef={field}
          value={text}
          placeholder={disabledReason ?? placeholder ?? ""}
          disabled={disabled}
          onChange={(event) => change(event.target.value)}
          onKeyDown={onKeyDown}
          onKeyUp={(event) => (shift.current = event.shiftKey)}
          onCompositionStart={() => (composing.current = true)}
          onCompositionEnd={() => (composing.current = false)}
          onBlur={() => (composing.current = false)}
          inputProps={{
            "aria-label": label,
            "aria-describedby": hintId,
            "aria-invalid": over,
            enterKeyHint: "send",
            autoComplete: "off",
          }}
          sx={{
            py: 0.75,
            lineHeight: 1.5,
            "& .MuiInputBase-input.Mui-disabled": {
              WebkitTextFillColor: "var(--mui-palette-text-secondary)",
            },
            // As readable as any text, and the same whether the field is disabled or not.
            "& textarea::placeholder": { opacity: 1, color: "text.secondary" },
            "& textarea:focus-visible": { outline: "none" }, // The frame around it shows the focus.
          }}
        />
        {onFiles !== undefined && !disabled && (
          <Tooltip title={t("files.attach")}>
            <IconButton component="label" aria-label={t("files.attach")}>
              <AttachFileIcon fontSize="small" />
              <input
                type="file"
                multiple
                hidden
                onChange={(event) => {
                  onFiles([...(event.target.files ?? [])]);
                  event.target.value = "";
                }}
              />
            </IconButton>
          </Tooltip>
        )}
        {mode === "edit" && (
          <Tooltip title={t("composer.cancel")}>
            <IconButton onClick={() => onCancel?.()} aria-label={t("composer.cancel")}>
              <CloseIcon fontSize="small" />
            </IconButton>
          </Tooltip>
        )}
        <Tooltip title={mode === "edit" ? t("composer.save") : t("composer.send")}>
          <span>
            <IconButton
              color="primary"
              disabled={!sendable}
              onClick={send}
              aria-label={mode === "edit" ? t("composer.save") : t("composer.send")}
            >
              {mode === "edit" ? <CheckIcon fontSize="small" /> : <SendIcon fontSize="small" />}
            </IconButton>
          </span>
        </Tooltip>
      </Box>
      <Box sx={{ display: "flex", gap: 2, px: 0.5, minHeight: 18 }}>
        <Typography id={hintId} variant="caption" color="textSecondary" sx={{ flex: 1 }}>
          {disabledReason ?? (mode === "edit" ? t("composer.editHint") : t("composer.hint"))}
        </Typography>
        {left !== null && (
          <Typography variant="caption" role="status" color={over ? "error" : "textSecondary"}>
            {over ? t("composer.over", { count: -left }) : t("composer.left", { count: left })}
          </Typography>
        )}
      </Box>
    </Box>
  );
}
