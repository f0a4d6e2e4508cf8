/** Tests of the question. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, expect, test, vi } from "vitest";

import { startI18n } from "../i18n";
import { ConfirmDialog } from "./ConfirmDialog";

beforeAll(() => void startI18n("en"));
afterEach(cleanup);

test("it asks, begins at the way back when something is lost, and tells the answer", () => {
  const onCancel = vi.fn();
  const onConfirm = vi.fn();
  render(
    <ConfirmDialog
      open
      danger
      title="Delete?"
      body="For everyone."
      confirmLabel="Delete"
      onCancel={onCancel}
      onConfirm={onConfirm}
    />,
  );
  expect(screen.getByRole("alertdialog", { name: "Delete?", description: "For everyone." })).toBeTruthy();
  expect(document.activeElement?.textContent).toBe("Cancel");
  fireEvent.click(screen.getByRole("button", { name: "Delete" }));
  fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
  expect([onCancel, onConfirm].map((call) => call.mock.calls.length)).toEqual([1, 1]);
});
