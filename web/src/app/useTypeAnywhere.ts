/** Typing with nothing in focus goes into the field for writing; so does leaving the messages by Esc. */

import { useEffect } from "react";

function field(): HTMLElement | null {
  return document.querySelector<HTMLElement>("#composer textarea:not([disabled])");
}

export function focusComposer(): void {
  field()?.focus();
}

export function useTypeAnywhere(): void {
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const at = document.activeElement;
      const nowhere = at === null || at === document.body;
      const onMessage = at instanceof HTMLElement && at.matches("[data-row]");
      // A key that an input method has taken is named "Process".
      const writes = (event.key.length === 1 && event.key !== " ") || event.key === "Process";
      if ((writes && (nowhere || onMessage)) || (event.key === "Escape" && onMessage)) focusComposer();
    };
    window.addEventListener("keydown", hear);
    return () => window.removeEventListener("keydown", hear);
  }, []);
}
