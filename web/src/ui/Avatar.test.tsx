/** Tests of the picture. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, expect, test } from "vitest";

import { startI18n } from "../i18n";
import { Avatar } from "./Avatar";

beforeAll(() => void startI18n("en"));
afterEach(cleanup);

test("initials stand for a picture that is not there, and words for the dot", () => {
  const { container } = render(<Avatar id="1" name="김지민" url="/missing.png" status="away" />);
  const picture = container.querySelector("img");
  expect(picture?.alt).toBe("");
  if (picture !== null) fireEvent.error(picture);
  expect(screen.getByText("지민")).toBeTruthy();
  expect(screen.getByText("away")).toBeTruthy();
});
