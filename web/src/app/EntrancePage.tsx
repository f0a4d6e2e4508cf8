/** The way in, and back to where one wanted to go. */

import { Navigate, useSearchParams } from "react-router";

import { Entrance } from "../features/accounts/Entrance";
import { useTitle } from "../features/reads/useTitle";
import { paths } from "../paths";
import { useLogin } from "../state/login";

export function EntrancePage() {
  const login = useLogin();
  const [search] = useSearchParams();
  useTitle(undefined);
  const next = search.get("next") ?? paths.home;
  // Only places in this client, never an address elsewhere.
  if (login !== undefined) return <Navigate to={/^\/(?![/\\])/.test(next) ? next : paths.home} replace />;
  return <Entrance />;
}
