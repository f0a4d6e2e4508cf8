/**
 * Where JSON becomes typed.
 *
 * What the server sends is typed by the contract that both sides are built from, so it is taken at
 * its word: only the outermost shape is checked. What comes from the browser's storage may be of
 * another version of the client or damaged: it is checked field by field where it is read.
 */

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Takes an object of the server at its word. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller names the type
export function fromServer<T>(value: unknown): value is T {
  return typeof value === "object" && value !== null;
}

/** The value of a JSON text; `undefined` when it is none. */
export function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
