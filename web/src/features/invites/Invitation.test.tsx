/** The way in by a link: what it opens, as whom one comes, and what is said when it opens nothing. */

import { QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { newQueryClient } from "../../api/queries";
import { currentLogin, signIn } from "../../api/session";
import type { InvitePreview, SignedIn } from "../../api/types";
import { startI18n } from "../../i18n";
import { Invitation } from "./Invitation";

const preview: InvitePreview = {
  workspace_id: "1",
  workspace_name: "Book club",
  channel_id: "7",
  channel_name: "dune",
  access_until: "2026-12-24T18:00:00.000Z",
};
const guest: SignedIn = {
  user: {
    id: "guest_1",
    username: "guest_1",
    display_name: "Mina",
    guest: true,
    created_at: "2026-11-20T09:00:00Z",
  },
  session_id: "s",
  access_token: "token",
  refresh_token: "refresh",
  expires_in: 900,
};
const problem = () => Response.json({ code: "not_found", detail: "no such invite" }, { status: 404 });

let calls: [string, unknown, string | null][];
const onIn = vi.fn();

/** Answers by path. */
function server(answers: Record<string, () => Response>): void {
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
    calls.push([path.replace("/api/v1", ""), body, new Headers(init.headers).get("Authorization")]);
    return Promise.resolve((answers[path.replace("/api/v1", "")] ?? problem)());
  });
}

function show(): void {
  render(
    <QueryClientProvider client={newQueryClient()}>
      <Invitation
        code="secret"
        signedIn={currentLogin() !== undefined}
        onIn={onIn}
        loginHref="/login?next=/invite/secret"
        homeHref="/"
      />
    </QueryClientProvider>,
  );
}

beforeAll(() => void startI18n("en"));
beforeEach(() => {
  localStorage.clear();
  calls = [];
  onIn.mockReset();
  server({
    "/invites/preview": () => Response.json(preview),
    "/auth/guest": () => Response.json(guest, { status: 201 }),
    "/invites/accept": () => Response.json({ id: "1", default_channel_id: "2", role: "visitor" }),
  });
});
afterEach(cleanup);

test("whoever is not signed in comes in as a guest of the name that they say", async () => {
  show();
  await screen.findByText("to #dune in Book club");
  expect(screen.getByText(/^You can stay until/)).toBeTruthy();
  expect(screen.getByRole("link", { name: "I have an account" }).getAttribute("href")).toContain(
    "/login?next=",
  );
  fireEvent.change(screen.getByLabelText("Your name"), { target: { value: " Mina " } });
  fireEvent.click(screen.getByRole("button", { name: "Come in" }));
  await waitFor(() => expect(onIn).toHaveBeenCalledWith("7"));
  expect(calls).toEqual([
    ["/invites/preview", { code: "secret" }, null],
    ["/auth/guest", { display_name: "Mina" }, null],
    ["/invites/accept", { code: "secret" }, "Bearer token"],
  ]);
  expect(currentLogin()?.userId).toBe("guest_1");
});

test("whoever is signed in stays who they are", async () => {
  signIn(guest);
  show();
  fireEvent.click(await screen.findByRole("button", { name: "Come in" }));
  await waitFor(() => expect(onIn).toHaveBeenCalledWith("7"));
  expect(screen.queryByLabelText("Your name")).toBeNull();
  expect(calls.map(([path]) => path)).toEqual(["/invites/preview", "/invites/accept"]);
});

test("a link that is over says so, also when it ends while one looks at it", async () => {
  server({ "/invites/preview": () => Response.json(preview) });
  signIn(guest);
  show();
  fireEvent.click(await screen.findByRole("button", { name: "Come in" }));
  expect((await screen.findByRole("alert")).textContent).toContain("cannot be used any more");
  cleanup();
  server({});
  show();
  expect((await screen.findByRole("alert")).textContent).toContain("cannot be used any more");
  expect(onIn).not.toHaveBeenCalled();
});
