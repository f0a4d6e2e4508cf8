/** One's own corner: status, appearance, language, sessions, the way out. */

import Box from "@mui/material/Box";
import ButtonBase from "@mui/material/ButtonBase";
import Divider from "@mui/material/Divider";
import ListSubheader from "@mui/material/ListSubheader";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import Typography from "@mui/material/Typography";
import { useColorScheme } from "@mui/material/styles";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { settingsQuery } from "../../api/queries";
import { chooseLanguage, isLanguage, languages } from "../../i18n";
import { useMyId } from "../../state/context";
import { useMe } from "../../state/places";
import { usePresence } from "../../state/presence";
import { statusText } from "../../state/status";
import { Avatar } from "../../ui/Avatar";
import { useLogOut, useSaveSettings } from "./actions";
import { ProfileDialog } from "./ProfileDialog";
import { SessionsDialog } from "./SessionsDialog";
import { StatusDialog } from "./StatusDialog";

type Dialog = "sessions" | "status" | "profile";

export function UserMenu() {
  const { t, i18n } = useTranslation();
  const myId = useMyId();
  const me = useMe();
  const own = usePresence()[myId];
  const { mode, setMode } = useColorScheme();
  const logOut = useLogOut();
  const { data: settings } = useQuery(settingsQuery);
  const sharing = settings?.share_read_marks ?? true;
  const save = useSaveSettings();
  const [anchor, setAnchor] = useState<HTMLElement>();
  const [dialog, setDialog] = useState<Dialog>();
  const name = me?.display_name ?? "";
  const close = () => setAnchor(undefined);
  const open = (which: Dialog) => {
    close();
    setDialog(which);
  };
  const modes = [
    ["light", t("settings.themeLight")],
    ["dark", t("settings.themeDark")],
    ["system", t("settings.themeSystem")],
  ] as const;

  return (
    <>
      <ButtonBase
        aria-label={t("settings.menu", { name })}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{
          width: "100%",
          p: 1.5,
          gap: 1.5,
          justifyContent: "flex-start",
          borderTop: 1,
          borderColor: "divider",
          textAlign: "left",
          "&:hover": { bgcolor: "courtyard.hover" },
        }}
      >
        <Avatar id={myId} name={name} url={me?.avatar_url} size={32} status={own?.status ?? "offline"} />
        <Box sx={{ minWidth: 0 }}>
          <Typography noWrap sx={{ fontWeight: 600 }}>
            {name}
          </Typography>
          <Typography variant="caption" color="textSecondary" noWrap component="p">
            {statusText(own) || me?.username}
          </Typography>
        </Box>
      </ButtonBase>
      <Menu
        open={anchor !== undefined}
        anchorEl={anchor ?? null}
        onClose={close}
        anchorOrigin={{ vertical: "top", horizontal: "left" }}
        transformOrigin={{ vertical: "bottom", horizontal: "left" }}
      >
        <MenuItem onClick={() => open("profile")}>{t("settings.profile")}</MenuItem>
        <MenuItem onClick={() => open("status")}>{t("settings.customStatusSet")}</MenuItem>
        <MenuItem onClick={() => open("sessions")}>{t("settings.sessions")}</MenuItem>
        <Divider />
        <ListSubheader disableSticky sx={{ lineHeight: 2.5 }}>
          {t("settings.theme")}
        </ListSubheader>
        {modes.map(([value, label]) => (
          <MenuItem
            key={value}
            role="menuitemradio"
            aria-checked={mode === value}
            selected={mode === value}
            onClick={() => {
              setMode(value);
              close();
            }}
          >
            {label}
          </MenuItem>
        ))}
        <Divider />
        <ListSubheader disableSticky sx={{ lineHeight: 2.5 }}>
          {t("settings.language")}
        </ListSubheader>
        {Object.entries(languages).map(([value, label]) => (
          <MenuItem
            key={value}
            lang={value}
            role="menuitemradio"
            aria-checked={i18n.language === value}
            selected={i18n.language === value}
            onClick={() => {
              if (isLanguage(value)) void chooseLanguage(value);
              close();
            }}
          >
            {label}
          </MenuItem>
        ))}
        <Divider />
        <ListSubheader disableSticky sx={{ lineHeight: 2.5 }}>
          {t("settings.privacy")}
        </ListSubheader>
        <MenuItem
          role="menuitemcheckbox"
          aria-checked={sharing}
          selected={sharing}
          disabled={settings === undefined || save.isPending}
          onClick={() => save.mutate({ share_read_marks: !sharing })}
        >
          {t("settings.shareReadMarks")}
        </MenuItem>
        <Divider />
        <MenuItem onClick={() => logOut.mutate(myId)}>{t("auth.logOut")}</MenuItem>
      </Menu>
      {dialog === "sessions" && <SessionsDialog onClose={() => setDialog(undefined)} />}
      {dialog === "profile" && me !== undefined && (
        <ProfileDialog me={me} onClose={() => setDialog(undefined)} />
      )}
      {dialog === "status" && <StatusDialog presence={own} onClose={() => setDialog(undefined)} />}
    </>
  );
}
