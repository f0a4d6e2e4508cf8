/**
 * The emoji of a workspace for what is shown.
 *
 * A picture never changes, so each is fetched once for the life of the page; its bytes come with a token in a header, so
 * it is shown from memory.
 */

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { emojiQuery } from "../api/queries";
import { emojiBytes } from "../api/requests";

const pictures = new Map<string, Promise<string>>();

/** An address of the picture of an emoji. */
function picture(id: string): Promise<string> {
  const known = pictures.get(id);
  if (known !== undefined) return known;
  const coming = emojiBytes(id).then((bytes) => URL.createObjectURL(bytes));
  pictures.set(id, coming);
  // What failed may be asked for again.
  coming.catch(() => pictures.delete(id));
  return coming;
}

/** The emoji of a workspace by their names, and how their pictures come. */
export function useEmojiOf(workspaceId: string) {
  const { data } = useQuery(emojiQuery(workspaceId));
  return useMemo(
    () => ({ ids: new Map((data?.items ?? []).map(({ name, id }) => [name, id])), picture }),
    [data],
  );
}
