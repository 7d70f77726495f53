// Mantine in our colors. The scheme follows the system; a choice made in the menu lasts as long as
// the page, because nothing but the ruler's number is kept in the browser.
import {
  type CSSVariablesResolver,
  createTheme,
  type MantineColorScheme,
  type MantineColorSchemeManager,
} from "@mantine/core";

export const theme = createTheme({
  fontFamily: '"Inter Variable", system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: "600" },
  primaryColor: "ink",
  primaryShade: { light: 7, dark: 6 },
  defaultRadius: 6,
  cursorType: "pointer",
  respectReducedMotion: true,
  focusRing: "auto",
  colors: {
    ink: [
      "#eaf3fb",
      "#d3e4f4",
      "#a6c8e8",
      "#76aadc",
      "#4e90d1",
      "#367fca",
      "#2a76c7",
      "#17548f",
      "#124877",
      "#0c3a62",
    ],
    dark: [
      "#e6ebf0",
      "#c3ccd5",
      "#a6b3c0",
      "#8594a3",
      "#525f6c",
      "#2a323b",
      "#1a2027",
      "#151a20",
      "#11161b",
      "#0e1216",
    ],
  },
  components: {
    Button: { defaultProps: { size: "sm" }, styles: { label: { fontWeight: 600 } } },
    Modal: {
      defaultProps: {
        centered: true,
        overlayProps: { backgroundOpacity: 0.45 },
        closeButtonProps: { "aria-label": "Close" },
        // Mantine's element is a <header>; inside a dialog it is no banner of the page.
        attributes: { header: { role: "none" } },
        transitionProps: { duration: 0 },
      },
    },
    Menu: { defaultProps: { transitionProps: { duration: 0 }, position: "bottom-end" } },
    Popover: { defaultProps: { transitionProps: { duration: 0 }, position: "bottom-start" } },
    Tooltip: { defaultProps: { transitionProps: { duration: 0 }, openDelay: 400 } },
  },
});

export const cssVariables: CSSVariablesResolver = () => ({
  variables: { "--mantine-color-dimmed": "var(--quiet)", "--mantine-color-placeholder": "var(--quiet)" },
  light: {
    "--mantine-color-dimmed": "var(--quiet)",
    "--mantine-color-placeholder": "var(--quiet)",
    "--mantine-color-error": "var(--alert)",
  },
  dark: {
    "--mantine-color-dimmed": "var(--quiet)",
    "--mantine-color-placeholder": "var(--quiet)",
    "--mantine-color-error": "var(--alert)",
  },
});

export function colorSchemeInMemory(): MantineColorSchemeManager {
  let chosen: MantineColorScheme | undefined;
  return {
    get: (fallback) => chosen ?? fallback,
    set: (value) => {
      chosen = value;
    },
    subscribe: () => {},
    unsubscribe: () => {},
    clear: () => {
      chosen = undefined;
    },
  };
}
