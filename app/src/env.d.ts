/// <reference types="vite/client" />

/** Written by the build: app/vite.config.ts. */
declare const DEGHOST_ABOUT: import('../build/about.ts').About;
