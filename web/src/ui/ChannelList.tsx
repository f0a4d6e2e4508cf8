/** The channels one is in, with what is unread. */
import LockIcon from "@mui/icons-material/LockOutlined";
import Box from "@mui/material/Box";
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemButton from "@mui/material/ListItemButton";
import ListItemText from "@mui/material/ListItemText";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

export interface ListedChannel {
  id: string;
  name: string;
  kind: "public" | "private";
  unread: number;
}

export function ChannelList(props: { channels: readonly ListedChannel[]; currentId: string | undefined }) {
  const { t } = useTranslation();
  return (
    <List dense aria-label={t("channels.channels")}>
      {props.channels.map(({ id, name, kind, unread }) => (
        <ListItem key={id} disablePadding>
          <ListItemButton
            component={Link}
            to={`/c/${id}`}
            selected={id === props.currentId}
            aria-current={id === props.currentId ? "page" : undefined}
            aria-label={unread > 0 ? `${name}, ${t("channels.unread", { count: unread })}` : name}
          >
            <Box component="span" aria-hidden sx={{ width: 20, color: "text.secondary" }}>
              {kind === "private" ? <LockIcon sx={{ fontSize: 14 }} /> : "#"}
            </Box>
            <ListItemText
              primary={name}
              slotProps={{ primary: { noWrap: true, sx: { fontWeight: unread > 0 ? 700 : 400 } } }}
            />
            {unread > 0 && (
              <Box
                component="span"
                sx={{
                  px: 1,
                  borderRadius: 4,
                  bgcolor: "courtyard.persimmon",
                  color: "courtyard.onPersimmon",
                  fontSize: 12,
                }}
              >
                {unread > 99 ? "99+" : unread}
              </Box>
            )}
          </ListItemButton>
        </ListItem>
      ))}
    </List>
  );
}
