/** Where one writes into a channel: keeps the draft, tells that one types, hands over to the outbox. */

import { useState } from "react";
import { useTranslation } from "react-i18next";

import type { Channel } from "../../api/types";
import { useSync } from "../../state/context";
import { readDraft, writeDraft } from "../../state/drafts";
import { titleOf } from "../../state/names";
import { Composer } from "../../ui/Composer";

export interface MessageComposerProps {
  channel: Channel;
  onTyped: (text: string) => void;
  onSent: () => void;
  onEditLast: () => void;
}

/** Key it by channel. */
export function MessageComposer({ channel, onTyped, onSent, onEditLast }: MessageComposerProps) {
  const { t } = useTranslation();
  const { outbox, userId } = useSync();
  const [draft] = useState(() => readDraft(userId, channel.id));
  return (
    <Composer
      defaultValue={draft}
      autoFocus={!matchMedia("(hover: none)").matches} // On touch screens the keyboard would come up.
      label={t("composer.label", { name: titleOf(channel, userId) })}
      placeholder={t("composer.placeholder", { name: titleOf(channel, userId) })}
      {...(channel.joined === true ? {} : { disabledReason: t("composer.disabledNotMember") })}
      onChange={(text) => {
        writeDraft(userId, channel.id, text);
        onTyped(text);
      }}
      onSend={(text) => {
        outbox.add(channel.id, text);
        onSent();
      }}
      onEditLast={onEditLast}
    />
  );
}
