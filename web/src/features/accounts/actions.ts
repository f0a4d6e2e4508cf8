/** Signing up, in and out, and one's sessions. Errors of the first three belong to the form. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { keys } from "../../api/keys";
import * as requests from "../../api/requests";
import { signIn } from "../../api/session";
import { errorText } from "../../state/errorText";
import { leave } from "../../state/login";
import { notify } from "../../state/notices";

export function useSignUp() {
  return useMutation({ mutationFn: requests.register, onSuccess: signIn });
}

export function useLogIn() {
  return useMutation({ mutationFn: requests.login, onSuccess: signIn });
}

export function useGuest() {
  return useMutation({ mutationFn: () => requests.guest({}), onSuccess: signIn });
}

export function useLogOut() {
  return useMutation({ mutationFn: leave });
}

export function useEndSessions() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (ids: readonly string[]) => {
      for (const id of ids) await requests.endSession(id);
    },
    onError: (error) => notify(errorText(error), "error"),
    onSettled: () => client.invalidateQueries({ queryKey: keys.sessions }),
  });
}
