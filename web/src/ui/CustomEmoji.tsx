/**
 * A workspace's own emoji as a picture, or as `:name:` until it is there and where there is none of the name.
 *
 * Whoever shows messages says through the context which emoji there are and how their pictures come.
 */
import Box from "@mui/material/Box";
import { createContext, use, useEffect, useState } from "react";

import { customName } from "../lib/emoji";

/** The emoji that can be shown. */
export interface KnownEmoji {
  /** The id of each name. */
  ids: ReadonlyMap<string, string>;
  /** An address of a picture, for as long as the page lives. */
  picture: (id: string) => Promise<string>;
}

export const EmojiContext = createContext<KnownEmoji>({
  ids: new Map(),
  picture: () => Promise.reject(new Error("no emoji")),
});

export function CustomEmoji({ name }: { name: string }) {
  const { ids, picture } = use(EmojiContext);
  const id = ids.get(name);
  const [shown, setShown] = useState<{ id: string; url: string }>();

  useEffect(() => {
    if (id === undefined) return;
    let gone = false;
    picture(id)
      .then((url) => {
        if (!gone) setShown({ id, url });
      })
      .catch(() => undefined); // It stays as text.
    return () => {
      gone = true;
    };
  }, [id, picture]);

  const text = `:${name}:`;
  if (id === undefined || shown?.id !== id) return text;
  return (
    <Box
      component="img"
      src={shown.url}
      alt={text}
      title={text}
      sx={{ height: "1.5em", maxWidth: "3em", objectFit: "contain", verticalAlign: "text-bottom" }}
    />
  );
}

/** What stands in a reaction: an emoji of Unicode, or one of the workspace's own. */
export function Emoji({ emoji }: { emoji: string }) {
  const name = customName(emoji);
  return name === undefined ? emoji : <CustomEmoji name={name} />;
}
