// The snippets of README.md and docs/, run as they stand there. Those of HOSTED.md, which need a browser, are in
// hosted-documents.spec.ts.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { snippet } from '../harness/documents.ts';
import { expect, test } from '../harness/test.ts';
import { genuine, rehearsed } from '../harness/token.ts';

const run = promisify(execFile);

test('the shell snippet of the README verifies a code', async ({ latchkey }) => {
  const script = snippet('README.md', 'Call it', 'sh');
  expect(script).toContain('http://127.0.0.1:3000');
  const { stdout } = await run('sh', ['-c', script.replaceAll('http://127.0.0.1:3000', latchkey.origin)]);
  expect(stdout).toContain('{"result":"approved","verification":{');
});

test('the client in docs/API.md retries without a second effect', async ({ latchkey }) => {
  const client = snippet('docs/API.md', 'A client for the back end of an app', 'python');
  const program = `${client.replaceAll('http://127.0.0.1:3000', latchkey.origin)}
verification = sign_up("07400 123456", "first-tap")
assert verification and sign_up("07400 123456", "first-tap") == verification
caught = lambda: json.load(urllib.request.urlopen("${latchkey.origin}/dev/inbox.json"))
while not caught(): pass
code = caught()[0]["code"]
wrong = "000000" if code != "000000" else "111111"
left = lambda: json.load(urllib.request.urlopen(urllib.request.Request(
    f"{SERVER}/v1/verifications/{verification}", headers={"Authorization": f"Bearer {SECRET_KEY}"}
)))["attempts_left"]
assert not is_signed_up(verification, wrong, "second-tap")
assert not is_signed_up(verification, wrong, "second-tap")
assert left() == 4
assert is_signed_up(verification, code, "third-tap")
assert is_signed_up(verification, code, "third-tap")
assert not is_signed_up(verification, code, "fourth-tap")
assert sign_up("no number", "fifth-tap") is None
assert len(caught()) == 1
`;
  await run('python3', ['-c', program]);
});

/** Language, document, heading, command, and the program: a session with the state `s1` and a form, the snippet,
 * and a last line that prints the recipient that it takes for verified. */
const languages: [string, string, string, string[], (text: string, given: Given) => string][] = [
  [
    'js',
    'README.md',
    'Embed it',
    [process.execPath, '--input-type=module', '-e'],
    (text, { secretKey, token }) => `
      const secretKey = '${secretKey}', session = { state: 's1' };
      const form = new URLSearchParams({ otp_token: '${token}' });
      ${text}
      console.log(JSON.stringify(verified ?? null));`,
  ],
  [
    'python',
    'docs/EMBED.md',
    'Redeem in your back end',
    ['python3', '-W', 'error', '-c'],
    (text, { secretKey, token }) => `
secret_key, session, form = "${secretKey}", {"state": "s1"}, {"otp_token": "${token}"}
${text}
print(json.dumps(verified))`,
  ],
  [
    'php',
    'docs/EMBED.md',
    'Redeem in your back end',
    ['php', '-d', 'display_errors=stdout', '-r'],
    (text, { secretKey, token }) => `
      error_reporting(E_ALL);
      $secretKey = '${secretKey}'; $_SESSION = ['state' => 's1']; $_POST = ['otp_token' => '${token}'];
      ${text}
      echo json_encode($verified);`,
  ],
];

interface Given {
  secretKey: string;
  token: string;
}

for (const [language, document, heading, [command, ...options], program] of languages) {
  test(`the ${language} snippet of ${document} takes a proof for the session's, once`, async ({ latchkey }) => {
    const text = snippet(document, heading, language);
    expect(text).toContain('https://otp.example.com');
    const here = text.replaceAll('https://otp.example.com', latchkey.origin);
    const verified = async (token: string, secretKey = 'lk_sec_demo') => {
      const { stdout, stderr } = await run(command, [...options, program(here, { secretKey, token })]);
      expect(stderr).toBe('');
      return JSON.parse(stdout);
    };
    const token = await genuine(latchkey, 'jane@example.com', 's1');
    expect(await verified(token)).toBe('jane@example.com');
    expect(await verified(token), 'redeemed before').toBeNull();
    expect(await verified(await genuine(latchkey, 'jane@example.com', 's2')), 'of another session').toBeNull();
    const rehearsal = await rehearsed(latchkey, 's1');
    expect(await verified(rehearsal, 'lk_sec_test_approve'), 'of a site for tests').toBeNull();
    for (const nothing of ['', 'x', `${token}x`]) expect(await verified(nothing), nothing).toBeNull();
  });
}
