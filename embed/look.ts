// Look of the frame, read from the embedding page.
//
// Style sheets do not apply inside a frame, so four custom properties and the colour scheme are read
// here and added to its URL: colours as #rrggbb, the radius in pixels, fonts as names separated by
// commas. The server parses them strictly and drops illegible colours, so they need not be trusted.

/** Hidden element on which the browser computes the value of a custom property. */
export type Probe = HTMLElement;

/** Style sheet of the probe. */
export const probeStyle = `
.probe{display:none}
.accent{color:color-mix(in srgb,var(--otp-accent) 100%,var(--otp-accent))}
.surface{color:color-mix(in srgb,var(--otp-surface) 100%,var(--otp-surface))}
.radius{border-top-left-radius:var(--otp-radius)}`;

/** `auto` follows the page, so a light page stays light even if the person prefers dark. */
function colorScheme(host: HTMLElement): string {
  const theme = host.getAttribute('theme');
  if (theme === 'light' || theme === 'dark') return theme;
  let scheme = getComputedStyle(host).colorScheme;
  if (!scheme || scheme === 'normal') {
    scheme = document.querySelector<HTMLMetaElement>('meta[name="color-scheme"]')?.content ?? 'light';
  }
  const [light, dark] = [scheme.includes('light'), scheme.includes('dark')];
  return light && dark ? 'auto' : dark ? 'dark' : 'light';
}

/** `color(srgb 0.2 0.27 0.78)` or `rgb(51, 70, 200)` as `#3346c8`. */
function hex(color: string): string {
  const scale = color.startsWith('color(') ? 255 : 1;
  const numbers = color.match(/-?[\d.]+(e-?\d+)?/g)?.slice(0, 3) ?? [];
  if (numbers.length < 3) return '';
  const byte = (text: string) => Math.round(Math.min(255, Math.max(0, Number(text) * scale)));
  return `#${numbers.map((number) => byte(number).toString(16).padStart(2, '0')).join('')}`;
}

/** The custom parts of the look, by the names of the query parameters. */
export function look(host: HTMLElement, probe: Probe): Record<string, string> {
  const property = (name: string) => getComputedStyle(host).getPropertyValue(`--otp-${name}`).trim();
  const found: Record<string, string> = { theme: colorScheme(host) };
  for (const name of ['accent', 'surface']) {
    if (!property(name)) continue;
    probe.className = `probe ${name}`;
    found[name] = hex(getComputedStyle(probe).color);
  }
  if (property('radius')) {
    probe.className = 'probe radius';
    found.radius = String(Math.round(parseFloat(getComputedStyle(probe).borderTopLeftRadius)));
  }
  found.font = property('font').replaceAll(/["']/g, '');
  return found;
}
