// Snippets of the documents, for tests that run them.
import { readFileSync } from 'node:fs';

/** The first snippet in a language below a heading of a document, as it stands there. */
export function snippet(document: string, heading: string, language: string): string {
  const text = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8');
  const section = new RegExp(`^#+ ${heading}\n(.*?)(?=^## |(?![^]))`, 'ms').exec(text)?.[1];
  const found = section && new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(section)?.[1];
  if (!found) throw new Error(`${document} has no snippet in ${language} below "${heading}"`);
  return found;
}
