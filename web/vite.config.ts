// How the workspace is built: hashed names, nothing inlined (the server's policy allows scripts
// from itself only), and a proxy to a running `precordia` while developing.
import { defineConfig } from "vitest/config";

export default defineConfig({
  // React's own transform plugin is left out: esbuild compiles JSX, and one dependency less builds.
  esbuild: { jsx: "automatic" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      // "use client" means nothing without a rendering server; a warning a file would hide real ones.
      onwarn: (warning, warn) => {
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
      output: {
        manualChunks: (id) => {
          if (/node_modules\/(react|react-dom|scheduler|react-router)\//.test(id)) return "react";
          if (/node_modules\/(@mantine|@floating-ui|clsx|react-remove-scroll)/.test(id)) return "controls";
          return undefined;
        },
      },
    },
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8480", changeOrigin: false } } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
