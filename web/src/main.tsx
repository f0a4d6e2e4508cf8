/** The entry: starts the texts, the connection and the pages. */

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { newQueryClient } from "./api/queries";
import { App } from "./app/App";
import { startI18n } from "./i18n";
import { followLogin } from "./state/running";

const root = document.getElementById("root");
if (root !== null) {
  startI18n();
  const client = newQueryClient();
  followLogin(client);
  createRoot(root).render(
    <StrictMode>
      <App client={client} />
    </StrictMode>,
  );
}
