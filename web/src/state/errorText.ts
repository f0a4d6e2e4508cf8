/** What went wrong, in the reader's language. */

import i18next from "i18next";

import { asApiError, type ApiError } from "../api/errors";

/** What the texts know of; the server's own words, in English, do for the rest. */
const knownFields = [
  "username",
  "password",
  "display_name",
  "email",
  "name",
  "topic",
  "content",
  "custom_status",
  "emoji",
  "about",
  "time_zone",
] as const;

function fieldText(field: string, reason: string): string {
  const known = knownFields.find((name) => name === field);
  return known === undefined ? reason : i18next.t(`errors.fields.${known}`);
}

function apiErrorText(error: ApiError): string {
  const [field] = error.fields;
  if (field !== undefined) return fieldText(field.field, field.reason);
  if (error.code === "rate_limited" && error.retryAfter !== undefined) {
    return i18next.t("errors.rateLimitedFor", { count: error.retryAfter });
  }
  return i18next.t(`errors.${error.code}`);
}

export function errorText(error: unknown): string {
  return apiErrorText(asApiError(error));
}

/** The wrong fields of an input, each with what would be right. */
export function fieldTexts(error: unknown): Record<string, string> {
  return Object.fromEntries(
    asApiError(error).fields.map(({ field, reason }) => [field, fieldText(field, reason)]),
  );
}
