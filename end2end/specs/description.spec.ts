// The committed OpenAPI description, as other people's tools read it.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { expect, test } from '../harness/test.ts';

const here = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const description = here('../docs/openapi.json');
const run = promisify(execFile);

// Generators and compilers take seconds, and more where others build beside.
test.describe.configure({ timeout: 120_000 });

/** Runs a tool of node_modules, which fails with what it printed. */
async function tool(name: string, ...args: string[]): Promise<void> {
  await run(here(`node_modules/.bin/${name}`), args).catch((error) => {
    throw new Error(`${name}: ${error.stdout}${error.stderr}`);
  });
}

test('Spectral has nothing to say about the description', async () => {
  await tool('spectral', 'lint', description, '--ruleset', here('spectral.yaml'), '--fail-severity', 'hint');
});

test('a client in TypeScript is generated and type-checks, with one type for each word', async ({}, testInfo) => {
  const folder = testInfo.outputPath();
  mkdirSync(folder, { recursive: true });
  const types = join(folder, 'latchkey.ts');
  await tool('openapi-typescript', description, '--output', types);
  cpSync(here('clients/typed.ts'), join(folder, 'typed.ts'));
  const strict = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--module', 'nodenext'];
  await tool('tsc', ...strict, '--allowImportingTsExtensions', join(folder, 'typed.ts'));
  const generated = readFileSync(types, 'utf8');
  for (const words of ['"email" | "sms"', '"pending" | "approved"', '"accepted" | "sent"', '"recipient_sends"']) {
    expect(generated.split(words).length - 1, words).toBe(1);
  }
});

test('a client in Python is generated and signs somebody up', async ({ latchkey }, testInfo) => {
  const folder = testInfo.outputPath();
  mkdirSync(folder, { recursive: true });
  // The generator calls its formatter by name.
  const tools = process.env.LATCHKEY_PYTHON ?? '';
  const env = { ...process.env, PATH: tools + delimiter + process.env.PATH };
  const options = ['generate', '--path', description, '--meta', 'none', '--fail-on-warning'];
  const output = ['--output-path', join(folder, 'latchkey')];
  const generating = run(join(tools, 'openapi-python-client'), [...options, ...output], { env });
  await generating.catch((error) => {
    throw new Error(`${error.stdout}${error.stderr}`);
  });
  const client = [here('clients/generated.py'), latchkey.origin];
  const { stdout } = await run(join(tools, 'python'), client, { env: { ...env, PYTHONPATH: folder } });
  expect(JSON.parse(stdout)).toEqual({ state: 'pending', channel: 'sms', code: 'invalid_recipient' });
});
