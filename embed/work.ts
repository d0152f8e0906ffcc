// Script of the page of a work: answers it and submits the form, which is refused until then.
import { answer } from './answer.ts';

const form = document.querySelector<HTMLFormElement>('form[data-bits]');
const field = form?.querySelector<HTMLInputElement>('[name="work"]');

async function work(form: HTMLFormElement, field: HTMLInputElement): Promise<void> {
  const { bits, rounds, wait, back } = form.dataset;
  field.value = await answer({
    challenge: field.value,
    bits: Number(bits),
    rounds: Number(rounds),
    retry_after: Number(wait),
  });
  // This page is the answer to a form, which going back would have to send again.
  history.replaceState(null, '', back);
  form.submit();
}

addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload();
});
// If it fails, the person waits and presses the button.
if (form && field) work(form, field).catch(() => {});
