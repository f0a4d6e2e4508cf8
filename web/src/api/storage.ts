/**
 * The browser's storage, or this page's memory where that is refused (private windows) or full: what
 * is kept then lasts as long as the page.
 */

const memory = new Map<string, string>();

export function read(key: string): string | null {
  const kept = memory.get(key);
  if (kept !== undefined) return kept;
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function write(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
    memory.delete(key);
  } catch {
    memory.set(key, value);
  }
}

export function remove(key: string): void {
  memory.delete(key);
  try {
    localStorage.removeItem(key);
  } catch {
    // Then it was never there.
  }
}

/** The keys that begin with this, in order. */
export function keysFrom(prefix: string): string[] {
  const keys = new Set(memory.keys());
  try {
    for (let at = 0; at < localStorage.length; at += 1) {
      const key = localStorage.key(at);
      if (key !== null) keys.add(key);
    }
  } catch {
    // Only what is in memory.
  }
  return [...keys].filter((key) => key.startsWith(prefix)).sort();
}

/** Hears when another tab changed a key; `undefined` when it changed all. */
export function onOtherTab(listener: (key: string | undefined) => void): () => void {
  const hear = (event: StorageEvent) => listener(event.key ?? undefined);
  window.addEventListener("storage", hear);
  return () => window.removeEventListener("storage", hear);
}
