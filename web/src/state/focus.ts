/** Whether someone is looking at this window. */

import { useSyncExternalStore } from "react";

function hear(listener: () => void): () => void {
  window.addEventListener("focus", listener);
  window.addEventListener("blur", listener);
  document.addEventListener("visibilitychange", listener);
  return () => {
    window.removeEventListener("focus", listener);
    window.removeEventListener("blur", listener);
    document.removeEventListener("visibilitychange", listener);
  };
}

function looking(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}

export function useFocused(): boolean {
  return useSyncExternalStore(hear, looking);
}
