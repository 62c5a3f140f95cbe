import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['test/**/*.test.{ts,tsx}'],
    setupFiles: ['test/setup.ts'],
    // These packages are written for a bundler: their style sheets and bare folders need one.
    server: { deps: { inline: [/@jupyterlab/, /@lumino/, /@jupyter/] } },
    css: false
  }
});
