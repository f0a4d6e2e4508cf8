/** Short messages at the edge of the page: what was done, what went wrong. */

import { create } from "zustand";

export interface Notice {
  id: number;
  text: string;
  kind: "info" | "success" | "error";
}

export const useNoticeStore = create<{ notices: readonly Notice[] }>(() => ({ notices: [] }));

let next = 0;

export function notify(text: string, kind: Notice["kind"] = "info"): void {
  next += 1;
  const notice: Notice = { id: next, text, kind };
  useNoticeStore.setState(({ notices }) => ({ notices: [...notices, notice] }));
}

export function dismissNotice(id: number): void {
  useNoticeStore.setState(({ notices }) => ({ notices: notices.filter((notice) => notice.id !== id) }));
}
