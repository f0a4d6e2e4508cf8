/** Coming in by the code of an invite. */

import { useMutation } from "@tanstack/react-query";

import * as requests from "../../api/requests";
import { currentLogin, signIn } from "../../api/session";
import type { Workspace } from "../../api/types";

/** Whoever is not signed in becomes a guest of this name first. Its errors belong to the page. */
export function useComeIn(code: string, onDone: (workspace: Workspace) => void) {
  return useMutation({
    mutationFn: async (name: string) => {
      if (currentLogin() === undefined) {
        signIn(await requests.guest(name === "" ? {} : { display_name: name }));
      }
      return requests.acceptInvite(code);
    },
    onSuccess: onDone,
  });
}
