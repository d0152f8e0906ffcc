// How the frame is to look, read from the page around it.
//
// Style sheets do not reach into a frame, so four custom properties and the colour scheme are read
// here and sent along in its address, in one plain notation each: colours as #rrggbb, the radius in
// pixels, fonts as names between commas. The server reads them by a grammar of its own and leaves
// out what would not be legible, so nothing in here has to be trusted.

/** A hidden element of ours on which the browser works out what a custom property means. */
export type Probe = HTMLElement;

/** What the probe is styled with. */
export const probeStyle = `
.probe{display:none}
.accent{color:color-mix(in srgb,var(--otp-accent) 100%,var(--otp-accent))}
.surface{color:color-mix(in srgb,var(--otp-surface) 100%,var(--otp-surface))}
.radius{border-top-left-radius:var(--otp-radius)}`;

/** `auto` is what the page itself is in: a light page stays light for whoever prefers dark. */
function scheme(host: HTMLElement): string {
  const wanted = host.getAttribute('theme');
  if (wanted === 'light' || wanted === 'dark') return wanted;
  let known = getComputedStyle(host).colorScheme;
  if (!known || known === 'normal') {
    known = document.querySelector<HTMLMetaElement>('meta[name="color-scheme"]')?.content ?? 'light';
  }
  const [light, dark] = [known.includes('light'), known.includes('dark')];
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

/** Everything about the look that differs from the usual, by the names that the server knows. */
export function look(host: HTMLElement, probe: Probe): Record<string, string> {
  const given = (name: string) => getComputedStyle(host).getPropertyValue(`--otp-${name}`).trim();
  const found: Record<string, string> = { theme: scheme(host) };
  for (const name of ['accent', 'surface']) {
    if (!given(name)) continue;
    probe.className = `probe ${name}`;
    found[name] = hex(getComputedStyle(probe).color);
  }
  if (given('radius')) {
    probe.className = 'probe radius';
    found.radius = String(Math.round(parseFloat(getComputedStyle(probe).borderTopLeftRadius)));
  }
  found.font = given('font').replaceAll(/["']/g, '');
  return found;
}
