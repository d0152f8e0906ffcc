// The hosted flow.
import { cancel, visit, waysBack } from '../harness/engines/hosted.ts';
import { expect, test } from '../harness/engines/test.ts';

waysBack(true);

test('going back after canceling does not submit the form again', async ({ card, tea, visitor }) => {
  await visit(tea, visitor, card, 'returns@example.com');
  await visitor.click(['button', cancel]);
  await card.ends('Not signed in: canceled');
  await visitor.tab.go('back');
  // Firefox has replaced the entry of our page in its history, so it goes back to the relying party.
  await visitor.sees(['heading', /^(Verification called off|Sign in)$/]);
  expect(tea.returns).toHaveLength(1);
});
