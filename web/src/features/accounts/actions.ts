/** Signing up, in and out, and one's sessions. Errors of the first three belong to the form. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { keys } from "../../api/keys";
import * as requests from "../../api/requests";
import { signIn } from "../../api/session";
import type { Settings, UpdateUser, User } from "../../api/types";
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

/** Takes in one's own profile as an answer showed it. */
function usePutMe() {
  const client = useQueryClient();
  return (user: User) => client.setQueryData<User>(keys.me, user);
}

export function useUpdateProfile(myId: string, onDone: () => void) {
  const putMe = usePutMe();
  return useMutation({
    mutationFn: (changes: UpdateUser) => requests.updateUser(myId, changes),
    onSuccess: (user) => {
      putMe(user);
      onDone();
    },
    onError: (error) => notify(errorText(error), "error"),
  });
}

export function useSetAvatar(myId: string) {
  return useMutation({
    mutationFn: (file: Blob) => requests.setAvatar(myId, file),
    onSuccess: usePutMe(),
    onError: (error) => notify(errorText(error), "error"),
  });
}

export function useRemoveAvatar(myId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => requests.removeAvatar(myId),
    onSuccess: () =>
      client.setQueryData<User>(keys.me, (me) => {
        if (me === undefined) return undefined;
        const { avatar_url: _, ...rest } = me;
        return rest;
      }),
    onError: (error) => notify(errorText(error), "error"),
  });
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

export function useSaveSettings() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: requests.updateSettings,
    onSuccess: (settings) => client.setQueryData<Settings>(keys.settings, settings),
    onError: (error) => notify(errorText(error), "error"),
  });
}
