/** What can be done with workspaces and their members. Errors of the forms belong to the forms. */

import { useMutation, useQueryClient } from "@tanstack/react-query";

import { keys } from "../../api/keys";
import * as requests from "../../api/requests";
import type { CreateWorkspace, Role, UpdateWorkspace, Workspace } from "../../api/types";
import { dropMember, putMember, putWorkspace } from "../../state/cache";
import { errorText } from "../../state/errorText";
import { notify } from "../../state/notices";

const tell = (error: Error) => notify(errorText(error), "error");

export function useCreateWorkspace(onDone: (workspace: Workspace) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: CreateWorkspace) => requests.createWorkspace(body),
    onSuccess: (workspace) => {
      putWorkspace(client, workspace);
      onDone(workspace);
    },
  });
}

export function useUpdateWorkspace(id: string, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: UpdateWorkspace) => requests.updateWorkspace(id, body),
    onSuccess: (workspace) => {
      putWorkspace(client, workspace);
      onDone();
    },
  });
}

export function useAddToWorkspace(id: string, onDone: (name: string) => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (username: string) => requests.addWorkspaceMember(id, username),
    onSuccess: (member) => {
      putMember(client, keys.workspaceMembers(id), member);
      onDone(member.user.display_name);
    },
  });
}

export function useChangeRole(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ userId, role }: { userId: string; role: Role }) =>
      requests.updateWorkspaceMember(id, userId, role),
    onSuccess: (member) => putMember(client, keys.workspaceMembers(id), member),
    onError: tell,
  });
}

export function useRemoveFromWorkspace(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (userId: string) => requests.removeWorkspaceMember(id, userId),
    onSuccess: (_nothing, userId) => dropMember(client, keys.workspaceMembers(id), userId),
    onError: tell,
  });
}

/** The event that follows brings it into the list. */
export function useAddEmoji(id: string, onDone: (name: string) => void) {
  return useMutation({
    mutationFn: ({ name, file }: { name: string; file: File }) => requests.createEmoji(id, name, file),
    onSuccess: ({ name }) => onDone(name),
  });
}

export function useDeleteEmoji(id: string) {
  return useMutation({ mutationFn: (name: string) => requests.deleteEmoji(id, name), onError: tell });
}
