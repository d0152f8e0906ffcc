// All tests run against the real binary: the journeys in every engine, the rest in Chromium.
import { existsSync } from 'node:fs';
import { defineConfig } from '@playwright/test';

import type { Options } from './harness/engines/test.ts';

const usual = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const installed = usual.map((name) => `/usr/bin/${name}`).find((path) => existsSync(path));

/** The journeys in one engine, in one worker, since each starts a browser and servers of its own. */
const journeys = (engineName: Options['engineName']) => ({
  name: engineName,
  testDir: 'journeys',
  workers: 1,
  use: { engineName },
});

export default defineConfig<object, Options>({
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: true,
  // Generous, for machines that are busy with builds.
  timeout: 30_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: 'results.json' }]],
  projects: [journeys('firefox'), journeys('webkit'), journeys('chromium'), { name: 'specs', testDir: 'specs' }],
  use: {
    browserName: 'chromium',
    locale: 'en-GB',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? installed,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
