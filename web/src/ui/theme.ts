/**
 * Colours, type and shapes: a courtyard of packed earth, roof tiles, pine and persimmon.
 *
 * One theme with a light and a dark scheme as CSS variables, so that switching redraws nothing; MUI
 * keeps the choice (light, dark, system) in the browser's storage. `schemes` is exported for the test
 * that holds every pair of colours in use to WCAG AA.
 */
import { createTheme } from "@mui/material/styles";
import type {} from "@mui/material/themeCssVarsAugmentation";

/** The colours of one scheme. */
export interface Scheme {
  /** Behind the messages. */
  paper: string;
  /** Behind the sidebar and the page's edges. */
  ground: string;
  /** Behind what the pointer or the keyboard is on. */
  hover: string;
  /** Behind what is chosen in a list. */
  chosen: string;
  /** Behind code and quoted things. */
  inset: string;
  /** Text. */
  text: string;
  /** Text that stands back: times, hints. */
  quiet: string;
  /** Lines between things. */
  line: string;
  /** The main colour: buttons, links, what is chosen. */
  clay: string;
  /** Text on `clay`. */
  onClay: string;
  /** The second colour: people who are online, what went well. */
  pine: string;
  /** Text on `pine`. */
  onPine: string;
  /** What is new or asks for attention. */
  persimmon: string;
  /** Text on `persimmon`. */
  onPersimmon: string;
  /** Faults and what cannot be undone. */
  brick: string;
  /** Text on `brick`. */
  onBrick: string;
}

/** Both schemes. */
export const schemes = {
  light: {
    paper: "#FDFBF6",
    ground: "#F1EADD",
    hover: "#F5EFE4",
    chosen: "#E4D6BF",
    inset: "#F3EDE1",
    text: "#2B2620",
    quiet: "#6A5F52",
    line: "#E0D6C5",
    clay: "#8A4A26",
    onClay: "#FFFFFF",
    pine: "#3A6350",
    onPine: "#FFFFFF",
    persimmon: "#B4481A",
    onPersimmon: "#FFFFFF",
    brick: "#A3281F",
    onBrick: "#FFFFFF",
  },
  dark: {
    paper: "#211E1A",
    ground: "#191714",
    hover: "#2A2621",
    chosen: "#3B332A",
    inset: "#191714",
    text: "#EDE6DA",
    quiet: "#ADA294",
    line: "#3A342D",
    clay: "#E2A677",
    onClay: "#2A1608",
    pine: "#93C2A6",
    onPine: "#0F241A",
    persimmon: "#F0935A",
    onPersimmon: "#2A1206",
    brick: "#F2938A",
    onBrick: "#330C08",
  },
} as const satisfies Record<"light" | "dark", Scheme>;

declare module "@mui/material/styles" {
  interface Palette {
    /** Colours of the courtyard that MUI has no name for. */
    courtyard: Pick<Scheme, "hover" | "chosen" | "inset" | "persimmon" | "onPersimmon">;
  }
  interface PaletteOptions {
    courtyard: Pick<Scheme, "hover" | "chosen" | "inset" | "persimmon" | "onPersimmon">;
  }
}

function palette(scheme: Scheme) {
  return {
    primary: { main: scheme.clay, contrastText: scheme.onClay },
    secondary: { main: scheme.pine, contrastText: scheme.onPine },
    success: { main: scheme.pine, contrastText: scheme.onPine },
    warning: { main: scheme.persimmon, contrastText: scheme.onPersimmon },
    error: { main: scheme.brick, contrastText: scheme.onBrick },
    info: { main: scheme.quiet, contrastText: scheme.paper },
    background: { default: scheme.ground, paper: scheme.paper },
    text: { primary: scheme.text, secondary: scheme.quiet },
    divider: scheme.line,
    courtyard: {
      hover: scheme.hover,
      chosen: scheme.chosen,
      inset: scheme.inset,
      persimmon: scheme.persimmon,
      onPersimmon: scheme.onPersimmon,
    },
  };
}

/** Korean faces first: they bring Latin letters that sit well beside Hangul. */
export const fontFamily =
  'Pretendard, "Noto Sans KR", "Apple SD Gothic Neo", "Malgun Gothic", "Noto Sans CJK KR", system-ui, sans-serif';

/** For code; Hangul falls back to the face of the text. */
export const codeFontFamily =
  'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "D2Coding", "Noto Sans Mono", monospace';

/** The theme; give it to `ThemeProvider` with `defaultMode="system"`. */
export const theme = createTheme({
  cssVariables: { colorSchemeSelector: "data-scheme" },
  colorSchemes: {
    light: { palette: palette(schemes.light) },
    dark: { palette: palette(schemes.dark) },
  },
  shape: { borderRadius: 10 },
  typography: {
    fontFamily,
    fontSize: 14,
    button: { textTransform: "none", fontWeight: 600 },
    h1: { fontSize: "1.5rem", fontWeight: 700 },
    h2: { fontSize: "1.125rem", fontWeight: 700 },
    h3: { fontSize: "1rem", fontWeight: 700 },
    overline: { textTransform: "none", letterSpacing: "0.02em", fontWeight: 600, lineHeight: 2 },
  },
  components: {
    MuiCssBaseline: {
      styleOverrides: (base) => ({
        // Hangul breaks between words, not inside them; long words break rather than overflow.
        body: { wordBreak: "keep-all", overflowWrap: "anywhere" },
        "html, body, #root": { height: "100%" },
        ":focus-visible": {
          outline: `2px solid ${base.vars.palette.primary.main}`,
          outlineOffset: 2,
        },
        "@media (prefers-reduced-motion: reduce)": {
          "*, *::before, *::after": {
            animationDuration: "1ms !important",
            transitionDuration: "1ms !important",
          },
        },
      }),
    },
    MuiButton: { defaultProps: { disableElevation: true } },
    MuiButtonBase: { defaultProps: { disableTouchRipple: true } },
    MuiPaper: { styleOverrides: { root: { backgroundImage: "none" } } },
    MuiTooltip: { defaultProps: { enterDelay: 500, describeChild: false } },
  },
});
