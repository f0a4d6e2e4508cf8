/** Where one writes into a channel: keeps the draft, tells that one types, hands over to the outbox. */

import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import CircularProgress from "@mui/material/CircularProgress";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Channel } from "../../api/types";
import { formatBytes } from "../../lib/text";
import { useSync } from "../../state/context";
import { readDraft, writeDraft } from "../../state/drafts";
import { titleOf } from "../../state/names";
import { mayWrite } from "../../state/permissions";
import { useMute, useRole } from "../../state/places";
import { Composer } from "../../ui/Composer";

export interface MessageComposerProps {
  channel: Channel;
  onTyped: (text: string) => void;
  onSent: () => void;
  onEditLast: () => void;
  /** The files that go with the text. */
  uploads: ComposedFiles;
}

/** Files that were chosen for a message. */
export interface ComposedFiles {
  list: readonly { key: number; name: string; size: number; id?: string }[];
  busy: boolean;
  add: (files: readonly File[]) => void;
  remove: (key: number) => void;
  take: () => string[];
}

/** Key it by channel. */
export function MessageComposer({ channel, onTyped, onSent, onEditLast, uploads }: MessageComposerProps) {
  const { t } = useTranslation();
  const { outbox, userId } = useSync();
  const role = useRole(channel.workspace_id);
  const mute = useMute(channel);
  const disabled = () => {
    if (channel.joined !== true) return t("composer.disabledNotMember");
    if (channel.archived_at !== undefined) return t("composer.disabledArchived");
    if (mute !== undefined) return t("composer.disabledMuted", { reason: mute.reason });
    return mayWrite(role, channel, userId) ? undefined : t("composer.disabledReadOnly");
  };
  const disabledReason = disabled();
  const [draft] = useState(() => readDraft(userId, channel.id));
  return (
    <Composer
      defaultValue={draft}
      autoFocus={!matchMedia("(hover: none)").matches} // On touch screens the keyboard would come up.
      label={t("composer.label", { name: titleOf(channel, userId) })}
      placeholder={t("composer.placeholder", { name: titleOf(channel, userId) })}
      {...(disabledReason === undefined ? {} : { disabledReason })}
      onChange={(text) => {
        writeDraft(userId, channel.id, text);
        onTyped(text);
      }}
      onSend={(text) => {
        outbox.add(channel.id, text, uploads.take());
        onSent();
      }}
      onEditLast={onEditLast}
      onFiles={uploads.add}
      waiting={uploads.busy}
      attached={
        uploads.list.length > 0 && (
          <Box sx={{ display: "flex", flexWrap: "wrap", gap: 0.5 }}>
            {uploads.list.map(({ key, name, size, id }) => (
              <Chip
                key={key}
                size="small"
                label={`${name} (${formatBytes(size)})`}
                aria-busy={id === undefined}
                {...(id === undefined ? { icon: <CircularProgress size={14} /> } : {})}
                onDelete={() => uploads.remove(key)}
              />
            ))}
          </Box>
        )
      }
    />
  );
}
