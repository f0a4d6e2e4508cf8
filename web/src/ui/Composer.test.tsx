/** Tests of writing: when Enter sends, above all while Hangul is being composed. */
import { cleanup, createEvent, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, expect, test, vi } from "vitest";

import { startI18n } from "../i18n";
import { Composer, type ComposerProps } from "./Composer";

beforeAll(() => void startI18n("en"));
afterEach(cleanup);

function compose(props: Partial<ComposerProps> = {}) {
  const onSend = vi.fn<(text: string) => void>();
  render(<Composer label="Message to #general" onSend={onSend} {...props} />);
  const field = screen.getByRole<HTMLTextAreaElement>("textbox", {
    name: props.label ?? "Message to #general",
  });
  const type = (value: string) => fireEvent.change(field, { target: { value } });
  const enter = (init: object = {}) => fireEvent.keyDown(field, { key: "Enter", keyCode: 13, ...init });
  /** A line break about to be put in; whether it went through. */
  const lineBreak = () => {
    const init = { inputType: "insertLineBreak", bubbles: true, cancelable: true };
    return fireEvent(field, createEvent("beforeinput", field, init, { EventType: "InputEvent" }));
  };
  return { field, onSend, type, enter, lineBreak };
}

test("Enter sends what was written and empties the field", () => {
  const { field, onSend, type, enter } = compose();
  type("hello  \n");
  expect(enter()).toBe(false);
  expect(onSend.mock.calls).toEqual([["hello"]]);
  expect(field.value).toBe("");
});

test("Shift+Enter breaks the line", () => {
  const { onSend, type, enter, lineBreak } = compose();
  type("one");
  expect(enter({ shiftKey: true })).toBe(true);
  expect(lineBreak()).toBe(true);
  expect(onSend).not.toHaveBeenCalled();
});

test("nothing blank is sent, and a held Enter sends once", () => {
  const { onSend, type, enter } = compose();
  type(" \n ");
  enter();
  expect(onSend).not.toHaveBeenCalled();
  type("a");
  enter();
  type("b");
  enter({ repeat: true });
  expect(onSend).toHaveBeenCalledTimes(1);
});

test("Chrome: a composing Enter, then a plain one, sends once and leaves no syllable behind", () => {
  const { field, onSend, type, enter } = compose();
  fireEvent.compositionStart(field);
  type("안녕");
  enter({ keyCode: 229, isComposing: true });
  expect(onSend).not.toHaveBeenCalled();
  fireEvent.compositionEnd(field, { data: "녕" });
  enter();
  expect(onSend.mock.calls).toEqual([["안녕"]]);
  expect(field.value).toBe("");
});

test("Safari: the composition ends before its Enter, which still does not send", () => {
  const { field, onSend, type, enter } = compose();
  fireEvent.compositionStart(field);
  type("안녕");
  fireEvent.compositionEnd(field, { data: "녕" });
  enter({ keyCode: 229, isComposing: false });
  expect(onSend).not.toHaveBeenCalled();
  enter();
  expect(onSend.mock.calls).toEqual([["안녕"]]);
});

test("without a second key the line break that follows the composition sends, once", () => {
  const { field, onSend, type, enter, lineBreak } = compose();
  fireEvent.compositionStart(field);
  type("안녕");
  enter({ keyCode: 229, isComposing: true });
  expect(lineBreak()).toBe(true); // Still composing: not ours.
  fireEvent.compositionEnd(field, { data: "녕" });
  expect(lineBreak()).toBe(false);
  expect(onSend.mock.calls).toEqual([["안녕"]]);
});

test("Hangul in pieces is sent whole", () => {
  const { onSend, type, enter } = compose();
  type("마당".normalize("NFD"));
  enter();
  expect(onSend).toHaveBeenCalledWith("마당");
});

test("the counter shows near the limit, counts syllables once, and past it nothing is sent", () => {
  const { onSend, type, enter } = compose({ maxLength: 1000 });
  type("가".repeat(499).normalize("NFD"));
  expect(screen.getByRole("status").textContent).toBe("501 characters left");
  type("가".repeat(1001));
  expect(screen.getByRole("status").textContent).toBe("1 character too many");
  enter();
  expect(onSend).not.toHaveBeenCalled();
});

test("a disabled field says why", () => {
  const { field } = compose({ disabledReason: "Join the channel to write here." });
  expect(field.disabled).toBe(true);
  expect(screen.getByText("Join the channel to write here.")).toBeTruthy();
});

test("arrow up in the empty field asks for the last message", () => {
  const onEditLast = vi.fn();
  const { field, type } = compose({ onEditLast });
  fireEvent.keyDown(field, { key: "ArrowUp" });
  type("a");
  fireEvent.keyDown(field, { key: "ArrowUp" });
  expect(onEditLast).toHaveBeenCalledTimes(1);
});

test("editing: Esc cancels, saving keeps the text, the caret is at the end", () => {
  const onCancel = vi.fn();
  const { field, onSend, enter } = compose({ mode: "edit", defaultValue: "old", onCancel, autoFocus: true });
  expect(document.activeElement).toBe(field);
  expect(field.selectionStart).toBe(3);
  fireEvent.keyDown(field, { key: "Escape", keyCode: 229 });
  expect(onCancel).not.toHaveBeenCalled();
  fireEvent.keyDown(field, { key: "Escape" });
  expect(onCancel).toHaveBeenCalledTimes(1);
  enter();
  expect(onSend).toHaveBeenCalledWith("old");
  expect(field.value).toBe("old");
});

test("the parent may keep the text", () => {
  const onChange = vi.fn();
  const { field, type, enter } = compose({ value: "draft", onChange });
  expect(field.value).toBe("draft");
  type("draft 2");
  expect(onChange).toHaveBeenLastCalledWith("draft 2");
  enter();
  expect(onChange).toHaveBeenLastCalledWith("");
});
