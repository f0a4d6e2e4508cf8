/** What a browser calls itself, in two words that people know. */

const browsers: readonly [RegExp, string][] = [
  [/\bEdg\//, "Edge"],
  [/\bOPR\//, "Opera"],
  [/SamsungBrowser\//, "Samsung Internet"],
  [/Whale\//, "Whale"],
  [/Firefox\//, "Firefox"],
  [/HeadlessChrome\/|Chrome\//, "Chrome"],
  [/Safari\//, "Safari"],
  [/^madang/i, "Madang"],
];

const systems: readonly [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux|X11|linux/, "Linux"],
];

export interface Device {
  browser: string;
  system: string;
}

export function deviceOf(userAgent: string): Device | undefined {
  const find = (among: readonly [RegExp, string][]) => among.find(([mark]) => mark.test(userAgent))?.[1];
  const browser = find(browsers);
  if (browser === undefined) return undefined;
  return { browser, system: find(systems) ?? "?" };
}
