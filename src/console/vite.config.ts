import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/** Where `npm run dev:console` finds the API. */
const SERVER = process.env.KSHOT_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    outDir: fileURLToPath(new URL('../../dist/console', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // Nothing is put into the page itself: its policy allows files of this server and no more.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      onwarn(warning, warn) {
        // "use client" in packages: meant for servers that render, which there is none of.
        if (warning.code !== 'MODULE_LEVEL_DIRECTIVE') warn(warning);
      },
    },
  },
  server: { proxy: { '/v1': SERVER, '/docs': SERVER, '/healthz': SERVER, '/openapi.json': SERVER } },
});
