/** The pages behind the login: whoever is not signed in is sent to the entrance, and back afterwards. */

import { Navigate, Outlet, useLocation } from "react-router";

import { paths } from "../paths";
import { SyncContext } from "../state/context";
import { useRunningStore } from "../state/running";

export function SignedIn() {
  const sync = useRunningStore((running) => running.sync);
  const { pathname } = useLocation();
  if (sync === undefined) {
    const next = pathname === paths.home ? "" : `?next=${encodeURIComponent(pathname)}`;
    return <Navigate to={paths.entrance + next} replace />;
  }
  return (
    // Another login is another world: nothing of the one before stays on the page.
    <SyncContext key={sync.userId} value={sync}>
      <Outlet />
    </SyncContext>
  );
}
