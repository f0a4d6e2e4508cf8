/** What an invite opens, and the way in. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import CircularProgress from "@mui/material/CircularProgress";
import Paper from "@mui/material/Paper";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { asApiError } from "../../api/errors";
import { inviteQuery } from "../../api/queries";
import type { InvitePreview } from "../../api/types";
import { formatFull } from "../../lib/dates";
import { errorText, fieldTexts } from "../../state/errorText";
import { useComeIn } from "./actions";

export interface InvitationProps {
  code: string;
  signedIn: boolean;
  /** One is in, and begins in this channel. */
  onIn: (channelId: string) => void;
  /** Whoever has an account goes there first. */
  loginHref: string;
  homeHref: string;
}

export function Invitation(props: InvitationProps) {
  const { t } = useTranslation();
  const { data, error } = useQuery(inviteQuery(props.code));
  if (data !== undefined) return <Offered invite={data} {...props} />;
  return (
    <Frame>
      {error === null ? (
        <CircularProgress aria-label={t("app.loading")} />
      ) : (
        <>
          <Typography role="alert">{whyNot(error, t("invite.over"))}</Typography>
          <Button href={props.homeHref}>{t("errors.home")}</Button>
        </>
      )}
    </Frame>
  );
}

/** Used up, over and never made are the same to the server. */
function whyNot(error: Error, over: string): string {
  return asApiError(error).code === "not_found" ? over : errorText(error);
}

function Offered({ invite, code, signedIn, onIn, loginHref }: InvitationProps & { invite: InvitePreview }) {
  const { t, i18n } = useTranslation();
  const [name, setName] = useState("");
  const enter = useComeIn(code, (workspace) => onIn(invite.channel_id ?? workspace.default_channel_id));
  const { channel_name: channel, workspace_name: workspace, access_until } = invite;
  const nameFault = enter.error === null ? undefined : fieldTexts(enter.error)["display_name"];
  return (
    <Frame>
      <Typography component="h1" variant="h1">
        {t("invite.title")}
      </Typography>
      <Typography>
        {channel === undefined
          ? t("invite.workspace", { workspace })
          : t("invite.channel", { channel, workspace })}
      </Typography>
      {access_until !== undefined && (
        <Typography color="textSecondary">
          {t("invite.until", { time: formatFull(new Date(access_until), i18n.language) })}
        </Typography>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          enter.mutate(name.trim());
        }}
        style={{ display: "flex", flexDirection: "column", gap: 16 }}
      >
        {!signedIn && (
          <TextField
            label={t("invite.name")}
            autoComplete="name"
            value={name}
            onChange={(event) => setName(event.target.value)}
            error={nameFault !== undefined}
            helperText={nameFault ?? t("invite.nameHint")}
            slotProps={{ htmlInput: { maxLength: 64 } }}
          />
        )}
        {enter.error !== null && nameFault === undefined && (
          <Typography color="error" role="alert">
            {whyNot(enter.error, t("invite.over"))}
          </Typography>
        )}
        <Button type="submit" variant="contained" size="large" disabled={enter.isPending}>
          {t("invite.enter")}
        </Button>
      </form>
      {!signedIn && <Button href={loginHref}>{t("invite.logIn")}</Button>}
    </Frame>
  );
}

function Frame({ children }: { children: ReactNode }) {
  return (
    <Box component="main" sx={{ minHeight: "100%", display: "grid", placeContent: "center", p: 2 }}>
      <Paper
        variant="outlined"
        sx={{ p: 3, width: "min(400px, 100%)", display: "flex", flexDirection: "column", gap: 2 }}
      >
        {children}
      </Paper>
    </Box>
  );
}
