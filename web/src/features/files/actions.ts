/** What can be done with the files of messages. */

import { fileBytes, thumbnailBytes } from "../../api/requests";
import { errorText } from "../../state/errorText";
import { notify } from "../../state/notices";
import type { FileActions } from "../../ui/Files";

export const fileActions: FileActions = {
  thumbnail: ({ id }) => thumbnailBytes(id),
  picture: (id) => fileBytes(id),
  onSave: ({ id, name }) => {
    fileBytes(id)
      .then((bytes) => {
        // Saved, never opened: what is opened from memory would count as a page of ours.
        const url = URL.createObjectURL(bytes);
        const link = document.createElement("a");
        link.href = url;
        link.download = name;
        link.click();
        setTimeout(() => URL.revokeObjectURL(url), 60_000);
      })
      .catch((error: unknown) => notify(errorText(error), "error"));
  },
};
