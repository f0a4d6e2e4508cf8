/**
 * The languages of the client: which one to show, where the choice is kept, and how texts are found.
 *
 * The choice is kept in the browser's storage; without one the browser's languages decide, and
 * English is the last resort. Texts may use `{{name, josa(with: 을/를)}}` for a Korean particle.
 */
import i18next, { type i18n } from "i18next";
import { initReactI18next } from "react-i18next";

import { withParticle } from "../lib/text";
import { en, type Translation } from "./en";
import { ko } from "./ko";

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

/** The languages there are, each with its own name for itself. */
export const languages = { en: "English", ko: "한국어" } as const;

/** A language of the client. */
export type Language = keyof typeof languages;

const STORAGE_KEY = "madang.language";

/** Whether the client speaks it. */
export function isLanguage(tag: string): tag is Language {
  return Object.hasOwn(languages, tag);
}

/** The first of the wanted languages that the client speaks: `ko-KR` is `ko`. */
export function pickLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const base = tag.toLowerCase().split("-")[0] ?? "";
    if (isLanguage(base)) return base;
  }
  return "en";
}

function storedLanguage(): string[] {
  try {
    const stored = localStorage.getItem(STORAGE_KEY);
    return stored === null ? [] : [stored];
  } catch {
    return []; // Storage is refused in some private windows; the browser's languages do then.
  }
}

/** The language to start with: the kept choice, else what the browser asks for. */
export function initialLanguage(): Language {
  return pickLanguage([...storedLanguage(), ...navigator.languages]);
}

/** Shows the client in this language from now on, and next time. */
export async function chooseLanguage(language: Language): Promise<void> {
  try {
    localStorage.setItem(STORAGE_KEY, language);
  } catch {
    // Not kept then, but shown.
  }
  await i18next.changeLanguage(language);
}

/** Starts the texts; call once before the first render. The texts are in the bundle: no waiting. */
export function startI18n(language: Language = initialLanguage()): i18n {
  const resources: Record<Language, { translation: Translation }> = {
    en: { translation: en },
    ko: { translation: ko },
  };
  i18next.on("languageChanged", (now) => {
    document.documentElement.lang = now;
  });
  void i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "en",
    resources,
    initAsync: false,
    interpolation: { escapeValue: false }, // React escapes.
    returnNull: false,
  });
  i18next.services.formatter?.add("josa", (value: unknown, _language, options: { with?: string }) =>
    withParticle(String(value), options.with ?? ""),
  );
  return i18next;
}
