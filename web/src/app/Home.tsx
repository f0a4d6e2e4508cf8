/** The start: goes on where one was last. */

import { Navigate } from "react-router";

import { paths } from "../paths";
import { useMyId } from "../state/context";
import { readLastPlace } from "../state/lastPlace";
import { entranceOf, useChannels, useWorkspaces } from "../state/places";
import { Splash } from "./Splash";
import { NoWorkspace } from "./NoWorkspace";

export function Home() {
  const myId = useMyId();
  const { channels } = useChannels();
  const workspaces = useWorkspaces();
  if (channels === undefined || workspaces === undefined) return <Splash />;
  const last = readLastPlace(myId);
  const known = (id: string | null | undefined) => channels.find((channel) => channel.id === id);
  const [first] = workspaces;
  const entrance = first === undefined ? undefined : entranceOf(first, channels);
  const channel = known(last) ?? known(entrance) ?? channels[0];
  if (channel === undefined) return <NoWorkspace />;
  return <Navigate to={paths.channel(channel.id)} replace />;
}
