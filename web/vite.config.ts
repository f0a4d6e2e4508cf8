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
  },
  server: {
    proxy: {
      "/api": { target: server, ws: true },
      "/health": { target: server },
    },
  },
});
