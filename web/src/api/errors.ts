/** What can go wrong with a request, by REST or by the gateway, in one type. */

import { isRecord } from "./trust";
import { isErrorCode, type ErrorCode, type FieldError } from "./types";

/** The server's codes, and `network`: no answer came. */
export type FailureCode = ErrorCode | "network";

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: FailureCode;
  readonly fields: readonly FieldError[];
  /** Seconds to wait before the next try, where the server said so. */
  readonly retryAfter: number | undefined;

  constructor(code: FailureCode, detail: string, fields: readonly FieldError[] = [], retryAfter?: number) {
    super(detail);
    this.code = code;
    this.fields = fields;
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later without a change. */
  get temporary(): boolean {
    switch (this.code) {
      case "network":
      case "rate_limited":
      case "unavailable":
      case "internal":
      case "unauthenticated":
        return true;
      case "forbidden":
      case "not_found":
      case "method_not_allowed":
      case "precondition_failed":
      case "unsupported_media_type":
      case "range_not_satisfiable":
      case "upgrade_required":
      case "invalid":
      case "conflict":
      case "too_large":
      case "storage_full":
        return false;
    }
  }
}

const byStatus = new Map<number, ErrorCode>([
  [401, "unauthenticated"],
  [403, "forbidden"],
  [404, "not_found"],
  [409, "conflict"],
  [413, "too_large"],
  [422, "invalid"],
  [429, "rate_limited"],
  [502, "unavailable"],
  [503, "unavailable"],
  [504, "unavailable"],
]);

function isFieldError(value: unknown): value is FieldError {
  return isRecord(value) && typeof value["field"] === "string" && typeof value["reason"] === "string";
}

/** Reads a problem of HTTP or the payload of `ERROR`; a proxy in between may have sent anything. */
export function errorFrom(body: unknown, status = 0, retryAfter?: string | null): ApiError {
  const problem = isRecord(body) ? body : {};
  const code = problem["code"];
  const detail = problem["detail"];
  const fields = problem["errors"];
  const wait = problem["retry_after"] ?? retryAfter;
  return new ApiError(
    isErrorCode(code) ? code : (byStatus.get(status) ?? "internal"),
    typeof detail === "string" ? detail : `HTTP ${status}`,
    Array.isArray(fields) ? fields.filter(isFieldError) : [],
    wait === undefined || wait === null || Number.isNaN(Number(wait)) ? undefined : Number(wait),
  );
}

export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  return new ApiError("network", error instanceof Error ? error.message : String(error));
}
