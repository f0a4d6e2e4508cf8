/** Tests that text can be read in both schemes (WCAG 2.2, 1.4.3 AA: 4.5 to 1). */
import { expect, test } from "vitest";

import { schemes, type Scheme } from "./theme";

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const surfaces: (keyof Scheme)[] = ["paper", "ground", "hover", "chosen", "inset"];
const inks: (keyof Scheme)[] = ["text", "quiet", "clay", "pine", "brick", "persimmon"];

test.each(["light", "dark"] as const)(
  "in the %s scheme every text stands out from what is behind it",
  (name) => {
    const scheme: Scheme = schemes[name];
    for (const surface of surfaces) {
      for (const ink of inks) {
        // On what is chosen only plain text and the main colour stand.
        if (surface === "chosen" && ink !== "text" && ink !== "clay") continue;
        const ratio = contrast(scheme[ink], scheme[surface]);
        expect(ratio, `${ink} on ${surface}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    for (const [on, under] of [
      ["onClay", "clay"],
      ["onPine", "pine"],
      ["onPersimmon", "persimmon"],
      ["onBrick", "brick"],
    ] as const) {
      expect(contrast(scheme[on], scheme[under]), `${on} on ${under}`).toBeGreaterThanOrEqual(4.5);
    }
  },
);
