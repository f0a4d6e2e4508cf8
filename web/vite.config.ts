// How the client is built (to dist/, which the server carries inside) and served while developing.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env["MADANG_SERVER"] ?? "http://localhost:8080";

export default defineConfig({
  plugins: [react()],
  build: {
    // Nothing is inlined as data: the page's content policy asks for files of its own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        codeSplitting: {
          // What seldom changes stays in the browser's cache over releases.
          groups: [
            {
              name: "vendor",
              test: /node_modules[\\/](@mui|@emotion|react|react-dom|react-router|@tanstack)[\\/]/,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      "/api": { target: server, ws: true },
      "/health": { target: server },
    },
  },
});
