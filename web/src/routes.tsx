/** The map of the client. */

import { createBrowserRouter } from "react-router";

import { ChannelPage } from "./app/ChannelPage";
import { EntrancePage } from "./app/EntrancePage";
import { Home } from "./app/Home";
import { InvitePage } from "./app/InvitePage";
import { Crashed, NotFound } from "./app/NotFound";
import { SignedIn } from "./app/SignedIn";
import { paths } from "./paths";

export const router = createBrowserRouter([
  {
    errorElement: <Crashed />,
    children: [
      { path: paths.entrance, element: <EntrancePage /> },
      { path: paths.anyInvite, element: <InvitePage /> },
      {
        element: <SignedIn />,
        children: [
          { path: paths.home, element: <Home /> },
          { path: paths.anyChannel, element: <ChannelPage /> },
        ],
      },
      { path: "*", element: <NotFound /> },
    ],
  },
]);
