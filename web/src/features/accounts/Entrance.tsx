/** Log in, sign up, or come in as a guest. */

import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Divider from "@mui/material/Divider";
import Paper from "@mui/material/Paper";
import Tab from "@mui/material/Tab";
import Tabs from "@mui/material/Tabs";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { asApiError } from "../../api/errors";
import { chooseLanguage, isLanguage, languages } from "../../i18n";
import { errorText, fieldTexts } from "../../state/errorText";
import { useGuest, useLogIn, useSignUp } from "./actions";

type Way = "logIn" | "signUp";

export function Entrance() {
  const { t } = useTranslation();
  const [way, setWay] = useState<Way>("logIn");
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [displayName, setDisplayName] = useState("");
  const logIn = useLogIn();
  const signUp = useSignUp();
  const guest = useGuest();

  const { error } = guest.isError ? guest : way === "logIn" ? logIn : signUp;
  const busy = logIn.isPending || signUp.isPending || guest.isPending;
  const fields = error === null ? {} : fieldTexts(error);
  const { code } = error === null ? { code: undefined } : asApiError(error);
  const text =
    error === null || Object.keys(fields).length > 0
      ? undefined
      : way === "logIn" && code === "unauthenticated"
        ? t("auth.wrongPassword")
        : way === "signUp" && code === "conflict"
          ? t("auth.usernameTaken")
          : errorText(error);

  const submit = () => {
    guest.reset();
    const name = displayName.trim();
    if (way === "logIn") logIn.mutate({ username: username.trim(), password });
    else {
      signUp.mutate({ username: username.trim(), password, ...(name === "" ? {} : { display_name: name }) });
    }
  };

  return (
    <Box
      component="main"
      sx={{
        minHeight: "100%",
        display: "grid",
        gridTemplateColumns: "minmax(0, 400px)",
        placeContent: "center",
        justifyItems: "center",
        gap: 1,
        p: 2,
        bgcolor: "background.default",
      }}
    >
      <Paper variant="outlined" sx={{ width: "100%", p: 3 }}>
        <Typography component="h1" variant="h1">
          {t("app.name")}
        </Typography>
        <Typography color="textSecondary" sx={{ mb: 2 }}>
          {t("app.tagline")}
        </Typography>
        <Tabs value={way} onChange={(_event, value: Way) => setWay(value)} variant="fullWidth" sx={{ mb: 2 }}>
          <Tab value="logIn" label={t("auth.logIn")} />
          <Tab value="signUp" label={t("auth.signUp")} />
        </Tabs>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
          style={{ display: "flex", flexDirection: "column", gap: 16 }}
        >
          <TextField
            required
            label={t("auth.username")}
            autoComplete="username"
            value={username}
            onChange={(event) => setUsername(event.target.value)}
            error={fields["username"] !== undefined}
            helperText={fields["username"] ?? (way === "signUp" ? t("auth.usernameHint") : undefined)}
            slotProps={{ htmlInput: { autoCapitalize: "none", spellCheck: false, maxLength: 64 } }}
          />
          <TextField
            required
            type="password"
            label={t("auth.password")}
            autoComplete={way === "logIn" ? "current-password" : "new-password"}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
            error={fields["password"] !== undefined}
            helperText={fields["password"] ?? (way === "signUp" ? t("auth.passwordHint") : undefined)}
          />
          {way === "signUp" && (
            <TextField
              label={t("auth.displayName")}
              autoComplete="name"
              value={displayName}
              onChange={(event) => setDisplayName(event.target.value)}
              error={fields["display_name"] !== undefined}
              helperText={fields["display_name"] ?? t("auth.displayNameHint")}
            />
          )}
          {text !== undefined && (
            <Typography color="error" role="alert">
              {text}
            </Typography>
          )}
          <Button type="submit" variant="contained" size="large" disabled={busy}>
            {way === "logIn" ? t("auth.logIn") : t("auth.signUp")}
          </Button>
        </form>
        <Divider sx={{ my: 2 }}>{t("auth.or")}</Divider>
        <Button
          fullWidth
          variant="outlined"
          size="large"
          disabled={busy}
          onClick={() => {
            logIn.reset();
            signUp.reset();
            guest.mutate();
          }}
        >
          {t("auth.guest")}
        </Button>
        <Typography variant="caption" color="textSecondary" component="p" sx={{ mt: 1, textAlign: "center" }}>
          {t("auth.guestHint")}
        </Typography>
      </Paper>
      <LanguageChoice />
    </Box>
  );
}

function LanguageChoice() {
  const { t, i18n } = useTranslation();
  return (
    <Box role="group" aria-label={t("settings.language")} sx={{ display: "flex", gap: 1 }}>
      {Object.entries(languages).map(([tag, name]) => (
        <Button
          key={tag}
          lang={tag}
          size="small"
          color="inherit"
          aria-pressed={i18n.language === tag}
          sx={{ fontWeight: i18n.language === tag ? 700 : 400 }}
          onClick={() => {
            if (isLanguage(tag)) void chooseLanguage(tag);
          }}
        >
          {name}
        </Button>
      ))}
    </Box>
  );
}
