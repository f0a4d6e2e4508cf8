/** The page that a link of an invite leads to. */

import { useNavigate, useParams } from "react-router";

import { Invitation } from "../features/invites/Invitation";
import { useTitle } from "../features/reads/useTitle";
import { paths } from "../paths";
import { useLogin } from "../state/login";
import { useRunningStore } from "../state/running";

export function InvitePage() {
  const { code = "" } = useParams();
  const navigate = useNavigate();
  const signedIn = useLogin() !== undefined;
  useTitle(undefined);
  return (
    <Invitation
      code={code}
      signedIn={signedIn}
      loginHref={`${paths.entrance}?next=${encodeURIComponent(paths.invite(code))}`}
      homeHref={paths.home}
      onIn={(channelId) => {
        // The server may have ended the connection of a guest to whom nothing was left.
        useRunningStore.getState().sync?.retryNow();
        void navigate(paths.channel(channelId));
      }}
    />
  );
}
