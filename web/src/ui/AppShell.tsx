/**
 * The frame of the page: a sidebar, a header, the main part and, where wanted, an aside.
 *
 * On wide screens the sidebar (and on wider ones the aside) stands beside the main part; on narrow
 * ones it is a drawer behind the header's menu button. Each part is a landmark, and the first thing
 * the Tab key reaches is a link past the sidebar.
 */
import MenuIcon from "@mui/icons-material/Menu";
import Badge from "@mui/material/Badge";
import Box from "@mui/material/Box";
import Drawer from "@mui/material/Drawer";
import IconButton from "@mui/material/IconButton";
import Link from "@mui/material/Link";
import useMediaQuery from "@mui/material/useMediaQuery";
import { useTheme } from "@mui/material/styles";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

const SIDEBAR_WIDTH = 272;
const ASIDE_WIDTH = 280;
const MAIN_ID = "main";

/** What the frame holds. */
export interface AppShellProps {
  /** The list of channels and the like. */
  sidebar: ReactNode;
  /** The line above the main part; the menu button of narrow screens is put before it. */
  header: ReactNode;
  /** The main part; it fills the height and scrolls by itself. */
  children: ReactNode;
  /** What stands beside the main part, such as the members. */
  aside?: ReactNode;
  /** The landmark's name of the aside. */
  asideLabel?: string;
  /** Whether the aside shows. */
  asideOpen?: boolean;
  /** Asked for by closing the aside's drawer on narrow screens. */
  onAsideClose?: () => void;
  /** What waits in the sidebar, in words: narrow screens, which hide it, show a dot at the menu button. */
  news?: string | undefined;
  /** Where the reader is; when it changes, the drawer of narrow screens closes. */
  place: string;
}

/** The frame of the page. */
export function AppShell(props: AppShellProps) {
  const {
    sidebar,
    header,
    children,
    aside,
    asideLabel,
    asideOpen = false,
    onAsideClose,
    news,
    place,
  } = props;
  const { t } = useTranslation();
  const theme = useTheme();
  const wide = useMediaQuery(theme.breakpoints.up("md"), { noSsr: true });
  const wider = useMediaQuery(theme.breakpoints.up("lg"), { noSsr: true });
  // The place at which the drawer was opened: going elsewhere closes it without an effect.
  const [openedAt, setOpenedAt] = useState<string | null>(null);

  const navigation = (
    <Box
      component="nav"
      aria-label={t("app.navigation")}
      sx={{
        height: "100%",
        width: SIDEBAR_WIDTH,
        maxWidth: "85vw",
        bgcolor: "background.default",
        overflowY: "auto",
      }}
    >
      {sidebar}
    </Box>
  );
  const beside =
    aside === undefined ? null : (
      <Box
        component="aside"
        aria-label={asideLabel ?? t("app.details")}
        sx={{
          height: "100%",
          width: ASIDE_WIDTH,
          maxWidth: "85vw",
          bgcolor: "background.default",
          overflowY: "auto",
        }}
      >
        {aside}
      </Box>
    );

  return (
    <Box sx={{ display: "flex", height: "100dvh", bgcolor: "background.paper", color: "text.primary" }}>
      <Link
        href={`#${MAIN_ID}`}
        onClick={(event) => {
          event.preventDefault(); // The address is the router's.
          document.getElementById(MAIN_ID)?.focus();
        }}
        sx={{
          position: "fixed",
          top: 8,
          left: 8,
          zIndex: "tooltip",
          px: 2,
          py: 1,
          borderRadius: 1,
          bgcolor: "primary.main",
          color: "primary.contrastText",
          transform: "translateY(-200%)",
          "&:focus": { transform: "none" },
        }}
      >
        {t("app.skipToMain")}
      </Link>
      {wide ? (
        <Box sx={{ flex: "none", borderRight: 1, borderColor: "divider" }}>{navigation}</Box>
      ) : (
        <Drawer
          open={openedAt === place}
          onClose={() => setOpenedAt(null)}
          slotProps={{ paper: { role: "dialog", "aria-modal": true, "aria-label": t("app.navigation") } }}
        >
          {navigation}
        </Drawer>
      )}
      <Box sx={{ flex: 1, minWidth: 0, display: "flex", flexDirection: "column" }}>
        <Box
          component="header"
          sx={{
            flex: "none",
            display: "flex",
            alignItems: "center",
            gap: 1,
            minHeight: 56,
            px: { xs: 1, md: 2 },
            borderBottom: 1,
            borderColor: "divider",
          }}
        >
          {!wide && (
            <IconButton
              aria-label={t("app.openNavigation")}
              title={news}
              onClick={() => setOpenedAt(place)}
              sx={{ ml: -1 }} // No further than the least padding.
            >
              <Badge variant="dot" color="primary" invisible={news === undefined}>
                <MenuIcon />
              </Badge>
            </IconButton>
          )}
          <Box sx={{ flex: 1, minWidth: 0 }}>{header}</Box>
        </Box>
        <Box
          component="main"
          id={MAIN_ID}
          tabIndex={-1}
          sx={{ flex: 1, minHeight: 0, display: "flex", flexDirection: "column", outline: "none" }}
        >
          {children}
        </Box>
      </Box>
      {beside !== null && wider && asideOpen && (
        <Box sx={{ flex: "none", borderLeft: 1, borderColor: "divider" }}>{beside}</Box>
      )}
      {beside !== null && !wider && (
        <Drawer
          anchor="right"
          open={asideOpen}
          onClose={() => onAsideClose?.()}
          slotProps={{
            paper: { role: "dialog", "aria-modal": true, "aria-label": asideLabel ?? t("app.details") },
          }}
        >
          {beside}
        </Drawer>
      )}
    </Box>
  );
}
